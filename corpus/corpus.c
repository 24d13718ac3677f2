#include "corpus/corpus.h"
#include "corpus/index.h"
#include "generate/target.h"
#include "ops/core/launch.h"
#include "ops/core/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct corpus {
	struct arena arena;
	struct entry *entry;
	size_t count;
};

struct corpus_handle {
	struct arena arena;
	struct entry entry;
	const struct launcher *launcher;
	struct kernel *kernel;
	int64_t *dim;   /* in the plan's order */
	int *tensor;    /* plan buffer -> position in the operator's table, -1: temporary */
	void **buffer;  /* what the launcher is given */
};

/* Of the thread, so that lookups in several threads do not share it. */
static _Thread_local char last_error[512];

const char *corpus_error(void) { return last_error; }

const char *corpus_status_text(enum corpus_status status)
{
	static const char *const text[] = {
		[CORPUS_OK] = "done",
		[CORPUS_MISSING] = "no kernel serves the key",
		[CORPUS_IO] = "a file could not be read",
		[CORPUS_CORRUPT] = "a file does not hold what its hash says, or cannot be parsed",
		[CORPUS_MEMORY] = "out of memory",
		[CORPUS_ARGUMENT] = "a missing argument, or a name the operator does not have",
		[CORPUS_LOAD] = "the artifact could not be loaded on this machine",
		[CORPUS_LAUNCH] = "the kernel refused the call",
	};
	return (size_t)status < ARRAY_SIZE(text) ? text[status] : "unknown status";
}

static enum corpus_status fail(enum corpus_status status, const char *fmt, ...) PRINTF(2, 3);
static enum corpus_status fail(enum corpus_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_error, sizeof(last_error), fmt, ap);
	va_end(ap);
	return status;
}

static enum corpus_status open_all(struct corpus *corpus, const char *folder, struct strbuf *err)
{
	struct entry_list list = { 0 };
	enum corpus_status status = entry_find_all(&corpus->arena, folder, &list, err);

	corpus->entry = ARENA_ARRAY(&corpus->arena, struct entry, list.count + 1);
	for (size_t i = 0; i < list.count && !status; i++) {
		status = entry_read(&corpus->arena, list.folder[i], &corpus->entry[i], err);
		corpus->count = i + 1;
	}
	return status;
}

enum corpus_status corpus_open(const char *folder, struct corpus **out)
{
	struct corpus *corpus;
	struct strbuf err = STRBUF_INIT;
	struct memory_guard guard;
	volatile enum corpus_status status = CORPUS_MEMORY; /* kept across the jump */

	if (!folder || !out)
		return fail(CORPUS_ARGUMENT, "corpus_open() wants a folder and a place for the corpus");
	corpus = calloc(1, sizeof(*corpus));
	if (!corpus)
		return fail(CORPUS_MEMORY, "out of memory");
	memory_guard_push(&guard);
	if (!setjmp(guard.back))
		status = open_all(corpus, folder, &err);
	memory_guard_pop(&guard);
	if (status) {
		fail(status, "%s", err.len ? err.buf : corpus_status_text(status));
		corpus_close(corpus);
	} else {
		*out = corpus;
	}
	strbuf_release(&err);
	return status;
}

void corpus_close(struct corpus *corpus)
{
	if (!corpus)
		return;
	arena_release(&corpus->arena);
	free(corpus);
}

size_t corpus_count(const struct corpus *corpus) { return corpus ? corpus->count : 0; }

static void describe(const struct entry *e, bool is_exact, struct corpus_kernel *kernel)
{
	*kernel = (struct corpus_kernel){
		.id = e->id, .op = e->op, .dtype = e->dtype, .target = e->target, .lang = e->lang, .folder = e->folder,
		.problem = e->problem, .is_exact = is_exact, .time_ns = e->time_ns, .baseline_ratio = e->baseline_ratio,
		.sol_ratio = e->sol_ratio, .tolerance_ratio = e->tolerance_ratio,
	};
}

enum corpus_status corpus_at(const struct corpus *corpus, size_t i, struct corpus_kernel *kernel)
{
	if (!corpus || !kernel || i >= corpus->count)
		return fail(CORPUS_ARGUMENT, "corpus_at() wants a position below %zu", corpus_count(corpus));
	describe(&corpus->entry[i], true, kernel);
	return CORPUS_OK;
}

/* The key's value of a name (case does not matter), or NULL. */
static const double *bound(const struct corpus_key *key, const char *name)
{
	for (size_t i = 0; i < key->binding_count; i++)
		if (key->binding[i].name && !strcasecmp(key->binding[i].name, name))
			return &key->binding[i].value;
	return NULL;
}

