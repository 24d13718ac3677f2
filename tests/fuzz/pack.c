/* Packs: the hash in the first line is put right, so that what is behind it is reached. */
#include "evaluate/pack.h"
#include "ops/core/hash.h"
#include "tests/fuzz.h"
#include "tests/unit/evaluate/samples.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct pack pack;
	char hex[65], path[96];
	size_t kernels = 0;

	snprintf(path, sizeof(path), "%s/pack", fuzz_folder());
	setenv("KM_CACHE", fuzz_folder(), 1);
	sha256_hex(data, size, hex);
	strbuf_addf(&text, "KMPACK1 %s\n", hex);
	strbuf_add(&text, data, size);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, text.buf, text.len) != (ssize_t)text.len)
		abort();
	close(fd);
	if (pack_open(&pack, path, &err) && !err.len)
		abort();
	/* What it has can be used, or is missing. */
	for (size_t i = 0; i < pack.cell_count && !err.len; i++)
		for (size_t k = 0; k < pack.cell[i].count; k++, kernels++) {
			const struct candidate *c = &pack.cell[i].kernel[k].candidate;
			struct evaluation e = { 0 };
			struct compiled compiled;
			if (kernels < 4 && !pack_all(&pack, &arena, &c, 1, &compiled, &err) && !compiled.ok && !compiled.is_missing)
				abort();
			pack_facts(&pack, c, &e);
		}
	pack_close(&pack);
	unlink(path);
	arena_release(&arena);
	strbuf_release(&text);
	strbuf_release(&err);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	static const char artifact[] = "an artifact";
	double sample[3];
	struct record evaluation = sample_evaluation(1, sample), candidate = sample_candidate(1);
	struct strbuf text = STRBUF_INIT, a = STRBUF_INIT, b = STRBUF_INIT;
	char hex[65];

	record_write(&candidate, &a);
	record_write(&evaluation, &b);
	sha256_hex(artifact, strlen(artifact), hex);
	strbuf_addf(&text, "version clang-22 5\n1.2.3\nartifact %s %zu\n%s\ncell t/op/p t %s\nkernel %s %zu %zu\n%s\n%s\n", hex, strlen(artifact), artifact,
		    candidate.candidate.problem, hex, a.len, b.len, a.buf, b.buf);
	add(text.buf, text.len, user);
	strbuf_addf(&text, "cached %s %s %zu\n%s\n", hex, hex, strlen(artifact), artifact);
	add(text.buf, text.len, user);
	strbuf_release(&text);
	strbuf_release(&a);
	strbuf_release(&b);
}
