# lib.sh: what every shell test sources:  . "${0%/*}/lib.sh"
#
#   check 'title' 'commands'   passes when the commands (one shell string) exit 0
#   plain 'title' 'commands'   as check, but skipped where the tools are built for sanitizers (tests/trust/sanitizers.sh)
#   exits CODE command...      true when the command's exit code is CODE (a crash never passes)
#   says 'text' command...     runs it; true when stdout or stderr contains the text
#   one_line_error command...  true when stderr is one line
#   skip 'title' 'why'         counted as skipped, loudly
#   done_testing               prints the plan; last line of every test
#
# $ROOT is the source tree, $BIN the tools, $SCRATCH an empty folder that is
# removed at the end.  Output of a failed check is shown as TAP comments.

ROOT=${0%/*} && while [ ! -f "$ROOT/tests/lib.sh" ]; do ROOT=$ROOT/..; done
ROOT=$(cd "$ROOT" && pwd)
BUILD=${BUILD:-$ROOT/build}
BIN=$BUILD/bin
PATH=$BIN:$PATH
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/km-test.XXXXXX") || exit 3
KM_CACHE=${KM_CACHE:-$SCRATCH/cache}
export ROOT BUILD BIN PATH SCRATCH KM_CACHE
# With a secret planted (tests/trust/canary.sh) all that was written is searched for it before it goes.
leave() {
	[ -z "${KM_CANARY:-}" ] || /usr/bin/python3 "$ROOT/tests/llm/canary.py" "$KM_CANARY/key" "$SCRATCH" - >>"$KM_CANARY/found" 2>>"$KM_CANARY/scanned"
	chmod -R u+w "$SCRATCH" 2>/dev/null
	rm -rf "$SCRATCH"
}
trap leave EXIT
trap 'exit 130' INT TERM
cd "$SCRATCH" || exit 3
tap_count=0
tap_failed=0

check() {
	tap_count=$((tap_count + 1))
	if (eval "$2") >"$SCRATCH/.output" 2>&1 </dev/null; then
		echo "ok $tap_count - $1"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $1"
		echo "#   command: $2" | head -c 2000 | tr '\n' ' '
		echo
		tail -n 20 "$SCRATCH/.output" | sed 's/^/#   /'
	fi
}

exits() {
	exits_want=$1
	shift
	"$@"
	exits_got=$?
	[ "$exits_got" = "$exits_want" ] || { echo "exit code $exits_got, wanted $exits_want: $*"; return 1; }
}

says() {
	says_want=$1
	shift
	says_got=$("$@" 2>&1)
	case "$says_got" in
	*"$says_want"*) ;;
	*) echo "wanted '$says_want' in: $says_got"; return 1 ;;
	esac
}

one_line_error() {
	"$@" 2>"$SCRATCH/.stderr" >/dev/null
	[ "$(wc -l <"$SCRATCH/.stderr")" = 1 ] || { cat "$SCRATCH/.stderr"; return 1; }
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

plain() {
	[ -z "$SANITIZED" ] && check "$@" || skip "$1" 'not with sanitizers, whose runtime would have to be loaded or linked'
}

done_testing() {
	echo "1..$tap_count"
	[ "$tap_failed" = 0 ]
	exit
}
