#include "generate/describe.h"
#include "ops/core/inputs.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

static cJSON *describe_tensor(const struct problem *p, int t)
{
	static const char *const domain[] = {
		[OP_REAL] = "real", [OP_SORTED] = "sorted", [OP_FACTORS] = "factors", [OP_INDEX] = "index", [OP_UNIQUE] = "unique",
		[OP_OFFSETS] = "offsets", [OP_LENGTHS] = "lengths",
	};
	const struct op_tensor *tensor = &p->op->tensor[t];
	int64_t extent[OP_MAX_RANK];
	int rank = problem_shape(p, t, extent);
	cJSON *out = cJSON_CreateObject(), *shape;

	cJSON_AddStringToObject(out, "name", tensor->name);
	cJSON_AddStringToObject(out, "role", tensor->role == OP_IN ? "in" : "out");
	cJSON_AddStringToObject(out, "dtype", dtype_name(problem_tensor_dtype(p, t)));
	shape = cJSON_AddArrayToObject(out, "shape");
	for (int i = 0; i < rank; i++)
		cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)extent[i]));
	cJSON_AddStringToObject(out, "domain", domain[tensor->domain]);
	cJSON_AddNumberToObject(out, "bound", (double)inputs_bound(p, t));
	cJSON_AddNumberToObject(out, "lo", tensor->lo);
	cJSON_AddNumberToObject(out, "hi", tensor->hi);
	return out;
}

void problem_describe(const struct problem *p, struct strbuf *out)
{
	cJSON *root = cJSON_CreateObject(), *dims, *attributes, *tensors;
	struct strbuf name = STRBUF_INIT;

	problem_print(p, &name);
	cJSON_AddStringToObject(root, "problem", name.buf);
	cJSON_AddStringToObject(root, "op", p->op->name);
	cJSON_AddStringToObject(root, "dtype", dtype_name(p->dtype));
	cJSON_AddStringToObject(root, "torch", p->op->torch ? p->op->torch : "");
	cJSON_AddNumberToObject(root, "flop", problem_flop(p));
	cJSON_AddNumberToObject(root, "bytes", (double)problem_least_bytes(p));
	dims = cJSON_AddObjectToObject(root, "dims");
	for (int d = 0; d < op_dim_count(p->op); d++)
		cJSON_AddNumberToObject(dims, op_dim_name(p->op, d), (double)p->dim[d]);
	attributes = cJSON_AddObjectToObject(root, "attributes");
	for (int i = 0; i < OP_MAX_ATTRS && p->op->attr[i].name; i++)
		if (isinf(p->attr[i])) /* JSON has none: as Python's reader has it */
			cJSON_AddRawToObject(attributes, p->op->attr[i].name, p->attr[i] < 0 ? "-Infinity" : "Infinity");
		else
			cJSON_AddNumberToObject(attributes, p->op->attr[i].name, p->attr[i]);
	tensors = cJSON_AddArrayToObject(root, "tensors");
	for (int t = 0; t < OP_MAX_TENSORS && p->op->tensor[t].name; t++)
		cJSON_AddItemToArray(tensors, describe_tensor(p, t));
	char *text = cJSON_PrintUnformatted(root);
	strbuf_addstr(out, text);
	strbuf_addch(out, '\n');
	free(text);
	cJSON_Delete(root);
	strbuf_release(&name);
}
