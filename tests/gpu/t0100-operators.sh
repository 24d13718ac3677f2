#!/bin/sh
# Every operator that the device's own printer serves, on the device: operators.sh says how.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
lang=$(case $target in nvidia*) echo cuda ;; *) echo hip ;; esac)
. "$ROOT/tests/gpu/operators.sh"
