#!/bin/sh
# Warm starts: who is a relative, in which order, from traces and within a campaign.
. "${0%/*}/lib.sh"

# Journals on the model's clock of four candidates each; x86-avx2 and x86-avx512 are compiled or run, whichever this machine is.
run() { # FOLDER PROBLEM TARGET
	km-generate next --problem="$2" --target="$3" --batch=3 -o batch.jsonl && mkdir -p "$1" &&
		km-evaluate run --problem="$2" --target="$3" --clock=model --journal="$1/journal" batch.jsonl
}
here=$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')
[ "$here" = none ] && {
	skip 'warm starts' 'this CPU is none of the targets'
	done_testing
}
{
	run t/a gelu/f32/M=64,N=64/t1 "$here" && run t/b gelu/f32/M=8,N=64/t1 "$here" && run t/c gelu/f64/M=64,N=64/t1 "$here" &&
		run t/d relu/f32/M=64,N=64/t1 "$here" && run t/e softmax/f32/R=64,C=64/t1 "$here" && run t/f gelu/f32/M=64,N=128/t1 "$here"
} >log 2>&1 || cat log
relatives() { km-evaluate trace relatives --problem=gelu/f32/M=64,N=64/t1 "$@"; }
check 'the problem itself is no relative, nor is one of another family' 'relatives t >r && ! grep -q "^gelu/f32/M=64,N=64/" r && ! grep -q softmax r'
check 'nearest first: shape, then dtype, then family' '
	relatives t | awk -F"\t" "NR > 1 && \$1 != last { print \$1; last = \$1 }" | sed "s/ on .*//" >order &&
	printf "%s\n" gelu/f32/M=64,N=128/t1 gelu/f32/M=8,N=64/t1 gelu/f64/M=64,N=64/t1 relu/f32/M=64,N=64/t1 | cmp - order || { cat order; exit 1; }'
check 'of each the best first, the best of share 1, and no more than asked for' '
	relatives t | awk -F"\t" "NR > 1 { if (\$1 == last ? \$2 > share : \$2 != 1) bad = 1; last = \$1; share = \$2 } END { exit bad || NR < 5 }" &&
	[ "$(relatives --most=1 --best=2 t | wc -l)" = 3 ]'
check 'from a trace file, or both, it is the same' 'relatives t >r && km-evaluate trace pack -o t.h5 t && relatives t.h5 | cmp - r && relatives t.h5 t | cmp - r'
check 'on another target the same operator is nearer than the family' '
	other=x86-avx2; [ $here = x86-avx2 ] && other=x86-avx512; km-evaluate trace relatives --problem=gelu/f32/M=64,N=64/t1 --target=$other t | sed -n 2p | grep "^gelu/f32/M=64,N=64/t1 on $here	1	skeleton="'
check 'nothing at all: a header line' 'mkdir -p empty && [ "$(relatives | wc -l)" = 1 ] && [ "$(relatives empty | wc -l)" = 1 ]'
check 'no problem, no target, no file: in one line' '
	exits 2 km-evaluate trace relatives t && exits 2 km-evaluate trace relatives --problem=gelu/f32/Q=1/t1 t && exits 3 km-evaluate trace relatives --problem=gelu/f32/M=1,N=1/t1 /no/such &&
	one_line_error km-evaluate trace relatives --problem=gelu/f32/M=1,N=1/t1 /no/such && exits 74 relatives -o /no/such/r t'

# Cells of a campaign: later shapes begin where the earlier ended; what is settled stays.
printf 'relu f32 M=16 N=64\nrelu f32 M=16 N=128\nabs f32 N=1024\ngelu f32 M=16 N=64\n' >shapes
cells() { # OUT OP...
	OUT=$SCRATCH/$1 && shift && mkdir -p "$OUT" && printf '%s\n' "$@" | BIN=$BIN ROOT=$ROOT OUT=$OUT SHAPES=$SCRATCH/shapes BUDGET=6 LIMITS= KM_PAUSE= SEED=1 POLICY="exec:$ROOT/tests/example/policy.py" \
		RELATIVES=${RELATIVES:-} KM_CLOCK=model xargs -P "${JOBS:-1}" -L 1 sh "$ROOT/scripts/corpus.sh" cell "$here"
}
first() { echo "$1"/cells/*/relu/relu-f32-M=16,N=64-t1/"$2"; }
second() { echo "$1"/cells/*/relu/relu-f32-M=16,N=128-t1/"$2"; }
if command -v python3 >/dev/null; then
	check 'the second shape of a cell begins where the first ended, the first cold' '
		cells out relu abs && [ "$(wc -l <"$(first out relatives.tsv)")" = 1 ] && [ "$(grep -c "^relu/f32/M=16,N=64/t1 on" "$(second out relatives.tsv)")" = 4 ] &&
		grep -h -o "\"edge\":\"relative\"" "$(second out batches/0000.jsonl)" | grep -c . && ! grep -q "\"edge\":\"relative\"" "$(first out batches/0000.jsonl)"'
	check 'RELATIVES=none begins all cold' 'RELATIVES=none cells cold relu && [ ! -e "$(second cold relatives.tsv)" ] && ! grep -q "\"edge\":\"relative\"" "$(second cold batches/0000.jsonl)"'
	check 'with two jobs it is the same' 'JOBS=2 cells two relu abs && diff -r -x "journal*" out/cells two/cells'
	check "RELATIVES=FOLDER begins with another campaign's, which the traces of OUT do also" '
		RELATIVES=$SCRATCH/t cells warm abs && grep -q "^relu/f32" warm/cells/*/abs/*/relatives.tsv &&
		km-evaluate trace pack -o out/traces.h5 out/cells && cells out relu gelu && grep -q "^relu/f32" out/cells/*/gelu/*/relatives.tsv && [ "$(wc -l <"$(first out relatives.tsv)")" = 1 ]'
	check 'RELATIVES that are not there are refused' '
		exits 2 make -s -C "$ROOT" B="$BUILD" corpus OPS=relu OUT="$SCRATCH/w" RELATIVES=/no/such || says "cannot read RELATIVES" make -s -C "$ROOT" B="$BUILD" corpus OPS=relu OUT="$SCRATCH/w" RELATIVES=/no/such'
fi
done_testing
