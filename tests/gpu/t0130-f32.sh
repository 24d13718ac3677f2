#!/bin/sh
# Products of f32 in parts of fewer bits, on the device: never a larger error than PyTorch's in f32 (f32.py says how).
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
python3 -c 'import torch; torch.zeros(1, device="cuda")' 2>/dev/null || {
	skip 'f32 in parts' 'python3 has no torch that sees the device'
	done_testing
	exit
}
km-generate space --problem=matmul/f32/M=64,N=64,K=2048/t1 --target="$target" 2>/dev/null | grep -q f32_parts || {
	skip 'f32 in parts' "no skeleton for $target"
	done_testing
	exit
}
python3 "$ROOT/tests/gpu/f32.py" "$target" >out 2>err
check 'it ran to its end' 'tail -n 1 out | grep "^1\.\." || { cat err; false; }'
check 'a recipe was used for what it holds, and f32 for what none does' 'grep -q "fp16x3 uniform.*class 0" out && grep -q "fp16x3 wide.*class 1" out && grep -q "infinity.*class 2" out'
check 'no largest error is above what it may be' '! grep "^not ok" out'
done_testing
