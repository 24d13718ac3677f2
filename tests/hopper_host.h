/*
 * hopper_host.h: Hopper's words of printed kernels on the host, for hopper_host.py: the copy
 * engine, barriers in shared memory, warp-group products, conversions, by the PTX ISA 9.0.
 * Every thread of a block, or of a cluster's blocks, is a context of its own; they take turns,
 * and give way where they wait.  A copy or product is done where it is asked for, so that what is read too early is
 * not seen here; what nobody signals is: all threads wait, and the block is given up.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define KM_D inline
#define KM_KERNEL(n) extern "C" void
#define KM_KERNEL_FILL(n, blocks) extern "C" void
#define KM_KERNEL_ALONE(n) extern "C" void
#define KM_WARP 32
#define KM_TID (host_thread % host_threads)
#define KM_BID (host_block + (unsigned)host_rank())
#define KM_BLOCKS host_blocks
#define KM_SHARED(name, bytes) char *const name = host_shared
#define KM_SHARED_GIVEN(name) char *const name = host_shared
#define KM_TENSOR_MAP const km_tensor_map &

enum { MOST_THREADS = 1024, MOST_CLUSTER = 2, SHARED_BYTES = 256 << 10, STACK_BYTES = 64 << 10, IDLE_ROUNDS = 1000 };
static int host_thread, host_threads, host_cluster; /* of the cluster; of a block; blocks */
static unsigned host_block, host_blocks;             /* first of the cluster */
alignas(1024) static char host_memory[MOST_CLUSTER][SHARED_BYTES];
#define host_shared (host_memory[host_rank()])
static int host_rank() { return host_thread / host_threads; }
static ucontext_t host_scheduler, host_context[MOST_THREADS];
static char host_stack[MOST_THREADS][STACK_BYTES];
static bool host_is_done[MOST_THREADS];
static void (*host_body)();
static long host_progress;

static void host_fail(const char *what)
{
	printf("block %u thread %d: %s\n", KM_BID, KM_TID, what);
	exit(1);
}
static void host_give_way() { swapcontext(&host_context[host_thread], &host_scheduler); }
static void host_start()
{
	host_body();
	host_is_done[host_thread] = true;
	host_progress++;
	for (;;)
		host_give_way();
}

/* Runs all blocks, those that `resident` leaves of them on so many multiprocessors, a cluster at a time. */
static void host_run(void (*body)(), long instances, int threads, int resident, int multiprocessors, int cluster)
{
	host_blocks = (unsigned)(resident && instances > resident * multiprocessors ? resident * multiprocessors : instances);
	host_blocks -= host_blocks % (unsigned)cluster;
	host_threads = threads;
	host_cluster = cluster;
	host_body = body;
	for (host_block = 0; host_block < host_blocks; host_block += (unsigned)cluster) {
		int all = threads * cluster, left = all, idle = 0;
		memset(host_memory, 0x7f, sizeof(host_memory));
		for (int t = 0; t < all; t++) {
			host_is_done[t] = false;
			getcontext(&host_context[t]);
			host_context[t].uc_stack.ss_sp = host_stack[t];
			host_context[t].uc_stack.ss_size = STACK_BYTES;
			host_context[t].uc_link = NULL;
			makecontext(&host_context[t], host_start, 0);
		}
		while (left) {
			long before = host_progress;
			left = 0;
			for (int t = 0; t < all; t++)
				if (!host_is_done[t]) {
					left++;
					host_thread = t;
					swapcontext(&host_scheduler, &host_context[t]);
				}
			idle = host_progress == before ? idle + 1 : 0;
			if (idle > IDLE_ROUNDS)
				host_fail("all threads wait");
		}
	}
}

/* ---- threads with each other ------------------------------------------ */

/* So many threads, all at one place. */
static void host_meet(int threads, int place)
{
	static int waiting[MOST_CLUSTER + 1], rounds[MOST_CLUSTER + 1];
	int round = rounds[place];
	if (++waiting[place] == threads) {
		waiting[place] = 0;
		rounds[place]++;
		host_progress++;
	}
	while (rounds[place] == round)
		host_give_way();
}
static void km_barrier() { host_meet(host_threads, host_rank()); }
static void km_cluster_barrier() { host_meet(host_threads * host_cluster, MOST_CLUSTER); }

