/*
 * problem.h: one operator at one dtype, shape, attributes and thread count:
 * the unit of search, budget, journal and resume.
 *
 * Text form (printed, parsed, in file names with '/' as '-'):
 *   matmul/f32/M=1024,N=1024,K=1024/t1          attributes only where not default
 */
#ifndef OPS_CORE_PROBLEM_H
#define OPS_CORE_PROBLEM_H

#include "ops/core/op.h"

struct problem {
	const struct op *op;
	enum dtype dtype;
	int64_t dim[OP_MAX_DIMS];
	double attr[OP_MAX_ATTRS];
	int threads;
	struct binding binding[OP_MAX_DIMS + OP_MAX_ATTRS]; /* dims, then integer attributes */
	size_t binding_count;
};

/* 0, or -1 with a line in *err that names the fault and what is known. */
int problem_parse(const char *text, struct problem *problem, struct strbuf *err);
void problem_print(const struct problem *problem, struct strbuf *out);
/* From a shape line "M=.. N=.." of op. */
int problem_from_shape(const struct op *op, enum dtype dtype, const char *binding, int threads,
		       struct problem *problem, struct strbuf *err);

/* Dimension d of op->dims becomes value; what the operator demands of it is problem_require()'s to say. */
void problem_set_dim(struct problem *p, int d, int64_t value);
/* 0, or -1 with what op->require demands and the problem does not keep: operator, tensor, dimension and the allowed range. */
int problem_require(const struct problem *p, struct strbuf *err);

/*
 * Makes every run-time dimension a multiple of n.  -1: it is already, or the operator does not
 * take that.  PROBLEM_ROW: rows of 16 bytes of 2-byte elements, which kernels of devices demand.
 */
enum { PROBLEM_ROW = 8 };
int problem_round_up(struct problem *p, int64_t n);

/* Extents of tensor t (rank returned; extent[] has room for OP_MAX_RANK), elements, bytes. */
int problem_shape(const struct problem *p, int t, int64_t extent[OP_MAX_RANK]);
int64_t problem_elems(const struct problem *p, int t);
int64_t problem_bytes(const struct problem *p, int t);
enum dtype problem_tensor_dtype(const struct problem *p, int t);
double problem_flop(const struct problem *p);
/*
 * Compulsory traffic [bytes]: every input read once, every output written once.  Not counted:
 * inputs of which data alone chooses the part, scalars, which come with the launch, and what
 * lies beyond the points of the indices that an input is read at, as off a diagonal.
 */
int64_t problem_least_bytes(const struct problem *p);
int64_t problem_terms(const struct problem *p);
/* Is nothing of real values summed, multiplied up or carried along: are there maps, orders, greatest and least, counts alone? */
bool problem_only_compares(const struct problem *p);
/* About how many terms computing all of the output takes. */
double problem_work(const struct problem *p);
/* How far elements of an output may lie from what is wanted: op.h, "tolerance"; 0 for what is not real. */
struct tolerance {
	bool is_exact;
	double of_value, of_magnitude, least;
};
struct tolerance problem_tolerance(const struct problem *p, int t);
double tolerance_at(const struct tolerance *tolerance, double want, double magnitude);

/*
 * Runs the operator's reference: value[] by tensor, dense arrays of double; inputs are
 * read (broadcast ones expanded first), outputs written.
 */
void problem_reference(const struct problem *p, double *const value[OP_MAX_TENSORS]);

/*
 * Calls fn(problem, use, user) for every declared shape of op whose use is in
 * `uses` and every dtype; stops when fn returns non-zero and returns that.
 */
int problem_each(const struct op *op, unsigned uses, int threads,
		 int (*fn)(const struct problem *p, enum op_use use, void *user), void *user,
		 struct strbuf *err);

#endif
