#!/bin/sh
# The tools under valgrind: a small campaign from proposals to report, of candidates compiled for x86-64-v3 (valgrind knows
# no AVX-512).  A report, or a command that ends otherwise than it does without valgrind, is bad.  Candidates themselves run
# in their boxes, where valgrind is not; boxes are started, watched and ended by what it watches.
. "${0%/*}/../lib.sh"
target=x86-avx2
if ! command -v valgrind >/dev/null || ! grep -q -w avx2 /proc/cpuinfo; then
	echo "valgrind: not here: nothing is counted" >&2
	printf 'commands reported by valgrind\t0\t0\t0\n'
	exit 0
fi
[ "$SIZE" = large ] && problems='relu/f32/M=64,N=1024/t1 softmax/f32/R=64,C=1024/t1 matmul/f32/M=64,N=64,K=64/t1 sum/f32/M=64,K=1024/t1 layer_norm/f32/R=64,C=1024/t1 conv2d/f32/N=1,C=3,H=16,W=16,O=4,I=3,J=3/t1' batch=6 ||
	problems='relu/f32/M=64,N=1024/t1' batch=2
start=$(date +%s)
count=0 bad=0
# watched CODE COMMAND...: must end with that code, and with no report
watched() {
	want=$1
	shift
	count=$((count + 1))
	valgrind -q --error-exitcode=99 --log-file="$SCRATCH/log.$count.%p" "$@" >/dev/null 2>"$SCRATCH/words"
	got=$?
	if [ $got != "$want" ] || grep -l -E '^==[0-9]+== +(Invalid|Syscall|Conditional|Use of|Source|Mismatched|[0-9,]+ bytes)' "$SCRATCH"/log.$count.* >&2; then
		bad=$((bad + 1))
		echo "valgrind: exit $got: $*" >&2
		cat "$SCRATCH/words" "$SCRATCH"/log.$count.* | grep -v -i -e unhandled -e 'You may be able' -e 'README_' -e Nevertheless -e 'valgrind.org' | head -n 30 >&2
	fi
}
for problem in $problems; do
	km-generate space --problem="$problem" --target=$target >/dev/null 2>&1 || continue
	cell=out/cells/$target/$(echo "$problem" | cut -d/ -f1)/$(echo "$problem" | tr / -)
	mkdir -p "$cell"
	watched 0 km-generate next --problem="$problem" --target=$target --batch=$batch -o batch.jsonl
	watched 0 km-evaluate run --problem="$problem" --target=$target --clock=model --allow-unsafe --journal="$cell/journal" batch.jsonl
	watched 0 km-evaluate finish --problem="$problem" --target=$target --clock=model --journal="$cell/journal" --folder="$cell"
	watched 0 km-evaluate trace ls "$cell/journal"
done
watched 0 km-evaluate trace pack -o out/traces.h5 $(find out -name journal)
if [ "$SIZE" = large ]; then
	watched 0 km-evaluate trace validate out/traces.h5
	watched 0 km-evaluate doctor
	watched 0 km-report out
	watched 2 km-evaluate nonsense-command
fi
printf 'commands reported by valgrind\t%d\t%d\t%d\n' $count $bad $(($(date +%s) - start))
[ $bad = 0 ]
