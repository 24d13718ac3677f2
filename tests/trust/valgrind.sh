#!/bin/sh
# The tools under valgrind: a small campaign from proposals to report, of candidates compiled for x86-64-v3 (valgrind knows
# no AVX-512).  A report, or a command that ends otherwise than it does without valgrind, is bad.  First the tools, whose boxes are
# started, watched and ended by what valgrind watches; then, in boxes without layers, the workers with the candidates
# and baselines that they run.
. "${0%/*}/../lib.sh"
target=x86-avx2
if ! command -v valgrind >/dev/null || ! grep -q -w avx2 /proc/cpuinfo; then
	echo "valgrind: not here: nothing is counted" >&2
	printf 'commands and workers reported by valgrind\t0\t0\t0\n'
	exit 0
fi
[ "$SIZE" = large ] && problems='relu/f32/M=64,N=1024/t1 softmax/f32/R=64,C=1024/t1 matmul/f32/M=64,N=64,K=64/t1 sum/f32/M=64,K=1024/t1 layer_norm/f32/R=64,C=1024/t1 conv2d/f32/N=1,C=3,H=16,W=16,O=4,I=3,J=3/t1' batch=6 ||
	problems='relu/f32/M=64,N=1024/t1' batch=2
start=$(date +%s)
count=0 bad=0
# What is told of memory that was never written, never freed or is not there.
reports='^==[0-9]+== +(Invalid|Syscall|Conditional|Use of|Source|Mismatched|[0-9,]+ bytes)'
# watched CODE COMMAND...: must end with that code, and with no report
watched() {
	want=$1
	shift
	count=$((count + 1))
	valgrind -q --suppressions="$ROOT/tests/trust/valgrind.supp" --error-exitcode=99 --log-file="$SCRATCH/log.$count.%p" "$@" >/dev/null 2>"$SCRATCH/words"
	got=$?
	if [ $got != "$want" ] || grep -l -E "$reports" "$SCRATCH"/log.$count.* >&2; then
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
# A folder of tools whose km-worker runs the real one under valgrind.
mkdir tools && cp "$BIN/km-evaluate" "$BIN/km-life.py" tools/ && cp "$BIN/km-worker" tools/km-worker.real && cp "$BUILD/tests/valgrind_worker" tools/km-worker
layers=$(sed -n 's/^X([A-Z_]*, "\([a-z-]*\)".*/\1/p' "$ROOT/evaluate/sandbox.def" | tr '\n' ' ')
in_workers() { LD_PRELOAD="$BUILD/lib/libunlimited.so" KM_SANDBOX_WITHOUT="$layers" "$SCRATCH/tools/km-evaluate" "$@" >"$SCRATCH/words" 2>&1; }
# all_passed JOURNAL: what is recorded there passed, and as many as that
all_passed() { km-evaluate trace ls "$1" >rows && [ -s rows ] && ! grep -v '	PASSED	' rows >&2; }
for problem in $problems; do
	mkdir -p workers
	km-generate next --problem="$problem" --target=$target --batch=$batch -o batch.jsonl >/dev/null 2>&1 || continue
	count=$((count + 1))
	in_workers run --problem="$problem" --target=$target --clock=model --allow-unsafe --journal=workers/$count.journal batch.jsonl &&
		all_passed workers/$count.journal || { bad=$((bad + 1)); echo "valgrind: workers of $problem:" >&2; cat words >&2; }
	# Lives of the judge, and baselines: slow here, which their verdict tells, but nothing else may be told of them.
	[ "$SIZE" = large ] && in_workers run --problem="$problem" --target=$target --allow-unsafe --journal=workers/$count.timed batch.jsonl
	[ "$SIZE" = large ] && in_workers finish --problem="$problem" --target=$target --allow-unsafe --journal=workers/$count.timed --folder=workers/$count
done
workers=$(find tools -name 'worker.*' | wc -l)
told=$(grep -l -E "$reports" tools/worker.* 2>/dev/null)
[ "$workers" -gt 0 ] || { bad=$((bad + 1)); echo 'valgrind: no worker was watched' >&2; }
for log in $told; do bad=$((bad + 1)); head -n 30 "$log" >&2; done
count=$((count + workers))

watched 0 km-evaluate trace pack -o out/traces.h5 $(find out -name journal)
if [ "$SIZE" = large ]; then
	watched 0 km-evaluate trace validate out/traces.h5
	watched 0 km-evaluate doctor
	watched 0 km-report out
	watched 2 km-evaluate nonsense-command
fi
printf 'commands and workers reported by valgrind\t%d\t%d\t%d\n' $count $bad $(($(date +%s) - start))
[ $bad = 0 ]
