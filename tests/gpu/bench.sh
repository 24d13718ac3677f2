#!/bin/sh
# What generated kernels reach on this device; called by `make bench-h200`.
#   bench.sh OUT     searches each problem, and duels its winner with the strongest library, in interleaved pairs;
#                    journals are kept in OUT
# The yardsticks, a device-to-device copy and PyTorch's matrix product, are timed in the same run
# where python3 has torch.  EVALUATIONS=N and SECONDS_EACH=N for each problem; PROBLEMS="..." others.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
out=${1:-$ROOT/out/bench}
mkdir -p "$out" || exit 74
for problem in ${PROBLEMS:-matmul/bf16/M=4096,N=4096,K=4096/t1 matmul/bf16/M=8192,N=8192,K=8192/t1 relu/f32/M=8192,N=8192/t1 gelu/f32/M=8192,N=8192/t1 \
	softmax/f32/R=8192,C=8192/t1 layer_norm/f32/R=8192,C=8192/t1}; do
	sh "$ROOT/scripts/search.sh" "${BUILD:?}/bin" "$out" "$problem" "$target" greedy 1 "${EVALUATIONS:-48}" "${SECONDS_EACH:-60}" 32 0.99 12 ||
		echo "# $problem: not measured"
done
python3 "$ROOT/tests/gpu/bench.py" "$out"
