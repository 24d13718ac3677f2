/*
 * simt_host.h: the SIMT vocabulary on the host, so that printed kernels RUN
 * without their device.  Every thread of a block is a context of its own; a warp
 * runs alone until the block's barrier, first warp first or (`reversed`) last
 * warp first, so that a missing barrier gives wrong results in one of the orders.
 * Blocks run one by one, or, in clusters, each until the cluster's barrier.
 * Shared memory begins every block as NaN.
 */
#include <setjmp.h>
#include <string.h>
#include <ucontext.h>

#define KM_KERNEL(n) extern "C" void
#define KM_D inline __attribute__((always_inline))
#define KM_TID (km_now % km_threads)
#define KM_BID (km_block + km_now / km_threads)
#ifndef KM_WARP
#define KM_WARP 64
#endif
#define KM_SHARED(name, bytes) static_assert(bytes <= KM_LDS); char *const name = km_lds[km_now / km_threads]; if (km_lds_used < bytes) km_lds_used = bytes
#define KM_SHARED_GIVEN(name) char *const name = km_lds[km_now / km_threads]; km_lds_used = KM_LDS

enum { KM_RUNNING, KM_AT_WARP, KM_AT_BARRIER, KM_AT_CLUSTER, KM_DONE };
enum { KM_LDS = 256 << 10, KM_CLUSTER = 16, KM_FIBERS = 4096 };
static int km_now, km_threads; /* the thread, of all of its cluster's blocks; a block's */
static unsigned km_block;      /* the first of the cluster */
alignas(16) static char km_lds[KM_CLUSTER][KM_LDS];
static size_t km_lds_used = KM_LDS;
/* A context is entered once by setcontext(), which asks the kernel, and then, block after block, by jumps, which do not. */
static struct { ucontext_t context; jmp_buf at; bool is_made, is_started; int state; } km_fiber[KM_FIBERS];
alignas(16) static char km_stack[KM_FIBERS][128 << 10];
static jmp_buf km_scheduler;
#define KM_EIGHT(x, i) x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4], x[i + 5], x[i + 6], x[i + 7]
#define KM_LONGS(x) x, x, x, x, x, x, x, x
enum { KM_ARGUMENTS = 48 };
static void (*km_kernel)(KM_LONGS(long), KM_LONGS(long), KM_LONGS(long), KM_LONGS(long), KM_LONGS(long), KM_LONGS(long));
static long km_argument[KM_ARGUMENTS];

static __attribute__((noinline)) void km_yield(int state)
{
	km_fiber[km_now].state = state;
	if (!_setjmp(km_fiber[km_now].at))
		_longjmp(km_scheduler, 1);
}
static void km_barrier() { km_yield(KM_AT_BARRIER); }
#define KM_CLUSTERS
static void km_cluster_barrier() { km_yield(KM_AT_CLUSTER); }
template <class T> static T km_of_block(const T *p, int block) { return *(const T *)((const char *)p + (block - km_now / km_threads) * (long)KM_LDS); }

/* What a lane shows the others of its warp. */
static float km_shown[KM_FIBERS][16];
static float km_lane_value(float x, int lane)
{
	int me = km_now;
	km_shown[me][0] = x;
	km_yield(KM_AT_WARP);
	float y = km_shown[me / KM_WARP * KM_WARP + (lane & (KM_WARP - 1))][0];
	km_yield(KM_AT_WARP);
	return y;
}

static float km_host_value(float x) { return x; }
static float km_host_value(unsigned short x) { return __builtin_bit_cast(float, (unsigned)x << 16); }

#if KM_WARP == 64
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
#else
/*
 * mma.sync m16n8k16 by the PTX ISA (9.7.14.5.8, version 9.0): lane l holds rows l / 4 + 8 a of A at depths 2 (l % 4) + 8 d + c,
 * register 4 d + 2 a + c; column l / 4 of B at the same depths, register 2 d + c; and of C rows l / 4 + 8 a of columns 2 (l % 4) + c.
 */
