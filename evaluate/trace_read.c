/* trace_read.c: traces.h5 as records again, and its validation. */
#include "evaluate/journal.h"
#include "evaluate/trace_schema.h"
#include "ops/core/hash.h"

#include <hdf5.h>
#include <stdio.h>
#include <string.h>

struct reader {
	struct arena *arena;
	struct arena scratch;
	const char *path;
	hid_t file;
	struct strbuf *err;
	char **text;          /* the dictionary */
	size_t text_count;
	char **problem;
	size_t problem_count;
	double *sample;
	size_t sample_count;
	struct fact_value *fact;
	size_t fact_count;
	bool is_older; /* written before the schema's last addition */
};

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *user)
{
	if (n == 0 && e->desc)
		*(const char **)user = e->desc;
	return 0;
}

/* One line: the file, the fault, HDF5's word on it, the way out. */
static int damaged(struct reader *r, const char *fmt, ...) PRINTF(2, 3);
static int damaged(struct reader *r, const char *fmt, ...)
{
	static const char *const close = ": pack it again from its journals with 'km-evaluate trace pack -o";
	const char *word = NULL;
	va_list ap;

	strbuf_addf(r->err, "trace file '%s' is damaged: ", r->path);
	va_start(ap, fmt);
	strbuf_vaddf(r->err, fmt, ap);
	va_end(ap);
	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &word);
	if (word)
		strbuf_addf(r->err, " (HDF5: %s)", word);
	const char *slash = strrchr(r->path, '/');
	strbuf_addf(r->err, "%s %s %.*scells'", close, r->path, slash ? (int)(slash + 1 - r->path) : 0, r->path);
	return -1;
}

/* Opens a column of the group and tells its rows; -1 with *err. */
static hid_t open_column(struct reader *r, hid_t group, const char *group_name, const char *name, int64_t rows,
			 size_t width, H5T_class_t class)
{
	hsize_t dims[2] = { 0, 1 };
	H5Eclear2(H5E_DEFAULT);
	hid_t set = H5Dopen2(group, name, H5P_DEFAULT);

	if (set < 0) {
		damaged(r, "no column '%s/%s'", group_name, name);
		return -1;
	}
	hid_t space = H5Dget_space(set), type = H5Dget_type(set);
	int rank = H5Sget_simple_extent_ndims(space);
	bool fits = rank == (width > 1 ? 2 : 1) && H5Sget_simple_extent_dims(space, dims, NULL) == rank &&
		    (rank == 1 || dims[1] == width);
	bool right_class = H5Tget_class(type) == class;
	H5Sclose(space);
	H5Tclose(type);
	if (fits && right_class && (int64_t)dims[0] == rows)
		return set;
	H5Dclose(set);
	if (!right_class)
		damaged(r, "column '%s/%s' has another type than schema " TRACE_SCHEMA_VERSION " says", group_name, name);
	else
		damaged(r, "column '%s/%s' has %lld rows, its group %lld", group_name, name, fits ? (long long)dims[0] : -1LL, (long long)rows);
	return -1;
}

/* Could the file hold so much?  HDF5 shrinks nothing to less than a thousandth; what says more would cost our memory. */
static bool is_plausible(struct reader *r, const char *group_name, const char *name, int64_t rows, size_t row_bytes)
{
	hsize_t bytes = 0;

	if (H5Fget_filesize(r->file, &bytes) >= 0 && row_bytes && row_bytes <= bytes * 1100 && (uint64_t)rows <= bytes * 1100 / row_bytes)
		return true;
	damaged(r, "column '%s/%s' has more rows than the file has room for", group_name, name);
	return false;
}

/* All of a column; NULL with *err. */
static void *read_column(struct reader *r, hid_t group, const char *group_name, const char *name, int64_t rows,
			 size_t width, H5T_class_t class, hid_t memory, size_t bytes)
{
	hid_t set = open_column(r, group, group_name, name, rows, width, class);
	void *data = NULL;

	if (set < 0)
		return NULL;
	if (!is_plausible(r, group_name, name, rows, width * bytes)) {
		H5Dclose(set);
		return NULL;
	}
	data = arena_alloc(&r->scratch, ((size_t)rows + 1) * width * bytes);
	if (rows && H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) {
		damaged(r, "column '%s/%s' cannot be read", group_name, name);
		data = NULL;
	}
	H5Dclose(set);
	return data;
}

