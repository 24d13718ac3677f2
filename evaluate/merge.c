/* Journals of equal paths below two folders become one. */
#include "evaluate/journal.h"
#include "evaluate/pack.h"
#include "evaluate/trace.h"
#include "ops/core/hash.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct digest {
	uint8_t bytes[32];
};

/* Records by what they say; starts are of the journal alone that they are in. */
struct merging {
	struct journal *into; /* NULL: only learning what is there */
	struct digest *seen;
	size_t count, capacity;
	int64_t added;
	struct strbuf *err;
	bool failed;
};

static int take(const struct record *record, void *user)
{
	struct merging *m = user;
	struct strbuf text = STRBUF_INIT;
	struct sha256 hash;
	struct digest d;

	if (record->kind == RECORD_START)
		return 0;
	record_write(record, &text);
	sha256_init(&hash);
	sha256_add(&hash, text.buf, text.len);
	sha256_end(&hash, d.bytes);
	strbuf_release(&text);
	for (size_t i = 0; i < m->count; i++)
		if (!memcmp(&m->seen[i], &d, sizeof(d)))
			return 0;
	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 256;
		m->seen = realloc(m->seen, m->capacity * sizeof(*m->seen));
		if (!m->seen)
			die("out of memory for a merge");
	}
	m->seen[m->count++] = d;
	if (!m->into)
		return 0;
	m->added++;
	m->failed = journal_append(m->into, record, m->err) != 0;
	return m->failed;
}

static int merge_journal(const char *from, const char *to, int64_t *added, enum exit_code *code, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct merging m = { .err = err };
	int ret = -1;

	*code = KM_EXIT_FATAL;
	if (!access(to, F_OK) && journal_each(&arena, to, take, &m, NULL, err))
		goto out;
	m.into = journal_open(to, code, err);
	if (!m.into)
		goto out;
	int each = journal_each(&arena, from, take, &m, NULL, err);
	*code = m.failed ? KM_EXIT_NOT_DURABLE : KM_EXIT_FATAL;
	if (!each && !journal_close(m.into, err))
		ret = 0;
	else if (each)
		journal_close(m.into, &(struct strbuf)STRBUF_INIT);
	*added += m.added;
out:
	free(m.seen);
	arena_release(&arena);
	return ret;
}

/* Files of a folder and its folders, published as they are where they are not there or differ. */
static int copy_files(struct arena *arena, const char *from, const char *to, struct strbuf *err)
{
	DIR *dir = opendir(from);
	int ret = 0;

	for (struct dirent *d; dir && !ret && (d = readdir(dir));) {
		const char *a = arena_printf(arena, "%s/%s", from, d->d_name), *b = arena_printf(arena, "%s/%s", to, d->d_name);
		struct strbuf theirs = STRBUF_INIT, ours = STRBUF_INIT, ignored = STRBUF_INIT;
		struct stat st;
		if (d->d_name[0] == '.' || lstat(a, &st) || !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
			continue;
		if (S_ISDIR(st.st_mode))
			ret = copy_files(arena, a, b, err);
		else if (!(ret = strbuf_read_file(&theirs, a, err)) &&
			 (strbuf_read_file(&ours, b, &ignored) || ours.len != theirs.len || memcmp(ours.buf, theirs.buf, ours.len)))
			ret = make_folder(to, err) || file_publish(b, theirs.buf, theirs.len, err) ? -1 : 0;
		strbuf_release(&theirs);
		strbuf_release(&ours);
		strbuf_release(&ignored);
	}
	if (dir)
		closedir(dir);
	return ret;
}

int merge_cells(const char *cells, const char *from, int64_t *records, enum exit_code *code, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct path_list list = { 0 };
	size_t len = strlen(from);
	int ret = -1;

	*code = KM_EXIT_FATAL;
	while (len > 1 && from[len - 1] == '/')
		len--;
	if (trace_find_journals(&arena, arena_strndup(&arena, from, len), &list, err))
		goto out;
	for (size_t i = 0; i < list.count; i++) {
		const char *below = !strncmp(list.path[i], from, len) && list.path[i][len] == '/' ? list.path[i] + len + 1 : "journal";
		size_t folder_len = strlen(below) - strlen("journal");
		const char *theirs = arena_strndup(&arena, list.path[i], strlen(list.path[i]) - strlen("journal"));
		const char *ours = arena_printf(&arena, "%s/%.*s", cells, (int)folder_len, below);
		if (make_folder(ours, err) || copy_files(&arena, arena_printf(&arena, "%sartifacts", theirs), arena_printf(&arena, "%sartifacts", ours), err)) {
			*code = KM_EXIT_NOT_DURABLE;
			goto out;
		}
		/* The winner's files before the word of it. */
		if (merge_journal(list.path[i], arena_printf(&arena, "%sjournal", ours), records, code, err))
			goto out;
	}
	*code = KM_EXIT_DONE;
	ret = 0;
out:
	arena_release(&arena);
	return ret;
}
