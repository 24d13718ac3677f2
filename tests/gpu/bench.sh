#!/bin/sh
# What generated kernels reach on this device; called by `make bench-h200`.
#   bench.sh OUT     searches each problem, and duels its winner with the strongest library, in interleaved pairs;
#                    journals are kept in OUT, and every figure printed is theirs
# The problems: products in bf16 and f32, convolutions in bf16, and those of KernelBench level 1 that memory bounds and that have a
# skeleton here, their first dimension cut so that a call moves at most MOVE bytes (512 MiB).
# MEMORY=1: only what memory bounds.
# EVALUATIONS=N and SECONDS_EACH=N for each problem; PROBLEMS="..." others; JOBS=N problems at a time, of which
# one is timed at a time; BASELINES=0: none from PyTorch, which scripts/baselines.py else times first.
# The yardstick, a device-to-device copy, is timed in the same run where python3 has torch.
. "${0%/*}/../lib.sh"
. "$ROOT/tests/gpu/device.sh"
out=${1:-$ROOT/out/bench}
mkdir -p "$out" || exit 74

products='matmul/bf16/M=4096,N=4096,K=4096/t1 matmul/bf16/M=8192,N=8192,K=8192/t1 matmul/f32/M=2048,N=2048,K=2048/t1
	matmul/f32/M=4096,N=4096,K=4096/t1 matmul/f32/M=8192,N=8192,K=8192/t1 matmul/f32/M=256,N=256,K=131072/t1
	conv2d/bf16/NB=32,CI=256,H=28,W=28,O=256,KH=3,KW=3/t1 conv2d_grouped/bf16/NB=1,C=64,O=128,H=512,W=1024,KH=3,KW=3/t1'

# Of level 1: more than a copy's time for the bytes, by 12.5 useful operations a byte (50 TFLOP/s beside 4 TB/s).
memory_bound() {
	km-generate problems --source=kb1 | awk -F'\t' -v most="${MOVE:-536870912}" '$1 !~ /cpu/ && $4 < 12.5 * $3 {
		split($2, part, "/")
		if (served(part[1], part[2]) && match($2, /=[0-9]+/)) {
			first = substr($2, RSTART + 1, RLENGTH - 1)
			cut = $3 > most ? int(first * most / $3) : first
			print substr($2, 1, RSTART) (cut < 1 ? 1 : cut) substr($2, RSTART + RLENGTH)
		}
	}
	function served(op, dtype,    command, line, found) {
		command = "km-generate coverage --target='"$target"' " op
		while ((command | getline line) > 0)
			if (split(line, f, "\t") > 1 && index(line, op "/" dtype "/") == 1 && f[2] != "")
				found = 1
		close(command)
		return found
	}' | sort -u
}

[ "${MEMORY:-}" ] && products=
problems=${PROBLEMS:-$products $(memory_bound)}
rows=$out/baselines.jsonl some= others=
if [ "${BASELINES:-1}" != 0 ] && python3 -c 'import torch' 2>/dev/null; then
	# max-autotune is for products: elsewhere it compiles long for little.
	for problem in $problems; do
		case $problem in *matmul*) some="$some $problem" ;; *) others="$others $problem" ;; esac
	done
	{ [ -z "$some" ] || python3 "$ROOT/scripts/baselines.py" --bin="$BIN" --out="$rows" $some; } >"$out/baselines.log" 2>&1 &&
		{ [ -z "$others" ] || python3 "$ROOT/scripts/baselines.py" --bin="$BIN" --out="$rows" --variants=torch_eager,torch_compile $others; } >>"$out/baselines.log" 2>&1 ||
		echo '# not all baselines of PyTorch: see baselines.log'
	[ -s "$rows" ] && export KM_BASELINES="$rows"
fi
printf '%s\n' $problems | xargs -P "${JOBS:-4}" -I {} sh -c '"$1" "$2" "$3" "$4" "$5" greedy 1 "$6" "$7" 32 0.99 12 || echo "# $4: not measured"' \
	- "$ROOT/scripts/search.sh" "$BIN" "$out" {} "$target" "${EVALUATIONS:-48}" "${SECONDS_EACH:-60}"
python3 "$ROOT/tests/gpu/bench.py" "$out"
