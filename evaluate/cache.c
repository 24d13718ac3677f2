#include "evaluate/cache.h"
#include "ops/core/diag.h"
#include "ops/core/hash.h"
#include "ops/core/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void add_folder(struct strbuf *path, const char *wanted)
{
	const char *cache = wanted ? wanted : getenv("KM_CACHE"), *home = getenv("HOME");

	if (cache && *cache)
		strbuf_addstr(path, cache);
	else
		strbuf_addf(path, "%s/.cache/kernelmill", home && *home ? home : "/tmp");
}

static const char *object_folder(struct arena *arena, const struct cache_key *key)
{
	struct strbuf path = STRBUF_INIT;

	add_folder(&path, key->folder);
	strbuf_addf(&path, "/%.2s/%s", key->hex, key->hex);
	const char *folder = arena_strdup(arena, path.buf);
	strbuf_release(&path);
	return folder;
}

struct cache_key cache_key(const char *folder, const char *name, const struct strbuf *text)
{
	struct cache_key key = { .folder = folder, .name = name };

	sha256_hex(text->buf, text->len, key.hex);
	return key;
}

/* Is what lies there whole, and of this key? */
static enum store_status check(struct arena *arena, const char *folder, const struct cache_key *key, struct strbuf *why)
{
	struct store_object object;
	enum store_status status = store_open(arena, folder, &object, why);
	const char *is = status == STORE_WHOLE ? kv_find(&object.manifest, "key") : NULL;

	if (status == STORE_WHOLE && (!is || strcmp(is, key->hex))) {
		strbuf_addf(why, "'%s' has another's key", folder);
		status = STORE_DAMAGED;
	}
	if (status == STORE_WHOLE) {
		struct strbuf data = STRBUF_INIT;
		status = store_read(&object, key->name, &data, why);
		strbuf_release(&data);
	}
	store_close(&object);
	return status;
}

const char *cache_find(struct arena *arena, const struct cache_key *key)
{
	struct arena scratch = ARENA_INIT;
	struct strbuf why = STRBUF_INIT;
	const char *folder = object_folder(&scratch, key), *path = NULL;
	enum store_status status = check(&scratch, folder, key, &why);

	if (status == STORE_WHOLE) {
		/* Used now: eviction goes by modification time. */
		utimensat(AT_FDCWD, folder, NULL, 0);
		path = arena_printf(arena, "%s/%s", folder, key->name);
	} else if (status != STORE_ABSENT) {
		warn("cached object is %s, and made again: %s", status == STORE_DAMAGED ? "damaged" : "unreadable", why.buf);
	}
	strbuf_release(&why);
	arena_release(&scratch);
	return path;
}

/* Says so once a process. */
static void warn_of_no_cache(const char *why)
{
	static bool has_said;
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&lock);
	if (!has_said)
		warn("going on without a cache: %s: make room, or set KM_CACHE=DIR to a folder that can be written", why);
	has_said = true;
	pthread_mutex_unlock(&lock);
}

/* A file without a folder, there as long as this process. */
static const char *keep_in_memory(struct arena *arena, const char *name, const void *data, size_t len, struct strbuf *err)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	int fd = memfd_create(name, MFD_CLOEXEC);
	const char *path = arena_printf(arena, "/proc/%ld/fd/%d", (long)getpid(), fd);
	if (fd >= 0 && !file_write(path, data, len))
		return path;
	strbuf_addf(err, "cannot keep '%s' in memory: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return NULL;
}

const char *cache_keep(struct arena *arena, const struct cache_key *key, const void *data, size_t len, struct strbuf *err)
{
	struct strbuf manifest = STRBUF_INIT, why = STRBUF_INIT;
	struct store_file file[] = { { key->name, data, len }, { .name = STORE_MANIFEST } };
	const char *folder = object_folder(arena, key), *path = NULL;

	kv_add(&manifest, "key", "%s", key->hex);
	store_add_hash(&manifest, &file[0]);
	store_seal(&manifest);
	file[1].data = manifest.buf;
	file[1].size = manifest.len;
	if (store_publish(folder, file, ARRAY_SIZE(file), &why) >= 0) {
		path = arena_printf(arena, "%s/%s", folder, key->name);
	} else {
		warn_of_no_cache(why.buf);
		path = keep_in_memory(arena, key->name, data, len, err);
	}
	strbuf_release(&manifest);
	strbuf_release(&why);
	return path;
}

