/* The checker checks itself: forged outputs that it must reject, at every shape, dtype and distribution it judges on. */
#include "evaluate/expected.h"
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

/* What the forged elements of one output are made of. */
struct look {
	enum dtype dtype;
	int64_t count, largest; /* position of the largest finite value */
	double mean, spread;    /* of the finite values */
};

/* One problem with one draw of inputs. */
struct trial {
	const struct problem *problem;
	struct expected *expected;
	void *in[OP_MAX_TENSORS];      /* by tensor, storage dtype */
	int64_t in_elems[OP_MAX_TENSORS];
	void *honest[OP_MAX_TENSORS];  /* by output */
	struct look look[OP_MAX_TENSORS];
	int outputs;
	bool is_large;
};

struct selfcheck {
	const struct op *op;
	double most_work;
	struct selfcheck_counts *counts;
	bool at_check;                 /* the check shapes, or then the others */
	bool caught[CHEAT_COUNT];      /* somewhere */
	bool caught_at_check[DTYPE_COUNT][CHEAT_COUNT];
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

/*
 * The output of other inputs.  Of a large shape at a sample: what none of 4096 elements
 * shows would count as accepted, so that this only asks more of the checker.
 */
static struct expected *forge_values(const struct trial *x, const void *const *in)
{
	struct strbuf ignored = STRBUF_INIT;
	struct expected *e = expected_open(x->problem, in, x->is_large ? 4096 : 0, 5, &ignored);

	strbuf_release(&ignored);
	return e;
}

static struct expected *forge_previous(const struct trial *x, enum distribution d, uint64_t seed)
{
	void *in[OP_MAX_TENSORS] = { NULL };

	/* Uniform values take half the time to draw. */
	draw_inputs(x->problem, x->is_large ? INPUTS_uniform : d, seed + 1, in);
	struct expected *e = forge_values(x, (const void *const *)in);
	free_all(in);
	return e;
}

static struct expected *forge_twin(const struct trial *x)
{
	const struct problem *p = x->problem;
	void *in[OP_MAX_TENSORS] = { NULL };
	struct expected *e = NULL;
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
	if (any)
		e = forge_values(x, (const void *const *)in);
	free_all(in);
	return e;
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
static struct expected *forge_swapped(const struct trial *x, int variant)
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
	return NULL;
}

/* ---- forged elements ---------------------------------------------------- */

static struct look look_at(const struct trial *x, int o)
{
	struct look l = { .dtype = problem_tensor_dtype(x->problem, x->expected->output[o].tensor) };
	const double *want = expected_values(x->expected, o, &l.count);
	double finite = 0;

