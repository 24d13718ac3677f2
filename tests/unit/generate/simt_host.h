/*
 * simt_host.h: the SIMT vocabulary on the host, so that printed kernels RUN
 * without their device.  Every thread of a block is a context of its own; a warp
 * runs alone until the block's barrier, first warp first or (`reversed`) last
 * warp first, so that a missing barrier gives wrong results in one of the orders.
 * Shared memory begins every block as NaN.
 */
#include <setjmp.h>
#include <string.h>
#include <ucontext.h>

#define KM_KERNEL(n) extern "C" void
#define KM_D inline __attribute__((always_inline))
#define KM_TID km_now
#define KM_BID km_block
#define KM_WARP 64
#define KM_SHARED(name, bytes) static_assert(bytes <= sizeof(km_lds)); char *const name = km_lds

enum { KM_RUNNING, KM_AT_WARP, KM_AT_BARRIER, KM_DONE };
static int km_now;
static unsigned km_block;
alignas(16) static char km_lds[65536];
/* A context is entered once by setcontext(), which asks the kernel, and then by jumps, which do not. */
static struct { ucontext_t context; jmp_buf at; bool is_started; int state; } km_fiber[1024];
alignas(16) static char km_stack[1024][128 << 10];
static jmp_buf km_scheduler;
static void (*km_kernel)(long, long, long, long, long, long, long, long, long, long, long, long);
static long km_argument[12];

static __attribute__((noinline)) void km_yield(int state)
{
	km_fiber[km_now].state = state;
	if (!_setjmp(km_fiber[km_now].at))
		_longjmp(km_scheduler, 1);
}
static void km_barrier() { km_yield(KM_AT_BARRIER); }

/* What a lane shows the others of its warp. */
static float km_shown[1024][16];
static float km_lane_value(float x, int lane)
{
	int me = km_now;
	km_shown[me][0] = x;
	km_yield(KM_AT_WARP);
	float y = km_shown[me / 64 * 64 + (lane & 63)][0];
	km_yield(KM_AT_WARP);
	return y;
}

static float km_host_value(float x) { return x; }
static float km_host_value(unsigned short x) { return __builtin_bit_cast(float, (unsigned)x << 16); }

/*
 * The matrix instructions of CDNA3 by AMD's manual: M x M blocks (32 or 16), K deep; lane l holds row (column) l % M of
 * A (B) at depths l / M * D .. + D - 1; register r of lane l holds row 8 (r / 4) + 4 (l / 32) + r % 4 of C for
 * M = 32, row 4 (l / 16) + r for M = 16, both of column l % M.
 */
template <int M, int D, class C, class T> static void km_host_mfma(C &c, const T *a, const T *b)
{
	int me = km_now, warp = me / 64 * 64, lane = me % 64, depth = 64 / M * D;
	for (int d = 0; d < D; d++)
		km_shown[me][d] = km_host_value(a[d]), km_shown[me][8 + d] = km_host_value(b[d]);
	km_yield(KM_AT_WARP);
	for (int r = 0; r < M * M / 64; r++) {
		int row = M == 32 ? 8 * (r / 4) + 4 * (lane / 32) + r % 4 : 4 * (lane / 16) + r, column = lane % M;
		float sum = c[r];
		for (int k = 0; k < depth; k++)
			sum += km_shown[warp + k / D * M + row][k % D] * km_shown[warp + k / D * M + column][8 + k % D];
		c[r] = sum;
	}
	km_yield(KM_AT_WARP);
}
typedef float km_f32x4 __attribute__((ext_vector_type(4)));
typedef float km_f32x16 __attribute__((ext_vector_type(16)));
static void km_mfma_f32_32x32x8_bf16(km_f32x16 &c, const unsigned short (&a)[4], const unsigned short (&b)[4]) { km_host_mfma<32, 4>(c, a, b); }
static void km_mfma_f32_16x16x16_bf16(km_f32x4 &c, const unsigned short (&a)[4], const unsigned short (&b)[4]) { km_host_mfma<16, 4>(c, a, b); }
static void km_mfma_f32_32x32x2_f32(km_f32x16 &c, const float (&a)[1], const float (&b)[1]) { km_host_mfma<32, 1>(c, a, b); }
static void km_mfma_f32_16x16x4_f32(km_f32x4 &c, const float (&a)[1], const float (&b)[1]) { km_host_mfma<16, 1>(c, a, b); }

static void km_start()
{
	const long *x = km_argument;
	km_kernel(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9], x[10], x[11]);
	km_yield(KM_DONE);
}

/* Runs thread t until it yields. */
static __attribute__((noinline)) void km_resume(int t)
{
	km_now = t;
	if (_setjmp(km_scheduler))
		return;
	if (km_fiber[t].is_started)
		_longjmp(km_fiber[t].at, 1);
	km_fiber[t].is_started = true;
	setcontext(&km_fiber[t].context);
}

/* Runs a warp's lanes until all are at the block's barrier, or all done; returns where, or -1 when they part. */
static int km_run_warp(int warp)
{
	for (;;) {
		for (int t = warp; t < warp + 64; t++)
			if (km_fiber[t].state != KM_DONE)
				km_resume(t);
		for (int t = warp; t < warp + 64; t++)
			if (km_fiber[t].state != km_fiber[warp].state)
				return -1;
		if (km_fiber[warp].state != KM_AT_WARP)
			return km_fiber[warp].state;
	}
}

/* Runs all blocks of a kernel; NULL, or what went wrong.  `argument`: twelve, the kernel's own first. */
extern "C" const char *km_host_run(void *kernel, const long *argument, long blocks, int threads, int reversed)
{
	memcpy(&km_kernel, &kernel, sizeof(kernel));
	memcpy(km_argument, argument, sizeof(km_argument));
	for (km_block = 0; km_block < blocks; km_block++) {
		memset(km_lds, 0xff, sizeof(km_lds));
		for (int t = 0; t < threads; t++) {
			getcontext(&km_fiber[t].context);
			km_fiber[t].context.uc_stack.ss_sp = km_stack[t];
			km_fiber[t].context.uc_stack.ss_size = sizeof(km_stack[t]);
			km_fiber[t].context.uc_link = NULL;
			km_fiber[t].state = KM_RUNNING;
			km_fiber[t].is_started = false;
			makecontext(&km_fiber[t].context, km_start, 0);
		}
		for (int state = KM_RUNNING; state != KM_DONE;) {
			for (int w = 0; w < threads / 64; w++) {
				int now = km_run_warp((reversed ? threads / 64 - 1 - w : w) * 64);
				if (now < 0 || (w && now != state))
					return "threads of a block part: some wait where others do not";
				state = now;
			}
		}
	}
	return NULL;
}