/* What each lane of the warp gave, once all have. */
static const unsigned *host_warp(unsigned x)
{
	static unsigned value[MOST_THREADS / 32][2][32];
	static int count[MOST_THREADS / 32], rounds[MOST_THREADS / 32];
	int warp = host_thread / 32, round = rounds[warp];
	value[warp][round & 1][host_thread % 32] = x;
	if (++count[warp] == 32) {
		count[warp] = 0;
		rounds[warp]++;
		host_progress++;
	}
	while (rounds[warp] == round)
		host_give_way();
	return value[warp][round & 1];
}
static unsigned host_warp_top(unsigned x)
{
	const unsigned *v = host_warp(x);
	unsigned y = 0;
	for (int i = 0; i < 32; i++)
		y = v[i] > y ? v[i] : y;
	return y;
}
static unsigned host_warp_sum(unsigned x)
{
	const unsigned *v = host_warp(x);
	unsigned y = 0;
	for (int i = 0; i < 32; i++)
		y += v[i];
	return y;
}
static float km_lane_value(float x, int lane)
{
	unsigned y = host_warp(__builtin_bit_cast(unsigned, x))[lane & 31];
	return __builtin_bit_cast(float, y);
}
static void km_warp_together() { host_warp(0); }

/* ---- barriers in shared memory, the copy engine ------------------------ */

static struct host_barrier {
	int count, pending;
	long bytes;
	unsigned phase;
} host_barrier[MOST_CLUSTER][SHARED_BYTES / 8];

static struct host_barrier &host_barrier_at(unsigned at, int rank)
{
	if (at >= SHARED_BYTES || at % 8)
		host_fail("no barrier there");
	return host_barrier[rank][at / 8];
}
static void host_signal(unsigned at, int rank, int arrivals, long bytes)
{
	struct host_barrier &b = host_barrier_at(at, rank);
	b.pending -= arrivals;
	b.bytes -= bytes;
	if (b.pending < 0)
		host_fail("a barrier is signalled too often");
	/* Bytes may come to another block before it said how many it waits for. */
	if (!b.pending && !b.bytes) {
		b.phase ^= 1;
		b.pending = b.count;
		host_progress++;
	}
}
static unsigned km_shared_address(const void *p) { return (unsigned)((const char *)p - host_shared); }
static void km_barrier_start(unsigned b, int count) { host_barrier_at(b, host_rank()) = { count, count, 0, 0 }; }
static void km_barriers_started() {}
static void km_barrier_expect(unsigned b, int bytes) { host_signal(b, host_rank(), 1, -bytes); }
static void km_barrier_arrive(unsigned b) { host_signal(b, host_rank(), 1, 0); }
static void km_barrier_arrive_at(unsigned b, int rank) { host_signal(b, rank, 1, 0); }
static void km_barrier_wait(unsigned b, unsigned phase)
{
	while (host_barrier_at(b, host_rank()).phase == phase)
		host_give_way();
}

