# operators.sh: sourced by tests with $lang: every operator that the language serves, candidates drawn at
# random, compiled, checked and timed on the device.  CELL_JOBS=N operators at a time, OPS="..." some,
# CANDIDATES=N of each dtype, KEEP=DIR keeps the journals.
keep=${KEEP:-$SCRATCH/journals}
mkdir -p "$keep"

# One line: operator, then the verdicts that its candidates got.
cat >one.sh <<'END'
op=$1 target=$2 keep=$3 lang=$4 line=
for problem in $(km-generate problems --op="$op" --budget=quick | awk -F/ '!seen[$2]++'); do
	base=$keep/$lang-$(echo "$problem" | tr / -)
	km-generate next --problem="$problem" --target="$target" --lang="$lang" --policy=random --batch="${CANDIDATES:-3}" -o "$base.jsonl" 2>"$base.why" || continue
	rm -f "$base.journal"
	timeout 100 km-evaluate run --problem="$problem" --target="$target" --jobs=2 --journal="$base.journal" "$base.jsonl" 2>"$base.log"
	code=$?
	[ $code = 0 ] || line="$line exit:$code"
	line="$line $(km-evaluate trace ls "$base.journal" | cut -f3 | tr '\n' ' ')"
done
[ -z "$line" ] || echo "$op:$line"
END
{ [ "${OPS:-}" ] && printf '%s\n' $OPS || km-generate ops | cut -f1; } | xargs -P "${CELL_JOBS:-4}" -I {} sh one.sh {} "$target" "$keep" "$lang" >results
sort results | while read -r line; do echo "# $line"; done
echo "# $(tr ' ' '\n' <results | grep -c PASSED) candidates of $(grep -c . results) operators passed in $lang"
check 'operators are served' '[ -s results ]'
for op in $(cut -d: -f1 results | sort); do
	check "$op" "grep '^$op:' results; grep -h -o '\"detail\":\"[^\"][^\"]*' $keep/$lang-$op-*.journal; ! grep '^$op:' results | grep -q -E 'INCORRECT|ERROR|TIMEOUT|EXIT|NONDET|NOT_MEASURED|exit:'"
done
done_testing
