/* OpenBLAS: sgemm, threads as the problem says. */
#include "evaluate/baseline.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct baseline baseline_openblas;

typedef void sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda, const float *b,
		   int ldb, float beta, float *c, int ldc);

struct baseline_state {
	sgemm *gemm;
	const float *a, *b;
	float *c;
	int m, n, k;
};

static struct baseline_state *open_openblas(const struct problem *p, const struct target *target, void *const *buf,
					    struct strbuf *setting, struct strbuf *why_not)
{
	char threads[16];

	(void)target;
	/* The library's functions this binding knows, by operator. */
	if (strcmp(p->op->name, "matmul") || p->dtype != DTYPE_f32) {
		strbuf_addf(why_not, "no function for '%s' of this dtype", p->op->name);
		return NULL;
	}
	snprintf(threads, sizeof(threads), "%d", p->threads);
	setenv("OPENBLAS_NUM_THREADS", threads, 1);
	/* Its own choice of kernels: an override from outside may name weaker ones. */
	unsetenv("OPENBLAS_CORETYPE");
	unsetenv("OPENBLAS_L2_SIZE");
	/* Debian keeps several builds beside each other; the one with POSIX threads is not always the default. */
	void *library = dlopen("/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so.0", RTLD_NOW);
	if (!library)
		library = dlopen(baseline_openblas.soname, RTLD_NOW);
	sgemm *gemm;
	*(void **)&gemm = library ? dlsym(library, "cblas_sgemm") : NULL;
	if (!gemm) {
		strbuf_addf(why_not, "OpenBLAS is not installed: %s", dlerror());
		return NULL;
	}
	struct baseline_state *s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	char *(*core)(void), *(*config)(void);
	*(void **)&core = dlsym(library, "openblas_get_corename");
	*(void **)&config = dlsym(library, "openblas_get_config");
	strbuf_reset(setting);
	strbuf_addf(setting, "cblas_sgemm, %s threads, %s, %s", threads, core ? core() : "?", config ? config() : "?");
	*s = (struct baseline_state){ gemm, buf[0], buf[1], buf[2], (int)p->dim[0], (int)p->dim[1], (int)p->dim[2] };
	return s;
}

static void bind(struct baseline_state *s, void *const *buf)
{
	s->a = buf[0];
	s->b = buf[1];
	s->c = buf[2];
}

static int run(struct baseline_state *s)
{
	enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 };

	s->gemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, s->m, s->n, s->k, 1, s->a, s->k, s->b, s->n, 0, s->c, s->n);
	return 0;
}

static void close_openblas(struct baseline_state *s)
{
	free(s);
}

const struct baseline baseline_openblas = {
	.name = "openblas",
	.summary = "OpenBLAS: f32 matrix products",
	.artifact = "so",
	.soname = "libopenblas.so.0",
	.package = "libopenblas0-pthread",
	.open = open_openblas,
	.bind = bind,
	.run = run,
	.close = close_openblas,
};
