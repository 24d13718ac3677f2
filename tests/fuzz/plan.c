/* Launch plans: what parses prints, the print parses to the same, and sizes are computed without overflow. */
#include "ops/core/plan.h"
#include "tests/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t most[PLAN_MAX_NAMES] = { INT64_MAX, INT64_MIN, INT64_C(1) << 40, 3, 0, -1 };
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, first = STRBUF_INIT, second = STRBUF_INIT;
	struct plan plan, again;
	char *text = fuzz_text(data, size);

	if (!plan_parse(&arena, text, "fuzz", &plan, &err)) {
		plan_print(&plan, &first);
		if (plan_parse(&arena, first.buf, "print", &again, &err))
			abort();
		plan_print(&again, &second);
		if (strcmp(first.buf, second.buf))
			abort();
		for (int shift = 0; shift < 3; shift++) {
			const int64_t *dim = most + shift;
			if (plan.dim_count > (size_t)(PLAN_MAX_NAMES - shift))
				break;
			plan_accepts(&plan, dim, &err);
			for (size_t i = 0; i < plan.buffer_count; i++)
				if (plan_buffer_elems(&plan, i, dim) < -1)
					abort();
			for (size_t i = 0; i < plan.step_count; i++)
				if (plan_step_instances(&plan, i, dim) < -1)
					abort();
		}
	} else if (!err.len) {
		abort();
	}
	free(text);
	strbuf_release(&err);
	strbuf_release(&first);
	strbuf_release(&second);
	arena_release(&arena);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	static const char *const plans[] = {
		"plan: so\ndim: M N K\nrequire: K % 16 == 0\nbuffer: A in f32 M*K\nbuffer: B in f32 K*N\nbuffer: T tmp f32 rup(M, 8)*N\n"
		"buffer: C out f32 M*N\nscratch: 65536\nstep: km_x_pack grid=cdiv(K,64),cdiv(N,48) threads=1 shared=0\nstep: km_x_main grid=M,N threads=1 shared=0\n",
		"plan: cubin\ndim: R\nstatic: C=300\nbuffer: x in bf16 R*C\nbuffer: y out bf16 R*C\nscratch: 0\nstep: km_y grid=R,1,cdiv(C,128) threads=256 shared=49152\n",
		"plan: cubin\ndim: N C H W\nbuffer: x in bf16 N*C*H*W\nbuffer: y out bf16 N*C*H*W\nscratch: 0\nstep: km_z grid=N,cdiv(H*W,128) threads=256 shared=64 resident=1 cluster=2\n"
		"tensor: y dims=C,N strides=C box=64,64 swizzle=128\n"
		"tensor: x dims=C,W,H,N strides=C,C*W,C*W*H box=64,128 swizzle=128 from=-1,-2 count=W,(H+1)//2 step=1,2\n",
		"plan: so\ndim: M N\nbuffer: x in f32 M*N\nbuffer: y out f32 M*N\nscratch: 64\nstep: km_test grid=M threads=1 shared=0\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(plans); i++)
		add(plans[i], strlen(plans[i]), user);
}
