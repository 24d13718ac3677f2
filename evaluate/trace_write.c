/* trace_write.c: a trace as an HDF5 file, built in memory and published at once. */
#include "evaluate/trace_schema.h"
#include "ops/core/diag.h"
#include "ops/core/hash.h"

#include <hdf5.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS 16384

/* Growable array of fixed-size items. */
struct column {
	size_t size, count, capacity;
	char *data;
};

static void *column_add(struct column *c, const void *item, size_t n)
{
	if (c->count + n > c->capacity) {
		c->capacity = 2 * (c->count + n);
		c->data = realloc(c->data, c->capacity * c->size);
		if (!c->data)
			die("out of memory for %zu rows", c->capacity);
	}
	void *at = c->data + c->count * c->size;
	if (n)
		memcpy(at, item, n * c->size);
	c->count += n;
	return at;
}

/* Every distinct text once, in the order of first use. */
struct dictionary {
	struct column bytes, offset, length, sha256;
	int32_t *slot; /* open addressing by hash: row + 1, 0: free */
	size_t slot_count;
};

struct writer {
	const struct trace *trace;
	hid_t file;
	bool failed;
	struct dictionary text;
	struct column samples;
	struct column fact_row, fact_value;
	const char **fact_key;
	size_t fact_capacity;
	const char **problem; /* sorted */
	size_t problem_count;
	int32_t *by_id;       /* rows of candidates sorted by (id, problem) */
};

static void dictionary_grow(struct dictionary *d)
{
	size_t old_count = d->slot_count;
	int32_t *old = d->slot;

	d->slot_count = old_count ? 2 * old_count : 1024;
	d->slot = calloc(d->slot_count, sizeof(*d->slot));
	if (!d->slot)
		die("out of memory");
	for (size_t i = 0; i < old_count; i++)
		if (old[i]) {
			uint64_t h;
			memcpy(&h, d->sha256.data + 32 * (size_t)(old[i] - 1), sizeof(h));
			size_t s = h & (d->slot_count - 1);
			while (d->slot[s])
				s = (s + 1) & (d->slot_count - 1);
			d->slot[s] = old[i];
		}
	free(old);
}

static int32_t dictionary_row(struct dictionary *d, const char *text)
{
	uint8_t digest[32];
	struct sha256 sha;
	uint64_t h;
	size_t len = strlen(text);

	sha256_init(&sha);
	sha256_add(&sha, text, len);
	sha256_end(&sha, digest);
	if (2 * d->sha256.count >= d->slot_count)
		dictionary_grow(d);
	memcpy(&h, digest, sizeof(h));
	size_t s = h & (d->slot_count - 1);
	for (; d->slot[s]; s = (s + 1) & (d->slot_count - 1))
		if (!memcmp(d->sha256.data + 32 * (size_t)(d->slot[s] - 1), digest, 32))
			return d->slot[s] - 1;
	uint64_t offset = d->bytes.count;
	uint32_t length = (uint32_t)len;
	column_add(&d->bytes, text, len);
	column_add(&d->offset, &offset, 1);
	column_add(&d->length, &length, 1);
	column_add(&d->sha256, digest, 1);
	return d->slot[s] = (int32_t)d->sha256.count, (int32_t)d->sha256.count - 1;
}

static void check(struct writer *w, int64_t status)
{
	w->failed |= status < 0;
}

static hid_t string_type(struct writer *w, size_t width)
{
	hid_t type = H5Tcopy(H5T_C_S1);

	check(w, type);
	check(w, H5Tset_size(type, width ? width : 1));
	check(w, H5Tset_strpad(type, H5T_STR_NULLPAD));
	check(w, H5Tset_cset(type, H5T_CSET_UTF8));
	return type;
}

static hid_t enum_type(struct writer *w, enum field_type field, hid_t base)
{
	hid_t type = H5Tenum_create(base);
	const char *word;

	for (int i = 0; (word = field_word(field, i)); i++) {
		uint8_t value = (uint8_t)i;
		check(w, H5Tenum_insert(type, word, &value));
	}
	return type;
}

