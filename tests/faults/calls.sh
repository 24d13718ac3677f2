#!/bin/sh
# The n-th call fails, for every n: of open, read, write, fsync, fork, malloc, HDF5, ..., in the evaluator at work on
# two candidates that lie compiled in the cache, and in what packs their journal.  It must end well, or with a message
# and the exit code that says so; nothing may be left that cannot be read; the same command again must end well, with
# the undisturbed run's product, byte for byte.
#   calls.sh [small|large|every]      small: one n of each; large: every n, but of malloc in the evaluator every 4th
case "${1:-small}" in
small) most=1 malloc_stride=1 ;;
large) most=1000000 malloc_stride=4 ;;
*) most=1000000 malloc_stride=1 ;;
esac
ROOT=$(cd "${0%/*}/../.." && pwd)
BUILD=${BUILD:-$ROOT/build}
evaluate=$BUILD/bin/km-evaluate
dir=$(mktemp -d "${TMPDIR:-/tmp}/km-calls.XXXXXX") || exit 3
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir" || exit 3
export KM_CACHE="$dir/cache" KM_LOCK="$dir/lock" KM_FAULT_PROGRAM=km-evaluate KM_FAULT_LOG="$dir/log"
problem=relu/f32/M=4,N=64/t1
run="$evaluate run --problem=$problem --clock=model --journal=cell/journal batch.jsonl"
pack="$evaluate trace pack -o cell/traces.h5 cell/journal"
start=$(date +%s%N)
count=0 bad=0
fail() { echo "calls: $*: $(head -c 400 said | tr '\n' ' ')" >&2; bad=$((bad + 1)); }
mkdir cell
"$BUILD/bin/km-generate" next --problem=$problem --batch=2 -o batch.jsonl && $run && $pack >/dev/null || { echo 'calls: the undisturbed run failed' >&2; exit 3; }
mv cell whole

# try WHAT CALL N ERROR: one faulty run of the command in $WHAT; false when there is no N-th call
try() {
	rm -rf cell log
	mkdir cell
	[ "$1" = run ] || cp whole/journal* cell/
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
	[ ! -e cell/traces.h5 ] || cmp -s cell/traces.h5 whole/traces.h5 || fail "$1: $2 $3 $4: exit $code: another product"
	[ "$1" = pack ] || $run >out 2>said || fail "$1: $2 $3 $4: exit $code: no second run"
	$pack >out 2>said && cmp -s cell/traces.h5 whole/traces.h5 || { fail "$1: $2 $3 $4: exit $code: in the end another product"; [ -z "$KEEP" ] || cp -r cell "$KEEP/$2-$3-$4"; }
	left=$(find cell -name '*.tmp.*')
	[ -z "$left" ] || fail "$1: $2 $3 $4: left over: $left"
}

# all WHAT CALL FIRST STRIDE ERROR...: FIRST is where the small size begins, and ends
all() {
	what=$1 call=$2 first=$3 step=$4
	shift 4
	[ $most = 1 ] || first=1
	for error; do
		n=$first times=0
		while [ $times -lt $most ] && try $what $call $n $error; do
			n=$((n + step)) times=$((times + 1))
		done
	done
}

all run open 12 1 EMFILE EIO ENOSPC
all run read 40 1 EIO SHORT EINTR
all run write 40 1 EIO ENOSPC SHORT EINTR
all run mkdir 1 1 EIO
for call in fsync rename ftruncate; do all run $call 1 1 EIO; done
all run fdatasync 3 1 EIO ENOSPC
all run fallocate 1 1 ENOSPC EINTR
all run flock 1 1 EINTR
for call in pipe2 memfd_create; do all run $call 3 1 EMFILE; done
all run fork 2 1 EAGAIN ENOMEM
all run mmap 1 1 ENOMEM
all run malloc 2500 $malloc_stride ENOMEM
for call in open read write fsync rename; do all pack $call 1 1 EIO; done
all pack write 1 1 ENOSPC SHORT EINTR
all pack H5 700 1 EIO
all pack malloc 500 1 ENOMEM
awk -v n=$count -v bad=$bad -v ns=$(($(date +%s%N) - start)) 'BEGIN { printf "n-th calls that failed\t%d\t%d\t%.1f\n", n, bad, ns * 1e-9 }'
[ $bad = 0 ]
