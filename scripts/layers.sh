#!/bin/sh
# Every #include "..." must name the file's own layer or one to its left
# (ops < generate < evaluate < {corpus, report}); prints the breaches, exit 1 on any.
cd "$(dirname "$0")/.." || exit 3
uses() { sed -n "s/^USES_$1 *= *//p" Makefile; }
bad=0
for layer in ops generate evaluate corpus report; do
	allowed=" $(uses "$layer") "
	found=$(find "$layer" -path corpus/data -prune -o -name '*.[ch]' -print | xargs -r grep -Hn '^#include "' |
		sed -n 's|^\([^:]*:[0-9]*\):#include "\([a-z]*\)/.*|\1 \2|p' |
		while read -r where to; do
			case "$allowed" in *" $to "*) ;; *) echo "$where: layer '$layer' may not include '$to'" ;; esac
		done)
	[ -n "$found" ] && echo "$found" && bad=1
done
exit $bad