	for (int64_t i = 0; i < l.count; i++)
		if (isfinite(want[i])) {
			if (fabs(want[i]) > fabs(isfinite(want[l.largest]) ? want[l.largest] : 0))
				l.largest = i;
			l.mean += want[i];
			finite++;
		}
	l.mean = finite > 0 ? l.mean / finite : 0;
	for (int64_t i = 0; i < l.count; i++)
		l.spread += isfinite(want[i]) ? (want[i] - l.mean) * (want[i] - l.mean) / finite : 0;
	l.spread = sqrt(l.spread);
	return l;
}

static double one_wrong(enum dtype d, double v)
{
	if (d == DTYPE_bool)
		return v == 0;
	return dtype_is_real(d) ? v * (1 + 16 * dtype_roundoff(d)) + (v == 0) + 0.01 * v : v + 1;
}

/* Element i of output o as the cheat gives it, where v is right. */
static double forged(enum cheat cheat, const struct trial *x, int o, int variant, int64_t i, double v)
{
	const struct look *l = &x->look[o];

	switch (cheat) {
	case ZEROS: return 0;
	case ONES: return 1;
	case MEAN: return l->mean;
	case NOISE: return l->mean + l->spread * rng_normal_at(77, (uint64_t)o, (uint64_t)i);
	case ONE_WRONG: return i == l->largest ? one_wrong(l->dtype, v) : v;
	case SKIPPED_TAIL: return i >= l->count - (l->count + 7) / 8 ? 0 : v;
	case INPUT_COPY: return dtype_load(problem_tensor_dtype(x->problem, variant), x->in[variant], i % x->in_elems[variant]);
	case TWIN_OF_OUTPUTS: return dtype_is_real(l->dtype) ? lowered(lower_bits(l->dtype), v) : v;
	default: return v;
	}
}

/* ---- judging ------------------------------------------------------------ */

static bool trial_open(struct trial *x, const struct problem *p, enum distribution d, uint64_t seed, bool is_large, struct strbuf *err)
{
	*x = (struct trial){ .problem = p, .is_large = is_large };
	draw_inputs(p, d, seed, x->in);
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		x->in_elems[t] = x->in[t] ? problem_elems(p, t) : 0;
	x->expected = expected_open(p, (const void *const *)x->in, 0, 0, err);
	for (; x->expected && x->outputs < x->expected->output_count; x->outputs++) {
		int o = x->outputs;
		x->honest[o] = claim((size_t)problem_bytes(p, x->expected->output[o].tensor) + 8);
		x->look[o] = look_at(x, o);
		for (int64_t i = 0; i < x->look[o].count; i++)
			dtype_store(x->look[o].dtype, x->honest[o], i, x->expected->output[o].want[i]);
	}
	return x->expected != NULL;
}

static void trial_close(struct trial *x)
{
	free_all(x->in);
	free_all(x->honest);
	expected_close(x->expected);
}

static void judge_honest(const struct trial *x, struct fate *f)
{
	struct check_result r;

	expected_compare(x->expected, (const void *const *)x->honest, &r);
	f->tried = true;
	if (r.verdict != VERDICT_PASSED && !f->rejected)
		snprintf(f->why, sizeof(f->why), "%s", r.first_wrong);
	f->rejected |= r.verdict != VERDICT_PASSED;
}

/*
 * Element by element until one is rejected.  Those that are the honest one's numbers (any
 * NaN is one, and -0 is 0) are accepted, or the honest output was not.
 */
static void judge(const struct trial *x, enum cheat cheat, int variant, const struct expected *other, struct fate *f)
{
	f->tried = true;
	for (int o = 0; o < x->outputs && !f->rejected; o++) {
		const struct expected_output *from = other ? &other->output[o] : NULL;
		enum dtype d = x->look[o].dtype;
		int64_t n = from ? from->count : x->look[o].count;
		for (int64_t k = 0; k < n && !f->rejected; k++) {
			int64_t i = from && from->index ? from->index[k] : k;
			double v = from ? from->want[k] : forged(cheat, x, o, variant, i, x->expected->output[o].want[i]);
			double got = dtype_round(d, v), honest = dtype_load(d, x->honest[o], i);
			if (got == honest || (isnan(got) && isnan(honest)))
				continue;
			f->differed = true;
			f->rejected = !expected_accepts(x->expected, o, i, got);
		}
	}
}

/* Tries a cheat, or a variant of it, where that exists for the operator. */
static void try_cheat(const struct trial *x, enum cheat cheat, int variant, enum distribution d, uint64_t seed, struct fate *f)
{
	const struct op_tensor *tensor = &x->problem->op->tensor[variant];
	bool is_input = tensor->name && tensor->role == OP_IN, comes_from_inputs = cheat == PREVIOUS || cheat == TWIN_OF_INPUTS || cheat == SWAPPED;
	struct expected *other = NULL;

	if (cheat == INPUT_COPY || cheat == SWAPPED ? !is_input : variant > 0)
		return;
	if (cheat == INPUT_COPY && x->in_elems[variant] < 1)
		return;
	if (comes_from_inputs)
		other = cheat == PREVIOUS ? forge_previous(x, d, seed) : cheat == SWAPPED ? forge_swapped(x, variant) : forge_twin(x);
	if (cheat == HONEST)
		judge_honest(x, f);
	else if (other || !comes_from_inputs)
		judge(x, cheat, variant, other, f);
	expected_close(other);
}

/*
 * Rounding to fewer bits averages out in a long reduction, below the error that a plain sum
 * of as many terms has by right: what shows at the check shapes, which every candidate must
 * pass as well, need not show at a larger one.
 */
static bool is_caught_elsewhere(const struct selfcheck *s, const struct problem *p, enum cheat cheat)
{
	return !s->at_check && (cheat == TWIN_OF_OUTPUTS || cheat == TWIN_OF_INPUTS) && s->caught_at_check[p->dtype][cheat];
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
		s->caught_at_check[p->dtype][cheat] |= s->at_check && f->rejected;
		if (!f->rejected && f->differed && is_caught_elsewhere(s, p, cheat))
			s->counts->elsewhere++;
		else if (!f->rejected && f->differed)
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

	if (is_check != s->at_check || (!is_check && problem_work(p) > s->most_work))
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
		if (!trial_open(&x, p, d[k], seed, !is_check, s->err))
			ret = -1;
		for (int c = 0; c < CHEAT_COUNT && !ret; c++)
			for (int v = 0; v < MOST_VARIANTS; v++)
				/* Once caught is enough; the honest one must pass on each. */
				if (c == HONEST || !fate[c][v].rejected)
					try_cheat(&x, (enum cheat)c, v, d[k], seed, &fate[c][v]);
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
	struct selfcheck s = { .op = op, .most_work = most_work, .counts = counts, .at_check = true, .err = err };
	size_t before = err->len;

	if (problem_each(op, OP_CHECK, 1, one_shape, &s, err))
		return -1;
	s.at_check = false;
	if (most_work > 0 && problem_each(op, ~0u, 1, one_shape, &s, err))
		return -1;
	check_outcomes(&s);
	return err->len > before ? -1 : 0;
}
