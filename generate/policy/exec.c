/*
 * exec: asks a program outside, in any language, for candidates: --policy=exec:PROGRAM, or 'exec:PROGRAM ARGUMENT...'.
 * What is said, and what answers mean, is told in generate/ask.h.
 *
 * No shell: the words between blanks are the program, looked up in PATH, and its arguments.  It is given what this tool's
 * environment has but for the variables of the language model's path.
 */
#include "generate/ask.h"
#include "ops/core/proc.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WORDS = 64, MOST_ASKS = 3, OUTPUT_BYTES = 16 << 20 };

static double seconds(void)
{
	const char *text = getenv("KM_EXEC_SECONDS");
	double value = text ? strtod(text, NULL) : 0;

	return value > 0 && value < 1e6 ? value : 120;
}

/* Splits at blanks; false: there is no word, or there are too many. */
static bool split(struct arena *arena, const char *text, char *argv[MOST_WORDS + 1])
{
	size_t count = 0;

	for (const char *s = text + strspn(text, " "); *s; s += strspn(s, " ")) {
		size_t n = strcspn(s, " ");
		if (count == MOST_WORDS)
			return false;
		argv[count++] = arena_strndup(arena, s, n);
		s += n;
	}
	argv[count] = NULL;
	return count > 0;
}

/* "exec:bayes.py": who proposed, in the traces. */
static const char *label(struct arena *arena, const char *program)
{
	const char *slash = strrchr(program, '/');
	struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "exec:");
	for (const char *s = slash ? slash + 1 : program; *s && text.len < 40; s++)
		strbuf_addch(&text, (*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || strchr("._-", *s) ? *s : '_');
	const char *kept = arena_strdup(arena, text.buf);
	strbuf_release(&text);
	return kept;
}

/* The last line of what it said of itself, and no more of it than fits a line of ours. */
static const char *last_words(struct strbuf *said)
{
	while (said->len && strchr(" \t\r\n", said->buf[said->len - 1]))
		said->buf[--said->len] = 0;
	const char *line = strrchr(said->buf, '\n');
	line = line ? line + 1 : said->buf;
	for (char *s = said->buf; *s; s++)
		*s = (unsigned char)*s < ' ' || *s == 0x7f ? ' ' : *s;
	return strlen(line) > 200 ? line + strlen(line) - 200 : line;
}

/* One question.  True: *answer; false: *why it has none. */
static bool ask(char *const argv[], const char *question, struct strbuf *answer, struct strbuf *why)
{
	const struct proc_limits limits = { .wall_s = seconds(), .output_bytes = OUTPUT_BYTES, .hidden = "KM_LLM_" };
	struct proc_result result;
	struct strbuf said = STRBUF_INIT;
	bool ok = false;

	if (proc_run(argv, question, &limits, &result, answer, &said, why))
		;
	else if (result.timed_out)
		strbuf_addf(why, "it took more than %.6g s", limits.wall_s);
	else if (result.signal)
		strbuf_addf(why, "signal %d ended it", result.signal);
	else if (result.exit_code)
		strbuf_addf(why, "exit code %d%s%s", result.exit_code, said.len ? ": " : "", last_words(&said));
	else if (answer->len >= OUTPUT_BYTES)
		strbuf_addf(why, "it said more than %d MiB", OUTPUT_BYTES >> 20);
	else if (strlen(answer->buf) != answer->len)
		strbuf_addstr(why, "its answer is no text");
	else
		ok = true;
	strbuf_release(&said);
	return ok;
}

/* What the first "refused" line says. */
static const char *first_refusal(const char *refused)
{
	const char *at = strstr(refused, "\"line\":");

	return at ? at : "";
}

static size_t propose(struct arena *arena, const struct search *search, struct rng *rng, size_t want, struct proposal *out,
		      struct strbuf *err)
{
	struct strbuf told = STRBUF_INIT, refused = STRBUF_INIT, why = STRBUF_INIT;
	char *argv[MOST_WORDS + 1];
	uint64_t seed = rng_next(rng);
	size_t count = 0;

	if (!split(arena, search->argument, argv)) {
		strbuf_addf(err, "policy exec wants a program of at most %d words: --policy=exec:PROGRAM", MOST_WORDS);
		return 0;
	}
	ask_write(arena, search, &told);
	for (int asks = 0; asks < MOST_ASKS && !count && !why.len; asks++) {
		struct strbuf question = STRBUF_INIT, answer = STRBUF_INIT;
		strbuf_addf(&question, "%s%s", told.buf, refused.buf);
		ask_write_end(want, seed, &question);
		strbuf_reset(&refused);
		if (ask(argv, question.buf, &answer, &why))
			ask_read(arena, search, answer.buf, out, &count, want, &refused);
		if (!count && !why.len && !refused.len)
			strbuf_addstr(&why, "it answered nothing");
		strbuf_release(&question);
		strbuf_release(&answer);
	}
	if (!count) {
		const char *first = first_refusal(refused.buf);
		if (!why.len)
			strbuf_addf(&why, "nothing it answered can be tried: %.*s", (int)(strcspn(first, "}\n") < 300 ? strcspn(first, "}\n") : 300), first);
		strbuf_addf(err, "policy exec: '%s' proposed nothing: %s", argv[0], why.buf);
	}
	for (size_t i = 0; i < count; i++)
		out[i].policy = label(arena, argv[0]);
	strbuf_release(&told);
	strbuf_release(&refused);
	strbuf_release(&why);
	return count;
}

const struct policy policy_exec = {
	.name = "exec",
	.summary = "asks a program, --policy=exec:PROGRAM, for knobs, whole sources or candidates (generate/ask.h)",
	.is_outside = true,
	.propose = propose,
};
