#!/bin/sh
# A language model in a search: asked, recorded, replayed without it, and missed by nobody where it fails.
. "${0%/*}/lib.sh"

unset $(env | sed -n 's/^\(KM_LLM_[A-Z_]*\)=.*/\1/p') LLM 2>/dev/null
export KM_KNOWLEDGE=$ROOT/tests/llm/knowledge KM_LLM_STATE=$SCRATCH/llm.state
P=softmax/f32/R=16,C=100/t1
folder=$(echo $P | tr / -)
# search NAME POLICY [EVALUATIONS]: a whole search in the folder NAME, its words in NAME.err.
search() {
	mkdir -p "$1" && KM_CLOCK=model sh "$ROOT/scripts/search.sh" "$BIN" "$1" $P x86-avx2 "$2" 1 "${3:-12}" 1000 0 0 4 2>"$1.err"
}

check 'the prompt is as it was reviewed' 'ROOT=$ROOT "$BUILD/tests/unit/generate/llm" prompt >prompt && cmp prompt "$ROOT/tests/golden/llm_prompt.txt"'
check 'its variables are listed, with defaults and meanings' 'km-generate llm | awk -F"\t" "NF != 3 || \$3 == \"\" { bad = 1 } END { exit bad || NR < 20 }"; km-generate llm | grep -q "^KM_LLM_TRIES	6	"'
check 'a wrong way of asking exits 2' 'exits 2 km-generate next --problem=$P --llm=replay && exits 2 km-generate next --problem=$P --llm=sing:FILE && one_line_error km-generate next --problem=$P --llm=x'
check 'without a model the search goes on with another policy, told once' '
	search none llm && km-evaluate trace status none/$folder/journal | grep -q ^done && [ "$(grep -c "language model" none.err)" = 1 ] && grep -q KM_LLM_URL none.err'
check 'nor does a policy that asks nobody say a word of it' 'search greedy greedy 4 && [ ! -s greedy.err ]'

mkdir server && /usr/bin/python3 "$ROOT/tests/llm/server.py" "$SCRATCH/server" & server=$!
trap 'kill $server 2>/dev/null; leave' EXIT
while [ ! -f server/port ]; do sleep 0.05; done
if [ "${KM_CANARY:-}" ]; then ln -s "$KM_CANARY/key" key; else printf 'sk-%s\n' "$(od -An -tx1 -N16 /dev/urandom | tr -d ' \n')" >key && chmod 600 key; fi
asked() { grep -c "	$1	" server/log; }
live="KM_LLM_URL=http://127.0.0.1:$(cat server/port)/v1 KM_LLM_KEY_FILE=$SCRATCH/key KM_LLM_PRICE=2:8 KM_LLM_EXCHANGES=2 KM_LLM_BACKOFF_S=0.02 KM_LLM_TIMEOUT_S=5"
model() { export $live "KM_LLM_MODEL=$1"; rm -f llm.state; }
offline() { unset $(env | sed -n 's/^\(KM_LLM_[A-Z_]*\)=.*/\1/p'); }

check 'a model proposes knobs and sources, which are checked like any other' '
	model good; LLM=record:$SCRATCH/campaign.jsonl search live llm && [ ! -s live.err ] &&
	km-evaluate trace history live/$folder/journal >h && cut -f10 h | grep -qx llm && awk -F"\t" "\$3 == \"PASSED\" && \$11 == \"whole lang=c\" { found = 1 } END { exit !found }" h &&
	awk -F"\t" "\$3 == \"PASSED\" && \$11 ~ /^skeleton/ { found = 1 } END { exit !found }" h'
