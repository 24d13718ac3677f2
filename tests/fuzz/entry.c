/* Corpus entries: the text of `entry`, at a line "PLAN\n" that of `plan`; hashes and seal are put right first. */
#include "corpus/index.h"
#include "ops/core/hash.h"
#include "tests/fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void write_file(const char *name, const char *data, size_t size)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
}

static void read_it(const struct strbuf *entry, const char *plan)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct entry e;

	write_file("entry", entry->buf, entry->len);
	write_file("plan", plan, strlen(plan));
	if (entry_read(&arena, fuzz_folder(), &e, &err) == CORPUS_OK)
		entry_check_file(&e, "kernel.so", &err);
	else if (!err.len)
		abort();
	arena_release(&arena);
	strbuf_release(&err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), hex[65], *border = strstr(text, "PLAN\n");
	const char *plan = border ? border + 5 : "";
	struct strbuf entry = STRBUF_INIT;

	if (border)
		*border = 0;
	strbuf_addstr(&entry, text);
	read_it(&entry, plan);
	sha256_hex(plan, strlen(plan), hex);
	strbuf_addf(&entry, "file.plan: %s\n", hex);
	store_seal(&entry);
	read_it(&entry, plan);
	strbuf_release(&entry);
	free(text);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	static const char seed[] =
		"format: 1\nid: 0123456789abcdef\nop: matmul\ndtype: f32\ntarget: x86-avx2\nlang: c\nartifact: kernel.so\nthreads: 1\n"
		"problem: matmul/f32/M=64,N=64,K=64/t1\ndim.M: 64\ndim.N: 64\ndim.K: 64\ntensor.0: A\ntensor.1: B\ntensor.2: C\n"
		"time_ns: 1000\nbaseline_ratio: 2\nsol_ratio: 0.5\ntolerance_ratio: 0.25\nlicence: Apache-2.0\n"
		"PLAN\nplan: so\ndim: M N K\nrequire: K % 8 == 0\nbuffer: A in f32 M*K\nbuffer: B in f32 K*N\nbuffer: C out f32 M*N\nscratch: 64\n"
		"step: km_0123456789abcdef_main grid=M,N threads=1 shared=0\n";

	add(seed, strlen(seed), user);
}
