/* journal_read.c: what the segments of a journal hold together. */
#include "evaluate/journal_read.h"
#include "ops/core/hash.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_MAGIC "KMJ1 "
#define OLD_HEAD_BYTES 23 /* "KMJ1 llllllll cccccccc " */
enum { MAGIC_BYTES = 5, COVERED_BYTES = 27 /* of the head: length, seq, synced */ };

uint32_t frame_seed(const char *id, int number)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%s.%d", id, number);

	return crc32c(0, text, (size_t)n);
}

void frame_write(struct strbuf *out, const char *payload, size_t length, uint32_t seq, uint32_t synced, uint32_t seed)
{
	char head[64];

	snprintf(head, sizeof(head), "%08zx %08x %08x ", length, seq, synced);
	uint32_t crc = crc32c(crc32c(seed, head, COVERED_BYTES), payload, length);
	strbuf_addf(out, FRAME_MAGIC "%s%08x ", head, crc);
	strbuf_add(out, payload, length);
	strbuf_addch(out, '\n');
}

static bool parse_hex(const char *s, uint32_t *value)
{
	*value = 0;
	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789abcdef", *at = s[i] ? strchr(digits, s[i]) : NULL;
		if (!at)
			return false;
		*value = *value << 4 | (uint32_t)(at - digits);
	}
	return s[8] == ' ';
}

static bool frame_at(const char *p, size_t left, uint32_t seed, struct frame *f)
{
	uint32_t length, crc;

	if (left < FRAME_HEAD_BYTES + 1 || memcmp(p, FRAME_MAGIC, MAGIC_BYTES) || !parse_hex(p + 5, &length) || !parse_hex(p + 14, &f->seq) ||
	    !parse_hex(p + 23, &f->synced) || !parse_hex(p + 32, &crc) || left - FRAME_HEAD_BYTES - 1 < length ||
	    p[FRAME_HEAD_BYTES + length] != '\n' ||
	    crc32c(crc32c(seed, p + MAGIC_BYTES, COVERED_BYTES), p + FRAME_HEAD_BYTES, length) != crc)
		return false;
	f->payload = p + FRAME_HEAD_BYTES;
	f->length = length;
	return true;
}

static bool old_frame_at(const char *p, size_t left, struct frame *f)
{
	uint32_t length, crc;

	if (left < OLD_HEAD_BYTES + 1 || memcmp(p, OLD_MAGIC, MAGIC_BYTES) || !parse_hex(p + 5, &length) || !parse_hex(p + 14, &crc) ||
	    left - OLD_HEAD_BYTES - 1 < length || p[OLD_HEAD_BYTES + length] != '\n' || crc32c(0, p + OLD_HEAD_BYTES, length) != crc)
		return false;
	f->payload = p + OLD_HEAD_BYTES;
	f->length = length;
	return true;
}

/* ---- segments -------------------------------------------------------- */

static int damaged(struct strbuf *err, const struct segment *s, size_t at, const char *what)
{
	strbuf_addf(err, "journal '%s' is damaged at byte %zu: %s: restore it, or keep the frames before with 'truncate -s %zu %s'", s->path, at, what, at, s->path);
	return -1;
}

static bool get_number(const cJSON *root, const char *key, uint32_t *value)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(root, key);
	bool good = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= UINT32_MAX;

	if (good)
		*value = (uint32_t)item->valuedouble;
	return good;
}

