/*
 * life.c: a life of judge.h, seen from inside: loads the kernel, says so, waits for a
 * byte, makes the calls that its control memory lists, says how long it thinks they
 * took, and is killed.
 */
#include "evaluate/judge.h"
#include "evaluate/worker/inside.h"
#include "ops/core/launch.h"
#include "ops/core/proc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum { PAGE = 4096, CALL_WORDS = 5 };

typedef void entry_function(void *const *buf, const int64_t *dim);

struct life {
	const struct judge_control *control;
	const struct launcher *launcher; /* of a plan; NULL: an entry */
	struct plan plan;
	struct kernel *kernel;
	void *library;
	entry_function *entry;
	void *own[PLAN_MAX_NAMES];       /* strict: temporaries, and the scratch */
	void *scratch;
	char fault[200];                 /* what a call left otherwise than it found it */
};

/* ---- loading --------------------------------------------------------- */

static int load_entry(struct life *l, const char *artifact, const char *symbol, struct strbuf *err)
{
	l->library = dlopen(artifact, RTLD_NOW | RTLD_LOCAL);
	if (!l->library) {
		strbuf_addf(err, "cannot load it: %s", dlerror());
		return -1;
	}
	l->entry = (entry_function *)(uintptr_t)dlsym(l->library, symbol);
	if (!l->entry)
		strbuf_addf(err, "it has no symbol '%s'", symbol);
	return l->entry ? 0 : -1;
}

/* Descriptor 5: a launch plan, or "entry: SYMBOL". */
static int load(struct life *l, struct arena *arena, const char *artifact, int threads, struct strbuf *err)
{
	static const char word[] = "entry: ";
	struct strbuf text = STRBUF_INIT;

	if (strbuf_read_fd(&text, 5)) {
		strbuf_addf(err, "cannot read the plan: %s", strerror(errno));
		return -1;
	}
	close(5);
	if (!strncmp(text.buf, word, sizeof(word) - 1)) {
		text.buf[strcspn(text.buf, "\n")] = 0;
		return load_entry(l, artifact, text.buf + sizeof(word) - 1, err);
	}
	if (plan_parse(arena, text.buf, "plan", &l->plan, err))
		return -1;
	l->launcher = launcher_find(l->plan.artifact);
	if (!l->launcher || l->launcher->memory) {
		strbuf_addf(err, "artifacts of kind '%s' are not judged from outside yet", l->plan.artifact);
		return -1;
	}
	l->kernel = l->launcher->open(&l->plan, artifact, threads, err);
	if (l->kernel && l->control->is_strict)
		l->library = dlopen(artifact, RTLD_NOW | RTLD_LOCAL);
	return l->kernel ? 0 : -1;
}

/* ---- timed calls ----------------------------------------------------- */

static void buffers(const struct life *l, int64_t call, void **buf)
{
	const struct judge_control *c = l->control;

	for (int t = 0; t < c->tensor_count; t++)
		buf[t] = (c->is_input[t] ? inside.in : inside.out) + c->at[call * c->tensor_count + t];
}

static int run_timed(struct life *l, int64_t *ns, struct strbuf *err)
{
	void *buf[PLAN_MAX_NAMES] = { NULL };
	int64_t start = clock_ns();

	for (int64_t k = 0; k < l->control->calls; k++) {
		buffers(l, k, buf);
		if (l->entry)
			l->entry(buf, l->control->dim);
		else if (l->launcher->run(l->kernel, buf, l->control->dim, err))
			return -1;
	}
	*ns = clock_ns() - start;
	return 0;
}

/* ---- strict calls ---------------------------------------------------- */

#if defined(__x86_64__)
/*
 * Calls a function of up to five words with known values in every register that it must
 * keep; seen[0..5]: those registers after it, seen[6]: flags, seen[7]: MXCSR and x87 control word.
 */
