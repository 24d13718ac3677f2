#!/bin/sh
# Searches one problem on one target: proposes, evaluates, repeats; then judges the winner.
#   search.sh BIN CELL PROBLEM TARGET POLICY SEED EVALUATIONS SECONDS STALL SOL BATCH
# CELL/<problem>/journal is the only state: after a kill the same call goes on.  CELL/<problem>/relatives.tsv, where there
# is one, is where it begins.  With a language model (KM_LLM_URL, or LLM=record:FILE, LLM=replay:FILE) so is
# CELL/<problem>/transcript.jsonl: what it answered is not asked again.  KM_PAUSE=1: what ends by its evaluations alone is
# left open, for a larger number of them.
# Exit: 0 done (also when it was done before), 1 no candidate passed, else the failing tool's code.
set -u
. "${0%/*}/publish.sh"
bin=$1 cell=$2 problem=$3 target=$4 policy=$5 seed=$6 evaluations=$7 seconds=$8 stall=$9
shift 9
sol=$1 batch=$2
# What a command says may be cut short by a kill: then this ends, too.
name=$(printf %s "$problem" | tr '/' '-') && [ ${#name} = ${#problem} ] || exit 137
folder=$cell/$name
journal=$folder/journal
mkdir -p "$folder/batches" || { echo "search: error: cannot make folder '$folder': give a writable OUT=DIR" >&2; exit 74; }

# Done, or stopped with nothing that passed: both ended a search.
state() { [ -f "$journal" ] && "$bin/km-evaluate" trace status "$journal"; }
# What proposals are made from: no part of what a search leaves.
history=$folder/history.tsv
set --
[ -f "$folder/relatives.tsv" ] && set -- --relatives="$folder/relatives.tsv"
feedback=$folder/feedback.jsonl
[ -n "${KM_LLM_URL:-}${LLM:-}" ] && transcript=$folder/transcript.jsonl || transcript=
known=$(state)
[ $? -lt 128 ] || exit 137
case "$known" in done* | stopped*) rm -f "$history" "$feedback"; exit 0 ;; esac

while :; do
	"$bin/km-evaluate" trace history -o "$history" ${transcript:+--feedback="$feedback"} "$journal" || exit $?
	# Each generation is one batch; what a kill left unevaluated is evaluated first.
	generation=$(find "$folder/batches" -name '*.jsonl' | wc -l) && [ -n "$generation" ] || exit 137
	last=$(printf '%s/batches/%04d.jsonl' "$folder" $((generation - 1)))
	if [ "$generation" -gt 0 ] && [ ! -f "$last.done" ]; then
		next=$last
	else
		next=$(printf '%s/batches/%04d.jsonl' "$folder" "$generation")
		reason=$("$bin/km-generate" next --problem="$problem" --target="$target" --policy="$policy" --seed="$seed" \
			--history="$history" --generation="$generation" --evaluations="$evaluations" --seconds="$seconds" \
			--stall="$stall" --sol="$sol" --batch="$batch" ${LLM:+--llm="$LLM"} \
			${transcript:+--transcript="$transcript" --feedback="$feedback"} "$@" -o "$next")
		code=$?
		[ $code = 1 ] && break
		[ $code = 0 ] || exit $code
	fi
	"$bin/km-evaluate" run --problem="$problem" --target="$target" --journal="$journal" ${KM_CLOCK:+--clock="$KM_CLOCK"} \
		${KM_ATTEMPTS:+--attempts="$KM_ATTEMPTS"} ${transcript:+--exchanges="$transcript"} "$next" || exit $?
	publish "$next.done" </dev/null || exit 74
done
if [ "${KM_PAUSE:-}" ] && [ "${reason:-}" = evaluations ]; then
	rm -f "$history" "$feedback"
	exit 0
fi
"$bin/km-evaluate" finish --problem="$problem" --target="$target" --journal="$journal" --folder="$folder" --reason="${reason:-nothing to propose}" \
	${KM_CLOCK:+--clock="$KM_CLOCK"} ${transcript:+--exchanges="$transcript"}
code=$?
rm -f "$history" "$feedback"
exit $code
