# operators.sh: sourced by tests with $lang: every operator that the language serves, candidates drawn at
# random, compiled, checked and timed on the device.  CELL_JOBS=N operators at a time, OPS="..." some,
# CANDIDATES=N of each dtype, DTYPES="f64 ..." of these instead of those that are searched, KEEP=DIR keeps the
# journals.  PACKS=DIR: those of $lang.pack there, of packs.sh.
keep=${KEEP:-$SCRATCH/journals}
mkdir -p "$keep"

# One line: operator, then the verdicts that its candidates got.
cat >one.sh <<'END'
op=$1 target=$2 keep=$3 lang=$4 line=
for problem in $(sh "$ROOT/tests/gpu/problems.sh" "$op"); do
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
if [ "${PACKS:-}" ]; then
	check 'a pack of them is judged' 'km-evaluate run-pack --race-only -j "${CELL_JOBS:-4}" -o "$keep/$lang" "$PACKS/$lang.pack"'
	for journal in "$keep/$lang/$target"/*/*/journal; do
		echo "$(basename "$(dirname "$(dirname "$journal")")"): $(km-evaluate trace ls "$journal" | cut -f3 | tr '\n' ' ')"
	done | awk -F: '{ all[$1] = all[$1] $2 } END { for (op in all) print op ":" all[op] }' >results
else
{ [ "${OPS:-}" ] && printf '%s\n' $OPS || km-generate ops | cut -f1; } | xargs -P "${CELL_JOBS:-4}" -I {} sh one.sh {} "$target" "$keep" "$lang" >results
fi
sort results | while read -r line; do echo "# $line"; done
echo "# $(tr ' ' '\n' <results | grep -c PASSED) candidates of $(grep -c . results) operators passed in $lang"
check 'operators are served' '[ -s results ]'
for op in $(cut -d: -f1 results | sort); do
	check "$op" "grep '^$op:' results; cat $keep/$lang-$op-*.journal $keep/$lang/$target/$op/*/journal 2>/dev/null | grep -a -o '\"detail\":\"[^\"][^\"]*'; ! grep '^$op:' results | grep -q -E 'INCORRECT|ERROR|TIMEOUT|EXIT|NONDET|NOT_MEASURED|exit:'"
done
done_testing
