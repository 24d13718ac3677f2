/*
 * Would a wrong body be noticed?  One token of a body is changed; what op_check() then
 * still accepts has survived.  A survivor must be the same function, with its proof in
 * tests/golden/equivalent_mutants.tsv: operator, mutated body, why.
 *
 *   mutants [OPERATOR...]      without names, those searched in every budget; with MUTANTS=N in the
 *                              environment about N mutants of all operators (0: every one)
 */
#include "ops/core/op_check.h"
#include "ops/core/proc.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a token turns into; numbers turn into their successors. */
static const char *const change[][2] = {
	{ "+", "-" }, { "-", "+" }, { "*", "+" }, { "/", "*" }, { "//", "%" }, { "%", "//" }, { "<", "<=" }, { "<=", "<" }, { ">", ">=" },
	{ ">=", ">" }, { "==", "!=" }, { "!=", "==" }, { "&&", "||" }, { "||", "&&" }, { "max", "min" }, { "min", "max" }, { "sum", "max" },
	{ "prod", "sum" }, { "argmax", "argmin" }, { "argmin", "argmax" }, { "maximum", "minimum" }, { "minimum", "maximum" },
	{ "exp", "tanh" }, { "log", "log1p" }, { "log1p", "log" }, { "expm1", "exp" }, { "sqrt", "abs" }, { "rsqrt", "sqrt" }, { "abs", "sq" },
	{ "sq", "abs" }, { "floor", "ceil" }, { "ceil", "floor" }, { "trunc", "floor" }, { "round", "floor" }, { "tanh", "sigmoid" },
	{ "sigmoid", "tanh" }, { "gelu", "silu" }, { "silu", "gelu" }, { "relu", "abs" }, { "sin", "cos" }, { "cos", "sin" }, { "erf", "tanh" },
	{ "bit_and", "bit_or" }, { "bit_or", "bit_xor" }, { "bit_xor", "bit_or" }, { "inf", "0" },
};

/* Length of the token at s: a name, a number, an operator of one or two characters, or blanks. */
static size_t token(const char *s)
{
	static const char *const two[] = { "..", "//", "<=", ">=", "==", "!=", "&&", "||" };
	size_t n = 1;

	if (isalpha((unsigned char)*s) || *s == '_') {
		while (isalnum((unsigned char)s[n]) || s[n] == '_')
			n++;
		return n;
	}
	if (isdigit((unsigned char)*s)) {
		char *end;
		strtod(s, &end);
		n = (size_t)(end - s);
		/* "0..N": the number ends before the dots. */
		return s[n - 1] == '.' && s[n] == '.' ? n - 1 : n;
	}
	for (size_t i = 0; i < ARRAY_SIZE(two); i++)
		if (!strncmp(s, two[i], 2))
			return 2;
	return 1;
}

/* The mutant of the token at `at`; false: it has none. */
static bool mutate(const char *body, size_t at, size_t n, struct strbuf *out)
{
	char old[64];

	snprintf(old, sizeof(old), "%.*s", (int)n, body + at);
	strbuf_reset(out);
	strbuf_addf(out, "%.*s", (int)at, body);
	if (isdigit((unsigned char)*old)) {
		if (strpbrk(old, ".e"))
			strbuf_addf(out, "%.17g", strtod(old, NULL) * 1.01 + 1e-3);
		else
			strbuf_addf(out, "%llu", strtoull(old, NULL, 10) + 1);
		strbuf_addstr(out, body + at + n);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(change); i++)
		if (!strcmp(old, change[i][0])) {
			strbuf_addstr(out, change[i][1]);
			strbuf_addstr(out, body + at + n);
			return true;
		}
	return false;
}

enum outcome { CAUGHT, SURVIVED, CRASHED };