enum { MOST_RANK = 5 };
struct km_tensor_map {
	const char *base;
	int bytes, rank; /* of an element */
	long dim[MOST_RANK], stride[MOST_RANK];
	int box[MOST_RANK], axes; /* of pixels: channels and pixels; axes: rank - 2, else 0 */
	int from[MOST_RANK], count[MOST_RANK], step[MOST_RANK];
};
/* An element to its place in rows of 128 bytes, whose 16-byte parts are swizzled by the row; zero outside. */
static void host_put(int rank, unsigned to, const km_tensor_map *m, const long *at)
{
	bool is_inside = true;
	long element = 0;
	to ^= (to >> 7 & 7) << 4;
	for (int d = 0; d < m->rank; d++) {
		is_inside &= at[d] >= 0 && at[d] < m->dim[d];
		element += at[d] * m->stride[d];
	}
	if (is_inside)
		memcpy(host_memory[rank] + to, m->base + element * m->bytes, (size_t)m->bytes);
	else
		memset(host_memory[rank] + to, 0, (size_t)m->bytes);
}
static void host_check_box(unsigned to, const km_tensor_map *m, long first, int numbers, int wanted)
{
	/* Not in the manuals: the device calls it an illegal instruction. */
	if (first * m->bytes % 16)
		host_fail("a box begins at no multiple of 16 bytes");
	if (to % 1024 || m->box[0] * m->bytes != 128)
		host_fail("a box is no aligned rows of 128 bytes");
	if (numbers != wanted)
		host_fail("a copy has not a coordinate for each dimension");
}
template <class... I> static void host_copy_box(int rank, unsigned to, const km_tensor_map *m, unsigned barrier, I... coordinates)
{
	const long first[] = { (long)coordinates... };
	long rows = 1;
	host_check_box(to, m, first[0], sizeof...(coordinates), m->rank);
	for (int d = 1; d < m->rank; d++)
		rows *= m->box[d];
	for (long row = 0; row < rows; row++)
		for (int i = 0; i < m->box[0]; i++) {
			long at[MOST_RANK] = { first[0] + i }, rest = row;
			for (int d = 1; d < m->rank; d++) {
				at[d] = first[d] + rest % m->box[d];
				rest /= m->box[d];
			}
			host_put(rank, to + (unsigned)(row * 128 + i * m->bytes), m, at);
		}
	host_signal(barrier, rank, 0, rows * 128);
}
/* Pixels that follow each other within the box of those that a window can begin at, line by line, image by image. */
template <class... I> static void host_copy_pixels(int rank, unsigned to, const km_tensor_map *m, unsigned barrier, I... numbers)
{
	const long given[] = { (long)numbers... };
	long at[MOST_RANK];
	host_check_box(to, m, given[0], sizeof...(numbers), m->rank + m->axes);
	memcpy(at, given, (size_t)m->rank * sizeof(*at));
	for (int a = 0; a < m->axes; a++)
		if (at[a + 1] < m->from[a] || (at[a + 1] - m->from[a]) % m->step[a] || (at[a + 1] - m->from[a]) / m->step[a] >= m->count[a])
			host_fail("pixels begin where no window does");
	for (int pixel = 0; pixel < m->box[1]; pixel++) {
		long read[MOST_RANK];
		memcpy(read, at, sizeof(read));
		for (int a = 0; a < m->axes; a++)
			read[a + 1] += given[m->rank + a];
		for (int i = 0; i < m->box[0]; i++, read[0]++)
			host_put(rank, to + (unsigned)(pixel * 128 + i * m->bytes), m, read);
		int a = 0;
		for (; a < m->axes && (at[a + 1] += m->step[a]) > m->from[a] + (m->count[a] - 1) * m->step[a]; a++)
			at[a + 1] = m->from[a];
		at[m->rank - 1] += a == m->axes;
	}
	host_signal(barrier, rank, 0, m->box[1] * 128);
}
#define HOST_COPY(what) \
	template <class... I> static void km_copy_##what(unsigned to, const km_tensor_map *m, unsigned b, I... i) { host_copy_##what(host_rank(), to, m, b, i...); } \
	template <class... I> static void km_copy_##what##_to_all(unsigned to, const km_tensor_map *m, unsigned b, I... i) \
	{ \
		for (int rank = 0; rank < host_cluster; rank++) \
			host_copy_##what(rank, to, m, b, i...); \
	}
HOST_COPY(box)
HOST_COPY(pixels)

/* ---- products of warp groups ------------------------------------------- */

