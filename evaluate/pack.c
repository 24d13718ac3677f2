#include "evaluate/pack.h"
#include "evaluate/cache.h"
#include "evaluate/check.h"
#include "evaluate/journal.h"
#include "evaluate/trace.h"
#include "ops/core/diag.h"
#include "ops/core/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "KMPACK1 "
enum { HEAD_BYTES = sizeof(MAGIC) - 1 + 64 + 1 };

static void *grown(void *array, size_t *capacity, size_t count, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 64;
	array = realloc(array, *capacity * size);
	if (!array)
		die("out of memory for a pack");
	return array;
}

/* ---- writing --------------------------------------------------------- */

struct packing {
	struct arena arena;
	struct strbuf out;
	const char *target; /* NULL: any */
	int jobs;
	const char **known; /* names and hashes of what is in it */
	size_t known_count, known_capacity;
	int64_t kernels;
	struct strbuf *err;
	bool failed;
};

/* Is it there already?  From now on it is. */
static bool is_known(struct packing *p, const char *name)
{
	for (size_t i = 0; i < p->known_count; i++)
		if (!strcmp(p->known[i], name))
			return true;
	p->known = grown(p->known, &p->known_capacity, p->known_count, sizeof(*p->known));
	p->known[p->known_count++] = arena_strdup(&p->arena, name);
	return false;
}

static void add_bytes(struct packing *p, const char *data, size_t len)
{
	strbuf_add(&p->out, data, len);
	strbuf_addch(&p->out, '\n');
}

/* The file's bytes under their hash, once; hash in hex[65]. */
static int add_artifact(struct packing *p, const char *path, char hex[65])
{
	struct strbuf data = STRBUF_INIT;
	int ret = strbuf_read_file(&data, path, p->err);

	if (!ret) {
		sha256_hex(data.buf, data.len, hex);
		if (!is_known(p, hex)) {
			strbuf_addf(&p->out, "artifact %s %zu\n", hex, data.len);
			add_bytes(p, data.buf, data.len);
		}
	}
	strbuf_release(&data);
	return ret;
}

/* A hash in hex is the whole of a word. */
static bool is_hash(const char *word, size_t len)
{
	return len == 64 && strspn(word, "0123456789abcdef") >= 64;
}

/* Our own loops, by their key in the cache, which names the folder that they lie in. */
static void add_cached(const char *artifact, void *user)
{
	struct packing *p = user;
	struct strbuf data = STRBUF_INIT;
	const char *file = strrchr(artifact, '/'), *key;
	char hex[65];

	for (key = file; key && key > artifact && key[-1] != '/';)
		key--;
	/* Where there is no cache it lies in memory: the other machine interprets what it has no loops for. */
	if (key && is_hash(key, (size_t)(file - key)) && !p->failed) {
		key = arena_strndup(&p->arena, key, (size_t)(file - key));
		if (!is_known(p, key)) {
			p->failed = strbuf_read_file(&data, artifact, p->err) != 0;
			sha256_hex(data.buf, data.len, hex);
			strbuf_addf(&p->out, "cached %s %s %zu\n", key, hex, data.len);
			add_bytes(p, data.buf, data.len);
		}
	}
	strbuf_release(&data);
}

/* What a journal holds that is to be packed: each candidate with the last word on it. */
struct gathered {
	struct packing *packing;
	struct candidate *candidate;
	size_t candidate_count, candidate_capacity;
	struct evaluation *last;
	size_t last_count, last_capacity;
};

static int gather(const struct record *record, void *user)
{
	struct gathered *g = user;
	size_t i = 0;

	if (record->kind == RECORD_CANDIDATE) {
		g->candidate = grown(g->candidate, &g->candidate_capacity, g->candidate_count, sizeof(*g->candidate));
		g->candidate[g->candidate_count++] = record->candidate;
	} else if (record->kind == RECORD_EVALUATION) {
		while (i < g->last_count && strcmp(g->last[i].candidate, record->evaluation.candidate))
			i++;
		if (i == g->last_count) {
			g->last = grown(g->last, &g->last_capacity, g->last_count, sizeof(*g->last));
			g->last_count++;
		}
		g->last[i] = record->evaluation;
	}
	return 0;
}

static const struct evaluation *wanted(const struct gathered *g, const struct candidate *c)
{
	for (size_t i = 0; i < g->last_count; i++)
		if (!strcmp(g->last[i].candidate, c->id))
			return g->last[i].verdict == VERDICT_NOT_MEASURED && g->last[i].state == STATE_COMPILED ? &g->last[i] : NULL;
	return NULL;
}