check 'its edges are the memory modes, its sources of origin "model"' '
	cut -f9 h | sort -u | grep -qx clean-slate && cut -f9 h | grep -qxE "inherit|compare|combine" && cat live/$folder/batches/*.jsonl | grep -q "\"origin\":\"model\""'
check 'each exchange is in the transcript: request, prompt, answer, tokens, cost, the id of the key' '
	/usr/bin/python3 -c "
import hashlib, json
rows = [json.loads(line) for line in open(\"live/$folder/transcript.jsonl\")]
key = open(\"key\").read().strip()
assert len(rows) >= 3 and len({r[\"request\"] for r in rows}) == len(rows)
for r in rows:
    assert len(r[\"request\"]) == 64 and r[\"prompt\"] and r[\"answer\"] and r[\"counted\"] == \"server\" and r[\"prompt_tokens\"] == 1000, r
    assert abs(r[\"cost\"] - (1000 * 2 + r[\"answer_tokens\"] * 8) / 1e6) < 1e-12, r
    assert r[\"key_id\"] == hashlib.sha256(key.encode()).hexdigest()[:8], r
    assert key not in json.dumps(r)
"'
check 'and in the transcript that was asked for' 'cmp live/$folder/transcript.jsonl campaign.jsonl'
check 'and in the journal and the trace, with tokens and cost' '
	[ "$(grep -a -c "\"kind\":\"exchange\"" live/$folder/journal)" = "$(wc -l <campaign.jsonl)" ] && km-evaluate trace pack -o live.h5 live && km-evaluate trace validate live.h5 &&
	/usr/bin/python3 -c "
import h5py
f = h5py.File(\"live.h5\")
x = f[\"exchanges\"]
assert x.attrs[\"row_count\"] == len(open(\"campaign.jsonl\").readlines())
assert x[\"prompt_tokens\"][:].sum() == 1000 * x.attrs[\"row_count\"] and x[\"cost\"][:].sum() > 0 and x[\"start_ns\"][:].max() < 1000
"'
check 'what a model wrote is told how to be tried again' '
	id=$(awk -F"\t" "\$11 == \"whole lang=c\" && \$3 == \"PASSED\" { print \$1; exit }" h) && cp live.h5 traces.h5 &&
	sh -c "$(km-evaluate trace ls live.h5 | awk -F"\t" -v id=$id "\$1 == id { print \$NF }")" && km-evaluate trace ls trial.journal | grep -q "$id.*PASSED"'
before=$(asked good)
check 'replayed without the model it is the same search, bit for bit' '
	offline; LLM=replay:$SCRATCH/campaign.jsonl search replay llm && cmp live/$folder/transcript.jsonl replay/$folder/transcript.jsonl &&
	km-evaluate trace pack -o replay.h5 replay && cmp live.h5 replay.h5 && [ "$(asked good)" = '"$before"' ]'
check 'killed and called again it asks only what was not answered' '
	model good; mkdir killed && for t in 1 2 3; do KM_CLOCK=model timeout -s KILL 1 sh "$ROOT/scripts/search.sh" "$BIN" killed $P x86-avx2 llm 1 12 1000 0 0 4; done
	search killed llm && km-evaluate trace status killed/$folder/journal | grep -q ^done && [ "$(sed "s/.*\"request\":\"\([0-9a-f]*\)\".*/\1/" killed/$folder/transcript.jsonl | sort | uniq -d | wc -l)" = 0 ]'
check 'a transcript of another search answers nothing: told, and the search goes on' '
	offline; P=relu/f32/M=8,N=30/t1; folder=relu-f32-M=8,N=30-t1; LLM=replay:$SCRATCH/campaign.jsonl search other llm 4 && [ "$(grep -c "has no exchange" other.err)" = 1 ] &&
	km-evaluate trace status other/$folder/journal | grep -q ^done'
