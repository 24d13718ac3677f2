#include "evaluate/worker/calls.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool read_request(void *data, size_t left)
{
	for (char *p = data; left;) {
		ssize_t n = read(0, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		left -= (size_t)n;
	}
	return true;
}

bool next_request(struct worker_request *q)
{
	return read_request(q, sizeof(*q)) && q->op != WORKER_QUIT;
}

char *request_bytes(int32_t bytes)
{
	char *text = bytes < 0 ? NULL : malloc((size_t)bytes + 1);

	if (text && !read_request(text, (size_t)bytes)) {
		free(text);
		return NULL;
	}
	if (text)
		text[bytes] = 0;
	return text;
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

/* Maps every page of a case's sets, so that no page fault falls into a timing. */
static void touch_sets(const struct worker_request *q)
{
	static int64_t touched = -1;
	char *in = inside.in + q->in_first, *out = inside.out + q->out_first;
	size_t in_len = (size_t)(q->in_set_bytes * q->sets), out_len = (size_t)(q->out_set_bytes * q->sets);
	volatile char seen = 0;

	if (touched == q->out_first)
		return;
	touched = q->out_first;
	if (madvise(in, in_len, MADV_POPULATE_READ))
		for (size_t i = 0; i < in_len; i += 4096)
			seen = (char)(seen + in[i]);
	if (madvise(out, out_len, MADV_POPULATE_WRITE))
		for (size_t i = 0; i < out_len; i += 4096)
			out[i] = *(volatile char *)(out + i);
}

static void *pointer(const struct copies *c, const struct worker_request *q, int t, bool is_input, int set)
{
	return (is_input ? c->in : c->out) + q->offset[t] + set * (is_input ? q->in_set_bytes : q->out_set_bytes);
}

/* Of AddressSanitizer's runtime, where it was loaded for a kernel compiled with it. */
__attribute__((weak)) void __asan_poison_memory_region(const volatile void *at, size_t bytes);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *at, size_t bytes);

/* A plan's temporaries for a kernel with sanitizers; a worker serves one kernel. */
static void *temporary[PLAN_MAX_NAMES];

/* New ones, of their exact size, with what no kernel wrote in them. */
static int renew_temporary(const struct callee *c, size_t b, struct strbuf *err)
{
	int64_t elems = plan_buffer_elems(c->plan, b, c->request->dim), bytes;

	free(temporary[b]);
	temporary[b] = NULL;
	if (elems < 0 || __builtin_mul_overflow(elems, (int64_t)dtype_bytes(c->plan->buffer[b].dtype), &bytes) || posix_memalign(&temporary[b], 4096, (size_t)bytes)) {
		strbuf_addf(err, "out of memory for buffer '%s'", c->plan->buffer[b].name);
		return -1;
	}
	memset(temporary[b], 0xff, (size_t)bytes);
	return 0;
}

/*
 * To a kernel with sanitizers, all of a case but its tensors is out of bounds, from the first byte behind each; so is what
 * lies around temporaries.  Its instances come in another order than ever.
 */
static int fence(const struct callee *c, struct strbuf *err)
{
	const struct worker_request *q = c->request;

	if (IS_SANITIZED || !__asan_poison_memory_region || !c->plan || c->copies->memory)
		return 0;
	if (c->launcher->reverse)
		c->launcher->reverse(c->kernel);
	__asan_poison_memory_region(inside.in + q->in_first, (size_t)(q->in_set_bytes * q->sets));
	__asan_poison_memory_region(inside.out + q->out_first, (size_t)(q->out_set_bytes * q->sets));
	for (size_t b = 0; b < c->plan->buffer_count && b < PLAN_MAX_NAMES; b++) {
		bool is_input = c->plan->buffer[b].role == PLAN_IN;
		if (c->plan->buffer[b].role == PLAN_TMP) {
			if (renew_temporary(c, b, err))
				return -1;
			continue;
		}
		for (int set = 0; set < q->sets; set++)
			__asan_unpoison_memory_region(pointer(c->copies, q, (int)b, is_input, set), (size_t)q->bytes[b]);
	}
	return 0;
}

/* ---- a device's own copy of both memories ---------------------------- */

int copies_open(struct copies *c, const struct launcher_memory *memory, int64_t slack, struct strbuf *err)
{
	*c = (struct copies){ .memory = memory, .in = inside.in, .out = inside.out };
	if (!c->memory)
		return 0;
	c->in = c->memory->allocate(NULL, (size_t)(inside.in_bytes + 2 * slack), err);
	c->out = c->in ? c->memory->allocate(NULL, (size_t)(inside.out_bytes + 2 * slack), err) : NULL;
	if (!c->out)
		return -1;
	c->in += slack;
	c->out += slack;
	return 0;
}

int copies_send_inputs(struct copies *c, struct strbuf *err)
{
	return c->memory ? c->memory->write(NULL, c->in, inside.in, (size_t)inside.in_bytes, err) : 0;
}

/* Does the host compare what this leaves? */
static bool is_checked(const struct worker_request *q)
{
	return q->op == WORKER_RUN || q->op == WORKER_AUDIT;
}

/* Before a checked run, that set of the outputs with its poison and guards. */
static int send_case(struct copies *c, const struct worker_request *q, struct strbuf *err)
{
	int64_t out = q->out_first + q->first_set * q->out_set_bytes;

	return c->memory && is_checked(q) ? c->memory->write(NULL, c->out + out, inside.out + out, (size_t)q->out_set_bytes, err) : 0;
}

/* After a checked run: the outputs; and no process but this one can tell whether the inputs are what they were. */
static int receive_case(struct copies *c, const struct worker_request *q, struct strbuf *err)
{
	int64_t out = q->out_first + q->first_set * q->out_set_bytes, in = q->in_first + q->first_set * q->in_set_bytes;

	if (!c->memory || !is_checked(q))
		return 0;
	if (c->back_bytes < q->in_set_bytes) {
		free(c->back);
		c->back = malloc((size_t)q->in_set_bytes);
		c->back_bytes = c->back ? q->in_set_bytes : 0;
	}
	if (c->memory->read(NULL, inside.out + out, c->out + out, (size_t)q->out_set_bytes, err))
		return -1;
	if (!q->in_set_bytes)
		return 0;
	if (!c->back) {
		strbuf_addstr(err, "out of memory for inputs read back");
		return -1;
	}
	if (c->memory->read(NULL, c->back, c->in + in, (size_t)q->in_set_bytes, err))
		return -1;
	if (memcmp(c->back, inside.in + in, (size_t)q->in_set_bytes))
		_exit(WORKER_EXIT_MUTATED);
	return 0;
}

/* ---- calling --------------------------------------------------------- */

int call_kernel(struct callee *c, int number, struct strbuf *err)
{
	const struct worker_request *q = c->request;
	void *buf[PLAN_MAX_NAMES];

	/* The plan's tensors come in the operator's order; temporaries, which follow, are the launcher's, but for sanitizers. */
	memcpy(buf, temporary, sizeof(buf));
	for (size_t b = 0; b < c->plan->buffer_count && b < PLAN_MAX_NAMES && c->plan->buffer[b].role != PLAN_TMP; b++)
		buf[b] = pointer(c->copies, q, (int)b, c->plan->buffer[b].role == PLAN_IN, (q->first_set + number) % q->sets);
	return c->launcher->run(c->kernel, buf, q->dim, err);
}

int call_library(struct callee *c, int number, struct strbuf *err)
{
	const struct worker_request *q = c->request;
	void *buf[OP_MAX_TENSORS];

	for (int t = 0; t < OP_MAX_TENSORS && c->problem->op->tensor[t].name; t++)
		buf[t] = pointer(c->copies, q, t, c->problem->op->tensor[t].role == OP_IN, (q->first_set + number) % q->sets);
	c->baseline->bind(c->state, buf);
	if (!c->baseline->run(c->state))
		return 0;
	strbuf_addstr(err, "the library failed");
	return -1;
}

static void look(void *user)
{
	struct callee *c = user;
	struct clocks now;

	clocks_look(&now);
	if (now.sm_mhz)
		c->clocks = now;
}

static int start_calls(void *user, struct strbuf *err)
{
	struct callee *c = user;
	int bad = 0;

	for (int i = 0; i < c->count && !bad; i++)
		bad = c->call(c, c->first + i, err);
	return bad;
}

/* All calls of a request; *ns is the time from the first's start to the last's end, the device's own where it has a clock. */
static int run_calls(struct callee *c, int64_t *ns, struct strbuf *err)
{
	enum { QUEUED = 256 }; /* launches at once: more than a device's queue takes would wait for what waits */
	const struct worker_request *q = c->request;
	const struct launcher_memory *memory = c->copies->memory;
	int64_t start = clock_ns();

	c->first = 0;
	c->count = q->calls;
	if (q->op == WORKER_RUN || !memory) {
		int bad = start_calls(c, err) || (memory && memory->wait(NULL, err));
		*ns = clock_ns() - start;
		return bad;
	}
	/* What a first call allocates, it allocates now. */
	if (q->op == WORKER_TIME && memcmp(c->readied, q->dim, sizeof(q->dim))) {
		if (c->call(c, 0, err) || memory->wait(NULL, err))
			return -1;
		memcpy(c->readied, q->dim, sizeof(q->dim));
	}
	int most = c->plan && c->plan->step_count > 1 ? QUEUED / (int)c->plan->step_count : QUEUED;
	*ns = 0;
	for (c->first = 0; c->first < q->calls; c->first += c->count) {
		int64_t some = 0;
		c->count = q->calls - c->first < most ? q->calls - c->first : most;
		if (memory->timed(&(struct launcher_timing){ start_calls, look, c, .is_replayed = c->count > 1 }, &some, err))
			return -1;
		*ns += some;
	}
	return 0;
}

int serve_request(struct callee *c, int64_t *ns, struct strbuf *err)
{
	if (c->request->op == WORKER_TIME && !c->copies->memory)
		touch_sets(c->request);
	return fence(c, err) || send_case(c->copies, c->request, err) || run_calls(c, ns, err) || receive_case(c->copies, c->request, err) ? -1 : 0;
}
