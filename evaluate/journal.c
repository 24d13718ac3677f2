#include "evaluate/journal.h"
#include "ops/core/diag.h"
#include "ops/core/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define MAGIC "KMJ1 "
#define HEADER_BYTES 23 /* "KMJ1 xxxxxxxx xxxxxxxx " */

struct journal {
	int fd;
	char *path;
	off_t committed_bytes;
	bool is_broken;
	struct strbuf pending;
};

static bool parse_hex(const char *s, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789abcdef", *at = s[i] ? strchr(digits, s[i]) : NULL;
		if (!at)
			return false;
		*value = *value << 4 | (uint32_t)(at - digits);
	}
	return true;
}

/* Is there a whole frame at p?  Its payload and length then. */
static bool frame_at(const char *p, size_t left, const char **payload, size_t *length)
{
	uint32_t len, crc;

	if (left < HEADER_BYTES + 1 || memcmp(p, MAGIC, 5) || !parse_hex(p + 5, &len) || p[13] != ' ' ||
	    !parse_hex(p + 14, &crc) || p[22] != ' ' || left - HEADER_BYTES - 1 < len ||
	    p[HEADER_BYTES + len] != '\n' || crc32c(0, p + HEADER_BYTES, len) != crc)
		return false;
	*payload = p + HEADER_BYTES;
	*length = len;
	return true;
}

/* Offset of the next whole frame after a bad one, or `size`: the damage is at the end. */
static size_t next_frame(const char *data, size_t from, size_t size)
{
	const char *payload;
	size_t length;

	for (size_t i = from; i < size; i++) {
		const char *hit = memmem(data + i, size - i, MAGIC, 5);
		if (!hit)
			return size;
		i = (size_t)(hit - data);
		if (frame_at(hit, size - i, &payload, &length))
			return i;
	}
	return size;
}

typedef int frame_fn(const char *payload, size_t offset, void *user);

/*
 * Calls fn for each whole frame (payload NUL-terminated while it runs); *end is
 * where the good frames end.  0, fn's value, or -1 with *err.
 */
static int scan(const char *path, char *data, size_t size, frame_fn *fn, void *user, size_t *end,
		struct strbuf *err)
{
	const char *payload;
	size_t length, at = 0;

	while (at < size && frame_at(data + at, size - at, &payload, &length)) {
		data[payload - data + (ptrdiff_t)length] = 0;
		int ret = fn ? fn(payload, at, user) : 0;
		data[payload - data + (ptrdiff_t)length] = '\n';
		if (ret)
			return ret;
		at += HEADER_BYTES + length + 1;
	}
	size_t next = at < size ? next_frame(data, at + 1, size) : size;
	if (next < size) {
		strbuf_addf(err, "journal '%s' is damaged at byte %zu (whole again at byte %zu): restore it, or keep the frames "
			    "before with 'truncate -s %zu %s'", path, at, next, at, path);
		return -1;
	}
	*end = at;
	return 0;
}

struct journal *journal_open(const char *path, struct strbuf *err)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct strbuf data = STRBUF_INIT;
	size_t end = 0;

	if (!journal || !(journal->path = strdup(path)))
		die("out of memory");
	strbuf_init(&journal->pending);
	journal->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (journal->fd < 0) {
		strbuf_addf(err, "cannot open journal '%s': %s", path, strerror(errno));
		goto fail;
	}
	if (flock(journal->fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			strbuf_addf(err, "journal '%s' is being written by another process: wait for it or end it", path);
		else
			strbuf_addf(err, "cannot lock journal '%s': %s", path, strerror(errno));
		goto fail;
	}
	if (strbuf_read_fd(&data, journal->fd)) {
		strbuf_addf(err, "cannot read journal '%s': %s", path, strerror(errno));
		goto fail;
	}
	if (scan(path, data.buf, data.len, NULL, NULL, &end, err))
		goto fail;
	/* A first frame that was torn begins like one, or with the zeros of a lost page; anything else is not ours to cut. */
	if (!end && data.len && data.buf[0] && memcmp(data.buf, MAGIC, data.len < strlen(MAGIC) ? data.len : strlen(MAGIC))) {
		strbuf_addf(err, "'%s' is no journal: name another file", path);
		goto fail;
	}
	if (end < data.len) {
		warn("journal '%s': dropped %zu bytes of an unfinished frame at its end", path, data.len - end);
		if (ftruncate(journal->fd, (off_t)end)) {
			strbuf_addf(err, "cannot cut journal '%s': %s", path, strerror(errno));
			goto fail;
		}
	}
	if (!data.len && folder_sync(path)) {
		strbuf_addf(err, "cannot make journal '%s' durable: %s", path, strerror(errno));
		goto fail;
	}
	journal->committed_bytes = (off_t)end;
	strbuf_release(&data);
	return journal;
fail:
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->path);
	free(journal);
	strbuf_release(&data);
	return NULL;
}

