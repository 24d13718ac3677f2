/*
 * so.c: a grid program in a shared object, run on CPU threads: the calling thread
 * and a team kept for all calls.  Each gets a contiguous range of instances;
 * between steps all wait for all.
 */
#include "ops/core/launch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_STEPS 16
#define MAX_BUFFERS 32
#define ONE_BY_ONE 65536 /* instances */
#define SPINS 4000 /* some microseconds, before a thread goes to sleep */

typedef void step_function(void *const *buf, const int64_t *dim, int64_t first, int64_t last, void *scratch);

/* What one call runs; worked out once for dims that stay the same. */
struct call {
	int64_t dim[PLAN_MAX_NAMES];
	bool is_ready;
	int64_t instances[MAX_STEPS];
};

struct kernel {
	const struct plan *plan;
	void *library;
	step_function *step[MAX_STEPS];
	struct call call;
	void *buffer[MAX_BUFFERS];  /* of the call */
	void *own[MAX_BUFFERS];     /* temporaries the kernel keeps */
	size_t own_bytes[MAX_BUFFERS];
	int threads;
	void **scratch;             /* one per thread */
	pthread_t *worker;          /* threads - 1 */
	int started;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_long round;          /* a call begins when it grows */
	atomic_int arrived;         /* at the barrier of this phase */
	atomic_long phase;
	atomic_bool is_closing;
	bool is_reversed;
};

struct worker_start {
	struct kernel *kernel;
	int rank;
};

static void pause_briefly(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* All threads of the team meet. */
static void barrier(struct kernel *k)
{
	long phase = atomic_load(&k->phase);

	if (atomic_fetch_add(&k->arrived, 1) == k->threads - 1) {
		atomic_store(&k->arrived, 0);
		pthread_mutex_lock(&k->lock);
		atomic_store(&k->phase, phase + 1);
		pthread_cond_broadcast(&k->wake);
		pthread_mutex_unlock(&k->lock);
		return;
	}
	for (int i = 0; i < SPINS && atomic_load(&k->phase) == phase; i++)
		pause_briefly();
	if (atomic_load(&k->phase) != phase)
		return;
	pthread_mutex_lock(&k->lock);
	while (atomic_load(&k->phase) == phase)
		pthread_cond_wait(&k->wake, &k->lock);
	pthread_mutex_unlock(&k->lock);
}

/* Instances [first, last) of a step, one by one from the end; of very many, some at once. */
static void run_backwards(struct kernel *k, size_t s, int64_t first, int64_t last, void *scratch)
{
	int64_t some = (last - first) / ONE_BY_ONE + 1;

	for (int64_t at = last; at > first; at -= some) {
		memset(scratch, 0xff, (size_t)k->plan->scratch_bytes);
		k->step[s](k->buffer, k->call.dim, at - some > first ? at - some : first, at, scratch);
	}
}

static void run_steps(struct kernel *k, int rank)
{
	for (size_t s = 0; s < k->plan->step_count; s++) {
		int64_t n = k->call.instances[s];
		int64_t first = n / k->threads * rank + (n % k->threads < rank ? n % k->threads : rank);
		int64_t last = first + n / k->threads + (rank < n % k->threads);
		if (first < last && k->is_reversed)
			run_backwards(k, s, first, last, k->scratch[rank]);
		else if (first < last)
			k->step[s](k->buffer, k->call.dim, first, last, k->scratch[rank]);
		if (k->threads > 1)
			barrier(k);
	}
}

static void *work(void *arg)
{
	struct worker_start start = *(struct worker_start *)arg;
	struct kernel *k = start.kernel;
	long seen = 0;

	free(arg);
	for (;;) {
		for (int i = 0; i < SPINS && atomic_load(&k->round) == seen; i++)
			pause_briefly();
		if (atomic_load(&k->round) == seen) {
			pthread_mutex_lock(&k->lock);
			while (atomic_load(&k->round) == seen)
				pthread_cond_wait(&k->wake, &k->lock);
			pthread_mutex_unlock(&k->lock);
		}
		seen = atomic_load(&k->round);
		if (atomic_load(&k->is_closing))
			return NULL;
		run_steps(k, start.rank);
	}
}

static void next_round(struct kernel *k)
{
	pthread_mutex_lock(&k->lock);
	atomic_fetch_add(&k->round, 1);
	pthread_cond_broadcast(&k->wake);
	pthread_mutex_unlock(&k->lock);
}

static void close_kernel(struct kernel *k)
{
	if (!k)
		return;
	atomic_store(&k->is_closing, true);
	if (k->started)
		next_round(k);
	for (int i = 0; i < k->started; i++)
		pthread_join(k->worker[i], NULL);
	for (int i = 0; i < k->threads && k->scratch; i++)
		free(k->scratch[i]);
	for (size_t b = 0; b < MAX_BUFFERS; b++)
		free(k->own[b]);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->wake);
	free(k->scratch);
	free(k->worker);
	if (k->library)
		dlclose(k->library);
	free(k);
}

