/* Operators from outside the tree: loaded, checked, found; each way to get one wrong is a line that names it. */
#include "ops/core/proc.h"
#include "ops/core/problem.h"
#include "tests/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char source[] =
	"#include \"ops/core/op.h\"\n"
	"static void reference(const struct op_case *c)\n{\n"
	"\tfor (int64_t i = 0; i < c->dim[0]; i++)\n\t\tc->out[0][i] = 2 * c->in[0][i];\n}\n"
	"const struct op op_SYMBOL = {\n\t.name = \"NAME\", .summary = \"twice\", .dims = \"N\",\n"
	"\t.tensor = { { \"x\", \"N\", OP_IN, \"T\", OP_REAL, 0 }, { \"y\", \"N\", OP_OUT, \"T\", OP_REAL, 0 } },\n"
	"\t.body = \"BODY\", .reference = REFERENCE, .flop = \"N\", .terms = \"1\", .dtypes = \"f32\",\n"
	"\t.shape = { { \"N=1000\", OP_SEARCH, 0 }, { \"N=99\", OP_HELDOUT, 0 }, { \"N=3\", OP_CHECK, 0 }, { \"N=17\", OP_CHECK, 0 } },\n"
	"\t.source_path = __FILE__,\n};\n";

/* Builds one operator into a new folder and loads that. */
static int load(const char *file, const char *symbol, const char *name, const char *body, const char *reference, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT, path = STRBUF_INIT, library = STRBUF_INIT, errout = STRBUF_INIT;
	char folder[] = "/tmp/km-extra-XXXXXX";
	struct proc_result result = { .exit_code = 1 };
	struct proc_limits limits = { .wall_s = 60 };
	int ret = -1;

	if (!mkdtemp(folder))
		return -2;
	strbuf_addstr(&text, source);
	strbuf_replace(&text, "SYMBOL", symbol);
	strbuf_replace(&text, "NAME", name);
	strbuf_replace(&text, "BODY", body);
	strbuf_replace(&text, "REFERENCE", reference);
	strbuf_addf(&path, "%s/%s.c", folder, file);
	strbuf_addf(&library, "%s/%s.so", folder, file);
	if (file_publish(path.buf, text.buf, text.len, err) ||
	    proc_run(PROC_ARGV("gcc", "-I.", "-shared", "-fPIC", path.buf, "-o", library.buf), NULL, &limits, &result, NULL, &errout, err) ||
	    result.exit_code)
		printf("# %s%s\n", err->buf, errout.buf);
	else
		ret = op_load_extra(folder, err);
	unlink(path.buf);
	unlink(library.buf);
	rmdir(folder);
	strbuf_release(&text);
	strbuf_release(&path);
	strbuf_release(&library);
	strbuf_release(&errout);
	return ret;
}

static void refuses(const char *file, const char *symbol, const char *name, const char *body, const char *reference, const char *want)
{
	struct strbuf err = STRBUF_INIT;
	int ret = load(file, symbol, name, body, reference, &err);

	if (!ok(ret == -1 && strstr(err.buf, want) && strstr(err.buf, file) && !strchr(err.buf, '\n'), "refused: %s", want))
		printf("# %d %s\n", ret, err.buf);
	strbuf_release(&err);
}

int main(void)
{
	struct strbuf err = STRBUF_INIT;
	struct problem p;
	size_t before = 0, after = 0;

	while (op_at(before))
		before++;
	if (!ok(!load("twice", "twice", "twice", "y[n] = 2 * x[n]", "reference", &err), "an operator from outside is loaded"))
		printf("# %s\n", err.buf);
	while (op_at(after))
		after++;
	ok(after == before + 1 && op_find("twice") == op_at(before), "it stands behind the declared ones");
	ok(!problem_parse("twice/f32/N=5/t1", &p, &err), "it has problems %s", err.buf);
	refuses("twice", "twice", "twice", "y[n] = 2 * x[n]", "reference", "an operator named 'twice' exists already");
	refuses("relu", "relu", "relu", "y[n] = 2 * x[n]", "reference", "an operator named 'relu' exists already");
	refuses("other", "twice", "other", "y[n] = 2 * x[n]", "reference", "exports no 'op_other'");
	refuses("named", "named", "wrong", "y[n] = 2 * x[n]", "reference", "is not named after its file: set .name to \"named\"");
	refuses("undeclared", "undeclared", "undeclared", "y[n] = 2 * x[q]", "reference", "index 'q' is not declared");
	refuses("mismatch", "mismatch", "mismatch", "y[n,m<2] = 2 * x[n]", "reference", "shape mismatch");
	refuses("unreferenced", "unreferenced", "unreferenced", "y[n] = 2 * x[n]", "0", "missing reference");
	refuses("thrice", "thrice", "thrice", "y[n] = 3 * x[n]", "reference", "body and reference disagree");
	ok(op_load_extra("/nowhere", &err) == -1 && strstr(err.buf, "/nowhere"), "a folder that is not there: %s", err.buf);
	strbuf_release(&err);
	return done_testing();
}
