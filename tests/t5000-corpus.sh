#!/bin/sh
# The corpus: promotion, lookup, verification, merging; damaged, read-only and full.
. "${0%/*}/lib.sh"

if ! "$BUILD"/tests/unit/corpus/corpus make out 2>/dev/null || [ ! -d out/cells ]; then
	skip 'the corpus' 'this machine is none of the targets'
	done_testing
fi
find_="km-corpus find out/corpus --op=matmul"

check 'promote publishes the winners' 'km-corpus promote out >p && [ $(grep -c written p) = 3 ]'
check 'promoting again keeps them' 'km-corpus promote out >p && [ $(grep -c kept p) = 3 ]'
check 'an entry has its evidence' '
	e=$(ls -d out/corpus/*/matmul/aaaaaaaaaaaaaaa1-*)/entry &&
	for key in problem dims tensors region.0 time_ns baseline baseline.loopnest baseline_ratio_low sol_ratio tolerance_ratio \
		compiler trace.environment trace.candidate licence file.plan file.kernel.c file.kernel.so seal; do
		grep -q "^$key: ." $e || { echo "no $key"; exit 1; }
	done'
check 'find: the exact shape' "says 'choice: exact' $find_ --dims=m=16,n=16,k=16"
check 'find: another shape, by region' "says 'choice: region' $find_ --dims=M=100,N=100,K=104 --target=native && says 'require: K' $find_ --dims=M=100,N=100,K=104"
check 'find: no kernel accepts the shape: exit 1 in one line' "exits 1 $find_ --dims=m=16,n=16,k=15 && one_line_error $find_ --dims=m=16,n=16,k=15"
check 'find: an unknown operator: exit 1, and what there is' "
	exits 1 km-corpus find out/corpus --op=matmull --dims=m=1 && says 'it has matmul' km-corpus find out/corpus --op=matmull --dims=m=1"
check 'find: an unknown dimension' "exits 2 $find_ --dims=m=16,n=16,q=16 && says 'wants M N K' $find_ --dims=m=16,n=16,q=16"
check 'find: no number' "exits 2 $find_ --dims=m=16,n=x,k=16"
check 'find: an unknown target' "exits 1 $find_ --dims=m=16,n=16,k=16 --target=pdp11 && says 'pdp11' $find_ --dims=m=16,n=16,k=16 --target=pdp11"
check 'find: a missing folder' 'exits 3 km-corpus find nowhere --op=x && one_line_error km-corpus find nowhere --op=x'
check 'stats: one line per target and operator' 'km-corpus stats out/corpus >s && [ $(wc -l <s) = 2 ] && grep -q "matmul.3.2.000" s'
check 'verify: hashes, plan, results' 'km-corpus verify --quick out/corpus >v && [ $(grep -c "	ok	" v) = 3 ]'
if command -v clang-22 >/dev/null; then
	check 'verify: rebuilt from source' 'km-corpus verify out/corpus >v && [ $(grep -c "rebuilt from source and right again" v) = 3 ]'
else
	skip 'verify: rebuilt from source' 'no clang-22'
fi

check 'add: into nothing' 'km-corpus add out/corpus into >a && [ $(grep -c added a) = 3 ] && diff -r out/corpus into'
check 'add: again' 'km-corpus add out/corpus into >a && [ $(grep -c kept a) = 3 ]'

# Tampering: each file in turn.
cp -r into bad
victim=$(ls -d bad/*/matmul/aaaaaaaaaaaaaaa1-*)
for file in entry plan kernel.c kernel.so; do
	check "a changed $file is found" "
		printf x | dd of=$victim/$file bs=1 seek=200 conv=notrunc 2>/dev/null &&
		exits 1 km-corpus verify --quick bad >v && grep 'aaaaaaaaaaaaaaa1.*FAULT.*$file' v && [ \$(grep -c FAULT v) = 1 ]"
	check "and a corpus with it is not merged" "exits 3 km-corpus add bad elsewhere && one_line_error km-corpus add bad elsewhere"
	cp into/"${victim#bad/}"/$file "$victim/$file"
done
check 'a missing file is found' "rm $victim/plan && exits 1 km-corpus verify --quick bad && exits 3 km-corpus find bad --op=matmul --dims=m=1,n=1,k=1"
check 'a wrong kernel with the right hashes is found' '
	rm -rf bad && mkdir -p lie && cp -r out/cells lie && so=$(ls lie/cells/*/matmul/small/artifacts/*/kernel.so) &&
	sed "s/s += /s -= /" out/corpus/*/matmul/aaaaaaaaaaaaaaa1-*/kernel.c | cc -shared -fPIC -O1 -x c -o $so - &&
	km-corpus promote lie && exits 1 km-corpus verify --quick lie/corpus >v && grep "INCORRECT_NUMERICAL" v'
check 'a kernel that crashes costs its own entry only' '
	echo "void km_aaaaaaaaaaaaaaa1_clear(void) { __builtin_trap(); } void km_aaaaaaaaaaaaaaa1_main(void) {}" |
		cc -shared -fPIC -x c -o $(ls lie/cells/*/matmul/small/artifacts/*/kernel.so) - &&
	km-corpus promote lie && exits 1 km-corpus verify --quick lie/corpus >v && grep "FAULT.*signal" v && [ $(grep -c "	ok	" v) = 2 ]'

# Nowhere to write.
check 'promote without cells' 'mkdir empty && exits 3 km-corpus promote empty && one_line_error km-corpus promote empty'
check 'promote onto a file: exit 74 in one line' '
	mkdir file && cp -r out/cells file && echo >file/corpus && rm -r file/cells/*/matmul/large file/cells/*/matmul/team &&
	exits 74 km-corpus promote file && one_line_error km-corpus promote file'
mkdir small
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
	check 'a full disk: exit 74, no half entry' '
		cp -r into/* small/ 2>/dev/null; rm -rf small/* && head -c 50000 /dev/zero >small/ballast &&
		exits 74 km-corpus add into small/corpus && [ -z "$(find small -name entry)" ] && [ -z "$(find small -name ".*.tmp.*")" ]'
	mount -o remount,ro small
	check 'a read-only disk: exit 74 in one line' 'exits 74 km-corpus add into small/other && one_line_error km-corpus add into small/other'
	umount small
else
	skip 'a full disk' 'cannot mount a small file system'
fi
done_testing