static int32_t *read_i32(struct reader *r, hid_t group, const char *group_name, const char *name, int64_t rows)
{
	return read_column(r, group, group_name, name, rows, 1, H5T_INTEGER, H5T_NATIVE_INT32, 4);
}

/* A column of fixed-width strings; each ends with NUL here.  NULL with *err. */
static char **read_strings(struct reader *r, hid_t group, const char *group_name, const char *name, int64_t rows)
{
	hid_t set = open_column(r, group, group_name, name, rows, 1, H5T_STRING);
	char **text = NULL;

	if (set < 0)
		return NULL;
	hid_t type = H5Dget_type(set);
	size_t width = H5Tget_size(type);
	char *data;

	if (!is_plausible(r, group_name, name, rows, width))
		goto out;
	data = arena_alloc(&r->scratch, ((size_t)rows + 1) * width);
	if (H5Tis_variable_str(type) > 0 ||
	    (rows && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)) {
		damaged(r, "column '%s/%s' cannot be read", group_name, name);
	} else {
		text = ARENA_ARRAY(r->arena, char *, rows + 1);
		for (int64_t i = 0; i < rows; i++)
			text[i] = arena_strndup(r->arena, data + (size_t)i * width, strnlen(data + (size_t)i * width, width));
	}
out:
	H5Tclose(type);
	H5Dclose(set);
	return text;
}

static int read_int_attr(hid_t object, const char *name, int64_t *value)
{
	hid_t attr = H5Aopen(object, name, H5P_DEFAULT);
	int ret = attr < 0 || H5Aread(attr, H5T_NATIVE_INT64, value) < 0 ? -1 : 0;

	if (attr >= 0)
		H5Aclose(attr);
	return ret;
}

static int read_text_attr(hid_t object, const char *name, char *out, size_t room)
{
	hid_t attr = H5Aopen(object, name, H5P_DEFAULT), type = attr < 0 ? -1 : H5Aget_type(attr);
	int ret = -1;

	memset(out, 0, room);
	if (type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) <= 0 && H5Tget_size(type) < room &&
	    H5Aread(attr, type, out) >= 0)
		ret = 0;
	if (type >= 0)
		H5Tclose(type);
	if (attr >= 0)
		H5Aclose(attr);
	return ret;
}

static hid_t open_group(struct reader *r, const char *name, int64_t *rows)
{
	H5Eclear2(H5E_DEFAULT);
	hid_t group = H5Gopen2(r->file, name, H5P_DEFAULT);

	if (group < 0) {
		damaged(r, "no group '%s'", name);
		return -1;
	}
	if (read_int_attr(group, "row_count", rows) || *rows < 0 || *rows > INT32_MAX * INT64_C(64)) {
		damaged(r, "group '%s' has no valid row_count", name);
		H5Gclose(group);
		return -1;
	}
	return group;
}

static int read_text(struct reader *r)
{
	int64_t rows;
	uint64_t *offset;
	uint32_t *length;
	hid_t group = open_group(r, TRACE_TEXT, &rows);
	int ret = -1;

	if (group < 0)
		return -1;
	if (!(offset = read_column(r, group, TRACE_TEXT, "offset", rows, 1, H5T_INTEGER, H5T_NATIVE_UINT64, 8)) ||
	    !(length = read_column(r, group, TRACE_TEXT, "length", rows, 1, H5T_INTEGER, H5T_NATIVE_UINT32, 4)))
		goto out;
	uint64_t total = rows ? offset[rows - 1] + length[rows - 1] : 0;
	const char *bytes = read_column(r, group, TRACE_TEXT, "bytes", (int64_t)total, 1, H5T_INTEGER, H5T_NATIVE_UINT8, 1);
	const uint8_t *sha256 = read_column(r, group, TRACE_TEXT, "sha256", rows, 32, H5T_INTEGER, H5T_NATIVE_UINT8, 1);
	if (!bytes || !sha256)
		goto out;
	r->text = ARENA_ARRAY(r->arena, char *, rows + 1);
	r->text_count = (size_t)rows;
	for (int64_t i = 0; i < rows; i++) {
		struct sha256 sha;
		uint8_t digest[32];
		if (offset[i] > total || length[i] > total - offset[i]) {
			damaged(r, "text %lld reaches beyond the bytes", (long long)i);
			goto out;
		}
		sha256_init(&sha);
		sha256_add(&sha, bytes + offset[i], length[i]);
		sha256_end(&sha, digest);
		if (memcmp(digest, sha256 + 32 * i, 32)) {
			damaged(r, "text %lld does not have its hash", (long long)i);
			goto out;
		}
		r->text[i] = arena_strndup(r->arena, bytes + offset[i], length[i]);
	}
	ret = 0;
out:
	H5Gclose(group);
	return ret;
}

