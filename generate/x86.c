/* What the running x86 CPU can execute: CPUID leaves 1, 7; XGETBV; Linux permission for AMX state. */
#include "generate/target.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t enabled_state(void)
{
	uint32_t a, d;

	__asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	return (uint64_t)d << 32 | a;
}

/* arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA): once per process, inherited by threads. */
static bool amx_permitted(void)
{
	return syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}

uint64_t x86_isa(void)
{
	uint32_t a, b, c, d, c1, b7, c7, d7, a71 = 0;
	uint64_t isa = ISA_BIT(sse2);

	if (!__get_cpuid(1, &a, &b, &c1, &d) || !(c1 >> 27 & 1))
		return isa;
	uint64_t state = enabled_state();
	bool ymm = (state & 6) == 6, zmm = (state & 0xe6) == 0xe6, tile = (state & 0x60000) == 0x60000;
	if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d7))
		return isa;
	if (a >= 1)
		__get_cpuid_count(7, 1, &a71, &b, &c, &d);
	if (ymm && (b7 >> 5 & 1))
		isa |= ISA_BIT(avx2);
	if (ymm && (c1 >> 12 & 1))
		isa |= ISA_BIT(fma);
	if (ymm && (c1 >> 29 & 1))
		isa |= ISA_BIT(f16c);
	/* F, DQ, CD, BW, VL: what the x86-64-v4 level asks for. */
	if (zmm && (b7 >> 16 & 1) && (b7 >> 17 & 1) && (b7 >> 28 & 1) && (b7 >> 30 & 1) && (b7 >> 31 & 1)) {
		isa |= ISA_BIT(avx512);
		if (c7 >> 11 & 1)
			isa |= ISA_BIT(avx512_vnni);
		if (a71 >> 5 & 1)
			isa |= ISA_BIT(avx512_bf16);
	}
	if (tile && (d7 >> 24 & 1) && amx_permitted()) {
		if (d7 >> 22 & 1)
			isa |= ISA_BIT(amx_bf16);
		if (d7 >> 25 & 1)
			isa |= ISA_BIT(amx_int8);
	}
	return isa;
}
#else
uint64_t x86_isa(void)
{
	return 0;
}
#endif
