/* hash.h: SHA-256 (content identity; FIPS 180-4) and CRC-32C (journal frames; RFC 3720 B.4). */
#ifndef OPS_CORE_HASH_H
#define OPS_CORE_HASH_H

#include "ops/core/base.h"

struct sha256 {
	uint32_t state[8];
	uint64_t length_bytes;
	uint8_t block[64];
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
void sha256_end(struct sha256 *h, uint8_t digest[32]);
/* Lower-case hex of the digest of data into out[65]. */
void sha256_hex(const void *data, size_t len, char out[65]);

uint32_t crc32c(uint32_t crc, const void *data, size_t len); /* start with crc = 0 */

#endif
