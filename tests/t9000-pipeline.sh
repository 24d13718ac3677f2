#!/bin/sh
# The main job, small: make corpus end to end, again, changed, killed, wrong.
. "${0%/*}/lib.sh"
mill() { make -s -C "$ROOT" B="$BUILD" corpus "$@"; }
[ "$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')" = none ] && {
	skip 'make corpus' 'this CPU is none of the targets'
	done_testing
}
printf 'relu f32 M=64 N=300\nsoftmax f32 R=64 C=300\n' >shapes.txt
S="SHAPES=$SCRATCH/shapes.txt BUDGET=6"

check 'make corpus ends with corpus, traces and report' "mill OUT=$SCRATCH/out OPS='relu softmax' $S && [ -s out/traces.h5 ] && [ -s out/report/index.html ]"
check 'two winners, each with source, plan, object and entry' '[ "$(ls -d out/corpus/*/*/* | wc -l)" = 2 ] && for d in out/corpus/*/*/*; do ls $d/entry $d/plan $d/kernel.c $d/kernel.so || exit 1; done'
check 'every winner is verified: rebuilt, loaded, compared' 'km-corpus verify out/corpus'
check 'lookup finds the exact shape, and a near one by region' '
	km-corpus find out/corpus --op=relu --dtype=f32 --dims=m=64,n=300 && km-corpus find out/corpus --op=relu --dtype=f32 --dims=m=65,n=301'
check 'lookup of an unknown operator says no' '! km-corpus find out/corpus --op=nosuch --dtype=f32 --dims=m=1,n=1'
check 'the traces are valid' 'km-evaluate trace validate out/traces.h5'
check 'every row tells how to reproduce it, and that command works' '
	sh -c "$(km-evaluate trace ls out/traces.h5 | grep PASSED | head -1 | sed "s/.*\(km-generate emit\)/\1/")" && km-evaluate trace ls trial.journal | grep -q PASSED'
check 'a winner was dueled with the plain loops, in pairs, with an interval' '
	grep -h -o "\"loopnest_low\":[0-9.e+-]*" out/cells/*/*/*/journal | awk -F: "\$2 > 0 { n++ } END { exit n != 2 }"'
