/* Problems: text form both ways, shapes, work and traffic, and every way to get one wrong. */
#include "ops/core/problem.h"
#include "tests/tap.h"

#include <string.h>

static void prints(const char *text, const char *want)
{
	struct strbuf out = STRBUF_INIT, err = STRBUF_INIT;
	struct problem p, again;

	bool good = !problem_parse(text, &p, &err);
	if (good)
		problem_print(&p, &out);
	good = good && !strcmp(out.buf, want) && !problem_parse(out.buf, &again, &err) && !memcmp(p.dim, again.dim, sizeof(p.dim)) &&
	       !memcmp(p.attr, again.attr, sizeof(p.attr)) && p.threads == again.threads;
	if (!ok(good, "%s prints as %s", text, want))
		printf("# %s %s\n", out.buf, err.buf);
	strbuf_release(&out);
	strbuf_release(&err);
}

static void refuses(const char *text, const char *want)
{
	struct strbuf err = STRBUF_INIT;
	struct problem p;

	if (!ok(problem_parse(text, &p, &err) == -1 && strstr(err.buf, want) && !strchr(err.buf, '\n'), "%s: %s", text, want))
		printf("# %s\n", err.buf);
	strbuf_release(&err);
}

static void test_sizes(void)
{
	struct strbuf err = STRBUF_INIT;
	struct problem p;
	int64_t extent[8];

	ok(!problem_parse("conv2d/f32/NB=2,CI=3,H=11,W=14,O=4,KH=5,KW=3,S=2,P=1/t1", &p, &err), "a convolution %s", err.buf);
	ok(problem_shape(&p, 2, extent) == 4 && extent[0] == 2 && extent[1] == 4 && extent[2] == 5 && extent[3] == 7, "its output's shape");
	ok(problem_flop(&p) == 2.0 * 2 * 4 * 5 * 7 * 3 * 5 * 3 && problem_terms(&p) == 45, "its work and reduction length");
	ok(problem_least_bytes(&p) == 4 * (2 * 3 * 11 * 14 + 4 * 3 * 15 + 2 * 4 * 35), "its compulsory traffic");
	ok(!problem_parse("matmul/bf16/M=3,N=5,K=7/t2", &p, &err) && problem_bytes(&p, 0) == 42 && problem_bytes(&p, 2) == 60 &&
	   problem_tensor_dtype(&p, 2) == DTYPE_f32, "a bf16 product accumulates into f32");
	ok(!problem_parse("embedding_bag/f32/B=3,T=7,V=500,D=2/t1", &p, &err) && problem_least_bytes(&p) == 7 * 8 + 4 * 8 + 3 * 2 * 4,
	   "a gathered table is not compulsory traffic");
	ok(!problem_parse("diagonal/f32/B=2,M=5,N=7/t1", &p, &err) && problem_least_bytes(&p) == 4 * (2 * 5 + 2 * 5), "nor is what lies off a diagonal");
	strbuf_release(&err);
}

