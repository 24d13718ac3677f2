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

/* What an input holds: a kernel may rely on it, and inputs.c draws it so. */
enum op_domain {
	OP_REAL,    /* any values: of the distribution under test, or in lo..hi where those are set */
	OP_SORTED,  /* as OP_REAL, non-decreasing along the last dimension; equal neighbours occur */
	OP_FACTORS, /* any values, drawn of either sign and near 1: long products neither vanish nor overflow */
	OP_INDEX,   /* integers in 0..bound-1 */
	OP_UNIQUE,  /* integers in 0..bound-1, all different along the last dimension */
	OP_OFFSETS, /* non-decreasing along the last dimension, first 0, last = bound; empty segments occur */
	OP_LENGTHS, /* at least 0, adding up to bound along the last dimension; zeros occur */
};

struct op_tensor {
	const char *name;  /* as in the body; NULL ends the table */
	const char *shape; /* extents, space-separated: "M K", "B+1"; "" for a scalar */
	enum op_role role;
	/*
	 * A dtype's name, or a rule over the problem's dtype T: "T" itself; "acc": f32, or f64
	 * where T is; "sum": i64 where T is an integer or bool; "real": f32 where it is.
	 */
	const char *dtype;
	enum op_domain domain;
	const char *bound; /* OP_INDEX, OP_UNIQUE, OP_OFFSETS, OP_LENGTHS: an expression over dims and integer attributes */
	/*
	 * Broadcasting: the integer attribute whose bit i says that dimension i has extent 1
	 * here.  The body and the reference are written as if it were not: reads are at 0 in the
	 * normal form, and the reference is given the expanded array.  NULL: never broadcast.
	 */
	const char *ones;
	double lo, hi; /* where lo < hi: every value lies in lo..hi (of an integer dtype: both ends occur) */
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
	OP_LARGE = 16,  /* of a published problem at its full size: for devices; a CPU searches a scaled one */
};
struct op_shape {
	const char *binding; /* "M=1024 N=1024 K=1024", attributes too; NULL ends the table */
	enum op_use use;
	const char *dtypes;  /* NULL: all the operator's */
	/*
	 * The published problem that it is: "kb1/23" (KernelBench level 1, problem 23), "kb2/7",
	 * "paper/conv1d" (KernelEvolve); with "/cpu" behind it, scaled for a CPU.  NULL: none.
	 */
	const char *source;
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

#define OP_MAX_TENSORS 16
#define OP_MAX_ATTRS 20
#define OP_MAX_SHAPES 40
#define OP_MAX_DIMS 16

struct op {
	const char *name;
	const char *aliases;     /* other names of the same operator, space-separated: "divide true_divide"; or NULL */
	const char *summary;
	const char *dims;        /* "M N K"; an index m runs over M */
	const char *static_dims; /* those known when a kernel is compiled: "KH KW"; NULL: none */
	struct op_tensor tensor[OP_MAX_TENSORS];
	struct op_attr attr[OP_MAX_ATTRS];
	/*
	 * What must hold of dimensions and integer attributes beyond each one's own range, as PyTorch
	 * demands it: conditions with ';' between, "K <= C; C % G == 0"; NULL: nothing.
	 */
	const char *require;
	const char *body;        /* index notation: what generators and the evaluator read */
	void (*reference)(const struct op_case *c); /* written independently of the body */
	const char *flop;        /* useful work, multiply-add = 2: "2*M*N*K" */
	/*
	 * Reduction length n of an output element: "K"; "1" for maps.  Of chained reductions at
	 * least the sum of their lengths, so many roundings a term meets on its way.
	 */
	const char *terms;
	double tolerance;        /* c of section "tolerance" below; 0: 1 */
	const char *dtypes;      /* "f32 bf16" */
	/*
	 * Why no finite input changes the output, where the problem was published so.  Selfcheck
	 * prints it instead of failing the cheats that are then right, and fails the operator
	 * where the output varies after all.  NULL: it varies.
	 */
	const char *constant;
	struct op_shape shape[OP_MAX_SHAPES];
	const char *torch;       /* PyTorch expression over the inputs' and attributes' names */
	/*
	 * PyTorch's own test samples: the OpInfo ("nn.functional.gelu", or "name:variant"; several
	 * with spaces between) and a Python expression that turns one of its samples into a call of
	 * this operator (tests/opinfo.py tells the names that it may use).  NULL: PyTorch has none.
	 */
	const char *opinfo, *sample;
	const char *source_path; /* set it to __FILE__ */
};

/*
 * Tolerance.  An output element passes when
 *   |got - want| <= c * (u_out * |want| + u_acc * g(n) * magnitude) + tiny
 * with tiny of dtype_tiny(), u_out the roundoff of the output's dtype, u_acc that of f32 (the floor of
 * accumulation), n the reduction length, g(n) = 8 + 2 sqrt(n) + log2(n)
 * and magnitude the sum of |terms| (at least |want|), bounded from the data by the
 * checker.  Probabilistic rounding bound: Higham & Mary, SIAM J. Sci. Comput.
 * 41(5), 2019.
 */

extern const struct op *const op_table[];     /* all declared operators, NULL at the end */
const struct op *op_find(const char *name);   /* by name or alias, op_load_extra()'s too; NULL: none */
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

/*
 * Extents of tensor t, over dims; attr[] (op->attr order; NULL: the defaults) is put in.
 * The rank, or -1 with a line in *err.
 */
#define OP_MAX_RANK 8
int op_extents(struct arena *arena, const struct op *op, const double *attr, int t,
	       struct expr *extent[OP_MAX_RANK], struct strbuf *err);
/* Is dimension k of tensor t broadcast, extent 1, at these attributes? */
bool op_is_ones(const struct op *op, const double *attr, int t, int k);
/* A tensor's dtype by its rule where the problem's is T; false: no such rule or dtype. */
bool op_dtype_rule(const char *rule, enum dtype T, enum dtype *dtype);

/* The folder its file lies in: "ops/norm/layer_norm.c" is of family "norm". */
void op_family(const struct op *op, char *family, size_t size);
/* Position of a dim / attribute / tensor by name, or -1. */
int op_dim_index(const struct op *op, const char *name);
int op_attr_index(const struct op *op, const char *name);
int op_tensor_index(const struct op *op, const char *name);
int op_dim_count(const struct op *op);
/* Name of dim i; lives as long as the program.  Not for use from several threads at once. */
const char *op_dim_name(const struct op *op, int i);
/* Is it one of op->static_dims? */
bool op_dim_is_static(const struct op *op, const char *name);

#endif
