/*
 * stages.h: what skeleton `stages` is made of: stages_match.c recognises, stages_write.c has what
 * kernels of both kinds of target share, stages_device.c those of devices of warps.
 */
#ifndef GENERATE_STAGES_H
#define GENERATE_STAGES_H

#include "generate/recognise.h"
#include "generate/tile.h"

enum scheme { PLAIN, PREFIX, RECURRENCE, SEARCH, RANKS, BY_RANK };

/* A statement and how it is lowered. */
struct stage {
	const struct normal_stmt *stmt;
	enum scheme scheme;
	const struct normal_stmt *ranks; /* BY_RANK: whose */
	bool is_kept;                    /* read later: needs memory of its own */
};
struct match {
	const struct normal *normal;
	struct stage *stage;
	size_t count;
	bool sorts;
};

/* The skeleton's match(). */
const struct match *stages_match(struct arena *arena, const struct problem *problem, const struct normal *normal, struct strbuf *why_not);
bool stages_have(const struct match *match, enum scheme scheme);
bool stages_is_int(const struct expr *e, int64_t value);

/* Knob TILES: what it is first, and where there is none. */
enum { FIRST_TILES = 2048, NO_TILES = -1 };

/* A program being written, for a point. */
struct stages_writer {
	struct arena *arena;
	const struct match *match;
	const struct problem *problem;
	struct strbuf *text;
	int64_t block, unroll, base;
	bool is_double; /* arithmetic, and what is kept */
	bool counts;    /* ranks, instead of sorting */
	bool is_short;  /* devices compute indices in 32 bits */
	/* On a device */
	int64_t threads, lanes, part, run, patch, share, tiles;
	int warp;
	bool uses_lanes; /* some kernel does */
	bool uses_tiles;
	bool uses_share;
	bool uses_patch, is_too_long; /* a thread computes several points; of more terms than its code should be unrolled to */
};

/* The stage of that name, or NULL. */
const struct stage *stages_find(const struct match *match, const char *name);
/* Where later stages find the statement's value. */
const char *stages_kept_name(struct arena *arena, const struct stage *stage);
/* The tree with the names of statements as those of their memory. */
struct expr *stages_in_memory(struct stages_writer *w, const struct expr *e);
/* Extent of index i, as text. */
const char *stages_extent(struct stages_writer *w, const struct normal_stmt *s, size_t i);
/* "name[at]", or "name" of a scalar. */
const char *stages_place(struct stages_writer *w, const char *name, const char *at);
/* Buffers of what is kept. */
void stages_write_memory(struct stages_writer *w);
/* Stores of a value: into memory for later stages, into the output, or both. */
void stages_write_stores(struct stages_writer *w, const struct stage *x, const char *indent, const char *at, const char *value);

/* Knobs and kernels for devices of warps; the program's head is written.  As the skeleton's. */
void stages_device_knobs(struct arena *arena, const struct match *match, const struct problem *problem, struct space *space);
int stages_lower_device(struct stages_writer *w, struct strbuf *why_not);

#endif
