/* journal.c: writing journals: groups of frames, new segments. */
#include "evaluate/journal.h"
#include "evaluate/journal_read.h"
#include "ops/core/hash.h"
#include "ops/core/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP_FRAMES = 64, GROUP_NS = 100000000, STEP_BYTES = 1 << 18 };

/* Payloads that are not known to be on the disk, each with its length before it. */
struct pending {
	struct strbuf bytes;
	size_t count;
	int64_t first_ns; /* when the oldest came */
};

struct journal {
	char *path, id[17];
	int lock_fd;          /* the first segment, locked */
	int fd;               /* the segment being written; -1: begun by the next frame */
	int number;           /* of the next segment */
	uint32_t synced, next; /* frames on the disk, and in all segments: the number of the first pending one */
	struct pending pending;
	char *tools;
	bool is_broken, had_error, is_written;
	off_t size, room;     /* of the segment: bytes, and up to where the disk has room for sure */
};

static const char *segment_path(const struct journal *journal, int number, struct strbuf *path)
{
	strbuf_reset(path);
	strbuf_addstr(path, journal->path);
	if (number)
		strbuf_addf(path, ".%d", number);
	return path->buf;
}

static void pending_add(struct pending *p, const char *payload, size_t length)
{
	if (!p->count++)
		p->first_ns = clock_ns();
	strbuf_add(&p->bytes, &length, sizeof(length));
	strbuf_add(&p->bytes, payload, length);
}

/* The frame that closed the journal before, perhaps not on the disk, keeps its number in a new segment. */
static void keep_end(struct journal *journal)
{
	struct pending all = { .bytes = STRBUF_INIT };

	if (journal->next == journal->synced)
		return;
	pending_add(&all, FRAME_END, strlen(FRAME_END));
	strbuf_add(&all.bytes, journal->pending.bytes.buf, journal->pending.bytes.len);
	all.count += journal->pending.count;
	strbuf_release(&journal->pending.bytes);
	journal->pending = all;
	journal->next = journal->synced;
}