static int read_pools(struct reader *r)
{
	int64_t rows;
	hid_t group = open_group(r, TRACE_PROBLEMS, &rows);

	if (group < 0)
		return -1;
	r->problem = read_strings(r, group, TRACE_PROBLEMS, "name", rows);
	r->problem_count = (size_t)rows;
	H5Gclose(group);
	if (!r->problem || (group = open_group(r, TRACE_SAMPLES, &rows)) < 0)
		return -1;
	double *sample = read_column(r, group, TRACE_SAMPLES, "value", rows, 1, H5T_FLOAT, H5T_NATIVE_DOUBLE, 8);
	H5Gclose(group);
	if (!sample)
		return -1;
	r->sample = ARENA_ARRAY(r->arena, double, rows + 1);
	memcpy(r->sample, sample, (size_t)rows * sizeof(*sample));
	r->sample_count = (size_t)rows;
	if ((group = open_group(r, TRACE_FACTS, &rows)) < 0)
		return -1;
	char **key = read_strings(r, group, TRACE_FACTS, "key", rows);
	double *value = key ? read_column(r, group, TRACE_FACTS, "value", rows, 1, H5T_FLOAT, H5T_NATIVE_DOUBLE, 8) : NULL;
	H5Gclose(group);
	if (!value)
		return -1;
	r->fact = ARENA_ARRAY(r->arena, struct fact_value, rows + 1);
	r->fact_count = (size_t)rows;
	for (int64_t i = 0; i < rows; i++)
		r->fact[i] = (struct fact_value){ key[i], value[i] };
	return 0;
}

/* One field of all rows. */
struct target_rows {
	char *rows;
	size_t size, count;
};

static void *at(const struct target_rows *t, const struct field *f, size_t i)
{
	return t->rows + i * t->size + f->offset;
}

static int read_ranges(struct reader *r, hid_t group, const char *name, const struct field *f, const struct target_rows *t)
{
	const char *offset_name = arena_printf(&r->scratch, "%s_offset", f->name);
	const char *length_name = arena_printf(&r->scratch, "%s_length", f->name);
	uint64_t *offset = read_column(r, group, name, offset_name, (int64_t)t->count, 1, H5T_INTEGER, H5T_NATIVE_UINT64, 8);
	uint32_t *length = offset ? read_column(r, group, name, length_name, (int64_t)t->count, 1, H5T_INTEGER, H5T_NATIVE_UINT32, 4) : NULL;
	bool is_facts = f->type == FIELD_FACTS;
	size_t pool = is_facts ? r->fact_count : r->sample_count;

	if (!length)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		size_t *count = (size_t *)(t->rows + i * t->size + f->count_offset);
		if (offset[i] > pool || length[i] > pool - offset[i] || (is_facts && length[i] > EVALUATION_MAX_FACTS))
			return damaged(r, "'%s/%s' of row %zu reaches beyond its pool", name, f->name, i);
		*count = length[i];
		if (is_facts)
			memcpy(at(t, f, i), r->fact + offset[i], length[i] * sizeof(*r->fact));
		else
			*(double **)at(t, f, i) = r->sample + offset[i];
	}
	return 0;
}

static int read_words(struct reader *r, hid_t group, const char *name, const struct field *f, const struct target_rows *t)
{
	char **text = read_strings(r, group, name, f->name, (int64_t)t->count);

	if (!text)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		if (f->type != FIELD_ID)
			*(const char **)at(t, f, i) = text[i];
		else if (strlen(text[i]) != 16)
			return damaged(r, "'%s/%s' of row %zu is no id", name, f->name, i);
		else
			memcpy(at(t, f, i), text[i], 17);
	}
	return 0;
}

