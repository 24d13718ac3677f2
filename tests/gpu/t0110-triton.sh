#!/bin/sh
# Every operator that printed Triton serves, on the device: operators.sh says how.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
lang=triton
python=$HOME/.cache/kernelmill/triton/bin/python
[ -x "$python" ] || python=python3
[ "${PACKS:-}" ] || "$python" -c 'import triton' 2>/dev/null || {
	skip 'operators in Triton' 'no Triton: run scripts/setup.sh triton'
	done_testing
	exit
}
. "$ROOT/tests/gpu/operators.sh"
