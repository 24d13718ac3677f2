/* probe.h: what the machine is and can do: the environment of every record. */
#ifndef EVALUATE_PROBE_H
#define EVALUATE_PROBE_H

#include "evaluate/record.h"

/*
 * Fills *e for a target: measured peaks (f32 FMA, stream copy, AMX bf16; one
 * core) when this machine is the target, zeros when not; kept in the cache
 * folder, keyed by the machine's fingerprint.  Strings in the arena.
 * 0, or -1 with *err.
 */
int probe_environment(struct arena *arena, const struct target *target, const char *clock, struct environment *e, struct strbuf *err);
/* Is this machine the target? */
bool probe_is_here(const struct target *target);
int64_t probe_l3_bytes(void);

#endif
