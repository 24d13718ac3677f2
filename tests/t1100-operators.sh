#!/bin/sh
# Operators as their users and authors meet them: listings, published problems, independence of references, adding one.
. "${0%/*}/lib.sh"

check 'every operator lists name, family, dtypes, states, aliases, summary and file' \
	'km-generate ops | awk -F"\t" "NF != 7 || \$1 == \"\" || \$2 == \"\" || \$3 == \"\" || \$4 == \"\" || \$6 == \"\" || \$7 == \"\" { print; bad = 1 } END { exit bad || NR < 280 }"'
check 'an alias names its operator' 'km-generate ops true_divide | grep -q "^div	elementwise	" && km-generate problems --op=true_divide --budget=full | grep -q ^div/'
check 'what a target serves shows in the states' 'km-generate ops softmax | cut -f 4 | grep -q amd-mi300x:compiled'
check 'an unknown operator exits 2 in one line' 'exits 2 km-generate ops softmin && one_line_error km-generate ops softmin'
check 'KernelBench level 1: 100 published problems, 100 scaled' '
	km-generate problems --source=kb1 | cut -f 1 | sort -u >kb1 && [ "$(grep -vc /cpu kb1)" = 100 ] && [ "$(grep -c /cpu kb1)" = 100 ]'
check 'KernelBench level 2: 100 published problems, 100 scaled' '
	km-generate problems --source=kb2 | cut -f 1 | sort -u >kb2 && [ "$(grep -vc /cpu kb2)" = 100 ] && [ "$(grep -c /cpu kb2)" = 100 ]'
check 'a published problem is found by its number, no longer one with it' '[ "$(km-generate problems --source=kb1/2 | cut -f 1 | sort | paste -sd,)" = kb1/2,kb1/2/cpu ]'
check "the paper's problems are listed" 'km-generate problems --source=paper | grep -q "^paper/conv1d"'

# An opinion of its own: references and what they call, with neither parser nor evaluator behind them.
references=$(cd "$ROOT" && ls ops/*/*.c | sed -n "/^ops.core/!s|\(.*\)\.c$|$BUILD/\1.o|p")
plain 'references link without the notation' 'gcc -shared -Wl,--no-undefined -o references.so $references "$BUILD"/ops/core/reference.o "$BUILD"/ops/core/memory.o "$BUILD"/ops/core/rng.o -lm'
check 'that link sees what a reference must not call' '
	printf "int interp_open(void); int f(void); int f(void) { return interp_open(); }\n" >bad.c && gcc -c -fPIC -o bad.o bad.c &&
	! gcc -shared -Wl,--no-undefined -o bad.so $references bad.o "$BUILD"/ops/core/reference.o "$BUILD"/ops/core/memory.o "$BUILD"/ops/core/rng.o -lm'
plain 'every operator took part in it' '[ "$(nm -D --defined-only references.so | grep -c " op_")" = "$(km-generate ops | wc -l)" ]'

# Adding an operator is adding one file: the tools that are built with it know it, from listing to candidate.
plain 'an operator more is one file more' '
	mkdir tree && (cd "$ROOT" && cp -r Makefile ops generate evaluate corpus report scripts tests "$SCRATCH"/tree) && cp -r "$BUILD" tree/build &&
	sed "s/op_scaled_sum/op_newcomer/; s/\"scaled_sum\"/\"newcomer\"/" "$ROOT"/tests/extra_ops/scaled_sum.c >tree/ops/reduction/newcomer.c &&
	make -s -C tree -j2 build/bin/km-generate build/bin/km-evaluate build/tests/unit/ops/operators >make.log 2>&1 || { tail make.log; exit 1; }
	tree/build/bin/km-generate ops newcomer | grep -q "^newcomer	reduction" && tree/build/bin/km-generate check newcomer &&
	tree/build/bin/km-evaluate selfcheck newcomer && (cd tree && build/tests/unit/ops/operators newcomer >/dev/null) &&
	tree/build/bin/km-generate next --problem="$(tree/build/bin/km-generate problems --op=newcomer --budget=full | head -n 1)" --target=x86-avx2 --batch=2 | grep -q newcomer'
plain 'and without the file it is unknown' 'rm tree/ops/reduction/newcomer.c && make -s -C tree -j2 build/bin/km-generate >>make.log 2>&1 && exits 2 tree/build/bin/km-generate ops newcomer'
done_testing
