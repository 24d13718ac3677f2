#include "generate/measured.h"
#include "ops/core/hash.h"
#include "ops/core/rng.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FIRST_KNOB = 2, MOST_PARAMETERS = SPACE_MAX_KNOBS - FIRST_KNOB, MOST_VALUES = 4096, MOST_ROWS = 1 << 24 };
#define MOST_TEXT ((size_t)1 << 30)

static const struct skeleton measured_skeleton = { .name = "measured", .summary = "read from a file" };
static const struct lang measured_lang = { .name = "measured", .summary = "read from a file" };

/* ---- the file -------------------------------------------------------- */

/* Appends the file's text, unpacked where it is gzip. */
static int read_text(const char *path, struct strbuf *text, struct strbuf *err)
{
	gzFile file = gzopen(path, "rb");
	int ret = -1, n = 0;

	if (!file) {
		strbuf_addf(err, "cannot open '%s': %s", path, strerror(errno ? errno : ENOMEM));
		return -1;
	}
	char *block = malloc(1 << 18);
	gzbuffer(file, 1 << 18);
	while (block && (n = gzread(file, block, 1 << 18)) > 0 && text->len <= MOST_TEXT)
		strbuf_add(text, block, (size_t)n);
	free(block);
	int status;
	const char *why = gzerror(file, &status);
	if (n < 0 || status != Z_OK) {
		const char *colon = strrchr(why, ':');
		if (status == Z_ERRNO)
			strbuf_addf(err, "cannot read '%s': %s", path, strerror(errno));
		else
			strbuf_addf(err, "'%s' is cut short or damaged (%s): fetch it again", path, status == Z_BUF_ERROR ? "it ends too early" : colon ? colon + 2 : why);
	} else if (text->len > MOST_TEXT) {
		strbuf_addf(err, "'%s' is larger than 1 GiB unpacked: give a file of one space", path);
	} else {
		ret = 0;
	}
	/* It says too late, and only here, that the last block was cut. */
	if (gzclose_r(file) == Z_BUF_ERROR && !ret) {
		strbuf_addf(err, "'%s' is cut short or damaged (it ends too early): fetch it again", path);
		ret = -1;
	}
	return ret;
}

/* What a file says of one point. */
struct row {
	const cJSON *knobs, *samples;
	double time_ms, cost_ms;
};

static double number_of(const cJSON *object, const char *name)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(object, name);

	return cJSON_IsNumber(n) ? n->valuedouble : NAN;
}

/* A part of the cost: what is not told costs nothing. */
static double cost_of(const cJSON *object, const char *name)
{
	double ms = number_of(object, name);

	return ms >= 0 && ms < 1e15 ? ms : 0;
}

static double sum(const cJSON *array)
{
	const cJSON *n;
	double total = 0;

	cJSON_ArrayForEach(n, array)
		total += cJSON_IsNumber(n) && n->valuedouble > 0 && n->valuedouble < 1e15 ? n->valuedouble : 0;
	return total;
}

static struct row row_of_cache(const cJSON *json)
{
	const cJSON *samples = cJSON_GetObjectItemCaseSensitive(json, "times");

	return (struct row){ .knobs = json, .samples = samples, .time_ms = number_of(json, "time"),
			     .cost_ms = cost_of(json, "compile_time") + cost_of(json, "verification_time") + cost_of(json, "framework_time") + sum(samples) };
}

static struct row row_of_t4(const cJSON *json)
{
	const cJSON *times = cJSON_GetObjectItemCaseSensitive(json, "times"), *samples = cJSON_GetObjectItemCaseSensitive(times, "runtimes"), *m;
	const char *invalidity = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "invalidity"));
	struct row row = { .knobs = cJSON_GetObjectItemCaseSensitive(json, "configuration"), .samples = samples, .time_ms = NAN,
			   .cost_ms = cost_of(times, "compilation") + cost_of(times, "validation") + cost_of(times, "framework") + sum(samples) };

	cJSON_ArrayForEach(m, cJSON_GetObjectItemCaseSensitive(json, "measurements")) {
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(m, "name"));
		if (name && !strcmp(name, "time") && (!invalidity || !strcmp(invalidity, "correct")))
			row.time_ms = number_of(m, "value");
	}
	return row;
}

/* ---- knobs and their values ------------------------------------------ */

/* A parameter's value as a word; NULL when it is none. */
static char *word_of(struct arena *arena, const cJSON *value)
{
	if (cJSON_IsNumber(value) && isfinite(value->valuedouble))
		return arena_printf(arena, "%.17g", value->valuedouble);
	if (cJSON_IsBool(value))
		return arena_strdup(arena, cJSON_IsTrue(value) ? "true" : "false");
	if (cJSON_IsString(value) && value->valuestring[0] && !value->valuestring[strcspn(value->valuestring, " \t\n=")])
		return arena_strdup(arena, value->valuestring);
	return NULL;
}

