/* trace.c: the frames of many journals as one ordered set of records. */
#include "evaluate/journal.h"
#include "evaluate/trace_schema.h"
#include "ops/core/diag.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TABLE(kind_struct, member, group, text) \
	{ group, text, sizeof(struct kind_struct), offsetof(struct record, member), \
	  offsetof(struct trace, member), offsetof(struct trace, member##_count) }
const struct trace_table trace_tables[RECORD_KIND_COUNT] = {
	[RECORD_ENVIRONMENT] = TABLE(environment, environment, "environments", "machines, tools and measuring protocols"),
	[RECORD_CANDIDATE] = TABLE(candidate, candidate, "candidates", "kernels that were tried"),
	[RECORD_EVALUATION] = TABLE(evaluation, evaluation, "evaluations", "trials, in the order they were made"),
	[RECORD_BASELINE] = TABLE(baseline_record, baseline, "baselines", "times of what a user could have instead"),
	[RECORD_DUEL] = TABLE(duel, duel, "duels", "interleaved pairs of two kernels"),
	[RECORD_WINNER] = TABLE(winner, winner, "winners", "the fastest verified candidate of each problem"),
	[RECORD_STOP] = TABLE(stop, stop, "stops", "why searches ended"),
	[RECORD_JUDGEMENT] = TABLE(judgement, judgement, "judgements", "kernels judged from outside their process"),
	[RECORD_EXCHANGE] = TABLE(exchange, exchange, "exchanges", "what language models were asked and answered, in the order of asking"),
};

/* Records of one kind while they are collected. */
struct pile {
	struct record **record;
	size_t count, capacity;
	size_t journal_start; /* first one of the journal being read */
};
struct collector {
	struct arena *arena;
	struct pile pile[RECORD_ALL_COUNT];
};

static void pile_add(struct pile *pile, struct record *record)
{
	if (pile->count == pile->capacity) {
		pile->capacity = pile->capacity ? 2 * pile->capacity : 64;
		pile->record = realloc(pile->record, pile->capacity * sizeof(*pile->record));
		if (!pile->record)
			die("out of memory for %zu records", pile->capacity);
	}
	pile->record[pile->count++] = record;
}

static const char *record_problem(const struct record *record)
{
	for (const struct field *f = record_fields(record->kind); f->name; f++)
		if (f->type == FIELD_PROBLEM)
			return *(const char *const *)((const char *)record + trace_tables[record->kind].offset + f->offset);
	return "";
}

static int collect(const struct record *record, void *user)
{
	struct collector *c = user;
	struct pile *pile = &c->pile[record->kind];
	struct record *copy = arena_alloc(c->arena, sizeof(*copy));

	*copy = *record;
	/* A later winner or stop of the same journal replaces the earlier. */
	if (record->kind == RECORD_WINNER || record->kind == RECORD_STOP)
		for (size_t i = pile->journal_start; i < pile->count; i++)
			if (!strcmp(record_problem(pile->record[i]), record_problem(record))) {
				pile->record[i] = copy;
				return 0;
			}
	pile_add(pile, copy);
	return 0;
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

static int by_text(const struct record *a, const struct record *b)
{
	struct strbuf ta = STRBUF_INIT, tb = STRBUF_INIT;

	record_write(a, &ta);
	record_write(b, &tb);
	int order = strcmp(ta.buf, tb.buf);
	strbuf_release(&ta);
	strbuf_release(&tb);
	return order;
}

/* The order of rows; a total order, so that it does not depend on the order of journals. */
static int by_order(const void *pa, const void *pb)
{
	const struct record *a = *(struct record *const *)pa, *b = *(struct record *const *)pb;
	int order = strcmp(record_problem(a), record_problem(b));

	if (order)
		return order;
	switch (a->kind) {
	case RECORD_ENVIRONMENT:
		order = strcmp(a->environment.id, b->environment.id);
		order = order ? order : COMPARE(a->environment.start_ns, b->environment.start_ns);
		break;
	case RECORD_CANDIDATE:
		order = strcmp(a->candidate.target, b->candidate.target);
		order = order ? order : COMPARE(a->candidate.generation, b->candidate.generation);
		order = order ? order : strcmp(a->candidate.id, b->candidate.id);
		break;
	case RECORD_EVALUATION:
		order = COMPARE(a->evaluation.start_ns, b->evaluation.start_ns);
		order = order ? order : COMPARE(a->evaluation.elapsed_s, b->evaluation.elapsed_s);
		break;
	case RECORD_WINNER: /* slowest first: readers that keep the last keep the fastest */
		order = COMPARE(b->winner.time_ns, a->winner.time_ns);
		break;
	case RECORD_EXCHANGE:
		order = strcmp(a->exchange.target, b->exchange.target);
		order = order ? order : COMPARE(a->exchange.start_ns, b->exchange.start_ns);
		break;
	case RECORD_STOP:
		order = COMPARE(a->stop.evaluations, b->stop.evaluations);
		break;
	default:
		break;
	}
	return order ? order : by_text(a, b);
}

/* Equal things next to each other, the one to keep first. */
static int by_identity(const void *pa, const void *pb)
{
	const struct record *a = *(struct record *const *)pa, *b = *(struct record *const *)pb;
	int order = strcmp(a->candidate.id, b->candidate.id);

	order = order ? order : strcmp(a->candidate.problem, b->candidate.problem);
	return order ? order : by_order(pa, pb);
}

static bool is_same(const struct record *a, const struct record *b)
{
	switch (a->kind) {
	case RECORD_ENVIRONMENT:
		return !strcmp(a->environment.id, b->environment.id);
	case RECORD_CANDIDATE:
		return !strcmp(a->candidate.id, b->candidate.id) && !strcmp(a->candidate.problem, b->candidate.problem);
	default:
		return !by_text(a, b);
	}
}

static void unique(struct pile *pile)
{
	size_t kept = 0;

	for (size_t i = 0; i < pile->count; i++)
		if (!kept || !is_same(pile->record[kept - 1], pile->record[i]))
			pile->record[kept++] = pile->record[i];
	pile->count = kept;
}

static void arrange(struct arena *arena, struct pile *pile, enum record_kind kind, struct trace *trace)
{
	const struct trace_table *table = &trace_tables[kind];

	if (pile->count) {
		qsort(pile->record, pile->count, sizeof(*pile->record), kind == RECORD_CANDIDATE ? by_identity : by_order);
		unique(pile);
		qsort(pile->record, pile->count, sizeof(*pile->record), by_order);
	}
	char *rows = arena_alloc(arena, (pile->count + 1) * table->size);
	for (size_t i = 0; i < pile->count; i++)
		memcpy(rows + i * table->size, (const char *)pile->record[i] + table->offset, table->size);
	*trace_rows(trace, kind) = rows;
	*trace_count(trace, kind) = pile->count;
}

int trace_from_journals(struct arena *arena, const char *const *journal_path, size_t count,
			struct trace *trace, struct strbuf *err)
{
	struct collector c = { .arena = arena };
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++) {
		for (int k = 0; k < RECORD_KIND_COUNT; k++)
			c.pile[k].journal_start = c.pile[k].count;
		ret = journal_each(arena, journal_path[i], collect, &c, NULL, err);
	}
	if (!ret) {
		memset(trace, 0, sizeof(*trace));
		for (int k = 0; k < RECORD_KIND_COUNT; k++)
			arrange(arena, &c.pile[k], (enum record_kind)k, trace);
		const struct pile *starts = &c.pile[RECORD_START];
		trace->start = ARENA_ARRAY(arena, struct start, starts->count + 1);
		while (trace->start_count < starts->count) {
			trace->start[trace->start_count] = starts->record[trace->start_count]->start;
			trace->start_count++;
		}
	}
	for (int k = 0; k < RECORD_ALL_COUNT; k++)
		free(c.pile[k].record);
	return ret;
}

int trace_pack(const char *const *journal_path, size_t count, const char *path, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct trace trace;
	int ret = trace_from_journals(&arena, journal_path, count, &trace, err);

	if (!ret)
		ret = trace_write(&trace, path, err);
	arena_release(&arena);
	return ret;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_add(struct arena *arena, struct path_list *list, const char *path)
{
	if (!(list->count & (list->count - 1))) {
		const char **grown = ARENA_ARRAY(arena, const char *, 2 * list->count + 1);
		if (list->count)
			memcpy(grown, list->path, list->count * sizeof(*grown));
		list->path = grown;
	}
	list->path[list->count++] = path;
}

static int walk(struct arena *arena, const char *folder, struct path_list *list, struct strbuf *err)
{
	DIR *dir = opendir(folder);
	int ret = 0;

	if (!dir) {
		strbuf_addf(err, "cannot read folder '%s': %s", folder, strerror(errno));
		return -1;
	}
	for (struct dirent *e; !ret && (e = readdir(dir));) {
		struct stat st;
		if (e->d_name[0] == '.')
			continue;
		const char *path = arena_printf(arena, "%s/%s", folder, e->d_name);
		if (lstat(path, &st))
			continue; /* vanished meanwhile */
		if (S_ISDIR(st.st_mode))
			ret = walk(arena, path, list, err);
		else if (S_ISREG(st.st_mode) && !strcmp(e->d_name, "journal"))
			list_add(arena, list, path);
	}
	closedir(dir);
	return ret;
}

int trace_find_journals(struct arena *arena, const char *path, struct path_list *list,
			struct strbuf *err)
{
	struct stat st;

	if (stat(path, &st)) {
		strbuf_addf(err, "cannot read '%s': %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISDIR(st.st_mode))
		list_add(arena, list, arena_strdup(arena, path));
	else if (walk(arena, path, list, err))
		return -1;
	if (list->count)
		qsort(list->path, list->count, sizeof(*list->path), by_path);
	return 0;
}

const struct candidate *trace_candidate(const struct trace *trace, const char *id, const char *problem)
{
	size_t lo = 0, hi = trace->candidate_count;

	while (lo < hi) { /* the first of the problem: problems lie together, in order */
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(trace->candidate[mid].problem, problem) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i < trace->candidate_count && !strcmp(trace->candidate[i].problem, problem); i++)
		if (!strcmp(trace->candidate[i].id, id))
			return &trace->candidate[i];
	return NULL;
}