/* How far an entry came in matching, for the message when none matched. */
enum stage { AT_OP, AT_DTYPE, AT_TARGET, AT_THREADS, AT_NAMES, AT_ATTRS, AT_STATIC, AT_REGION, AT_MATCH };

static bool names_known(const struct corpus_key *key, const struct entry *e)
{
	for (size_t i = 0; i < e->dim_count; i++)
		if (!bound(key, e->dim[i].name))
			return false;
	for (size_t i = 0; i < key->binding_count; i++) {
		bool known = false;
		for (size_t k = 0; k < e->dim_count; k++)
			known |= !strcasecmp(key->binding[i].name, e->dim[k].name);
		for (size_t k = 0; k < e->attr_count; k++)
			known |= !strcasecmp(key->binding[i].name, e->attr[k].name);
		if (!known)
			return false;
	}
	return true;
}

static int target_rank(const struct corpus_key *key, const struct target *native, const struct entry *e)
{
	if (key->target)
		return strcmp(key->target, e->target) ? -1 : 0;
	return entry_target_rank(e, native);
}

/* Values of the plan's dimensions in the key; every entry dimension is bound (names_known). */
static void plan_dims(const struct corpus_key *key, const struct plan *plan, int64_t *dim)
{
	for (size_t i = 0; i < plan->dim_count; i++)
		dim[i] = (int64_t)*bound(key, plan->dim[i]);
}

static bool attrs_match(const struct corpus_key *key, const struct entry *e)
{
	for (size_t i = 0; i < e->attr_count; i++) {
		const double *asked = bound(key, e->attr[i].name);
		double want = asked ? *asked : e->attr[i].standard;
		if (want != e->attr[i].value)
			return false;
	}
	return true;
}

static enum stage match(const struct corpus_key *key, const struct target *native, const struct entry *e)
{
	int64_t dim[ENTRY_MAX_DIMS];

	if (strcmp(key->op, e->op))
		return AT_OP;
	if (strcmp(key->dtype, e->dtype))
		return AT_DTYPE;
	if (target_rank(key, native, e) < 0)
		return AT_TARGET;
	if ((key->threads ? key->threads : 1) != e->threads)
		return AT_THREADS;
	if (!names_known(key, e))
		return AT_NAMES;
	if (!attrs_match(key, e))
		return AT_ATTRS;
	for (size_t i = 0; i < e->dim_count; i++)
		if (e->dim[i].is_static && *bound(key, e->dim[i].name) != (double)e->dim[i].value)
			return AT_STATIC;
	plan_dims(key, &e->plan, dim);
	return plan_accepts(&e->plan, dim, NULL) ? AT_MATCH : AT_REGION;
}

/* 0 at the very shape; grows with the ratio of extents. */
static double distance(const struct corpus_key *key, const struct entry *e)
{
	double sum = 0;

	for (size_t i = 0; i < e->dim_count; i++) {
		double d = log((*bound(key, e->dim[i].name) + 1) / ((double)e->dim[i].value + 1));
		sum += d * d;
	}
	return sum;
}

static void list_once(const struct corpus *corpus, size_t offset, const char *op, struct strbuf *out)
{
	const char *last = "";

	for (size_t i = 0; i < corpus->count; i++) {
		const struct entry *e = &corpus->entry[i];
		const char *word = *(const char *const *)((const char *)e + offset);
		if ((op && strcmp(e->op, op)) || !strcmp(word, last) || strstr(out->buf, word))
			continue;
		strbuf_addf(out, "%s%s", *last ? ", " : "", word);
		last = word;
	}
}

/* Why nothing serves the key: the condition that failed last, over the entry that came furthest. */
static enum corpus_status missing(const struct corpus *corpus, const struct corpus_key *key, enum stage stage, const struct entry *e)
{
	struct strbuf known = STRBUF_INIT, why = STRBUF_INIT;
	enum corpus_status status = CORPUS_MISSING;
	int64_t dim[ENTRY_MAX_DIMS];

