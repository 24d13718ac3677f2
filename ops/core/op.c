#include "ops/core/op.h"
#include "ops/core/words.h"
#include "ops/core/memory.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#define X(name) extern const struct op op_##name;
#include "ops.list"
#undef X

const struct op *const op_table[] = {
#define X(name) &op_##name,
#include "ops.list"
#undef X
	NULL
};

/* Plug-ins stay loaded for the life of the program: their records are constants. */
static struct {
	const struct op **op;
	size_t count;
} extra;

const struct op *op_at(size_t index)
{
	size_t declared = ARRAY_SIZE(op_table) - 1;

	if (index < declared)
		return op_table[index];
	return index - declared < extra.count ? extra.op[index - declared] : NULL;
}

const struct op *op_find(const char *name)
{
	const struct op *op;

	for (size_t i = 0; (op = op_at(i)); i++)
		if (!strcmp(op->name, name) || (op->aliases && words_index(op->aliases, name) >= 0))
			return op;
	return NULL;
}

static int load_one(const char *path, const char *name, struct strbuf *err)
{
	struct strbuf symbol = STRBUF_INIT;
	const struct op *op;
	int ret = -1;

	strbuf_addf(&symbol, "op_%s", name);
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		strbuf_addf(err, "cannot load operator '%s': %s", path, dlerror());
		goto out;
	}
	op = dlsym(library, symbol.buf);
	if (!op) {
		strbuf_addf(err, "'%s' exports no '%s': name the record after the file", path, symbol.buf);
		goto out;
	}
	if (!op->name || strcmp(op->name, name)) {
		strbuf_addf(err, "'%s': operator '%s' is not named after its file: set .name to \"%s\"", path, op->name ? op->name : "", name);
		goto out;
	}
	if (op_check(op, err))
		goto out;
	if (op_find(op->name)) {
		strbuf_addf(err, "'%s': an operator named '%s' exists already", path, op->name);
		goto out;
	}
	extra.op = realloc(extra.op, (extra.count + 1) * sizeof(*extra.op));
	if (!extra.op)
		out_of_memory((extra.count + 1) * sizeof(*extra.op));
	extra.op[extra.count++] = op;
	ret = 0;
out:
	strbuf_release(&symbol);
	return ret;
}

static int is_plug_in(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 3 && !strcmp(d->d_name + n - 3, ".so");
}

int op_load_extra(const char *folder, struct strbuf *err)
{
	struct dirent **entry;

	if (!folder)
		folder = getenv("KM_EXTRA_OPS");
	if (!folder || !*folder)
		return 0;
	int count = scandir(folder, &entry, is_plug_in, alphasort), ret = 0;

	if (count < 0) {
		strbuf_addf(err, "cannot read operator folder '%s': %s", folder, strerror(errno));
		return -1;
	}
	for (int i = 0; i < count; i++) {
		struct strbuf path = STRBUF_INIT;
		strbuf_addf(&path, "%s/%s", folder, entry[i]->d_name);
		entry[i]->d_name[strlen(entry[i]->d_name) - 3] = 0;
		if (!ret)
			ret = load_one(path.buf, entry[i]->d_name, err);
		strbuf_release(&path);
		free(entry[i]);
	}
	free(entry);
	setenv("KM_EXTRA_OPS", folder, 1);
	return ret;
}

bool op_dtype_rule(const char *rule, enum dtype T, enum dtype *dtype)
{
	if (!strcmp(rule, "T"))
		*dtype = T;
	else if (!strcmp(rule, "acc"))
		*dtype = T == DTYPE_f64 ? DTYPE_f64 : DTYPE_f32;
	else if (!strcmp(rule, "sum"))
		*dtype = dtype_is_real(T) ? T : DTYPE_i64;
	else if (!strcmp(rule, "real"))
		*dtype = dtype_is_real(T) ? T : DTYPE_f32;
	else
		return dtype_find(rule, dtype);
	return true;
}

bool op_is_ones(const struct op *op, const double *attr, int t, int k)
{
	int a = op->tensor[t].ones ? op_attr_index(op, op->tensor[t].ones) : -1;

	return a >= 0 && ((int64_t)(attr ? attr[a] : op->attr[a].value) >> k & 1);
}

int op_extents(struct arena *arena, const struct op *op, const double *attr, int t, struct expr *extent[OP_MAX_RANK],
	       struct strbuf *err)
{
	int rank = 0;

	for (const char *s = op->tensor[t].shape; *(s += strspn(s, " ")) && rank < OP_MAX_RANK; rank++) {
		size_t n = strcspn(s, " ");
		struct expr *e;
		if (expr_parse(arena, arena_strndup(arena, s, n), op->name, EXPR_BODY, &e, err))
			return -1;
		for (int a = 0; a < OP_MAX_ATTRS && op->attr[a].name; a++)
			if (op->attr[a].is_int)
				e = expr_replace_name(arena, e, op->attr[a].name,
						      expr_int(arena, (int64_t)(attr ? attr[a] : op->attr[a].value)));
		extent[rank] = op_is_ones(op, attr, t, rank) ? expr_int(arena, 1) : e;
		s += n;
	}
	return rank;
}

int op_dim_index(const struct op *op, const char *name) { return words_index(op->dims, name); }
int op_dim_count(const struct op *op) { return words_index(op->dims, NULL); }
bool op_dim_is_static(const struct op *op, const char *name) { return op->static_dims && words_index(op->static_dims, name) >= 0; }

const char *op_dim_name(const struct op *op, int i)
{
	static struct arena names;
	static const char **name;
	static size_t count;
	const char *d = op->dims + strspn(op->dims, " ");

	while (i-- > 0) {
		d += strcspn(d, " ");
		d += strspn(d, " ");
	}
	size_t n = strcspn(d, " ");
	for (size_t k = 0; k < count; k++)
		if (!strncmp(name[k], d, n) && !name[k][n])
			return name[k];
	name = realloc(name, (count + 1) * sizeof(*name));
	if (!name)
		out_of_memory((count + 1) * sizeof(*name));
	return name[count++] = arena_strndup(&names, d, n);
}

int op_attr_index(const struct op *op, const char *name)
{
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		if (!strcmp(op->attr[i].name, name))
			return i;
	return -1;
}

int op_tensor_index(const struct op *op, const char *name)
{
	for (int i = 0; i < OP_MAX_TENSORS && op->tensor[i].name; i++)
		if (!strcmp(op->tensor[i].name, name))
			return i;
	return -1;
}

void op_family(const struct op *op, char *family, size_t size)
{
	const char *end = strrchr(op->source_path, '/'), *start = end;

	while (start && start > op->source_path && start[-1] != '/')
		start--;
	snprintf(family, size, "%.*s", end ? (int)(end - start) : 0, end ? start : "");
}
