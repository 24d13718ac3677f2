#!/bin/sh
# Every operator that printed CuTe serves, on the device: operators.sh says how.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
lang=cute
python=$HOME/.cache/kernelmill/triton/bin/python
[ -x "$python" ] || python=python3
[ "${PACKS:-}" ] || "$python" -c 'import cutlass' 2>/dev/null || {
	skip 'operators in CuTe' 'no CuTe: run scripts/setup.sh triton'
	done_testing
	exit
}
. "$ROOT/tests/gpu/operators.sh"
