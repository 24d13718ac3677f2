/* cubin.h: the facts of a code object of NVIDIA's, for every language that ends in one (lang.h, inspect). */
#ifndef GENERATE_CUBIN_H
#define GENERATE_CUBIN_H

#include "ops/core/strbuf.h"

int cubin_inspect(const char *path, const char *symbol, void (*add)(const char *key, double value, void *user), void *user,
		  struct strbuf *err);

#endif
