#!/bin/sh
# --policy=exec: programs outside that propose knobs, whole sources and candidates; those that fail, hang and lie.
. "${0%/*}/lib.sh"
command -v python3 >/dev/null || {
	skip 'programs outside' 'no python3'
	done_testing
}
E=$ROOT/tests/example
P=relu/f32/M=64,N=300/t1
T=--target=x86-avx2
next() { km-generate next --problem=$P $T "$@"; }

# ---- answers -------------------------------------------------------------
check 'a policy of twenty lines proposes points, and says who it is' '
	[ "$(grep -c . "$E"/policy.py)" -le 20 ] && next --policy=exec:"$E"/policy.py --batch=6 -o a && [ "$(wc -l <a)" = 6 ] && [ "$(grep -c "\"policy\":\"exec:policy.py\"" a)" = 6 ]'
check 'the same seed and history give the same batch, another seed another' '
	next --policy=exec:"$E"/policy.py --batch=6 -o b && cmp a b && next --policy=exec:"$E"/policy.py --batch=6 --seed=2 -o c && ! cmp -s a c'
knobs=$(sed -n '1s/.*"knobs":"\([^"]*\)".*/\1/p' a)
id=$(sed -n '1s/.*"id":"\([^"]*\)".*/\1/p' a)
{
	printf 'id\tgeneration\tverdict\ttime_ns\tfitness\tsol_ratio\telapsed_s\tparent\tedge\tpolicy\tknobs\tbaseline_ns\tdetail\n'
	printf '%s\t0\tPASSED\t5\t2\t0.5\t1\t\trandom\trandom\t%s\t10\t\n' "$id" "$knobs"
	printf 'ffffffffffffffff\t0\tCOMPILE_ERROR\tnan\t0\t0\t1\t\twritten\texec\twhole lang=c\t0\tno "such" word\n'
} >h.tsv
printf '#!/bin/sh\ncat >"$1"\n' >keep && chmod +x keep
check 'it is told the problem, the space, the trials with their words, a source, and at last what is asked' '
	next --policy="exec:./keep told" --history=h.tsv >/dev/null 2>&1; python3 -c "
