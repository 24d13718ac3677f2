/* A team of threads that runs boxed loops together: loops.h. */
#include "ops/core/diag.h"
#include "ops/core/loops.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { MOST_THREADS = 64 };

struct shared {
	loops_boxed *fn;
	void *const *buf;
	const int64_t *dim, *box;
	pthread_mutex_t lock;
	pthread_barrier_t barrier;
	void *array[LOOPS_MOST_STMTS];
	size_t bytes[LOOPS_MOST_STMTS];
};
struct member {
	struct loops_team team; /* first: the loops know no more */
	struct shared *shared;
	pthread_t thread;
};

/* Untouched pages cost nothing: an array is as large as the whole tensor. */
static void *share(struct loops_team *team, int64_t which, size_t bytes)
{
	struct shared *s = ((struct member *)team)->shared;

	if (which >= LOOPS_MOST_STMTS)
		die("more than %d statements", LOOPS_MOST_STMTS);
	pthread_mutex_lock(&s->lock);
	if (!s->array[which]) {
		s->array[which] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		s->bytes[which] = bytes;
		if (s->array[which] == MAP_FAILED)
			die("out of memory");
	}
	pthread_mutex_unlock(&s->lock);
	return s->array[which];
}

static void wait_for_all(struct loops_team *team)
{
	if (team->threads > 1)
		pthread_barrier_wait(&((struct member *)team)->shared->barrier);
}

static void *run(void *user)
{
	struct member *m = user;

	m->shared->fn(m->shared->buf, m->shared->dim, m->shared->box, &m->team);
	return NULL;
}

void loops_run(loops_boxed *fn, void *const *buf, const int64_t *dim, const int64_t *box, int threads)
{
	struct shared s = { .fn = fn, .buf = buf, .dim = dim, .box = box, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct member member[MOST_THREADS];

	threads = threads < 1 ? 1 : threads > MOST_THREADS ? MOST_THREADS : threads;
	pthread_barrier_init(&s.barrier, NULL, (unsigned)threads);
	for (int i = 0; i < threads; i++) {
		member[i] = (struct member){ .team = { i, threads, share, wait_for_all }, .shared = &s };
		if (i && pthread_create(&member[i].thread, NULL, run, &member[i]))
			die("cannot start a thread");
	}
	run(&member[0]);
	for (int i = 1; i < threads; i++)
		pthread_join(member[i].thread, NULL);
	pthread_barrier_destroy(&s.barrier);
	for (int i = 0; i < LOOPS_MOST_STMTS; i++)
		if (s.array[i])
			munmap(s.array[i], s.bytes[i]);
}
