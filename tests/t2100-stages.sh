#!/bin/sh
# What has no arithmetic to tile (sorting, choosing, counting, drawing) gets candidates that pass the checker.
. "${0%/*}/lib.sh"

# Every candidate of a small batch passes, at the check shapes and at the problem's own.
passes() { # PROBLEM
	rm -f batch journal
	km-generate next --problem="$1" --target=native --policy=random --seed=3 --batch=2 -o batch &&
		km-evaluate run --problem="$1" --target=native --clock=model --journal=journal batch &&
		km-evaluate trace ls journal | awk -F'\t' '$3 != "PASSED" { print; bad = 1 } END { exit bad || !NR }'
}
for problem in sort/f32/R=5,C=300 sort/i64/R=3,C=100 sort/f16/R=3,C=65 argsort/f64/R=2,C=129 topk/bf16/R=4,C=100,K=7 \
	unique_consecutive/f32/N=1000 _unique2/i32/N=300 nonzero/bool/N=1000 masked_select/f16/N=500 searchsorted/f32/N=300,K=77 \
	multinomial/f32/N=50,K=40 randperm/f32/N=300 rand/f32/N=1000 randn/f32/N=1000 randint/f32/N=1000 bernoulli/f32/N=500; do
	check "$problem: candidates pass" "passes $problem/t1"
done
# Compared with every other one, a row of 20000 takes as long as the baseline, which does that.
check 'a long row is sorted, not counted' 'km-generate emit --problem=sort/f32/R=1,C=20000/t1 --target=native \
	--knobs="skeleton=stages lang=c BM=1 UNROLL=1 REAL=f32 SORT=merge BASE=16" >batch && rm -f journal &&
	km-evaluate run --problem=sort/f32/R=1,C=20000/t1 --target=native --journal=journal batch &&
	km-evaluate trace ls journal | awk -F"\t" "\$3 == \"PASSED\" && \$5 > 20 { good = 1 } END { exit !good }"'
check 'what no skeleton can print says why' 'exits 1 km-generate next --problem=sort/f32/R=3,C=5/t1 --target=nvidia-h200 --lang=triton &&
	says "its kernels say what each thread does" km-generate coverage --target=nvidia-h200 sort'
done_testing