static int read_references(struct reader *r, hid_t group, const char *name, const struct field *f, const struct target_rows *t)
{
	int32_t *row = read_i32(r, group, name, f->name, (int64_t)t->count);
	bool is_text = f->type == FIELD_TEXT;
	size_t pool = is_text ? r->text_count : r->problem_count;

	if (!row)
		return -1;
	for (size_t i = 0; i < t->count; i++) {
		if (row[i] < 0 || (size_t)row[i] >= pool)
			return damaged(r, "'%s/%s' of row %zu refers to no row", name, f->name, i);
		*(const char **)at(t, f, i) = (is_text ? r->text : r->problem)[row[i]];
	}
	return 0;
}

static int read_enum(struct reader *r, hid_t group, const char *name, const struct field *f, const struct target_rows *t)
{
	hid_t set = open_column(r, group, name, f->name, (int64_t)t->count, 1, H5T_ENUM);
	int ret = -1, translate[256];

	if (set < 0)
		return -1;
	/* By word: a verdict's number may differ in the version that wrote the file. */
	hid_t type = H5Dget_type(set);
	for (int v = 0; v < 256; v++) {
		char word[64];
		uint8_t value = (uint8_t)v;
		translate[v] = H5Tget_size(type) == 1 && H5Tenum_nameof(type, &value, word, sizeof(word)) >= 0 ? field_value(f->type, word) : -1;
	}
	uint8_t *data = arena_alloc(&r->scratch, t->count + 1);
	if (H5Tget_size(type) != 1 || (t->count && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)) {
		damaged(r, "column '%s/%s' cannot be read", name, f->name);
		goto out;
	}
	for (size_t i = 0; i < t->count; i++) {
		if (translate[data[i]] < 0) {
			damaged(r, "'%s/%s' of row %zu has an unknown value", name, f->name, i);
			goto out;
		}
		*(int *)at(t, f, i) = translate[data[i]];
	}
	ret = 0;
out:
	H5Tclose(type);
	H5Dclose(set);
	return ret;
}

static int read_numbers(struct reader *r, hid_t group, const char *name, const struct field *f, const struct target_rows *t)
{
	hid_t memory = f->type == FIELD_REAL ? H5T_NATIVE_DOUBLE : f->type == FIELD_INT ? H5T_NATIVE_INT
		     : f->type == FIELD_UINT64 ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
	size_t bytes = f->type == FIELD_INT ? sizeof(int) : 8;
	const char *data = read_column(r, group, name, f->name, (int64_t)t->count, 1,
				       f->type == FIELD_REAL ? H5T_FLOAT : H5T_INTEGER, memory, bytes);

	if (!data)
		return -1;
	for (size_t i = 0; i < t->count; i++)
		memcpy(at(t, f, i), data + i * bytes, bytes);
	return 0;
}

static int read_field(struct reader *r, hid_t group, const char *name, const struct field *f, const struct target_rows *t)
{
	switch (f->type) {
	case FIELD_ID:
	case FIELD_NAME:
	case FIELD_CANDIDATE:
	case FIELD_ENVIRONMENT:
		return read_words(r, group, name, f, t);
	case FIELD_PROBLEM:
	case FIELD_TEXT:
		return read_references(r, group, name, f, t);
	case FIELD_SAMPLES:
	case FIELD_FACTS:
		return read_ranges(r, group, name, f, t);
	case FIELD_VERDICT:
	case FIELD_STATE:
	case FIELD_DUEL_VERDICT:
		return read_enum(r, group, name, f, t);
	default:
		return read_numbers(r, group, name, f, t);
	}
}

static int read_table(struct reader *r, enum record_kind kind, struct trace *trace)
{
	const struct trace_table *table = &trace_tables[kind];
	int64_t rows;

	/* Files of version 3.0 have no such group. */
	if (kind == RECORD_EXCHANGE && r->is_older && H5Lexists(r->file, table->group, H5P_DEFAULT) <= 0) {
		*trace_rows(trace, kind) = arena_alloc(r->arena, table->size);
		*trace_count(trace, kind) = 0;
		return 0;
	}
	hid_t group = open_group(r, table->group, &rows);
	int ret = 0;

	if (group < 0)
		return -1;
	struct target_rows t = { arena_alloc(r->arena, ((size_t)rows + 1) * table->size), table->size, (size_t)rows };
	for (const struct field *f = record_fields(kind); f->name && !ret; f++)
		ret = read_field(r, group, table->group, f, &t);
	H5Gclose(group);
	*trace_rows(trace, kind) = t.rows;
	*trace_count(trace, kind) = t.count;
	return ret;
}

