/* What lives read and write: drawn, hidden, shown, poisoned, compared. */
#include "evaluate/judge_memory.h"
#include "ops/core/defence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { PAGE = 4096, LARGE = 65536, SMALL_GUARD = 256 };

static const struct op_tensor *tensor_of(const struct problem *p, int t)
{
	return t < OP_MAX_TENSORS && p->op->tensor[t].name ? &p->op->tensor[t] : NULL;
}

/* ---- layout ---------------------------------------------------------- */

/* What an offset in a page must be a multiple of for tensor t. */
static int64_t alignment_of(const struct judge_memory *m, int t)
{
	int64_t element = (int64_t)dtype_bytes(problem_tensor_dtype(&m->problem, t));

	return m->alignment > element ? m->alignment : element;
}

/* Tensor t of a set that begins at `at`: its place; *end: where the next may begin. */
static int64_t place_timed(const struct judge_memory *m, int t, int64_t at, int64_t *end)
{
	int64_t bytes = problem_bytes(&m->problem, t), grain = bytes >= LARGE ? PAGE : 64, guard = bytes >= LARGE ? PAGE : SMALL_GUARD;

	if (tensor_of(&m->problem, t)->role == OP_IN)
		guard = 64;
	at = round_up(at + guard, grain);
	*end = round_up(at + bytes + guard, grain);
	return at;
}

/* Page-aligned pages with one before and behind that nobody may touch. */
static int64_t place_strict(const struct judge_memory *m, int t, int64_t at, int64_t *end)
{
	static const int64_t odd[] = { 4, 8, 60, 12, 28, 36 };
	int64_t bytes = problem_bytes(&m->problem, t), step = alignment_of(m, t), shift = 0;

	if (m->layout == LAYOUT_ODD)
		for (size_t i = 0; i < ARRAY_SIZE(odd) && !shift; i++)
			shift = odd[(i + (size_t)t) % ARRAY_SIZE(odd)] % step ? 0 : odd[(i + (size_t)t) % ARRAY_SIZE(odd)];
	int64_t pages = round_up(bytes + shift, PAGE);
	if (m->layout == LAYOUT_FLUSH_RIGHT)
		shift = (pages - bytes) / step * step;
	*end = at + pages + 2 * PAGE;
	return at + PAGE + shift;
}

static int64_t place_tensor(const struct judge_memory *m, int t, int64_t at, int64_t *end)
{
	return m->layout == LAYOUT_TIMED ? place_timed(m, t, at, end) : place_strict(m, t, at, end);
}

static void place_all(struct judge_memory *m)
{
	const struct op_tensor *tensor;
	int64_t at[2] = { 0 }, packed[2] = { 0 }, largest = 64;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++) {
		int side = tensor->role != OP_IN;
		int64_t bytes = problem_bytes(&m->problem, t);
		m->place[t] = place_tensor(m, t, at[side], &at[side]);
		m->packed[t] = packed[side];
		packed[side] += round_up(bytes, 64);
		if (bytes >= LARGE)
			largest = PAGE;
	}
	/* Whole sets keep their tensors' alignment. */
	m->in_set_bytes = round_up(at[0], m->layout == LAYOUT_TIMED ? largest : PAGE);
	m->out_set_bytes = round_up(at[1], m->layout == LAYOUT_TIMED ? largest : PAGE);
	m->packed_in_bytes = packed[0];
	m->packed_out_bytes = packed[1];
}

void judge_memory_set_bytes(const struct problem *p, int64_t *in, int64_t *out)
{
	struct judge_memory m = { .problem = *p, .layout = LAYOUT_TIMED };

	place_all(&m);
	*in = m.in_set_bytes;
	*out = m.out_set_bytes;
}

/* ---- opening --------------------------------------------------------- */

