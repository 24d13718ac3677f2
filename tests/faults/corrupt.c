/*
 * Damaged journals: cut at every byte, bits flipped, sectors zeroed, frames
 * moved or repeated, blocks of another journal, segments swapped, missing or
 * foreign, lengths near 2^32.  Whatever is read must be records as they were
 * written, in order from the first; anything else must be an error.
 */
#include "ops/core/hash.h"
#include "tests/faults/faults.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { SEGMENTS = 3, RECORDS = 40 };

/* A journal as files: one of this format in one segment or several, closed or not, or of the first format. */
struct original {
	struct strbuf segment[SEGMENTS];
	int segment_count;
	int64_t count, salt[RECORDS];
};
static char folder[64], path[96];
static struct strbuf err;

static const char *segment_path(int i)
{
	static char name[112];

	snprintf(name, sizeof(name), i ? "%s.%d" : "%s", path, i);
	return name;
}

static void write_file(const char *name, const struct strbuf *data, size_t length)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || write(fd, data->buf, length) != (ssize_t)length) {
		fprintf(fault_out, "cannot write '%s'\n", name);
		exit(3);
	}
	close(fd);
}

/* Sessions of a few records; each but the last of several is cut, so that the next begins a segment. */
static void make_original(struct original *o, int sessions, int64_t salt)
{
	char text[64];

	*o = (struct original){ 0 };
	for (int i = 0; i < SEGMENTS; i++)
		unlink(segment_path(i));
	for (int s = 0; s < sessions; s++) {
		struct journal *journal = journal_open(path, NULL, &err);
		int n = sessions == 1 ? 14 : 5;
		for (int i = 0; i < n; i++) {
			o->salt[o->count] = salt;
			struct record r = numbered(o->count++, salt, text);
			journal_append(journal, &r, &err);
			if (i % 3 == 2)
				journal_commit(journal, &err);
		}
		if (journal_close(journal, &err)) {
			fprintf(fault_out, "cannot make a journal: %s\n", err.buf);
			exit(3);
		}
		struct stat st;
		/* Without its closing frame it was not closed. */
		if (s + 1 < sessions && (stat(segment_path(s), &st) || truncate(segment_path(s), st.st_size - 20)))
			exit(3);
		o->segment_count = s + 1;
	}
	for (int i = 0; i < o->segment_count; i++) {
		strbuf_init(&o->segment[i]);
		if (strbuf_read_file(&o->segment[i], segment_path(i), &err))
			exit(3);
	}
}

static void old_original(struct original *o, int64_t salt)
{
	char text[64];

	*o = (struct original){ .segment_count = 1 };
	strbuf_init(&o->segment[0]);
	while (o->count < 14) {
		struct strbuf payload = STRBUF_INIT;
		o->salt[o->count] = salt;
		struct record r = numbered(o->count++, salt, text);
		record_write(&r, &payload);
		strbuf_addf(&o->segment[0], "KMJ1 %08zx %08x %s\n", payload.len, crc32c(0, payload.buf, payload.len), payload.buf);
		strbuf_release(&payload);
	}
}

static int64_t silent; /* journals read as whole though shorter than they were */

/* Where the first bytes are another journal's, it is that one: then its records count. */
static void check(const struct original *o, const struct original *other, const char *what)
{
	struct arena arena = ARENA_INIT;
	struct reading r = { .salt = o->salt, .most = o->count }, as_other = { .salt = other->salt, .most = other->count };
	int ret = journal_each(&arena, path, compare_numbered, &r, NULL, &err);

	if (r.is_wrong && !r.count) {
		strbuf_reset(&err);
		ret = journal_each(&arena, path, compare_numbered, &as_other, NULL, &err);
		r.is_wrong = as_other.is_wrong;
	}
	if (r.is_wrong)
		bad("%s: record %" PRId64 " is not what was written", what, r.count);
	else if (ret < 0 && (!err.len || strchr(err.buf, '\n')))
		bad("%s: refused without one line: %s", what, err.buf);
	silent += !ret && r.count < o->count;
	strbuf_reset(&err);
	arena_release(&arena);
}

static void restore(const struct original *o)
{
	for (int i = 0; i < SEGMENTS; i++)
		if (i < o->segment_count)
			write_file(segment_path(i), &o->segment[i], o->segment[i].len);
		else
			unlink(segment_path(i));
}

/* Where the next frame begins, or the end. */
static size_t frame_after(const struct strbuf *data, size_t at)
{
	const char *hit = at < data->len ? memmem(data->buf + at, data->len - at, "\nKMJ2", 5) : NULL;

	return hit ? (size_t)(hit - data->buf) + 1 : data->len;
}

