/*
 * vocabulary.h: the functions a printed language offers: some written by hand
 * (the same ones in every vocabulary), the others from their definitions in
 * terms of those.  Each is km_<name>() in the printed text.
 */
#ifndef GENERATE_VOCABULARY_H
#define GENERATE_VOCABULARY_H

#include "ops/core/strbuf.h"

/* How a language writes a function. */
struct vocabulary_style {
	const char *qualifier; /* "static inline" */
	const char *type;      /* of operands and results */
	bool converts;         /* operands of calls may be bare numbers and need a cast to `type` */
	const char *const *own; /* functions with definitions that the language writes by hand all the same; ends with NULL; NULL: none */
	bool (*has_number)(const char *name); /* is there <name>_number(x, c), c a number?  NULL: none */
};

/* Is `name` a function of every vocabulary? */
bool vocabulary_has(const char *name);
/* The functions that have definitions. */
void vocabulary_print(const struct vocabulary_style *style, struct strbuf *out);

#endif
