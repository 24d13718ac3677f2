/* km-evaluate judge: somebody's kernel against the operator it claims to compute. */
#include "evaluate/evaluate.h"
#include "evaluate/judge.h"
#include "evaluate/sandbox.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const struct cli_command command = {
	"judge", "FILE",
	"judges a shared object from outside its process: is it the operator, and how fast is it?\n"
	"\n"
	"FILE has the C function\n"
	"  void kernel(void *const *buf, const int64_t *dim);\n"
	"buf[] are the operator's tensors in the order of its table (km-generate ops NAME), dense and\n"
	"row-major; dim[] its dimensions in the order of its declaration.  With --plan, FILE is the\n"
	"artifact of a launch plan.  A FILE.py is a KernelBench file: a class ModelNew, made with what\n"
	"get_init_inputs() gives, whose forward() takes the first of the operator's inputs; the rest are\n"
	"put into what the module holds (parameters, then buffers), anew for each call.\n"
	"\n"
	"FILE runs in the sandbox, in processes of its own, each given new\n"
	"inputs while it stands still and timed by another process's clock until it is dead.\n"
	"\n"
	"Prints a line each: verdict, why, what the kernel's own clock claims, what was judged with its\n"
	"interval, the compiled loop nest judged beside it, and how much was compared.  Exit 0:\n"
	"accepted; 1: not; 78: this machine's sandbox is below its floor.",
	NULL,
};

static void print_judgement(const struct judgement *j, const char *problem)
{
	struct strbuf level = STRBUF_INIT;

	sandbox_level(&level);
	printf("verdict\t%s\t%s\n", verdict_name(j->verdict), verdict_sentence(j->verdict));
	if (j->detail[0])
		printf("why\t%s\n", j->detail);
	printf("class\thost-wrapped\n");
	printf("problem\t%s\n", problem);
	if (!isnan(j->judged_ns)) {
		printf("claimed_ns\t%.1f\n", j->claimed_ns);
		printf("judged_ns\t%.1f\t%.1f\t%.1f\t%s\n", j->judged_ns, j->low_ns, j->high_ns, JUDGE_CONFIDENCE_TEXT);
		printf("claim_ratio\t%.3f\n", j->claim_ratio);
		printf("lives\t%lld\tof %lld calls, and of %lld\n", (long long)j->rounds, (long long)j->calls_few, (long long)j->calls_many);
	}
	if (j->baseline[0] && !isnan(j->ratio))
		printf("baseline\t%s\t%.1f ns\tratio %.3f\t%.3f\t%.3f\n", j->baseline, j->baseline_ns, j->ratio, j->ratio_low, j->ratio_high);
	printf("compared\t%lld sets whole\t%lld at secret positions\tlargest error / bound %.3f\n", (long long)j->whole_sets, (long long)j->sampled_sets,
	       j->tolerance_ratio);
	printf("scanned\t%lld elements\n", (long long)j->scanned_elements);
	if (j->labels[0])
		printf("labels\t%s\n", j->labels);
	printf("memory_pass\t%s\n", j->memory_pass[0] ? j->memory_pass : "none");
	printf("load\t%.2f\n", j->load);
	printf("sandbox\t%s\n", level.buf);
	strbuf_release(&level);
}

int judge_main(int argc, char **argv)
{
	const char *problem_text = NULL, *target_text = "native", *plan_path = NULL, *symbol = "kernel", *extra_ops = NULL, *lock = NULL;
	bool allow_unsafe = false;
	double window_ms = 0;
	struct judge_options options = { 0 };
	struct judged judged = { .is_confined = true };
	const struct cli_option list[] = {
		{ "problem", 0, CLI_STRING, &problem_text, "P", "what it claims to compute, such as matmul/f32/M=512,N=512,K=512/t1" },
		{ "plan", 0, CLI_STRING, &plan_path, "FILE", "launch plan of the artifact FILE" },
		{ "weights", 0, CLI_STRING, &judged.weights, "NAME,...", "what a module holds, for the inputs that are not its arguments, in their order [by size, in its order]" },
		{ "symbol", 0, CLI_STRING, &symbol, "NAME", "the C function [kernel]" },
		{ "align", 0, CLI_INT, &options.alignment, "BYTES", "what the function may rely on; less is tried too [64; with --plan: an element]" },
		{ "window", 0, CLI_REAL, &window_ms, "MS", "a long life's calls take about so long [30]" },
		{ "target", 0, CLI_STRING, &target_text, "NAME", "see 'km-generate targets' [native]" },
		{ "lock", 0, CLI_STRING, &lock, "FILE", "device lock [$KM_LOCK]" },
		{ "allow-unsafe", 0, CLI_FLAG, &allow_unsafe, NULL, "run it even where the sandbox lacks its floor" },
		CLI_EXTRA_OPS(&extra_ops), CLI_END,
	};
	struct strbuf err = STRBUF_INIT, plan = STRBUF_INIT, text = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct problem problem;
	struct environment environment;
	struct judgement j;

	cli_parse(argc, argv, &command, list, 1, 1);
	if (!problem_text)
		usage("--problem is missing");
	if (op_load_extra(extra_ops, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	if (problem_parse(problem_text, &problem, &err) || !(judged.target = target_find(target_text, &err)))
		return diag_report(&err, KM_EXIT_USAGE);
	if (plan_path && strbuf_read_file(&plan, plan_path, &err))
		return diag_report(&err, KM_EXIT_USAGE);
	if (access(argv[1], R_OK))
		usage("cannot read '%s'", argv[1]);
	if (!allow_unsafe && sandbox_rank() < SANDBOX_FLOOR) {
		error("this machine's sandbox lacks uid, landlock or seccomp: see 'km-evaluate doctor', or pass --allow-unsafe");
		return KM_EXIT_UNSAFE;
	}
	judged.problem = &problem;
	judged.artifact = argv[1];
	judged.plan = plan_path ? plan.buf : NULL;
	judged.symbol = symbol;
	size_t len = strlen(argv[1]);
	judged.is_python = len > 3 && !strcmp(argv[1] + len - 3, ".py");
	options.window_s = window_ms * 1e-3;
	if (!options.alignment)
		options.alignment = plan_path ? 0 : 64;
	options.secret = (uint64_t)wall_ns() ^ (uint64_t)getpid() << 40;
	if (probe_environment(&arena, judged.target, "monotonic", &environment, &err))
		return diag_report(&err, KM_EXIT_FATAL);
	options.floor_ns = physics_floor_ns(&environment, &problem);
	int lock_fd = device_lock_open(lock, "cpu", &err);
	if (lock_fd < 0)
		return diag_report(&err, KM_EXIT_FATAL);
	flock(lock_fd, LOCK_EX);
	int bad = judge(&arena, &judged, &options, &j, &err);
	close(lock_fd);
	if (bad)
		return diag_report(&err, KM_EXIT_FATAL);
	problem_print(&problem, &text);
	print_judgement(&j, text.buf);
	int code = j.verdict == VERDICT_PASSED ? KM_EXIT_DONE : KM_EXIT_NO;
	strbuf_release(&plan);
	strbuf_release(&text);
	arena_release(&arena);
	return diag_finish(code);
}
