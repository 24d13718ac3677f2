#include "corpus/index.h"
#include "generate/target.h"
#include "ops/core/words.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static enum corpus_status corrupt(struct strbuf *err, const char *folder, const char *why)
{
	strbuf_addf(err, "corpus entry '%s/entry' %s: promote or add it again", folder, why);
	return CORPUS_CORRUPT;
}

static size_t count_words(const char *text)
{
	size_t n = 0;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		text += strcspn(text, " ");
		n++;
	}
	return n;
}

/* The next word of *text, or NULL. */
static char *next_word(struct arena *arena, const char **text)
{
	const char *s = *text + strspn(*text, " ");
	size_t len = strcspn(s, " ");

	*text = s + len;
	return len ? arena_strndup(arena, s, len) : NULL;
}

/* "NAME=VALUE": cuts at '='; false when there is none or VALUE is no number. */
static bool split(char *word, double *value)
{
	char *equal = strchr(word, '='), *end;

	if (!equal || equal == word)
		return false;
	*equal = 0;
	*value = strtod(equal + 1, &end);
	return end != equal + 1 && !*end;
}

static bool read_dims(struct arena *arena, struct entry *e)
{
	const char *text = kv_find(&e->kv, "dims"), *fixed = kv_find(&e->kv, "static_dims");
	double value;

	e->dim = ARENA_ARRAY(arena, struct entry_dim, count_words(text) + 1);
	for (char *w; (w = next_word(arena, &text));) {
		if (!split(w, &value))
			return false;
		e->dim[e->dim_count++] = (struct entry_dim){ w, (int64_t)value, words_index(fixed, w) >= 0 };
	}
	return true;
}

static bool read_attrs(struct arena *arena, struct entry *e)
{
	const char *text = kv_find(&e->kv, "attrs"), *standard = kv_find(&e->kv, "attr_defaults");
	double value, is;

	e->attr = ARENA_ARRAY(arena, struct entry_attr, count_words(text) + 1);
	for (char *w; (w = next_word(arena, &text));) {
		char *d = next_word(arena, &standard);
		if (!split(w, &is) || !d || !split(d, &value) || strcmp(d, w))
			return false;
		e->attr[e->attr_count++] = (struct entry_attr){ w, is, value };
	}
	return true;
}

static bool read_number(const struct kv *kv, const char *key, double *value)
{
	const char *text = kv_find(kv, key);
	char *end;

	if (!text || !*text)
		return false;
	*value = strtod(text, &end);
	return !*end;
}

static enum corpus_status read_fields(struct arena *arena, struct entry *e, struct strbuf *err)
{
	static const char *const needed[] = { "format", "id", "op", "dtype", "target", "lang", "artifact", "problem", "dims",
					      "static_dims", "attrs", "attr_defaults", "tensors", "file.plan" };
	double threads;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!kv_find(&e->kv, needed[i])) {
			strbuf_addf(err, "corpus entry '%s/entry' lacks '%s': promote or add it again", e->folder, needed[i]);
			return CORPUS_CORRUPT;
		}
	if (strcmp(kv_find(&e->kv, "format"), CORPUS_FORMAT))
		return corrupt(err, e->folder, "has another format than this version reads");
	e->id = kv_find(&e->kv, "id");
	e->op = kv_find(&e->kv, "op");
	e->dtype = kv_find(&e->kv, "dtype");
	e->target = kv_find(&e->kv, "target");
	e->lang = kv_find(&e->kv, "lang");
	e->artifact = kv_find(&e->kv, "artifact");
	e->problem = kv_find(&e->kv, "problem");
	const char *tensors = kv_find(&e->kv, "tensors");
	e->tensor = ARENA_ARRAY(arena, const char *, count_words(tensors) + 1);
	for (char *w; (w = next_word(arena, &tensors));)
		e->tensor[e->tensor_count++] = w;
	if (!read_dims(arena, e) || !read_attrs(arena, e) || !read_number(&e->kv, "threads", &threads) ||
	    !read_number(&e->kv, "time_ns", &e->time_ns) || !read_number(&e->kv, "baseline_ratio", &e->baseline_ratio) ||
	    !read_number(&e->kv, "sol_ratio", &e->sol_ratio) || !read_number(&e->kv, "tolerance_ratio", &e->tolerance_ratio))
		return corrupt(err, e->folder, "has a value that is no number");
	if (strchr(e->artifact, '/'))
		return corrupt(err, e->folder, "names an artifact outside its folder");
	e->threads = (int)threads;
	return CORPUS_OK;
}

