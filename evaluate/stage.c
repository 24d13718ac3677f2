#include "evaluate/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

/* A NaN with a payload no arithmetic makes; as bytes it serves every dtype. */
static const unsigned char poison_word[4] = { 0xa5, 0x5a, 0xc3, 0x7f };

static int64_t placed(int64_t bytes)
{
	/* Page-aligned, one page apart, so that no two tensors share a page. */
	return round_up(bytes, 4096);
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

int stage_open(struct stage *stage, const struct problem *problem, const int *sets, size_t count, struct strbuf *err)
{
	static struct arena arena; /* cases live as long as the program: there are few */

	*stage = (struct stage){ .in_fd = -1, .out_fd = -1, .count = count };
	stage->stage_case = ARENA_ARRAY(&arena, struct stage_case, count);
	for (size_t i = 0; i < count; i++) {
		struct stage_case *c = &stage->stage_case[i];
		int64_t in = 0, out = 0;
		c->problem = problem[i];
		c->sets = sets[i];
		for (int t = 0; t < OP_MAX_TENSORS && problem[i].op->tensor[t].name; t++) {
			int64_t bytes = placed(problem_bytes(&problem[i], t));
			if (problem[i].op->tensor[t].role == OP_IN) {
				c->offset[t] = stage->in_bytes + in;
				in += bytes + 4096;
			} else {
				c->offset[t] = stage->out_bytes + out + STAGE_GUARD_BYTES;
				out += bytes + 2 * STAGE_GUARD_BYTES;
			}
		}
		c->in_set_bytes = in;
		c->out_set_bytes = out;
		stage->in_bytes += in * sets[i];
		stage->out_bytes += out * sets[i];
	}
	/* A kernel's vectors may read past the end of its last input: never past the mapping. */
	stage->in_bytes += 4096;
	stage->in = memory_open("km-inputs", stage->in_bytes, &stage->in_fd, err);
	stage->out = stage->in ? memory_open("km-outputs", stage->out_bytes + 4096, &stage->out_fd, err) : NULL;
	if (!stage->out) {
		stage_close(stage);
		return -1;
	}
	/* From here on nobody can map the inputs writable; this mapping stays. */
	fcntl(stage->in_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	return 0;
}

void stage_close(struct stage *stage)
{
	if (stage->in)
		munmap(stage->in, (size_t)stage->in_bytes);
	if (stage->out)
		munmap(stage->out, (size_t)stage->out_bytes + 4096);
	if (stage->in_fd >= 0)
		close(stage->in_fd);
	if (stage->out_fd >= 0)
		close(stage->out_fd);
	*stage = (struct stage){ .in_fd = -1, .out_fd = -1 };
}

void stage_fill(struct stage *stage, size_t i, enum distribution d, uint64_t seed)
{
	const struct stage_case *c = &stage->stage_case[i];

	for (int t = 0; t < OP_MAX_TENSORS && c->problem.op->tensor[t].name; t++) {
		if (c->problem.op->tensor[t].role != OP_IN)
			continue;
		char *first = stage->in + c->offset[t];
		inputs_fill(&c->problem, t, d, seed, first);
		for (int s = 1; s < c->sets; s++)
			memcpy(first + s * c->in_set_bytes, first, (size_t)problem_bytes(&c->problem, t));
	}
}

void stage_poison(struct stage *stage, size_t i, int set)
{
	const struct stage_case *c = &stage->stage_case[i];

	for (int t = 0; t < OP_MAX_TENSORS && c->problem.op->tensor[t].name; t++) {
		if (c->problem.op->tensor[t].role != OP_OUT)
			continue;
		char *at = stage->out + c->offset[t] + set * c->out_set_bytes - STAGE_GUARD_BYTES;
		int64_t bytes = placed(problem_bytes(&c->problem, t)) + 2 * STAGE_GUARD_BYTES;
		for (int64_t k = 0; k < bytes; k += 4)
			memcpy(at + k, poison_word, 4);
	}
}

static bool is_poison(const char *p, int64_t from, int64_t bytes)
{
	for (int64_t k = from; k < from + bytes; k++)
		if ((unsigned char)p[k] != poison_word[k & 3])
			return false;
	return true;
}

enum verdict stage_scan(const struct stage *stage, size_t i, int set, char *detail)
{
	const struct stage_case *c = &stage->stage_case[i];

	for (int t = 0; t < OP_MAX_TENSORS && c->problem.op->tensor[t].name; t++) {
		if (c->problem.op->tensor[t].role != OP_OUT)
			continue;
		const char *at = stage->out + c->offset[t] + set * c->out_set_bytes;
		int64_t bytes = problem_bytes(&c->problem, t), size = (int64_t)dtype_bytes(problem_tensor_dtype(&c->problem, t));
		for (int64_t k = -STAGE_GUARD_BYTES; k < placed(bytes) + STAGE_GUARD_BYTES; k++)
			if ((k < 0 || k >= bytes) && (unsigned char)at[k] != poison_word[k & 3]) {
				snprintf(detail, 160, "byte %lld of '%s', which has %lld, was written", (long long)k,
					 c->problem.op->tensor[t].name, (long long)bytes);
				return VERDICT_INCORRECT_OUT_OF_BOUNDS;
			}
		for (int64_t k = 0; k < bytes; k += size)
			if (is_poison(at, k, size) && size > 1) {
				snprintf(detail, 160, "element %lld of '%s' was never written", (long long)(k / size),
					 c->problem.op->tensor[t].name);
				return VERDICT_INCORRECT_UNWRITTEN;
			}
	}
	return VERDICT_PASSED;
}

void stage_outputs(const struct stage *stage, size_t i, int set, const void **out)
{
	const struct stage_case *c = &stage->stage_case[i];
	int n = 0;

	for (int t = 0; t < OP_MAX_TENSORS && c->problem.op->tensor[t].name; t++)
		if (c->problem.op->tensor[t].role == OP_OUT)
			out[n++] = stage->out + c->offset[t] + set * c->out_set_bytes;
}