void life_call(void *function, void *const *word, uint64_t *seen);
__asm__(".text\n"
	".globl life_call\n"
	".type life_call, @function\n"
	"life_call:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	push %rdx\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %r10\n"
	"	mov (%r10), %rdi\n	mov 8(%r10), %rsi\n	mov 16(%r10), %rdx\n	mov 24(%r10), %rcx\n	mov 32(%r10), %r8\n"
	"	movabs $0x6b6d6c6966650001, %rbx\n	movabs $0x6b6d6c6966650002, %rbp\n	movabs $0x6b6d6c6966650003, %r12\n"
	"	movabs $0x6b6d6c6966650004, %r13\n	movabs $0x6b6d6c6966650005, %r14\n	movabs $0x6b6d6c6966650006, %r15\n"
	"	call *%rax\n"
	"	pop %rcx\n"
	"	mov %rbx, (%rcx)\n	mov %rbp, 8(%rcx)\n	mov %r12, 16(%rcx)\n	mov %r13, 24(%rcx)\n	mov %r14, 32(%rcx)\n	mov %r15, 40(%rcx)\n"
	"	pushfq\n	pop %rdx\n	mov %rdx, 48(%rcx)\n"
	"	stmxcsr 56(%rcx)\n	fnstcw 60(%rcx)\n"
	"	cld\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	pop %rbp\n"
	"	ret\n"
	".size life_call, .-life_call\n");

static uint32_t float_modes(void)
{
	uint32_t mxcsr;
	uint16_t x87;

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
	return (mxcsr & 0xffc0) | (uint32_t)x87 << 16; /* without the flags that arithmetic raises */
}

static void call(struct life *l, void *function, void *const *word)
{
	static const char *const name[] = { "rbx", "rbp", "r12", "r13", "r14", "r15" };
	uint64_t seen[8] = { 0 };
	uint32_t modes = float_modes(), mxcsr;
	uint16_t x87;

	life_call(function, word, seen);
	memcpy(&mxcsr, &seen[7], 4);
	memcpy(&x87, (char *)&seen[7] + 4, 2);
	for (size_t i = 0; i < ARRAY_SIZE(name); i++)
		if (seen[i] != UINT64_C(0x6b6d6c6966650001) + i)
			snprintf(l->fault, sizeof(l->fault), "a call did not keep register %s", name[i]);
	if (seen[6] & 0x400)
		snprintf(l->fault, sizeof(l->fault), "a call left the direction flag set");
	if (((mxcsr & 0xffc0) | (uint32_t)x87 << 16) != modes)
		snprintf(l->fault, sizeof(l->fault), "a call changed how floating-point numbers are rounded, flushed or trapped (MXCSR %#x, x87 %#x)", mxcsr, x87);
	uint32_t restored = (modes & 0xffc0) | (mxcsr & 0x3f);
	uint16_t word87 = (uint16_t)(modes >> 16);
	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(restored), "m"(word87));
}
#else
static void call(struct life *l, void *function, void *const *word)
{
	void (*f)(void *, void *, void *, void *, void *) = (void (*)(void *, void *, void *, void *, void *))(uintptr_t)function;

	(void)l;
	f(word[0], word[1], word[2], word[3], word[4]);
}
#endif