/* Every dimension of the plan must be one of the entry, and every buffer that is not temporary a tensor. */
static bool plan_fits(const struct entry *e)
{
	if (e->plan.dim_count > ENTRY_MAX_DIMS)
		return false;
	for (size_t i = 0; i < e->plan.dim_count; i++) {
		bool found = false;
		for (size_t k = 0; k < e->dim_count; k++)
			found |= !strcmp(e->plan.dim[i], e->dim[k].name);
		if (!found)
			return false;
	}
	for (size_t b = 0; b < e->plan.buffer_count; b++) {
		bool found = e->plan.buffer[b].role == PLAN_TMP;
		for (size_t k = 0; k < e->tensor_count && !found; k++)
			found = !strcmp(e->plan.buffer[b].name, e->tensor[k]);
		if (!found)
			return false;
	}
	return true;
}

/* What the store says of an entry, in the corpus's words. */
static enum corpus_status status_of(enum store_status status, struct strbuf *err)
{
	if (status == STORE_WHOLE)
		return CORPUS_OK;
	if (status == STORE_DAMAGED)
		strbuf_addstr(err, ": promote or add it again");
	return status == STORE_DAMAGED ? CORPUS_CORRUPT : CORPUS_IO;
}

enum corpus_status entry_check_file(const struct entry *entry, const char *name, struct strbuf *err)
{
	struct store_object object;
	struct strbuf data = STRBUF_INIT;
	enum store_status status = store_reopen(entry->folder, &entry->kv, &object, err);

	if (status == STORE_WHOLE)
		status = store_read(&object, name, &data, err);
	store_close(&object);
	strbuf_release(&data);
	return status_of(status, err);
}

enum corpus_status entry_check_files(const struct entry *entry, struct strbuf *err)
{
	struct store_object object;
	enum store_status status = store_reopen(entry->folder, &entry->kv, &object, err);

	if (status == STORE_WHOLE)
		status = store_check(&object, err);
	store_close(&object);
	return status_of(status, err);
}

enum corpus_status entry_read(struct arena *arena, const char *folder, struct entry *entry,
			      struct strbuf *err)
{
	struct strbuf path = STRBUF_INIT, plan = STRBUF_INIT;
	struct entry e = { .folder = folder };
	struct store_object object;
	enum store_status stored = store_open(arena, folder, &object, err);
	enum corpus_status status = status_of(stored, err);

	e.kv = object.manifest;
	if (!status)
		status = read_fields(arena, &e, err);
	if (!status)
		status = status_of(store_read(&object, "plan", &plan, err), err);
	strbuf_addf(&path, "%s/plan", folder);
	if (!status && plan_parse(arena, plan.buf, path.buf, &e.plan, err))
		status = CORPUS_CORRUPT;
	if (!status && !plan_fits(&e))
		status = corrupt(err, folder, "and its plan name different dimensions or tensors");
	if (!status)
		*entry = e;
	store_close(&object);
	strbuf_release(&path);
	strbuf_release(&plan);
	return status;
}

int entry_target_rank(const struct entry *entry, const struct target *native)
{
	if (!native)
		return -1;
	if (!strcmp(native->name, entry->target))
		return 0;
	for (size_t i = 0; target_table[i]; i++) {
		const struct target *t = target_table[i];
		if (!strcmp(t->name, entry->target))
			return t->probe && t->artifact && native->artifact && !strcmp(t->artifact, native->artifact) &&
					       !(t->isa & ~native->isa) ? 1 : -1;
	}
	return -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds the entries `depth` folders below; what is not a folder is passed over. */
static enum corpus_status walk(struct arena *arena, const char *folder, int depth, struct entry_list *list, struct strbuf *err)
{
	DIR *dir = opendir(folder);
	enum corpus_status status = CORPUS_OK;

	if (!dir) {
		strbuf_addf(err, "cannot read folder '%s': %s", folder, strerror(errno));
		return CORPUS_IO;
	}
	for (struct dirent *d; !status && (d = readdir(dir));) {
		struct stat st;
		if (d->d_name[0] == '.')
			continue;
		char *path = arena_printf(arena, "%s/%s", folder, d->d_name);
		if (stat(path, &st) || !S_ISDIR(st.st_mode))
			continue;
		if (depth > 1) {
			status = walk(arena, path, depth - 1, list, err);
		} else {
			if (!(list->count & (list->count - 1))) {
				char **grown = ARENA_ARRAY(arena, char *, 2 * list->count + 1);
				if (list->count)
					memcpy(grown, list->folder, list->count * sizeof(*grown));
				list->folder = grown;
			}
			list->folder[list->count++] = path;
		}
	}
	closedir(dir);
	return status;
}

enum corpus_status entry_find_all(struct arena *arena, const char *corpus_folder,
				  struct entry_list *list, struct strbuf *err)
{
	enum corpus_status status = walk(arena, corpus_folder, 3, list, err);

	if (!status && list->count)
		qsort(list->folder, list->count, sizeof(*list->folder), by_name);
	return status;
}