/* The first frame: which journal's, which segment, what it replaces. */
static int read_header(struct frames *f, struct segment *s, struct strbuf *err)
{
	struct frame header;
	uint32_t version = 0, number = 0;
	int ret = -1;

	if (!frame_at(s->data.buf, s->data.len, 0, &header)) {
		/* Cut off while it was begun: like a header, or with the zeros of a lost page.  Anything else is not ours. */
		size_t n = 0;
		while (n < MAGIC_BYTES && n < s->data.len && s->data.buf[n] == FRAME_MAGIC[n])
			n++;
		if (n < MAGIC_BYTES && n < s->data.len && s->data.buf[n]) {
			strbuf_addf(err, "'%s' is no journal: name another file", s->path);
			return -1;
		}
		return s->data.len > HEADER_MOST_BYTES ? damaged(err, s, 0, "it has no header") : 0;
	}
	char *text = strndup(header.payload, header.length);
	cJSON *root = text ? cJSON_Parse(text) : NULL;
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(root, "journal");
	if (!get_number(root, "version", &version) || version != 2) {
		strbuf_addf(err, "journal '%s' was written by another version; search again into a new OUT", s->path);
	} else if (!cJSON_IsString(id) || strlen(id->valuestring) != 16 || !get_number(root, "segment", &number) ||
		   !get_number(root, "from", &s->from) || !get_number(root, "to", &s->to) || s->from > s->to) {
		damaged(err, s, 0, "its header is not one");
	} else if ((int)number != s->number || (*f->id && strcmp(f->id, id->valuestring))) {
		strbuf_addf(err, "'%s' is segment %u of %s: put it back, or remove it", s->path, number,
			    *f->id && strcmp(f->id, id->valuestring) ? "another journal" : "a journal and belongs elsewhere");
	} else {
		memcpy(f->id, id->valuestring, 17);
		s->has_header = true;
		s->seed = frame_seed(f->id, s->number);
		s->end = (size_t)(header.payload - s->data.buf) + header.length + 1;
		ret = 0;
	}
	cJSON_Delete(root);
	free(text);
	return ret;
}