/* A file's own word in a message: one line, not long. */
static const char *shown(struct measured_space *s, const char *word)
{
	char *copy = arena_strndup(&s->arena, word, strnlen(word, 60));

	for (char *c = copy; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 127 ? '?' : *c;
	return copy;
}

/* Numbers in ascending order, before other words. */
static int by_word(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	char *end_x, *end_y;
	double u = strtod(x, &end_x), v = strtod(y, &end_y);

	if (*end_x || *end_y)
		return *end_x && *end_y ? strcmp(x, y) : *end_x ? 1 : -1;
	return (u > v) - (u < v);
}

static size_t position_of(const struct space_knob *knob, const char *word)
{
	size_t v = 0;

	while (v < knob->value_count && strcmp(knob->value[v], word))
		v++;
	return v;
}

static int add_knob(struct measured_space *s, const char *name, struct strbuf *err)
{
	struct space *space = &s->ps.sub[0].space;

	for (size_t k = 0; k < space->knob_count; k++)
		if (!strcmp(space->knob[k].name, name)) {
			strbuf_addf(err, "'%s' has the parameter '%s' twice: a space has it once", s->path, shown(s, name));
			return -1;
		}
	if (space->knob_count == SPACE_MAX_KNOBS) {
		strbuf_addf(err, "'%s' has more than %d parameters: leave out those of one value", s->path, MOST_PARAMETERS);
		return -1;
	}
	if (!*name || name[strcspn(name, " \t\n=")]) {
		strbuf_addf(err, "'%s' has a parameter whose name is empty or holds a space or '=': rename it", s->path);
		return -1;
	}
	space->knob[space->knob_count++] = (struct space_knob){ .name = arena_strdup(&s->arena, name), .value = ARENA_ARRAY(&s->arena, const char *, MOST_VALUES) };
	return 0;
}

static int open_knobs(struct measured_space *s, const cJSON *root, bool is_t4, const cJSON *rows, struct strbuf *err)
{
	const cJSON *k, *keys = is_t4 ? cJSON_GetObjectItemCaseSensitive(rows->child, "configuration") : cJSON_GetObjectItemCaseSensitive(root, "tune_params_keys");

	if (is_t4 ? !cJSON_IsObject(keys) : !cJSON_IsArray(keys)) {
		strbuf_addf(err, "'%s' does not name its parameters (%s): give a whole %s", s->path, is_t4 ? "'configuration'" : "'tune_params_keys'",
			    is_t4 ? "T4 file" : "cache of Kernel Tuner");
		return -1;
	}
	if (add_knob(s, "skeleton", err) || add_knob(s, "lang", err))
		return -1;
	for (int i = 0; i < FIRST_KNOB; i++) {
		s->ps.sub[0].space.knob[i].value[0] = measured_skeleton.name;
		s->ps.sub[0].space.knob[i].value_count = 1;
	}
	cJSON_ArrayForEach(k, keys) {
		const char *name = is_t4 ? k->string : cJSON_GetStringValue(k);
		if (!name) {
			strbuf_addf(err, "'%s': the name of a parameter is no text: give a whole cache of Kernel Tuner", s->path);
			return -1;
		}
		if (add_knob(s, name, err))
			return -1;
	}
	return 0;
}

/* The words of one row, into word[]. */
static int words_of_row(struct measured_space *s, const struct row *row, size_t number, char **word, struct strbuf *err)
{
	const struct space *space = &s->ps.sub[0].space;

	for (size_t k = FIRST_KNOB; k < space->knob_count; k++) {
		word[k] = word_of(&s->arena, cJSON_GetObjectItemCaseSensitive(row->knobs, space->knob[k].name));
		if (!word[k]) {
			strbuf_addf(err, "'%s': result %zu has no value of '%s', or one that is neither number nor word: fetch it again", s->path, number, shown(s, space->knob[k].name));
			return -1;
		}
	}
	return 0;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int read_samples(struct measured_space *s, const cJSON *samples, struct measured_point *p, struct strbuf *err)
{
	const cJSON *n;
	int count = cJSON_GetArraySize(samples);
	double *sample = ARENA_ARRAY(&s->arena, double, count);

	cJSON_ArrayForEach(n, samples) {
		if (!cJSON_IsNumber(n) || !(n->valuedouble > 0 && n->valuedouble < 1e15)) {
			strbuf_addf(err, "'%s': a sample of a time is no positive number: fetch it again", s->path);
			return -1;
		}
		sample[p->sample_count++] = n->valuedouble * 1e6;
	}
	p->sample_ns = sample;
	return 0;
}

static int read_rows(struct measured_space *s, bool is_t4, const cJSON *rows, struct strbuf *err)
{
	struct space *space = &s->ps.sub[0].space;
	size_t expected = (size_t)cJSON_GetArraySize(rows), passed = 0;
	char **word = ARENA_ARRAY(&s->arena, char *, expected * SPACE_MAX_KNOBS);
	double *time = ARENA_ARRAY(&s->arena, double, expected);
	const cJSON *json;

	s->point = ARENA_ARRAY(&s->arena, struct measured_point, expected);
	point_set_init(&s->place, &s->arena, expected);
	cJSON_ArrayForEach(json, rows) {
		struct row row = is_t4 ? row_of_t4(json) : row_of_cache(json);
		struct measured_point *p = &s->point[s->count];
		if (words_of_row(s, &row, s->count, &word[s->count * SPACE_MAX_KNOBS], err) || read_samples(s, row.samples, p, err))
			return -1;
		p->time_ns = row.time_ms > 0 && row.time_ms < 1e15 ? row.time_ms * 1e6 : NAN;
		p->cost_s = row.cost_ms * 1e-3;
		for (size_t k = FIRST_KNOB; k < space->knob_count; k++) {
			struct space_knob *knob = &space->knob[k];
			const char *w = word[s->count * SPACE_MAX_KNOBS + k];
			if (position_of(knob, w) < knob->value_count)
				continue;
			if (knob->value_count == MOST_VALUES) {
				strbuf_addf(err, "'%s': parameter '%s' has more than %d values: replay spaces of fewer", s->path, shown(s, knob->name), MOST_VALUES);
				return -1;
			}
			knob->value[knob->value_count++] = w;
		}
		if (!isnan(p->time_ns))
			time[passed++] = p->time_ns;
		s->count++;
	}
	for (size_t k = FIRST_KNOB; k < space->knob_count; k++)
		qsort(space->knob[k].value, space->knob[k].value_count, sizeof(char *), by_word);
	for (size_t i = 0; i < s->count; i++) {
		for (size_t k = FIRST_KNOB; k < space->knob_count; k++)
			s->point[i].point.value[k] = (int16_t)position_of(&space->knob[k], word[i * SPACE_MAX_KNOBS + k]);
		if (!point_set_add(&s->place, 0, &s->point[i].point, i)) {
			strbuf_addf(err, "'%s': result %zu is a point that was there before: give a file of one measurement", s->path, i);
			return -1;
		}
	}
	if (!passed) {
		strbuf_addf(err, "'%s' has no point with a time: nothing can be found in it", s->path);
		return -1;
	}
	qsort(time, passed, sizeof(*time), by_double);
	s->best_ns = time[0];
	s->median_ns = time[passed / 2];
	return 0;
}

int measured_parse(struct measured_space *s, const char *path, const char *text, struct strbuf *err)
{
	const char *slash = strrchr(path, '/');
	int ret = -1;

	*s = (struct measured_space){ .path = path };
	s->name = arena_strdup(&s->arena, slash ? slash + 1 : path);
	char *suffix = strstr(s->name, ".json");
	if (suffix)
		*suffix = 0;
	s->ps.sub = ARENA_ARRAY(&s->arena, struct subspace, 1);
	s->ps.sub[0] = (struct subspace){ .skeleton = &measured_skeleton, .lang = &measured_lang };
	s->ps.sub_count = 1;
	cJSON *root = cJSON_Parse(text);
	const cJSON *cache = cJSON_GetObjectItemCaseSensitive(root, "cache"), *results = cJSON_GetObjectItemCaseSensitive(root, "results");
	const cJSON *rows = cJSON_IsObject(cache) ? cache : results;
	const char *objective = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "objective"));

	if (!root)
		strbuf_addf(err, "'%s' is not JSON, or cut short: give a cache file of Kernel Tuner or a T4 file, or fetch it again", path);
	else if (rows == cache ? !cJSON_IsObject(cache) : !cJSON_IsArray(results))
		strbuf_addf(err, "'%s' has neither 'cache' nor 'results': give a cache file of Kernel Tuner or a T4 file", path);
	else if (!rows->child)
		strbuf_addf(err, "'%s' holds no measured point: give a file of a whole space", path);
	else if (objective && strcmp(objective, "time"))
		strbuf_addf(err, "'%s' was tuned for '%s': give one tuned for 'time'", path, shown(s, objective));
	else
		ret = open_knobs(s, root, rows == results, rows, err) || read_rows(s, rows == results, rows, err) ? -1 : 0;
	cJSON_Delete(root);
	return ret;
}

