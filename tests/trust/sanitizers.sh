#!/bin/sh
# The test suite, with tools, libraries and tests built for AddressSanitizer and UBSan (make DEV=1): a program fails that
# fails, or that leaves a report.  What cannot run there:
#   t9500   these batteries themselves; those of tests/faults make calls fail beneath the sanitizers' own
#   t1010   PyTorch's process, into which a sanitized library cannot be loaded
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
export BUILD="$ROOT/build-dev" TEST_SECONDS=1200
export ASAN_OPTIONS="log_path=$SCRATCH/report:disable_coredump=0" UBSAN_OPTIONS="log_path=$SCRATCH/report:print_stacktrace=1"
programs=$(cd "$ROOT" && for source in tests/unit/*/*.c; do echo "$BUILD/${source%.c}"; done; ls tests/t[0-9]*.sh | grep -v -e t9500 -e t1010)
# shellcheck disable=SC2086
(cd "$ROOT" && PATH=${PATH#"$BIN:"} tests/run.sh "$jobs" $programs) >run
grep -v '^ok' run >&2
failed=$(grep -c '^FAIL' run)
reports=$(find . -maxdepth 1 -name 'report.*' | wc -l)
for report in report.*; do [ ! -f "$report" ] || head -n 12 "$report" >&2; done
printf 'test programs under sanitizers\t%d\t%d\t%d\n' "$(echo "$programs" | wc -l)" $((failed + reports)) $(($(date +%s) - start))
[ $((failed + reports)) = 0 ]
