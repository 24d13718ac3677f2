#!/bin/sh
# Disks that are full, out of inodes or read-only, under a search of one cell and what packs it: it stops with a
# message and the exit code that says so, leaves nothing half written, and with room again the same command ends with
# the undisturbed search's product, byte for byte.
#   disk.sh [small|large|COUNT]
case "${1:-small}" in small) wanted=6 ;; large) wanted=100 ;; *) wanted=$1 ;; esac
ROOT=$(cd "${0%/*}/../.." && pwd)
BIN=${BUILD:-$ROOT/build}/bin
dir=$(mktemp -d "${TMPDIR:-/tmp}/km-disk.XXXXXX") || exit 3
trap 'umount "$dir/disk" 2>/dev/null; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
start=$(date +%s%N)
count=0 bad=0
finish() {
	awk -v n=$count -v bad=$bad -v ns=$(($(date +%s%N) - start)) 'BEGIN { printf "disks full, read-only or out of inodes\t%d\t%d\t%.1f\n", n, bad, ns * 1e-9 }'
	[ $bad = 0 ]
	exit
}
mkdir "$dir/disk" "$dir/whole"
mount -t tmpfs -o size=1m none "$dir/disk" 2>/dev/null || { echo 'disk: skipped: cannot mount a small disk here' >&2; finish; }
umount "$dir/disk"
export KM_CLOCK=model KM_CACHE="$dir/cache" KM_LOCK="$dir/lock"
problem=relu/f32/M=4,N=64/t1
search() { sh "$ROOT/scripts/search.sh" "$BIN" "$1" $problem native greedy 1 8 0 0 0.97 4; }
pack() { "$BIN/km-evaluate" trace pack -o "$1/traces.h5" "$1"; }
fail() { echo "disk: $kind: $*: $(head -c 400 "$dir/said" | tr '\n' ' ')" >&2; bad=$((bad + 1)); }
search "$dir/whole" && pack "$dir/whole" >/dev/null || { echo 'disk: the undisturbed search failed' >&2; exit 3; }
need=$(du -sk "$dir/whole" | cut -f 1)
seed=7
draw() { seed=$(((seed * 1103515245 + 12345) % 2147483648)); drawn=$((seed / 8 % $1)); }

# ends CODE: is it an end with a message?
ends() {
	case $1 in
	0) ;;
	1 | 3 | 74) grep -q -E ': (error|fatal|warning): |No space|Read-only|[Cc]annot' "$dir/said" || fail "exit $1 without a message" ;;
	*) fail "exit $1" ;;
	esac
}
whole() { [ ! -e "$dir/disk/traces.h5" ] || "$BIN/km-evaluate" trace validate "$dir/disk/traces.h5" >"$dir/said" 2>&1 || fail "$1"; }

while [ $count -lt "$wanted" ]; do
	count=$((count + 1))
	case $((count % 3)) in
	0) kind="read-only after a while" options=size=64m ;;
	1)
		draw $((need + 400))
		kind="full at $drawn KiB" options=size=$((drawn + 4))k
		;;
	2)
		draw 16
		kind="$((drawn + 2)) inodes" options=size=64m,nr_inodes=$((drawn + 2))
		;;
	esac
	mount -t tmpfs -o "$options" none "$dir/disk" || { fail 'cannot mount'; break; }
	if [ $((count % 3)) = 0 ]; then
		draw 12
		search "$dir/disk" >"$dir/said" 2>&1 &
		pid=$!
		sleep "0.$((drawn / 10))$((drawn % 10))"
		mount -o remount,ro "$dir/disk" 2>/dev/null || umount_later=1 # busy with what is being written: then it is full
		[ -z "$umount_later" ] || mount -o remount,size=4k "$dir/disk" 2>/dev/null
		umount_later=
		wait $pid
	else
		search "$dir/disk" >"$dir/said" 2>&1
	fi
	ends $?
	pack "$dir/disk" >"$dir/said" 2>&1
	ends $?
	whole 'a product cut short'
	mount -o remount,rw,size=64m,nr_inodes=10000 "$dir/disk" || { fail 'cannot make room'; umount "$dir/disk"; continue; }
	search "$dir/disk" >"$dir/said" 2>&1 || fail "with room again: exit $?"
	pack "$dir/disk" >"$dir/said" 2>&1 || fail "with room again, packing: exit $?"
	cmp -s "$dir/disk/traces.h5" "$dir/whole/traces.h5" || fail 'in the end another product'
	left=$(find "$dir/disk" -name '*.tmp.*')
	[ -z "$left" ] || fail "left over: $left"
	umount "$dir/disk" || { sleep 1; umount "$dir/disk"; } || break
done
finish
