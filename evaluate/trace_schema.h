/* trace_schema.h: what the writer and the reader of traces.h5 share; for trace_*.c alone. */
#ifndef EVALUATE_TRACE_SCHEMA_H
#define EVALUATE_TRACE_SCHEMA_H

#include "evaluate/trace.h"

#define TRACE_SCHEMA_NAME "kernelmill-traces"
#define TRACE_SCHEMA_VERSION "3.1.0" /* another first number: unreadable to older tools */

/*
 * The file's first 512 bytes are an HDF5 user block with a seal over the rest,
 *   "kernelmill traces\nbytes: N\nsha256: HEX\n"
 * checked before HDF5 parses anything: its metadata carries no checksum, and the
 * library reads beyond its buffers where that is damaged.
 */
#define TRACE_SEAL_BYTES 512
#define TRACE_SEAL_FORMAT "kernelmill traces\nbytes: %zu\nsha256: %s\n"

/* One group of rows per kind of record. */
struct trace_table {
	const char *group, *description;
	size_t size;                  /* of a record */
	size_t offset;                /* of the kind's struct in struct record */
	size_t rows_offset, count_offset; /* of array and count in struct trace */
};
extern const struct trace_table trace_tables[RECORD_KIND_COUNT];

static inline void **trace_rows(struct trace *trace, enum record_kind kind)
{
	return (void **)((char *)trace + trace_tables[kind].rows_offset);
}
static inline size_t *trace_count(struct trace *trace, enum record_kind kind)
{
	return (size_t *)((char *)trace + trace_tables[kind].count_offset);
}

/* The columns that are not fields of records: written and read by hand. */
#define TRACE_PROBLEMS "problems"
#define TRACE_TEXT "text"
#define TRACE_SAMPLES "samples"
#define TRACE_FACTS "facts"
#define TRACE_KNOBS "knobs"
#define TRACE_EDGES "edges"

#endif
