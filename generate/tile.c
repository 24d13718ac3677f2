#include "generate/tile.h"

#include <stdlib.h>
#include <string.h>

int tile_find(const struct tile_kernel *kernel, const char *name)
{
	for (size_t i = 0; i < kernel->tile_count; i++)
		if (!strcmp(kernel->tile[i].name, name))
			return (int)i;
	return -1;
}

int tile_index_find(const struct tile_kernel *kernel, const char *name)
{
	for (size_t i = 0; i < kernel->index_count; i++)
		if (!strcmp(kernel->index[i].name, name))
			return (int)i;
	return -1;
}

int tile_buffer_find(const struct tile_program *program, const char *name)
{
	for (size_t i = 0; i < program->buffer_count; i++)
		if (!strcmp(program->buffer[i].name, name))
			return (int)i;
	return -1;
}

const char *tile_knob(const struct tile_kernel *kernel, const char *name, const char *otherwise)
{
	for (size_t i = 0; i < kernel->knob_count; i++)
		if (!strcmp(kernel->knob[i].name, name))
			return kernel->knob[i].value;
	return otherwise;
}

int64_t tile_knob_int(const struct tile_kernel *kernel, const char *name, int64_t otherwise)
{
	const char *value = tile_knob(kernel, name, NULL);
	return value ? strtoll(value, NULL, 10) : otherwise;
}

bool tile_has_short_indices(const struct tile_kernel *kernel) { return tile_knob_int(kernel, "INDEX", 64) == 32; }

static bool casts_to_double(const struct expr *x)
{
	bool casts = x && x->kind == EXPR_CALL && !strcmp(x->name, "f64");

	for (size_t i = 0; x && i < x->arg_count && !casts; i++)
		casts = casts_to_double(x->arg[i]);
	return casts || (x && (casts_to_double(x->filter) || casts_to_double(x->otherwise)));
}

static bool any_casts_to_double(const struct tile_stmt *stmt, size_t count)
{
	bool casts = false;

	for (size_t i = 0; i < count && !casts; i++)
		casts = casts_to_double(stmt[i].value) || any_casts_to_double(stmt[i].body, stmt[i].body_count);
	return casts;
}

bool tile_wants_double(const struct tile_program *program, const struct tile_kernel *kernel)
{
	bool wants = !strcmp(tile_knob(kernel, "REAL", "f32"), "f64");

	for (size_t i = 0; i < program->buffer_count && !wants; i++)
		wants = program->buffer[i].dtype == DTYPE_f64;
	return wants || any_casts_to_double(kernel->stmt, kernel->stmt_count);
}

/* ---- facts ----------------------------------------------------------- */

static struct expr *minus_one(struct arena *arena, struct expr *e)
{
	return expr_binary(arena, OP_SUB, e, expr_int(arena, 1));
}

static struct expr *call(struct arena *arena, const char *name, struct expr *a, struct expr *b)
{
	struct expr *e = ARENA_ARRAY(arena, struct expr, 1);

	*e = (struct expr){ .kind = EXPR_CALL, .name = name, .arg = ARENA_ARRAY(arena, struct expr *, 2), .arg_count = 2 };
	e->arg[0] = a;
	e->arg[1] = b;
	return e;
}

/* The last value of a loop's variable: lo + (cdiv(hi - lo, step) - 1) * step. */
static struct expr *last_of(struct arena *arena, const struct tile_stmt *loop)
{
	struct expr *step = expr_int(arena, loop->step);
	struct expr *trips = call(arena, "cdiv", expr_binary(arena, OP_SUB, loop->hi, loop->lo), step);

	return expr_binary(arena, OP_ADD, loop->lo, expr_binary(arena, OP_MUL, minus_one(arena, trips), step));
}

/* The greatest value of a dim by a precondition `dim <= number`; NULL: none. */
static struct expr *most_of(struct arena *arena, const struct tile_program *program, const char *dim)
{
	for (size_t i = 0; i < program->require_count; i++) {
		const struct expr *e = program->require[i];
		if (e->kind == EXPR_BINARY && (e->op == OP_LE || e->op == OP_LT) && e->arg[0]->kind == EXPR_NAME &&
		    e->arg[1]->kind == EXPR_INT && !strcmp(e->arg[0]->name, dim))
			return expr_int(arena, e->arg[1]->int_value - (e->op == OP_LT));
	}
	return NULL;
}

const char *const tile_grid_name[PLAN_MAX_GRID] = { "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7" };

