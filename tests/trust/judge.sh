#!/bin/sh
# The judge outside the kernel's process, on a machine with four others at work: honest kernels are
# accepted, and clocks that run slower are seen.
. "${0%/*}/../lib.sh"
[ "$SIZE" = large ] && honest=50 forged=20 || honest=4 forged=1
others=
for _ in 1 2 3 4; do
	sh -c 'while :; do :; done' &
	others="$others $!"
done
trap 'kill $others; rm -rf "$SCRATCH"' EXIT
"$BUILD/tests/unit/evaluate/judge" count "$honest" "$forged"
