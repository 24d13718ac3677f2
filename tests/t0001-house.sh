#!/bin/sh
# The house: layers, one list per table, no stray registry.
. "${0%/*}/lib.sh"

check 'no file includes from a layer above its own' '"$ROOT"/scripts/layers.sh'
check 'no recipe writes to a final name: aside first' '! grep -nE "(>|-o|cp [^ ]+|rcs) *[$]+@( |$)" "$ROOT"/Makefile "$ROOT"/tests/tests.mk "$ROOT"/scripts/*.mk'
check 'the layer check sees a breach' '
	mkdir -p copy/scripts copy/ops/core && cp "$ROOT"/Makefile copy/ && cp "$ROOT"/scripts/layers.sh copy/scripts/ &&
	mkdir copy/generate copy/evaluate copy/corpus copy/report &&
	echo "#include \"evaluate/trace.h\"" >copy/ops/core/bad.c && exits 1 copy/scripts/layers.sh'
for tool in km-generate km-evaluate km-corpus km-report; do
	check "$tool --help exits 0 and names itself" "says 'usage: $tool' $tool --help && exits 0 $tool --help"
	check "$tool --version exits 0" "exits 0 $tool --version"
	check "$tool without a command exits 2" "exits 2 $tool"
	[ $tool = km-report ] && wrong=--nonsense-option || wrong=nonsense-command
	check "$tool $wrong exits 2 in one line" "exits 2 $tool $wrong && one_line_error $tool $wrong"
done
done_testing
