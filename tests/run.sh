#!/bin/sh
# Runs TAP programs and says "N passed, N failed, N skipped" at the end.
#   tests/run.sh JOBS program...
# A program fails when a line says "not ok", when its exit code is not 0, or when
# its plan (1..N) is missing or wrong.  Each has 600 s (TEST_SECONDS).
jobs=$1
shift

run_one() {
	name=$(echo "$1" | tr '/' '_')
	start=$(date +%s)
	timeout -k 5 "${TEST_SECONDS:-600}" "$1" >"$RESULTS/$name.out" 2>"$RESULTS/$name.err" </dev/null
	code=$?
	awk -v code=$code -v program="$1" -v seconds=$(($(date +%s) - start)) '
		/^ok /     { passed++; if (/# SKIP/) skipped++ }
		/^not ok / { failed++ }
		/^1\.\.[0-9]+/ { split($1, p, "[.][.]"); plan = p[2]; has_plan = 1 }
		END {
			if (code == 124) { print "timed out" > "/dev/stderr"; failed++ }
			else if (!has_plan || plan != passed + failed) { failed++; print "plan missing or wrong, exit code " code > "/dev/stderr" }
			else if (code != 0 && !failed) { failed++; print "exit code " code > "/dev/stderr" }
			printf "%d %d %d %d %s\n", passed, failed, skipped, seconds, program
		}' "$RESULTS/$name.out" >"$RESULTS/$name.count" 2>>"$RESULTS/$name.err"
	read -r p f s t program <"$RESULTS/$name.count"
	[ "$f" = 0 ] && word=ok || word=FAIL
	{
		printf '%-5s %s: %d passed, %d failed, %d skipped, %d s\n' $word "$program" $((p - s)) "$f" "$s" "$t"
		grep '# SKIP' "$RESULTS/$name.out" | sed 's/^/      /' | head -n 5
		if [ "$f" != 0 ]; then
			grep -A 22 '^not ok' "$RESULTS/$name.out" | head -n 120 | sed 's/^/      /'
			tail -n 15 "$RESULTS/$name.err" | sed 's/^/      stderr: /'
		fi
	} >"$RESULTS/$name.report"
	cat "$RESULTS/$name.report"
}

if [ "$jobs" = one ]; then # called below, for one program
	run_one "$1"
	exit 0
fi
RESULTS=$(mktemp -d) || exit 3
export RESULTS
trap 'rm -rf "$RESULTS"' EXIT
trap 'exit 130' INT TERM
printf '%s\n' "$@" | xargs -P "$jobs" -I {} sh "$0" one {}
cat "$RESULTS"/*.count 2>/dev/null | awk '{ p += $1; f += $2; s += $3 } END {
	printf "%d passed, %d failed, %d skipped\n", p - s, f, s; exit f > 0 || p == 0 }'