static void set_text(struct writer *w, hid_t object, const char *name, const char *text)
{
	hid_t space = H5Screate(H5S_SCALAR), type = string_type(w, strlen(text));
	hid_t attr = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);

	check(w, attr);
	check(w, H5Awrite(attr, type, text));
	H5Aclose(attr);
	H5Tclose(type);
	H5Sclose(space);
}

static void set_int(struct writer *w, hid_t object, const char *name, int64_t value)
{
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t attr = H5Acreate2(object, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT);

	check(w, attr);
	check(w, H5Awrite(attr, H5T_NATIVE_INT64, &value));
	H5Aclose(attr);
	H5Sclose(space);
}

static hid_t open_group(struct writer *w, const char *name, const char *description, size_t rows)
{
	hid_t properties = H5Pcreate(H5P_GROUP_CREATE);

	check(w, H5Pset_obj_track_times(properties, 0));
	hid_t group = H5Gcreate2(w->file, name, H5P_DEFAULT, properties, H5P_DEFAULT);
	H5Pclose(properties);
	check(w, group);
	set_text(w, group, "description", description);
	set_int(w, group, "row_count", (int64_t)rows);
	return group;
}

struct label {
	const char *name, *unit, *long_name, *refers_to;
};

/* One dataset; `width` > 1: a second dimension. */
static void put(struct writer *w, hid_t group, struct label label, hid_t file_type, hid_t memory_type,
		size_t rows, size_t width, const void *data)
{
	hsize_t dims[2] = { rows, width }, most[2] = { H5S_UNLIMITED, width };
	hsize_t chunk[2] = { rows && rows < CHUNK_ROWS ? rows : CHUNK_ROWS, width };
	int rank = width > 1 ? 2 : 1;
	hid_t properties = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, dims, most);

	check(w, H5Pset_obj_track_times(properties, 0));
	check(w, H5Pset_chunk(properties, rank, chunk));
	check(w, H5Pset_shuffle(properties));
	check(w, H5Pset_deflate(properties, 1));
	check(w, H5Pset_fletcher32(properties));
	hid_t set = H5Dcreate2(group, label.name, file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
	check(w, set);
	if (rows)
		check(w, H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
	set_text(w, set, "units", label.unit);
	set_text(w, set, "long_name", label.long_name);
	if (label.refers_to)
		set_text(w, set, "refers_to", label.refers_to);
	H5Dclose(set);
	H5Sclose(space);
	H5Pclose(properties);
}

static void put_strings(struct writer *w, hid_t group, struct label label, const char *const *text, size_t rows)
{
	size_t width = 1;

	for (size_t i = 0; i < rows; i++)
		if (strlen(text[i]) > width)
			width = strlen(text[i]);
	char *data = calloc(rows + 1, width);
	if (!data)
		die("out of memory");
	for (size_t i = 0; i < rows; i++)
		memcpy(data + i * width, text[i], strlen(text[i]));
	hid_t type = string_type(w, width);
	put(w, group, label, type, type, rows, 1, data);
	H5Tclose(type);
	free(data);
}

static void put_rows(struct writer *w, hid_t group, const char *name, const char *refers_to, const int32_t *row, size_t rows)
{
	struct label label = { name, "1", "row referred to, -1: none", refers_to };
	put(w, group, label, H5T_STD_I32LE, H5T_NATIVE_INT32, rows, 1, row);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int32_t problem_row(const struct writer *w, const char *problem)
{
	const char **hit = bsearch(&problem, w->problem, w->problem_count, sizeof(*w->problem), by_name);
	return hit ? (int32_t)(hit - w->problem) : -1;
}

static int compare_candidate(const struct candidate *c, const char *id, const char *problem)
{
	int order = strcmp(c->id, id);
	return order ? order : strcmp(c->problem, problem);
}

static int by_candidate(const void *pa, const void *pb, void *user)
{
	const struct writer *w = user;
	const struct candidate *b = &w->trace->candidate[*(const int32_t *)pb];
	return compare_candidate(&w->trace->candidate[*(const int32_t *)pa], b->id, b->problem);
}

static int32_t candidate_row(const struct writer *w, const char *id, const char *problem)
{
	size_t lo = 0, hi = w->trace->candidate_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = compare_candidate(&w->trace->candidate[w->by_id[mid]], id, problem);
		if (!order)
			return w->by_id[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}

static int32_t environment_row(const struct writer *w, const char *id)
{
	for (size_t i = 0; i < w->trace->environment_count; i++)
		if (!strcmp(w->trace->environment[i].id, id))
			return (int32_t)i;
	return -1;
}

/* The values of one field of all rows, as strings. */
static const char **strings_of(const struct field *f, const char *rows, size_t size, size_t count)
{
	const char **text = calloc(count + 1, sizeof(*text));

	if (!text)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		const char *at = rows + i * size + f->offset;
		const char *s = f->type == FIELD_ID ? at : *(const char *const *)at;
		text[i] = s ? s : "";
	}
	return text;
}

static void add_facts(struct writer *w, const struct fact_value *fact, size_t count, int32_t row)
{
	for (size_t i = 0; i < count; i++) {
		if (w->fact_row.count == w->fact_capacity) {
			w->fact_capacity = 2 * w->fact_capacity + 64;
			w->fact_key = realloc(w->fact_key, w->fact_capacity * sizeof(*w->fact_key));
			if (!w->fact_key)
				die("out of memory");
		}
		w->fact_key[w->fact_row.count] = fact[i].key;
		column_add(&w->fact_row, &row, 1);
		column_add(&w->fact_value, &fact[i].value, 1);
	}
}

/* FIELD_SAMPLES and FIELD_FACTS: NAME_offset and NAME_length. */
static void put_ranges(struct writer *w, hid_t group, const struct field *f, const char *rows, size_t size, size_t count)
{
	uint64_t *offset = calloc(count + 1, sizeof(*offset));
	uint32_t *length = calloc(count + 1, sizeof(*length));
	struct strbuf name = STRBUF_INIT;
	bool is_facts = f->type == FIELD_FACTS;

	if (!offset || !length)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		const char *record = rows + i * size;
		length[i] = (uint32_t)*(const size_t *)(record + f->count_offset);
		offset[i] = is_facts ? w->fact_row.count : w->samples.count;
		if (is_facts)
			add_facts(w, (const struct fact_value *)(record + f->offset), length[i], (int32_t)i);
		else
			column_add(&w->samples, *(double *const *)(record + f->offset), length[i]);
	}
	const char *to = is_facts ? "/" TRACE_FACTS : "/" TRACE_SAMPLES "/value";
	strbuf_addf(&name, "%s_offset", f->name);
	put(w, group, (struct label){ name.buf, "1", f->long_name, to }, H5T_STD_U64LE, H5T_NATIVE_UINT64, count, 1, offset);
	strbuf_reset(&name);
	strbuf_addf(&name, "%s_length", f->name);
	put(w, group, (struct label){ name.buf, "1", f->long_name, to }, H5T_STD_U32LE, H5T_NATIVE_UINT32, count, 1, length);
	strbuf_release(&name);
	free(offset);
	free(length);
}

static const char *problem_of(enum record_kind kind, const char *record)
{
	for (const struct field *f = record_fields(kind); f->name; f++)
		if (f->type == FIELD_PROBLEM)
			return *(const char *const *)(record + f->offset);
	return "";
}

/* Fields that hold ids or texts: what is stored is a reference. */
static void put_references(struct writer *w, hid_t group, enum record_kind kind, const struct field *f,
			   const char *rows, size_t size, size_t count)
{
	const char **text = strings_of(f, rows, size, count);
	int32_t *row = calloc(count + 1, sizeof(*row));
	struct strbuf name = STRBUF_INIT;

	if (!row)
		die("out of memory");
	for (size_t i = 0; i < count; i++)
		row[i] = f->type == FIELD_TEXT      ? dictionary_row(&w->text, text[i])
			 : f->type == FIELD_PROBLEM ? problem_row(w, text[i])
			 : f->type == FIELD_ENVIRONMENT ? environment_row(w, text[i])
			 : candidate_row(w, text[i], problem_of(kind, rows + i * size));
	if (f->type == FIELD_TEXT || f->type == FIELD_PROBLEM) {
		struct label label = { f->name, f->unit, f->long_name, f->type == FIELD_TEXT ? "/" TRACE_TEXT : "/" TRACE_PROBLEMS };
		put(w, group, label, H5T_STD_I32LE, H5T_NATIVE_INT32, count, 1, row);
	} else {
		put_strings(w, group, (struct label){ f->name, f->unit, f->long_name, NULL }, text, count);
		strbuf_addf(&name, "%s_row", f->name);
		put_rows(w, group, name.buf, f->type == FIELD_CANDIDATE ? "/candidates" : "/environments", row, count);
	}
	strbuf_release(&name);
	free(row);
	free(text);
}

static void put_numbers(struct writer *w, hid_t group, const struct field *f, const char *rows, size_t size, size_t count)
{
	struct label label = { f->name, f->unit, f->long_name, NULL };
	bool is_enum = f->type == FIELD_VERDICT || f->type == FIELD_STATE || f->type == FIELD_DUEL_VERDICT;
	hid_t file = f->type == FIELD_REAL ? H5T_IEEE_F64LE : f->type == FIELD_INT ? H5T_STD_I32LE
		   : f->type == FIELD_UINT64 ? H5T_STD_U64LE : H5T_STD_I64LE;
	hid_t memory = f->type == FIELD_REAL ? H5T_NATIVE_DOUBLE : f->type == FIELD_INT ? H5T_NATIVE_INT
		     : f->type == FIELD_UINT64 ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
	size_t width = is_enum ? 1 : f->type == FIELD_INT ? sizeof(int) : 8;
	char *data = calloc(count + 1, width);

	if (!data)
		die("out of memory");
	for (size_t i = 0; i < count; i++) {
		const char *at = rows + i * size + f->offset;
		if (is_enum)
			data[i] = (char)*(const int *)at;
		else
			memcpy(data + i * width, at, width);
	}
	if (is_enum)
		file = memory = enum_type(w, f->type, H5T_STD_U8LE);
	put(w, group, label, file, memory, count, 1, data);
	if (is_enum)
		H5Tclose(file);
	free(data);
}

static void put_table(struct writer *w, enum record_kind kind)
{
	const struct trace_table *t = &trace_tables[kind];
	struct trace *trace = (struct trace *)(uintptr_t)w->trace; /* read only */
	const char *rows = *trace_rows(trace, kind);
	size_t count = *trace_count(trace, kind);
	hid_t group = open_group(w, t->group, t->description, count);

	for (const struct field *f = record_fields(kind); f->name; f++)
		switch (f->type) {
		case FIELD_ID:
		case FIELD_NAME: {
			const char **text = strings_of(f, rows, t->size, count);
			put_strings(w, group, (struct label){ f->name, f->unit, f->long_name, NULL }, text, count);
			free(text);
			break;
		}
		case FIELD_SAMPLES:
		case FIELD_FACTS:
			put_ranges(w, group, f, rows, t->size, count);
			break;
		case FIELD_CANDIDATE:
		case FIELD_ENVIRONMENT:
		case FIELD_PROBLEM:
		case FIELD_TEXT:
			put_references(w, group, kind, f, rows, t->size, count);
			break;
		default:
			put_numbers(w, group, f, rows, t->size, count);
		}
	H5Gclose(group);
}

static void list_problems(struct arena *arena, struct writer *w)
{
	struct trace *trace = (struct trace *)(uintptr_t)w->trace;
	size_t n = 0;

	for (int k = 0; k < RECORD_KIND_COUNT; k++)
		n += *trace_count(trace, (enum record_kind)k);
	w->problem = ARENA_ARRAY(arena, const char *, n + 1);
	n = 0;
	for (int k = 0; k < RECORD_KIND_COUNT; k++)
		for (size_t i = 0; i < *trace_count(trace, (enum record_kind)k); i++) {
			const char *rows = *trace_rows(trace, (enum record_kind)k);
			const char *p = problem_of((enum record_kind)k, rows + i * trace_tables[k].size);
			if (*p)
				w->problem[n++] = p;
		}
	if (n)
		qsort(w->problem, n, sizeof(*w->problem), by_name);
	for (size_t i = 0; i < n; i++)
		if (!w->problem_count || strcmp(w->problem[w->problem_count - 1], w->problem[i]))
			w->problem[w->problem_count++] = w->problem[i];
}

/* "op/dtype/shape/tN" taken apart; a problem of another form keeps its name alone. */
static void put_problems(struct arena *arena, struct writer *w)
{
	static const struct label labels[] = {
		{ "name", "1", "operator/dtype/shape/threads", NULL }, { "op", "1", "operator", NULL },
		{ "dtype", "1", "element type", NULL }, { "shape", "1", "dimensions and attributes", NULL },
	};
	size_t n = w->problem_count;
	const char **part[4];
	int32_t *threads = ARENA_ARRAY(arena, int32_t, n + 1);

	for (int k = 0; k < 4; k++)
		part[k] = ARENA_ARRAY(arena, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		const char *p = part[0][i] = w->problem[i];
		for (int k = 1; k < 4; k++) {
			size_t len = strcspn(p, "/");
			part[k][i] = arena_strndup(arena, p, len);
			p += len + (p[len] != 0);
		}
		threads[i] = *p == 't' ? (int32_t)atoi(p + 1) : 0;
	}
	hid_t group = open_group(w, TRACE_PROBLEMS, "an operator at one dtype, shape, attributes and thread count", n);
	for (int k = 0; k < 4; k++)
		put_strings(w, group, labels[k], part[k], n);
	put(w, group, (struct label){ "thread_count", "1", "threads", NULL }, H5T_STD_I32LE, H5T_NATIVE_INT32, n, 1, threads);
	H5Gclose(group);
}

/* The words KEY=VALUE of each candidate's knobs, one row each. */
static void put_knobs(struct arena *arena, struct writer *w)
{
	struct column row = { sizeof(int32_t), 0, 0, NULL }, key = { sizeof(char *), 0, 0, NULL }, value = key;

	for (size_t i = 0; i < w->trace->candidate_count; i++)
		for (const char *p = w->trace->candidate[i].knobs; p && *p;) {
			size_t len = strcspn(p, " ");
			const char *equal = memchr(p, '=', len);
			if (equal) {
				int32_t r = (int32_t)i;
				const char *k = arena_strndup(arena, p, (size_t)(equal - p));
				const char *v = arena_strndup(arena, equal + 1, len - (size_t)(equal - p) - 1);
				column_add(&row, &r, 1);
				column_add(&key, &k, 1);
				column_add(&value, &v, 1);
			}
			p += len + strspn(p + len, " ");
		}
	hid_t group = open_group(w, TRACE_KNOBS, "knob settings of the candidates, one word a row", row.count);
	put_rows(w, group, "candidate_row", "/candidates", (int32_t *)row.data, row.count);
	put_strings(w, group, (struct label){ "key", "1", "knob", NULL }, (const char *const *)key.data, row.count);
	put_strings(w, group, (struct label){ "value", "1", "its setting", NULL }, (const char *const *)value.data, row.count);
	H5Gclose(group);
	free(row.data);
	free(key.data);
	free(value.data);
}

static void put_edges(struct arena *arena, struct writer *w)
{
	size_t n = 0, most = w->trace->candidate_count + 1;
	int32_t *child = ARENA_ARRAY(arena, int32_t, most), *parent = ARENA_ARRAY(arena, int32_t, most);
	const char **edge = ARENA_ARRAY(arena, const char *, most);

	for (size_t i = 0; i < w->trace->candidate_count; i++) {
		const struct candidate *c = &w->trace->candidate[i];
		if (!*c->parent)
			continue;
		child[n] = (int32_t)i;
		parent[n] = candidate_row(w, c->parent, c->problem);
		edge[n++] = c->edge;
	}
	hid_t group = open_group(w, TRACE_EDGES, "which candidate came from which, and how", n);
	put_rows(w, group, "child_row", "/candidates", child, n);
	put_rows(w, group, "parent_row", "/candidates", parent, n);
	put_strings(w, group, (struct label){ "edge", "1", "transformation", NULL }, edge, n);
	H5Gclose(group);
}

static void put_pools(struct writer *w)
{
	struct dictionary *d = &w->text;
	hid_t group = open_group(w, TRACE_FACTS, "facts of artifacts: registers, spills, code bytes, ...", w->fact_row.count);

	put_rows(w, group, "evaluation_row", "/evaluations", (int32_t *)w->fact_row.data, w->fact_row.count);
	put_strings(w, group, (struct label){ "key", "1", "fact", NULL }, w->fact_key, w->fact_row.count);
	put(w, group, (struct label){ "value", "1", "its value", NULL }, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, w->fact_row.count, 1, w->fact_value.data);
	H5Gclose(group);

	group = open_group(w, TRACE_SAMPLES, "raw samples, sliced by NAME_offset and NAME_length", w->samples.count);
	put(w, group, (struct label){ "value", "ns", "one call's mean in a sample", NULL }, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, w->samples.count, 1, w->samples.data);
	H5Gclose(group);

	group = open_group(w, TRACE_TEXT, "every distinct text once", d->sha256.count);
	put(w, group, (struct label){ "offset", "byte", "where it begins in bytes", "/" TRACE_TEXT "/bytes" }, H5T_STD_U64LE, H5T_NATIVE_UINT64, d->offset.count, 1, d->offset.data);
	put(w, group, (struct label){ "length", "byte", "its length", NULL }, H5T_STD_U32LE, H5T_NATIVE_UINT32, d->length.count, 1, d->length.data);
	put(w, group, (struct label){ "sha256", "1", "SHA-256 of its bytes", NULL }, H5T_STD_U8LE, H5T_NATIVE_UINT8, d->sha256.count, 32, d->sha256.data);
	put(w, group, (struct label){ "bytes", "1", "all texts, UTF-8, end to end", NULL }, H5T_STD_U8LE, H5T_NATIVE_UINT8, d->bytes.count, 1, d->bytes.data);
	H5Gclose(group);
}

static void seal(char *image, size_t size)
{
	char hex[65];

	sha256_hex(image + TRACE_SEAL_BYTES, size - TRACE_SEAL_BYTES, hex);
	memset(image, 0, TRACE_SEAL_BYTES);
	snprintf(image, TRACE_SEAL_BYTES, TRACE_SEAL_FORMAT, size - TRACE_SEAL_BYTES, hex);
}

/* The file's bytes into *image (malloc'ed).  0, or -1. */
static int build(struct arena *arena, struct writer *w, char **image, size_t *size)
{
	hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
	int ret = -1;

	check(w, H5Pset_fapl_core(access, 1 << 20, 0));
	check(w, H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18));
	check(w, H5Pset_obj_track_times(create, 0));
	check(w, H5Pset_userblock(create, TRACE_SEAL_BYTES));
	w->file = H5Fcreate("traces.h5", H5F_ACC_TRUNC, create, access);
	if (w->file < 0)
		goto out;
	set_text(w, w->file, "schema_name", TRACE_SCHEMA_NAME);
	set_text(w, w->file, "schema_version", TRACE_SCHEMA_VERSION);
	set_text(w, w->file, "tool_version", KM_VERSION);
	put_problems(arena, w);
	for (int k = 0; k < RECORD_KIND_COUNT; k++)
		put_table(w, (enum record_kind)k);
	put_knobs(arena, w);
	put_edges(arena, w);
	put_pools(w);
	set_int(w, w->file, "complete", 1);
	check(w, H5Fflush(w->file, H5F_SCOPE_GLOBAL));
	ssize_t bytes = w->failed ? -1 : H5Fget_file_image(w->file, NULL, 0);
	/* An image leaves the user block out. */
	if (bytes > 0 && (*image = malloc(TRACE_SEAL_BYTES + (size_t)bytes)) &&
	    H5Fget_file_image(w->file, *image + TRACE_SEAL_BYTES, (size_t)bytes) == bytes) {
		*size = TRACE_SEAL_BYTES + (size_t)bytes;
		seal(*image, *size);
		ret = 0;
	}
	H5Fclose(w->file);
out:
	H5Pclose(access);
	H5Pclose(create);
	return ret;
}

