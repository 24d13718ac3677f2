/* km-report: OUT/traces.h5 -> OUT/report/index.html and the pages below it. */
#include "ops/core/cli.h"
#include "ops/core/diag.h"
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int write_report(const char *out_folder, const char *extra_ops)
{
	struct report report = { 0 };
	struct strbuf err = STRBUF_INIT, path = STRBUF_INIT, folder = STRBUF_INIT;
	int ret = KM_EXIT_FATAL;

	strbuf_addf(&path, "%s/traces.h5", out_folder);
	strbuf_addf(&folder, "%s/report", out_folder);
	report.folder = folder.buf;
	if (op_load_extra(extra_ops, &err))
		goto out;
	if (trace_read(&report.arena, path.buf, &report.trace, &err) || report_arrange(&report, &err))
		goto out;
	if (make_folder(folder.buf, &err)) {
		ret = KM_EXIT_NOT_DURABLE;
		goto out;
	}
	for (size_t i = 0; page_table[i]; i++)
		if (page_table[i]->write(&report, &err)) {
			ret = KM_EXIT_NOT_DURABLE;
			goto out;
		}
	printf("%s/index.html\n", folder.buf);
	ret = KM_EXIT_DONE;
out:
	arena_release(&report.arena);
	strbuf_release(&path);
	strbuf_release(&folder);
	return diag_report(&err, ret);
}

int main(int argc, char **argv)
{
	const char *extra_ops = NULL;
	static const struct cli_command command = {
		.name = "", .args = "OUT",
		.summary = "Writes OUT/report/index.html and its pages from OUT/traces.h5; prints the path.",
	};
	const struct cli_option options[] = {
		CLI_EXTRA_OPS(&extra_ops),
		CLI_END,
	};

	diag_tool = "km-report";
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("km-report %s, compiled with %s\n", KM_VERSION, __VERSION__);
		return diag_finish(KM_EXIT_DONE);
	}
	if (argc < 2) {
		usage("wants OUT, the folder that 'make corpus' wrote: see 'km-report --help'");
		return KM_EXIT_USAGE;
	}
	cli_parse(argc, argv, &command, options, 1, 1);
	return diag_finish(write_report(argv[1], extra_ops));
}
