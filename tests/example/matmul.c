/*
 * matmul.c: multiplies two matrices with the fastest verified kernel of a corpus.
 *
 *   cc matmul.c -lkernelmill -o matmul && ./matmul out/corpus [M N K]
 */
#include <corpus/corpus.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	int m = argc > 4 ? atoi(argv[2]) : 512, n = argc > 4 ? atoi(argv[3]) : 512, k = argc > 4 ? atoi(argv[4]) : 512;
	const struct corpus_binding shape[] = { { "M", m }, { "N", n }, { "K", k } };
	const struct corpus_key key = { .op = "matmul", .dtype = "f32", .binding = shape, .binding_count = 3 };
	struct corpus *corpus;
	struct corpus_kernel kernel;
	struct corpus_handle *handle;

	if (argc < 2) {
		fprintf(stderr, "usage: %s CORPUS [M N K]\n", argv[0]);
		return 2;
	}
	if (corpus_open(argv[1], &corpus) || corpus_find(corpus, &key, &kernel) || corpus_load(corpus, &key, &handle)) {
		fprintf(stderr, "matmul: %s\n", corpus_error());
		return 1;
	}
	float *a = aligned_alloc(64, (size_t)(m * k + 16) / 16 * 64);
	float *b = aligned_alloc(64, (size_t)(k * n + 16) / 16 * 64);
	float *c = aligned_alloc(64, (size_t)(m * n + 16) / 16 * 64);
	for (int i = 0; i < m * k; i++)
		a[i] = (float)(i % 17) / 8 - 1;
	for (int i = 0; i < k * n; i++)
		b[i] = (float)(i % 13) / 8 - 1;

	void *const buffer[] = { a, b, c }; /* the operator's tensors, in their order */
	if (corpus_launch(handle, buffer)) {
		fprintf(stderr, "matmul: %s\n", corpus_error());
		return 1;
	}
	double worst = 0;
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++) {
			double want = 0;
			for (int l = 0; l < k; l++)
				want += (double)a[i * k + l] * b[l * n + j];
			double off = want > c[i * n + j] ? want - c[i * n + j] : c[i * n + j] - want;
			worst = off > worst ? off : worst;
		}
	printf("%s (%s): %.0f ns at %s, %.2f times the strongest baseline; largest error here %.3g\n", kernel.id, kernel.target,
	       kernel.time_ns, kernel.problem, kernel.baseline_ratio, worst);
	corpus_unload(handle);
	corpus_close(corpus);
	return worst < 1e-3 * k ? 0 : 1;
}