int main(void)
{
	prints("matmul/f32/M=1024,N=512,K=3/t1", "matmul/f32/M=1024,N=512,K=3/t1");
	prints("matmul/f32/K=3,M=1024,N=512/t4", "matmul/f32/M=1024,N=512,K=3/t4");
	prints("matmul/f32/M=1,N=1,K=1", "matmul/f32/M=1,N=1,K=1/t1");
	prints("layer_norm/f32/R=3,C=4,eps=0.1/t1", "layer_norm/f32/R=3,C=4,eps=0.10000000000000001/t1");
	prints("layer_norm/f32/R=3,C=4,eps=1e-5/t1", "layer_norm/f32/R=3,C=4/t1");
	prints("conv2d/f32/NB=1,CI=2,H=9,W=9,O=3,KH=3,KW=3,S=2/t1", "conv2d/f32/NB=1,CI=2,H=9,W=9,O=3,KH=3,KW=3,S=2/t1");
	refuses("nonsense/f32/M=1/t1", "unknown operator 'nonsense': 'km-generate ops' lists ");
	refuses("matmul/f33/M=1,N=1,K=1/t1", "unknown dtype 'f33'");
	refuses("matmul/i8/M=1,N=1,K=1/t1", "'matmul' has no dtype 'i8': it has f32 bf16");
	refuses("matmul/f32/M=1,N=1/t1", "wants a value for dimension 'K'");
	refuses("matmul/f32/M=1,N=1,Q=1/t1", "name 'Q' of 'matmul' is not a dimension or attribute: it has M N K");
	refuses("matmul/f32/M=1,N=1,K=x/t1", "'x' is not a number");
	refuses("matmul/f32/M=1,N=1,K=-1/t1", "'matmul': dimension 'K' is -1, allowed are 1..2^40");
	refuses("matmul/f32/M=1,N=1,K=99999999999999999999/t1", "'matmul': dimension 'K' is 99999999999999999999, allowed are 1..2^40");
	refuses("matmul/f32/M=1000000000000,N=1000000000000,K=1/t1", "'matmul': tensor 'C' has more elements than can be counted");
	refuses("matmul/f32/M=1,N=1,K/t1", "expected NAME=VALUE");
	refuses("matmul/f32/M=1,N=1,K=1/x1", "not of the form");
	refuses("matmul/f32/M=1,N=1,K=1/t0", "threads must be 1..1024");
	refuses("matmul/f32/M=1,N=1,K=1/tx", "does not end in a thread count");
	refuses("matmul", "not of the form");
	refuses("conv2d/f32/NB=1,CI=1,H=1,W=1,O=1,KH=3,KW=5,P=0/t1", "'conv2d': dimension 2 of tensor 'y', (H+2*P-KH)//S+1, is -1 at");
	refuses("conv2d/f32/NB=1,CI=1,H=2,W=9,O=1,KH=3,KW=3,P=0/t1", "(H+2*P-KH)//S+1, is 0 at NB=1,CI=1,H=2,W=9,O=1,KH=3,KW=3,P=0, allowed are 1..2^40");
	refuses("conv2d/f32/NB=1,CI=1,H=9,W=9,O=1,KH=3,KW=3,S=0/t1", "attribute 'S' is 0, allowed are 1 and more");
	refuses("conv2d/f32/NB=1,CI=1,H=9,W=9,O=1,KH=3,KW=3,S=1.5/t1", "attribute 'S' is an integer, not '1.5'");
	refuses("matmul/f32/M=0,N=1,K=1/t1", "dimension 'M' is 0, allowed are 1..2^40");
	refuses("topk/f32/R=3,C=5,K=9/t1", "'topk' requires K <= C, which does not hold at C=5, K=9: dimension 'K' of tensor 'y' is 9, allowed are 1..5");
	refuses("group_norm/f32/N=2,C=7,S=5,G=2/t1", "dimension 'C' of tensor 'x' is 7, allowed are multiples of 2");
	refuses("select_scatter/f32/O=1,R=4,I=1,K=4/t1", "attribute 'K' is 4, allowed are 0..3");
	refuses("max_pool2d/f32/N=1,H=3,W=3,PH=3/t1", "'max_pool2d' requires 2*PH <= KH, which does not hold at KH=2, PH=3: attribute 'PH' is 3, allowed are 0..1");
	refuses("conv_transpose1d/f32/NB=1,CI=2,OG=3,L=4,KL=2,S=3,Q=3/t1", "attribute 'Q' is 3, allowed are 0..2");
	refuses("conv1d/f32/NB=1,C=2,O=3,L=9,KL=2,G=0/t1", "attribute 'G' is 0, allowed are 1 and more");
	refuses("native_dropout/f32/N=3,p=1.5/t1", "attribute 'p' is 1.5, allowed are those <= 1");
	refuses("arange/f32/N=3,step=0/t1", "attribute 'step' is 0, allowed are all but 0");
	refuses("batch_norm/f32/N=1,C=2,S=1/t1", "'batch_norm' requires N*S > 1, which does not hold at N=1, S=1");
	test_sizes();
	return done_testing();
}
