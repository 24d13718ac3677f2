#!/bin/sh
# A key of a language model planted in the tests, and searched for in every byte that they wrote and in what processes showed:
# plain, reversed, in base64, in hexadecimal, as in an address.  SIZE=small: some tests; large: all of make check, or TESTS.
# Prints: what, files searched, files that hold it, seconds.
ROOT=$(cd "${0%/*}/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
KM_CANARY=$(mktemp -d) || exit 3
trap 'chmod -R u+w "$KM_CANARY" 2>/dev/null; rm -rf "$KM_CANARY"' EXIT
trap 'exit 130' INT TERM
mkdir "$KM_CANARY/tmp"
(umask 077; printf 'sk-canary-%s\n' "$(od -An -tx1 -N20 /dev/urandom | tr -d ' \n')" >"$KM_CANARY/key")
export BUILD KM_CANARY TMPDIR="$KM_CANARY/tmp" KM_LLM_KEY_FILE="$KM_CANARY/key" KM_LLM_URL=https://127.0.0.1:9/v1 KM_LLM_MODEL=nobody KM_LLM_TIMEOUT_S=1 KM_LLM_TRIES=1
case "${1:-$SIZE}" in
small) tests="$ROOT/tests/t2000-generate.sh $ROOT/tests/t4000-traces.sh" ;;
*) tests=${TESTS:-$(find "$BUILD/tests/unit" -type f -executable; ls "$ROOT"/tests/t[0-9]*.sh | grep -v t9500)} ;;
esac
start=$(date +%s)
# What the tests themselves find wrong is told by them; here it is noise.
"$ROOT/tests/run.sh" 2 $tests >"$KM_CANARY/log" 2>&1
code=$?
tail -n 1 "$KM_CANARY/log" >&2
/usr/bin/python3 "$ROOT/tests/llm/canary.py" "$KM_CANARY/key" "$KM_CANARY" - >>"$KM_CANARY/found" 2>>"$KM_CANARY/scanned"
files=$(awk '{ n += $1 } END { print n + 0 }' "$KM_CANARY/scanned")
cat "$KM_CANARY/found" >&2
# The search sees: the key, planted, is found.
cp "$KM_CANARY/key" "$KM_CANARY/tmp/planted"
/usr/bin/python3 "$ROOT/tests/llm/canary.py" "$KM_CANARY/key" "$KM_CANARY/tmp" >/dev/null 2>&1 && { echo 'canary: error: the search is blind' >&2; exit 1; }
printf 'key canary, files\t%d\t%d\t%d\n' "$files" "$(sort -u "$KM_CANARY/found" | wc -l)" $(($(date +%s) - start))
[ ! -s "$KM_CANARY/found" ] && [ "$files" -gt 20 ] && { [ $code = 0 ] || [ "${1:-$SIZE}" = large ]; }