typedef float km_f32x4 __attribute__((ext_vector_type(4)));
static void km_mma_f32_16x8x16_bf16(km_f32x4 &c, const unsigned short (&a)[8], const unsigned short (&b)[4])
{
	int me = km_now, warp = me / 32 * 32, lane = me % 32;
	for (int r = 0; r < 8; r++)
		km_shown[me][r] = km_host_value(a[r]), km_shown[me][8 + r] = r < 4 ? km_host_value(b[r]) : 0;
	km_yield(KM_AT_WARP);
	for (int r = 0; r < 4; r++) {
		float sum = c[r];
		for (int k = 0; k < 16; k++)
			sum += km_shown[warp + lane / 4 * 4 + k / 2 % 4][k / 8 * 4 + r / 2 * 2 + k % 2] *
			       km_shown[warp + (lane % 4 * 2 + r % 2) * 4 + k / 2 % 4][8 + k / 8 * 2 + k % 2];
		c[r] = sum;
	}
	km_yield(KM_AT_WARP);
}
#endif

static void km_start()
{
	const long *x = km_argument;
	for (;;) {
		km_kernel(KM_EIGHT(x, 0), KM_EIGHT(x, 8), KM_EIGHT(x, 16), KM_EIGHT(x, 24), KM_EIGHT(x, 32), KM_EIGHT(x, 40));
		km_yield(KM_DONE);
	}
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

/* Runs a warp's lanes until all are at a barrier, or all done; returns where, or -1 when they part. */
static int km_run_warp(int warp)
{
	for (;;) {
		for (int t = warp; t < warp + KM_WARP; t++)
			if (km_fiber[t].state != KM_DONE)
				km_resume(t);
		for (int t = warp; t < warp + KM_WARP; t++)
			if (km_fiber[t].state != km_fiber[warp].state)
				return -1;
		if (km_fiber[warp].state != KM_AT_WARP)
			return km_fiber[warp].state;
	}
}

/* Runs a block, whose first thread that is, until all of it are at the cluster's barrier, or done; returns where, or -1 when they part. */
static int km_run_block(int first, int reversed)
{
	int warps = km_threads / KM_WARP, state = KM_AT_BARRIER;

	while (state == KM_AT_BARRIER)
		for (int w = 0; w < warps; w++) {
			int now = km_run_warp(first + (reversed ? warps - 1 - w : w) * KM_WARP);
			if (now < 0 || (w && now != state))
				return -1;
			state = now;
		}
	return state;
}

/* Runs all blocks of a kernel, `cluster` of them beside each other; NULL, or what went wrong.  `argument`: KM_ARGUMENTS, the kernel's own first. */
extern "C" const char *km_host_run(void *kernel, const long *argument, long blocks, int threads, int reversed, int cluster)
{
	memcpy(&km_kernel, &kernel, sizeof(kernel));
	memcpy(km_argument, argument, sizeof(km_argument));
	km_threads = threads;
	if (cluster > KM_CLUSTER || cluster * threads > KM_FIBERS)
		return "a cluster of more threads than there are";
	for (km_block = 0; km_block < blocks; km_block += cluster) {
		for (int b = 0; b < cluster; b++)
			memset(km_lds[b], 0xff, km_lds_used);
		km_lds_used = 0;
		for (int t = 0; t < cluster * threads; t++) {
			km_fiber[t].state = KM_RUNNING;
			if (km_fiber[t].is_made)
				continue;
			km_fiber[t].is_made = true;
			getcontext(&km_fiber[t].context);
			km_fiber[t].context.uc_stack.ss_sp = km_stack[t];
			km_fiber[t].context.uc_stack.ss_size = sizeof(km_stack[t]);
			km_fiber[t].context.uc_link = NULL;
			makecontext(&km_fiber[t].context, km_start, 0);
		}
		for (int state = KM_RUNNING; state != KM_DONE;) {
			for (int b = 0; b < cluster; b++) {
				int now = km_run_block((reversed ? cluster - 1 - b : b) * threads, reversed);
				if (now < 0 || (b && now != state)) {
					memset(km_fiber, 0, sizeof(km_fiber));
					return "threads of a block part: some wait where others do not";
				}
				state = now;
			}
		}
	}
	return NULL;
}
