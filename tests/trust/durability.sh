#!/bin/sh
# Nothing acknowledged is lost: the batteries of tests/faults, one after another.
ROOT=$(cd "${0%/*}/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
export BUILD
failed=0
for source in "$ROOT"/tests/faults/*.c "$ROOT"/tests/faults/*.sh; do
	name=$(basename "$source")
	case "$name" in
	*.c) battery=$BUILD/tests/faults/${name%.c} ;;
	*) battery=$source ;;
	esac
	[ -x "$battery" ] || continue
	"$battery" "${SIZE:-small}" || { failed=1; echo "$name: bad" >&2; }
done
exit $failed
