#!/bin/sh
# Runs the trust batteries and keeps what they counted.
#   tests/trust.sh SIZE RESULTS [PART...]     SIZE: small or large; RESULTS: a file of rows, '' to keep none;
#                                             PART: their names, all by default
#   tests/trust.sh list                       the names; program NAME: its path
# A part is an executable tests/trust/NAME.sh, tests/faults/NAME.sh or .py, or a program of tests/faults/NAME.c.  It is given
# SIZE as its argument and in its environment, prints a line
#   what<TAB>count<TAB>bad<TAB>seconds
# for each thing it counted, talks on stderr, and exits 0 when all that is bad is within what it allows.
# tests/t9500-trust.sh runs the same at SIZE=small.  Exit 1 when a part failed.
here=$(cd "${0%/*}" && pwd)
. "$here/../scripts/publish.sh"
BUILD=${BUILD:-$here/../build}
export BUILD
# The program of a part.
program() {
	for at in "$here/trust/$1.sh" "$here/faults/$1.sh" "$here/faults/$1.py" "$BUILD/tests/faults/$1"; do
		[ -x "$at" ] && echo "$at" && return
	done
	echo "trust: error: no part '$1' in tests/trust or tests/faults" >&2
	return 2
}
list() { for part in "$here"/trust/*.sh "$here"/faults/*.[cp]* "$here"/faults/*.sh; do basename "${part%.*}"; done; }
[ "$1" = list ] && { list; exit; }
[ "$1" = program ] && { program "$2"; exit; }
size=$1 results=$2
shift 2
case "$size" in small | large) ;; *) echo "trust: error: SIZE is small or large, not '$size'" >&2; exit 2 ;; esac
[ $# = 0 ] && set -- $(list)
rows=$(mktemp -d) || exit 3
trap 'rm -rf "$rows"' EXIT
trap 'exit 130' INT TERM
machine="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors"
failed=0
for part; do
	run=$(program "$part") || exit
	SIZE=$size "$run" "$size" >"$rows/part" || { failed=1; echo "FAIL  $part" >&2; }
	cat "$rows/part"
	awk -F '\t' -v OFS=' | ' -v size="$size" -v part="$part" -v date="$(date +%F)" -v machine="$machine" \
		'NF == 4 { print "| " $1, size, $2, $3, $4, date, machine, "`make check-trust SIZE=" size " PARTS=" part "` |" }' "$rows/part" >>"$rows/new"
done
[ -z "$results" ] && exit $failed
# A row is told by what was counted and the size: later ones take the place of earlier ones.
title='| what | size | count | bad | seconds | date | machine | command |'
grep -h '^| .* `make check-trust' "$results" "$rows/new" 2>/dev/null | awk -F ' [|] ' '{ row[$1 FS $2] = $0 } END { for (k in row) print row[k] }' | LC_ALL=C sort >"$rows/all"
{
	printf '# What the trust batteries counted\n\nWritten by `make check-trust`; each row by the command in it. "bad" is what must be 0, or within the limit its part names.\n\n'
	printf '%s\n|---|---|---:|---:|---:|---|---|---|\n' "$title"
	cat "$rows/all"
} | publish "$results" || exit 74
exit $failed
