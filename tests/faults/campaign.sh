#!/bin/sh
# kill -9 of any process of a campaign: the driver, the generator, the evaluator, its workers, its compilers, what
# packs.  One cell is searched under --clock=model; a process of a kind drawn at random is killed at a random
# instant, and the same command is given again until the search ends.  No trial that was on record may be lost, and
# the product must be the undisturbed search's, byte for byte.
#   campaign.sh [small|large|KILLS]
case "${1:-small}" in small) kills=6 ;; large) kills=500 ;; *) kills=$1 ;; esac
ROOT=$(cd "${0%/*}/../.." && pwd)
BIN=${BUILD:-$ROOT/build}/bin
dir=$(mktemp -d "${TMPDIR:-/tmp}/km-campaign.XXXXXX") || exit 3
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir "$dir/tmp"
# What the kills are charged with is not the candidates' doing.
export KM_CLOCK=model KM_ATTEMPTS=1000000 KM_LOCK="$dir/lock" TMPDIR="$dir/tmp"
problem=softmax/f32/R=64,C=300/t1
journal=softmax-f32-R=64,C=300-t1/journal
start=$(date +%s%N)
bad=0
fail() { echo "$*" >&2; bad=$((bad + 1)); }
search() { exec sh "$ROOT/scripts/search.sh" "$BIN" "$1" $problem native greedy 1 18 0 0 0.97 6; }
history() { "$BIN/km-evaluate" trace history "$1/$journal" 2>/dev/null | cut -f 1 | tail -n +2; }

export KM_CACHE="$dir/whole-cache"
mkdir "$dir/whole"
(search "$dir/whole") && "$BIN/km-evaluate" trace pack -o "$dir/whole.h5" "$dir/whole" >/dev/null || { echo "campaign: the undisturbed search failed" >&2; exit 3; }
whole_ms=$((($(date +%s%N) - start) / 1000000))

seed=1
# draw N: 0..N-1
draw() { seed=$(((seed * 1103515245 + 12345) % 2147483648)); drawn=$((seed / 8 % $1)); }
nap() { sleep "$(awk -v ms="$1" 'BEGIN { printf "%.3f", ms / 1000 }')"; }

# victim ROOT KIND: a process of that kind below ROOT, or ROOT, drawn at random; nothing when there is none
victim() {
	draw 1000
	ps -e -o pid=,ppid=,comm= | awk -v root="$1" -v kind="$2" -v draw="$drawn" '
		{ parent[$1] = $2; name[$1] = $3 }
		function is_below(p, n) { for (n = 0; p > 1 && n < 30; n++) { if (p == root) return 1; p = parent[p] } return 0 }
		END {
			for (p in name) if (name[p] ~ "^" kind && is_below(p)) of[n++] = p
			if (n) print of[draw % n]
		}'
}

# kinds: as ps calls them
kind_of() { case $1 in 0) echo sh ;; 1) echo km-generate ;; 2) echo km-evaluate ;; 3) echo km-worker ;; *) echo clang ;; esac; }

done_kills=0 run=0
while [ $done_kills -lt "$kills" ] && [ $bad -lt 10 ]; do
	run=$((run + 1))
	cell=$dir/cell$run
	rm -rf "$dir/cache" && mkdir "$cell"
	export KM_CACHE="$dir/cache"
	tries=0 here=0
	while :; do
		tries=$((tries + 1))
		[ $tries -gt 400 ] && { fail "campaign $run does not end"; break; }
		search "$cell" >"$dir/said" 2>&1 &
		pid=$!
		while [ $here -lt 10 ] && [ $done_kills -lt "$kills" ] && kill -0 $pid 2>/dev/null; do
			draw 5
			kind=$(kind_of "$drawn")
			draw $((whole_ms / 4 + 1))
			nap "$drawn"
			history "$cell" >"$dir/before"
			polls=0
			while v=$(victim $pid "$kind"); [ -z "$v" ] && [ $polls -lt 40 ] && kill -0 $pid 2>/dev/null; do
				polls=$((polls + 1))
			done
			[ "$v" ] && kill -9 "$v" 2>/dev/null || continue
			done_kills=$((done_kills + 1))
			here=$((here + 1))
			echo "$kind" >>"$dir/kinds"
			history "$cell" | grep -v -x -F -f - "$dir/before" >"$dir/lost" 2>/dev/null && fail "campaign $run, kill $done_kills of $kind: trials lost: $(tr '\n' ' ' <"$dir/lost")"
		done
		wait $pid 2>/dev/null
		code=$?
		case $code in
		0) break ;;
		137) ;;
		*) grep -q -E 'Killed|being written by another|run it again|was killed|cannot|sandbox' "$dir/said" || fail "campaign $run: exit $code: $(cat "$dir/said")" ;;
		esac
		# An evaluator whose driver was killed goes on alone, and holds the journal.
		nap 100
	done
	for i in 1 2 3; do
		"$BIN/km-evaluate" trace pack -o "$dir/traces.h5" "$cell" >/dev/null 2>&1 &
		pid=$!
		draw 40
		nap "$drawn"
		kill -9 $pid 2>/dev/null && done_kills=$((done_kills + 1)) && echo packer >>"$dir/kinds"
		wait $pid 2>/dev/null
		[ ! -e "$dir/traces.h5" ] || cmp -s "$dir/traces.h5" "$dir/whole.h5" || fail "campaign $run: a product cut short"
	done
	"$BIN/km-evaluate" trace pack -o "$dir/traces.h5" "$cell" >/dev/null || fail "campaign $run: cannot pack"
	cmp "$dir/traces.h5" "$dir/whole.h5" >&2 || { fail "campaign $run: another product"; "$BIN/km-evaluate" trace ls "$dir/whole" >"$dir/a"; "$BIN/km-evaluate" trace ls "$cell" | diff "$dir/a" - | head -5 >&2; [ -z "$KEEP" ] || cp -r "$cell" "$KEEP"; }
	left=$(find "$cell" "$dir" -maxdepth 4 -name '*.tmp.*' -path "$cell*" -o -maxdepth 1 -name 'traces.h5.tmp.*' | head -3)
	[ -z "$left" ] || fail "campaign $run: left over: $left"
	rm -rf "$cell" "$dir/traces.h5"
done
sort "$dir/kinds" | uniq -c | awk '{ printf "# killed: %s %d\n", $2, $1 }' >&2
awk -v n=$done_kills -v bad=$bad -v ns=$(($(date +%s%N) - start)) 'BEGIN { printf "processes of a campaign killed\t%d\t%d\t%.1f\n", n, bad, ns * 1e-9 }'
[ $bad = 0 ]
