#!/bin/sh
# A language model beside random search, at equal budgets: bench_llm.sh (called by bench.sh; BIN: the tools).
# Asks the model that KM_LLM_URL names; without, a small one that it starts here (llm_server.sh), which shows that
# the path works and nothing of what a model adds.
#   EVALUATIONS=12 SEEDS=1 PROBLEMS='...' POLICIES='llm random' BENCH_LLM_OUT=FOLDER  LLM=record:FILE
# Prints TSV: policy, problem, seed, trials, of them passed, by a model, of those passed, best time of all and of the model's [us; 0: none],
# tokens, exchanges, seconds.  Where the model had nothing to try, another policy stood in: that is no merit of the model's.
set -u
here=$(cd "${0%/*}" && pwd)
out=${BENCH_LLM_OUT:-$(mktemp -d)} || exit 3
mkdir -p "$out" || exit 74
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null' EXIT
trap 'exit 130' INT TERM
if [ -z "${KM_LLM_URL:-}" ]; then
	folder=$HOME/.cache/kernelmill/llm
	"$here/llm_server.sh" "$folder" || exit $?
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	nice "$here/llm_server.sh" "$folder" "$port" >"$out/server.log" 2>&1 &
	server=$!
	until python3 -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$port/v1/models')" 2>/dev/null; do
		kill -0 "$server" 2>/dev/null || { echo "bench: error: the server ended: see '$out/server.log'" >&2; exit 3; }
		sleep 1
	done
	export KM_LLM_URL="http://127.0.0.1:$port/v1" KM_LLM_MODEL=smollm2-135m KM_LLM_FORMAT=json_object KM_LLM_PROMPT_BYTES=6000 \
		KM_LLM_ANSWER_TOKENS=400 KM_LLM_STALL_S=300
fi
# What a search keeps of language models; random search asks none.
for problem in ${PROBLEMS:-softmax/f32/R=64,C=500/t1 matmul/f32/M=64,N=64,K=64/t1}; do
	for seed in ${SEEDS:-1}; do
		for policy in ${POLICIES:-llm random}; do
			cell=$out/$policy.$seed
			folder=$cell/$(printf %s "$problem" | tr / -)
			start=$(date +%s)
			mkdir -p "$cell"
			[ "$policy" = random ] && asks= || asks=${LLM:-}
			LLM=$asks KM_LLM_STATE=$out/llm.state sh "$here/search.sh" "$BIN" "$cell" "$problem" "${TARGET:-native}" "$policy" "$seed" "${EVALUATIONS:-12}" 100000 0 0 6
			code=$?
			[ $code -le 1 ] || exit $code
			"$BIN/km-evaluate" trace history "$folder/journal" | awk -F'\t' -v p="$problem" -v s="$seed" -v policy="$policy" -v seconds=$(($(date +%s) - start)) \
				-v exchanges="$(cat "$folder/transcript.jsonl" 2>/dev/null | wc -l)" \
				-v tokens="$(grep -a -o '"\(prompt\|answer\)_tokens":[0-9]*' "$folder/transcript.jsonl" 2>/dev/null | awk -F: '{ n += $2 } END { print n + 0 }')" '
				NR > 1 { n++; if ($3 == "PASSED") passed++; if ($10 == "llm") { model++; if ($3 == "PASSED") good++; if ($3 == "PASSED" && (!own || $4 < own)) own = $4 } if ($3 == "PASSED" && (!best || $4 < best)) best = $4 }
				END { printf "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%.2f\t%.2f\t%d\t%d\t%d\n", policy, p, s, n, passed, model, good, best / 1e3, own / 1e3, tokens, exchanges, seconds }'
		done
	done
done