static void *shared(const char *name, int64_t bytes, int *fd, struct strbuf *err)
{
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *base = *fd < 0 || ftruncate(*fd, bytes) ? MAP_FAILED
		   : mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, *fd, 0);
	if (base == MAP_FAILED) {
		strbuf_addf(err, "cannot get %lld bytes of shared memory: %s", (long long)bytes, strerror(errno));
		return NULL;
	}
	return base;
}

static void *ours(int64_t bytes, struct strbuf *err)
{
	void *p = calloc(1, (size_t)bytes + 64);

	if (!p)
		strbuf_addf(err, "out of memory for %lld bytes", (long long)bytes);
	return p;
}

/* One of each kind that the checker knows, then what does not slow arithmetic down. */
static enum distribution distribution_of(const struct problem *p, int64_t set)
{
	enum distribution d[INPUTS_COUNT];
	int64_t n = (int64_t)check_distributions(p, d);

	return set >= 1 && set <= n ? d[set - 1] : INPUTS_uniform;
}

/* All sets are different. */
static int64_t drawn_as(int64_t set)
{
	return defence_stands(DEFENCE_FRESH_CALLS) ? set : 0;
}

static void draw(struct judge_memory *m, uint64_t secret)
{
	const struct op_tensor *tensor;

	for (int64_t s = 0; s < m->sets; s++)
		for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
			if (tensor->role == OP_IN)
				inputs_fill(&m->problem, t, distribution_of(&m->problem, drawn_as(s)), secret + (uint64_t)drawn_as(s),
					    m->inputs + s * m->packed_in_bytes + m->packed[t]);
}

/* The pages of set s around each tensor that nobody may touch. */
static void add_gaps(struct judge_memory *m, int64_t s)
{
	const struct op_tensor *tensor;
	struct judge_control *c = m->control;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++) {
		int side = tensor->role != OP_IN;
		int64_t at = m->place[t] / PAGE * PAGE + s * (side ? m->out_set_bytes : m->in_set_bytes);
		int64_t last = round_up(m->place[t] + problem_bytes(&m->problem, t), PAGE) + s * (side ? m->out_set_bytes : m->in_set_bytes);
		if (c->gap_count[side] + 2 > JUDGE_MOST_GAPS)
			return;
		c->gap[side][c->gap_count[side]++] = at - PAGE;
		c->gap[side][c->gap_count[side]++] = last;
	}
}

static void describe(struct judge_memory *m)
{
	const struct op_tensor *tensor;
	struct judge_control *c = m->control;

	c->is_strict = m->layout != LAYOUT_TIMED;
	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
		c->is_input[c->tensor_count++] = tensor->role == OP_IN;
	for (int64_t s = 0; s < m->sets && c->is_strict; s++)
		add_gaps(m, s);
}

