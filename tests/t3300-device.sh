#!/bin/sh
# Devices without one: packs made here are run by a stand-in for NVIDIA's driver, where no compiler is
# found, and their results come home; kernels and drivers that misbehave cost their own rows.
. "${0%/*}/lib.sh"
. "$ROOT/tests/gpu/hostile.sh"
PATH=$PATH:/usr/local/cuda/bin
command -v ptxas >/dev/null || {
	skip 'devices' "no ptxas here: install CUDA's compiler"
	done_testing
}
target=nvidia-h200
problem=relu/f32/M=64,N=256/t1
export KM_LOCK=$SCRATCH/lock
mkdir tools sources
for tool in sh env cat; do ln -s "$(command -v $tool)" tools/; done
# device WORDS command...: where the driver is the stand-in, in that mood, and no compiler is in PATH
device() {
	moods=$1
	shift
	env -i HOME="$SCRATCH" KM_CACHE="$SCRATCH/elsewhere" KM_LOCK="$KM_LOCK" PATH="$BIN:$SCRATCH/tools" LD_LIBRARY_PATH="$BUILD/stand_in" KM_STAND_IN="$moods" \
		KM_STAND_IN_LOST="$SCRATCH/lost" ${DEVICE:+KM_STAND_IN_DEVICE="$DEVICE"} "$@"
}
# farm NAME file...: compiled here into the cell NAME below cells/, as `make corpus` does
farm() {
	cell=cells/$target/relu/$1
	shift
	mkdir -p "$cell" && hostile_batch $target "$@" &&
		km-evaluate run --problem=$problem --target=$target --batch-size=1 --journal="$cell/journal" batch.jsonl
}
# What a folder's journals say of their trials: the details, and how many of each verdict.
details() { cat "$1"/*/*/*/journal | grep -a '"kind":"evaluation"' | grep -a -o '"detail":"[^"]*"' | sort -u; }
rows() { km-evaluate trace ls "$1" | cut -f3 | sort | uniq -c | awk '{ printf "%s%s:%s", (NR > 1 ? " " : ""), $2, $1 }'; }

# One honest kernel, and what the stand-in makes of others by a word in their data.
honest=$ROOT/tests/gpu/candidates/honest.cu
cp "$honest" sources/honest.cu
like() { # WORD VERDICT: a source of that name
	{ echo "// $2: $1"; echo "__attribute__((device, used)) char km_test_word[] = \"stand-in $1\";"; sed 1d "$honest"; } >"sources/$1.cu"
}
like faults RUNTIME_ERROR
like hangs TIMEOUT
like mutates INCORRECT_INPUT_MUTATED
like timed INCORRECT_INPUT_MUTATED
like beside INCORRECT_OUT_OF_BOUNDS
like breaks RUNTIME_ERROR
like remembers TIMING_FORGED
like other NOT_MEASURED

check 'compiled where there is no device: states and the reason are in the rows' '
	farm all sources/*.cu && cp expected all.expected && [ "$(rows cells)" = NOT_MEASURED:9 ] && details cells | grep -q "this machine is no .nvidia-h200.: " &&
	grep -a -q "\"state\":\"compiled\"" cells/*/*/all/journal'
check 'and packed' 'km-evaluate pack -o all.pack cells >said && grep -q "9 kernels" said'
check 'packed again: the same bytes' 'km-evaluate pack -o again.pack cells && cmp all.pack again.pack'
check 'a device without compilers runs the pack' 'device "" km-evaluate run-pack -o results all.pack 2>warned; code=$?; cat warned; exit $code'
km-evaluate trace ls results >rows 2>/dev/null
while IFS='	' read -r id name verdict; do
	check "$name: $verdict" "grep -a '\"candidate\":\"$id\"' results/*/*/all/journal | grep -a -o '\"detail\":\"[^\"]*'; awk -F '\t' '\$1 == \"$id\" { last = \$3 } END { exit last != \"$verdict\" }' rows"
done <all.expected
check 'what was made for another architecture says so' 'details results | grep -q "made for another architecture"'
check 'the honest one has a time, counted by the device, and the facts of where it was compiled' '
	grep -a "\"verdict\":\"PASSED\"" results/*/*/all/journal | grep -a -q "\"time_ns\":20000.*\"registers\"" && km-evaluate trace status results/*/*/all/journal | grep -q "^done"'