int measured_read(struct measured_space *s, const char *path, struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;
	int ret = -1;

	*s = (struct measured_space){ .path = path };
	if (!read_text(path, &text, err))
		ret = measured_parse(s, path, text.buf, err);
	strbuf_release(&text);
	return ret;
}

void measured_close(struct measured_space *s)
{
	arena_release(&s->arena);
	*s = (struct measured_space){ 0 };
}

const struct measured_point *measured_find(const struct measured_space *s, const struct point *point)
{
	size_t i;

	return point_set_find(&s->place, 0, point, &i) ? &s->point[i] : NULL;
}

/* ---- other names, other orders --------------------------------------- */

void measured_hash_names(struct measured_space *s)
{
	struct space *space = &s->ps.sub[0].space;

	for (size_t k = FIRST_KNOB; k < space->knob_count; k++) {
		struct space_knob *knob = &space->knob[k];
		char hex[65];
		sha256_hex(knob->name, strlen(knob->name), hex);
		knob->name = arena_printf(&s->arena, "k%.8s", hex);
		/* Ascending by steps of all sizes, so that neither size nor ratio of values is left. */
		uint32_t word = 0;
		for (size_t v = 0; v < knob->value_count; v++) {
			word += 1 + philox(k, v, 0) % 1000;
			knob->value[v] = arena_printf(&s->arena, "%u", word);
		}
	}
}