static int write_all(struct journal *journal, const struct strbuf *data)
{
	const char *p = data->buf;

	for (size_t left = data->len; left;) {
		ssize_t n = write(journal->fd, p, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		left -= (size_t)n;
		journal->size += n;
	}
	return fdatasync(journal->fd);
}

static void add_words(struct strbuf *out, const char *text)
{
	for (; text && *text; text++)
		strbuf_addch(out, (unsigned char)*text < ' ' || *text == '"' || *text == '\\' ? ' ' : *text);
}

/* Begins the next segment.  Its header is on the disk before anything else of it.  0, or -1 with errno. */
static int begin_segment(struct journal *journal)
{
	struct strbuf path = STRBUF_INIT, payload = STRBUF_INIT, frame = STRBUF_INIT;
	int ret = -1;

	if (journal->fd >= 0)
		close(journal->fd);
	segment_path(journal, journal->number, &path);
	journal->fd = open(path.buf, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (journal->number ? O_EXCL : 0), 0666);
	if (journal->fd < 0)
		goto out;
	if (!*journal->id) {
		uint64_t id;
		if (getrandom(&id, sizeof(id), 0) != sizeof(id))
			id = (uint64_t)wall_ns() ^ (uint64_t)getpid() << 48;
		snprintf(journal->id, sizeof(journal->id), "%016llx", (unsigned long long)id);
	}
	keep_end(journal);
	strbuf_addf(&payload, "{\"kind\":\"header\",\"schema\":\"kernelmill-journal\",\"version\":2,\"journal\":\"%s\",\"segment\":%d,\"from\":%u,\"to\":%zu,\"tool_version\":\"" KM_VERSION "\",\"tools\":\"",
		    journal->id, journal->number, journal->synced, journal->synced + journal->pending.count);
	add_words(&payload, journal->tools);
	strbuf_addstr(&payload, "\"}");
	frame_write(&frame, payload.buf, payload.len, journal->synced, journal->synced, 0);
	journal->size = journal->room = 0;
	journal->number++;
	ret = write_all(journal, &frame) || folder_sync(path.buf) ? -1 : 0;
out:
	if (ret && journal->fd >= 0) {
		int saved = errno;
		close(journal->fd);
		journal->fd = -1;
		errno = saved;
	}
	strbuf_release(&path);
	strbuf_release(&payload);
	strbuf_release(&frame);
	return ret;
}

static int write_pending(struct journal *journal)
{
	struct strbuf out = STRBUF_INIT;
	const char *p = journal->pending.bytes.buf;
	uint32_t seed;

	if (journal->fd < 0 && begin_segment(journal))
		return -1;
	seed = frame_seed(journal->id, journal->number - 1);
	for (size_t i = 0; i < journal->pending.count; i++) {
		size_t length;
		memcpy(&length, p, sizeof(length));
		p += sizeof(length);
		frame_write(&out, p, length, journal->next + (uint32_t)i, journal->synced, seed);
		p += length;
	}
	int ret = write_all(journal, &out);
	strbuf_release(&out);
	if (ret)
		return -1;
	journal->synced = journal->next += (uint32_t)journal->pending.count;
	journal->pending.count = 0;
	strbuf_reset(&journal->pending.bytes);
	journal->is_written = true;
	return 0;
}

static int broken(const struct journal *journal, struct strbuf *err)
{
	strbuf_addf(err, "journal '%s' could not be written before: open it again", journal->path);
	return -1;
}

int journal_commit(struct journal *journal, struct strbuf *err)
{
	if (journal->is_broken)
		return broken(journal, err);
	if (!journal->pending.count)
		return 0;
	if (!write_pending(journal))
		return 0;
	/*
	 * After a failed fsync the kernel may call lost pages clean: a second try on the
	 * same file proves nothing.  Once, the frames go to a new one.
	 */
	if (!journal->had_error) {
		journal->had_error = true;
		warn("journal '%s': %s: going on in a new segment", journal->path, strerror(errno));
		if (!begin_segment(journal) && !write_pending(journal))
			return 0;
	}
	strbuf_addf(err, "cannot write journal '%s': %s", journal->path, strerror(errno));
	journal->is_broken = true;
	return -1;
}

static void adopt(struct journal *journal, const struct frames *f)
{
	memcpy(journal->id, f->id, sizeof(journal->id));
	journal->synced = journal->next = f->synced;
	journal->number = f->last_number + 1;
	for (size_t i = f->synced; i < f->count; i++)
		pending_add(&journal->pending, f->frame[i].payload, f->frame[i].length);
}

/* Goes on where the last writer ended.  0, or -1 with *err. */
static int go_on(struct journal *journal, const struct frames *f, struct strbuf *err)
{
	const struct segment *last = &f->segment[f->segment_count - 1];
	struct strbuf path = STRBUF_INIT;
	int ret = 0;

	adopt(journal, f);
	if (f->segment_count == 1 && !last->data.len) {
		journal->number = 0; /* just made */
	} else if (f->is_closed) {
		/* All is on the disk but, perhaps, the closing frame itself. */
		journal->next = (uint32_t)f->count;
		journal->pending.count = 0;
		strbuf_reset(&journal->pending.bytes);
		journal->fd = open(segment_path(journal, last->number, &path), O_WRONLY | O_APPEND | O_CLOEXEC);
		journal->size = journal->room = (off_t)last->data.len;
		if (journal->fd < 0) {
			strbuf_addf(err, "cannot open journal '%s': %s", path.buf, strerror(errno));
			ret = -1;
		}
	} else {
		ret = journal_commit(journal, err);
	}
	strbuf_release(&path);
	return ret;
}

static void free_journal(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->lock_fd >= 0)
		close(journal->lock_fd);
	strbuf_release(&journal->pending.bytes);
	free(journal->path);
	free(journal->tools);
	free(journal);
}

struct journal *journal_open(const char *path, enum exit_code *code, struct strbuf *err)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	struct arena arena = ARENA_INIT;
	struct frames f = { 0 };
	enum exit_code ignored;
	bool good = false;

	code = code ? code : &ignored;
	*code = KM_EXIT_NOT_DURABLE;
	if (!journal || !(journal->path = strdup(path)))
		die("out of memory");
	journal->fd = -1;
	strbuf_init(&journal->pending.bytes);
	journal->lock_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (journal->lock_fd < 0) {
		strbuf_addf(err, "cannot open journal '%s': %s", path, strerror(errno));
		goto out;
	}
	*code = KM_EXIT_FATAL;
	if (flock(journal->lock_fd, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			strbuf_addf(err, "journal '%s' is being written by another process: wait for it or end it", path);
		else
			strbuf_addf(err, "cannot lock journal '%s': %s", path, strerror(errno));
		goto out;
	}
	if (frames_read(&f, &arena, path, err))
		goto out;
	const struct segment *last = &f.segment[f.segment_count - 1];
	if (last->end < last->data.len)
		warn("journal '%s': skipped %zu bytes of unfinished frames", last->path, last->data.len - last->end);
	*code = KM_EXIT_NOT_DURABLE;
	good = !go_on(journal, &f, err);
out:
	frames_release(&f);
	arena_release(&arena);
	if (good)
		return journal;
	free_journal(journal);
	return NULL;
}