/* Memory that ends at a page nobody may touch, as near as 64 bytes of alignment let it; NULL with errno. */
static void *fenced(int64_t bytes)
{
	size_t room = (size_t)round_up(bytes + 1, PAGE) + PAGE;
	char *base = mmap(NULL, room + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (base == MAP_FAILED || mprotect(base, PAGE, PROT_NONE) || mprotect(base + room, PAGE, PROT_NONE))
		return NULL;
	return base + ((int64_t)room - bytes) / 64 * 64;
}

static int fence_own(struct life *l, struct strbuf *err)
{
	const struct plan *plan = &l->plan;

	if (l->entry)
		return 0;
	l->scratch = fenced(plan->scratch_bytes);
	for (size_t b = 0; b < plan->buffer_count && b < PLAN_MAX_NAMES && l->scratch; b++) {
		if (plan->buffer[b].role != PLAN_TMP)
			continue;
		int64_t elems = plan_buffer_elems(plan, b, l->control->dim);
		if (elems < 0 || !(l->own[b] = fenced(elems * (int64_t)dtype_bytes(plan->buffer[b].dtype))))
			break;
	}
	for (size_t b = 0; b < plan->buffer_count && b < PLAN_MAX_NAMES; b++)
		if (!l->scratch || (plan->buffer[b].role == PLAN_TMP && !l->own[b])) {
			strbuf_addf(err, "out of memory for buffer '%s'", plan->buffer[b].name);
			return -1;
		}
	return 0;
}

/* All steps, each in three parts, as threads would share it. */
static int run_steps(struct life *l, void *const *buf, struct strbuf *err)
{
	for (size_t s = 0; s < l->plan.step_count; s++) {
		int64_t n = plan_step_instances(&l->plan, s, l->control->dim);
		void *function = l->library ? dlsym(l->library, l->plan.step[s].symbol) : NULL;
		if (n < 0 || !function) {
			strbuf_addf(err, "step '%s' cannot run", l->plan.step[s].symbol);
			return -1;
		}
		for (int part = 0; part < 3; part++) {
			int64_t first = n * part / 3, last = n * (part + 1) / 3;
			void *word[CALL_WORDS] = { (void *)(uintptr_t)buf, (void *)(uintptr_t)l->control->dim, (void *)(uintptr_t)first,
						   (void *)(uintptr_t)last, l->scratch };
			if (first < last)
				call(l, function, word);
		}
	}
	return 0;
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int run_strict(struct life *l, struct strbuf *err)
{
	void *buf[PLAN_MAX_NAMES] = { NULL };
	int open_before = 0;
	size_t used_before = 0;
	int64_t calls = l->control->calls;

	if (!l->entry && !plan_accepts(&l->plan, l->control->dim, err))
		return -1;
	if (fence_own(l, err))
		return -1;
	for (int64_t k = 0; k < calls; k++) {
		/* The first calls may get what is kept for all. */
		if (k == calls / 2) {
			open_before = descriptors();
			used_before = mallinfo2().uordblks + mallinfo2().hblkhd;
		}
		memcpy(buf, l->own, sizeof(buf));
		buffers(l, k, buf);
		void *word[CALL_WORDS] = { buf, (void *)(uintptr_t)l->control->dim };
		if (l->entry)
			call(l, (void *)(uintptr_t)l->entry, word);
		else if (run_steps(l, buf, err))
			return -1;
	}
	size_t used = mallinfo2().uordblks + mallinfo2().hblkhd;
	if (descriptors() > open_before)
		snprintf(l->fault, sizeof(l->fault), "calls left %d descriptors open", descriptors() - open_before);
	/* Every call of the second half kept some. */
	if (used >= used_before + 16 * (size_t)(calls - calls / 2))
		snprintf(l->fault, sizeof(l->fault), "%lld calls kept %zu bytes of memory", (long long)(calls - calls / 2), used - used_before);
	return 0;
}

/* ---- a life ---------------------------------------------------------- */

static bool map_control(struct life *l)
{
	struct stat st;

	l->control = fstat(6, &st) ? MAP_FAILED : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, 6, 0);
	close(6);
	return l->control != MAP_FAILED;
}

/* Every page is there before the clock runs, and gaps are closed. */
static int prepare_memory(const struct life *l)
{
	const struct judge_control *c = l->control;
	char *base[2] = { inside.in, inside.out };

	madvise(inside.in, (size_t)inside.in_bytes, MADV_POPULATE_READ);
	madvise(inside.out, (size_t)inside.out_bytes, MADV_POPULATE_WRITE);
	inside.has_gaps = c->is_strict;
	for (int side = 0; side < 2; side++)
		for (int i = 0; i < c->gap_count[side]; i++)
			if (mprotect(base[side] + c->gap[side][i], PAGE, PROT_NONE))
				return -1;
	return 0;
}

static bool wait_for_word(void)
{
	char byte;
	ssize_t n;

	while ((n = read(0, &byte, 1)) < 0 && errno == EINTR)
		;
	return n == 1;
}

int life_main(const char *artifact, int threads)
{
	struct life life = { 0 };
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	int64_t ns = 0;

	if (!map_control(&life) || prepare_memory(&life)) {
		inside_reply(WORKER_REFUSED, 0, strerror(errno));
		return 1;
	}
	if (load(&life, &arena, artifact, threads, &err)) {
		inside_reply(WORKER_REFUSED, 0, err.buf);
		return 1;
	}
	inside_reply(WORKER_DONE, 0, "");
	/* Here it is stopped, and is given inputs. */
	if (!wait_for_word())
		return 1;
	int bad = life.control->is_strict ? run_strict(&life, &err) : run_timed(&life, &ns, &err);
	inside_reply(bad ? WORKER_REFUSED : WORKER_DONE, ns, bad ? err.buf : life.fault);
	/* Until it is killed: its threads may be counted from outside. */
	wait_for_word();
	_exit(1);
}
