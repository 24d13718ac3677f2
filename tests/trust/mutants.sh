#!/bin/sh
# Mutants of honest kernels are noticed (mutants.py): at least 99.5 % of what is no proven equal.
[ "$SIZE" = large ] && count=2000 each=20 || count=24 each=12
exec "${0%/*}/mutants.py" --count=$count --each=$each --seed="${SEED:-1}"
