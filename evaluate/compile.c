#include "evaluate/compile.h"
#include "evaluate/cache.h"
#include "evaluate/compiler.h"
#include "evaluate/inspect.h"
#include "evaluate/resident.h"
#include "generate/lang.h"
#include "ops/core/defence.h"
#include "ops/core/diag.h"
#include "ops/core/proc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one translation unit -------------------------------------------- */

struct unit {
	const struct lang *lang;
	const struct target *target;
	const char *version;                       /* of the compiler */
	const struct candidate *const *candidate;
	struct compiled *const *out;
	size_t count;
};

struct farm {
	struct arena *arena;
	const char *folder; /* of the cache; NULL: the default */
	double wall_limit_s;
	struct unit *unit;
	size_t unit_count, next;
	pthread_mutex_t lock;
	struct strbuf *err;
	bool failed;
};

/* The command's words with %in, %out, %march, %flags put in; NULL-terminated. */
static char **command_words(struct arena *arena, const char *command, const struct target *target, const char *in, const char *out)
{
	char **word = ARENA_ARRAY(arena, char *, strlen(command) + (target->compiler_flags ? strlen(target->compiler_flags) : 0) + 4);
	size_t n = 0;

	for (const char *s = command + strspn(command, " "); *s; s += strspn(s, " ")) {
		struct strbuf w = STRBUF_INIT;
		size_t len = strcspn(s, " ");
		strbuf_add(&w, s, len);
		s += len;
		if (!strcmp(w.buf, "%flags")) {
			for (const char *f = target->compiler_flags ? target->compiler_flags : ""; *(f += strspn(f, " "));) {
				size_t k = strcspn(f, " ");
				word[n++] = arena_strndup(arena, f, k);
				f += k;
			}
		} else if (defence_stands(DEFENCE_DATELESS) || strncmp(w.buf, "-D__", 4)) {
			strbuf_replace(&w, "%in", in);
			strbuf_replace(&w, "%out", out);
			strbuf_replace(&w, "%march", target->march ? target->march : "");
			word[n++] = arena_strdup(arena, w.buf);
		}
		strbuf_release(&w);
	}
	return word;
}

/* What to run: words(user, in, out) gives the command. */
struct command {
	char **(*words)(struct arena *, const void *, const char *, const char *);
	const void *user;
	const char *suffix; /* of the source */
	double wall_limit_s;
};

/* As compiler_run(): compiles `text`, the bytes to *made. */
static int compile_text(struct arena *arena, const struct command *command, const char *text, struct strbuf *made, struct strbuf *log,
			struct strbuf *err)
{
	const char *in = arena_printf(arena, COMPILER_SOURCE "%s", command->suffix);
	const struct compiler_run run = { .argv = command->words(arena, command->user, in, COMPILER_OUTPUT), .suffix = command->suffix, .text = text,
					  .wall_s = command->wall_limit_s };

	return compiler_run(&run, made, log, err);
}

struct lang_words {
	const struct lang *lang;
	const struct target *target;
};

static char **words_of_lang(struct arena *arena, const void *user, const char *in, const char *out)
{
	const struct lang_words *w = user;
	return command_words(arena, w->lang->compile, w->target, in, out);
}

static void all_of(const struct unit *u, const struct compiled *answer)
{
	for (size_t i = 0; i < u->count; i++)
		*u->out[i] = *answer;
}

/* May what was made of the unit be loaded?  As compiler_run(): 1, 0 with the reason in *log, or -1 with *err. */
static int inspect_unit(const struct unit *u, const char *path, struct strbuf *log, struct strbuf *err)
{
	static const struct inspect_rules nothing_imported;

	if (strcmp(u->target->artifact, "so") || !defence_stands(DEFENCE_INSPECTION))
		return 1;
	return inspect_shared_object(path, &nothing_imported, log, err);
}

/* The path of what the unit's text compiles to: 1, from the cache where it is; 0 refused, -1 *err. */
static int artifact_of(struct arena *arena, const struct farm *farm, const struct unit *u, const char *text, const char **path, struct strbuf *log,
		       struct strbuf *err)
{
	const struct lang *lang = u->lang;
	const struct lang_words words = { lang, u->target };
	const struct command command = { words_of_lang, &words, lang->suffix, farm->wall_limit_s };
	struct strbuf from = STRBUF_INIT, bytes = STRBUF_INIT;

