#!/bin/sh
# Mutants of honest kernels: 99.5 % of those that are another function must be noticed.
. "${0%/*}/../lib.sh"
[ "$SIZE" = large ] && count=2000 || count=60
"${0%.sh}.py" --count=$count --seed="${SEED:-1}"
