/* The checker checks itself: forged outputs that it must reject, at every shape, dtype and distribution it judges on. */
#include "evaluate/check.h"
#include "ops/core/diag.h"
#include "ops/core/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* X(name, what it is); INPUT_COPY, SWAPPED and TWIN_OF_INPUTS have variants, one per input or pair. */
#define CHEATS(X) \
	X(HONEST, "the reference itself") \
	X(ZEROS, "zeros") \
	X(ONES, "ones") \
	X(MEAN, "a constant mean") \
	X(NOISE, "noise") \
	X(PREVIOUS, "the previous output") \
	X(ONE_WRONG, "one wrong element") \
	X(SKIPPED_TAIL, "a skipped tail") \
	X(INPUT_COPY, "a copy of an input") \
	X(SWAPPED, "swapped operands") \
	X(TWIN_OF_OUTPUTS, "outputs of a lower precision") \
	X(TWIN_OF_INPUTS, "inputs of a lower precision")
enum cheat {
#define X(name, sentence) name,
	CHEATS(X)
#undef X
	CHEAT_COUNT
};
static const char *const cheat_name[] = {
#define X(name, sentence) sentence,
	CHEATS(X)
#undef X
};
enum { MOST_VARIANTS = OP_MAX_TENSORS };

/* What became of one cheat at one shape, over the distributions. */
struct fate {
	bool tried, rejected, differed; /* differed: not the numbers of the honest output, at some distribution */
	char why[160];
};

/* One problem with one draw of inputs. */
struct trial {
	const struct problem *problem;
	struct expected *expected;
	void *in[OP_MAX_TENSORS];      /* by tensor, storage dtype */
	void *honest[OP_MAX_TENSORS];  /* by output */
	void *forged[OP_MAX_TENSORS];
	int tensor[OP_MAX_TENSORS];    /* of each output */
	int outputs;
};

struct selfcheck {
	const struct op *op;
	double most_work;
	struct selfcheck_counts *counts;
	bool caught[CHEAT_COUNT];      /* somewhere */
	bool differed[CHEAT_COUNT];
	bool varies;                   /* the output, with finite inputs */
	struct strbuf *err;
};

static void *claim(size_t bytes)
{
	void *p = calloc(1, bytes);

	if (!p)
		die("out of memory");
	return p;
}

/* ---- expected values of tampered inputs -------------------------------- */

/* The next dtype down, in fraction bits: f64 to f32, f32 to tf32, f16 to bf16, bf16 to f8e4m3, that to f8e5m2; 0: none. */
static int lower_bits(enum dtype d)
{
	return d == DTYPE_f64 ? 23 : d == DTYPE_f32 ? 10 : d == DTYPE_f16 ? 7 : d == DTYPE_bf16 ? 3 : d == DTYPE_f8e4m3 ? 2 : 0;
}

/* x with `bits` bits of fraction. */
static double lowered(int bits, double x)
{
	int e;

	if (x == 0 || !isfinite(x) || !bits)
		return x;
	frexp(x, &e);
	return ldexp(nearbyint(ldexp(x, bits + 1 - e)), e - 1 - bits);
}

/*
 * Fraction bits of an input's lower-precision twin.  A twin as precise as the output is no
 * cheat: f32 rounded to tf32 and then to f16 is one of the two f16 neighbours of the exact
 * value, as is what an honest kernel gives.  So the twin is the next dtype down from the
 * coarser one of the input and the finest real output.  0: there is none.
 */
static int twin_bits(const struct problem *p, enum dtype input)
{
	enum dtype coarser = input;
	double finest = 1;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		enum dtype d = problem_tensor_dtype(p, t);
		if (p->op->tensor[t].role == OP_OUT && dtype_is_real(d) && dtype_roundoff(d) < finest) {
			finest = dtype_roundoff(d);
			coarser = finest > dtype_roundoff(input) ? d : input;
		}
	}
	return lower_bits(coarser);
}

static void draw_inputs(const struct problem *p, enum distribution d, uint64_t seed, void **in)
{
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_IN) {
			in[t] = claim((size_t)problem_bytes(p, t) + 8);
			inputs_fill(p, t, d, seed, in[t]);
		}
}

