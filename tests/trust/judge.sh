#!/bin/sh
# The judge outside the kernel's process, on a machine with four others at work: honest kernels are
# accepted, and clocks that run slower are seen; at the large size every kernel of tests/judge has its verdict.
. "${0%/*}/../lib.sh"
[ "$SIZE" = large ] && honest=50 forged=20 || honest=4 forged=1
others=
for _ in 1 2 3 4; do
	sh -c 'while :; do :; done' &
	others="$others $!"
done
trap 'kill $others; rm -rf "$SCRATCH"' EXIT
"$BUILD/tests/unit/evaluate/judge" count "$honest" "$forged"
code=$?
[ "$SIZE" = large ] || exit $code
count=0 bad=0 start=$(date +%s)
for file in "$ROOT"/tests/judge/*.py; do
	wanted=$(sed -n '1s/^# \([A-Z_]*\):.*/\1/p' "$file")
	problem=$(sed -n '1s/.*problem \([^ ]*\)$/\1/p' "$file")
	count=$((count + 1))
	km-evaluate judge "$file" --problem="${problem:-relu/f32/M=64,N=1024/t1}" >said 2>&1
	grep -q "^verdict	$wanted	" said || { bad=$((bad + 1)); sed "s|^|$(basename "$file"): |" said >&2; }
done
printf 'Python kernels judged otherwise than expected\t%d\t%d\t%d\n' $count $bad $(($(date +%s) - start))
[ $bad = 0 ] && exit $code
exit 1
