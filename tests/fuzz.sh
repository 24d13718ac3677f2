#!/bin/sh
# Runs parsers under libFuzzer: fuzz.sh SECONDS NAME...  (BUILD, FUZZ_BUILD: see tests/tests.mk)
# FUZZ_BESIDE parsers [1] at a time, FUZZ_JOBS processes [1] of each, which learn from one another and share its SECONDS.
# Prints TSV: what, executions, bad, seconds, the sum of the processes'.  What ended one is kept in FUZZ_BUILD/found/, what it
# learned in FUZZ_BUILD/learned/, from where the next run goes on.
seconds=$1
shift
jobs=${FUZZ_JOBS:-1}
if [ "$1" = --one ]; then # called below, for one parser
	name=$2
	seeds=$FUZZ_BUILD/seeds/$name learned=$FUZZ_BUILD/learned/$name found=$FUZZ_BUILD/found
	mkdir -p "$seeds" "$learned" "$found" && "$BUILD/tests/fuzz/$name" --seeds "$seeds" || exit 3
	start=$(date +%s) pids= bad=0 job=0
	while [ $job -lt "$jobs" ]; do
		job=$((job + 1))
		"$FUZZ_BUILD/tests/fuzz/$name" -max_total_time=$((seconds / jobs)) -timeout=5 -rss_limit_mb=2048 -reload=1 -print_final_stats=1 \
			-artifact_prefix="$found/$name-" "$learned" "$seeds" >"$found/$name.$job.log" 2>&1 &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid" || bad=$((bad + 1)); done
	printf 'fuzz %s\t%d\t%d\t%d\n' "$name" "$(cat "$found/$name".*.log | awk '/^stat::number_of_executed_units:/ { n += $2 } END { print n + 0 }')" $bad $((($(date +%s) - start) * jobs))
	[ $bad = 0 ] || { grep -h -E -m 3 'ERROR|SUMMARY|runtime error' "$found/$name".*.log >&2; echo "fuzz: $name: see '$found/$name.*.log'" >&2; exit 1; }
	exit 0
fi
printf '%s\n' "$@" | xargs -P "${FUZZ_BESIDE:-1}" -I {} sh "$0" "$seconds" --one {}