int judge_memory_open(struct judge_memory *m, const struct problem *p, enum judge_layout layout, int64_t alignment, int64_t sets,
		      uint64_t secret, struct strbuf *err)
{
	*m = (struct judge_memory){ .problem = *p, .layout = layout, .alignment = alignment, .sets = sets, .stage = STAGE_INIT, .control_fd = -1 };
	place_all(m);
	/* A kernel's vectors may read past the end of its last tensor: never past the mapping. */
	m->stage.in_bytes = round_up(m->in_set_bytes * sets, PAGE) + PAGE;
	m->stage.out_bytes = round_up(m->out_set_bytes * sets, PAGE) + PAGE;
	m->control_bytes = round_up((int64_t)(sizeof(*m->control) + sizeof(int64_t) * OP_MAX_TENSORS * (size_t)(sets > JUDGE_LONG ? sets : JUDGE_LONG)), PAGE);
	if (!(m->stage.in = shared("km-inputs", m->stage.in_bytes, &m->stage.in_fd, err)) ||
	    !(m->stage.out = shared("km-outputs", m->stage.out_bytes, &m->stage.out_fd, err)) ||
	    !(m->control = shared("km-control", m->control_bytes, &m->control_fd, err)) ||
	    !(m->inputs = ours(sets * m->packed_in_bytes, err)) || !(m->truth = ours(sets * m->packed_out_bytes, err)) ||
	    !(m->is_known = ours(sets, err)) || !(m->poison = ours(sets * 2, err))) {
		judge_memory_close(m);
		return -1;
	}
	/* From here on nobody can write these but through the mappings we hold. */
	fcntl(m->stage.in_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	fcntl(m->control_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	fcntl(m->stage.out_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
	describe(m);
	draw(m, secret);
	return 0;
}

void judge_memory_close(struct judge_memory *m)
{
	if (m->control)
		munmap(m->control, (size_t)m->control_bytes);
	if (m->control_fd >= 0)
		close(m->control_fd);
	stage_close(&m->stage);
	free(m->inputs);
	free(m->truth);
	free(m->is_known);
	free(m->poison);
	*m = (struct judge_memory){ .stage = STAGE_INIT, .control_fd = -1 };
}

/* ---- before and during a life ---------------------------------------- */

/* Halves of NaNs of every real dtype that no arithmetic makes; two lives in a row never have the same. */
static uint16_t poison_of(int64_t set, int64_t life)
{
	uint16_t n = (uint16_t)((uint64_t)(set * 7 + life) % 30);

	return n < 15 ? (uint16_t)(0x7ff1 + n) : (uint16_t)(0xfff1 + n - 15);
}

void judge_memory_clear(struct judge_memory *m, const int64_t *dim)
{
	struct judge_control *c = m->control;

	m->life++;
	memset(m->stage.in, 0, (size_t)m->stage.in_bytes);
	c->calls = 0;
	memset(c->at, 0, (size_t)m->control_bytes - sizeof(*c));
	memcpy(c->dim, dim, sizeof(c->dim));
	for (int64_t s = 0; s < m->sets; s++) {
		m->poison[s] = poison_of(s, m->life);
		wmemset((wchar_t *)(m->stage.out + s * m->out_set_bytes), (wchar_t)(m->poison[s] * UINT32_C(0x10001)),
			(size_t)m->out_set_bytes / sizeof(wchar_t));
	}
}

void judge_memory_fill(struct judge_memory *m, const int64_t *set, int64_t calls)
{
	const struct op_tensor *tensor;
	struct judge_control *c = m->control;

	for (int64_t k = 0; k < calls; k++)
		for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++) {
			bool is_input = tensor->role == OP_IN;
			int64_t at = m->place[t] + set[k] * (is_input ? m->in_set_bytes : m->out_set_bytes);
			c->at[k * c->tensor_count + t] = at;
			if (is_input && k < m->sets) /* the first round through them holds each once */
				memcpy(m->stage.in + at, m->inputs + set[k] * m->packed_in_bytes + m->packed[t], (size_t)problem_bytes(&m->problem, t));
		}
	c->calls = calls;
}

/* ---- after it --------------------------------------------------------- */

/* The first byte in from..to-1 of a set that is not its poison, or `to`. */
static int64_t first_written(const struct judge_memory *m, int64_t set, int64_t from, int64_t to)
{
	const unsigned char *base = (const unsigned char *)m->stage.out + set * m->out_set_bytes;
	unsigned char half[2] = { m->poison[set] & 255, (unsigned char)(m->poison[set] >> 8) };

	/* The pattern repeats itself: quickly seen where all is well. */
	if (to - from > 2 && base[from] == half[from & 1] && base[from + 1] == half[~from & 1] && !memcmp(base + from, base + from + 2, (size_t)(to - from - 2)))
		return to;
	for (int64_t k = from; k < to; k++)
		if (base[k] != half[k & 1])
			return k;
	return to;
}

/* All of a set's part of the outputs' memory that lies between tensors. */
static enum verdict guards_hold(const struct judge_memory *m, int64_t set, struct strbuf *detail)
{
	const struct op_tensor *tensor;
	int64_t from = 0, wrong = 0;
	int near = -1;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++) {
		if (tensor->role != OP_OUT)
			continue;
		wrong = first_written(m, set, from, m->place[t]);
		near = t;
		if (wrong != m->place[t])
			break;
		from = m->place[t] + problem_bytes(&m->problem, t);
		wrong = m->out_set_bytes;
	}
	if (wrong == m->out_set_bytes)
		wrong = first_written(m, set, from, m->out_set_bytes);
	if (wrong == m->out_set_bytes)
		return VERDICT_PASSED;
	strbuf_addf(detail, "byte %lld of '%s', which has %lld, was written", (long long)(wrong - m->place[near]), m->problem.op->tensor[near].name,
		    (long long)problem_bytes(&m->problem, near));
	return VERDICT_INCORRECT_OUT_OF_BOUNDS;
}

static bool is_poison(uint16_t poison, const char *base, int64_t i, int64_t size)
{
	uint64_t pattern = poison * UINT64_C(0x0001000100010001);

	return !memcmp(base + i * size, &pattern, (size_t)size);
}

/*
 * Elements that still hold the poison; *first: one of them.  Of integers some may by right,
 * of single bytes none can tell: those the comparison judges.
 */
static int64_t unwritten(const struct judge_memory *m, int64_t set, int t, int64_t *first)
{
	enum dtype dtype = problem_tensor_dtype(&m->problem, t);
	int64_t size = (int64_t)dtype_bytes(dtype), count = 0, elems = problem_elems(&m->problem, t);
	const char *base = m->stage.out + set * m->out_set_bytes + m->place[t];

	if (size < 2 || !dtype_is_real(dtype))
		return 0;
	for (int64_t i = 0; i < elems; i++)
		if (is_poison(m->poison[set], base, i, size) && !count++)
			*first = i;
	return count;
}

static enum verdict all_written(const struct judge_memory *m, int64_t set, struct strbuf *detail)
{
	const struct op_tensor *tensor;
	int64_t first = 0;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++) {
		int64_t count = tensor->role == OP_OUT ? unwritten(m, set, t, &first) : 0;
		if (count) {
			strbuf_addf(detail, "%lld elements of '%s' were never written, element %lld for one", (long long)count, tensor->name, (long long)first);
			return VERDICT_INCORRECT_UNWRITTEN;
		}
	}
	return VERDICT_PASSED;
}