template <int Leading> static unsigned long km_descriptor(unsigned at) { return (unsigned long)(at >> 4) | (unsigned long)(Leading >> 4) << 16; }
template <int N> static void km_give_registers() {}
template <int N> static void km_take_registers() {}
static void km_group_begin() {}
static void km_group_commit() {}
template <int N> static void km_group_wait() { host_give_way(); }
template <int N> static void km_pin(float (&)[N]) {}
template <int N> static void km_add_up(float (&sum)[N], float (&x)[N])
{
	for (int i = 0; i < N; i++) {
		float t = sum[i] + x[i];
		t -= sum[i];
		x[i] -= t;
		sum[i] += t;
	}
}
static float host_value(_Float16 x) { return (float)x; }
static float host_value(float x) { return x; }
static float host_value(unsigned short x) { return __builtin_bit_cast(float, (unsigned)x << 16); }
/* Row or column `i` of an operand at depth k: rows along the depth; or across it, 64 of them beside each other. */
template <class T, bool Across> static float host_operand(unsigned long descriptor, int i, int k)
{
	unsigned at = (unsigned)(descriptor & 0x3fff) << 4, leading = (unsigned)(descriptor >> 16 & 0x3fff) << 4;
	T x;
	at += Across ? i / 64 * leading + k / 8 * 1024 + k % 8 * 128 + i % 64 * sizeof(T) : i / 8 * 1024 + i % 8 * 128 + k * sizeof(T);
	at ^= (at >> 7 & 7) << 4;
	memcpy(&x, host_shared + at, sizeof(x));
	return host_value(x);
}
/* A thread's part: lane l of warp w has rows 16w + l/4 and 8 below it, of columns 8j + 2(l%4) and the next. */
template <class T, int N, int K, int A, int B> static void host_product(float *c, unsigned long a, unsigned long b)
{
	int warp = host_thread / 32 % 4, lane = host_thread % 32; /* a block has whole groups */
	float row[2][K];
	for (int h = 0; h < 2; h++)
		for (int k = 0; k < K; k++)
			row[h][k] = host_operand<T, A>(a, 16 * warp + lane / 4 + 8 * h, k);
	for (int j = 0; j < N / 4; j++)
		for (int h = 0; h < 2; h++) {
			float sum = 0;
			for (int k = 0; k < K; k++)
				sum += row[h][k] * host_operand<T, B>(b, j / 2 * 8 + 2 * (lane % 4) + j % 2, k);
			c[j / 2 * 4 + h * 2 + j % 2] += sum;
		}
}
/* hopper_host.py puts those that a source has in the place of their assembly. */
#define HOST_PRODUCT(columns, depth, name, T) \
	template <int A, int B> static void km_wgmma_f32_64x##columns##x##depth##_##name(float *c, unsigned long a, unsigned long b) { host_product<T, columns, depth, A, B>(c, a, b); }

/* ---- conversions -------------------------------------------------------- */

static unsigned host_pair(float high, float low)
{
	return (unsigned)__builtin_bit_cast(unsigned short, (_Float16)high) << 16 | __builtin_bit_cast(unsigned short, (_Float16)low);
}
static float host_half(unsigned pair, int which) { return (float)__builtin_bit_cast(_Float16, (unsigned short)(pair >> 16 * which)); }
static unsigned short host_bf16(float x)
{
	unsigned u = __builtin_bit_cast(unsigned, x);
	return (unsigned short)(x != x ? 0x7fff : (u + 0x7fff + (u >> 16 & 1)) >> 16);
}
static unsigned host_tf32(float x) { return (__builtin_bit_cast(unsigned, x) + 0x1000) & ~0x1fffu; }
/* Of magnitudes: NaN is greatest; the least of a NaN and a number is the number. */
static unsigned host_greater(unsigned a, unsigned b)
{
	unsigned low = (a & 0xffff) > (b & 0xffff) ? a & 0xffff : b & 0xffff, high = a >> 16 > b >> 16 ? a >> 16 : b >> 16;
	return high << 16 | low;
}
static unsigned host_less(unsigned a, unsigned b)
{
	unsigned low = (a & 0xffff) < (b & 0xffff) ? a & 0xffff : b & 0xffff, high = a >> 16 < b >> 16 ? a >> 16 : b >> 16;
	return high << 16 | low;
}
static void km_shared_written() {}
static void km_shared_read(float *x, unsigned at) { memcpy(x, host_shared + at, 16); }
static void km_shared_write(unsigned at, const unsigned (&x)[4]) { memcpy(host_shared + at, x, 16); }