/* Is the file what was written, byte for byte? */
static int check_seal(struct reader *r)
{
	struct strbuf data = STRBUF_INIT;
	char hex[65], want[TRACE_SEAL_BYTES];
	int ret = -1;

	if (strbuf_read_file(&data, r->path, r->err))
		goto out;
	if (!strncmp(data.buf, JOURNAL_MAGIC, strlen(JOURNAL_MAGIC))) { /* never advise to write over a journal */
		strbuf_addf(r->err, "'%s' is a journal, not a trace file: pack it with 'km-evaluate trace pack -o traces.h5 %s'", r->path, r->path);
		goto out;
	}
	if (data.len <= TRACE_SEAL_BYTES || strncmp(data.buf, TRACE_SEAL_FORMAT, strcspn(TRACE_SEAL_FORMAT, "%"))) {
		damaged(r, "it does not begin as trace files do");
		goto out;
	}
	sha256_hex(data.buf + TRACE_SEAL_BYTES, data.len - TRACE_SEAL_BYTES, hex);
	snprintf(want, sizeof(want), TRACE_SEAL_FORMAT, data.len - TRACE_SEAL_BYTES, hex);
	if (strcmp(data.buf, want))
		damaged(r, "it is cut short or changed: its %zu bytes do not have the hash written in its first lines", data.len);
	else
		ret = 0;
out:
	strbuf_release(&data);
	return ret;
}

static int open_file(struct reader *r)
{
	char text[64], version[64];
	int64_t complete = 0;

	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	H5Eclear2(H5E_DEFAULT);
	if (check_seal(r))
		return -1;
	if ((r->file = H5Fopen(r->path, H5F_ACC_RDONLY, H5P_DEFAULT)) < 0)
		return damaged(r, "cannot be opened");
	if (read_text_attr(r->file, "schema_name", text, sizeof(text)) || strcmp(text, TRACE_SCHEMA_NAME)) {
		strbuf_addf(r->err, "'%s' is an HDF5 file but holds no traces: no attribute schema_name '" TRACE_SCHEMA_NAME "'", r->path);
		return -1;
	}
	if (read_text_attr(r->file, "schema_version", version, sizeof(version)) ||
	    strncmp(version, TRACE_SCHEMA_VERSION, strcspn(TRACE_SCHEMA_VERSION, ".") + 1))
		return damaged(r, "schema version '%s', this tool reads " TRACE_SCHEMA_VERSION, version);
	r->is_older = !strncmp(version, "3.0.", 4);
	if (read_int_attr(r->file, "complete", &complete) || complete != 1)
		return damaged(r, "it was never completed");
	return 0;
}

static int read_all(struct reader *r, struct trace *trace)
{
	int ret = open_file(r) || read_text(r) || read_pools(r) ? -1 : 0;

	memset(trace, 0, sizeof(*trace));
	for (int k = 0; k < RECORD_KIND_COUNT && !ret; k++)
		ret = read_table(r, (enum record_kind)k, trace);
	return ret;
}

static void reader_close(struct reader *r)
{
	if (r->file >= 0)
		H5Fclose(r->file);
	arena_release(&r->scratch);
}

int trace_read(struct arena *arena, const char *path, struct trace *trace, struct strbuf *err)
{
	struct reader r = { .arena = arena, .path = path, .file = -1, .err = err };
	struct trace fresh;
	int ret = read_all(&r, &fresh);

	reader_close(&r);
	if (!ret)
		*trace = fresh;
	return ret;
}

static void fault(struct reader *r, int *faults, const char *fmt, ...) PRINTF(3, 4);
static void fault(struct reader *r, int *faults, const char *fmt, ...)
{
	va_list ap;

	if (++*faults > 10)
		return;
	if (r->err->len)
		strbuf_addch(r->err, '\n');
	strbuf_addf(r->err, "trace file '%s': ", r->path);
	va_start(ap, fmt);
	strbuf_vaddf(r->err, fmt, ap);
	va_end(ap);
}