	switch (stage) {
	case AT_OP:
		list_once(corpus, offsetof(struct entry, op), NULL, &known);
		fail(status, "the corpus has no operator '%s'%s%s", key->op, known.len ? ": it has " : ", it is empty", known.buf);
		break;
	case AT_DTYPE:
		list_once(corpus, offsetof(struct entry, dtype), key->op, &known);
		fail(status, "no kernel of '%s' has dtype '%s': there are %s", key->op, key->dtype, known.buf);
		break;
	case AT_TARGET:
		list_once(corpus, offsetof(struct entry, target), key->op, &known);
		if (key->target)
			fail(status, "no kernel of '%s' is for target '%s': there are %s", key->op, key->target, known.buf);
		else
			fail(status, "no kernel of '%s' is for this machine: there are %s", key->op, known.buf);
		break;
	case AT_THREADS:
		fail(status, "no kernel of '%s' is for %d threads: nearest '%s' is for %d", key->op, key->threads ? key->threads : 1, e->id, e->threads);
		break;
	case AT_NAMES:
		status = CORPUS_ARGUMENT;
		for (size_t i = 0; i < e->dim_count; i++)
			strbuf_addf(&known, " %s", e->dim[i].name);
		strbuf_addstr(&known, e->attr_count ? "; may be given:" : "");
		for (size_t i = 0; i < e->attr_count; i++)
			strbuf_addf(&known, " %s", e->attr[i].name);
		fail(status, "a name is missing or unknown: '%s' wants%s", key->op, known.buf);
		break;
	case AT_ATTRS:
		fail(status, "no kernel of '%s' has these attributes: nearest '%s' has %s", key->op, e->id, kv_find(&e->kv, "attrs"));
		break;
	case AT_STATIC:
		fail(status, "no kernel of '%s' was compiled for these values of %s: nearest '%s' is for %s", key->op,
		     kv_find(&e->kv, "static_dims"), e->id, kv_find(&e->kv, "dims"));
		break;
	case AT_REGION:
	case AT_MATCH:
		plan_dims(key, &e->plan, dim);
		plan_accepts(&e->plan, dim, &why);
		fail(status, "no kernel of '%s' accepts this shape: nearest '%s' requires %s", key->op, e->id, why.buf);
		break;
	}
	strbuf_release(&known);
	strbuf_release(&why);
	return status;
}

/* The entry that serves the key best: own target first, then the nearest shape, then the faster against its baseline. */
static enum corpus_status choose(const struct corpus *corpus, const struct corpus_key *key, const struct entry **chosen, bool *is_exact)
{
	const struct target *native = key->target ? NULL : target_of_this_machine();
	const struct entry *best = NULL, *nearest = NULL;
	enum stage furthest = AT_OP;
	double best_distance = 0;

	for (size_t i = 0; i < corpus->count; i++) {
		const struct entry *e = &corpus->entry[i];
		enum stage stage = match(key, native, e);
		if (stage != AT_MATCH) {
			if (!nearest || stage > furthest ||
			    (stage == AT_REGION && furthest == AT_REGION && distance(key, e) < distance(key, nearest))) {
				nearest = e;
				furthest = stage;
			}
			continue;
		}
		int rank = target_rank(key, native, e), best_rank = best ? target_rank(key, native, best) : 0;
		double d = distance(key, e);
		if (!best || rank < best_rank ||
		    (rank == best_rank && (d < best_distance || (d == best_distance && e->baseline_ratio > best->baseline_ratio)))) {
			best = e;
			best_distance = d;
		}
	}
	if (!best)
		return missing(corpus, key, furthest, nearest);
	*chosen = best;
	*is_exact = best_distance == 0;
	return CORPUS_OK;
}

static enum corpus_status check_key(const struct corpus *corpus, const struct corpus_key *key)
{
	if (!corpus || !key || !key->op || !key->dtype || (key->binding_count && !key->binding))
		return fail(CORPUS_ARGUMENT, "a corpus and a key with op and dtype are wanted");
	for (size_t i = 0; i < key->binding_count; i++) {
		const struct corpus_binding *b = &key->binding[i];
		if (!b->name || !isfinite(b->value))
			return fail(CORPUS_ARGUMENT, "binding %zu has no name or no finite value", i);
	}
	return CORPUS_OK;
}

/* choose(), with lack of memory as a status. */
static enum corpus_status find(const struct corpus *corpus, const struct corpus_key *key, const struct entry **e, bool *is_exact)
{
	struct memory_guard guard;
	volatile enum corpus_status status = check_key(corpus, key);

	if (status)
		return status;
	status = CORPUS_MEMORY;
	memory_guard_push(&guard);
	if (!setjmp(guard.back))
		status = choose(corpus, key, e, is_exact);
	else
		fail(status, "%s", corpus_status_text(status));
	memory_guard_pop(&guard);
	return status;
}

enum corpus_status corpus_find(const struct corpus *corpus, const struct corpus_key *key,
			       struct corpus_kernel *kernel)
{
	const struct entry *e;
	bool is_exact;

