/* verdict.h: the outcomes of a trial; the list is verdict.def. */
#ifndef EVALUATE_VERDICT_H
#define EVALUATE_VERDICT_H

#include "ops/core/base.h"

enum verdict {
#define X(name, fault, sentence) VERDICT_##name,
#include "evaluate/verdict.def"
#undef X
	VERDICT_COUNT
};
const char *verdict_name(enum verdict verdict);
const char *verdict_sentence(enum verdict verdict);
bool verdict_find(const char *name, enum verdict *verdict);

#endif
