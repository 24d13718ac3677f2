/*
 * cli.h: commands and options are tables; parsing and --help come from them.
 *
 *   tool command [--long-option=value] [args]
 *
 * -h --help prints to stdout and exits 0; --version likewise.  An unknown
 * command or option is a usage error (exit 2) that names the nearest known one.
 */
#ifndef OPS_CORE_CLI_H
#define OPS_CORE_CLI_H

#include "ops/core/base.h"

enum cli_kind { CLI_FLAG, CLI_STRING, CLI_INT, CLI_REAL, CLI_LIST };

/* Values given with a repeatable option, in order. */
struct cli_list {
	const char **item;
	size_t count;
};

struct cli_option {
	const char *name; /* without "--"; NULL ends the table */
	char letter;      /* 'o', 'j', 'v' or 0 */
	enum cli_kind kind;
	void *value;      /* bool *, const char **, int64_t *, double *, struct cli_list * */
	const char *argument; /* "FILE"; NULL for flags */
	const char *help;
};

#define CLI_END { NULL, 0, CLI_FLAG, NULL, NULL, NULL }
/* For tools that know operators: op_load_extra() takes the value. */
#define CLI_EXTRA_OPS(value) \
	{ "extra-ops", 0, CLI_STRING, value, "DIR", "folder of built operator plug-ins [$KM_EXTRA_OPS]" }

struct cli_command {
	const char *name; /* NULL ends the table */
	const char *args; /* "FILE..." for the usage line */
	const char *summary;
	int (*run)(int argc, char **argv); /* argv[0] is the command; returns an exit code */
};

/*
 * Parses options out of argv; positional arguments are moved to argv[1..n] and
 * n is returned.  Exits on --help and on a wrong option.  `min`..`max` bound n.
 */
int cli_parse(int argc, char **argv, const struct cli_command *command,
	      const struct cli_option *options, int min, int max);
/* Finds and runs argv[1] in `commands`; handles --help, --version, none. */
int cli_run(int argc, char **argv, const char *summary, const struct cli_command *commands);

#endif
