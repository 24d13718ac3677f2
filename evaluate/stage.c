#include "evaluate/stage.h"
#include "ops/core/defence.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { PAGE_BYTES = 4096 };

static const struct op_tensor *tensor_of(const struct stage_case *c, int t)
{
	return t < OP_MAX_TENSORS && c->problem.op->tensor[t].name ? &c->problem.op->tensor[t] : NULL;
}

/* Page-aligned, so that no two tensors share a page. */
static int64_t placed(const struct stage_case *c, int t)
{
	return round_up(problem_bytes(&c->problem, t), PAGE_BYTES);
}

static char *memory_open(const char *name, int64_t bytes, int *fd, struct strbuf *err)
{
	*fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0 || ftruncate(*fd, bytes)) {
		strbuf_addf(err, "cannot get %lld bytes of shared memory: %s", (long long)bytes, strerror(errno));
		return NULL;
	}
	char *base = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (base == MAP_FAILED) {
		strbuf_addf(err, "cannot map %lld bytes: %s", (long long)bytes, strerror(errno));
		return NULL;
	}
	madvise(base, (size_t)bytes, MADV_HUGEPAGE);
	return base;
}

/* Offsets of a case that starts where the memories now end. */
static void place(struct stage *stage, struct stage_case *c)
{
	const struct op_tensor *tensor;

	c->in_first = stage->in_bytes;
	c->out_first = stage->out_bytes;
	c->in_set_bytes = c->out_set_bytes = 0;
	for (int t = 0; (tensor = tensor_of(c, t)); t++) {
		if (tensor->role == OP_IN) {
			c->offset[t] = c->in_first + c->in_set_bytes;
			c->in_set_bytes += placed(c, t) + PAGE_BYTES;
		} else {
			c->offset[t] = c->out_first + c->out_set_bytes + STAGE_GUARD_BYTES;
			c->out_set_bytes += placed(c, t) + 2 * STAGE_GUARD_BYTES;
		}
	}
	stage->in_bytes += c->in_set_bytes * c->sets;
	stage->out_bytes += c->out_set_bytes * c->sets;
}

static void fill(struct stage *stage, const struct stage_case *c)
{
	const struct op_tensor *tensor;

	for (int t = 0; (tensor = tensor_of(c, t)); t++) {
		if (tensor->role != OP_IN)
			continue;
		char *first = stage->in + c->offset[t];
		inputs_fill(&c->problem, t, c->distribution, c->seed, first);
		for (int s = 1; s < c->sets; s++)
			memcpy(first + s * c->in_set_bytes, first, (size_t)problem_bytes(&c->problem, t));
	}
}

