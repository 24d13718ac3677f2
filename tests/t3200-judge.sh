#!/bin/sh
# km-evaluate judge: somebody's shared object, launch plan or Python kernel, judged from outside its process.
. "${0%/*}/lib.sh"
[ "$(km-generate targets | awk -F'\t' '$1 == "native" { print $3 }')" = none ] && {
	skip 'the judge' 'this CPU is none of the targets'
	done_testing
}
problem=relu/f32/M=64,N=1024/t1
cat >honest.c <<'END'
#include <stdint.h>
void kernel(void *const *buf, const int64_t *dim)
{
	const float *x = buf[0];
	float *y = buf[1];

	for (int64_t i = 0; i < dim[0] * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
}
END
sed 's/dim\[0\] \* dim\[1\]/dim[0] * dim[1] - 1/' honest.c >short.c
for f in honest short; do gcc -O2 -shared -fPIC -o $f.so $f.c || exit 3; done

check 'an honest shared object is accepted' "
	exits 0 km-evaluate judge honest.so --problem=$problem >said && grep '^verdict	PASSED' said && grep '^class	host-wrapped' said &&
	awk -F '\t' '\$1 == \"judged_ns\" && \$3 > 0 && \$3 <= \$2 && \$2 <= \$4 { ok = 1 } END { exit !ok }' said && grep '^claimed_ns	[0-9]' said && grep '^baseline	loopnest' said"
check 'one that leaves an element out is not' "exits 1 km-evaluate judge short.so --problem=$problem >said && grep '^verdict	INCORRECT_UNWRITTEN' said && grep '^why	1 elements' said"
check 'another function by name' "sed 's/void kernel/void relu/' honest.c >named.c && gcc -O2 -shared -fPIC -o named.so named.c &&
	exits 1 km-evaluate judge named.so --problem=$problem && km-evaluate judge named.so --symbol=relu --problem=$problem"
printf 'plan: so\ndim: M N\nbuffer: x in f32 M*N\nbuffer: y out f32 M*N\nscratch: 64\nstep: km_test grid=M threads=1 shared=0\n' >plan
cat >planned.c <<'END'
void km_test(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *x = buf[0];
	float *y = buf[1];

	(void)scratch;
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
}
END
check 'the artifact of a launch plan' "gcc -O2 -shared -fPIC -o planned.so planned.c && km-evaluate judge planned.so --plan=plan --problem=$problem"
check 'below the floor of the sandbox nothing foreign runs' "
	KM_SANDBOX_WITHOUT=seccomp exits 78 km-evaluate judge honest.so --problem=$problem &&
	KM_SANDBOX_WITHOUT=seccomp one_line_error km-evaluate judge honest.so --problem=$problem"
check 'no problem, no such file, no such operator: usage' "
	exits 2 km-evaluate judge honest.so && exits 2 km-evaluate judge no.so --problem=$problem && exits 2 km-evaluate judge honest.so --problem=softmin/f32/M=1/t1"
check 'help tells what a file must hold' "km-evaluate judge --help | grep -q 'void kernel(void \*const \*buf, const int64_t \*dim)'"

# Python: tests/trust/judge.sh has the rest of tests/judge.
if ! /usr/bin/python3 -c 'import torch' 2>/dev/null; then
	skip 'Python kernels' "no PyTorch: run 'scripts/setup.sh check'"
	done_testing
fi
for name in weights keeps_by_shape lazy_tensor slow_clock_hidden walks_frames patches_copy in_place forks leaves; do
	file=$ROOT/tests/judge/$name.py
	wanted=$(sed -n '1s/^# \([A-Z_]*\):.*/\1/p' "$file")
	own=$(sed -n '1s/.*problem \([^ ]*\)$/\1/p' "$file")
	check "$name.py: $wanted" "km-evaluate judge '$file' --problem=${own:-$problem} >said; cat said; [ '$wanted' ] && grep '^verdict	$wanted	' said"
done
done_testing
