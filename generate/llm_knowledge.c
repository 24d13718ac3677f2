/* llm_knowledge.c: pages of generate/knowledge/, found by what their first lines say. */
#include "generate/llm_prompt.h"
#include "ops/core/kv.h"
#include "ops/core/proc.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct page {
	const char *path, *title, *body;
	int fit;      /* 0: it does not */
};
struct pages {
	struct arena *arena;
	struct page page[512];
	size_t count;
};

/* Is one of the comma-separated words `word`?  2: it is named; 1: the list is "any". */
static int has(const char *list, const char *word, bool is_glob)
{
	char one[128];

	for (const char *s = list; s && *s;) {
		s += strspn(s, " ,");
		size_t n = strcspn(s, ",");
		size_t used = n;
		while (used && s[used - 1] == ' ')
			used--;
		if (used && used < sizeof(one)) {
			memcpy(one, s, used);
			one[used] = 0;
			if (!strcmp(one, "any"))
				return 1;
			if (is_glob ? !fnmatch(one, word, 0) : !strcmp(one, word))
				return 2;
		}
		s += n;
	}
	return 0;
}

struct wanted {
	const struct diagnosis *diagnosis;
	const char *target, *lang;
	const char *const *kind;
	size_t kind_count;
};

/* 0: it does not fit; the more words of the diagnosis, and the more is named rather than "any", the better. */
static int fit_of(const struct kv *kv, const struct wanted *w)
{
	int words = 0, kinds = 0, where = has(kv_find(kv, "where"), w->target, true), lang = has(kv_find(kv, "language"), w->lang, false);

	for (size_t i = 0; i < w->diagnosis->count; i++)
		words += has(kv_find(kv, "when"), w->diagnosis->word[i], false) > 0;
	for (size_t i = 0; i < w->kind_count; i++) {
		int fits = has(kv_find(kv, "kind"), w->kind[i], false);
		kinds = fits > kinds ? fits : kinds;
	}
	return words && where && lang && kinds ? 8 * words + where + lang + kinds : 0;
}

static void read_page(struct pages *pages, const char *path, const struct wanted *w)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct kv kv;

	if (strbuf_read_file(&text, path, &err) || text.len > 64 << 10)
		goto out;
	char *body = strstr(text.buf, "\n\n");
	if (!body)
		goto out;
	*body = 0;
	if (kv_parse(pages->arena, text.buf, path, &kv, &err) || !kv_find(&kv, "title"))
		goto out;
	int fit = fit_of(&kv, w);
	if (fit && pages->count < ARRAY_SIZE(pages->page))
		pages->page[pages->count++] = (struct page){ arena_strdup(pages->arena, path), kv_find(&kv, "title"), arena_strdup(pages->arena, body + 2), fit };
out:
	strbuf_release(&text);
	strbuf_release(&err);
}

static void walk(struct pages *pages, const char *folder, int depth, const struct wanted *w)
{
	DIR *dir = depth ? opendir(folder) : NULL;

	for (struct dirent *e; dir && (e = readdir(dir));) {
		struct stat st;
		size_t n = strlen(e->d_name);
		const char *path = arena_printf(pages->arena, "%s/%s", folder, e->d_name);
		if (*e->d_name == '.' || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			walk(pages, path, depth - 1, w);
		else if (S_ISREG(st.st_mode) && n > 3 && !strcmp(e->d_name + n - 3, ".md") && strcmp(e->d_name, "README.md"))
			read_page(pages, path, w);
	}
	if (dir)
		closedir(dir);
}

static int by_fit(const void *pa, const void *pb)
{
	const struct page *a = pa, *b = pb;

	return a->fit != b->fit ? b->fit - a->fit : strcmp(a->path, b->path);
}

void knowledge_add(const char *folder, const struct diagnosis *diagnosis, const char *target, const char *lang, const char *const *kind,
		   size_t kind_count, size_t most, const char *fence, struct strbuf *out, struct strbuf *titles)
{
	struct arena arena = ARENA_INIT;
	struct pages *pages = ARENA_ARRAY(&arena, struct pages, 1);
	const struct wanted w = { diagnosis, target, lang, kind, kind_count };
	size_t used = 0;

	pages->arena = &arena;
	if (*folder)
		walk(pages, folder, 4, &w);
	if (pages->count)
		qsort(pages->page, pages->count, sizeof(*pages->page), by_fit);
	for (size_t i = 0; i < pages->count; i++) {
		struct strbuf text = STRBUF_INIT;
		/* Where its facts are from is for people. */
		char *sources = strstr(pages->page[i].body, "\n## Sources");
		if (sources)
			*sources = 0;
		prompt_clean(pages->page[i].body, 8 << 10, &text);
		strbuf_replace(&text, fence, "");
		if (used + text.len <= most) {
			strbuf_addf(out, "%s\n%s\n\n", pages->page[i].title, text.buf);
			strbuf_addf(titles, "%s%s", titles->len ? ", " : "", pages->page[i].title);
			used += text.len;
		}
		strbuf_release(&text);
	}
	arena_release(&arena);
}

void knowledge_folder(struct strbuf *out)
{
	static const char *const place[] = { "../share/kernelmill/knowledge", "../../generate/knowledge" };
	const char *given = getenv("KM_KNOWLEDGE");

	if (given) {
		strbuf_addstr(out, given);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(place); i++) {
		strbuf_reset(out);
		strbuf_addf(out, "%s/%s", proc_self_folder(), place[i]);
		if (!access(out->buf, X_OK))
			return;
	}
	strbuf_reset(out);
}
