#!/bin/sh
# What the generated kernels reach on this device; called by `make bench-h200`.
#   bench.sh OUT     random candidates of each problem, judged and raced; journals are kept in OUT
# The yardsticks, a device-to-device copy and PyTorch's matrix product, are timed in the same run
# where python3 has torch.  CANDIDATES=N of each problem.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
out=${1:-$ROOT/out/bench}
mkdir -p "$out" || exit 74
for problem in relu/f32/M=8192,N=8192/t1 gelu/f32/M=8192,N=8192/t1 softmax/f32/R=8192,C=8192/t1 layer_norm/f32/R=8192,C=8192/t1 \
	matmul/bf16/M=4096,N=4096,K=4096/t1 matmul/bf16/M=8192,N=8192,K=8192/t1; do
	journal=$out/$(echo "$problem" | tr / -).journal
	rm -f "$journal"
	km-generate next --problem=$problem --target="$target" --policy=random --batch="${CANDIDATES:-24}" -o batch.jsonl &&
		km-evaluate run --problem=$problem --target="$target" --batch-size=2 --journal="$journal" batch.jsonl || echo "# $problem: not measured"
done
python3 "$ROOT/tests/gpu/bench.py" "$out"
