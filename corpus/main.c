/* km-corpus: what is kept. */
#include "corpus/promote.h"
#include "corpus/verify.h"
#include "ops/core/cli.h"
#include "ops/core/diag.h"
#include "ops/core/op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_option no_options[] = { CLI_END };

static int run_promote(int argc, char **argv)
{
	const char *extra_ops = NULL;
	static const struct cli_command command = { "promote", "OUT",
		"Publishes the winners of OUT/cells as OUT/corpus/<target>/<op>/<id>/; removes what no longer wins.", NULL };
	const struct cli_option options[] = {
		CLI_EXTRA_OPS(&extra_ops),
		CLI_END,
	};
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct promotion promotion = { 0 };

	cli_parse(argc, argv, &command, options, 1, 1);
	int ret = op_load_extra(extra_ops, &err) || promote(argv[1], &promotion, &out, &err) ? KM_EXIT_FATAL : KM_EXIT_DONE;
	if (promotion.is_write_error)
		ret = KM_EXIT_NOT_DURABLE;
	fwrite(out.buf, 1, out.len, stdout);
	strbuf_release(&out);
	return diag_report(&err, ret);
}

/* "m=1024,n=8" appended to the key's bindings. */
static void add_bindings(struct arena *arena, const char *text, const char *option, struct corpus_binding *binding, size_t *count, size_t room)
{
	while (*text) {
		size_t len = strcspn(text, ", ");
		char *word = arena_strndup(arena, text, len), *equal = strchr(word, '='), *end;
		text += len;
		text += strspn(text, ", ");
		if (!len)
			continue;
		if (!equal || equal == word || *count == room)
			usage("option '--%s' wants NAME=VALUE, not '%s'", option, word);
		*equal = 0;
		double value = strtod(equal + 1, &end);
		if (*end || end == equal + 1)
			usage("option '--%s': '%s' is not a number in '%s=%s'", option, equal + 1, word, equal + 1);
		binding[(*count)++] = (struct corpus_binding){ word, value };
	}
}

/* How the time came about, of entries that say so. */
static void add_evidence(const struct entry *e, struct strbuf *out)
{
	static const char *const key[] = { "time_low_ns", "time_high_ns", "judged_by", "raced_time_ns" };

	for (size_t i = 0; i < ARRAY_SIZE(key); i++) {
		const char *value = kv_find(&e->kv, key[i]);
		if (value)
			kv_add(out, key[i], "%s", value);
	}
}

static void print_kernel(const struct corpus_kernel *k)
{
	struct arena arena = ARENA_INIT;
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct entry e = { 0 };
	bool is_read = !entry_read(&arena, k->folder, &e, &err);

	kv_add(&out, "id", "%s", k->id);
	kv_add(&out, "folder", "%s", k->folder);
	if (k->is_exact)
		kv_add(&out, "choice", "exact: measured at this very shape");
	else
		kv_add(&out, "choice", "region: measured at '%s', the nearest shape of a kernel whose preconditions hold here", k->problem);
	kv_add(&out, "problem", "%s", k->problem);
	kv_add(&out, "target", "%s", k->target);
	kv_add(&out, "lang", "%s", k->lang);
	kv_add(&out, "time_ns", "%.6g", k->time_ns);
	add_evidence(&e, &out);
	kv_add(&out, "baseline_ratio", "%.4g", k->baseline_ratio);
	kv_add(&out, "sol_ratio", "%.4g", k->sol_ratio);
	kv_add(&out, "tolerance_ratio", "%.4g", k->tolerance_ratio);
	if (is_read)
		for (size_t i = 0; i < e.kv.count; i++)
			if (!strncmp(e.kv.pair[i].key, "region.", 7))
				kv_add(&out, "require", "%s", e.kv.pair[i].value);
	fputs(out.buf, stdout);
	strbuf_release(&out);
	strbuf_release(&err);
	arena_release(&arena);
}