static void free_all(void **p)
{
	for (int t = 0; t < OP_MAX_TENSORS; t++) {
		free(p[t]);
		p[t] = NULL;
	}
}

/* Writes e's values of every output into x->forged; false: they could not be had. */
static bool forge_values(struct trial *x, const void *const *in)
{
	struct strbuf ignored = STRBUF_INIT;
	struct expected *e = expected_open(x->problem, in, 0, 0, &ignored);
	int64_t n;

	for (int o = 0; e && o < x->outputs; o++) {
		const double *v = expected_values(e, o, &n);
		for (int64_t i = 0; i < n; i++)
			dtype_store(problem_tensor_dtype(x->problem, x->tensor[o]), x->forged[o], i, v[i]);
	}
	strbuf_release(&ignored);
	expected_close(e);
	return e != NULL;
}

static bool forge_previous(struct trial *x, enum distribution d, uint64_t seed)
{
	void *in[OP_MAX_TENSORS] = { NULL };

	draw_inputs(x->problem, d, seed + 1, in);
	bool done = forge_values(x, (const void *const *)in);
	free_all(in);
	return done;
}

static bool forge_twin(struct trial *x)
{
	const struct problem *p = x->problem;
	void *in[OP_MAX_TENSORS] = { NULL };
	bool any = false;

	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++) {
		enum dtype d = problem_tensor_dtype(p, t);
		int64_t n = problem_elems(p, t);
		if (!x->in[t])
			continue;
		in[t] = claim((size_t)problem_bytes(p, t) + 8);
		memcpy(in[t], x->in[t], (size_t)problem_bytes(p, t));
		int bits = dtype_is_real(d) ? twin_bits(p, d) : 0;
		for (int64_t i = 0; bits && i < n; i++)
			dtype_store(d, in[t], i, lowered(bits, dtype_load(d, in[t], i)));
		any |= bits;
	}
	bool done = any && forge_values(x, (const void *const *)in);
	free_all(in);
	return done;
}

static bool swappable(const struct problem *p, int a, int b)
{
	const struct op_tensor *x = &p->op->tensor[a], *y = &p->op->tensor[b];
	int64_t m[OP_MAX_RANK], n[OP_MAX_RANK];
	int rank = problem_shape(p, a, m);

	return x->role == OP_IN && y->role == OP_IN && x->domain == OP_REAL && y->domain == OP_REAL && x->lo == y->lo && x->hi == y->hi &&
	       problem_tensor_dtype(p, a) == problem_tensor_dtype(p, b) && rank == problem_shape(p, b, n) &&
	       !memcmp(m, n, (size_t)rank * sizeof(*m));
}

