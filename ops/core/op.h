/*
 * op.h: an operator, declared once.
 *
 * A file ops/<family>/<name>.c exports `const struct op op_<name>` and nothing
 * else; the Makefile finds it.  Everything the tools know about an operator
 * comes from this record.
 */
#ifndef OPS_CORE_OP_H
#define OPS_CORE_OP_H

#include "ops/core/dtype.h"
#include "ops/core/expr.h"

enum op_role { OP_IN, OP_OUT };

/* How an input's values are drawn (shared names with interp and inputs.c). */
enum op_domain {
	OP_REAL,    /* real data of the distribution under test */
	OP_INDEX,   /* integers in 0..bound-1 */
	OP_OFFSETS, /* non-decreasing, first 0, last = bound; empty segments occur */
};

struct op_tensor {
	const char *name;  /* as in the body; NULL ends the table */
	const char *shape; /* extents, space-separated: "M K", "B+1"; "" for a scalar */
	enum op_role role;
	const char *dtype; /* "T": the problem's; "acc": f32, or f64 where T is; else a dtype's name */
	enum op_domain domain;
	const char *bound; /* OP_INDEX, OP_OFFSETS: an expression over dims */
};

/* A compile-time number of the body: eps, stride, padding.  Integers are exact. */
struct op_attr {
	const char *name; /* NULL ends the table */
	double value;     /* the default; a shape may override it */
	bool is_int;
};

enum op_use {
	OP_SEARCH = 1,  /* searched in every budget */
	OP_FULL = 2,    /* searched in the full budget only */
	OP_HELDOUT = 4, /* never searched: regret and promotion are judged there */
	OP_CHECK = 8,   /* small, odd-sized: compared whole */
};
struct op_shape {
	const char *binding; /* "M=1024 N=1024 K=1024", attributes too; NULL ends the table */
	enum op_use use;
	const char *dtypes;  /* NULL: all the operator's */
};

/*
 * One call of a reference: dense row-major arrays of double, in the order of
 * the tensor table (inputs in `in`, outputs in `out`).  Integer tensors hold
 * their values.  dim[] and attr[] follow op->dims and op->attr.
 */
struct op_case {
	const int64_t *dim;
	const double *attr;
	const double *const *in;
	double *const *out;
};

#define OP_MAX_TENSORS 12
#define OP_MAX_ATTRS 16
#define OP_MAX_SHAPES 24
#define OP_MAX_DIMS 16

struct op {
	const char *name;
	const char *summary;
	const char *dims;        /* "M N K"; an index m runs over M */
	const char *static_dims; /* those known when a kernel is compiled: "KH KW"; NULL: none */
	struct op_tensor tensor[OP_MAX_TENSORS];
	struct op_attr attr[OP_MAX_ATTRS];
	const char *body;        /* index notation: what generators and the evaluator read */
	void (*reference)(const struct op_case *c); /* written independently of the body */
	const char *flop;        /* useful work, multiply-add = 2: "2*M*N*K" */
	const char *terms;       /* reduction length n of an output element: "K"; "1" for maps */
	double tolerance;        /* c of section "tolerance" below; 0: 1 */
	const char *dtypes;      /* "f32 bf16" */
	struct op_shape shape[OP_MAX_SHAPES];
	const char *torch;       /* PyTorch expression over the inputs' and attributes' names */
	const char *source_path; /* set it to __FILE__ */
};

/*
 * Tolerance.  An output element passes when
 *   |got - want| <= c * (u_out * |want| + u_acc * g(n) * magnitude)
 * with u_out the roundoff of the output's dtype, u_acc that of f32 (the floor of
 * accumulation), n the reduction length, g(n) = 8 + 2 sqrt(n) + log2(n)
 * and magnitude the sum of |terms| (at least |want|), bounded from the data by the
 * checker.  Probabilistic rounding bound: Higham & Mary, SIAM J. Sci. Comput.
 * 41(5), 2019.
 */

extern const struct op *const op_table[];     /* all declared operators, NULL at the end */
const struct op *op_find(const char *name);   /* also operators of op_load_extra(); NULL: none */
/* All operators, extra ones last; index from 0; NULL past the end. */
const struct op *op_at(size_t index);
/*
 * Loads every *.so of a folder (built from EXTRA_OPS sources) and checks what it
 * declares; NULL: the folder $KM_EXTRA_OPS names; "" or neither: nothing to load.
 * Processes started from here find the folder in $KM_EXTRA_OPS.  0, or -1 with *err: one line, or op_check()'s one line per fault.
 */
int op_load_extra(const char *folder, struct strbuf *err);

/*
 * Is the declaration complete and sound: parses, every index declared, ranks and
 * shapes agree, kinds fit, affine accesses in bounds at every declared shape, a
 * reference exists, ...?  0, or -1 with one line per fault, "file:body:line:col: what: fix".
 */
int op_check(const struct op *op, struct strbuf *err);

/* Position of a dim / attribute / tensor by name, or -1. */
int op_dim_index(const struct op *op, const char *name);
int op_attr_index(const struct op *op, const char *name);
int op_tensor_index(const struct op *op, const char *name);
int op_dim_count(const struct op *op);
/* Name of dim i; lives as long as the program.  Not for use from several threads at once. */
const char *op_dim_name(const struct op *op, int i);

#endif