void tile_print_ids(const struct tile_kernel *kernel, const char *type, const char *instance, struct strbuf *out)
{
	int last = kernel->grid_count - 1;

	strbuf_addf(out, "const %s", type);
	for (int g = 0; g <= last; g++) {
		strbuf_addf(out, "%s %s = %s", g ? "," : "", tile_grid_name[g], instance);
		if (g < last)
			strbuf_addstr(out, g + 1 < last ? " / (" : " / ");
		for (int k = g + 1; k <= last; k++)
			strbuf_addf(out, "%skm_g%d%s", k > g + 1 ? " * " : "", k, k == last && g + 1 < last ? ")" : "");
		if (g)
			strbuf_addf(out, " %% km_g%d", g);
	}
	strbuf_addch(out, ';');
}

struct facts tile_facts(struct arena *arena, const struct tile_program *program,
			const struct tile_kernel *kernel, const struct tile_stmt *const *fors,
			size_t for_count)
{
	struct fact *fact = ARENA_ARRAY(arena, struct fact, program->dim_count + PLAN_MAX_GRID + for_count + kernel->index_count);
	size_t n = 0;

	for (size_t i = 0; i < program->dim_count; i++) {
		const struct tile_dim *d = &program->dim[i];
		struct expr *value = expr_int(arena, d->is_static ? d->value : 1);
		fact[n++] = (struct fact){ d->name, value, d->is_static ? value : most_of(arena, program, d->name) };
	}
	for (int i = 0; i < kernel->grid_count; i++)
		fact[n++] = (struct fact){ tile_grid_name[i], expr_int(arena, 0), minus_one(arena, kernel->grid[i]) };
	for (size_t i = 0; i < for_count; i++)
		fact[n++] = (struct fact){ fors[i]->var, fors[i]->lo, last_of(arena, fors[i]) };
	for (size_t i = 0; i < kernel->index_count; i++) {
		const struct tile_index *x = &kernel->index[i];
		struct expr *end = expr_int(arena, x->extent);
		if (x->live)
			end = call(arena, "minimum", x->live, end);
		fact[n++] = (struct fact){ x->name, expr_int(arena, 0), minus_one(arena, end) };
	}
	return (struct facts){ fact, n };
}

bool tile_proven_inside(struct arena *arena, const struct facts *facts, const struct expr *index,
			const struct expr *extent)
{
	return affine_le(arena, facts, expr_int(arena, 0), index) &&
	       affine_le(arena, facts, index, minus_one(arena, (struct expr *)extent));
}

/* ---- contractions ---------------------------------------------------- */

static bool access_uses(const struct expr *access, const char *index)
{
	for (size_t i = 0; i < access->arg_count; i++)
		if (expr_uses(access->arg[i], index))
			return true;
	return false;
}

bool tile_mma_groups(const struct tile_kernel *kernel, const struct tile_stmt *stmt,
		     struct mma_groups *groups, struct strbuf *why)
{
	const struct expr *e = stmt->value;
	const struct tile *acc = &kernel->tile[stmt->target];

	*groups = (struct mma_groups){ 0 };
	if (!e || e->kind != EXPR_REDUCE || e->op != OP_MMA || e->arg[0]->kind != EXPR_BINARY || e->arg[0]->op != OP_MUL ||
	    e->arg[0]->arg[0]->kind != EXPR_ACCESS || e->arg[0]->arg[1]->kind != EXPR_ACCESS) {
		strbuf_addstr(why, "an mma is 'acc[..] += mma(k) a[..] * b[..]'");
		return false;
	}
	groups->a = e->arg[0]->arg[0];
	groups->b = e->arg[0]->arg[1];
	if (acc->rank > 4 || e->range_count > 4) {
		strbuf_addstr(why, "an mma has at most four indices a group");
		return false;
	}
	for (size_t i = 0; i < acc->rank; i++) {
		const char *name = kernel->index[acc->index[i]].name;
		bool in_a = access_uses(groups->a, name), in_b = access_uses(groups->b, name);
		if (in_a == in_b) {
			strbuf_addf(why, "index '%s' of the accumulator must be in exactly one operand", name);
			return false;
		}
		if (in_a)
			groups->row[groups->row_count++] = acc->index[i];
		else
			groups->column[groups->column_count++] = acc->index[i];
	}
	for (size_t i = 0; i < e->range_count; i++) {
		int index = tile_index_find(kernel, e->range[i].name);
		if (index < 0 || !access_uses(groups->a, e->range[i].name) || !access_uses(groups->b, e->range[i].name)) {
			strbuf_addf(why, "contracted index '%s' must be a tile index in both operands", e->range[i].name);
			return false;
		}
		groups->depth[groups->depth_count++] = index;
	}
	return true;
}
