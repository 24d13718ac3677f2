/*
 * base.h: the few macros every file may use.  Includes nothing of ours.
 */
#ifndef OPS_CORE_BASE_H
#define OPS_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KM_VERSION "0.1.0"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))

/* Is this program built for AddressSanitizer?  Then it reads its own mappings, takes addresses by the terabyte and memory by the gigabyte. */
#ifdef __SANITIZE_ADDRESS__
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

/* The smallest multiple of b that is >= a; a >= 0, b > 0. */
static inline int64_t round_up(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

#endif
