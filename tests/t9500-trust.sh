#!/bin/sh
# The batteries of tests/trust and tests/faults at their small size; `make check-trust` runs the large one and keeps the counts.
. "${0%/*}/lib.sh"

check 'the product has no switch for its defences, the test build has' '
	for f in "$BIN"/km-* "$BUILD"/lib/*; do ! grep -q -a -e KM_DEFENCES_OFF -e defence_stands "$f" || { echo "$f"; exit 1; }; done
	for f in km-evaluate km-worker; do grep -q -a KM_DEFENCES_OFF "$BUILD/open/bin/$f" || exit 1; done'
check 'every entry of the catalogue of cheats is tested, or says why not' '"$ROOT/tests/hostile.py" --catalogue >catalogue || { grep missing catalogue; exit 1; }'
check 'every trap of sandboxing has its test' '
	grep -v "^#" "$ROOT/tests/trust/traps.tsv" >traps && [ -s traps ] &&
	while IFS="	" read -r trap file title; do grep -q -F -e "$title" "$ROOT/$file" || { echo "$trap: no test \"$title\" in $file"; exit 1; }; done <traps'
for name in $("$ROOT/tests/trust.sh" list); do
	part=$("$ROOT/tests/trust.sh" program "$name")
	check "$name: within its limits" "SIZE=small '$part' small >'$name.rows'"
	sed 's/^/# /' "$name.rows"
	check "$name: tells what it counted" "awk -F '\t' 'NF != 4 || \$2 !~ /^[0-9]+\$/ || \$3 !~ /^[0-9]+\$/ || \$4 !~ /^[0-9.]+\$/ { print; bad = 1 } END { exit bad || !NR }' '$name.rows'"
done
done_testing
