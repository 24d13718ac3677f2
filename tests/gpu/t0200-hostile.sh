#!/bin/sh
# Device candidates that are wrong or hostile: each ends as its own verdict and harms nothing else.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
problem=relu/f32/M=1024,N=4096/t1
quoted() { awk 'BEGIN { ORS = "" } { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); print $0 "\\n" }' "$1"; }
i=0
for file in "$ROOT"/tests/gpu/candidates/*.cu; do
	i=$((i + 1))
	id=$(printf '%016x' $i)
	# First line: the verdict; the second may give threads=N shared=N of the launch.
	launch=$(sed -n 's/^\/\/ launch: //p' "$file")
	printf 'plan: cubin\ndim: M N\nbuffer: x in f32 M*N\nbuffer: y out f32 M*N\nscratch: 0\nstep: km_test grid=M %s\n' "${launch:-threads=128 shared=0}" >plan
	printf '%s\t%s\t%s\n' "$id" "$(basename "$file" .cu)" "$(sed -n '1s/^\/\/ \([A-Z_]*\):.*/\1/p' "$file")" >>expected
	printf '{"id":"%s","problem":"%s","target":"%s","lang":"cuda","skeleton":"test","knobs":"","tile":"","plan":"%s","prologue":"","source":"%s","parent":"","edge":"","policy":"","seed":"0","generation":0}\n' \
		"$id" "$problem" "$target" "$(quoted plan)" "$(quoted "$file" | sed "s/km_test/km_$id/g")" | sed "s/step: km_test/step: km_$id/" >>batch.jsonl
done
check 'a batch of them is evaluated' "km-evaluate run --problem=$problem --target=$target --batch-size=1 --journal=journal batch.jsonl"
km-evaluate trace ls journal >rows 2>/dev/null
while IFS='	' read -r id name verdict; do
	check "$name: $verdict" "grep '^$id' rows; grep '\"candidate\":\"$id\"' journal | grep -o '\"detail\":\"[^\"]*'; [ '$verdict' ] && [ \"\$(awk -F '\t' '\$1 == \"$id\" { print \$3 }' rows)\" = '$verdict' ]"
done <expected
check 'only what passed has a time and a fitness' "awk -F '\t' '(\$3 == \"PASSED\") != (\$5 > 0) { bad++ } END { exit bad > 0 }' rows"
check 'no worker is left behind' '! pgrep -P $$ km-worker'
done_testing
