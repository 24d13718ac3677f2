#!/bin/sh
# Honest kernels must pass: random candidates, as the search proposes them, of operators in turn.
. "${0%/*}/../lib.sh"
[ "$SIZE" = large ] && wanted=1000 each=5 || wanted=24 each=4
seed=${SEED:-1}
start=$(date +%s)
km-generate problems --budget=full | cut -f 1 >problems
# Another order for each seed, the same for the same.
awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' problems | sort -n | cut -f 2 |
while read -r problem; do
	count=$(cat verdicts 2>/dev/null | wc -l)
	[ "$count" -ge "$wanted" ] && break
	km-generate next --problem="$problem" --batch="$each" --seed="$seed" -o batch.jsonl >/dev/null 2>&1 || continue
	rm -f journal
	km-evaluate run --problem="$problem" --clock=model --journal=journal batch.jsonl >&2 || echo "$problem	no verdict" >>verdicts
	km-evaluate trace ls journal >rows 2>/dev/null
	cut -f 3 rows | sed "s|^|$problem	|" >>verdicts
	grep -v '	PASSED	' rows | sed "s|^|refused: $problem	|" >&2
done
awk -F '\t' -v seconds=$(($(date +%s) - start)) '$2 != "PASSED" { bad++ } END { printf "honest kernels refused\t%d\t%d\t%d\n", NR, bad, seconds; exit bad > 0 }' verdicts