static int broken(const struct journal *journal, struct strbuf *err)
{
	strbuf_addf(err, "journal '%s' could not be written before: open it again", journal->path);
	return -1;
}

int journal_append(struct journal *journal, const struct record *record, struct strbuf *err)
{
	struct strbuf payload = STRBUF_INIT;

	if (journal->is_broken)
		return broken(journal, err);
	record_write(record, &payload);
	strbuf_addf(&journal->pending, MAGIC "%08zx %08x ", payload.len, crc32c(0, payload.buf, payload.len));
	strbuf_add(&journal->pending, payload.buf, payload.len);
	strbuf_addch(&journal->pending, '\n');
	strbuf_release(&payload);
	return 0;
}

int journal_commit(struct journal *journal, struct strbuf *err)
{
	const char *p = journal->pending.buf;
	size_t left = journal->pending.len;

	if (journal->is_broken)
		return broken(journal, err);
	if (!left)
		return 0;
	while (left) {
		ssize_t n = write(journal->fd, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		p += n;
		left -= (size_t)n;
	}
	/* After a failed fsync the kernel may call lost pages clean: a second try proves nothing. */
	if (fsync(journal->fd))
		goto fail;
	journal->committed_bytes += (off_t)journal->pending.len;
	strbuf_reset(&journal->pending);
	return 0;
fail:
	strbuf_addf(err, "cannot write journal '%s': %s", journal->path, strerror(errno));
	journal->is_broken = true;
	if (ftruncate(journal->fd, journal->committed_bytes))
		warn("journal '%s' keeps an unfinished frame at its end; it is dropped when next opened", journal->path);
	return -1;
}

int journal_close(struct journal *journal, struct strbuf *err)
{
	int ret;

	if (!journal)
		return 0;
	ret = journal->is_broken ? 0 : journal_commit(journal, err); /* a broken one was reported */
	close(journal->fd);
	strbuf_release(&journal->pending);
	free(journal->path);
	free(journal);
	return ret;
}

struct each {
	struct arena *arena;
	const char *path;
	int (*fn)(const struct record *record, void *user);
	void *user;
	struct strbuf *err;
};

static int read_frame(const char *payload, size_t offset, void *user)
{
	struct each *each = user;
	struct record record;
	struct strbuf why = STRBUF_INIT;

	if (record_read(each->arena, payload, &record, &why)) {
		strbuf_addf(each->err, "journal '%s': frame at byte %zu: %s: it was written by another version; search again into a new OUT",
			    each->path, offset, why.buf);
		strbuf_release(&why);
		return -1;
	}
	return each->fn(&record, each->user);
}

int journal_each(struct arena *arena, const char *path,
		 int (*fn)(const struct record *record, void *user), void *user,
		 int64_t *torn_bytes, struct strbuf *err)
{
	struct each each = { arena, path, fn, user, err };
	struct strbuf data = STRBUF_INIT;
	size_t end = 0;
	int ret = strbuf_read_file(&data, path, err);

	if (!ret)
		ret = scan(path, data.buf, data.len, read_frame, &each, &end, err);
	if (!ret && torn_bytes)
		*torn_bytes = (int64_t)(data.len - end);
	strbuf_release(&data);
	return ret;
}
