/*
 * Writes every operator's check cases for another judge: raw arrays and, in
 * FOLDER/manifest.jsonl, what they are.  Inputs in storage dtypes, outputs as
 * doubles of the reference.  tests/torch_compare.py reads them.
 *   dump FOLDER [OPERATOR...]      without FOLDER: into a folder that is removed again
 */
#include "tests/tap.h"
#include "tests/unit/ops/cases.h"

#include <ftw.h>
#include <unistd.h>

struct dump {
	const char *folder;
	struct strbuf manifest;
	int cases;
	enum distribution reals;
};

static void add_string(struct strbuf *out, const char *s)
{
	strbuf_addch(out, '"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			strbuf_addch(out, '\\');
		strbuf_addch(out, *s);
	}
	strbuf_addch(out, '"');
}

static bool write_array(struct dump *d, const struct case_data *c, int t, const char *file)
{
	bool is_out = c->problem->op->tensor[t].role == OP_OUT;
	enum dtype dtype = is_out ? DTYPE_f64 : problem_tensor_dtype(c->problem, t);
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", d->folder, file);
	FILE *f = fopen(path.buf, "wb");
	strbuf_release(&path);
	if (!f)
		return false;
	size_t n = (size_t)c->elems[t], wrote = fwrite(is_out ? (void *)c->value[t] : c->storage[t], dtype_bytes(dtype), n, f);
	return !fclose(f) && wrote == n;
}

static int one_case(const struct problem *p, enum op_use use, void *user)
{
	struct dump *d = user;
	struct strbuf name = STRBUF_INIT, *m = &d->manifest;
	struct case_data c;
	bool good = true;

	(void)use;
	if (!case_is_first_of_kind(p))
		return 0;
	problem_print(p, &name);
	case_open(&c, p, d->reals);
	strbuf_addstr(m, "{\"problem\": ");
	add_string(m, name.buf);
	strbuf_addf(m, ", \"op\": \"%s\", \"special\": %s, \"torch\": ", p->op->name, d->reals == INPUTS_special ? "true" : "false");
	add_string(m, p->op->torch ? p->op->torch : "");
	strbuf_addstr(m, ", \"attributes\": {");
	/* Infinity as Python's reader has it: JSON has none. */
	for (int i = 0; i < OP_MAX_ATTRS && p->op->attr[i].name; i++) {
		strbuf_addf(m, "%s\"%s\": ", i ? ", " : "", p->op->attr[i].name);
		if (isinf(p->attr[i]))
			strbuf_addstr(m, p->attr[i] < 0 ? "-Infinity" : "Infinity");
		else
			strbuf_addf(m, "%.17g", p->attr[i]);
	}
	strbuf_addstr(m, "}, \"dims\": {");
	for (int i = 0; i < op_dim_count(p->op); i++)
		strbuf_addf(m, "%s\"%s\": %lld", i ? ", " : "", op_dim_name(p->op, i), (long long)p->dim[i]);
	strbuf_addstr(m, "}, \"tensors\": [");
	for (int t = 0; t < c.tensor_count; t++) {
		bool is_out = p->op->tensor[t].role == OP_OUT;
		int64_t extent[8];
		int rank = problem_shape(p, t, extent);
		char file[64];
		snprintf(file, sizeof(file), "%d-%d.bin", d->cases, t);
		good &= write_array(d, &c, t, file);
		strbuf_addf(m, "%s{\"name\": \"%s\", \"role\": \"%s\", \"dtype\": \"%s\", \"file\": \"%s\", \"shape\": [", t ? ", " : "",
			    p->op->tensor[t].name, is_out ? "out" : "in", is_out ? "f64" : dtype_name(problem_tensor_dtype(p, t)), file);
		for (int i = 0; i < rank; i++)
			strbuf_addf(m, "%s%lld", i ? ", " : "", (long long)extent[i]);
		strbuf_addstr(m, "]}");
	}
	strbuf_addstr(m, "]}\n");
	ok(good, "%s%s: written", name.buf, d->reals == INPUTS_special ? ", special values" : "");
	d->cases++;
	case_close(&c);
	strbuf_release(&name);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

int main(int argc, char **argv)
{
	char scratch[] = "/tmp/km-dump-XXXXXX";
	struct dump d = { .folder = argc > 1 ? argv[1] : mkdtemp(scratch), .manifest = STRBUF_INIT };
	struct strbuf err = STRBUF_INIT, path = STRBUF_INIT;
	const struct op *op;

	if (!d.folder || (argc > 1 && make_folder(d.folder, &err))) {
		printf("Bail out! cannot make a folder: %s\n", err.buf);
		return 3;
	}
	for (size_t i = 0; (op = op_at(i)); i++) {
		bool is_wanted = argc < 3;
		for (int k = 2; k < argc; k++)
			is_wanted |= op_find(argv[k]) == op;
		if (!is_wanted)
			continue;
		d.reals = INPUTS_normal;
		if (problem_each(op, OP_CHECK, 1, one_case, &d, &err))
			ok(false, "%s: %s", op->name, err.buf);
		/* What infinities meet in a sum depends on its order; element by element they are exact. */
		d.reals = INPUTS_special;
		if (!strcmp(op->terms, "1") && problem_each(op, OP_CHECK, 1, one_case, &d, &err))
			ok(false, "%s: %s", op->name, err.buf);
	}
	strbuf_addf(&path, "%s/manifest.jsonl", d.folder);
	ok(!file_publish(path.buf, d.manifest.buf, d.manifest.len, &err), "the manifest is written %s", err.buf);
	if (argc == 1)
		nftw(d.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	strbuf_release(&path);
	strbuf_release(&d.manifest);
	strbuf_release(&err);
	return done_testing();
}