static void all_as_text(const struct trace *trace, struct strbuf *out)
{
	struct trace *t = (struct trace *)(uintptr_t)trace; /* read only */

	for (int k = 0; k < RECORD_KIND_COUNT; k++)
		for (size_t i = 0; i < *trace_count(t, (enum record_kind)k); i++) {
			struct record r = { .kind = (enum record_kind)k };
			memcpy((char *)&r + trace_tables[k].offset, (const char *)*trace_rows(t, (enum record_kind)k) + i * trace_tables[k].size, trace_tables[k].size);
			record_write(&r, out);
			strbuf_addch(out, '\n');
		}
}

/* Opened again as any reader does: does the file say what went in? */
static int read_back(const char *aside, void *user, struct strbuf *err)
{
	const struct trace *trace = user;
	struct strbuf want = STRBUF_INIT, got = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct trace again;
	int ret = trace_read(&arena, aside, &again, err);

	if (!ret) {
		all_as_text(trace, &want);
		all_as_text(&again, &got);
		ret = want.len == got.len && !memcmp(want.buf, got.buf, got.len) ? 0 : -1;
		if (ret)
			strbuf_addf(err, "'%s' does not read as what was written: HDF5 failed", aside);
	}
	arena_release(&arena);
	strbuf_release(&want);
	strbuf_release(&got);
	return ret;
}