/* The first input that input `variant` can change places with. */
static bool forge_swapped(struct trial *x, int variant)
{
	const struct problem *p = x->problem;
	void *in[OP_MAX_TENSORS];

	memcpy(in, x->in, sizeof(in));
	for (int t = variant + 1; p->op->tensor[variant].name && t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (swappable(p, variant, t)) {
			in[variant] = x->in[t];
			in[t] = x->in[variant];
			return forge_values(x, (const void *const *)in);
		}
	return false;
}

/* ---- forged elements ---------------------------------------------------- */

static void forge_output(enum cheat cheat, struct trial *x, int o, int variant)
{
	enum dtype d = problem_tensor_dtype(x->problem, x->tensor[o]);
	int64_t n, where = 0, finite = 0;
	const double *want = expected_values(x->expected, o, &n);
	double mean = 0;
	double spread = 0;
	int64_t copied = cheat == INPUT_COPY ? problem_elems(x->problem, variant) : 0;

	for (int64_t i = 0; i < n; i++)
		if (isfinite(want[i])) {
			if (fabs(want[i]) > fabs(isfinite(want[where]) ? want[where] : 0))
				where = i;
			mean += want[i];
			finite++;
		}
	mean = finite ? mean / (double)finite : 0;
	for (int64_t i = 0; i < n; i++)
		spread += isfinite(want[i]) ? (want[i] - mean) * (want[i] - mean) / (double)finite : 0;
	spread = sqrt(spread);
	for (int64_t i = 0; i < n; i++) {
		double v = want[i];
		switch (cheat) {
		case ZEROS: v = 0; break;
		case ONES: v = 1; break;
		case MEAN: v = mean; break;
		case NOISE: v = mean + spread * rng_normal_at(77, (uint64_t)o, (uint64_t)i); break;
		case ONE_WRONG: v = i != where ? v : d == DTYPE_bool ? !v : dtype_is_real(d) ? v * (1 + 16 * dtype_roundoff(d)) + (v == 0) + 0.01 * v : v + 1; break;
		case SKIPPED_TAIL: v = i >= n - (n + 7) / 8 ? 0 : v; break;
		case INPUT_COPY: v = dtype_load(problem_tensor_dtype(x->problem, variant), x->in[variant], i % copied); break;
		case TWIN_OF_OUTPUTS: v = dtype_is_real(d) ? lowered(lower_bits(d), v) : v; break;
		default: break;
		}
		dtype_store(d, x->forged[o], i, v);
	}
}

/* Fills x->forged; false: this cheat, or variant of it, does not exist for the operator. */
static bool forge(enum cheat cheat, int variant, struct trial *x, enum distribution d, uint64_t seed)
{
	const struct op_tensor *tensor = &x->problem->op->tensor[variant];

	switch (cheat) {
	case PREVIOUS: return !variant && forge_previous(x, d, seed);
	case TWIN_OF_INPUTS: return !variant && forge_twin(x);
	case SWAPPED: return tensor->name && tensor->role == OP_IN && forge_swapped(x, variant);
	case INPUT_COPY:
		if (!tensor->name || tensor->role != OP_IN || problem_elems(x->problem, variant) < 1)
			return false;
		break;
	default:
		if (variant)
			return false;
	}
	for (int o = 0; o < x->outputs; o++)
		forge_output(cheat, x, o, variant);
	return true;
}

/* ---- judging ------------------------------------------------------------ */

static bool trial_open(struct trial *x, const struct problem *p, enum distribution d, uint64_t seed, struct strbuf *err)
{
	*x = (struct trial){ .problem = p };
	draw_inputs(p, d, seed, x->in);
	x->expected = expected_open(p, (const void *const *)x->in, 0, 0, err);
	for (int t = 0; x->expected && t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		if (p->op->tensor[t].role == OP_OUT) {
			int o = x->outputs++;
			x->tensor[o] = t;
			x->honest[o] = claim((size_t)problem_bytes(p, t) + 8);
			x->forged[o] = claim((size_t)problem_bytes(p, t) + 8);
			forge_output(HONEST, x, o, 0);
			memcpy(x->honest[o], x->forged[o], (size_t)problem_bytes(p, t));
		}
	return x->expected != NULL;
}

static void trial_close(struct trial *x)
{
	free_all(x->in);
	free_all(x->honest);
	free_all(x->forged);
	expected_close(x->expected);
}

/* The same numbers: any NaN is one, and -0 is 0. */
static bool is_same(const struct trial *x, int o)
{
	enum dtype d = problem_tensor_dtype(x->problem, x->tensor[o]);
	int64_t n = problem_elems(x->problem, x->tensor[o]);

	for (int64_t i = 0; i < n; i++) {
		double a = dtype_load(d, x->forged[o], i), b = dtype_load(d, x->honest[o], i);
		if (a != b && !(isnan(a) && isnan(b)))
			return false;
	}
	return true;
}

static void judge(struct trial *x, struct fate *f)
{
	struct check_result r;
	bool is_right = true;

	for (int o = 0; o < x->outputs && is_right; o++)
		is_right = is_same(x, o);
	expected_compare(x->expected, (const void *const *)x->forged, &r);
	f->tried = true;
	f->differed |= !is_right;
	if (r.verdict != VERDICT_PASSED && !f->rejected)
		snprintf(f->why, sizeof(f->why), "%s", r.first_wrong);
	f->rejected |= r.verdict != VERDICT_PASSED;
}

static void settle(struct selfcheck *s, const struct problem *p, enum cheat cheat, int variant, const struct fate *f)
{
	struct strbuf name = STRBUF_INIT;

	if (!f->tried)
		return;
	problem_print(p, &name);
	if (cheat == HONEST) {
		if (f->rejected)
			strbuf_addf(s->err, "%s%s: %s was rejected: %s", s->err->len ? "\n" : "", name.buf, cheat_name[cheat], f->why);
	} else {
		s->counts->cheats++;
		s->counts->rejected += f->rejected;
		s->counts->right += !f->differed;
		s->caught[cheat] |= f->rejected;
		s->differed[cheat] |= f->differed;
		if (!f->rejected && f->differed)
			strbuf_addf(s->err, "%s%s: %s%s%s was accepted", s->err->len ? "\n" : "", name.buf, cheat_name[cheat],
				    cheat == INPUT_COPY || cheat == SWAPPED ? " " : "",
				    cheat == INPUT_COPY || cheat == SWAPPED ? p->op->tensor[variant].name : "");
	}
	strbuf_release(&name);
}

static int one_shape(const struct problem *p, enum op_use use, void *user)
{
	struct selfcheck *s = user;
	enum distribution d[INPUTS_COUNT];
	bool is_check = use & OP_CHECK, is_pending = true;
	size_t count = check_distributions(p, d);
	struct fate (*fate)[MOST_VARIANTS] = NULL;
	const uint64_t seed = 11;
	int ret = 0;

	if (!is_check && problem_work(p) > s->most_work)
		return 0;
	/* A large shape is judged on usual values, and on those that show precision. */
	if (!is_check) {
		d[0] = INPUTS_normal;
		d[1] = INPUTS_fine;
		count = 2;
	}
	fate = claim(CHEAT_COUNT * sizeof(*fate));
	for (size_t k = 0; k < count && !ret && (is_check || is_pending); k++) {
		struct trial x;
		if (!trial_open(&x, p, d[k], seed, s->err))
			ret = -1;
		for (int c = 0; c < CHEAT_COUNT && !ret; c++)
			for (int v = 0; v < MOST_VARIANTS; v++)
				/* Once caught is enough; the honest one must pass on each. */
				if ((c == HONEST || !fate[c][v].rejected) && forge((enum cheat)c, v, &x, d[k], seed))
					judge(&x, &fate[c][v]);
		s->varies |= fate[PREVIOUS][0].differed && d[k] != INPUTS_special;
		trial_close(&x);
		is_pending = false;
		for (int c = HONEST + 1; c < CHEAT_COUNT; c++)
			for (int v = 0; v < MOST_VARIANTS; v++)
				is_pending |= fate[c][v].tried && !fate[c][v].rejected;
	}
	for (int c = 0; c < CHEAT_COUNT && !ret; c++)
		for (int v = 0; v < MOST_VARIANTS; v++)
			settle(s, p, (enum cheat)c, v, &fate[c][v]);
	s->counts->shapes++;
	free(fate);
	return ret;
}

/*
 * A constant that is right at every shape: the inputs never make the output vary, and then
 * nothing was checked (a predicate that is never true), unless the operator says why.  Of one
 * that does, the output must be the previous one on all finite inputs.
 */
static void check_outcomes(struct selfcheck *s)
{
	static const enum cheat constant[] = { ZEROS, ONES, PREVIOUS };
	bool has_input = false;

	for (int t = 0; t < OP_MAX_TENSORS && s->op->tensor[t].name; t++)
		has_input |= s->op->tensor[t].role == OP_IN;
	if (s->op->constant && s->varies)
		strbuf_addf(s->err, "%s%s: is declared constant, but its output varies: remove .constant", s->err->len ? "\n" : "", s->op->name);
	for (size_t i = 0; has_input && !s->op->constant && i < ARRAY_SIZE(constant); i++)
		if (!s->caught[constant[i]])
			strbuf_addf(s->err, "%s%s: %s is right at every check shape: choose inputs on which the output varies",
				    s->err->len ? "\n" : "", s->op->name, cheat_name[constant[i]]);
}

int check_selfcheck(const struct op *op, double most_work, struct selfcheck_counts *counts, struct strbuf *err)
{
	struct selfcheck s = { .op = op, .most_work = most_work, .counts = counts, .err = err };
	size_t before = err->len;

	if (problem_each(op, most_work > 0 ? ~0u : OP_CHECK, 1, one_shape, &s, err))
		return -1;
	check_outcomes(&s);
	return err->len > before ? -1 : 0;
}
