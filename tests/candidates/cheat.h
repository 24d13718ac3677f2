/*
 * cheat.h: what the candidates of this folder share.  A program is this, one of
 * operators/, and one candidate, one after the other; tests/hostile.py puts them
 * together.  An operator's file gives
 *
 *   COUNT(dim)     instances of the grid            WIDTH(dim)   outputs of an instance, one after the other
 *   OUT(buf)       its output                       IN(buf)      its first input, of IN_COUNT(dim) elements
 *   honest(buf, dim, first, last)                   what it should do
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define KERNEL void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
#define ALL_OUTPUTS(dim) (COUNT(dim) * WIDTH(dim))

/* An attack that did not work is no win: what depends on it ends here. */
static inline __attribute__((unused)) void must(int worked)
{
	if (!worked)
		__builtin_trap();
}

static __attribute__((unused)) long km_system(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

/* Nanoseconds of CLOCK_MONOTONIC. */
static __attribute__((unused)) long km_now(void)
{
	long t[2] = { 0, 0 };

	km_system(228, 1, (long)t, 0, 0, 0, 0);
	return t[0] * 1000000000 + t[1];
}

/* Room for n floats under a key, the same in each call with that key; *is_new in the first.  NULL: no more room. */
static __attribute__((unused)) float *km_kept(u64 key, long n, int *is_new)
{
	static struct { u64 key; float *at; } place[16384];
	static float room[12 << 20];
	static long used;
	u64 i = key * 0x9E3779B97F4A7C15ul >> 50;

	while (place[i].key && place[i].key != key)
		i = (i + 1) % 16384;
	*is_new = !place[i].key;
	if (*is_new && used + n <= 12 << 20) {
		place[i].key = key;
		place[i].at = room + used;
		used += n;
	}
	return place[i].at;
}
