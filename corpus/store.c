#include "corpus/store.h"
#include "ops/core/hash.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void store_add_hash(struct strbuf *entry, const struct store_file *file)
{
	struct strbuf key = STRBUF_INIT;
	char hex[65];

	sha256_hex(file->data, file->size, hex);
	strbuf_addf(&key, "file.%s", file->name);
	kv_add(entry, key.buf, "%s", hex);
	strbuf_release(&key);
}

/* Unlinks the plain files of a folder, then the folder. */
static int remove_folder(const char *folder, struct strbuf *err)
{
	DIR *dir = opendir(folder);
	struct strbuf path = STRBUF_INIT;
	int ret = 0;

	if (!dir)
		ret = errno == ENOENT ? 0 : -1;
	for (struct dirent *d; dir && !ret && (d = readdir(dir));) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		strbuf_reset(&path);
		strbuf_addf(&path, "%s/%s", folder, d->d_name);
		ret = unlink(path.buf);
	}
	if (dir) {
		int saved = errno;
		closedir(dir);
		errno = saved;
		ret = ret || rmdir(folder) ? -1 : 0;
	}
	if (ret)
		strbuf_addf(err, "cannot remove '%s': %s", folder, strerror(errno));
	strbuf_release(&path);
	return ret;
}

int store_remove(const char *corpus, const char *folder, struct strbuf *err)
{
	char *parent = strdup(folder), *slash;

	int ret = remove_folder(folder, err);
	/* Never the corpus folder itself. */
	while (!ret && parent && (slash = strrchr(parent, '/'))) {
		*slash = 0;
		if (strlen(parent) <= strlen(corpus) || rmdir(parent))
			break;
	}
	free(parent);
	return ret;
}

static bool is_there(const char *folder, const struct store_file *file, size_t count)
{
	bool same = true;

	for (size_t i = 0; i < count && same; i++) {
		struct strbuf path = STRBUF_INIT, data = STRBUF_INIT, ignored = STRBUF_INIT;
		strbuf_addf(&path, "%s/%s", folder, file[i].name);
		same = !strbuf_read_file(&data, path.buf, &ignored) && data.len == file[i].size &&
		       !memcmp(data.buf, file[i].data, data.len);
		strbuf_release(&path);
		strbuf_release(&data);
		strbuf_release(&ignored);
	}
	return same;
}

int store_publish(const char *corpus, const char *target, const char *op, const char *id,
		  const struct store_file *file, size_t count, struct strbuf *err)
{
	struct strbuf parent = STRBUF_INIT, folder = STRBUF_INIT, aside = STRBUF_INIT, old = STRBUF_INIT, path = STRBUF_INIT;
	struct stat st;
	int ret = -1;

	strbuf_addf(&parent, "%s/%s/%s", corpus, target, op);
	strbuf_addf(&folder, "%s/%s", parent.buf, id);
	strbuf_addf(&aside, "%s/.new.%s.%ld", parent.buf, id, (long)getpid());
	strbuf_addf(&old, "%s/.old.%s.%ld", parent.buf, id, (long)getpid());
	if (is_there(folder.buf, file, count)) {
		ret = 0;
		goto out;
	}
	if (make_folder(aside.buf, err))
		goto out;
	for (size_t i = 0; i < count; i++) {
		strbuf_reset(&path);
		strbuf_addf(&path, "%s/%s", aside.buf, file[i].name);
		if (file_publish(path.buf, file[i].data, file[i].size, err))
			goto out;
	}
	bool replaces = !stat(folder.buf, &st);
	if ((replaces && rename(folder.buf, old.buf)) || rename(aside.buf, folder.buf) || folder_sync(folder.buf)) {
		strbuf_addf(err, "cannot write '%s': %s", folder.buf, strerror(errno));
		goto out;
	}
	ret = replaces && remove_folder(old.buf, err) ? -1 : 1;
out:
	if (ret < 0) {
		struct strbuf ignored = STRBUF_INIT;
		remove_folder(aside.buf, &ignored);
		strbuf_release(&ignored);
	}
	strbuf_release(&parent);
	strbuf_release(&folder);
	strbuf_release(&aside);
	strbuf_release(&old);
	strbuf_release(&path);
	return ret;
}