check 'an entry has the time that was judged, and the raced one beside it' '
	for e in out/corpus/*/*/*/entry; do
		[ "$(sed -n "s/^time_ns: //p" $e)" = "$(sed -n "s/^judge.time_ns: //p" $e)" ] && grep -q "^judged_by: lives" $e && grep -q "^raced_time_ns: [1-9]" $e || { cat $e; exit 1; }
	done
	km-corpus find out/corpus --op=relu --dtype=f32 --dims=m=64,n=300 | grep -q "^judged_by: lives" && km-corpus stats out/corpus | grep "	relu	1	.*	1	[0-9]" &&
	[ "$(grep -c "timed from outside its process" out/report/*/*.html out/report/*.html 2>/dev/null | awk -F: "{ n += \$NF } END { print n }")" = 2 ]'
check 'a second run does nothing' "says 'nothing to do' mill OUT=$SCRATCH/out OPS='relu softmax' $S"
check 'packing again gives the same bytes' 'km-evaluate trace pack -o again.h5 out/cells && cmp again.h5 out/traces.h5'
cp out/cells/*/softmax/*/journal softmax.before
check 'a cell whose shapes changed is searched anew, others are kept' "
	sed -i 's/M=64/M=65/' shapes.txt && mill OUT=$SCRATCH/out OPS='relu softmax' $S && cmp softmax.before out/cells/*/softmax/*/journal && ls out/cells/*/relu | grep -q M=65"

# A kill in the middle: the same command goes on, and redoes nothing that was recorded.
(timeout -s KILL 4 make -s -C "$ROOT" B="$BUILD" corpus OUT="$SCRATCH/killed" OPS='gelu cumsum' BUDGET=40 >/dev/null 2>&1)
cat killed/cells/*/*/*/journal 2>/dev/null | grep -a '"kind":"evaluation"' | sed 's/^.\{23\}//' >recorded
printf 'gelu f32 M=33 N=70\ncumsum f32 R=9 C=70\n' >shapes2.txt
check 'a killed run goes on to its end' "timeout ${SANITIZED:+1}200 make -s -C '$ROOT' B='$BUILD' corpus OUT=$SCRATCH/killed OPS='gelu' BUDGET=12 SHAPES=$SCRATCH/shapes2.txt && [ -s killed/report/index.html ]"

check "a user's operator from outside the tree" "mill OUT=$SCRATCH/extra EXTRA_OPS=$ROOT/tests/extra_ops OPS=scaled_sum BUDGET=4 && ls -d extra/corpus/*/scaled_sum/*"
check 'an unknown operator exits 2 and names the known' "exits 2 mill OUT=$SCRATCH/w OPS=softmin || says 'unknown operator' mill OUT=$SCRATCH/w OPS=softmin"
check 'an unknown target is refused' "says 'unknown target' mill OUT=$SCRATCH/w OPS=relu TARGETS=x86-avx9"
check 'a wrong budget is refused' "says 'BUDGET is' mill OUT=$SCRATCH/w OPS=relu BUDGET=lots"
mkdir readonly && mount -t tmpfs -o size=1m,ro tmpfs readonly 2>/dev/null && {
	check 'a read-only folder is refused at once' "says 'writable OUT=DIR' mill OUT=$SCRATCH/readonly/out OPS=relu"
	umount readonly
} || skip 'a read-only folder' 'cannot mount a tmpfs here'
check 'a missing compiler is one line that names the fix' '
	mkdir -p bin && for c in sh env cat mkdir rm sed awk sleep; do ln -sf "$(command -v $c)" bin/; done
	km-generate next --problem=relu/f32/M=64,N=300/t1 --batch=2 -o b.jsonl &&
	says "scripts/setup.sh" env PATH="$SCRATCH/bin" KM_CACHE="$SCRATCH/cold" "$BIN"/km-evaluate run --problem=relu/f32/M=64,N=300/t1 --journal=m.journal b.jsonl &&
	exits 3 env PATH="$SCRATCH/bin" KM_CACHE="$SCRATCH/cold" "$BIN"/km-evaluate run --problem=relu/f32/M=64,N=300/t1 --journal=m.journal b.jsonl'

check 'a file that is no journal is refused, not cut' '
	echo notes >notes.txt && exits 3 km-evaluate run --problem=relu/f32/M=64,N=300/t1 --journal=notes.txt b.jsonl && grep -qx notes notes.txt'
check 'an unknown operator is the caller'"'"'s mistake' 'exits 2 km-evaluate run --problem=softmin/f32/M=64/t1 --journal=u.journal b.jsonl'
check 'a journal that cannot be written exits 74' 'exits 74 km-evaluate run --problem=relu/f32/M=64,N=300/t1 --journal=/no/such/m.journal b.jsonl'
mkdir frozen && mount -t tmpfs -o size=1m,ro tmpfs frozen 2>/dev/null && {
	check 'nor one on a read-only disk' 'exits 74 km-evaluate run --problem=relu/f32/M=64,N=300/t1 --journal=frozen/m.journal b.jsonl'
	umount frozen
} || skip 'a journal on a read-only disk' 'cannot mount a tmpfs here'

# The report: whole pages, escaped, every link leads somewhere.
check 'the report links only to its own pages' '
	cd out/report && grep -oh "href=\"[^\"#]*\"" *.html | sort -u | sed "s/href=\"\(.*\)\"/\1/" | while read -r f; do [ -f "$f" ] || { echo "$f"; exit 1; }; done'
check 'pages are well-formed HTML with a heading and no network' '
	for f in out/report/*.html; do grep -q "<h1>" $f && grep -q "</html>" $f && ! grep -qE "(src|href)=\"https?:" $f || exit 1; done'
check 'the page of operators lists each, and what its checker rejects where that was printed' '
	[ "$(grep -c "<tr><th scope" out/report/operators.html)" = "$(km-generate ops | wc -l)" ] && ! grep -q "9 of 9" out/report/operators.html &&
	printf "relu\tok\t1\t10\t9\t1\t0\n" >out/selfcheck.tsv && km-report out && grep -A1 "<tr><th scope=\"row\">relu<" out/report/operators.html | grep -q "9 of 9"'
check 'the page of an operator on a target tells what each language makes of every dtype' '
	grep -q "<tr><td>relu<td>c<td>f32<td>measured<td>map" out/report/cell-relu-*.html && grep -q "<tr><td>relu<td>c<td>f64[^<]*<td>generated<td>map" out/report/cell-relu-*.html'
check 'report.json parses and agrees on the winners' '/usr/bin/python3 -c "
import json; d=json.load(open(\"out/report/report.json\")); assert sum(\"winner\" in p for c in d[\"cells\"] for p in c[\"problems\"]) == 2"'
check 'a missing OUT is an error that says what to do' 'exits 3 km-report /no/such && one_line_error km-report /no/such'
done_testing
