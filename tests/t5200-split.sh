#!/bin/sh
# A campaign's evaluations: BUDGET=total:N split by expected gain; what ended searches, in the report.
. "${0%/*}/lib.sh"
here=$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')
[ "$here" = none ] && {
	skip 'campaigns' 'this CPU is none of the targets'
	done_testing
}

# ---- who gets how many -----------------------------------------------------
printf 'cell\tgroup\tweight\tevaluations\tbest\tbefore\tbefore_evaluations\tlight\topen\n' >cells.tsv
printf 'a\tg\t1\t20\t2\t2\t15\t0.9\t1\nb\tg\t1\t20\t2\t1\t15\t0.2\t1\nc\tg\t1\t20\t9\t1\t15\t0.1\t0\n' >>cells.tsv
check 'more to who is expected to gain more, nothing to who has ended' '
	km-generate split --total=100 cells.tsv >limits && awk -F"\t" "{ n[\$1] = \$2; s += \$2 } END { exit !(n[\"b\"] > n[\"a\"] && n[\"c\"] == 20 && s <= 100 && s > 60) }" limits'
check 'all spent, or all ended: exit 1 and nothing' '
	exits 1 km-generate split --total=60 cells.tsv >none && [ ! -s none ] && sed "s/1\$/0/" cells.tsv >ended.tsv && exits 1 km-generate split --total=1000 ended.tsv'
check 'a file that is none is named' 'echo junk >junk; exits 3 km-generate split --total=9 junk && says junk:1 km-generate split --total=9 junk && exits 2 km-generate split cells.tsv && exits 2 km-generate split --total=9'

# ---- a campaign ------------------------------------------------------------
printf 'relu f32 M=16 N=64\nrelu f32 M=16 N=128\nsum f32 M=4 K=64\n' >shapes
mill() {
	env BIN="$BIN" ROOT="$ROOT" TARGETS=native OPS="relu sum" SHAPES="$SCRATCH/shapes" BUDGET=total:40 OUT="$SCRATCH/$1" JOBS="${JOBS:-1}" SEED=1 POLICY=greedy \
		RELATIVES= EXTRA_OPS= EXECUTOR=local SETUP_SECONDS=0 KM_CLOCK=model sh "$ROOT/scripts/corpus.sh"
}
check 'a total is spent, and no more; every problem has its share and its winner' '
	mill out && [ "$(km-evaluate trace ls out/traces.h5 | wc -l)" = 40 ] && [ "$(ls out/split/*/0.tsv | wc -l)" = 1 ] && [ -f out/split/*/last ] &&
	[ "$(km-evaluate trace ls out/traces.h5 | cut -f2 | sort | uniq -c | awk "\$1 >= 3" | wc -l)" = 3 ] && [ "$(ls -d out/corpus/*/*/* | wc -l)" = 3 ]'
check 'again it does nothing' 'says "nothing to do" mill out'
check 'with two jobs it is the same' 'JOBS=2 mill two && diff -r -x "journal*" out/cells two/cells && diff -r out/split two/split'
check 'a wrong total is refused' "says 'BUDGET is' make -s -C '$ROOT' B='$BUILD' corpus OUT=$SCRATCH/w OPS=relu BUDGET=total:lots"
check 'how the searches went can be split again' '
	km-evaluate trace progress out/cells | awk -F"\t" "NR == 1 { next } { s += \$4 } END { exit s != 40 }" && km-evaluate trace progress --curves out/cells >curves && [ "$(wc -l <curves)" = 41 ] &&
	km-generate split --replay curves | awk -F"\t" "NR == 1 { next } \$3 > \$5 * 1.0001 || \$4 > \$5 * 1.0001 { bad = 1 } END { exit bad || NR < 4 }"'
check 'nothing there: an error' 'exits 3 km-evaluate trace progress /no/such'

# ---- the report ------------------------------------------------------------
check 'the page of the search tells who found the winners and why searches ended' '
	grep -q "<th scope=\"row\">greedy</th><td class=\"n\">3<td class=\"n\">40<" out/report/search.html && grep -q "<tr><td>evaluations<td class=\"n\">3" out/report/search.html &&
	[ "$(grep -c "<svg" out/report/search.html)" = 4 ] && grep -q "href=\"search.html\"" out/report/index.html'
check 'the search page is whole and says what charts show' 'grep -q "</html>" out/report/search.html && [ "$(grep -c "aria-label=\"[a-z]* on" out/report/search.html)" = 4 ]'
check 'where no win is possible, that is recorded, and the report says saturated' '
	for j in out/cells/*/relu/*/journal; do
		km-evaluate finish --clock=model --problem="$(km-evaluate trace ls $j | head -1 | cut -f2)" --target='"$here"' --journal=$j --folder=$(dirname $j) --reason="no win possible: the baseline is at the speed of light" || exit 1
	done
	km-evaluate trace pack -o out/traces.h5 out/cells && km-report out && grep -q "saturated: no win possible in 2 of 2" out/report/index.html &&
	grep -q "<tr><td>no win possible: the baseline is at the speed of light<td class=\"n\">2" out/report/search.html &&
	grep -c "\"stopped_by\":.\"no win possible: the baseline" out/report/report.json'
done_testing
