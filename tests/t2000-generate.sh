#!/bin/sh
# km-generate as its users call it: listings, spaces, candidates, wrong input.
. "${0%/*}/lib.sh"

for table in ops targets languages skeletons policies; do
	check "$table: TSV, a name and a summary a line" "km-generate $table | awk -F'\t' 'NF < 2 || \$1 == \"\" || \$2 == \"\" { bad = 1 } END { exit bad || !NR }'"
done
check 'operators are sound' 'km-generate check relu softmax matmul && km-generate check cumsum' # all of them: tests/unit/ops/operators
check 'coverage tells what serves every dtype in each language, or why none does' '
	km-generate coverage --target=nvidia-h200 cumsum >coverage && grep -q "^cumsum/f64/[^	]*	triton	running	$" coverage && grep -q "^cumsum/f64/[^	]*	cute		.*f64" coverage'
check 'full has more problems than quick' '[ "$(km-generate problems --budget=full | wc -l)" -gt "$(km-generate problems | wc -l)" ]'
check 'an unknown operator exits 2 and names the known ones' \
	'exits 2 km-generate problems --op=softmin && says softmax km-generate problems --op=softmin && one_line_error km-generate problems --op=softmin'
P=matmul/f32/M=64,N=64,K=64/t1
check 'an unknown target exits 2 and names the known ones' \
	'exits 2 km-generate space --problem='$P' --target=x86-avx9 && says x86-avx512 km-generate space --problem='$P' --target=x86-avx9'
check 'an unknown policy exits 2' 'exits 2 km-generate next --problem='$P' --policy=clever && one_line_error km-generate next --problem='$P' --policy=clever'
check 'a misspelt option exits 2 and is put right' 'exits 2 km-generate next --problm='$P' && says "did you mean" km-generate next --problm='$P
check 'a misspelt command exits 2 and is put right' 'exits 2 km-generate pollicies && says "did you mean" km-generate pollicies'
check 'a missing dimension exits 2 and is named' 'exits 2 km-generate space --problem=matmul/f32/M=64,N=64/t1 && says "a value for dimension" km-generate space --problem=matmul/f32/M=64,N=64/t1'
check 'a wrong dtype exits 2' 'exits 2 km-generate space --problem=matmul/f99/M=1,N=1,K=1/t1'
check 'a wrong knob exits 2 and lists the values' \
	'exits 2 km-generate emit --problem='$P' --target=x86-avx2 --knobs="skeleton=contraction lang=c MR=99" && says "it has" km-generate emit --problem='$P' --target=x86-avx2 --knobs="skeleton=contraction lang=c MR=99"'

km-generate next --problem=$P --target=x86-avx2 --batch=6 --seed=4 -o a.jsonl
km-generate next --problem=$P --target=x86-avx2 --batch=6 --seed=4 -o b.jsonl
km-generate next --problem=$P --target=x86-avx2 --batch=6 --seed=5 -o c.jsonl
check 'equal seed and history propose equal batches' 'cmp a.jsonl b.jsonl'
check 'another seed proposes others' '! cmp -s a.jsonl c.jsonl'
check 'a batch holds as many candidates as wanted' '[ "$(wc -l <a.jsonl)" = 6 ]'
knobs=$(sed -n '1s/.*"knobs":"\([^"]*\)".*/\1/p' a.jsonl)
id=$(sed -n '1s/.*"id":"\([^"]*\)".*/\1/p' a.jsonl)
check 'emit makes a candidate of the batch again, same id' 'km-generate emit --problem='$P' --target=x86-avx2 --knobs="$knobs" | grep -q "\"id\":\"$id\""'
check 'the tile program, the plan and the source can be read' '
	km-generate emit --problem='$P' --target=x86-avx2 --knobs="$knobs" --dump=tile | grep -q "^plan matmul" &&
	km-generate emit --problem='$P' --target=x86-avx2 --knobs="$knobs" --dump=plan | grep -q "^plan: so" &&
	km-generate emit --problem='$P' --target=x86-avx2 --knobs="$knobs" --dump=source | grep -q "^void km_"'
check 'printed C needs no header' '! km-generate emit --problem='$P' --target=x86-avx2 --knobs="$knobs" --dump=source | grep -q "#include"'
printf 'id\tgeneration\tverdict\ttime_ns\tfitness\tsol_ratio\telapsed_s\tparent\tedge\tpolicy\tknobs\n%s\t0\tPASSED\t5\t2\t0.5\t1\t\trandom\trandom\t%s\n' "$id" "$knobs" >h.tsv
check 'a spent budget exits 1 with the reason on stdout' \
	'exits 1 km-generate next --problem='$P' --target=x86-avx2 --history=h.tsv --evaluations=1 && says evaluations km-generate next --problem='$P' --target=x86-avx2 --history=h.tsv --evaluations=1'