static void keep_worst(struct check_result *worst, const struct check_result *r)
{
	worst->max_abs_error = r->max_abs_error > worst->max_abs_error ? r->max_abs_error : worst->max_abs_error;
	worst->max_rel_error = r->max_rel_error > worst->max_rel_error ? r->max_rel_error : worst->max_rel_error;
	worst->max_ulp_error = r->max_ulp_error > worst->max_ulp_error ? r->max_ulp_error : worst->max_ulp_error;
	worst->tolerance_ratio = r->tolerance_ratio > worst->tolerance_ratio ? r->tolerance_ratio : worst->tolerance_ratio;
	worst->compared_count += r->compared_count;
	worst->wrong_count += r->wrong_count;
}

static struct expected *expect(struct judge_memory *m, int64_t set, struct judge_check *check, struct strbuf *err)
{
	const struct op_tensor *tensor;
	const void *in[OP_MAX_TENSORS] = { NULL };
	double work = problem_work(&m->problem);
	bool whole = work <= check->whole_work;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
		if (tensor->role == OP_IN)
			in[t] = m->inputs + set * m->packed_in_bytes + m->packed[t];
	check->whole_work -= whole ? work : 0;
	check->whole_sets += whole;
	check->sampled_sets += !whole;
	if (whole && check->loops)
		return expected_of_loops(check->loops, in);
	return expected_open(&m->problem, in, whole ? 0 : check->sample, check->secret++, err);
}

/* The output of a set against the operator's meaning. */
static enum verdict compare(struct judge_memory *m, int64_t set, struct judge_check *check, struct strbuf *detail)
{
	const struct op_tensor *tensor;
	const void *out[OP_MAX_TENSORS];
	struct check_result result;
	int n = 0;