static int start_team(struct kernel *k, struct strbuf *err)
{
	k->scratch = calloc((size_t)k->threads, sizeof(*k->scratch));
	k->worker = calloc((size_t)k->threads, sizeof(*k->worker));
	if (!k->scratch || !k->worker)
		goto no_memory;
	for (int i = 0; i < k->threads; i++) {
		/* Of its own size, which sanitizers watch. */
		size_t bytes = (size_t)(k->plan->scratch_bytes ? k->plan->scratch_bytes : 1);
		if (posix_memalign(&k->scratch[i], 4096, bytes))
			goto no_memory;
		memset(k->scratch[i], 0, bytes);
	}
	for (int i = 1; i < k->threads; i++) {
		struct worker_start *start = malloc(sizeof(*start));
		if (!start)
			goto no_memory;
		*start = (struct worker_start){ k, i };
		int e = pthread_create(&k->worker[i - 1], NULL, work, start);
		if (e) {
			free(start);
			strbuf_addf(err, "cannot start thread %d of %d: %s", i, k->threads, strerror(e));
			return -1;
		}
		k->started++;
	}
	return 0;
no_memory:
	strbuf_addf(err, "out of memory for %d threads with %lld bytes of scratch each", k->threads, (long long)k->plan->scratch_bytes);
	return -1;
}

/*
 * Linux hands out AMX's tile state on request, a process at a time, before its
 * threads start: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA).  Where there
 * is no AMX it fails, and nothing that was printed for this machine needs it.
 */
static void permit_tiles(void)
{
#if defined(__x86_64__)
	syscall(SYS_arch_prctl, 0x1023, 18);
#endif
}

static struct kernel *open_kernel(const struct plan *plan, const char *path, int threads, struct strbuf *err)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k) {
		strbuf_addstr(err, "out of memory for a kernel");
		return NULL;
	}
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->wake, NULL);
	k->plan = plan;
	k->threads = threads < 1 ? 1 : threads;
	if (plan->step_count > MAX_STEPS || plan->buffer_count > MAX_BUFFERS) {
		strbuf_addf(err, "plan of '%s' has more than %d steps or %d buffers", path, MAX_STEPS, MAX_BUFFERS);
		goto fail;
	}
	permit_tiles();
	k->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!k->library) {
		strbuf_addf(err, "cannot load '%s': %s", path, dlerror());
		goto fail;
	}
	for (size_t s = 0; s < plan->step_count; s++) {
		k->step[s] = (step_function *)(uintptr_t)dlsym(k->library, plan->step[s].symbol);
		if (!k->step[s]) {
			strbuf_addf(err, "'%s' has no symbol '%s'", path, plan->step[s].symbol);
			goto fail;
		}
	}
	if (start_team(k, err))
		goto fail;
	return k;
fail:
	close_kernel(k);
	return NULL;
}

/* A temporary of at least that size, 4096-aligned, kept from call to call. */
static void *own_buffer(struct kernel *k, size_t b, size_t bytes)
{
	if (k->own_bytes[b] < bytes || !k->own[b]) {
		free(k->own[b]);
		k->own_bytes[b] = (size_t)round_up((int64_t)bytes + 1, 4096);
		k->own[b] = aligned_alloc(4096, k->own_bytes[b]);
		if (k->own[b])
			memset(k->own[b], 0, k->own_bytes[b]);
		else
			k->own_bytes[b] = 0;
	}
	return k->own[b];
}

/* Preconditions, instance counts and temporaries for these dims. */
static int prepare(struct kernel *k, const int64_t *dim, struct strbuf *err)
{
	const struct plan *plan = k->plan;
	struct strbuf why = STRBUF_INIT;

	k->call.is_ready = false;
	if (!plan_accepts(plan, dim, &why)) {
		strbuf_addf(err, "the kernel requires %s", why.buf);
		strbuf_release(&why);
		return -1;
	}
	for (size_t s = 0; s < plan->step_count; s++)
		if ((k->call.instances[s] = plan_step_instances(plan, s, dim)) < 0) {
			strbuf_addf(err, "the grid of '%s' has no value at these dims", plan->step[s].symbol);
			return -1;
		}
	for (size_t b = 0; b < plan->buffer_count; b++) {
		int64_t elems = plan->buffer[b].role == PLAN_TMP ? plan_buffer_elems(plan, b, dim) : 0, bytes;
		if (plan->buffer[b].role != PLAN_TMP)
			continue;
		if (elems < 0 || __builtin_mul_overflow(elems, (int64_t)dtype_bytes(plan->buffer[b].dtype), &bytes) ||
		    bytes > INT64_MAX / 2 || !own_buffer(k, b, (size_t)bytes)) {
			strbuf_addf(err, "out of memory for buffer '%s'", plan->buffer[b].name);
			return -1;
		}
	}
	memcpy(k->call.dim, dim, plan->dim_count * sizeof(*dim));
	k->call.is_ready = true;
	return 0;
}

static int run(struct kernel *k, void *const *buf, const int64_t *dim, struct strbuf *err)
{
	if ((!k->call.is_ready || memcmp(k->call.dim, dim, k->plan->dim_count * sizeof(*dim))) && prepare(k, dim, err))
		return -1;
	for (size_t b = 0; b < k->plan->buffer_count; b++)
		k->buffer[b] = buf[b] ? buf[b] : k->own[b];
	if (k->threads > 1)
		next_round(k);
	run_steps(k, 0);
	return 0;
}

static void reverse(struct kernel *k) { k->is_reversed = true; }

const struct launcher launcher_so = {
	.kind = "so",
	.open = open_kernel,
	.run = run,
	.close = close_kernel,
	.reverse = reverse,
};
