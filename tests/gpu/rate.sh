#!/bin/sh
# Candidates judged an hour on this device, and the share of the campaign in which it had none at work;
# called by `make bench-device-rate`.
#   rate.sh OUT [PACK]     small operators, CANDIDATES=N of each at random, JOBS=N cells at a time; journals are kept in OUT
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
out=${1:-$ROOT/out/rate} pack=${2:-}
mkdir -p "$out" || exit 74
if [ ! "${RATE_ONLY:-}" ] && [ "$pack" ]; then
	km-evaluate run-pack --race-only -j "${JOBS:-2}" -o "$out" "$pack" || exit $?
elif [ ! "${RATE_ONLY:-}" ]; then
	for problem in relu/f32/M=512,N=2048/t1 gelu/f32/M=512,N=1024/t1 softmax/f32/R=512,C=1024/t1 layer_norm/f32/R=512,C=1024/t1 sum/f32/M=512,K=1024/t1 \
		rms_norm/bf16/R=512,C=1024/t1; do
		cell=$out/$(echo "$problem" | tr / -)
		mkdir -p "$cell" && echo "$problem $cell" >>cells
	done
	xargs -P "${JOBS:-2}" -L 1 sh -c 'km-generate next --problem="$1" --target="$0" --policy=random --batch='"${CANDIDATES:-128}"' -o "$2/batch" &&
		km-evaluate run --problem="$1" --target="$0" --journal="$2/journal" "$2/batch"' "$target" <cells || exit 3
fi
python3 "$ROOT/tests/gpu/rate.py" "$out"