void measured_shuffle(struct measured_space *s, uint64_t seed)
{
	struct space *space = &s->ps.sub[0].space;
	struct rng rng = { seed, 0 };
	size_t from[SPACE_MAX_KNOBS];
	bool turned[SPACE_MAX_KNOBS];
	struct space old = *space;

	for (size_t k = FIRST_KNOB; k < space->knob_count; k++)
		from[k] = k;
	for (size_t k = space->knob_count - 1; k > FIRST_KNOB; k--) {
		size_t j = FIRST_KNOB + (size_t)rng_below(&rng, (int64_t)(k - FIRST_KNOB + 1)), t = from[k];
		from[k] = from[j];
		from[j] = t;
	}
	for (size_t k = FIRST_KNOB; k < space->knob_count; k++) {
		struct space_knob *knob = &space->knob[k];
		*knob = old.knob[from[k]];
		turned[k] = rng_below(&rng, 2);
		for (size_t v = 0; turned[k] && v < knob->value_count / 2; v++) {
			const char *t = knob->value[v];
			knob->value[v] = knob->value[knob->value_count - 1 - v];
			knob->value[knob->value_count - 1 - v] = t;
		}
	}
	point_set_init(&s->place, &s->arena, s->count);
	for (size_t i = 0; i < s->count; i++) {
		struct point p = s->point[i].point, q = { { 0 } };
		for (size_t k = FIRST_KNOB; k < space->knob_count; k++)
			q.value[k] = turned[k] ? (int16_t)(space->knob[k].value_count - 1 - (size_t)p.value[from[k]]) : p.value[from[k]];
		s->point[i].point = q;
		point_set_add(&s->place, 0, &q, i);
	}
}

/* ---- relatives ------------------------------------------------------- */

static const struct space_knob *knob_named(const struct space *space, const char *name, size_t *at)
{
	for (*at = FIRST_KNOB; *at < space->knob_count; ++*at)
		if (!strcmp(space->knob[*at].name, name))
			return &space->knob[*at];
	return NULL;
}

bool measured_map(const struct measured_space *s, const struct measured_space *donor, const struct point *from, struct point *to)
{
	const struct space *space = &s->ps.sub[0].space, *other = &donor->ps.sub[0].space;
	bool has_common = false;

	*to = (struct point){ { 0 } };
	for (size_t k = FIRST_KNOB; k < space->knob_count; k++) {
		const struct space_knob *knob = &space->knob[k];
		size_t at, v;
		const struct space_knob *twin = knob_named(other, knob->name, &at);
		if (!twin)
			continue;
		has_common = true;
		const char *word = twin->value[from->value[at]];
		v = position_of(knob, word);
		for (size_t i = 0; v == knob->value_count && i < knob->value_count; i++) {
			double least = INFINITY, want = strtod(word, NULL);
			for (size_t j = 0; j < knob->value_count; j++) {
				double far = fabs(strtod(knob->value[j], NULL) - want);
				if (far < least) {
					least = far;
					v = j;
				}
			}
		}
		to->value[k] = (int16_t)(v < knob->value_count ? v : 0);
	}
	return has_common;
}

bool measured_is_related(const struct measured_space *a, const struct measured_space *b)
{
	const struct space *x = &a->ps.sub[0].space, *y = &b->ps.sub[0].space;
	bool same = x->knob_count == y->knob_count;
	size_t at;

	for (size_t k = FIRST_KNOB; same && k < x->knob_count; k++)
		same = knob_named(y, x->knob[k].name, &at) != NULL;
	return same;
}
