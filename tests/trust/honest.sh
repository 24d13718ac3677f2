#!/bin/sh
# Honest kernels must pass: random candidates, as the search proposes them, of operators in turn, several side by side; and of
# those of each problem one is judged for promotion.
if [ -n "$KM_HONEST" ]; then # called below, for one problem: prints its rows
	own=$(mktemp -d "$KM_HONEST/problem.XXXXXX") && cd "$own" || exit 3
	km-generate next --problem="$1" --batch="$EACH" --seed="$SEED" -o batch.jsonl >/dev/null 2>&1 || exit 0
	km-evaluate run --problem="$1" --clock=model --jobs=1 --journal=journal batch.jsonl >&2 || echo "$1	no verdict"
	km-evaluate trace ls journal >rows 2>/dev/null
	cut -f 3 rows | sed "s|^|$1	|"
	grep -v '	PASSED	' rows | sed "s|^|refused: $1	|" >&2
	grep -q '	PASSED	' rows || exit 0
	km-evaluate finish --problem="$1" --clock=model --journal=journal --folder=. >said 2>&1 && ! grep 'failed when judged alone' said >&2
	echo "$1	promotion	$?"
	exit 0
fi
. "${0%/*}/../lib.sh"
[ "$SIZE" = large ] && wanted=1000 EACH=5 || wanted=24 EACH=4
SEED=${SEED:-1}
export SEED EACH KM_HONEST="$SCRATCH"
start=$(date +%s)
beside=$(nproc)
# Another order for each seed, the same for the same.
km-generate problems --budget=full | cut -f 1 | awk -v seed="$SEED" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' | sort -n | cut -f 2 >problems
: >verdicts
while [ -s problems ] && [ "$(grep -v -c '	promotion	' verdicts)" -lt "$wanted" ]; do
	head -n "$beside" problems | xargs -P "$beside" -n 1 "$ROOT/tests/trust/honest.sh" >>verdicts || exit 3
	sed -i "1,${beside}d" problems
done
awk -F '\t' -v seconds=$(($(date +%s) - start)) '
	$2 == "promotion" { promoted++; bad_promoted += $3 != 0; next }
	{ n++; bad += $2 != "PASSED" }
	END {
		printf "honest kernels refused\t%d\t%d\t%d\nhonest kernels refused promotion\t%d\t%d\t%d\n", n, bad, seconds, promoted, bad_promoted, seconds
		exit bad + bad_promoted > 0 || !promoted
	}' verdicts