static int run_find(int argc, char **argv)
{
	const char *op = NULL, *dtype = "f32", *dims = "", *target = NULL;
	struct cli_list attrs = { 0 };
	int64_t threads = 1;
	static const struct cli_command command = { "find", "DIR",
		"Prints the kernel that serves a shape best and why; exit 1 when none does.", NULL };
	const struct cli_option options[] = {
		{ "op", 0, CLI_STRING, &op, "NAME", "operator (required)" },
		{ "dtype", 0, CLI_STRING, &dtype, "TYPE", "element type [f32]" },
		{ "dims", 0, CLI_STRING, &dims, "m=1024,n=..", "every dimension; case does not matter" },
		{ "attr", 0, CLI_LIST, &attrs, "NAME=VALUE", "an attribute that is not default; may repeat" },
		{ "target", 0, CLI_STRING, &target, "NAME", "hardware target [what this machine is]" },
		{ "threads", 0, CLI_INT, &threads, "N", "threads [1]" },
		CLI_END,
	};
	struct corpus_binding binding[64];
	struct corpus_key key = { .binding = binding };
	struct corpus_kernel kernel;
	struct corpus *corpus = NULL;
	struct arena arena = ARENA_INIT;

	cli_parse(argc, argv, &command, options, 1, 1);
	if (!op)
		usage("'km-corpus find' wants --op=NAME");
	add_bindings(&arena, dims, "dims", binding, &key.binding_count, ARRAY_SIZE(binding));
	for (size_t i = 0; i < attrs.count; i++)
		add_bindings(&arena, attrs.item[i], "attr", binding, &key.binding_count, ARRAY_SIZE(binding));
	key.op = op;
	key.dtype = dtype;
	key.target = target && strcmp(target, "native") ? target : NULL;
	key.threads = (int)threads;
	enum corpus_status status = corpus_open(argv[1], &corpus);
	if (!status)
		status = corpus_find(corpus, &key, &kernel);
	if (!status)
		print_kernel(&kernel);
	else
		error("%s", corpus_error());
	corpus_close(corpus);
	arena_release(&arena);
	free(attrs.item);
	return !status ? KM_EXIT_DONE : status == CORPUS_MISSING ? KM_EXIT_NO : status == CORPUS_ARGUMENT ? KM_EXIT_USAGE : KM_EXIT_FATAL;
}

static int run_verify(int argc, char **argv)
{
	const char *extra_ops = NULL;
	bool quick = false;
	static const struct cli_command command = { "verify", "DIR",
		"Checks every entry: hashes, plan, results on check shapes, and again rebuilt from source.  TSV: id, ok | partly | FAULT, what.", NULL };
	const struct cli_option options[] = {
		{ "quick", 0, CLI_FLAG, &quick, NULL, "do not rebuild from source" },
		CLI_EXTRA_OPS(&extra_ops),
		CLI_END,
	};
	static const char *const word[] = { "ok", "partly", "FAULT" };
	struct arena arena = ARENA_INIT;
	struct entry_list list = { 0 };
	struct strbuf err = STRBUF_INIT;
	size_t faults = 0;
	int ret = KM_EXIT_FATAL;

	cli_parse(argc, argv, &command, options, 1, 1);
	if (op_load_extra(extra_ops, &err) || entry_find_all(&arena, argv[1], &list, &err))
		goto out;
	for (size_t i = 0; i < list.count; i++) {
		struct strbuf what = STRBUF_INIT;
		enum verify_outcome outcome = verify_entry(list.folder[i], !quick, &what);
		for (char *p = what.buf; *p; p++)
			*p = *p == '\n' || *p == '\t' ? ' ' : *p;
		printf("%s\t%s\t%s\n", strrchr(list.folder[i], '/') + 1, word[outcome], what.buf);
		fflush(stdout);
		faults += outcome == VERIFY_FAULT;
		strbuf_release(&what);
	}
	if (faults)
		strbuf_addf(&err, "%zu of %zu entries of '%s' are not what they claim: promote or add them again", faults, list.count, argv[1]);
	ret = faults ? KM_EXIT_NO : KM_EXIT_DONE;
out:
	arena_release(&arena);
	return diag_report(&err, ret);
}

/* Judged time over raced time of an entry that was judged from outside; 0: it was not, or its entry cannot be read. */
static double judged_over_raced(const char *folder)
{
	struct arena arena = ARENA_INIT;
	struct strbuf ignored = STRBUF_INIT;
	struct entry e;
	double ratio = 0;

	if (!entry_read(&arena, folder, &e, &ignored)) {
		const char *by = kv_find(&e.kv, "judged_by"), *raced = kv_find(&e.kv, "raced_time_ns");
		if (by && raced && strcmp(by, "clock") && strtod(raced, NULL) > 0)
			ratio = e.time_ns / strtod(raced, NULL);
	}
	strbuf_release(&ignored);
	arena_release(&arena);
	return ratio;
}

static int run_stats(int argc, char **argv)
{
	static const struct cli_command command = { "stats", "DIR",
		"Prints, per target and operator: kernels, geometric means of the ratio to the strongest baseline and of the share of the speed of light, worst ratio, kernels timed from outside their process, and the geometric mean of that time over the raced one (TSV).", NULL };
	struct corpus *corpus = NULL;
	struct corpus_kernel k, next;

	cli_parse(argc, argv, &command, no_options, 1, 1);
	if (corpus_open(argv[1], &corpus)) {
		error("%s", corpus_error());
		return KM_EXIT_FATAL;
	}
	printf("target\top\tkernels\tbaseline_ratio\tsol_ratio\tworst_ratio\tjudged\tjudged_over_raced\n");
	double log_ratio = 0, log_sol = 0, log_judged = 0, worst = INFINITY;
	size_t kernels = 0, sols = 0, judged = 0, count = corpus_count(corpus);
	for (size_t i = 0; i < count; i++) {
		corpus_at(corpus, i, &k);
		kernels++;
		log_ratio += log(fmax(k.baseline_ratio, 1e-9));
		if (k.sol_ratio > 0) {
			log_sol += log(k.sol_ratio);
			sols++;
		}
		double over_raced = judged_over_raced(k.folder);
		if (over_raced > 0) {
			log_judged += log(over_raced);
			judged++;
		}
		worst = fmin(worst, k.baseline_ratio);
		if (i + 1 < count && !corpus_at(corpus, i + 1, &next) && !strcmp(next.target, k.target) && !strcmp(next.op, k.op))
			continue;
		printf("%s\t%s\t%zu\t%.3f\t%.3f\t%.3f\t%zu\t%.3f\n", k.target, k.op, kernels, exp(log_ratio / (double)kernels),
		       sols ? exp(log_sol / (double)sols) : 0, worst, judged, judged ? exp(log_judged / (double)judged) : 0);
		log_ratio = log_sol = log_judged = 0;
		kernels = sols = judged = 0;
		worst = INFINITY;
	}
	corpus_close(corpus);
	return KM_EXIT_DONE;
}

