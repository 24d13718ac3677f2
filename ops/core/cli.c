#include "ops/core/cli.h"
#include "ops/core/diag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levenshtein distance, for "did you mean". */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], n = strlen(b);

	if (n > 62 || strlen(a) > 62)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static void print_options(FILE *f, const struct cli_option *options)
{
	for (const struct cli_option *o = options; o && o->name; o++) {
		char left[64];
		snprintf(left, sizeof(left), "%s%c%s--%s%s%s", o->letter ? "-" : " ",
			 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name,
			 o->argument ? "=" : "", o->argument ? o->argument : "");
		fprintf(f, "  %-30s %s\n", left, o->help);
	}
	fprintf(f, "  %-30s %s\n", "-h, --help", "print this and exit");
}

static void print_command(FILE *f, const struct cli_command *command,
			  const struct cli_option *options)
{
	fprintf(f, "usage: %s%s%s [options]%s%s\n\n%s\n\noptions:\n", diag_tool,
		*command->name ? " " : "", command->name, command->args && *command->args ? " " : "",
		command->args ? command->args : "", command->summary);
	print_options(f, options);
}

static const struct cli_option *find_option(const struct cli_option *options, const char *name,
					    size_t len)
{
	for (const struct cli_option *o = options; o && o->name; o++)
		if (strlen(o->name) == len && !memcmp(o->name, name, len))
			return o;
	return NULL;
}

NORETURN static void unknown_option(const struct cli_option *options, const char *arg,
				    const char *name, size_t len, const char *command)
{
	const char *nearest = NULL;
	size_t best = 4;
	char word[64];

	snprintf(word, sizeof(word), "%.*s", (int)len, name);
	for (const struct cli_option *o = options; o && o->name; o++)
		if (distance(word, o->name) < best) {
			best = distance(word, o->name);
			nearest = o->name;
		}
	if (nearest)
		usage("unknown option '%s': did you mean '--%s'?", arg, nearest);
	usage("unknown option '%s': see '%s %s --help'", arg, diag_tool, command);
}

static void store(const struct cli_option *o, const char *value)
{
	char *end = NULL;

	errno = 0;
	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)o->value = true;
		break;
	case CLI_STRING:
		*(const char **)o->value = value;
		break;
	case CLI_INT:
		*(int64_t *)o->value = strtoll(value, &end, 0);
		break;
	case CLI_REAL:
		*(double *)o->value = strtod(value, &end);
		break;
	case CLI_LIST: {
		struct cli_list *list = o->value;
		list->item = realloc(list->item, (list->count + 1) * sizeof(*list->item));
		if (!list->item)
			die("out of memory");
		list->item[list->count++] = value;
		break;
	}
	}
	if (end && (*end || end == value || errno))
		usage("option '--%s' wants a number, not '%s'", o->name, value);
}

int cli_parse(int argc, char **argv, const struct cli_command *command,
	      const struct cli_option *options, int min, int max)
{
	int count = 0;
	bool only_arguments = false;

	for (int i = 1; i < argc; i++) {
		char *arg = argv[i];
		if (only_arguments || arg[0] != '-' || !arg[1]) {
			argv[++count] = arg;
			continue;
		}
		if (!strcmp(arg, "--")) {
			only_arguments = true;
			continue;
		}
		if (!strcmp(arg, "-h") || !strcmp(arg, "--help")) {
			print_command(stdout, command, options);
			exit(diag_finish(KM_EXIT_DONE));
		}
		const struct cli_option *o = NULL;
		const char *value = NULL;
		if (arg[1] == '-') {
			size_t len = strcspn(arg + 2, "=");
			o = find_option(options, arg + 2, len);
			if (!o)
				unknown_option(options, arg, arg + 2, len, command->name);
			if (arg[2 + len] == '=')
				value = arg + 3 + len;
		} else {
			for (const struct cli_option *p = options; p && p->name; p++)
				if (p->letter && p->letter == arg[1])
					o = p;
			if (!o)
				unknown_option(options, arg, arg + 1, strlen(arg + 1), command->name);
			if (arg[2])
				value = arg + 2;
		}
		if (o->kind == CLI_FLAG && value)
			usage("option '--%s' takes no value", o->name);
		if (o->kind != CLI_FLAG && !value) {
			if (++i >= argc)
				usage("option '--%s' wants a value: --%s=%s", o->name, o->name,
				      o->argument ? o->argument : "VALUE");
			value = argv[i];
		}
		store(o, value);
	}
	argv[count + 1] = NULL;
	if (count < min)
		usage("'%s %s' wants %s: see '%s %s --help'", diag_tool, command->name,
		      command->args && *command->args ? command->args : "more arguments", diag_tool,
		      command->name);
	if (count > max)
		usage("unexpected argument '%s': see '%s %s --help'", argv[max + 1], diag_tool,
		      command->name);
	return count;
}

static void print_tool(FILE *f, const char *summary, const struct cli_command *commands)
{
	fprintf(f, "usage: %s COMMAND [options] [arguments]\n\n%s\n\ncommands:\n", diag_tool, summary);
	for (const struct cli_command *c = commands; c->name; c++)
		fprintf(f, "  %-14s %s\n", c->name, c->summary);
	fprintf(f, "\n'%s COMMAND --help' tells each command's options; --version the version.\n",
		diag_tool);
}

int cli_run(int argc, char **argv, const char *summary, const struct cli_command *commands)
{
	const char *nearest = NULL;
	size_t best = 4;

	if (argc < 2) {
		print_tool(stderr, summary, commands);
		return KM_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_tool(stdout, summary, commands);
		return diag_finish(KM_EXIT_DONE);
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s %s, compiled with %s\n", diag_tool, KM_VERSION, __VERSION__);
		return diag_finish(KM_EXIT_DONE);
	}
	for (const struct cli_command *c = commands; c->name; c++) {
		if (!strcmp(c->name, argv[1]))
			return diag_finish(c->run(argc - 1, argv + 1));
		if (distance(argv[1], c->name) < best) {
			best = distance(argv[1], c->name);
			nearest = c->name;
		}
	}
	if (nearest)
		usage("unknown command '%s': did you mean '%s'?", argv[1], nearest);
	usage("unknown command '%s': see '%s --help'", argv[1], diag_tool);
}
