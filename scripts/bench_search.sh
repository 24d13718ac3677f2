#!/bin/sh
# What policies reach on the measured spaces of tests/spaces; whole tables are kept in SEARCH_OUT.
#   bench_search.sh       (BIN: the tools; REPEATS, BUDGET, BATCH of replays; POLICIES, the first compared with the others)
#   PARTS="cold warm names race tuners time" some; TUNER_REPEATS, STRATEGIES: of Kernel Tuner's, installed from PyPI
set -u
bin=${BIN:?} here=$(dirname "$0") out=${SEARCH_OUT:-out/search}
repeats=${REPEATS:-100} budget=${BUDGET:-300} batch=${BATCH:-8}
policies=${POLICIES:-portfolio,kriging,model,mcts,genetic,greedy,random}
parts=${PARTS:-cold warm names race tuners time}
mkdir -p "$out" || exit 74
spaces= warm=
for space in "$here"/../tests/spaces/*.json.gz; do
	case $space in *_T4.json.gz) continue ;; esac
	spaces="$spaces $space" warm="$warm --warm=$space"
done
# Of a whole table what is over all spaces.
over_all() { awk -F'\t' 'NR == 1 || $2 == "all" || $2 ~ /^worst=/' "$1"; }
replay() { "$bin/km-generate" replay $spaces --budget="$budget" --batch="$batch" --repeats="$repeats" "$@"; }

for part in $parts; do
	case $part in
	cold)
		echo "# cold: $policies, $repeats searches a space, batches of $batch; time: compile and all samples included, in units of an evaluation's mean"
		replay -v --policy="$policies" >"$out/cold.tsv" || exit $?
		over_all "$out/cold.tsv"
		;;
	warm)
		echo "# warm: told the five best points of each of the three other devices"
		replay --policy="${policies%%,*}" $warm >"$out/warm.tsv" || exit $?
		over_all "$out/warm.tsv"
		;;
	names)
		echo "# names: the same searches with knobs and values under other names (the order of a knob's values kept); then with knobs in another order and the values of some turned round"
		replay --policy="${policies%%,*}" --points --repeats=10 >"$out/points" && replay --policy="${policies%%,*}" --points --repeats=10 --hash-names >"$out/points.hashed" || exit $?
		cmp -s "$out/points" "$out/points.hashed" && echo "names	the same" || echo "names	differ"
		replay --policy="${policies%%,*}" --shuffle=1 >"$out/shuffled.tsv" || exit $?
		over_all "$out/shuffled.tsv" | grep -v '^time'
		;;
	race)
		echo "# race: recorded samples in their order, one or two to begin with"
		"$bin/km-evaluate" replay-race --first=1 --races="$repeats" $spaces && "$bin/km-evaluate" replay-race --first=2 --races="$repeats" $spaces || exit $?
		;;
	tuners)
		echo "# tuners: Kernel Tuner's strategies at their own settings; then ${policies%%,*} less each"
		environment=$HOME/.cache/kernelmill/kernel-tuner
		"$here/kernel_tuner.sh" "$environment" || exit $?
		[ -f "$out/cold.tsv" ] || replay --policy="${policies%%,*}" >"$out/cold.tsv" || exit $?
		OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$environment/bin/python" "$here/tuner_strategies.py" ${STRATEGIES:+--strategy="$STRATEGIES"} --budget="$budget" \
			--repeats="${TUNER_REPEATS:-$repeats}" --beside="$out/cold.tsv" $spaces >"$out/tuners.tsv" || exit $?
		over_all "$out/tuners.tsv"
		;;
	time)
		echo "# time: 64 proposals from a history of 10000 trials"
		"$bin/../tests/unit/generate/policies" | sed -n 's/^[no t]*ok [0-9]* - \([a-z]*\): 64 candidates from a history of 10000 in \([0-9.]*\) ms.*/\1	\2	ms/p'
		;;
	esac
done