int stage_open(struct stage *stage, const struct stage_case *wanted, size_t count, struct strbuf *err)
{
	*stage = (struct stage)STAGE_INIT;
	stage->stage_case = ARENA_ARRAY(&stage->arena, struct stage_case, count + 1);
	stage->count = count;
	for (size_t i = 0; i < count; i++) {
		stage->stage_case[i] = wanted[i];
		place(stage, &stage->stage_case[i]);
	}
	/* A kernel's vectors may read past the end of its last input: never past the mapping. */
	stage->in_bytes += PAGE_BYTES;
	stage->out_bytes += PAGE_BYTES;
	stage->in = memory_open("km-inputs", stage->in_bytes, &stage->in_fd, err);
	stage->out = stage->in ? memory_open("km-outputs", stage->out_bytes, &stage->out_fd, err) : NULL;
	if (!stage->out) {
		stage_close(stage);
		return -1;
	}
	/* From here on nobody can write the inputs but through the mapping we hold. */
	if (defence_stands(DEFENCE_SEALED_INPUTS))
		fcntl(stage->in_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	for (size_t i = 0; i < count; i++) {
		fill(stage, &stage->stage_case[i]);
		/* All sets, so that their pages exist before anything is timed. */
		for (int s = 0; s < stage->stage_case[i].sets; s++)
			stage_poison(stage, i, s);
	}
	return 0;
}

void stage_close(struct stage *stage)
{
	if (stage->in)
		munmap(stage->in, (size_t)stage->in_bytes);
	if (stage->out)
		munmap(stage->out, (size_t)stage->out_bytes);
	if (stage->in_fd >= 0)
		close(stage->in_fd);
	if (stage->out_fd >= 0)
		close(stage->out_fd);
	arena_release(&stage->arena);
	*stage = (struct stage)STAGE_INIT;
}

/* 0x7ff1..0x7fff and their negatives: halves of NaNs of every real dtype that no arithmetic makes. */
static uint16_t next_poison(uint16_t last)
{
	if (!last || last == 0xffff)
		return 0x7ff1;
	return last == 0x7fff ? 0xfff1 : (uint16_t)(last + 1);
}

void stage_poison(struct stage *stage, size_t i, int set)
{
	const struct stage_case *c = &stage->stage_case[i];
	uint16_t *at = (uint16_t *)(stage->out + c->out_first + set * c->out_set_bytes);
	int64_t halves = c->out_set_bytes / 2;

	if (!defence_stands(DEFENCE_POISON))
		return;
	stage->poison = next_poison(stage->poison);
	/* Sets may be large: words at the memory's rate. */
	wmemset((wchar_t *)at, (wchar_t)(stage->poison * UINT32_C(0x10001)), (size_t)(halves / 2));
	if (halves % 2)
		at[halves - 1] = stage->poison;
}

/* The first byte in from..to-1 that is not poison, or `to`. */
static int64_t first_written(const struct stage *stage, const char *base, int64_t from, int64_t to)
{
	unsigned char low = stage->poison & 255, high = (unsigned char)(stage->poison >> 8);

	for (int64_t k = from; k < to; k++)
		if ((unsigned char)base[k] != (k & 1 ? high : low))
			return k;
	return to;
}

static bool is_poison(const struct stage *stage, const char *base, int64_t i, int64_t size)
{
	uint64_t pattern = stage->poison * UINT64_C(0x0001000100010001);

	return size == 2 ? ((const uint16_t *)base)[i] == (uint16_t)pattern
	     : size == 4 ? ((const uint32_t *)base)[i] == (uint32_t)pattern
			 : ((const uint64_t *)base)[i] == pattern;
}

/* Is any of the elements, at most CHUNK, poison?  Without a way out in between, so that many are compared at once. */
enum { CHUNK = 4096 };
static bool any_poison(const struct stage *stage, const char *base, int64_t first, int64_t count, int64_t size)
{
	int any = 0;

	if (size != 4 || count != CHUNK) {
		for (int64_t e = first; e < first + count && !any; e++)
			any = is_poison(stage, base, e, size);
		return any;
	}
	const uint32_t *at = (const uint32_t *)(const void *)base + first, pattern = stage->poison * UINT32_C(0x10001);
	for (int k = 0; k < CHUNK; k++)
		any |= at[k] == pattern;
	return any;
}

/* Where output t of a set lies, and the size of its elements. */
static const char *output_at(const struct stage *stage, size_t i, int set, int t, int64_t *size)
{
	const struct stage_case *c = &stage->stage_case[i];

	*size = (int64_t)dtype_bytes(problem_tensor_dtype(&c->problem, t));
	return stage->out + c->offset[t] + set * c->out_set_bytes;
}

static bool guards_hold(const struct stage *stage, size_t i, int set, char *detail)
{
	const struct stage_case *c = &stage->stage_case[i];
	const struct op_tensor *tensor;
	int64_t size;

	if (!defence_stands(DEFENCE_GUARDS))
		return true;
	for (int t = 0; (tensor = tensor_of(c, t)); t++) {
		if (tensor->role != OP_OUT)
			continue;
		const char *at = output_at(stage, i, set, t, &size);
		int64_t bytes = problem_bytes(&c->problem, t);
		int64_t end = placed(c, t) + STAGE_GUARD_BYTES, wrong = first_written(stage, at, -STAGE_GUARD_BYTES, 0);
		if (!wrong)
			wrong = first_written(stage, at, bytes, end);
		if (wrong != end) {
			snprintf(detail, 160, "byte %lld of '%s', which has %lld, was written", (long long)wrong, tensor->name, (long long)bytes);
			return false;
		}
	}
	return true;
}

/* Elements of all poison, as many as tell: a single byte cannot, the comparison must. */
static void find_suspects(struct stage *stage, size_t i, int set)
{
	enum { MOST_SUSPECTS = 1 << 16 };
	const struct stage_case *c = &stage->stage_case[i];
	const struct op_tensor *tensor;
	int64_t size;

	if (!stage->suspect)
		stage->suspect = ARENA_ARRAY(&stage->arena, struct stage_suspect, MOST_SUSPECTS);
	stage->suspect_count = 0;
	for (int t = 0; defence_stands(DEFENCE_POISON) && (tensor = tensor_of(c, t)); t++) {
		if (tensor->role != OP_OUT)
			continue;
		const char *at = output_at(stage, i, set, t, &size);
		int64_t elems = size > 1 ? problem_elems(&c->problem, t) : 0;
		for (int64_t first = 0; first < elems; first += CHUNK) {
			int64_t count = elems - first < CHUNK ? elems - first : CHUNK;
			if (!any_poison(stage, at, first, count, size))
				continue;
			for (int64_t e = first; e < first + count && stage->suspect_count < MOST_SUSPECTS; e++)
				if (is_poison(stage, at, e, size))
					stage->suspect[stage->suspect_count++] = (struct stage_suspect){ t, e };
		}
	}
}

static enum verdict unwritten(const struct stage *stage, size_t i, const struct stage_suspect *x, char *detail)
{
	snprintf(detail, 160, "element %lld of '%s' was never written", (long long)x->element, tensor_of(&stage->stage_case[i], x->tensor)->name);
	return VERDICT_INCORRECT_UNWRITTEN;
}

enum verdict stage_scan(struct stage *stage, size_t i, int set, char *detail)
{
	if (!guards_hold(stage, i, set, detail))
		return VERDICT_INCORRECT_OUT_OF_BOUNDS;
	find_suspects(stage, i, set);
	return stage->suspect_count ? unwritten(stage, i, &stage->suspect[0], detail) : VERDICT_PASSED;
}

enum verdict stage_scan_again(struct stage *stage, size_t i, int set, char *detail)
{
	int64_t size;

	if (!guards_hold(stage, i, set, detail))
		return VERDICT_INCORRECT_OUT_OF_BOUNDS;
	for (size_t k = 0; k < stage->suspect_count; k++) {
		const struct stage_suspect *x = &stage->suspect[k];
		const char *at = output_at(stage, i, set, x->tensor, &size);
		if (is_poison(stage, at, x->element, size))
			return unwritten(stage, i, x, detail);
	}
	return VERDICT_PASSED;
}

void stage_inputs(const struct stage *stage, size_t i, const void **in)
{
	const struct stage_case *c = &stage->stage_case[i];

	const struct op_tensor *tensor;

	memset(in, 0, OP_MAX_TENSORS * sizeof(*in));
	for (int t = 0; (tensor = tensor_of(c, t)); t++)
		if (tensor->role == OP_IN)
			in[t] = stage->in + c->offset[t];
}

void stage_outputs(const struct stage *stage, size_t i, int set, const void **out)
{
	const struct stage_case *c = &stage->stage_case[i];
	const struct op_tensor *tensor;
	int n = 0;

	for (int t = 0; (tensor = tensor_of(c, t)); t++)
		if (tensor->role == OP_OUT)
			out[n++] = stage->out + c->offset[t] + set * c->out_set_bytes;
}

static uint64_t mixed(uint64_t hash, const char *at, int64_t bytes)
{
	uint64_t word = 0;

	if (bytes == 8)
		memcpy(&word, at, 8);
	else
		memcpy(&word, at, (size_t)bytes);
	hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

uint64_t stage_outputs_hash(const struct stage *stage, size_t i, int set)
{
	const struct stage_case *c = &stage->stage_case[i];
	const struct op_tensor *tensor;
	/* Several at a time: a step waits for the one before it. */
	enum { LANES = 4 };
	uint64_t hash[LANES] = { 0, 1, 2, 3 };

	for (int t = 0; (tensor = tensor_of(c, t)); t++) {
		const char *at = stage->out + c->offset[t] + set * c->out_set_bytes;
		int64_t bytes = tensor->role == OP_OUT ? problem_bytes(&c->problem, t) : 0, k = 0;
		for (; k + 8 * LANES <= bytes; k += 8 * LANES)
			for (int l = 0; l < LANES; l++)
				hash[l] = mixed(hash[l], at + k + 8 * l, 8);
		for (; k < bytes; k += 8)
			hash[0] = mixed(hash[0], at + k, bytes - k < 8 ? bytes - k : 8);
	}
	for (int l = 1; l < LANES; l++)
		hash[0] = mixed(hash[0], (const char *)&hash[l], 8);
	return hash[0];
}