/* Candidates first..first+count-1, which were compiled together and so are in the cache together. */
static int add_kernels(struct packing *p, const struct gathered *g, const struct candidate *first, size_t count)
{
	const struct compile_options options = { .jobs = p->jobs, .batch = 48 };
	const struct candidate **list = ARENA_ARRAY(&p->arena, const struct candidate *, count);
	struct compiled *compiled = ARENA_ARRAY(&p->arena, struct compiled, count);

	for (size_t i = 0; i < count; i++)
		list[i] = &first[i];
	if (compile_all(&p->arena, list, count, &options, compiled, p->err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct evaluation *e = wanted(g, list[i]);
		struct record candidate = { .kind = RECORD_CANDIDATE, .candidate = *list[i] }, evaluation = { .kind = RECORD_EVALUATION };
		struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
		char hex[65];
		if (!e || !compiled[i].ok)
			continue;
		if (add_artifact(p, compiled[i].artifact, hex))
			return -1;
		evaluation.evaluation = *e;
		record_write(&candidate, &a);
		record_write(&evaluation, &b);
		strbuf_addf(&p->out, "kernel %s %zu %zu\n", hex, a.len, b.len);
		add_bytes(p, a.buf, a.len);
		add_bytes(p, b.buf, b.len);
		p->kernels++;
		strbuf_release(&a);
		strbuf_release(&b);
	}
	return 0;
}

static bool has_wanted(const struct packing *p, const struct gathered *g)
{
	for (size_t i = 0; i < g->candidate_count; i++)
		if (wanted(g, &g->candidate[i]) && (!p->target || !strcmp(p->target, g->candidate[i].target)))
			return true;
	return false;
}

/* One journal's: `path` is its folder below the cells'. */
static int add_cell(struct packing *p, const char *journal, const char *path)
{
	struct gathered g = { .packing = p };
	struct problem problem;
	int ret = journal_each(&p->arena, journal, gather, &g, NULL, p->err);

	if (!ret && has_wanted(p, &g)) {
		const struct candidate *c = g.candidate;
		ret = problem_parse(c->problem, &problem, p->err);
		if (!ret)
			expected_prepare(&p->arena, &problem, add_cached, p);
		strbuf_addf(&p->out, "cell %s %s %s\n", path, c->target, c->problem);
		for (size_t i = 0, n; i < g.candidate_count && !ret && !p->failed; i += n) {
			for (n = 1; i + n < g.candidate_count && c[i + n].generation == c[i].generation; n++)
				;
			ret = add_kernels(p, &g, &c[i], n);
		}
	}
	free(g.candidate);
	free(g.last);
	return ret || p->failed ? -1 : 0;
}

/* A journal's folder below `cells`; "." where it is that folder. */
static const char *cell_path(struct arena *arena, const char *cells, const char *journal)
{
	size_t len = strlen(cells);
	const char *from = journal, *end = strrchr(journal, '/');

	while (len && cells[len - 1] == '/')
		len--;
	if (!strncmp(journal, cells, len) && journal[len] == '/')
		from = journal + len + 1;
	return end && end > from ? arena_strndup(arena, from, (size_t)(end - from)) : ".";
}

int pack_write(const char *cells, const char *target, const char *path, int jobs, int64_t *kernels, struct strbuf *err)
{
	struct packing p = { .out = STRBUF_INIT, .target = target, .jobs = jobs, .err = err };
	struct path_list list = { 0 };
	struct strbuf head = STRBUF_INIT;
	const char *version = compile_version(&p.arena, "clang-22", err);
	char hex[65];
	int ret = -1;

	if (!version || trace_find_journals(&p.arena, cells, &list, err))
		goto out;
	strbuf_addf(&p.out, "version clang-22 %zu\n", strlen(version));
	add_bytes(&p, version, strlen(version));
	for (size_t i = 0; i < list.count; i++)
		if (add_cell(&p, list.path[i], cell_path(&p.arena, cells, list.path[i])))
			goto out;
	sha256_hex(p.out.buf, p.out.len, hex);
	strbuf_addf(&head, MAGIC "%s\n", hex);
	strbuf_add(&head, p.out.buf, p.out.len);
	ret = file_publish(path, head.buf, head.len, err);
	*kernels = p.kernels;
out:
	free(p.known);
	strbuf_release(&head);
	strbuf_release(&p.out);
	arena_release(&p.arena);
	return ret;
}

/* ---- reading --------------------------------------------------------- */

struct parsing {
	struct pack *pack;
	const char *at, *end;
	struct strbuf *err;
};

static int damaged(struct parsing *p, const char *what)
{
	strbuf_addf(p->err, "pack '%s' is damaged at byte %zu: %s: bring it again", p->pack->path, (size_t)(p->at - p->pack->data), what);
	return -1;
}

/* The next line's words, at most `most`; how many, or -1. */
static int read_words(struct parsing *p, char **word, int most)
{
	const char *end = memchr(p->at, '\n', (size_t)(p->end - p->at));
	int n = 0;

	if (!end || memchr(p->at, 0, (size_t)(end - p->at)))
		return damaged(p, "no line");
	char *rest = NULL, *line = arena_strndup(&p->pack->arena, p->at, (size_t)(end - p->at));
	for (char *w = strtok_r(line, " ", &rest); w && n < most; w = strtok_r(NULL, " ", &rest))
		word[n++] = w;
	p->at = end + 1;
	return n;
}

/* `length` bytes and the newline behind them; NULL: they are not there. */
static const char *read_bytes(struct parsing *p, const char *length, size_t *len)
{
	char *end;
	unsigned long long n = strtoull(length, &end, 10);
	const char *data = p->at;

	if (*end || n >= (size_t)(p->end - p->at) || p->at[n] != '\n')
		return NULL;
	*len = (size_t)n;
	p->at += n + 1;
	return data;
}

/* Ours under a name of the cache; its path, or NULL with *err. */
static const char *keep(struct arena *arena, struct cache_key key, const char *data, size_t len, struct strbuf *err)
{
	const char *path = cache_find(arena, &key);

	return path ? path : cache_keep(arena, &key, data, len, err);
}

static int read_cached(struct parsing *p, char **word)
{
	struct cache_key key = { .name = "kernel.so" };
	size_t len;
	const char *data = read_bytes(p, word[3], &len);
	char hex[65];

	if (!data || !is_hash(word[1], strlen(word[1])))
		return damaged(p, "loops for the cache");
	sha256_hex(data, len, hex);
	if (strcmp(hex, word[2]))
		return damaged(p, "loops that do not have their hash");
	memcpy(key.hex, word[1], sizeof(key.hex));
	return keep(&p->pack->arena, key, data, len, p->err) ? 0 : -1;
}

static int read_artifact(struct parsing *p, char **word)
{
	struct pack *pack = p->pack;
	size_t len;
	const char *data = read_bytes(p, word[2], &len);
	char hex[65];

	if (!data)
		return damaged(p, "an artifact");
	sha256_hex(data, len, hex);
	if (strcmp(hex, word[1]))
		return damaged(p, "an artifact does not have its hash");
	pack->artifact = grown(pack->artifact, &pack->artifact_capacity, pack->artifact_count, sizeof(*pack->artifact));
	pack->artifact[pack->artifact_count++] = (struct pack_artifact){ word[1], data, len };
	return 0;
}

/* A path below the folder of results, and nowhere else. */
static bool is_below(const char *path)
{
	return *path != '/' && strcmp(path, "..") && strncmp(path, "../", 3) && !strstr(path, "/..");
}

static int read_cell(struct parsing *p, char **word)
{
	struct pack *pack = p->pack;

	if (!is_below(word[1]))
		return damaged(p, "a cell's path leads elsewhere");
	pack->cell = grown(pack->cell, &pack->cell_capacity, pack->cell_count, sizeof(*pack->cell));
	pack->cell[pack->cell_count++] = (struct pack_cell){ .path = word[1], .target = word[2], .problem = word[3] };
	return 0;
}

static int read_record(struct parsing *p, const char *length, enum record_kind kind, struct record *record)
{
	size_t len;
	const char *data = read_bytes(p, length, &len);

	if (!data)
		return damaged(p, "a record");
	return record_read(&p->pack->arena, arena_strndup(&p->pack->arena, data, len), record, p->err) || record->kind != kind ? damaged(p, "a record") : 0;
}

static int read_kernel(struct parsing *p, char **word)
{
	struct pack *pack = p->pack;
	struct pack_cell *cell = pack->cell_count ? &pack->cell[pack->cell_count - 1] : NULL;
	struct record candidate, evaluation;

	if (!cell)
		return damaged(p, "a kernel of no cell");
	if (read_record(p, word[2], RECORD_CANDIDATE, &candidate) || read_record(p, word[3], RECORD_EVALUATION, &evaluation))
		return -1;
	cell->kernel = grown(cell->kernel, &cell->capacity, cell->count, sizeof(*cell->kernel));
	cell->kernel[cell->count++] = (struct pack_kernel){ candidate.candidate, evaluation.evaluation, word[1] };
	return 0;
}

static int read_version(struct parsing *p, char **word)
{
	size_t len;
	const char *data = read_bytes(p, word[2], &len);

	if (!data)
		return damaged(p, "a compiler's version");
	compile_assume_version(word[1], arena_strndup(&p->pack->arena, data, len));
	return 0;
}

static int read_entries(struct parsing *p)
{
	static const struct {
		const char *name;
		int words;
		int (*read)(struct parsing *p, char **word);
	} entry[] = {
		{ "version", 3, read_version }, { "cached", 4, read_cached }, { "artifact", 3, read_artifact }, { "cell", 4, read_cell }, { "kernel", 4, read_kernel },
	};

	while (p->at < p->end) {
		char *word[5];
		int n = read_words(p, word, 5);
		size_t k = 0;
		while (n > 0 && k < ARRAY_SIZE(entry) && strcmp(entry[k].name, word[0]))
			k++;
		if (n <= 0 || k == ARRAY_SIZE(entry) || n != entry[k].words)
			return n < 0 ? -1 : damaged(p, "an unknown entry");
		if (entry[k].read(p, word))
			return -1;
	}
	return 0;
}

int pack_open(struct pack *pack, const char *path, struct strbuf *err)
{
	struct stat st;
	char hex[65];
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret = -1;

	*pack = (struct pack){ .path = path };
	if (fd < 0 || fstat(fd, &st)) {
		strbuf_addf(err, "cannot read pack '%s': %s", path, strerror(errno));
		goto out;
	}
	pack->len = (size_t)st.st_size;
	void *data = pack->len > HEAD_BYTES ? mmap(NULL, pack->len, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
	if (data == MAP_FAILED || memcmp(data, MAGIC, sizeof(MAGIC) - 1)) {
		strbuf_addf(err, "'%s' is no pack: make one with 'km-evaluate pack -o FILE out/cells'", path);
		if (data != MAP_FAILED)
			munmap(data, pack->len);
		goto out;
	}
	pack->data = data;
	sha256_hex(pack->data + HEAD_BYTES, pack->len - HEAD_BYTES, hex);
	struct parsing p = { pack, pack->data + HEAD_BYTES, pack->data + pack->len, err };
	if (strncmp(pack->data + sizeof(MAGIC) - 1, hex, 64))
		strbuf_addf(err, "pack '%s' is cut short or changed: its bytes do not have the hash in its first line: bring it again", path);
	else
		ret = read_entries(&p);
out:
	if (fd >= 0)
		close(fd);
	return ret;
}

void pack_close(struct pack *pack)
{
	for (size_t i = 0; i < pack->cell_count; i++)
		free(pack->cell[i].kernel);
	free(pack->cell);
	free(pack->artifact);
	if (pack->data)
		munmap(pack->data, pack->len);
	arena_release(&pack->arena);
	*pack = (struct pack){ 0 };
}

/* ---- using ------------------------------------------------------------ */

static const struct pack_kernel *find_kernel(const struct pack *pack, const struct candidate *c)
{
	for (size_t i = 0; i < pack->cell_count; i++)
		for (size_t k = 0; k < pack->cell[i].count; k++)
			if (!strcmp(pack->cell[i].kernel[k].candidate.id, c->id) && !strcmp(pack->cell[i].problem, c->problem))
				return &pack->cell[i].kernel[k];
	return NULL;
}

static const struct pack_artifact *find_artifact(const struct pack *pack, const char *sha256)
{
	for (size_t i = 0; i < pack->artifact_count; i++)
		if (!strcmp(pack->artifact[i].sha256, sha256))
			return &pack->artifact[i];
	return NULL;
}

int pack_all(const struct pack *pack, struct arena *arena, const struct candidate *const *candidate, size_t count, struct compiled *out, struct strbuf *err)
{
	for (size_t i = 0; i < count; i++) {
		const struct pack_kernel *k = find_kernel(pack, candidate[i]);
		const struct pack_artifact *a = k ? find_artifact(pack, k->sha256) : NULL;
		out[i] = (struct compiled){ .is_missing = true, .log = "the pack has no artifact of it" };
		if (!a)
			continue;
		struct strbuf from = STRBUF_INIT;
		strbuf_addf(&from, "packed %s", a->sha256);
		const char *path = keep(arena, cache_key(NULL, "kernel.packed", &from), a->data, a->len, err);
		strbuf_release(&from);
		if (!path)
			return -1;
		out[i] = (struct compiled){ .ok = true, .artifact = path, .log = "", .compile_s = k->evaluation.compile_s };
	}
	return 0;
}

void pack_facts(const struct pack *pack, const struct candidate *candidate, struct evaluation *e)
{
	const struct pack_kernel *k = find_kernel(pack, candidate);

	if (!k)
		return;
	memcpy(e->fact, k->evaluation.fact, sizeof(e->fact));
	e->fact_count = k->evaluation.fact_count;
}