	if (!kernel)
		return fail(CORPUS_ARGUMENT, "corpus_find() wants a place for the kernel");
	enum corpus_status status = find(corpus, key, &e, &is_exact);
	if (!status)
		describe(e, is_exact, kernel);
	return status;
}

static enum corpus_status load(struct corpus_handle *h, const struct entry *found, const struct corpus_key *key, struct strbuf *err)
{
	enum corpus_status status;

	/* Read again into the handle's own memory: a handle may outlive its corpus. */
	const char *folder = arena_strdup(&h->arena, found->folder);
	if ((status = entry_read(&h->arena, folder, &h->entry, err)) || (status = entry_check_file(&h->entry, h->entry.artifact, err)))
		return status;
	if (!names_known(key, &h->entry)) {
		strbuf_addf(err, "'%s' changed since the corpus was opened", folder);
		return CORPUS_CORRUPT;
	}
	const struct plan *plan = &h->entry.plan;
	h->launcher = launcher_find(plan->artifact);
	if (!h->launcher) {
		strbuf_addf(err, "this build launches no artifact of kind '%s'", plan->artifact);
		return CORPUS_LOAD;
	}
	h->dim = ARENA_ARRAY(&h->arena, int64_t, plan->dim_count + 1);
	h->tensor = ARENA_ARRAY(&h->arena, int, plan->buffer_count + 1);
	h->buffer = ARENA_ARRAY(&h->arena, void *, plan->buffer_count + 1);
	plan_dims(key, plan, h->dim);
	for (size_t b = 0; b < plan->buffer_count; b++) {
		h->tensor[b] = -1;
		for (size_t t = 0; t < h->entry.tensor_count; t++)
			if (plan->buffer[b].role != PLAN_TMP && !strcmp(plan->buffer[b].name, h->entry.tensor[t]))
				h->tensor[b] = (int)t;
	}
	const char *artifact = arena_printf(&h->arena, "%s/%s", folder, h->entry.artifact);
	h->kernel = h->launcher->open(plan, artifact, h->entry.threads, err);
	return h->kernel ? CORPUS_OK : CORPUS_LOAD;
}

enum corpus_status corpus_load(const struct corpus *corpus, const struct corpus_key *key,
			       struct corpus_handle **out)
{
	const struct entry *found;
	bool is_exact;
	struct strbuf err = STRBUF_INIT;
	struct memory_guard guard;

	if (!out)
		return fail(CORPUS_ARGUMENT, "corpus_load() wants a place for the handle");
	volatile enum corpus_status status = find(corpus, key, &found, &is_exact);
	if (status)
		return status;
	struct corpus_handle *h = calloc(1, sizeof(*h));
	if (!h)
		return fail(CORPUS_MEMORY, "out of memory");
	status = CORPUS_MEMORY;
	memory_guard_push(&guard);
	if (!setjmp(guard.back))
		status = load(h, found, key, &err);
	memory_guard_pop(&guard);
	if (status) {
		fail(status, "%s", err.len ? err.buf : corpus_status_text(status));
		corpus_unload(h);
	} else {
		*out = h;
	}
	strbuf_release(&err);
	return status;
}

enum corpus_status corpus_launch(struct corpus_handle *handle, void *const *buffer)
{
	struct strbuf err = STRBUF_INIT;
	struct memory_guard guard;
	volatile enum corpus_status status = CORPUS_MEMORY;

	if (!handle || !buffer)
		return fail(CORPUS_ARGUMENT, "corpus_launch() wants a handle and buffers");
	for (size_t b = 0; b < handle->entry.plan.buffer_count; b++) {
		int t = handle->tensor[b];
		if (t >= 0 && !buffer[t])
			return fail(CORPUS_ARGUMENT, "buffer %d ('%s') is NULL", t, handle->entry.tensor[t]);
		handle->buffer[b] = t < 0 ? NULL : buffer[t];
	}
	memory_guard_push(&guard);
	if (!setjmp(guard.back))
		status = handle->launcher->run(handle->kernel, handle->buffer, handle->dim, &err) ? CORPUS_LAUNCH : CORPUS_OK;
	memory_guard_pop(&guard);
	if (status)
		fail(status, "%s", err.len ? err.buf : corpus_status_text(status));
	strbuf_release(&err);
	return status;
}

void corpus_unload(struct corpus_handle *handle)
{
	if (!handle)
		return;
	if (handle->kernel)
		handle->launcher->close(handle->kernel);
	arena_release(&handle->arena);
	free(handle);
}
