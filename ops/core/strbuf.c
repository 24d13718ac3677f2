#include "ops/core/strbuf.h"
#include "ops/core/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char strbuf_empty[1];

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_release(struct strbuf *sb)
{
	if (sb->capacity)
		free(sb->buf);
	strbuf_init(sb);
}

void strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->capacity)
		sb->buf[0] = 0;
}

static void reserve(struct strbuf *sb, size_t extra)
{
	size_t need = sb->len + extra + 1, capacity = sb->capacity ? sb->capacity : 64;

	if (need <= sb->capacity)
		return;
	while (capacity < need)
		capacity *= 2;
	char *grown = realloc(sb->capacity ? sb->buf : NULL, capacity);
	if (!grown)
		out_of_memory(capacity);
	grown[sb->len] = 0;
	sb->buf = grown;
	sb->capacity = capacity;
}

char *strbuf_detach(struct strbuf *sb)
{
	reserve(sb, 0);
	char *owned = sb->buf;
	strbuf_init(sb);
	return owned;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!len)
		return;
	reserve(sb, len);
	memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = 0;
}

void strbuf_addstr(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addch(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		out_of_memory(SIZE_MAX); /* longer than INT_MAX */
	reserve(sb, (size_t)n);
	vsnprintf(sb->buf + sb->len, (size_t)n + 1, fmt, ap);
	sb->len += (size_t)n;
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_replace(struct strbuf *sb, const char *from, const char *to)
{
	struct strbuf out = STRBUF_INIT;
	const char *p = sb->buf;

	for (const char *hit; (hit = strstr(p, from)); p = hit + strlen(from)) {
		strbuf_add(&out, p, (size_t)(hit - p));
		strbuf_addstr(&out, to);
	}
	strbuf_addstr(&out, p);
	strbuf_release(sb);
	*sb = out;
}

int strbuf_read_fd(struct strbuf *sb, int fd)
{
	for (;;) {
		reserve(sb, 65536);
		ssize_t n = read(fd, sb->buf + sb->len, sb->capacity - sb->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : 0;
		sb->len += (size_t)n;
		sb->buf[sb->len] = 0;
	}
}

int strbuf_read_file(struct strbuf *sb, const char *path, struct strbuf *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = -1;

	if (fd >= 0 && strbuf_read_fd(sb, fd) == 0)
		ret = 0;
	if (ret < 0)
		strbuf_addf(err, "cannot read '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

int folder_sync(const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		out_of_memory(strlen(path));
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : fsync(fd);
	/* Some file systems refuse fsync of folders; the rename is then as durable as it gets. */
	if (ret < 0 && (errno == EINVAL || errno == ENOTSUP))
		ret = 0;
	if (fd >= 0)
		close(fd);
	free(copy);
	return ret;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The first eight digits of what names this boot of this machine. */
static const char *boot(void)
{
	static char id[9];
	int fd = id[0] ? -1 : open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (!id[0] && (fd < 0 || read(fd, id, 8) != 8))
		strcpy(id, "00000000");
	if (fd >= 0)
		close(fd);
	return id;
}

void file_aside(struct strbuf *sb, const char *path)
{
	strbuf_addf(sb, "%s.tmp.%ld.%s", path, (long)getpid(), boot());
}

bool file_is_leftover(const char *name)
{
	const char *at = strstr(name, ".tmp."), *next;
	char *end;

	while (at && (next = strstr(at + 1, ".tmp.")))
		at = next;
	if (!at || at[5] < '1' || at[5] > '9')
		return false;
	long pid = strtol(at + 5, &end, 10);
	if (*end != '.' || strlen(end + 1) != 8 || strspn(end + 1, "0123456789abcdef") != 8)
		return false;
	return strcmp(end + 1, boot()) || (kill((pid_t)pid, 0) && errno == ESRCH);
}

void file_sweep(const char *path)
{
	char *copy = strdup(path);
	DIR *dir = copy ? opendir(dirname(copy)) : NULL;

	for (struct dirent *e; dir && (e = readdir(dir));)
		if (file_is_leftover(e->d_name))
			unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	free(copy);
}

int file_write(const char *path, const void *data, size_t len)
{
	int ret = -1, fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd >= 0) {
		ret = write_all(fd, data, len) || fsync(fd) ? -1 : 0;
		int saved = errno;
		if (close(fd) && !ret) {
			ret = -1;
			saved = errno;
		}
		errno = saved;
	}
	return ret;
}

int file_publish_checked(const char *path, const void *data, size_t len, file_check *check, void *user, struct strbuf *err)
{
	struct strbuf aside = STRBUF_INIT;
	int ret = -1;

	file_sweep(path);
	file_aside(&aside, path);
	/* Twice: another container, to which we look gone, may have swept it. */
	for (int tries = 0; tries < 2 && ret; tries++) {
		if (file_write(aside.buf, data, len))
			break;
		if (check && check(aside.buf, user, err)) {
			unlink(aside.buf);
			goto out;
		}
		ret = rename(aside.buf, path);
		if (ret && (errno != ENOENT || !access(aside.buf, F_OK)))
			break;
	}
	if (!ret)
		ret = folder_sync(path);
	if (ret) {
		strbuf_addf(err, "cannot write '%s': %s", path, strerror(errno));
		unlink(aside.buf);
		ret = -1;
	}
out:
	strbuf_release(&aside);
	return ret;
}

int file_publish(const char *path, const void *data, size_t len, struct strbuf *err)
{
	return file_publish_checked(path, data, len, NULL, NULL, err);
}

int make_folder(const char *path, struct strbuf *err)
{
	char *copy = strdup(path);
	int ret = 0;

	if (!copy)
		out_of_memory(strlen(path));
	for (char *p = copy + 1; !ret; p++) {
		if (*p && *p != '/')
			continue;
		bool last = !*p;
		*p = 0;
		if (mkdir(copy, 0777) && errno != EEXIST)
			ret = -1;
		if (last)
			break;
		*p = '/';
	}
	struct stat st;
	if (!ret && (stat(path, &st) || !S_ISDIR(st.st_mode))) {
		errno = ENOTDIR;
		ret = -1;
	}
	if (ret)
		strbuf_addf(err, "cannot make folder '%s': %s", path, strerror(errno));
	free(copy);
	return ret;
}

size_t utf8_bytes(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t code = n == 1 ? s[0] : n ? s[0] & (0x7fu >> n) : 0;

	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (n > 1 && (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)))
		return 0;
	return n;
}