/* ---- eviction -------------------------------------------------------- */

struct kept {
	char *path;
	int64_t bytes;
	struct timespec used;
};
struct kept_list {
	struct kept *kept;
	size_t count, capacity;
};

static int oldest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return (x->used.tv_nsec > y->used.tv_nsec) - (x->used.tv_nsec < y->used.tv_nsec);
}

/* Bytes of an object's files, or of a plain file. */
static int64_t bytes_of(const char *path, const struct stat *s)
{
	int64_t bytes = S_ISREG(s->st_mode) ? s->st_size : 0;
	DIR *dir = S_ISDIR(s->st_mode) ? opendir(path) : NULL;
	struct stat f;

	for (struct dirent *d; dir && (d = readdir(dir));)
		if (!fstatat(dirfd(dir), d->d_name, &f, AT_SYMLINK_NOFOLLOW) && S_ISREG(f.st_mode))
			bytes += f.st_size;
	if (dir)
		closedir(dir);
	return bytes;
}

static void add_kept(struct arena *arena, struct kept_list *list, struct kept kept)
{
	if (list->count == list->capacity) {
		struct kept *grown = ARENA_ARRAY(arena, struct kept, list->capacity = 2 * list->capacity + 256);
		if (list->count)
			memcpy(grown, list->kept, list->count * sizeof(*grown));
		list->kept = grown;
	}
	list->kept[list->count++] = kept;
}

/* What lies in one of the cache's folders: objects; files of earlier versions; what another process writes just now. */
static void find_kept(struct arena *arena, const char *folder, struct kept_list *list)
{
	DIR *dir = opendir(folder);
	struct stat s;

	for (struct dirent *d; dir && (d = readdir(dir));) {
		char *path = arena_printf(arena, "%s/%s", folder, d->d_name);
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..") || (d->d_name[0] == '.' && !file_is_leftover(d->d_name)) || lstat(path, &s))
			continue;
		struct kept kept = { path, bytes_of(path, &s), s.st_mtim };
		/* Nobody will use these. */
		if (!S_ISDIR(s.st_mode) || d->d_name[0] == '.')
			kept.used.tv_sec = 0;
		add_kept(arena, list, kept);
	}
	if (dir)
		closedir(dir);
}

int cache_gc(const char *folder, int64_t bytes, int64_t *kept, int64_t *deleted, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct kept_list list = { 0 };
	struct strbuf root = STRBUF_INIT;
	int ret = 0;

	*kept = *deleted = 0;
	add_folder(&root, folder);
	DIR *top = opendir(root.buf);
	if (!top && errno != ENOENT) {
		strbuf_addf(err, "cannot read cache '%s': %s", root.buf, strerror(errno));
		ret = -1;
	}
	for (struct dirent *d; top && (d = readdir(top));)
		if (d->d_name[0] != '.')
			find_kept(&arena, arena_printf(&arena, "%s/%s", root.buf, d->d_name), &list);
	if (list.count)
		qsort(list.kept, list.count, sizeof(*list.kept), oldest_first);
	for (size_t i = 0; i < list.count; i++)
		*kept += list.kept[i].bytes;
	for (size_t i = 0; i < list.count && !ret && (*kept > bytes || !list.kept[i].used.tv_sec); i++) {
		ret = store_remove(list.kept[i].path, err);
		*kept -= ret ? 0 : list.kept[i].bytes;
		*deleted += ret ? 0 : list.kept[i].bytes;
	}
	/* Folders that are empty now; one that a process is about to write to is made again. */
	if (top)
		rewinddir(top);
	for (struct dirent *d; top && (d = readdir(top));)
		if (d->d_name[0] != '.')
			unlinkat(dirfd(top), d->d_name, AT_REMOVEDIR);
	if (top)
		closedir(top);
	strbuf_release(&root);
	arena_release(&arena);
	return ret;
}