/* One random damage to segment i. */
static const char *damage(const struct original *o, const struct original *other, int i)
{
	struct strbuf data = STRBUF_INIT;
	const struct strbuf *from = &other->segment[(int)draw((uint32_t)other->segment_count)];
	const char *what = "";

	strbuf_add(&data, o->segment[i].buf, o->segment[i].len);
	size_t at = draw((uint32_t)data.len), second = draw((uint32_t)data.len), n = 1 + draw(600);
	switch (draw(10)) {
	case 0:
	case 1:
	case 2:
		what = "bits flipped";
		for (int k = (int)draw(3); k >= 0; k--)
			data.buf[draw((uint32_t)data.len)] ^= (char)(1 << draw(8));
		break;
	case 3:
		what = "a sector zeroed";
		at = at / 512 * 512;
		memset(data.buf + at, 0, data.len - at < 512 ? data.len - at : 512);
		break;
	case 4:
	case 5:
		what = "frames in another order";
		/* Frames of the first format have no number: it could not tell. */
		if (!memcmp(data.buf, "KMJ1", 4))
			break;
		at = frame_after(&data, at);
		second = frame_after(&data, second);
		n = frame_after(&data, at + 1) - at;
		{
			struct strbuf moved = STRBUF_INIT;
			bool is_gone = draw(2);
			strbuf_add(&moved, data.buf, second <= at || !is_gone ? second : at);
			if (second > at && is_gone)
				strbuf_add(&moved, data.buf + at + n, second > at + n ? second - at - n : 0);
			strbuf_add(&moved, data.buf + at, n);
			strbuf_add(&moved, data.buf + second, data.len - second);
			strbuf_release(&data);
			data = moved;
		}
		break;
	case 6:
		what = "a block of another journal";
		n = at + n <= data.len ? n : data.len - at;
		memcpy(data.buf + at, from->buf + (at + n <= from->len ? at : 0), n <= from->len ? n : from->len);
		break;
	case 7:
		what = "a frame's length changed";
		{
			char *frame = memmem(data.buf + at, data.len - at, "KMJ", 3);
			if (frame && (size_t)(data.buf + data.len - frame) > 13)
				memcpy(frame + 5, draw(2) ? "ffffffff" : "7fffffe0", 8);
		}
		break;
	case 8:
		what = "another journal's end";
		data.len = at;
		data.buf[at] = 0;
		if (at < from->len)
			strbuf_add(&data, from->buf + at, from->len - at);
		break;
	default:
		what = "random bytes";
		for (size_t k = at; k < data.len && k < at + n; k++)
			data.buf[k] = (char)draw(256);
	}
	write_file(segment_path(i), &data, data.len);
	strbuf_release(&data);
	return what;
}

/* Whole files at each other's places. */
static void shuffle(const struct original *o, const struct original *other)
{
	for (int i = 0; i < SEGMENTS; i++) {
		const struct original *from = draw(4) ? o : other;
		int k = (int)draw((uint32_t)from->segment_count + 1);
		if (k == from->segment_count)
			unlink(segment_path(i));
		else
			write_file(segment_path(i), &from->segment[k], from->segment[k].len);
	}
	if (access(path, F_OK))
		write_file(path, &o->segment[0], 0);
}

int main(int argc, char **argv)
{
	int64_t count = faults_begin(argc, argv, 12000, 100000), done = 0;
	struct original original[4], other;

	strbuf_init(&err);
	snprintf(folder, sizeof(folder), "%s/km-corrupt.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return 3;
	snprintf(path, sizeof(path), "%s/journal", folder);
	make_original(&original[0], 1, 11);
	make_original(&original[1], 3, 12);
	make_original(&original[2], 2, 13);
	make_original(&other, 3, 14);
	old_original(&original[3], 15);
	/* Cut at every byte: what is left is a prefix, and it is read as one. */
	for (int k = 0; k < 4; k++) {
		const struct original *o = &original[k];
		restore(o);
		for (int i = 0; i < o->segment_count; i++) {
			for (size_t at = 0; at < o->segment[i].len; at++, done++) {
				write_file(segment_path(i), &o->segment[i], at);
				check(o, &other, "cut");
			}
			write_file(segment_path(i), &o->segment[i], o->segment[i].len);
		}
	}
	for (; done < count; done++) {
		const struct original *o = &original[draw(4)];
		restore(o);
		if (draw(10) == 0) {
			shuffle(o, &other);
			check(o, &other, "segments shuffled");
		} else {
			const char *what = "";
			for (int times = (int)draw(3); times >= 0; times--)
				what = damage(o, &other, (int)draw((uint32_t)o->segment_count));
			check(o, &other, what);
		}
	}
	for (int i = 0; i < SEGMENTS; i++)
		unlink(segment_path(i));
	rmdir(folder);
	fprintf(fault_out, "# read as shorter, the rest as torn: %" PRId64 "\n", silent);
	return faults_end("damaged journals", done);
}
