#!/bin/sh
# Mills the matrix: every operator x target, then traces, corpus and report.  Called by `make corpus`.
# Environment: BIN TARGETS OPS BUDGET OUT JOBS SEED POLICY RELATIVES EXTRA_OPS SHAPES EXECUTOR SETUP_SECONDS ROOT LLM
set -u
. "${0%/*}/publish.sh"
say() { echo "corpus: $*" >&2; }
stop() { say "error: $2"; exit "$1"; }

# ---- one cell (called below, by xargs) ---------------------------------
if [ "${1:-}" = cell ]; then
	target=$2 op=$3
	cell=$OUT/cells/$target/$op
	stamp=$cell/stamp
	source=$("$BIN/km-generate" ops "$op" | cut -f 7)
	[ -f "$source" ] || source=$ROOT/$source
	problems=$("$BIN/km-generate" problems --op="$op" --budget="$BUDGET" ${SHAPES:+--shapes="$SHAPES"}) || exit $?
	[ -n "$problems" ] || exit 0
	# What makes a cell's results out of date: its operator's file, its problems, the budget, the seed.
	key=$({ cat "$source"; echo "$problems $BUDGET $SEED $POLICY"; } | sha256sum | cut -d' ' -f1)
	if [ -f "$stamp" ]; then
		# Done, and nothing came from elsewhere since.
		[ "$(cat "$stamp")" = "$key done" ] && [ -z "$(find "$cell" -name 'journal*' -newer "$stamp")" ] && exit 0
		case "$(cat "$stamp")" in
		"$key "*) ;; # interrupted: goes on
		*)
			say "$op on $target: its file, shapes or budget changed: searched anew"
			old=$OUT/old/$target
			mkdir -p "$old" && rm -rf "${old:?}/$op" && mv "$cell" "$old/" || stop 74 "cannot move '$cell' to '$old'"
			;;
		esac
	fi
	# What follows from the cells is made anew, whatever ends this run.
	mkdir -p "$cell" 2>/dev/null && publish "$OUT/.changed" </dev/null && echo "$key open" | publish "$stamp" || stop 74 "cannot write '$cell': give a writable OUT=DIR"
	case "$BUDGET" in
	quick) evaluations=72 seconds=22 stall=40 ;;
	full) evaluations=400 seconds=150 stall=160 ;;
	*) evaluations=${BUDGET#total:} seconds=0 stall=0 ;; # of total:N each problem's own share is in $LIMITS
	esac
	# Where nothing runs there is no speed to search for: a sample shows what compiles.
	state=$("$BIN/km-generate" targets | awk -F'\t' -v t="$target" '$1 == t { print $4 }')
	[ "$state" = here ] || { [ "$evaluations" -gt 24 ] && evaluations=24; }
	most=$evaluations
	# Where a search begins is settled before it does, and kept: by what this cell's problems before it found, and by RELATIVES
	# or the traces that an earlier run left, which stay as they are until this one's cells are done.  No other cell of this
	# run: which of them are done depends on how fast they were.
	set --
	earlier=${RELATIVES:-$OUT/traces.h5}
	[ -e "$earlier" ] && set -- "$earlier"
	for problem in $problems; do
		start=$(date +%s)
		folder=$cell/$(printf %s "$problem" | tr '/' '-')
		if [ "$RELATIVES" != none ] && [ ! -f "$folder/relatives.tsv" ] && [ ! -f "$folder/journal" ]; then
			mkdir -p "$folder" && "$BIN/km-evaluate" trace relatives --problem="$problem" --target="$target" -o "$folder/relatives.tsv" "$@" || exit $?
		fi
		set -- "$@" "$folder"
		if [ "$LIMITS" ]; then
			evaluations=$(awk -F'\t' -v n="$target/$op/${folder##*/}" '$1 == n { print $2 }' "$LIMITS")
			[ "$evaluations" ] || stop 3 "'$LIMITS' has no share of '$target/$op/${folder##*/}'"
			[ "$evaluations" -gt "$most" ] && evaluations=$most
		fi
		batch=24
		[ "$evaluations" -lt $batch ] && batch=$evaluations
		"$ROOT/scripts/search.sh" "$BIN" "$cell" "$problem" "$target" "$POLICY" "$SEED" "$evaluations" "$seconds" "$stall" 0.97 "$batch"
		code=$?
		journal=$folder/journal
		[ $code = 0 ] || [ $code = 1 ] || exit $code
		[ "$KM_PAUSE" ] || say "$problem on $target: $("$BIN/km-evaluate" trace status "$journal" 2>/dev/null), $(($(date +%s) - start)) s"
	done
	[ "$KM_PAUSE" ] && exit 0
	echo "$key done" | publish "$stamp" || stop 74 "cannot write '$stamp'"
	exit 0
fi

# ---- the farm ----------------------------------------------------------
[ "$EXECUTOR" = local ] || stop 2 "unknown EXECUTOR '$EXECUTOR': there is 'local'"
case "${BUDGET#total:}" in quick | full) ;; *[!0-9]* | '' | 0) stop 2 "BUDGET is quick, full, a number of evaluations or total:NUMBER, not '$BUDGET'" ;; esac
case "$JOBS" in *[!0-9]* | '' | 0) stop 2 "JOBS is a number of cells at a time, not '$JOBS'" ;; esac
RELATIVES=${RELATIVES:-}
[ -z "$RELATIVES" ] || [ "$RELATIVES" = none ] || [ -r "$RELATIVES" ] || stop 2 "cannot read RELATIVES '$RELATIVES': a trace file, a folder of journals, or none"
[ -z "$SHAPES" ] || [ -r "$SHAPES" ] || stop 2 "cannot read SHAPES file '$SHAPES'"
mkdir -p "$OUT" 2>/dev/null && [ -w "$OUT" ] || stop 74 "cannot write folder '$OUT': give a writable OUT=DIR"
OUT=$(cd "$OUT" && pwd)
if [ -n "$EXTRA_OPS" ]; then
	[ -d "$EXTRA_OPS" ] || stop 2 "EXTRA_OPS '$EXTRA_OPS' is no folder"
	KM_EXTRA_OPS=$OUT/extra-ops
	rm -rf "$KM_EXTRA_OPS" && mkdir -p "$KM_EXTRA_OPS" || stop 74 "cannot write '$KM_EXTRA_OPS'"
	for file in "$EXTRA_OPS"/*.c; do
		[ -f "$file" ] || stop 2 "EXTRA_OPS '$EXTRA_OPS' holds no .c file"
		file=$(cd "$(dirname "$file")" && pwd)/$(basename "$file")
		made=$OUT/extra-ops.new
		log=$(gcc -std=gnu17 -D_GNU_SOURCE -O2 -fPIC -shared -I"$ROOT" -o "$made" "$file" 2>&1) ||
			stop 3 "cannot compile operator file '$file': $(echo "$log" | grep -m1 error)"
		publish "$KM_EXTRA_OPS/$(basename "$file" .c).so" <"$made" || stop 74 "cannot write '$KM_EXTRA_OPS'"
	done
	rm -f "$made"
	export KM_EXTRA_OPS
fi
known=$("$BIN/km-generate" ops) || exit $?
known=$(echo "$known" | cut -f1)
is_all=
[ "$OPS" = all ] && is_all=1 OPS=$known
for op in $OPS; do
	echo "$known" | grep -qx "$op" || stop 2 "unknown operator '$op': known are $(echo $known)"
done
if [ "$is_all" ]; then
	# All: what has a problem at this budget.
	OPS=$("$BIN/km-generate" problems --budget="$BUDGET" ${SHAPES:+--shapes="$SHAPES"}) || exit $?
	OPS=$(echo "$OPS" | cut -d/ -f1 | uniq | tr '\n' ' ')
fi
# shellcheck disable=SC2086
"$BIN/km-generate" check $OPS || stop 1 "an operator's declaration is wrong: fix its file (above)"
targets=
for t in $TARGETS; do
	if [ "$t" = all ]; then
		list=$("$BIN/km-generate" targets | awk -F'\t' '$3 != "measured" { print $1 }')
	else
		list=$t
	fi
	for one in $list; do
		# An alias stands for the target this machine is.
		real=$("$BIN/km-generate" targets | awk -F'\t' -v t="$one" '$1 == t { print $1 == "native" ? $3 : $1 }')
		[ -n "$real" ] || stop 2 "unknown target '$one': known are $("$BIN/km-generate" targets | cut -f1 | tr '\n' ' ')"
		[ "$real" = none ] && stop 2 "target '$one': this machine is none of the targets"
		case " $targets " in *" $real "*) ;; *) targets="$targets $real" ;; esac
	done
done
LIMITS='' KM_PAUSE=''
KM_LLM_STATE=${KM_LLM_STATE:-$OUT/llm.state} # the rates of all workers of this campaign
export LIMITS KM_PAUSE OUT BIN ROOT BUDGET JOBS SEED POLICY RELATIVES SHAPES EXTRA_OPS LLM KM_LLM_STATE
start=$(date +%s)
mill() {
	for t in $targets; do for op in $OPS; do echo "$t $op"; done; done |
		xargs -P "$JOBS" -L 1 sh "$0" cell || stop 3 "a cell failed (above); run the same command to go on"
}
# BUDGET=total:N: each problem gets a first share, then rounds of more go where they are expected to gain most.  What a round
# gives is settled, and kept, before it begins: OUT/split/KEY/N.tsv, a problem and its evaluations in all a line.
# What a command says may be cut short by a kill: then this ends, too.
cut_short() { stop 137 "something was killed: run the same command to go on"; }
if [ "$BUDGET" != "${BUDGET#total:}" ]; then
	total=${BUDGET#total:}
	names=$(for t in $targets; do for op in $OPS; do
		list=$("$BIN/km-generate" problems --op="$op" --budget="$BUDGET" ${SHAPES:+--shapes="$SHAPES"}) || exit 1
		for problem in $list; do
			name=$(printf %s "$problem" | tr / -) && [ ${#name} = ${#problem} ] || exit 1
			echo "$t/$op/$name"
		done
	done; done) && [ "$names" ] || cut_short
	key=$(echo "$total $SEED $POLICY $names" | sha256sum | cut -c1-16) && [ ${#key} = 16 ] || cut_short
	rounds=$OUT/split/$key round=0
	mkdir -p "$rounds" || stop 74 "cannot write '$rounds'"
	if [ ! -f "$rounds/0.tsv" ]; then
		first=$("$BIN/km-generate" split --total="$total" --cells="$(echo "$names" | wc -l)") && [ "$first" ] || cut_short
		for name in $names; do printf '%s\t%s\n' "$name" "$first"; done | publish "$rounds/0.tsv" || stop 74 "cannot write '$rounds'"
	fi
	while
		while [ -f "$rounds/$((round + 1)).tsv" ]; do round=$((round + 1)); done
		LIMITS=$rounds/$round.tsv
		[ ! -f "$rounds/last" ]
	do
		KM_PAUSE=1
		mill
		progress=$("$BIN/km-evaluate" trace progress "$OUT/cells") || stop 3 "cannot tell how far the cells are"
		progress=$(echo "$progress" | awk -F'\t' 'NR == FNR { wanted[$1]; next } FNR == 1 || $1 in wanted' "$LIMITS" -) || cut_short
		echo "$progress" | publish "$rounds/progress.tsv" || stop 74 "cannot write '$rounds'"
		limits=$("$BIN/km-generate" split --total="$total" "$rounds/progress.tsv")
		case $? in
		0) echo "$limits" | publish "$rounds/$((round + 1)).tsv" ;;
		1) publish "$rounds/last" </dev/null ;;
		*) stop 3 "cannot split the evaluations that are left" ;;
		esac || stop 74 "cannot write '$rounds'"
	done
	KM_PAUSE=
fi
mill
# What this machine compiled and cannot run waits for one that can.
for t in $targets; do
	[ -f "$OUT/.changed" ] && [ "$("$BIN/km-generate" targets | awk -F'\t' -v t="$t" '$1 == t { print $3 "/" $4 }')" = measured/cross ] || continue
	mkdir -p "$OUT/packs" || stop 74 "cannot write '$OUT/packs'"
	"$BIN/km-evaluate" pack --target="$t" -o "$OUT/packs/$t.pack" "$OUT/cells" >/dev/null
	case $? in
	0) say "$OUT/packs/$t.pack is for a machine that is a $t: km-evaluate run-pack -o results $t.pack there, km-evaluate merge $OUT/cells results here, and this again" ;;
	1) rm -f "$OUT/packs/$t.pack" ;; # all of it was measured
	*) stop 3 "cannot pack what was compiled for '$t'" ;;
	esac
done
if [ ! -f "$OUT/.changed" ] && [ -f "$OUT/report/index.html" ] && [ -f "$OUT/traces.h5" ]; then
	say "nothing to do: $OUT is up to date"
	exit 0
fi
"$BIN/km-evaluate" trace pack -o "$OUT/traces.h5" "$OUT/cells" || exit $?
"$BIN/km-corpus" promote "$OUT" || exit $?
"$BIN/km-report" "$OUT" || exit $?
rm -f "$OUT/.changed"
say "set-up $SETUP_SECONDS s, milling $(($(date +%s) - start)) s; results in $OUT"
