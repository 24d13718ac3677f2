/* journal_read.h: the frames of all segments of a journal; for journal*.c alone. */
#ifndef EVALUATE_JOURNAL_READ_H
#define EVALUATE_JOURNAL_READ_H

#include "evaluate/journal.h"

#define FRAME_MAGIC "KMJ2 "
#define FRAME_HEAD_BYTES 41 /* "KMJ2 llllllll ssssssss dddddddd cccccccc " */
#define FRAME_END "{\"kind\":\"end\"}" /* payload of the frame that closes a journal */
#define HEADER_MOST_BYTES 4096 /* a header alone is on the disk before anything follows it */

struct frame {
	const char *payload; /* NUL-terminated, in the segment's data */
	size_t length;
	uint32_t seq, synced;
	size_t offset;       /* in its segment */
	int segment;         /* index */
};

struct segment {
	const char *path;
	int number;
	struct strbuf data;
	bool has_header;     /* else: nothing was ever kept in it */
	bool is_old;         /* first format */
	uint32_t from, to, seed;
	size_t end;          /* where its whole frames end */
};

struct frames {
	struct arena *arena;
	const char *path;
	char id[17];         /* the journal's; "": it has no segment of this format yet */
	struct segment *segment;
	size_t segment_count;
	int last_number;     /* of a segment's file, whole or not; -1: none */
	struct frame *frame;
	size_t count, capacity;
	uint32_t synced;     /* frames known to be on the disk */
	bool is_closed;      /* the last frame closes the last segment, and nothing follows it */
	int64_t torn_bytes;
};

/* The checksum that frames of a segment start from. */
uint32_t frame_seed(const char *id, int number);
void frame_write(struct strbuf *out, const char *payload, size_t length, uint32_t seq, uint32_t synced, uint32_t seed);
/* 0, or -1 with *err: damaged, or no journal.  A missing file is -1 too. */
int frames_read(struct frames *f, struct arena *arena, const char *path, struct strbuf *err);
void frames_release(struct frames *f);

#endif
