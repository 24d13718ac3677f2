#include "ops/core/rng.h"

#include <math.h>

static void philox_block(uint64_t seed, uint64_t counter, uint64_t stream, uint32_t c[4])
{
	uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

	c[0] = (uint32_t)counter;
	c[1] = (uint32_t)(counter >> 32);
	c[2] = (uint32_t)stream;
	c[3] = (uint32_t)(stream >> 32);
	for (int i = 0; i < 10; i++) {
		uint64_t p0 = UINT64_C(0xD2511F53) * c[0], p1 = UINT64_C(0xCD9E8D57) * c[2];
		uint32_t next[4] = { (uint32_t)(p1 >> 32) ^ c[1] ^ k0, (uint32_t)p1,
				     (uint32_t)(p0 >> 32) ^ c[3] ^ k1, (uint32_t)p0 };
		c[0] = next[0];
		c[1] = next[1];
		c[2] = next[2];
		c[3] = next[3];
		k0 += 0x9E3779B9;
		k1 += 0xBB67AE85;
	}
}

uint32_t philox(uint64_t seed, uint64_t counter, int lane)
{
	uint32_t c[4];

	philox_block(seed, counter, 0, c);
	return c[lane & 3];
}

uint64_t rng_next(struct rng *rng)
{
	uint32_t c[4];

	philox_block(rng->seed, rng->position++, 0, c);
	return (uint64_t)c[1] << 32 | c[0];
}

int64_t rng_below(struct rng *rng, int64_t n)
{
	/* Multiply-high of 64 random bits: bias below n / 2^64. */
	return (int64_t)((unsigned __int128)rng_next(rng) * (uint64_t)n >> 64);
}

double rng_unit(struct rng *rng)
{
	return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

double rng_uniform_at(uint64_t seed, uint64_t stream, uint64_t index)
{
	uint32_t c[4];

	philox_block(seed, index, stream, c);
	return (double)(((uint64_t)c[1] << 32 | c[0]) >> 11) * 0x1p-53;
}

double rng_normal_at(uint64_t seed, uint64_t stream, uint64_t index)
{
	uint32_t c[4];

	philox_block(seed, index, stream, c);
	double u = ((double)c[0] + 1) * 0x1p-32, v = (double)c[1] * 0x1p-32;
	return sqrt(-2 * log(u)) * cos(6.283185307179586477 * v);
}
