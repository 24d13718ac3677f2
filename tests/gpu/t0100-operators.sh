#!/bin/sh
# Every operator that the device's printer serves: candidates drawn at random, checked on the device.
# CELL_JOBS=N operators at a time, OPS="..." some, KEEP=DIR keeps the journals.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
keep=${KEEP:-$SCRATCH/journals}
mkdir -p "$keep"

# One line: operator, then the verdicts that its candidates got.
cat >one.sh <<'END'
op=$1 target=$2 keep=$3 line=
for problem in $(km-generate problems --op="$op" --budget=quick | awk -F/ '!seen[$2]++'); do
	base=$keep/$(echo "$problem" | tr / -)
	km-generate next --problem="$problem" --target="$target" --policy=random --batch=3 -o "$base.jsonl" 2>"$base.why" || continue
	rm -f "$base.journal"
	timeout 100 km-evaluate run --problem="$problem" --target="$target" --jobs=2 --journal="$base.journal" "$base.jsonl" 2>"$base.log"
	code=$?
	[ $code = 0 ] || line="$line exit:$code"
	line="$line $(km-evaluate trace ls "$base.journal" | cut -f3 | tr '\n' ' ')"
done
[ -z "$line" ] || echo "$op:$line"
END
{ [ "${OPS:-}" ] && printf '%s\n' $OPS || km-generate ops | cut -f1; } | xargs -P "${CELL_JOBS:-4}" -I {} sh one.sh {} "$target" "$keep" >results
sort results | while read -r line; do echo "# $line"; done
check 'operators are served' '[ -s results ]'
for op in $(cut -d: -f1 results | sort); do
	check "$op" "grep '^$op:' results; grep -h -o '\"detail\":\"[^\"][^\"]*' $keep/$op-*.journal; ! grep '^$op:' results | grep -q -E 'INCORRECT|ERROR|TIMEOUT|EXIT|NONDET|exit:'"
done
done_testing