	strbuf_addf(&from, "%s\n%s\n%s\n%s\n", lang->compile, u->target->name, u->version, text);
	const struct cache_key key = cache_key(farm->folder, arena_printf(arena, "kernel.%s", u->target->artifact), &from);
	*path = cache_find(arena, &key);
	int made = *path ? 1
		 : lang->server ? resident_compile(lang, u->target, text, &bytes, farm->wall_limit_s, log, err)
		 : compile_text(arena, &command, text, &bytes, log, err);
	if (made == 1 && !*path && !(*path = cache_keep(arena, &key, bytes.buf, bytes.len, err)))
		made = -1;
	strbuf_release(&from);
	strbuf_release(&bytes);
	return made;
}

/* Compiles the unit; on refusal halves it, until culprits stand alone. */
static void compile_unit(struct farm *farm, const struct unit *u)
{
	struct arena scratch = ARENA_INIT;
	struct strbuf text = STRBUF_INIT, log = STRBUF_INIT, err = STRBUF_INIT;
	int64_t start_ns = clock_ns();

	strbuf_addstr(&text, u->candidate[0]->prologue);
	for (size_t i = 0; i < u->count; i++)
		strbuf_addstr(&text, u->candidate[i]->source);
	const char *path = NULL;
	int made = artifact_of(&scratch, farm, u, text.buf, &path, &log, &err);
	bool is_made = made == 1;
	if (is_made)
		made = inspect_unit(u, path, &log, &err);
	double wall_s = (double)(clock_ns() - start_ns) * 1e-9;
	pthread_mutex_lock(&farm->lock);
	const char *kept_path = path ? arena_strdup(farm->arena, path) : NULL, *kept_log = arena_strdup(farm->arena, log.buf);
	if (made < 0 && !farm->failed) {
		farm->failed = true;
		strbuf_addstr(farm->err, err.buf);
	}
	pthread_mutex_unlock(&farm->lock);
	double each_s = wall_s / (double)u->count;
	if (made == 1) {
		all_of(u, &(struct compiled){ .ok = true, .artifact = kept_path, .log = "", .compile_s = each_s });
	} else if (made == 0 && u->count > 1) {
		struct unit half = *u;
		half.count = u->count / 2;
		compile_unit(farm, &half);
		half.candidate += half.count;
		half.out += half.count;
		half.count = u->count - half.count;
		compile_unit(farm, &half);
	} else {
		all_of(u, &(struct compiled){ .is_rejected = is_made, .log = kept_log, .compile_s = each_s });
	}
	strbuf_release(&text);
	strbuf_release(&log);
	strbuf_release(&err);
	arena_release(&scratch);
}

static void *work(void *user)
{
	struct farm *farm = user;

	for (;;) {
		pthread_mutex_lock(&farm->lock);
		size_t i = farm->next++;
		bool stop = i >= farm->unit_count || farm->failed;
		pthread_mutex_unlock(&farm->lock);
		if (stop)
			return NULL;
		compile_unit(farm, &farm->unit[i]);
	}
}

/* Compilers, and the versions they told or a pack tells of them. */
static char known[2][64][256];
static int known_count;

void compile_assume_version(const char *compiler, const char *version)
{
	if (known_count < 64) {
		snprintf(known[0][known_count], 256, "%s", compiler);
		snprintf(known[1][known_count++], 256, "%s", version);
	}
}

/* First line of "<compiler> --version"; part of the cache's key and of the environment. */
const char *compile_version(struct arena *arena, const char *compiler, struct strbuf *err)
{
	struct strbuf out = STRBUF_INIT;
	struct proc_result result;

	for (int i = 0; i < known_count; i++)
		if (!strcmp(known[0][i], compiler))
			return known[1][i];
	if (proc_run(PROC_ARGV(compiler, "--version"), NULL, NULL, &result, &out, NULL, err)) {
		strbuf_addstr(err, ": run 'scripts/setup.sh'");
		strbuf_release(&out);
		return NULL;
	}
	if (result.exit_code || !out.len) {
		strbuf_addf(err, "'%s --version' failed: run it again", compiler);
		strbuf_release(&out);
		return NULL;
	}
	out.buf[strcspn(out.buf, "\n")] = 0;
	const char *version = arena_strdup(arena, out.buf);
	strbuf_release(&out);
	compile_assume_version(compiler, version);
	return version;
}

