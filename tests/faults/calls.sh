#!/bin/sh
# The n-th call fails, for every n: of open, read, write, fsync, fork, malloc, HDF5, ..., in the evaluator at work on
# two candidates that lie compiled in the cache, and in what packs their journal.  It must end well, or with a message
# and the exit code that says so; nothing may be left that cannot be read; the same command again must end well, with
# the undisturbed run's product, byte for byte.
#   calls.sh [small|large|every]      small: one n of each; large: every n, but of malloc in the evaluator every 4th;
#                                     ONLY="run (open|write)": some
ROOT=$(cd "${0%/*}/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
if [ -n "$KM_CALLS" ]; then # called below, for one call and one error: WHAT CALL FIRST STRIDE ERROR
	cd "$KM_CALLS" && own=$(mktemp -d "$KM_CALLS/$1-$2.XXXXXX") && cp -r cache batch.jsonl "$own" && cd "$own" || exit 3
else
	size=${1:-small}
	own=$(mktemp -d "${TMPDIR:-/tmp}/km-calls.XXXXXX") || exit 3
	trap 'rm -rf "$own"' EXIT
	trap 'exit 130' INT TERM
	cd "$own" || exit 3
fi
evaluate=$BUILD/bin/km-evaluate
export KM_CACHE="$own/cache" KM_LOCK="$own/lock" KM_FAULT_PROGRAM=km-evaluate KM_FAULT_LOG="$own/log"
problem=relu/f32/M=4,N=64/t1
run="$evaluate run --problem=$problem --clock=model --journal=cell/journal batch.jsonl"
pack="$evaluate trace pack -o cell/traces.h5 cell/journal"
whole=$KM_CALLS/whole
count=0 bad=0

fail() { echo "calls: $*: $(head -c 400 said | tr '\n' ' ')" >&2; bad=$((bad + 1)); }

# try WHAT CALL N ERROR: one faulty run of the command in $WHAT; false when there is no N-th call
try() {
	rm -rf cell log
	mkdir cell
	[ "$1" = run ] || cp $whole/journal* cell/
	[ "$1" = run ] && command=$run || command=$pack
	KM_FAULT=$2:$3:$4 LD_PRELOAD=$BUILD/lib/libfault.so timeout -k 1 60 $command >out 2>said
	code=$?
	# A process that ended by _exit or a signal wrote no log: then it had come.
	[ "$(cut -f 2 log 2>/dev/null)" = 0 ] && return 1
	count=$((count + 1))
	case $code in
	0) ;;
	1 | 3 | 74 | 78) grep -q -E '^km-evaluate: (error|fatal): ' said || fail "$1: $2 $3 $4: exit $code without a message" ;;
	*) fail "$1: $2 $3 $4: exit $code" ;;
	esac
	[ ! -s cell/journal ] || "$evaluate" trace ls cell/journal >/dev/null 2>said || fail "$1: $2 $3 $4: exit $code: the journal cannot be read"
	[ ! -e cell/traces.h5 ] || cmp -s cell/traces.h5 $whole/traces.h5 || fail "$1: $2 $3 $4: exit $code: another product"
	[ "$1" = pack ] || $run >out 2>said || fail "$1: $2 $3 $4: exit $code: no second run"
	$pack >out 2>said && cmp -s cell/traces.h5 $whole/traces.h5 || { fail "$1: $2 $3 $4: exit $code: in the end another product"; [ -z "$KEEP" ] || cp -r cell "$KEEP/$2-$3-$4"; }
	left=$(find cell -name '*.tmp.*')
	[ -z "$left" ] || fail "$1: $2 $3 $4: left over: $left"
}

if [ -n "$KM_CALLS" ]; then
	n=$3
	while try "$1" "$2" "$n" "$5"; do
		n=$((n + $4))
		[ "$4" = 0 ] && break
	done
	echo "$count $bad"
	exit 0
fi

start=$(date +%s%N)
mkdir cell
"$BUILD/bin/km-generate" next --problem=$problem --batch=2 -o batch.jsonl && $run && $pack >/dev/null || { echo 'calls: the undisturbed run failed' >&2; exit 3; }
mv cell whole
# The program, the call, which one is the small size's, the errors; at full size all, by four processes, each every fourth.
awk -v size="$size" '{
	stride = size == "large" && $1 $2 == "runmalloc" ? 4 : 1
	for (e = 4; e <= NF; e++)
		if (size == "small") print $1, $2, $3, 0, $e
		else for (k = 0; k < 4; k++) print $1, $2, 1 + k * stride, 4 * stride, $e
}' <<END | grep -E "${ONLY:-.}" >calls
run open 12 EMFILE EIO ENOSPC
run read 40 EIO SHORT EINTR
run write 40 EIO ENOSPC SHORT EINTR
run mkdir 1 EIO
run fsync 1 EIO
run rename 1 EIO
run ftruncate 1 EIO
run fdatasync 3 EIO ENOSPC
run fallocate 1 ENOSPC EINTR
run flock 1 EINTR
run pipe2 3 EMFILE
run memfd_create 3 EMFILE
run fork 2 EAGAIN ENOMEM
run mmap 1 ENOMEM
run malloc 2500 ENOMEM
pack open 1 EIO
pack read 1 EIO
pack write 1 EIO
pack fsync 1 EIO
pack rename 1 EIO
pack write 1 ENOSPC SHORT EINTR
pack H5 700 EIO
pack malloc 500 ENOMEM
END
KM_CALLS=$own xargs -P "$(nproc)" -L 1 "$ROOT/tests/faults/calls.sh" <calls >counts
awk -v ns=$(($(date +%s%N) - start)) '{ n += $1; bad += $2 } END { printf "n-th calls that failed\t%d\t%d\t%.1f\n", n, bad, ns * 1e-9; exit bad > 0 || !n }' counts