void journal_describe(struct journal *journal, const char *tools)
{
	free(journal->tools);
	journal->tools = strdup(tools);
}

int64_t journal_durable(const struct journal *journal)
{
	return journal->synced;
}

int journal_reserve(struct journal *journal, int64_t bytes, struct strbuf *err)
{
	if (journal->is_broken)
		return broken(journal, err);
	if (journal->fd < 0 && begin_segment(journal))
		goto fail;
	off_t wanted = journal->size + (off_t)journal->pending.bytes.len + bytes;
	if (wanted <= journal->room)
		return 0;
	wanted = (wanted + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
	/* The file keeps its size: readers see frames alone. */
	while (fallocate(journal->fd, FALLOC_FL_KEEP_SIZE, 0, wanted)) {
		if (errno == EINTR)
			continue;
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return 0; /* a file system without: a full disk is met when writing */
		goto fail;
	}
	journal->room = wanted;
	return 0;
fail:
	strbuf_addf(err, "no room for results in journal '%s': %s: free some space and run the same command again", journal->path, strerror(errno));
	return -1;
}

int journal_append(struct journal *journal, const struct record *record, struct strbuf *err)
{
	struct strbuf payload = STRBUF_INIT;

	if (journal->is_broken)
		return broken(journal, err);
	record_write(record, &payload);
	pending_add(&journal->pending, payload.buf, payload.len);
	strbuf_release(&payload);
	if (journal->pending.count >= GROUP_FRAMES || clock_ns() - journal->pending.first_ns > GROUP_NS)
		return journal_commit(journal, err);
	return 0;
}

/* The last word: all before it is on the disk.  It need not be there itself. */
static void write_end(struct journal *journal)
{
	struct strbuf frame = STRBUF_INIT;

	frame_write(&frame, FRAME_END, strlen(FRAME_END), journal->next, journal->synced, frame_seed(journal->id, journal->number - 1));
	if (write(journal->fd, frame.buf, frame.len) == (ssize_t)frame.len)
		journal->size += (off_t)frame.len;
	else
		warn("journal '%s' keeps an unfinished frame at its end, which readers skip", journal->path);
	strbuf_release(&frame);
}

/* Room that was not needed goes back to the disk. */
static void release_room(struct journal *journal)
{
	struct stat st;

	if (journal->fd >= 0 && journal->room > journal->size && !fstat(journal->fd, &st) && ftruncate(journal->fd, st.st_size))
		warn("journal '%s' keeps room it does not need: %s", journal->path, strerror(errno));
}

int journal_close(struct journal *journal, struct strbuf *err)
{
	int ret;

	if (!journal)
		return 0;
	ret = journal->is_broken ? 0 : journal_commit(journal, err); /* a broken one was reported */
	if (!journal->is_broken && journal->is_written && journal->fd >= 0)
		write_end(journal);
	release_room(journal);
	free_journal(journal);
	return ret;
}

int journal_each(struct arena *arena, const char *path,
		 int (*fn)(const struct record *record, void *user), void *user,
		 int64_t *torn_bytes, struct strbuf *err)
{
	struct arena scratch = ARENA_INIT;
	struct frames f = { 0 };
	int ret = frames_read(&f, &scratch, path, err);

	for (size_t i = 0; !ret && i < f.count; i++) {
		struct record record;
		struct strbuf why = STRBUF_INIT;
		if (!strcmp(f.frame[i].payload, FRAME_END))
			continue;
		if (record_read(arena, f.frame[i].payload, &record, &why)) {
			strbuf_addf(err, "journal '%s': frame at byte %zu: %s: it was written by another version; search again into a new OUT",
				    f.segment[f.frame[i].segment].path, f.frame[i].offset, why.buf);
			ret = -1;
		} else {
			ret = fn(&record, user);
		}
		strbuf_release(&why);
	}
	if (!ret && torn_bytes)
		*torn_bytes = f.torn_bytes;
	frames_release(&f);
	arena_release(&scratch);
	return ret;
}
