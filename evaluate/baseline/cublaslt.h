/* cublaslt.h: what the rows of cuBLASLt share, one for each way it computes f32; cublaslt.c alone implements it. */
#ifndef EVALUATE_BASELINE_CUBLASLT_H
#define EVALUATE_BASELINE_CUBLASLT_H

#include "evaluate/baseline.h"

bool cublaslt_serves(const struct problem *p);
bool cublaslt_serves_tf32(const struct problem *p);
struct baseline_state *cublaslt_open(const struct problem *p, const struct target *target, void *const *buf, struct strbuf *setting,
				     struct strbuf *why_not);
/* f32 in tf32, which keeps 11 bits of each factor; no other dtype. */
struct baseline_state *cublaslt_open_tf32(const struct problem *p, const struct target *target, void *const *buf, struct strbuf *setting,
					  struct strbuf *why_not);
void cublaslt_bind(struct baseline_state *s, void *const *buf);
int cublaslt_run(struct baseline_state *s);
void cublaslt_close(struct baseline_state *s);

#endif
