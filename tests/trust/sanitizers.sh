#!/bin/sh
# The test suite, with tools, libraries and tests built for AddressSanitizer and UBSan (make DEV=1): a program fails that
# fails, or that leaves a report.  What cannot run there:
#   t9500   these batteries themselves; those of tests/faults make calls fail beneath the sanitizers' own
#   t1010   PyTorch's process, into which a sanitized library cannot be loaded
#   'plain' checks of others  which load or link what is built without them
# ONLY='judge|t2100' runs some.
# Candidates are compiled as ever: of a worker it is the tools' own part that is looked at.
. "${0%/*}/../lib.sh"
if [ "$SIZE" != large ]; then
	echo 'sanitizers: everything is built anew for them: at full size alone' >&2
	printf 'test programs under sanitizers\t0\t0\t0\n'
	exit 0
fi
start=$(date +%s)
jobs=$(nproc)
make -s -C "$ROOT" DEV=1 -j"$jobs" all unit >&2 || exit 3
export BUILD="$ROOT/build-dev" TEST_SECONDS=1200 SANITIZED=1
# Whoever is under observation writes there.
reports=$(mktemp -d "${TMPDIR:-/tmp}/km-reports.XXXXXX") && chmod 1777 "$reports" || exit 3
trap 'rm -rf "$SCRATCH" "$reports"' EXIT
export ASAN_OPTIONS="log_path=$reports/report:disable_coredump=0" UBSAN_OPTIONS="log_path=$reports/report:print_stacktrace=1"
programs=$(cd "$ROOT" && for source in tests/unit/*/*.c; do echo "$BUILD/${source%.c}"; done; ls tests/t[0-9]*.sh | grep -v -e t9500 -e t1010)
[ -z "$ONLY" ] || programs=$(echo "$programs" | grep -E "$ONLY")
# shellcheck disable=SC2086
(cd "$ROOT" && PATH=${PATH#"$BIN:"} tests/run.sh "$jobs" $programs) >run
grep -v '^ok' run >&2
failed=$(grep -c '^FAIL' run)
# Warnings, as of stacks that candidates left, are none.
told=$(grep -l -E 'ERROR: |runtime error: ' "$reports"/* 2>/dev/null)
for report in $told; do head -n 12 "$report" >&2; done
bad=$((failed + $(echo "$told" | grep -c .)))
printf 'test programs under sanitizers\t%d\t%d\t%d\n' "$(echo "$programs" | wc -l)" $bad $(($(date +%s) - start))
[ $bad = 0 ]
