#include "ops/core/store.h"
#include "ops/core/hash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- manifests ------------------------------------------------------- */

void store_add_hash(struct strbuf *manifest, const struct store_file *file)
{
	struct strbuf key = STRBUF_INIT;
	char hex[65];

	sha256_hex(file->data, file->size, hex);
	strbuf_addf(&key, "file.%s", file->name);
	kv_add(manifest, key.buf, "%s", hex);
	strbuf_release(&key);
}

void store_seal(struct strbuf *manifest)
{
	char hex[65];

	sha256_hex(manifest->buf, manifest->len, hex);
	kv_add(manifest, "seal", "%s", hex);
}

static bool is_sealed(const struct strbuf *text)
{
	char hex[65];
	const char *last = NULL;

	if (strlen(text->buf) != text->len)
		return false;
	for (const char *p = text->buf; (p = strstr(p, "\nseal: ")); p++)
		last = p + 1;
	if (!last)
		return false;
	sha256_hex(text->buf, (size_t)(last - text->buf), hex);
	last += strlen("seal: ");
	return strlen(last) == 65 && !memcmp(last, hex, 64) && last[64] == '\n';
}

/* ---- reading --------------------------------------------------------- */

/* Is the folder that was opened no longer the one of that name? */
static bool is_gone(const struct store_object *o)
{
	struct stat opened, named;

	return fstat(o->fd, &opened) || stat(o->folder, &named) || opened.st_dev != named.st_dev || opened.st_ino != named.st_ino;
}

static enum store_status failed(const struct store_object *o, const char *name, enum store_status status, const char *why, struct strbuf *err)
{
	strbuf_addf(err, "'%s/%s' %s", o->folder, name, why);
	return status;
}

/* The bytes of a file of the opened folder, unchecked. */
static enum store_status read_file(const struct store_object *o, const char *name, struct strbuf *data, struct strbuf *err)
{
	int fd = strchr(name, '/') ? -1 : openat(o->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	enum store_status status = STORE_WHOLE;
	struct stat s;

	if (fd < 0 && errno == ENOENT && is_gone(o))
		status = failed(o, name, STORE_ABSENT, "was removed meanwhile", err);
	else if (fd < 0 && errno == ENOENT)
		status = failed(o, name, STORE_DAMAGED, "is missing", err);
	else if (fd < 0)
		status = failed(o, name, STORE_UNREADABLE, strerror(errno), err);
	else if (fstat(fd, &s) || !S_ISREG(s.st_mode))
		status = failed(o, name, STORE_DAMAGED, "is no file", err);
	else if (strbuf_read_fd(data, fd))
		status = failed(o, name, STORE_UNREADABLE, strerror(errno), err);
	if (fd >= 0)
		close(fd);
	return status;
}

enum store_status store_reopen(const char *folder, const struct kv *manifest, struct store_object *object, struct strbuf *err)
{
	*object = (struct store_object){ .folder = folder, .fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .manifest = *manifest };
	if (object->fd >= 0)
		return STORE_WHOLE;
	strbuf_addf(err, "cannot read '%s': %s", folder, strerror(errno));
	return errno == ENOENT ? STORE_ABSENT : errno == ENOTDIR ? STORE_DAMAGED : STORE_UNREADABLE;
}

enum store_status store_open(struct arena *arena, const char *folder, struct store_object *object, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	enum store_status status = store_reopen(folder, &(struct kv){ 0 }, object, err);

	if (status == STORE_WHOLE)
		status = read_file(object, STORE_MANIFEST, &text, err);
	if (status == STORE_WHOLE && !is_sealed(&text))
		status = failed(object, STORE_MANIFEST, STORE_DAMAGED, "does not have its seal: it was changed or cut short", err);
	if (status == STORE_WHOLE && kv_parse(arena, text.buf, STORE_MANIFEST, &object->manifest, err))
		status = STORE_DAMAGED;
	strbuf_release(&text);
	return status;
}

enum store_status store_read(const struct store_object *object, const char *name, struct strbuf *data, struct strbuf *err)
{
	struct strbuf key = STRBUF_INIT;
	size_t before = data->len;
	char hex[65];

	strbuf_addf(&key, "file.%s", name);
	const char *want = kv_find(&object->manifest, key.buf);
	enum store_status status = want ? read_file(object, name, data, err) : failed(object, name, STORE_DAMAGED, "is not in its manifest", err);
	if (status == STORE_WHOLE) {
		sha256_hex(data->buf + before, data->len - before, hex);
		if (strcmp(want, hex))
			status = failed(object, name, STORE_DAMAGED, "does not have the hash its entry records", err);
	}
	strbuf_release(&key);
	return status;
}

enum store_status store_check(const struct store_object *object, struct strbuf *err)
{
	enum store_status status = STORE_WHOLE;