import json
rows = [json.loads(l) for l in open(\"told\")]
kinds = [r[\"kind\"] for r in rows]
trials = [r for r in rows if r[\"kind\"] == \"trial\"]
assert kinds[0] == \"problem\" and kinds[-1] == \"ask\" and kinds.count(\"space\") >= 1 and kinds.count(\"source\") == 1, kinds
assert rows[0][\"op\"] == \"relu\" and \"c\" in rows[0][\"languages\"] and rows[0][\"plan\"].startswith(\"plan: so\"), rows[0]
assert trials[0][\"fitness\"] == 2 and trials[0][\"baseline_ns\"] == 10 and trials[1][\"time_ns\"] is None and trials[1][\"detail\"] == \"no \\\"such\\\" word\", trials
assert rows[-1][\"want\"] == 24 and rows[-1][\"seed\"] < 2**53
"'
check 'a neighbour says whose' 'next --policy=exec:"$E"/policy.py --history=h.tsv -o n && grep -q "\"parent\":\"$id\",\"edge\":\"neighbour\"" n'
check 'it is told where relatives ended, and begins there' '
	printf "from\\tshare\\tknobs\\ngelu on x\\t1\\t%s\\n" "$knobs" >rel.tsv && next --policy=exec:"$E"/policy.py --relatives=rel.tsv --batch=1 -o one.jsonl && grep -q "\"id\":\"$id\"" one.jsonl && grep -q "\"edge\":\"relative\"" one.jsonl'
check 'a file of relatives that is none is named' 'echo junk >junk.tsv; exits 3 next --relatives=junk.tsv && says junk.tsv:1 next --relatives=junk.tsv && exits 3 next --relatives=/no/such'
check 'what is illegal or known is dropped, and what is good counts' '
	printf "#!/bin/sh\necho nonsense; echo \"{}\"; echo \"{\\\"knobs\\\":\\\"skeleton=no\\\"}\"; echo \"{\\\"knobs\\\":\\\"$knobs\\\"}\"; echo \"{\\\"knobs\\\":\\\"$knobs\\\",\\\"parent\\\":\\\"nobody\\\"}\"\n" >mixed && chmod +x mixed &&
	next --policy=exec:./mixed -o m 2>said && [ "$(wc -l <m)" = 1 ] && [ ! -s said ] && grep -q "\"id\":\"$id\"" m &&
	exits 1 next --policy=exec:./mixed --history=h.tsv -o m && says "nothing it answered can be tried" next --policy=exec:./mixed --history=h.tsv'
check 'what was refused is told, and asked once more' '
	printf "#!/bin/sh\ncat >>asked; grep -q refused asked && echo \"{\\\"knobs\\\":\\\"$knobs\\\"}\" || echo \"{\\\"knobs\\\":\\\"skeleton=map lang=c\\\"}\"\n" >again && chmod +x again &&
	next --policy=exec:./again -o r && [ "$(wc -l <r)" = 1 ] && [ "$(grep -c "\"kind\":\"ask\"" asked)" = 2 ] && grep "\"refused\",\"line\":1" asked | grep -q missing'

# ---- why a search ends ---------------------------------------------------
printf '%s\t0\tPASSED\t200\t0.5\t0.49\t1\t\trandom\trandom\t%s\t100\t\n' "$id" "$knobs" | cat "$SCRATCH/h.tsv" - | sed '2,3d' >nowin.tsv
check 'nothing can beat a baseline at the speed of light: the search ends and says so' "
	exits 1 next --history=nowin.tsv --sol=0.97 >why && grep -qx 'no win possible: the baseline is at the speed of light' why && next --history=nowin.tsv --sol=0.99 --batch=1 -o on"
check 'a policy that is not outside is as it was' 'next --policy=greedy --batch=30 -o g && [ "$(wc -l <g)" = 30 ]'

# ---- whole sources and candidates ----------------------------------------
one() { printf '#!/bin/sh\ncat <<"END"\n%s\nEND\n' "$1" >one && chmod +x one; }
check 'a whole source without the symbol, or in no language of the target, is refused' '
	one "{\"source\":\"int x;\",\"lang\":\"c\"}" && says "no symbol KMSYMBOL" next --policy=exec:./one &&
	one "{\"source\":\"KMSYMBOL_main\",\"lang\":\"cuda\"}" && says "no language of target" next --policy=exec:./one &&
	one "{\"source\":\"KMSYMBOL_main\",\"lang\":\"c\",\"steps\":[\"main grid=Q(\"]}" && says "plan:" next --policy=exec:./one'
check 'a candidate that is already is taken, with an id of its text' '
	printf "#!/bin/sh\nsed \"s/^/{\\\"candidate\\\":/; s/\$/}/\" a\n" >one && next --policy=exec:./one -o t && [ "$(wc -l <t)" = 6 ] && grep -q "\"id\":\"$id\"" t && grep -c "\"origin\":\"printed\"" t'
check 'one that claims to be printed and is not is said to be foreign' '
	printf "#!/bin/sh\nsed \"s/^/{\\\"candidate\\\":/; s/\$/}/; s/void km_/int more; void km_/\" a\n" >one && next --policy=exec:./one -o t && ! grep -q "\"origin\":\"printed\"" t && ! grep -q "\"id\":\"$id\"" t &&
	printf "#!/bin/sh\nsed \"s/^/{\\\"candidate\\\":/; s/\$/}/; s/M=64/M=65/\" a\n" >one && says "it is for problem" next --policy=exec:./one'
if [ "$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')" != none ]; then
	check "an agent's sources in C pass, and its winner the judge" '
		km-generate next --problem=softmax/f32/R=16,C=70/t1 --policy=exec:"$E"/proposer.py -o w && [ "$(wc -l <w)" = 2 ] &&
		km-evaluate run --problem=softmax/f32/R=16,C=70/t1 --journal=w.journal w && [ "$(km-evaluate trace history w.journal | grep -c PASSED)" = 2 ] &&
		km-evaluate finish --problem=softmax/f32/R=16,C=70/t1 --journal=w.journal --folder=w.folder --reason=test && says done km-evaluate trace status w.journal &&
		grep -a -q "\"judged_by\":\"lives\"" w.journal'
	check 'the traces give a source that nobody can print again' '
		km-evaluate trace pack -o traces.h5 w.journal && sh -c "$(km-evaluate trace ls traces.h5 | head -1 | sed "s/.*\(km-evaluate trace candidate\)/\1/")" && km-evaluate trace ls trial.journal | grep -q PASSED &&
		exits 1 km-evaluate trace candidate traces.h5 0000000000000000'
	# The program is there for one batch alone.
	printf '#!/bin/sh\n[ -f answered ] && exit 9\ntouch answered; exec python3 %s/policy.py\n' "$E" >once && chmod +x once
	check 'a search whose program dies ends with what it has, and says so' '
		KM_CLOCK=model says "exit code 9" "$ROOT"/scripts/search.sh "$BIN" cell $P "$(km-generate targets | awk -F"\t" "\$1 == \"native\" { print \$3 }")" "exec:./once" 1 12 0 0 0.97 6 &&
		km-evaluate trace status cell/*/journal | grep -q ^done && grep -a -q "\"reason\":\"no proposals\"" cell/*/journal'
else
	skip 'sources that run' 'this CPU is none of the targets'
fi

# ---- programs that do not answer -----------------------------------------
bad() { # NAME SCRIPT WORDS
	printf '#!/bin/sh\n%s\n' "$2" >bad && chmod +x bad
	check "$1: nothing proposed, in one line" "exits 1 next --policy=exec:./bad >out && grep -qx 'no proposals' out && one_line_error next --policy=exec:./bad && says '$3' next --policy=exec:./bad"
}
bad 'one that fails' 'echo why >&2; exit 3' 'exit code 3: why'
bad 'one that is killed' 'kill -9 $$' 'signal 9 ended it'
bad 'one that is silent' 'exit 0' 'answered nothing'
bad 'one that talks nonsense' 'echo hello' 'not an object'
bad 'one that dies after an answer' "echo '{\"knobs\":\"$knobs\"}'; exit 1" 'exit code 1'
bad 'one that does not read' 'exec <&-; echo "[[[[["' 'not an object'
bad 'one that answers with bytes' 'printf "\\000\\377"' 'no text'
bad 'one that talks without end' 'yes "{}" | head -c 20000000' 'said more than 16 MiB'
export KM_EXEC_SECONDS=0.5
bad 'one that hangs' 'sleep 1000' 'took more than 0.5 s'
bad 'one that leaves a child that hangs' 'sleep 1000 & echo' 'took more than 0.5 s'
unset KM_EXEC_SECONDS
check 'one that is not there' "exits 1 next --policy=exec:./nowhere && says 'No such file' next --policy=exec:./nowhere && says 'wants a program' next --policy=exec && says 'wants a program' next --policy='exec:  '"
check 'no shell sees its words' '
	printf "#!/bin/sh\nprintf \"%%s\\\\n\" \"\$@\" >words\n" >words.sh && chmod +x words.sh && next --policy="exec:./words.sh ; touch \$(touch in) | \`touch in\` > in" >/dev/null 2>&1
	[ ! -e in ] && [ "$(sed -n 1p words)" = ";" ] && grep -qx ">" words'
check 'nor does it see the variables of the language model' '
	printf "#!/bin/sh\nenv >seen\n" >env.sh && chmod +x env.sh && KM_LLM_KEY_FILE=secret KM_LLM_URL=u next --policy=exec:./env.sh >/dev/null 2>&1; [ -s seen ] && ! grep -q KM_LLM seen && grep -q ^PATH= seen'
done_testing
