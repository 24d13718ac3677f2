/*
 * llm_json.h: JSON that strangers wrote, read strictly.  cJSON takes more than JSON is; what reaches
 * it was held against the grammar and these limits before.
 */
#ifndef GENERATE_LLM_JSON_H
#define GENERATE_LLM_JSON_H

#include "ops/core/strbuf.h"

#include <cjson/cJSON.h>

enum { LLM_JSON_DEPTH = 64, LLM_JSON_NUMBER = 64, LLM_JSON_MEMBERS = 4096, LLM_JSON_VALUES = 200000 };

/*
 * One value and nothing behind it but blanks: RFC 8259, UTF-8 without a byte order mark, no NUL (nor \u0000),
 * no lone surrogate, at most 64 deep, numbers of at most 64 digits, names of an object at most 4096 and all different.
 * NULL with the reason in *why; else yours: cJSON_Delete().
 */
cJSON *llm_json_read(const char *text, size_t length, const char **why);


#endif
