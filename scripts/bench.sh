#!/bin/sh
# Prints one of the project's figures, a TSV line each: name, value, unit, about what.
#   bench.sh compile|languages|matmul|space|aa|sample|split|sandbox|llm       (BIN: the tools)
set -u
bin=${BIN:?} what=${1:?}
dir=$(mktemp -d) || exit 3
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
generate=$bin/km-generate evaluate=$bin/km-evaluate

# batch PROBLEM COUNT SEED: random candidates into $dir/batch
batch() { "$generate" next --problem="$1" --policy=random --batch="$2" --seed="$3" -o "$dir/batch" || exit 3; }
field() { awk -F'\t' -v f="$1" '$1 == f { print $2 }'; }

case $what in
llm)
	sh "$(dirname "$0")/bench_llm.sh" || exit $?
	;;
compile)
	for problem in gelu/f32/M=64,N=1024/t1 softmax/f32/R=64,C=1024/t1 sum/f32/M=64,K=1024/t1 layer_norm/f32/R=64,C=1024/t1; do
		batch "$problem" 96 1
		"$evaluate" bench-rate --problem="$problem" --journal="$dir/j.$(echo "$problem" | tr / -)" "$dir/batch" >"$dir/rate" || exit $?
		printf 'compile\t%s\tms a kernel, wall\t%s\n' "$(field compile_ms_per_kernel <"$dir/rate")" "$problem"
		printf 'rate\t%s\tcandidates a second through compile and check\t%s\n' "$(field candidates_per_s <"$dir/rate")" "$problem"
	done
	;;
languages)
	# One at a time, each alone in its unit, nothing from the cache: wall seconds of the compiler, its start left out.
	target=${TARGET:-nvidia-h200}
	for lang in $("$generate" languages | awk -F'\t' '{ print $1 }'); do
		for problem in gelu/f32/M=1024,N=1024/t1 softmax/f32/R=1024,C=1024/t1 layer_norm/bf16/R=1024,C=1024/t1 cumsum/f32/R=1024,C=1024/t1 \
			matmul/f32/M=1024,N=1024,K=1024/t1 matmul/bf16/M=1024,N=1024,K=1024/t1; do
			"$generate" next --problem="$problem" --target="$target" --lang="$lang" --policy=random --batch="${CANDIDATES:-12}" -o "$dir/batch" >/dev/null 2>&1 || continue
			KM_CACHE=$dir/cache.$lang "$evaluate" run --problem="$problem" --target="$target" --jobs=1 --batch-size=1 --journal="$dir/l.$lang.$(echo "$problem" | tr / -)" "$dir/batch" || exit $?
		done
		cat "$dir"/l."$lang".* 2>/dev/null | grep -a -o '"compile_s":[0-9.e-]*' | cut -d: -f2 | sort -g |
			awk -v l="$lang" -v t="$target" '{ s += $1; v[NR] = $1 } END { if (NR) printf "%s\t%.3f\ts a candidate, mean of %d; median %.3f, most %.3f\t%s\n", l, s / NR, NR, v[int((NR + 1) / 2)], v[NR], t }'
	done
	;;
matmul)
	peaks=$("$evaluate" doctor)
	for dtype in f32 bf16; do
		problem=matmul/$dtype/M=1024,N=1024,K=1024/t1
		mkdir -p "$dir/$dtype"
		sh "$(dirname "$0")/search.sh" "$bin" "$dir/$dtype" "$problem" native greedy 1 "${EVALUATIONS:-120}" "${SECONDS_EACH:-90}" 80 0.97 24 || exit $?
		journal=$dir/$dtype/$(echo "$problem" | tr / -)/journal
		grep -a '"kind":"winner"' "$journal" | grep -a -o '"time_ns":[0-9.e+]*' | cut -d: -f2 |
			awk -v p="$problem" '{ printf "matmul\t%.1f\tGFLOP/s\t%s\n", 2.0 * 1024 ^ 3 / $1, p }'
		echo "$peaks" | awk -F'\t' -v t="$(grep -a '"kind":"winner"' "$journal" | grep -a -o '"time_ns":[0-9.e+]*' | cut -d: -f2)" -v d=$dtype \
			'$1 == "peak" || ($1 == "matrix" && d == "bf16") { g = $2 + 0 } END { printf "share\t%.3f\tof the measured peak of one core (%.1f GFLOP/s)\t%s\n", 2.0 * 1024 ^ 3 / t / g, g, d }'
	done
	;;