check 'what the history knows is not proposed again' '! km-generate next --problem='$P' --target=x86-avx2 --history=h.tsv --batch=64 | grep -q "\"id\":\"$id\""'
check 'a broken history exits 3 and names its line' 'echo junk >bad.tsv; exits 3 km-generate next --problem='$P' --history=bad.tsv && says bad.tsv:1 km-generate next --problem='$P' --history=bad.tsv'
check 'an unwritable batch file exits 74' 'exits 74 km-generate next --problem='$P' --target=x86-avx2 -o /no/such/folder/b.jsonl'
check 'spaces tell sizes and knobs; map knobs all matter' '
	km-generate space --problem=gelu/f32/M=64,N=64/t1 --target=x86-avx2 >space.tsv && grep -q "^knob	BN" space.tsv && ! grep -q "does nothing$" space.tsv'
check 'a knob that does nothing is found: the copy of B must be packed for bf16' '
	km-generate space --problem=matmul/bf16/M=64,N=64,K=64/t1 --target=x86-avx2 | grep "^knob	PACKB" | grep -q "does nothing"'

# Programs that run something else: what a problem is, in their words.
if command -v python3 >/dev/null; then
	check 'describe tells of every published problem, a line of JSON each' "
		km-generate problems --source=kb1 | cut -f2 | xargs km-generate describe >d && python3 -c '
import json
rows = [json.loads(line) for line in open(\"d\")]
assert len(rows) == len(open(\"d\").readlines()) > 100 and all(r[\"torch\"] and r[\"tensors\"] for r in rows)
loss = next(r for r in rows if r[\"op\"] == \"cross_entropy\")
index = next(t for t in loss[\"tensors\"] if t[\"domain\"] == \"index\")
assert index[\"bound\"] == loss[\"dims\"][\"C\"] and index[\"shape\"] == [loss[\"dims\"][\"R\"]], index'"
fi
check 'a problem that is none exits 2 in one line' 'exits 2 km-generate describe relu/f32/Q=3/t1 && one_line_error km-generate describe relu/f32/Q=3/t1'

# Operators from outside, good and bad.
extra() { mkdir -p so && gcc -std=gnu17 -D_GNU_SOURCE -shared -fPIC -I"$ROOT" -o so/"$(basename "$1" .c)".so "$1"; }
check 'an operator from outside the tree is listed and sound' 'rm -rf so; extra "$ROOT"/tests/extra_ops/scaled_sum.c && km-generate ops --extra-ops=so | grep -q ^scaled_sum && km-generate check --extra-ops=so scaled_sum'
bad() { rm -rf so; sed "$1" "$ROOT"/tests/extra_ops/scaled_sum.c >scaled_sum.c; extra scaled_sum.c; }
check 'an undeclared index is refused with its column' 'bad "s/scale \* q\[m\]/scale * q[z]/" && exits 1 km-generate check --extra-ops=so scaled_sum && says "body:1:" km-generate check --extra-ops=so scaled_sum && says "z" km-generate check --extra-ops=so scaled_sum'
check 'a shape that does not fit is refused' 'bad "s/\"y\", \"M\"/\"y\", \"K\"/" && exits 1 km-generate check --extra-ops=so scaled_sum && says scaled_sum.c km-generate check --extra-ops=so scaled_sum'
check 'a missing reference is refused' 'bad "s/\.reference = reference,//" && exits 1 km-generate check --extra-ops=so scaled_sum && says reference km-generate check --extra-ops=so scaled_sum'
check 'a folder that is none is an error' 'exits 3 km-generate ops --extra-ops=/no/such && one_line_error km-generate ops --extra-ops=/no/such'
check "a user's shapes stand instead of the declared ones" 'echo "matmul f32 M=10 N=20 K=30" >s.txt && says matmul/f32/M=10,N=20,K=30/t1 km-generate problems --op=matmul --shapes=s.txt'
check 'a wrong line of shapes exits 2 with file and line' 'printf "\nmatmul f32 M=10 N=20\n" >s.txt; exits 2 km-generate problems --op=matmul --shapes=s.txt && says s.txt:2 km-generate problems --op=matmul --shapes=s.txt'
done_testing
