/*
 * fuzz.h: a parser under random input is one file tests/fuzz/<parser>.c that
 * defines the two functions below.  tests/fuzz_main.c runs them on mutated seeds
 * in make check; `make fuzz SECONDS=600` with libFuzzer and sanitizers.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "ops/core/strbuf.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Gives the input to the parser; aborts where an answer is wrong.  0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Calls add for each good input to start from. */
typedef void fuzz_add(const void *data, size_t size, void *user);
void fuzz_seeds(fuzz_add *add, void *user);

/* The input as a string; free() it. */
__attribute__((unused)) static char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	return text;
}

/* A folder of this process below /dev/shm, or /tmp; made on first use, removed by who ends. */
const char *fuzz_folder(void);

#endif