	struct expected *e = expect(m, set, check, detail);
	if (!e)
		return VERDICT_HARNESS_ERROR;
	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
		if (tensor->role == OP_OUT)
			out[n++] = m->stage.out + set * m->out_set_bytes + m->place[t];
	expected_compare(e, out, &result);
	expected_close(e);
	keep_worst(&check->worst, &result);
	if (result.verdict != VERDICT_PASSED)
		strbuf_addf(detail, "%s; %lld of %lld compared are wrong (%s inputs)", result.first_wrong, (long long)result.wrong_count,
			    (long long)result.compared_count, distribution_name(distribution_of(&m->problem, drawn_as(set))));
	return result.verdict;
}

/* Takes the output as what later lives must repeat. */
static void learn(struct judge_memory *m, int64_t set)
{
	const struct op_tensor *tensor;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
		if (tensor->role == OP_OUT)
			memcpy(m->truth + set * m->packed_out_bytes + m->packed[t], m->stage.out + set * m->out_set_bytes + m->place[t],
			       (size_t)problem_bytes(&m->problem, t));
	m->is_known[set] = true;
}

static bool repeats(const struct judge_memory *m, int64_t set)
{
	const struct op_tensor *tensor;

	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
		if (tensor->role == OP_OUT &&
		    memcmp(m->truth + set * m->packed_out_bytes + m->packed[t], m->stage.out + set * m->out_set_bytes + m->place[t],
			   (size_t)problem_bytes(&m->problem, t)))
			return false;
	return true;
}

static enum verdict check_set(struct judge_memory *m, int64_t set, struct judge_check *check, struct strbuf *detail)
{
	enum verdict v = guards_hold(m, set, detail);

	if (v != VERDICT_PASSED || (m->is_known[set] && repeats(m, set)))
		return v;
	v = all_written(m, set, detail);
	if (v == VERDICT_PASSED)
		v = compare(m, set, check, detail);
	if (v != VERDICT_PASSED)
		return v;
	if (m->is_known[set]) {
		strbuf_addstr(detail, "two runs on equal inputs differ");
		return VERDICT_NONDETERMINISTIC;
	}
	learn(m, set);
	return VERDICT_PASSED;
}

/* Sets a life did not use: all of it still is poison. */
static enum verdict check_unused(struct judge_memory *m, int64_t set, struct strbuf *detail)
{
	int64_t wrong = first_written(m, set, 0, m->out_set_bytes);

	if (wrong == m->out_set_bytes)
		return VERDICT_PASSED;
	strbuf_addf(detail, "byte %lld of the output of a call that was not asked for was written", (long long)wrong);
	return VERDICT_INCORRECT_OUT_OF_BOUNDS;
}

enum verdict judge_memory_check(struct judge_memory *m, const int64_t *set, int64_t calls, struct judge_check *check, struct strbuf *detail)
{
	const struct op_tensor *tensor;
	bool *used = calloc((size_t)m->sets + 1, sizeof(*used));
	enum verdict v = used ? VERDICT_PASSED : VERDICT_HARNESS_ERROR;

	int64_t distinct = 0;
	for (int64_t k = 0; k < calls && v == VERDICT_PASSED; k++) {
		if (used[set[k]])
			continue;
		used[set[k]] = true;
		distinct++;
		if (k && !defence_stands(DEFENCE_EVERY_CALL))
			continue;
		v = check_set(m, set[k], check, detail);
	}
	for (int64_t s = 0; s < m->sets && v == VERDICT_PASSED; s++)
		if (!used[s])
			v = check_unused(m, s, detail);
	for (int t = 0; (tensor = tensor_of(&m->problem, t)); t++)
		check->scanned_elements += tensor->role == OP_OUT ? distinct * problem_elems(&m->problem, t) : 0;
	free(used);
	return v;
}