/* In a process of its own: a mutant may take for ever. */
static enum outcome try(const struct op *op, const char *body)
{
	int status;

	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		struct strbuf err = STRBUF_INIT;
		struct op mutant = *op;
		setrlimit(RLIMIT_CPU, &(struct rlimit){ 20, 20 });
		if (!IS_SANITIZED)
			setrlimit(RLIMIT_AS, &(struct rlimit){ INT64_C(4) << 30, INT64_C(4) << 30 });
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		mutant.body = body;
		_exit(op_check_body(&mutant, &err) && op_check_bounds(&mutant, &err) && op_check_run(&mutant, &err) ? SURVIVED : CAUGHT);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return CRASHED;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL ? CAUGHT : CRASHED;
	return (enum outcome)WEXITSTATUS(status);
}

static struct strbuf proofs = STRBUF_INIT;

static bool is_proven(const struct op *op, const char *body)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "\n%s\t%s\t", op->name, body);
	const char *at = strstr(proofs.buf, line.buf);
	bool found = at && at[line.len] && at[line.len] != '\n';
	strbuf_release(&line);
	return found;
}

struct totals { int tried, caught, proven, missed; };

static void one_operator(const struct op *op, double share, struct totals *all)
{
	struct strbuf body = STRBUF_INIT;
	struct totals here = { 0 };
	uint64_t stream = 0;

	for (const char *s = op->name; *s; s++)
		stream = stream * 31 + (unsigned char)*s;
	for (size_t at = 0, n; op->body[at]; at += n) {
		n = token(op->body + at);
		if (rng_uniform_at(3, stream, at) >= share || !mutate(op->body, at, n, &body))
			continue;
		enum outcome outcome = try(op, body.buf);
		bool proven = outcome == SURVIVED && is_proven(op, body.buf);
		here.tried++;
		here.caught += outcome == CAUGHT;
		here.proven += proven;
		if (outcome == CRASHED || (outcome == SURVIVED && !proven)) {
			here.missed++;
			printf("# %s: %s: %.*s[%.*s]%s\n# %s\t%s\t\n", op->name, outcome == CRASHED ? "crashed" : "survived", (int)at, op->body, (int)n,
			       op->body + at, op->body + at + n, op->name, body.buf);
		}
	}
	if (here.tried)
		ok(!here.missed, "%s: %d mutants, %d caught, %d proven the same", op->name, here.tried, here.caught, here.proven);
	all->tried += here.tried;
	all->caught += here.caught;
	all->proven += here.proven;
	all->missed += here.missed;
	strbuf_release(&body);
}

int main(int argc, char **argv)
{
	struct strbuf err = STRBUF_INIT, scratch = STRBUF_INIT;
	const char *wanted = getenv("MUTANTS");
	double most = wanted ? atof(wanted) : 0, possible = 0;
	struct totals all = { 0 };
	const struct op *op;

	strbuf_addch(&proofs, '\n');
	struct strbuf file = STRBUF_INIT;
	if (!strbuf_read_file(&file, "tests/golden/equivalent_mutants.tsv", &err))
		strbuf_addstr(&proofs, file.buf);
	for (size_t i = 0; (op = op_at(i)); i++)
		for (size_t at = 0, n; op->body[at]; at += n) {
			n = token(op->body + at);
			possible += mutate(op->body, at, n, &scratch);
		}
	for (size_t i = 0; (op = op_at(i)); i++) {
		bool is_wanted = argc < 2 && (wanted || (op->shape[0].use & OP_SEARCH));
		for (int k = 1; k < argc; k++)
			is_wanted |= op_find(argv[k]) == op;
		if (is_wanted)
			one_operator(op, argc > 1 || most <= 0 ? 1 : most / possible, &all);
	}
	printf("# %d mutants of %.0f: %d caught, %d proven the same, %d missed\n", all.tried, possible, all.caught, all.proven, all.missed);
	strbuf_release(&file);
	strbuf_release(&proofs);
	strbuf_release(&scratch);
	strbuf_release(&err);
	return done_testing();
}
