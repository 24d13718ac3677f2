#!/bin/sh
# The same kernel by our clocks and by PyTorch's: they agree within 2 %.  It runs for a quarter of a millisecond: a
# call between two events pays some 2 us for them, which calls in a graph do not.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
rows=16384 columns=8192
problem=relu/f32/M=$rows,N=$columns/t1
knobs=$(km-generate next --problem="$problem" --target="$target" --lang=cuda --policy=random --batch=1 --seed=3 -o - | sed 's/.*"knobs":"\([^"]*\)".*/\1/')
km-generate emit --problem="$problem" --target="$target" --knobs="$knobs" >batch.jsonl
km-generate emit --problem="$problem" --target="$target" --knobs="$knobs" --dump=plan >plan
check 'a kernel is compiled, judged and timed' "km-evaluate run --problem=$problem --target=$target --journal=journal batch.jsonl && km-evaluate finish --problem=$problem --target=$target --journal=journal --folder=."
cubin=$(find artifacts -name '*.cubin')
check 'each of our clocks gives a time' "'$BUILD/tests/gpu/timing' plan '$cubin' $rows $columns >ours; cat ours; [ \$(grep -c -E '^(event|queued|replayed) [0-9.]+$' ours) = 3 ]"
set -- $(sed -n 's/^step //p' ours)
n=$((rows * columns))
if ! python3 -c 'import torch, triton' 2>/dev/null; then
	skip 'they agree with do_bench' 'python3 has no torch and triton'
else
	python3 "$ROOT/tests/gpu/do_bench.py" "$cubin" "$@" $n $n $rows $columns >theirs
	grep -o '"time_ns":[0-9.]*' journal | sed 's/.*:/judged /' | tail -1 >judged
	cat ours theirs judged | grep -v step | sed 's/^/# /'
	check 'they agree with do_bench within 2 %' "cat ours theirs judged | awk '\$1 != \"step\" { if (!low || \$2 < low) low = \$2; if (\$2 > high) high = \$2; n++ } END { exit !(n == 5 && high <= 1.02 * low) }'"
fi
# What is asked of NVML is on record, where there is an NVML.
if ldconfig -p | grep -q libnvidia-ml; then
	check 'clocks are on record' "grep -o '\"sm_mhz\":[0-9.]*' journal | awk -F: '\$2 < 200 || \$2 > 3000 { bad++ } END { exit bad || !NR }'"
fi
done_testing
