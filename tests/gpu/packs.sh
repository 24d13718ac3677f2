#!/bin/sh
# Packs for check-gpu on a machine without compilers: `make check-gpu-packs PACKS=DIR [GPU=nvidia-h200]` here,
# `make check-gpu PACKS=DIR` there.
#   packs.sh DIR TARGET
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/hostile.sh"
packs=${1:?} target=${2:?}
mkdir -p "$packs" || exit 74
# pack NAME file...
pack() {
	name=$1
	shift
	rm -rf cells
	mkdir -p "cells/$target/relu/$name"
	hostile_batch "$target" "$@" &&
		km-evaluate run --problem=$problem --target="$target" --batch-size=1 --journal="cells/$target/relu/$name/journal" batch.jsonl &&
		km-evaluate pack -o "$packs/$name.pack" cells
}
pack hostile "$ROOT"/tests/gpu/candidates/*.cu || exit 3
for file in $(grep -l '^// sanitizer:' "$ROOT"/tests/gpu/candidates/*.cu) "$ROOT/tests/gpu/candidates/honest.cu"; do
	pack "$(basename "$file" .cu)" "$file" || exit 3
done
# Of every operator that the language serves, some candidates of each dtype, as operators.sh draws them.
for lang in ${LANGS:-cuda triton cute}; do
	rm -rf cells
	for problem in $({ [ "${OPS:-}" ] && printf '%s\n' $OPS || km-generate ops | cut -f1; } | while read -r op; do
		sh "$ROOT/tests/gpu/problems.sh" "$op"; done); do
		cell=cells/$target/${problem%%/*}/$(echo "$problem" | tr / -)
		mkdir -p "$cell"
		if km-generate next --problem="$problem" --target="$target" --lang="$lang" --policy=random --batch="${CANDIDATES:-3}" -o "$cell/batch" 2>/dev/null; then
			km-evaluate run --problem="$problem" --target="$target" --journal="$cell/journal" "$cell/batch" || exit 3
		else
			rm -r "$cell"
		fi
	done
	[ ! -d cells ] || km-evaluate pack -o "$packs/$lang.pack" cells
done