	for (size_t i = 0; i < object->manifest.count && status == STORE_WHOLE; i++) {
		struct strbuf data = STRBUF_INIT;
		if (!strncmp(object->manifest.pair[i].key, "file.", 5))
			status = store_read(object, object->manifest.pair[i].key + 5, &data, err);
		strbuf_release(&data);
	}
	return status;
}

void store_close(struct store_object *object)
{
	if (object->fd >= 0)
		close(object->fd);
	object->fd = -1;
}

/* ---- removing -------------------------------------------------------- */

/* Appends a name beside `folder` that is this call's alone, and hidden: strbuf.h's leftovers. */
static void add_aside(struct strbuf *path, const char *folder)
{
	static atomic_uint number;
	struct strbuf name = STRBUF_INIT;
	const char *slash = strrchr(folder, '/'), *base = slash ? slash + 1 : folder;

	strbuf_addf(&name, "%.*s.%s.%u", (int)(base - folder), folder, base, atomic_fetch_add(&number, 1));
	file_aside(path, name.buf);
	strbuf_release(&name);
}

/* A folder of plain files, or a plain file.  0, or -1 with errno set. */
static int erase(const char *path)
{
	DIR *dir = opendir(path);
	int ret = 0;

	if (!dir)
		return errno == ENOTDIR ? unlink(path) : errno == ENOENT ? 0 : -1;
	for (struct dirent *d; !ret && (d = readdir(dir));)
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			ret = unlinkat(dirfd(dir), d->d_name, 0) && errno != ENOENT ? -1 : 0;
	int saved = errno;
	closedir(dir);
	errno = saved;
	return ret || (rmdir(path) && errno != ENOENT) ? -1 : 0;
}

/* What killed processes left aside, beside `folder`. */
static void sweep(const char *folder)
{
	struct strbuf parent = STRBUF_INIT, path = STRBUF_INIT;
	const char *slash = strrchr(folder, '/');

	strbuf_add(&parent, slash ? folder : ".", slash ? (size_t)(slash - folder) : 1);
	DIR *dir = opendir(parent.buf);
	for (struct dirent *d; dir && (d = readdir(dir));)
		if (d->d_name[0] == '.' && file_is_leftover(d->d_name)) {
			strbuf_reset(&path);
			strbuf_addf(&path, "%s/%s", parent.buf, d->d_name);
			erase(path.buf);
		}
	if (dir)
		closedir(dir);
	strbuf_release(&parent);
	strbuf_release(&path);
}

int store_remove(const char *folder, struct strbuf *err)
{
	struct strbuf aside = STRBUF_INIT;
	int ret;

	add_aside(&aside, folder);
	ret = rename(folder, aside.buf);
	if (ret && errno == ENOENT)
		ret = 0;
	else if (!ret)
		ret = erase(aside.buf);
	if (ret)
		strbuf_addf(err, "cannot remove '%s': %s", folder, strerror(errno));
	strbuf_release(&aside);
	return ret;
}

/* ---- writing --------------------------------------------------------- */

static bool is_there(const char *folder, const struct store_file *file, size_t count)
{
	bool same = true;

	for (size_t i = 0; i < count && same; i++) {
		struct strbuf path = STRBUF_INIT, data = STRBUF_INIT, ignored = STRBUF_INIT;
		strbuf_addf(&path, "%s/%s", folder, file[i].name);
		same = !access(path.buf, F_OK) && !strbuf_read_file(&data, path.buf, &ignored) && data.len == file[i].size &&
		       !memcmp(data.buf, file[i].data, data.len);
		strbuf_release(&path);
		strbuf_release(&data);
		strbuf_release(&ignored);
	}
	return same;
}

/* 0, or -1 with errno set. */
static int write_files(const char *folder, const struct store_file *file, size_t count)
{
	struct strbuf path = STRBUF_INIT;
	int ret = mkdir(folder, 0777);

	for (size_t i = 0; i < count && !ret; i++) {
		strbuf_reset(&path);
		strbuf_addf(&path, "%s/%s", folder, file[i].name);
		ret = file_write(path.buf, file[i].data, file[i].size);
	}
	ret = ret || folder_sync(path.buf) ? -1 : 0;
	strbuf_release(&path);
	return ret;
}

/* Gives what was written aside its name.  0, or -1 with errno set. */
static int give_name(const char *aside, const char *folder)
{
	if (!rename(aside, folder))
		return folder_sync(folder);
	if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
		return -1;
	/* Others read the old one or the new one, never none; where the file system cannot exchange, there is a moment of none. */
	if (!renameat2(AT_FDCWD, aside, AT_FDCWD, folder, RENAME_EXCHANGE))
		return folder_sync(folder) || erase(aside) ? -1 : 0;
	struct strbuf old = STRBUF_INIT;
	add_aside(&old, folder);
	int ret = rename(folder, old.buf) || rename(aside, folder) || folder_sync(folder) || erase(old.buf) ? -1 : 0;
	strbuf_release(&old);
	return ret;
}

int store_publish(const char *folder, const struct store_file *file, size_t count, struct strbuf *err)
{
	struct strbuf aside = STRBUF_INIT, parent = STRBUF_INIT;
	const char *slash = strrchr(folder, '/');
	int ret = -1;

	if (is_there(folder, file, count))
		return 0;
	strbuf_add(&parent, slash ? folder : ".", slash ? (size_t)(slash - folder) : 1);
	if (make_folder(parent.buf, err))
		goto out;
	sweep(folder);
	/* Twice: another container, to which we look gone, may have swept it; and a parent that was empty may be gone. */
	for (int tries = 0; tries < 2 && ret; tries++) {
		strbuf_reset(&aside);
		add_aside(&aside, folder);
		ret = write_files(aside.buf, file, count) || give_name(aside.buf, folder) ? -1 : 0;
		int saved = errno;
		if (ret)
			erase(aside.buf);
		if (ret && (tries || saved != ENOENT)) {
			strbuf_addf(err, "cannot write '%s': %s", folder, strerror(saved));
			break;
		}
		if (ret && make_folder(parent.buf, err))
			break;
	}
out:
	strbuf_release(&aside);
	strbuf_release(&parent);
	return ret ? -1 : 1;
}
