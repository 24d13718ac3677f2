#!/bin/sh
# Every parser under random input: a moment each on mutated seeds, or at full size under libFuzzer with sanitizers
# (FUZZ="plan journal" some; FUZZ_BESIDE, FUZZ_JOBS: tests/fuzz.sh).
ROOT=$(cd "${0%/*}/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
[ "$SIZE" = large ] && exec make -s -C "$ROOT" B="$BUILD" fuzz-run SECONDS="${SECONDS_EACH:-600}" ${FUZZ:+FUZZ="$FUZZ"}
failed=0
for source in "$ROOT"/tests/fuzz/*.c; do
	name=$(basename "$source" .c)
	timeout -k 1 20 "$BUILD/tests/fuzz/$name" 1 || { failed=1; printf 'fuzz %s\t1\t1\t1\n' "$name"; }
done
exit $failed