/* The entry of INTO for the same target and problem, or NULL. */
static const struct entry *rival(const struct entry *list, size_t count, const struct entry *e)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i].target, e->target) && !strcmp(list[i].problem, e->problem))
			return &list[i];
	return NULL;
}

static int copy_entry(const struct entry *e, const char *into, struct strbuf *err)
{
	struct store_file file[16];
	struct strbuf data[16], folder = STRBUF_INIT;
	size_t count = 0;
	int ret = -1;

	for (size_t i = 0; i <= e->kv.count; i++) {
		/* The entry itself goes last. */
		const char *name = i == e->kv.count ? "entry" : strncmp(e->kv.pair[i].key, "file.", 5) ? NULL : e->kv.pair[i].key + 5;
		struct strbuf path = STRBUF_INIT;
		if (!name || count == ARRAY_SIZE(file))
			continue;
		strbuf_init(&data[count]);
		strbuf_addf(&path, "%s/%s", e->folder, name);
		int bad = strbuf_read_file(&data[count], path.buf, err);
		strbuf_release(&path);
		file[count] = (struct store_file){ name, data[count].buf, data[count].len };
		count++;
		if (bad)
			goto out;
	}
	strbuf_addf(&folder, "%s/%s/%s/%s", into, e->target, e->op, e->id);
	ret = store_publish(folder.buf, file, count, err);
out:
	for (size_t i = 0; i < count; i++)
		strbuf_release(&data[i]);
	strbuf_release(&folder);
	return ret;
}

static int read_all(struct arena *arena, const char *folder, struct entry **entry, size_t *count, struct strbuf *err)
{
	struct entry_list list = { 0 };

	if (entry_find_all(arena, folder, &list, err))
		return -1;
	*entry = ARENA_ARRAY(arena, struct entry, list.count + 1);
	*count = list.count;
	for (size_t i = 0; i < list.count; i++) {
		if (entry_read(arena, list.folder[i], &(*entry)[i], err) || entry_check_files(&(*entry)[i], err))
			return -1;
	}
	return 0;
}

static int run_add(int argc, char **argv)
{
	static const struct cli_command command = { "add", "DIR INTO",
		"Merges the corpus DIR into INTO; of two kernels for one target and problem the faster stays.", NULL };
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct entry *from, *into;
	size_t from_count, into_count;
	int ret = KM_EXIT_FATAL;

	cli_parse(argc, argv, &command, no_options, 2, 2);
	if (read_all(&arena, argv[1], &from, &from_count, &err))
		goto out;
	ret = KM_EXIT_NOT_DURABLE;
	if (make_folder(argv[2], &err))
		goto out;
	ret = KM_EXIT_FATAL;
	if (read_all(&arena, argv[2], &into, &into_count, &err))
		goto out;
	ret = KM_EXIT_DONE;
	for (size_t i = 0; i < from_count && !ret; i++) {
		const struct entry *e = &from[i], *old = rival(into, into_count, e);
		bool is_same = old && !strcmp(old->id, e->id);
		const char *done = "kept";
		if (!old || is_same || e->time_ns < old->time_ns) {
			int written = copy_entry(e, argv[2], &err);
			if (written < 0 || (old && !is_same && entry_remove(argv[2], old->folder, &err)))
				ret = KM_EXIT_NOT_DURABLE;
			done = written <= 0 ? "kept" : old ? "replaced" : "added";
		}
		if (!ret)
			printf("%s\t%s\t%s\t%s\n", e->id, e->target, e->problem, done);
	}
out:
	arena_release(&arena);
	return diag_report(&err, ret);
}

int main(int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ "promote", "OUT", "publish the winners of OUT/cells in OUT/corpus", run_promote },
		{ "find", "DIR", "the kernel that serves a shape", run_find },
		{ "verify", "DIR", "check every entry, rebuild it, check it again", run_verify },
		{ "stats", "DIR", "counts and ratios per target and operator", run_stats },
		{ "add", "DIR INTO", "merge a corpus into another", run_add },
		{ NULL, NULL, NULL, NULL },
	};

	diag_tool = "km-corpus";
	return cli_run(argc, argv, "The corpus: the fastest verified kernels, looked up, checked and merged.", commands);
}