/* NAME_row must name the row that has NAME's id, -1 only where there is none. */
static void check_row_column(struct reader *r, enum record_kind kind, const struct field *f, const struct trace *trace, int *faults)
{
	struct trace *t = (struct trace *)(uintptr_t)trace;
	const char *group_name = trace_tables[kind].group;
	const char *name = arena_printf(&r->scratch, "%s_row", f->name);
	size_t size = trace_tables[kind].size, count = *trace_count(t, kind);
	int64_t rows;
	hid_t group = open_group(r, group_name, &rows);
	int32_t *row = group < 0 ? NULL : read_i32(r, group, group_name, name, (int64_t)count);
	bool is_candidate = f->type == FIELD_CANDIDATE, may_miss = kind == RECORD_CANDIDATE; /* a parent from another problem */
	size_t pool = is_candidate ? trace->candidate_count : trace->environment_count;

	if (group >= 0)
		H5Gclose(group);
	if (!row) {
		++*faults;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const char *id = *(const char *const *)((const char *)*trace_rows(t, kind) + i * size + f->offset);
		if (row[i] < -1 || row[i] >= (int64_t)pool)
			fault(r, faults, "'%s/%s' of row %zu is out of range", group_name, name, i);
		else if (row[i] == -1 && *id && !may_miss)
			fault(r, faults, "row %zu of '%s' names %s '%s', which is not there: its journal is missing from the pack", i, group_name, f->name, id);
		else if (row[i] >= 0 && strcmp(id, is_candidate ? trace->candidate[row[i]].id : trace->environment[row[i]].id))
			fault(r, faults, "'%s/%s' of row %zu names another row than id '%s'", group_name, name, i, id);
	}
}

static void check_extra(struct reader *r, const char *group_name, const char *const *row_columns, const size_t *pool,
			const char *const *word_columns, int *faults)
{
	int64_t rows;
	hid_t group = open_group(r, group_name, &rows);

	if (group < 0) {
		++*faults;
		return;
	}
	for (size_t k = 0; row_columns[k]; k++) {
		int32_t *row = read_i32(r, group, group_name, row_columns[k], rows);
		*faults += !row;
		for (int64_t i = 0; row && i < rows; i++)
			if (row[i] < -1 || row[i] >= (int64_t)pool[k])
				fault(r, faults, "'%s/%s' of row %lld is out of range", group_name, row_columns[k], (long long)i);
	}
	for (size_t k = 0; word_columns[k]; k++)
		*faults += !read_strings(r, group, group_name, word_columns[k], rows);
	H5Gclose(group);
}

int trace_validate(const char *path, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct reader r = { .arena = &arena, .path = path, .file = -1, .err = err };
	struct trace trace;
	int faults = read_all(&r, &trace) ? 1 : 0;

	if (!faults) {
		for (int k = 0; k < RECORD_KIND_COUNT; k++)
			for (const struct field *f = record_fields((enum record_kind)k); f->name; f++)
				if (f->type == FIELD_CANDIDATE || f->type == FIELD_ENVIRONMENT)
					check_row_column(&r, (enum record_kind)k, f, &trace, &faults);
		const size_t pool[] = { trace.candidate_count, trace.candidate_count };
		const size_t evaluations[] = { trace.evaluation_count };
		check_extra(&r, TRACE_KNOBS, (const char *const[]){ "candidate_row", NULL }, pool, (const char *const[]){ "key", "value", NULL }, &faults);
		check_extra(&r, TRACE_EDGES, (const char *const[]){ "child_row", "parent_row", NULL }, pool, (const char *const[]){ "edge", NULL }, &faults);
		check_extra(&r, TRACE_FACTS, (const char *const[]){ "evaluation_row", NULL }, evaluations, (const char *const[]){ "key", NULL }, &faults);
	}
	if (faults > 10)
		strbuf_addf(err, "\ntrace file '%s': and %d more faults", path, faults - 10);
	reader_close(&r);
	arena_release(&arena);
	return faults ? -1 : 0;
}
