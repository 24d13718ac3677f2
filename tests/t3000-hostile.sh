#!/bin/sh
# Candidates that are wrong, broken or hostile: each ends as its own verdict and harms nothing else.
. "${0%/*}/lib.sh"
[ "$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')" = none ] && {
	skip 'hostile candidates' 'this CPU is none of the targets'
	done_testing
}
target=$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')
problem=relu/f32/M=64,N=1024/t1

quoted() { awk 'BEGIN { ORS = "" } { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); print $0 "\\n" }' "$1"; }
printf 'plan: so\ndim: M N\nbuffer: x in f32 M*N\nbuffer: y out f32 M*N\nscratch: 64\nstep: km_test grid=M threads=1 shared=0\n' >plan
i=0
km-evaluate doctor >doctor
# has LAYER: is that layer of the sandbox there?
has() { grep -q "^sandbox $1	yes" doctor; }
for file in "$ROOT"/tests/candidates/*.c; do
	needs=$(sed -n '1s/.*(needs \([a-z]*\)).*/\1/p' "$file")
	[ -z "$needs" ] || has "$needs" || { skip "$(basename "$file" .c)" "no $needs here: see 'km-evaluate doctor'"; continue; }
	i=$((i + 1))
	id=$(printf '%016x' $i)
	printf '%s\t%s\t%s\n' "$id" "$(basename "$file" .c)" "$(sed -n '1s/^\/\* \([A-Z_]*\):.*/\1/p' "$file")" >>expected
	printf '{"id":"%s","problem":"%s","target":"%s","lang":"c","skeleton":"test","knobs":"","tile":"","plan":"%s","prologue":"","source":"%s","parent":"","edge":"","policy":"","seed":"0","generation":0}\n' \
		"$id" "$problem" "$target" "$(quoted plan)" "$(quoted "$file")" >>batch.jsonl
done

# Each source has the same symbol: each compiles alone.
check 'a batch of them is evaluated' "km-evaluate run --problem=$problem --allow-unsafe --batch-size=1 --journal=journal batch.jsonl"
km-evaluate trace ls journal >rows 2>/dev/null
while IFS='	' read -r id name verdict; do
	check "$name: $verdict" "grep '^$id' rows; [ '$verdict' ] && [ \"\$(awk -F '\t' '\$1 == \"$id\" { print \$3 }' rows)\" = '$verdict' ]"
done <expected
check 'every verdict is one of the list' "awk -F '\t' '{ print \$3 }' rows | sort -u | while read -r v; do grep -q \"^X(\$v,\" '$ROOT/evaluate/verdict.def' || exit 1; done"
check 'why is said for each that failed' "[ \$(grep -c '\"kind\":\"evaluation\"' journal) = $i ] && ! grep '\"kind\":\"evaluation\"' journal | grep -v PASSED | grep '\"detail\":\"\"'"
check 'only what passed has a time and a fitness' "awk -F '\t' '(\$3 == \"PASSED\") != (\$5 > 0) { bad++ } END { exit bad > 0 }' rows"
check 'no worker is left behind' '! pgrep -s 0 km-worker && ! pgrep -P $$ km-worker'
check 'the journal is sound' "km-evaluate trace ls journal | wc -l | grep -qx $i && km-evaluate trace pack -o t.h5 journal && km-evaluate trace validate t.h5"
check 'a second run evaluates none of them again' "cp journal before && km-evaluate run --problem=$problem --allow-unsafe --batch-size=1 --journal=journal batch.jsonl && cmp journal before"
# Attacks that the sandbox makes harmless do their work as well as the honest one, and may be the fastest.
awk -F '\t' '$3 == "PASSED" { print $1 }' expected >harmless
check 'the winner is one that does what it says' "km-evaluate finish --problem=$problem --journal=journal --folder=cell && grep '\"kind\":\"winner\"' journal | grep -o '\"candidate\":\"[0-9a-f]*' | head -n 1 | cut -d '\"' -f 4 | grep -q -x -F -f harmless && [ -s cell/artifacts/*/kernel.so ]"

# Who wrote it decides what it needs: below the floor only what was printed here runs.
export KM_SANDBOX_WITHOUT=seccomp
check 'below the floor a foreign source is refused' "exits 78 km-evaluate run --problem=$problem --journal=unsafe batch.jsonl && one_line_error km-evaluate run --problem=$problem --journal=unsafe batch.jsonl"
check 'and what was printed here runs, its level on record' "
	km-generate next --problem=$problem --batch=2 -o printed.jsonl && km-evaluate run --problem=$problem --journal=lower printed.jsonl &&
	km-evaluate trace ls lower | grep -c PASSED | grep -qx 2 && grep -q '\"sandbox_level\":\"process without .*seccomp' lower"
check 'doctor says why a layer is missing' "km-evaluate doctor | grep '^sandbox seccomp	no	left out'"
unset KM_SANDBOX_WITHOUT

# Among good candidates that share a unit: the one that does not compile stands alone.
km-generate next --problem=$problem --batch=6 -o good.jsonl
awk 'NR == 3 { sub(/"source":"/, "\"source\":\"int broken = no_such_name;") } { print }' good.jsonl >mixed.jsonl
check 'a broken source does not spoil its batch' "
	km-evaluate run --problem=$problem --journal=mixed mixed.jsonl && km-evaluate trace ls mixed >m &&
	[ \$(grep -c COMPILE_ERROR m) = 1 ] && [ \$(grep -c PASSED m) = 5 ]"
done_testing