check 'an empty or missing transcript too' 'LLM=replay:/no/such search missing llm 4 && grep -q "holds no exchange" missing.err'
for bad in nonsense wrong-key money-402 echo-key; do
	check "$bad: the cell finishes with another policy, and it is told once" "
		model $bad; search $bad llm && km-evaluate trace status $bad/$folder/journal | grep -q ^done && [ \"\$(grep -c 'language model' $bad.err)\" = 1 ] && [ \"\$(wc -l <$bad.err)\" = 1 ]"
done
check 'a source that is wicked is caught like any other, and the cell finishes' '
	model wicked-source; search wicked "llm:sources" 6 && ! km-evaluate trace history wicked/$folder/journal | grep "whole lang=c" | grep -q PASSED'
check 'several models share the questions by their weights' '
	export $live KM_LLM_MODEL=good:1,whole-json:1 KM_LLM_EXCHANGES=8; search several llm:knobs 24 && sed "s/.*\"model\":\"\([^\"]*\)\".*/\1/" several/$folder/transcript.jsonl | sort -u | tr "\n" " " | grep -q "good whole-json"'
check 'pages of the knowledge base are found beside the program, here and where it is installed' '
	model good; unset KM_KNOWLEDGE; km-generate next --problem=$P --target=x86-avx512 --policy=llm --transcript=pages.jsonl --batch=1 -o p.jsonl && grep -q "# What is known" pages.jsonl &&
	make -s -C "$ROOT" B="$BUILD" install PREFIX="$SCRATCH/installed" >/dev/null && [ "$(find installed/share -name "*.md" | wc -l)" = "$(find "$ROOT/generate/knowledge" -name "*.md" | wc -l)" ] &&
	installed/bin/km-generate next --problem=$P --target=x86-avx512 --policy=llm --transcript=installed.jsonl --batch=1 -o p.jsonl && grep -q "# What is known" installed.jsonl'
check 'an argument that llm has not is told, and the search goes on' 'says "llm:knobs or llm:sources" km-generate next --problem=$P --policy=llm:songs --batch=2 -o p.jsonl && [ -s p.jsonl ]'
check 'whole sources of devices compile as well' '
	model good; km-generate next --problem=relu/f32/M=64,N=300/t1 --target=amd-mi300x --policy=llm:sources --batch=1 -o hip.jsonl &&
	km-evaluate run --problem=relu/f32/M=64,N=300/t1 --target=amd-mi300x --journal=hip.journal hip.jsonl && km-evaluate trace ls hip.journal | grep "NOT_MEASURED.*whole lang=hip"'
check 'the key is in no byte of all this, nor in what processes show' '/usr/bin/python3 "$ROOT/tests/llm/canary.py" key . -'
check 'built without libcurl it says so, and all else works' '
	gcc -std=gnu17 -D_GNU_SOURCE -I"$ROOT" -I"$BUILD/gen" -c -o client.o "$ROOT/generate/llm_client.c" &&
	gcc -o km-without "$BUILD/generate/main.o" client.o "$BUILD/generate.a" "$BUILD/ops.a" ${SANITIZED:+-fsanitize=address,undefined} $(pkg-config --libs libcjson zlib) -ldl -lm -pthread &&
	! ldd km-without | grep -q curl && model good && says "built without libcurl" ./km-without next --problem=$P --policy=llm --batch=2 && ./km-without next --problem=$P --policy=greedy --batch=2 -o g.jsonl'
offline

# What a real model said, small and weak (scripts/llm_server.sh): its campaign without it.
printf '%s\n' 'softmax/f32/R=64,C=500/t1 llm 8 6' 'matmul/f32/M=64,N=64,K=64/t1 llm 8 6' 'relu/f32/M=16,N=64/t1 llm:sources 3 3' >campaign
for n in 1 2; do
	check "the kept campaign of a real model is replayed offline ($n)" '
		mkdir -p real'$n' && while read -r p policy evaluations batch; do
			KM_CLOCK=model LLM=replay:$ROOT/tests/llm/smollm2.jsonl sh "$ROOT/scripts/search.sh" "$BIN" real'$n' $p x86-avx2 $policy 1 $evaluations 100000 0 0 $batch </dev/null || [ $? = 1 ] || exit 3
		done <campaign && km-evaluate trace pack -o real'$n'.h5 real'$n''
done
check 'both times to the same trace, with proposals of knobs and of sources in C' '
	cmp real1.h5 real2.h5 && for wants in knobs c; do grep -h -c "\"wants\":\"$wants\"" real1/*/transcript.jsonl | awk "{ n += \$1 } END { exit !n }" || exit 1; done &&
	km-evaluate trace history real1/softmax-f32-R=64,C=500-t1/journal | cut -f10 | grep -qx llm &&
	km-evaluate trace history real1/relu-f32-M=16,N=64-t1/journal | grep "	llm	whole lang=c"'
done_testing