static int by_number(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

/* Number of the file NAME when it is a segment after the first of `base`; 0: it is not. */
static int segment_number(const char *name, const char *base)
{
	size_t len = strlen(base);
	const char *digits = name + len + 1;

	if (strncmp(name, base, len) || name[len] != '.' || *digits < '1' || *digits > '9' || strlen(digits) > 8 ||
	    strspn(digits, "0123456789") != strlen(digits))
		return 0;
	return atoi(digits);
}

static void add_segment(struct frames *f, const char *path, int number)
{
	if (!(f->segment_count & (f->segment_count - 1))) {
		struct segment *grown = ARENA_ARRAY(f->arena, struct segment, 2 * f->segment_count + 1);
		if (f->segment_count)
			memcpy(grown, f->segment, f->segment_count * sizeof(*grown));
		f->segment = grown;
	}
	f->segment[f->segment_count++] = (struct segment){ .path = path, .number = number, .data = STRBUF_INIT };
	f->last_number = number > f->last_number ? number : f->last_number;
}

static int find_segments(struct frames *f, struct strbuf *err)
{
	const char *slash = strrchr(f->path, '/'), *base = slash ? slash + 1 : f->path;
	const char *folder = !slash ? "." : slash == f->path ? "/" : arena_strndup(f->arena, f->path, (size_t)(slash - f->path));
	DIR *dir = opendir(folder);

	if (!dir) {
		strbuf_addf(err, "cannot read '%s': %s", f->path, strerror(errno));
		return -1;
	}
	add_segment(f, f->path, 0);
	for (struct dirent *e; (e = readdir(dir));) {
		int number = segment_number(e->d_name, base);
		if (number)
			add_segment(f, arena_printf(f->arena, "%s.%d", f->path, number), number);
	}
	closedir(dir);
	qsort(f->segment, f->segment_count, sizeof(*f->segment), by_number);
	for (size_t i = 0; i < f->segment_count; i++)
		if (strbuf_read_file(&f->segment[i].data, f->segment[i].path, err))
			return -1;
	return 0;
}

/* ---- frames ---------------------------------------------------------- */

static void keep(struct frames *f, const struct frame *frame, size_t at)
{
	if (at == f->capacity) {
		size_t capacity = f->capacity ? 2 * f->capacity : 256;
		struct frame *grown = realloc(f->frame, capacity * sizeof(*grown));
		if (!grown)
			die("out of memory for %zu frames", capacity);
		f->frame = grown;
		f->capacity = capacity;
	}
	f->frame[at] = *frame;
	if (at == f->count)
		f->count++;
}

static int add_old(struct frames *f, struct segment *s, struct strbuf *err)
{
	struct frame frame;

	while (s->end < s->data.len && old_frame_at(s->data.buf + s->end, s->data.len - s->end, &frame)) {
		frame.offset = s->end;
		frame.segment = (int)(s - f->segment);
		frame.seq = (uint32_t)f->count;
		keep(f, &frame, f->count);
		s->end = (size_t)(frame.payload - s->data.buf) + frame.length + 1;
	}
	for (size_t i = s->end + 1; i < s->data.len; i++) {
		const char *hit = memmem(s->data.buf + i, s->data.len - i, OLD_MAGIC, MAGIC_BYTES);
		if (!hit)
			break;
		i = (size_t)(hit - s->data.buf);
		if (old_frame_at(hit, s->data.len - i, &frame))
			return damaged(err, s, s->end, "whole frames follow");
	}
	f->synced = (uint32_t)f->count;
	/* It has no name: later segments know it by what it holds. */
	if (f->count) {
		char hex[65];
		sha256_hex(s->data.buf, s->end, hex);
		memcpy(f->id, hex, 16);
	}
	return 0;
}

static int add_frames(struct frames *f, struct segment *s, struct strbuf *err)
{
	uint32_t seq = s->from, most = s->from;
	struct frame frame;

	if (f->count < s->from) {
		strbuf_addf(err, "journal '%s' is damaged: segment '%s' follows %u frames, %zu are there: restore the segments before it", f->path, s->path, s->from, f->count);
		return -1;
	}
	if (f->count > s->to)
		f->count = s->to;
	f->is_closed = false;
	while (s->end < s->data.len && frame_at(s->data.buf + s->end, s->data.len - s->end, s->seed, &frame) && frame.seq == seq) {
		frame.offset = s->end;
		frame.segment = (int)(s - f->segment);
		keep(f, &frame, seq++);
		most = frame.synced > most ? frame.synced : most;
		f->is_closed = frame.synced == frame.seq && frame.length == strlen(FRAME_END) && !memcmp(frame.payload, FRAME_END, frame.length);
		s->end = (size_t)(frame.payload - s->data.buf) + frame.length + 1;
	}
	if (s->end < s->data.len)
		f->is_closed = false;
	/* Beyond the first bad byte: what a power cut left of unfinished work, or a sign that finished work is gone? */
	for (size_t i = s->end; i < s->data.len; i++) {
		const char *hit = memmem(s->data.buf + i, s->data.len - i, FRAME_MAGIC, MAGIC_BYTES);
		if (!hit)
			break;
		i = (size_t)(hit - s->data.buf);
		if (frame_at(hit, s->data.len - i, s->seed, &frame) && frame.synced > seq)
			return damaged(err, s, s->end, "later frames say that what was there had been written");
	}
	f->synced = most > f->synced ? most : f->synced;
	return 0;
}

/* Payloads become strings: the newline after each is no longer needed. */
static void end_payloads(struct frames *f)
{
	for (size_t i = 0; i < f->count; i++) {
		struct strbuf *data = &f->segment[f->frame[i].segment].data;
		data->buf[(size_t)(f->frame[i].payload - data->buf) + f->frame[i].length] = 0;
	}
}

int frames_read(struct frames *f, struct arena *arena, const char *path, struct strbuf *err)
{
	*f = (struct frames){ .arena = arena, .path = path, .last_number = -1 };
	if (find_segments(f, err))
		return -1;
	for (size_t i = 0; i < f->segment_count; i++) {
		struct segment *s = &f->segment[i];
		s->is_old = !s->number && s->data.len >= MAGIC_BYTES && !memcmp(s->data.buf, OLD_MAGIC, MAGIC_BYTES);
		if (!s->is_old && read_header(f, s, err))
			return -1;
		if (s->is_old ? add_old(f, s, err) : s->has_header && add_frames(f, s, err))
			return -1;
		if (!s->has_header)
			f->is_closed = false;
		f->torn_bytes += (int64_t)(s->data.len - s->end);
	}
	if (f->count < f->synced) {
		strbuf_addf(err, "journal '%s' is damaged: %u frames had been written, %zu are there: restore it", path, f->synced, f->count);
		return -1;
	}
	end_payloads(f);
	return 0;
}

void frames_release(struct frames *f)
{
	for (size_t i = 0; i < f->segment_count; i++)
		strbuf_release(&f->segment[i].data);
	free(f->frame);
	*f = (struct frames){ 0 };
}