int trace_write(const struct trace *trace, const char *path, struct strbuf *err)
{
	struct arena arena = ARENA_INIT;
	struct writer w = {
		.trace = trace,
		.text = { .bytes = { .size = 1 }, .offset = { .size = 8 }, .length = { .size = 4 }, .sha256 = { .size = 32 } },
		.samples = { .size = 8 }, .fact_row = { .size = 4 }, .fact_value = { .size = 8 },
	};
	char *image = NULL;
	size_t size = 0;
	int ret = -1;

	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	list_problems(&arena, &w);
	w.by_id = ARENA_ARRAY(&arena, int32_t, trace->candidate_count + 1);
	for (size_t i = 0; i < trace->candidate_count; i++)
		w.by_id[i] = (int32_t)i;
	qsort_r(w.by_id, trace->candidate_count, sizeof(*w.by_id), by_candidate, &w);
	if (build(&arena, &w, &image, &size))
		strbuf_addf(err, "cannot build '%s' in memory: HDF5 failed", path);
	else
		ret = file_publish_checked(path, image, size, read_back, (void *)(uintptr_t)trace, err);
	free(image);
	free(w.text.bytes.data);
	free(w.text.offset.data);
	free(w.text.length.data);
	free(w.text.sha256.data);
	free(w.text.slot);
	free(w.samples.data);
	free(w.fact_row.data);
	free(w.fact_value.data);
	free(w.fact_key);
	arena_release(&arena);
	return ret;
}
