#!/bin/sh
# Device candidates that are wrong or hostile: each ends as its own verdict and harms nothing else; what no
# output shows is found before it is promoted.  PACKS=DIR: packs of tests/gpu/packs.sh, compiled elsewhere.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
. "$ROOT/tests/gpu/hostile.sh"
hostile_batch "$target" "$ROOT"/tests/gpu/candidates/*.cu
cp expected all
if [ "${PACKS:-}" ]; then
	check 'a pack of them is judged' 'km-evaluate run-pack --race-only -o cells "$PACKS/hostile.pack"'
	# Those that do not compile are in no pack.
	grep -v -E 'COMPILE_ERROR|REJECTED' all >expected
else
	check 'a batch of them is evaluated' "mkdir -p cells/hostile && km-evaluate run --problem=$problem --target=$target --batch-size=1 --journal=cells/hostile/journal batch.jsonl"
fi
journal=$(find cells -name journal)
km-evaluate trace ls "$journal" >rows 2>/dev/null
while IFS='	' read -r id name verdict; do
	check "$name: $verdict" "grep '^$id' rows; grep '\"candidate\":\"$id\"' $journal | grep -o '\"detail\":\"[^\"]*'; awk -F '\t' '\$1 == \"$id\" { print \$3 }' rows | grep -qxE '$verdict'"
done <expected
time_of() { awk -F'\t' -v id="$(awk -F'\t' -v n="$1" '$2 == n { print $1 }' expected)" '$1 == id { print ($5 > 0 ? $4 : 0) }' rows; }
check 'who asks the cache to keep its data is no faster for it' 'a=$(time_of honest) b=$(time_of keeps_in_cache); echo "$a $b"; awk -v a="$a" -v b="$b" "BEGIN { exit !(a > 0 && b > 0.9 * a) }"'
check 'only what passed has a time and a fitness' "awk -F '\t' '(\$3 == \"PASSED\") != (\$5 > 0) { bad++ } END { exit bad > 0 }' rows"
check 'no worker is left behind' '! pgrep -P $$ km-worker'

# What no output shows: seen by compute-sanitizer, before it is promoted.
if ! PATH=$PATH:/usr/local/cuda/bin command -v compute-sanitizer >/dev/null; then
	skip 'what no output shows' 'no compute-sanitizer here: it comes with the CUDA toolkit'
	done_testing
fi
for file in $(grep -l '^// sanitizer:' "$ROOT"/tests/gpu/candidates/*.cu) "$ROOT/tests/gpu/candidates/honest.cu"; do
	name=$(basename "$file" .cu)
	wanted=$(sed -n 's/^\/\/ sanitizer: //p' "$file")
	mkdir -p "alone/$name"
	hostile_batch "$target" "$file"
	if [ "${PACKS:-}" ]; then
		km-evaluate run-pack -o "alone/$name" "$PACKS/$name.pack" 2>"$name.said"
	else
		km-evaluate run --problem=$problem --target="$target" --batch-size=1 --journal="alone/$name/journal" batch.jsonl
		km-evaluate finish --problem=$problem --target="$target" --journal="alone/$name/journal" --folder="alone/$name" 2>"$name.said"
	fi
	check "$name alone: ${wanted:-promoted}" "cat $name.said; km-evaluate trace ls alone/$name | cut -f3 | tail -n 1 | grep -qx '${wanted:-PASSED}' && ! grep -q 'not wholly' $name.said"
done
done_testing
