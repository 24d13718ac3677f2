#!/bin/sh
# A batch of candidates that are wrong, broken or hostile harms neither each other nor the journal; what each
# cheat of tests/candidates comes to is told by tests/hostile.py.
. "${0%/*}/lib.sh"
[ "$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')" = none ] && {
	skip 'hostile candidates' 'this CPU is none of the targets'
	done_testing
}
problem=relu/f32/M=64,N=1024/t1
some=honest,zeros,segfault,syntax_error,infinite_loop,kills_group,out_of_bounds
i=7
"$ROOT/tests/hostile.py" --operators=relu --only=$some --write=batch.jsonl

check 'a batch of them is evaluated' "km-evaluate run --problem=$problem --allow-unsafe --batch-size=1 --journal=journal batch.jsonl"
km-evaluate trace ls journal >rows 2>/dev/null
cut -f 1,3 rows >rows.13
check 'each ends as its own verdict' "cut -f 3 rows | sort | tr '\n' ' ' | grep -x 'COMPILE_ERROR INCORRECT_NUMERICAL INCORRECT_OUT_OF_BOUNDS PASSED RUNTIME_ERROR RUNTIME_ERROR TIMEOUT '"
check 'why is said for each that failed' "[ \$(grep -c '\"kind\":\"evaluation\"' journal) = $i ] && ! grep '\"kind\":\"evaluation\"' journal | grep -v PASSED | grep '\"detail\":\"\"'"
check 'only what passed has a time and a fitness' "awk -F '\t' '(\$3 == \"PASSED\") != (\$5 > 0) { bad++ } END { exit bad > 0 }' rows"
check 'no worker is left behind' '! pgrep -s 0 km-worker && ! pgrep -P $$ km-worker'
check 'the journal is sound' "km-evaluate trace ls journal | wc -l | grep -qx $i && km-evaluate trace pack -o t.h5 journal && km-evaluate trace validate t.h5"
check 'a second run evaluates none of them again' "cp journal before && km-evaluate run --problem=$problem --allow-unsafe --batch-size=1 --journal=journal batch.jsonl && cmp journal before"
# The judge's own memory fails it, at the last of the times that it asks for some: no winner, no word against a candidate.
export KM_FAULT_PROGRAM=km-evaluate KM_FAULT_LOG="$SCRATCH/calls"
# A busy machine makes it ask once more or once less: then the fault is another's, and it is tried again.
cannot_finish() {
	cp before counted && LD_PRELOAD=$BUILD/lib/libfault.so KM_FAULT=memfd_create:0:EIO km-evaluate finish --problem=$problem --journal=counted --folder=counted.cell
	cp before journal && rm -rf journal.[0-9]* counted.[0-9]* counted.cell cell
	! LD_PRELOAD=$BUILD/lib/libfault.so KM_FAULT=memfd_create:$(cut -f 1 calls):EMFILE km-evaluate finish --problem=$problem --journal=journal --folder=cell 2>said
	cat said
	grep '^km-evaluate: error: .*Too many open files' said && [ $(wc -l <said) = 1 ] &&
	! grep -a -e '"kind":"winner"' -e '"kind":"judgement"' journal* && [ ! -e cell/artifacts ]
}
cp journal before
plain 'a judge that cannot finish is the machine'\''s fault: exit 3, in one line' 'cannot_finish || cannot_finish || cannot_finish'
check 'and none of its candidates is out' 'km-evaluate trace ls journal | cut -f 1,3 | diff - rows.13'
check 'the winner is the one that does what it says' "km-evaluate finish --problem=$problem --journal=journal --folder=cell && cat journal journal.[0-9]* | grep '\"kind\":\"winner\"' | grep -q -F \"\$(awk -F '\t' '\$3 == \"PASSED\" { print \$1 }' rows)\" && [ -s cell/artifacts/*/kernel.so ]"

# What its own tiles ask for beyond the check shapes is judged at promotion: right ones win.
check 'an honest kernel whose tile is larger than every check shape is promoted' "
	km-generate emit --problem=argmin/f32/O=300,R=16,I=3/t1 --knobs='skeleton=stages lang=c BM=256 UNROLL=2 REAL=f64' >large.jsonl &&
	km-evaluate run --problem=argmin/f32/O=300,R=16,I=3/t1 --clock=model --journal=large large.jsonl &&
	km-evaluate finish --problem=argmin/f32/O=300,R=16,I=3/t1 --clock=model --journal=large --folder=large.cell"

check 'a filter that no check shape has is judged on check shapes made for it' "
	km-generate next --problem=conv3d_backward_weight/f32/NB=1,C=3,O=16,Z=12,H=14,W=12,KZ=3,KH=3,KW=3/t1 --batch=1 -o filter.jsonl &&
	km-evaluate run --problem=conv3d_backward_weight/f32/NB=1,C=3,O=16,Z=12,H=14,W=12,KZ=3,KH=3,KW=3/t1 --clock=model --journal=filter filter.jsonl &&
	km-evaluate trace ls filter | grep -q PASSED"

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