/* What may share a unit: printed here, of equal language, target and prologue. */
static bool may_share(const struct candidate *a, const struct candidate *b)
{
	return a == b || (*a->tile && *b->tile && !strcmp(a->lang, b->lang) && !strcmp(a->target, b->target) && !strcmp(a->prologue, b->prologue));
}

/* Splits a group of `count` candidates into units of about equal size. */
static void add_units(struct farm *farm, const struct unit *group, const struct compile_options *options, size_t jobs)
{
	size_t most = group->lang->can_batch && options->batch > 1 ? (size_t)options->batch : 1;
	size_t units = (group->count + most - 1) / most;

	/* As many units as jobs at least, so that all cores work. */
	if (units < jobs)
		units = jobs < group->count ? jobs : group->count;
	for (size_t i = 0; i < units; i++) {
		size_t first = i * group->count / units;
		struct unit *u = &farm->unit[farm->unit_count++];
		*u = *group;
		u->candidate += first;
		u->out += first;
		u->count = (i + 1) * group->count / units - first;
	}
}

/* Version of the language's compiler: in *version, or NULL where a server is not here.  0, or -1 with *err. */
static int version_of(struct farm *farm, const struct lang *lang, const char **version, struct strbuf *why)
{
	if (lang->server) {
		*version = resident_version(lang, why);
		if (!*version)
			warn("language '%s' is skipped: %s", lang->name, why->buf);
		return 0;
	}
	*version = compile_version(farm->arena, arena_strndup(farm->arena, lang->compile, strcspn(lang->compile, " ")), farm->err);
	return *version ? 0 : -1;
}

/* Groups what may share a unit and makes the units.  0, or -1 with *err. */
static int plan_units(struct farm *farm, const struct candidate *const *candidate, size_t count, const struct compile_options *options,
		      size_t jobs, struct compiled *out, struct strbuf *err)
{
	bool *placed = ARENA_ARRAY(farm->arena, bool, count);

	farm->unit = ARENA_ARRAY(farm->arena, struct unit, count + jobs);
	for (size_t i = 0; i < count; i++) {
		if (placed[i])
			continue;
		const struct candidate **member = ARENA_ARRAY(farm->arena, const struct candidate *, count - i);
		struct compiled **answer = ARENA_ARRAY(farm->arena, struct compiled *, count - i);
		struct unit group = { .lang = lang_find(candidate[i]->lang), .target = target_find(candidate[i]->target, err),
				      .candidate = member, .out = answer };
		if (!group.lang)
			strbuf_addf(err, "unknown language '%s'", candidate[i]->lang);
		if (!group.lang || !group.target)
			return -1;
		struct strbuf why = STRBUF_INIT;
		if (version_of(farm, group.lang, &group.version, &why))
			return -1;
		for (size_t k = i; k < count; k++)
			if (!placed[k] && may_share(candidate[k], candidate[i])) {
				placed[k] = true;
				member[group.count] = candidate[k];
				answer[group.count++] = &out[k];
			}
		if (group.version)
			add_units(farm, &group, options, jobs);
		for (size_t k = 0; k < group.count && !group.version; k++)
			*answer[k] = (struct compiled){ .is_missing = true, .log = arena_strdup(farm->arena, why.buf) };
		strbuf_release(&why);
	}
	return 0;
}

int compile_all(struct arena *arena, const struct candidate *const *candidate, size_t count,
		const struct compile_options *options, struct compiled *out, struct strbuf *err)
{
	struct farm farm = { .arena = arena, .folder = options->cache_folder, .err = err,
			     .wall_limit_s = options->wall_s > 0 ? options->wall_s : 120 };
	pthread_t thread[64];
	int jobs = options->jobs < 1 ? 1 : options->jobs > 64 ? 64 : options->jobs, started = 0;

	if (!count)
		return 0;
	if (plan_units(&farm, candidate, count, options, (size_t)jobs, out, err))
		return -1;
	pthread_mutex_init(&farm.lock, NULL);
	while (started < jobs && !pthread_create(&thread[started], NULL, work, &farm))
		started++;
	if (!started)
		work(&farm);
	while (started > 0)
		pthread_join(thread[--started], NULL);
	pthread_mutex_destroy(&farm.lock);
	return farm.failed ? -1 : 0;
}