space)
	for problem in softmax/f32/R=2048,C=1024/t1 matmul/f32/M=512,N=512,K=512/t1; do
		batch "$problem" 96 7
		journal=$dir/s.$(echo "$problem" | tr / -)
		"$evaluate" run --problem="$problem" --journal="$journal" "$dir/batch" || exit $?
		"$evaluate" trace history "$journal" | awk -F'\t' 'NR > 1 && $3 == "PASSED" { print $4 }' | sort -g |
			awk -v p="$problem" '{ t[NR] = $1 } END { printf "space\t%.2f\tmedian time over best, %d random points\t%s\n", t[int((NR + 1) / 2)] / t[1], NR, p }'
		"$generate" space --problem="$problem" | awk -F'\t' -v p="$problem" '$1 == "knob" && $4 == "does nothing" { print "dead\t" $2 "\tknob that does nothing\t" p }'
	done
	;;
aa)
	# The duel was designed on synthetic noise (tests/unit/evaluate/measure.c); no kernel here was seen then.
	for problem in rms_norm/f32/R=512,C=1024/t1 transpose/f32/M=700,N=900/t1 relu/f32/M=512,N=1024/t1 layer_norm/f32/R=512,C=1024/t1 \
		gelu/f32/M=512,N=1024/t1 matmul/f32/M=256,N=256,K=256/t1 sum/f32/M=512,K=1024/t1 softmax/f32/R=512,C=1024/t1; do
		batch "$problem" 1 "${SEED:-2026}"
		"$evaluate" bench-aa --problem="$problem" --journal="$dir/aa.$(echo "$problem" | tr / -)" --comparisons="${COMPARISONS:-200}" "$dir/batch" >"$dir/false" || exit $?
		sed "s|^|aa	$problem	|" "$dir/false" | tee -a "$dir/all"
	done
	awk -F'\t' '$3 == "comparisons" { n += $4 } $3 == "faster" || $3 == "slower" { f += $4 } $3 == "ambiguous" { a += $4 }
		END { printf "aa\tall\tfalse verdicts\t%d of %d (%.2f %%), %d ambiguous\n", f, n, 100 * f / n, a }' "$dir/all"
	;;
sample)
	# Each in a process of its own: the memory column is then the check's own.  PROBLEMS="..." runs some.
	for problem in ${PROBLEMS:-softmax/f32/R=4096,C=393216/t1 $("$generate" problems --source=kb2 | awk -F'\t' '$1 !~ /cpu/ { print $2 }' | sort -u)}; do
		"$evaluate" bench-sample "$problem" >"$dir/sample" || exit $?
		awk -F'\t' 'NR == 2 { printf "sample\t%s\ts, %s s of processors\t%s: %s of %s elements, %s MiB beyond its tensors\n", $4, $7, $1, $3, $2, $5 }' "$dir/sample"
	done | tee "$dir/all"
	awk -F'\t' '{ n++; if ($2 > worst) { worst = $2; at = $4 } } END { printf "sample\t%s\ts, the slowest of %d\t%s\n", worst, n, at }' "$dir/all"
	;;
split)
	# Searches of every problem at one budget (CELLS=FOLDER: those of a campaign that was), of which each way would have spent so many.
	cells=${CELLS:-$dir/cells}
	[ -d "$cells" ] || for problem in ${PROBLEMS:-$(for op in relu gelu softmax layer_norm sum cumsum transpose matmul; do "$generate" problems --op=$op | grep /f32/; done)}; do
		mkdir -p "$cells/native/${problem%%/*}"
		sh "$(dirname "$0")/search.sh" "$bin" "$cells/native/${problem%%/*}" "$problem" native "${POLICY:-greedy}" 1 "${EVALUATIONS:-96}" 0 0 0 24 >&2 || exit $?
	done
	"$evaluate" trace progress --curves "$cells" >"$dir/curves" || exit $?
	"$generate" split --replay "$dir/curves" | awk -F'\t' 'NR > 1 {
		printf "split\t%.4f\tof the mean speed that all evaluations found, equal shares\t%d evaluations over %d problems\n", $3 / $5, $1, $2
		printf "split\t%.4f\tthe same, by expected gain\t%d evaluations over %d problems\n", $4 / $5, $1, $2 }'
	;;
sandbox)
	"$evaluate" bench-sandbox --runs="${RUNS:-500}" | sed 's/^/sandbox	/'
	;;
*)
	echo "bench: usage: bench.sh compile|languages|matmul|space|aa|sample|split|sandbox" >&2
	exit 2
	;;
esac
