/* Launch plans: text and back, values at dims, bad lines by number; the launcher's refusals. */
#include "ops/core/launch.h"
#include "tests/tap.h"

#include <string.h>

static const char text[] =
	"plan: so\n"
	"dim: M N\n"
	"static: KH=3\n"
	"require: N % 4 == 0\n"
	"require: M >= KH\n"
	"buffer: A in f32 M*(N + KH)\n"
	"buffer: T tmp bf16 rup(M, 8)*N\n"
	"buffer: C out f32 M*N\n"
	"scratch: 4096\n"
	"step: km_x_pack grid=cdiv(M,8) threads=1 shared=0\n"
	"step: km_x_main grid=cdiv(M,8),cdiv(N,maximum(4,KH)),2 threads=256 shared=1024\n";

static void refused(const char *plan_text, const char *words)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct plan plan;

	int ret = plan_parse(&arena, plan_text, "p", &plan, &err);
	ok(ret < 0 && strstr(err.buf, words) && !strchr(err.buf, '\n'), "refused: %s", err.buf);
	strbuf_release(&err);
	arena_release(&arena);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT, once = STRBUF_INIT, twice = STRBUF_INIT;
	struct plan plan, again;
	int64_t good[] = { 10, 8 }, bad[] = { 10, 7 }, small[] = { 2, 8 }, huge[] = { INT64_MAX / 2, 8 };

	int ret = plan_parse(&arena, text, "p", &plan, &err);
	ok(!ret && plan.dim_count == 2 && plan.fixed_count == 1 && plan.require_count == 2 && plan.buffer_count == 3 && plan.step_count == 2,
	   "parse (%s)", err.buf);
	plan_print(&plan, &once);
	ret = plan_parse(&arena, once.buf, "p", &again, &err);
	plan_print(&again, &twice);
	ok(!ret && !strcmp(once.buf, twice.buf), "what is printed parses to the same");
	struct plan device;
	struct strbuf device_text = STRBUF_INIT;
	const char *tensors = "plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nscratch: 0\nstep: f grid=M threads=384 shared=64 resident=1 cluster=2\n"
			      "tensor: A dims=K,M strides=K box=64,128 swizzle=128\n"
			      "tensor: A dims=K,M,2,M strides=K,M*K,2*M*K box=64,128 swizzle=128 from=-1,0 count=M/2,2 step=2,1\n";
	ret = plan_parse(&arena, tensors, "d", &device, &err);
	ok(!ret && device.step[0].tensor_count == 2 && device.step[0].tensor[1].axis_count == 2 && device.step[0].tensor[1].from[0] == -1 && device.step[0].resident == 1 && device.step[0].cluster == 2, "tensors of a step (%s)", err.buf);
	plan_print(&device, &device_text);
	ok(strstr(device_text.buf, strstr(tensors, " resident=1")) != NULL, "print as they were: %s", device_text.buf);
	strbuf_release(&device_text);
	ok(plan_accepts(&plan, good, NULL), "preconditions hold");
	strbuf_reset(&err);
	bool accepted = plan_accepts(&plan, bad, &err);
	ok(!accepted && !strcmp(err.buf, "N%4 == 0"), "one is broken: %s", err.buf);
	ok(!plan_accepts(&plan, small, NULL), "one on a static dim is broken");
	ok(plan_buffer_elems(&plan, 0, good) == 110 && plan_buffer_elems(&plan, 1, good) == 128, "elements, static dims included");
	ok(plan_buffer_elems(&plan, 0, huge) == -1, "an overflow is told");
	ok(plan_step_instances(&plan, 0, good) == 2 && plan_step_instances(&plan, 1, good) == 8, "instances, commas inside calls");
	ok(plan.step[1].threads == 256 && plan.step[1].shared_bytes == 1024 && plan.scratch_bytes == 4096, "threads, shared, scratch");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\ntensor: A dims=K,M strides=K box=64,64 swizzle=128\n", "p:4: no step before");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: B dims=K,M strides=K box=64,64 swizzle=128\n", "p:5: no buffer 'B'");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: A dims=K,M box=64,64 swizzle=128\n", "p:5: dims, strides and box of a tensor differ");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: A dims=K,M strides=K box=64,512 swizzle=128\n", "p:5: no list of numbers in bounds");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: A dims=K,M strides=K box=64,64 swizzle=96\n", "p:5: expected dims=");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: A dims=K,M strides=K box=64,64 swizzle=128 from=0 count=M step=1\n", "p:5: pixels want");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: A dims=K,M,M strides=K,K*M box=64,64 swizzle=128 from=1 count=M step=1\n", "p:5: no list");
	refused("plan: cubin\ndim: M K\nbuffer: A in bf16 M*K\nstep: f grid=M\ntensor: A dims=K,M,M strides=K,K*M box=64,64 swizzle=128 from=0 count=M\n", "p:5: pixels want");
	refused("plan: cubin\nstep: f grid=1 cluster=1\n", "p:2: expected grid=");
	refused("plan: so\ndim: M\nstep: f grid=M threads=0\n", "p:3: expected grid=");
	refused("plan: so\nstep: f threads=1\n", "p:2: step without a grid");
	refused("plan: so\nstep: f grid=1,2,3,4,5,6,7,8,9\n", "p:2: too many dimensions: '1,2,3,4,5,6,7,8,9'");
	refused("plan: so\nbuffer: A inout f32 1\nstep: f grid=1\n", "p:2: expected in, out or tmp, not 'inout'");
	refused("plan: so\nbuffer: A in f33 1\nstep: f grid=1\n", "p:2: unknown dtype 'f33'");
	refused("plan: so\nbuffer: A in f32 (1\nstep: f grid=1\n", "p:2:");
	refused("plan: so\nstatic: K\nstep: f grid=1\n", "p:2: expected NAME=INTEGER");
	refused("plan: so\nspeed: 9\nstep: f grid=1\n", "p:2: unknown key 'speed'");
	refused("dim: M\n", "wants 'plan: KIND'");

	const struct launcher *so = launcher_find("so");
	ok(so && !launcher_find("punchcard"), "launchers by kind");
	strbuf_reset(&err);
	ok(!so->open(&plan, "/nowhere/kernel.so", 1, &err), "a missing artifact");
	ok(strstr(err.buf, "/nowhere/kernel.so") != NULL, "is named: %s", err.buf);
	strbuf_release(&err);
	strbuf_release(&once);
	strbuf_release(&twice);
	arena_release(&arena);
	return done_testing();
}