check 'run again: nothing is done twice' '
	before=$(km-evaluate trace ls results | grep -c .) && device "" km-evaluate run-pack -o results all.pack 2>/dev/null &&
	[ $(($(km-evaluate trace ls results | grep -c .) - before)) = 0 ]'

# Home: each record once, in whatever order and parts.
check 'results come home' '
	cp -r cells before && km-evaluate merge cells results >said && ! grep -q "	0 records" said && km-evaluate trace status cells/*/*/all/journal | grep -q "^done" &&
	test -s cells/*/*/all/artifacts/*/kernel.cubin'
check 'once: merged again, nothing is added' 'km-evaluate merge cells results | grep -q "	0 records added"'
check 'in parts or sums of parts: the same trace' '
	cp -r before first && cp -r before second && mkdir -p more/$target/relu && cp -r results/$target/relu/all more/$target/relu/other &&
	km-evaluate merge first results && km-evaluate merge first more &&
	km-evaluate merge sum results more && km-evaluate merge second sum && km-evaluate merge second sum &&
	km-evaluate trace pack -o first.h5 first && km-evaluate trace pack -o second.h5 second && km-evaluate trace validate first.h5 && cmp first.h5 second.h5'
check 'what was measured is packed no more' 'km-evaluate pack -o rest.pack cells >said; grep -q "	1 kernels" said'

# Packs that are none, and drivers that do not serve: one line, rows that say why, and on goes the campaign.
check 'a changed pack is refused in one line' '
	cp all.pack bad.pack && printf x | dd of=bad.pack bs=1 seek=5000 conv=notrunc 2>/dev/null &&
	exits 3 device "" km-evaluate run-pack -o nowhere bad.pack && one_line_error device "" km-evaluate run-pack -o nowhere bad.pack && [ ! -e nowhere ]'
check 'so is one cut short' 'head -c 20000 all.pack >bad.pack && exits 3 device "" km-evaluate run-pack -o nowhere bad.pack && one_line_error device "" km-evaluate run-pack -o nowhere bad.pack'
check 'and what is no pack' 'exits 3 km-evaluate run-pack -o nowhere said && says "is no pack" km-evaluate run-pack -o nowhere said'
rm -rf cells
farm one sources/honest.cu >/dev/null 2>&1
km-evaluate pack -o one.pack cells >/dev/null
# unserved NAME MOODS TEXT
unserved() {
	check "$1: one line, a row NOT_MEASURED with the reason, exit 0" "
		rm -rf un lost; device '$2' km-evaluate run-pack -o un one.pack 2>said; code=\$?; cat said; details un
		[ \$code = 0 ] && [ \$(wc -l <said) = 1 ] && grep -q '$3' said && [ \"\$(rows un)\" = NOT_MEASURED:1 ] && details un | grep -q '$3'"
}
unserved 'device taken by another process' busy 'another process has it for itself'
unserved 'device without free memory' full 'out of memory'
unserved 'library and kernel module of different versions' mismatch 'CUDA_ERROR_SYSTEM_DRIVER_MISMATCH'
unserved 'no device' gone 'CUDA_ERROR_NO_DEVICE'
DEVICE='NVIDIA A10' unserved 'another device' '' "its device is .NVIDIA A10."
check 'no driver: the same' '
	rm -rf un; env -i HOME="$SCRATCH" KM_CACHE="$SCRATCH/elsewhere" PATH="$BIN:$SCRATCH/tools" km-evaluate run-pack -o un one.pack 2>said && [ $(wc -l <said) = 1 ] &&
	grep -q "no CUDA driver" said && [ "$(rows un)" = NOT_MEASURED:1 ] && details un | grep -q "no CUDA driver"'
check 'what was not measured is, when the device serves again' 'device "" km-evaluate run-pack -o un one.pack && [ "$(rows un)" = "NOT_MEASURED:1 PASSED:1" ]'
rm -rf cells
mkdir two && cp sources/faults.cu two/0.cu && cp "$honest" two/1.cu
farm two two/*.cu >/dev/null 2>&1
km-evaluate pack -o two.pack cells >/dev/null
check 'a device that a fault took for good: the rest is not measured, and says why' '
	rm -rf un lost; device lost km-evaluate run-pack -o un two.pack 2>said; code=$?; cat said; details un; rows un
	[ $code = 0 ] && [ $(wc -l <said) = 1 ] && [ "$(rows un)" = "NOT_MEASURED:1 RUNTIME_ERROR:1" ] && details un | grep -q "does not serve"'
done_testing
