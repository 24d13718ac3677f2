#!/bin/sh
# Runs parsers under libFuzzer, one after another: fuzz.sh SECONDS NAME...  (BUILD, FUZZ_BUILD: see tests/tests.mk)
# Prints TSV: what, executions, bad, seconds.  What ended one is kept in FUZZ_BUILD/found/, what it learned in
# FUZZ_BUILD/learned/, from where the next run goes on.
seconds=$1
shift
bad=0
for name; do
	seeds=$FUZZ_BUILD/seeds/$name learned=$FUZZ_BUILD/learned/$name found=$FUZZ_BUILD/found
	mkdir -p "$seeds" "$learned" "$found" && "$BUILD/tests/fuzz/$name" --seeds "$seeds" || exit 3
	start=$(date +%s)
	"$FUZZ_BUILD/tests/fuzz/$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$found/$name-" "$learned" "$seeds" >"$found/$name.log" 2>&1
	code=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/$name.log")
	printf 'fuzz %s\t%s\t%d\t%d\n' "$name" "${runs:-0}" $((code != 0)) $(($(date +%s) - start))
	[ $code = 0 ] || { bad=1; grep -E -m 3 'ERROR|SUMMARY|runtime error' "$found/$name.log" >&2; echo "fuzz: $name: see '$found/$name.log'" >&2; }
done
exit $bad
