/* Sorting in printed C: `order`, a merge sort of positions. */
#include "generate/emit_c_job.h"

#include <string.h>

/* Runs of `base` positions, each by insertion: position j goes before those, c, that it precedes. */
static void insert(struct emitter *e, const char *j, const char *c, const char *before, int64_t base)
{
	emit_open(e, "for (long km_s = 0; km_s < km_n; km_s += %lld)", (long long)base);
	emit_open(e, "for (long km_o = km_s, km_e = km_min(km_s + %lld, km_n); km_o < km_e; km_o++)", (long long)base);
	emit_line(e, "const long %s = km_o;", j);
	emit_line(e, "long km_k = km_o;");
	emit_open(e, "for (; km_k > km_s; km_k--)");
	emit_line(e, "const long %s = km_from[km_k - 1];", c);
	emit_line(e, "if (!%s) break;", before);
	emit_line(e, "km_from[km_k] = (km_i32)%s;", c);
	emit_close(e, 1);
	emit_line(e, "km_from[km_k] = (km_i32)%s;", j);
	emit_close(e, 2);
}

static void merge(struct emitter *e, const char *j, const char *c, const char *before, int64_t base)
{
	emit_open(e, "for (long km_w = %lld; km_w < km_n; km_w *= 2)", (long long)base);
	emit_open(e, "for (long km_s = 0; km_s < km_n; km_s += 2 * km_w)");
	emit_line(e, "const long km_m = km_min(km_s + km_w, km_n), km_e = km_min(km_s + 2 * km_w, km_n);");
	emit_line(e, "long km_a = km_s, km_b = km_m;");
	emit_open(e, "for (long km_o = km_s; km_o < km_e; km_o++)");
	emit_line(e, "_Bool km_t = km_b < km_e;");
	emit_open(e, "if (km_t && km_a < km_m)");
	emit_line(e, "const long %s = km_from[km_b], %s = km_from[km_a];", j, c);
	emit_line(e, "km_t = %s;", before);
	emit_close(e, 1);
	emit_line(e, "km_to[km_o] = km_t ? km_from[km_b++] : km_from[km_a++];");
	emit_close(e, 2);
	emit_line(e, "km_i32 *const km_x = km_from;");
	emit_line(e, "km_from = km_to;");
	emit_line(e, "km_to = km_x;");
	emit_close(e, 1);
}

/* The tile's scratch is twice its size: what is merged goes from one half to the other. */
void job_order(struct emitter *e, const struct job *job)
{
	const struct tile *t = &e->kernel->tile[job->stmt->target];
	const struct expr *r = job->stmt->value, *last = job->target->arg[job->target->arg_count - 1];
	int along = tile_index_find(e->kernel, last->name), over = tile_index_find(e->kernel, r->range[0].name);
	int64_t base = tile_knob_int(e->kernel, "BASE", 16);

	if (e->is_thread) {
		emit_fail(e, "order is not printed for threads");
		return;
	}
	if (along < 0 || over < 0 || t->dtype != DTYPE_i32 || t->rank != 1 || *t->layout_text) {
		emit_fail(e, "order wants a row-major tile of i32 with one index");
		return;
	}
	const char *j = e->kernel->index[over].name, *c = e->kernel->index[along].name;
	const char *before = emit_truth(e, r->arg[0], false);
	emit_open(e, "%s", "");
	emit_line(e, "const long km_n = %s;", emit_count(e, along));
	emit_line(e, "km_i32 *km_from = t_%s, *km_to = t_%s + %lld;", t->name, t->name, (long long)t->layout.elems);
	insert(e, j, c, before, base);
	merge(e, j, c, before, base);
	emit_line(e, "if (km_from != t_%s) for (long km_o = 0; km_o < km_n; km_o++) t_%s[km_o] = km_from[km_o];", t->name, t->name);
	emit_close(e, 1);
}
