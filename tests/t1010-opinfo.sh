#!/bin/sh
# PyTorch's operators over its own test samples (OpInfo): bodies and references agree with them.
. "${0%/*}/lib.sh"

python=/usr/bin/python3
judge="$python $ROOT/tests/opinfo.py --jobs 2 --samples 2"
$judge >judged 2>why
code=$?
if [ "$code" = 77 ]; then
	skip 'bodies and references agree with PyTorch over its samples' "$(head -n 1 why): run scripts/setup.sh"
	done_testing
fi
# Its lines are ours: number, title and comments stay.
grep -v '^1\.\.' judged
judged=$(grep -c '^ok\|^not ok' judged)
tap_count=$judged
tap_failed=$(grep -c '^not ok' judged)
check 'the judge reached its end' '[ "$code" -le 1 ] && grep "^1\.\.$judged$" judged || { tail -n 5 judged; cat why; false; }'
check 'many samples agree' '[ "$(sed -n "s/^# PyTorch .*: \([0-9]*\) samples.*/\1/p" judged)" -gt 900 ]'
# The judge sees a wrong value: PyTorch's results, each with one wrong element.
check 'one wrong value is noticed' 'exits 1 $judge --spoil add softmax matmul && ! $judge --spoil add softmax matmul | grep "^ok .* [1-9][0-9]* samples agree"'
done_testing