/* ---- with sanitizers ------------------------------------------------- */

/* At -O1: what is dead is not yet gone.  The last word on each counts. */
#define SANITIZED " -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -ftrivial-auto-var-init=pattern " \
		  "-Wl,-z,undefs"

static char **words_of_sanitized(struct arena *arena, const void *user, const char *in, const char *out)
{
	const struct lang_words *w = user;
	return command_words(arena, arena_printf(arena, "%s" SANITIZED, w->lang->compile), w->target, in, out);
}

int compile_sanitized(struct arena *arena, const struct candidate *c, struct compiled *out, struct strbuf *err)
{
	const struct lang_words words = { lang_find(c->lang), target_find(c->target, err) };
	struct strbuf text = STRBUF_INIT, from = STRBUF_INIT, made = STRBUF_INIT, log = STRBUF_INIT;
	int ret = -1;

	if (!words.lang || !words.target)
		return -1;
	const struct command command = { words_of_sanitized, &words, words.lang->suffix, 300 };
	const char *version = compile_version(arena, arena_strndup(arena, words.lang->compile, strcspn(words.lang->compile, " ")), err);
	if (!version)
		return -1;
	int64_t start_ns = clock_ns();
	strbuf_addf(&text, "%s%s", c->prologue, c->source);
	strbuf_addf(&from, "%s" SANITIZED "\n%s\n%s\n%s", words.lang->compile, words.target->name, version, text.buf);
	const struct cache_key key = cache_key(NULL, "kernel.so", &from);
	const char *path = cache_find(arena, &key);
	int got = path ? 1 : compile_text(arena, &command, text.buf, &made, &log, err);
	if (!path && got == 1)
		path = cache_keep(arena, &key, made.buf, made.len, err);
	if (path || !got) {
		*out = (struct compiled){ .ok = path, .artifact = path, .log = arena_strdup(arena, log.buf), .compile_s = (double)(clock_ns() - start_ns) * 1e-9 };
		ret = 0;
	}
	strbuf_release(&text);
	strbuf_release(&from);
	strbuf_release(&made);
	strbuf_release(&log);
	return ret;
}

/* ---- trusted sources ------------------------------------------------- */

static char **words_of_command(struct arena *arena, const void *user, const char *in, const char *out)
{
	static const struct target none = { .march = "" };
	struct strbuf command = STRBUF_INIT;

	strbuf_addf(&command, "%s -shared -fPIC -o %%out %%in -lm", (const char *)user);
	char **words = command_words(arena, arena_strdup(arena, command.buf), &none, in, out);
	strbuf_release(&command);
	return words;
}

int compile_trusted(struct arena *arena, const char *source, const char *flags,
		    const char **artifact, struct strbuf *err)
{
	struct strbuf from = STRBUF_INIT, made = STRBUF_INIT, log = STRBUF_INIT;

	char *compiler = arena_strndup(arena, flags, strcspn(flags, " "));
	const char *version = compile_version(arena, compiler, err);
	if (!version)
		return -1;
	const struct command command = { words_of_command, flags, "c", 300 };
	strbuf_addf(&from, "trusted %s\n%s\n%s", flags, version, source);
	const struct cache_key key = cache_key(NULL, "kernel.so", &from);
	const char *path = cache_find(arena, &key);
	if (!path) {
		int ret = compile_text(arena, &command, source, &made, &log, err);
		if (!ret)
			strbuf_addf(err, "'%s' refused our own source: %.*s", flags, (int)strcspn(log.buf, "\n"), log.buf);
		path = ret == 1 ? cache_keep(arena, &key, made.buf, made.len, err) : NULL;
	}
	if (path)
		*artifact = path;
	strbuf_release(&from);
	strbuf_release(&made);
	strbuf_release(&log);
	return path ? 0 : -1;
}
