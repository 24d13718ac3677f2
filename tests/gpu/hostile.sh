# hostile.sh: sourced after lib.sh: hostile_batch TARGET FILE... writes candidates of relu on
# $problem, one a file of tests/gpu/candidates, to batch.jsonl, and what is expected of them to expected:
# id, name, verdict (an extended regular expression).
# A file's first line is "// VERDICT: what it does"; another may be "// launch: threads=N shared=N".
problem=relu/f32/M=1024,N=4096/t1
quoted() { awk 'BEGIN { ORS = "" } { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); print $0 "\\n" }' "$1"; }
hostile_batch() {
	hostile_target=$1
	shift
	rm -f batch.jsonl expected
	for file in "$@"; do
		hostile_name=$(basename "$file" .cu)
		id=$(printf '%s' "$hostile_name" | sha256sum | cut -c 1-16)
		launch=$(sed -n 's/^\/\/ launch: //p' "$file")
		printf 'plan: cubin\ndim: M N\nbuffer: x in f32 M*N\nbuffer: y out f32 M*N\nscratch: 0\nstep: km_test grid=M %s\n' "${launch:-threads=128 shared=0}" >plan
		printf '%s\t%s\t%s\n' "$id" "$hostile_name" "$(sed -n '1s/^\/\/ \([A-Z_|]*\):.*/\1/p' "$file")" >>expected
		printf '{"id":"%s","problem":"%s","target":"%s","lang":"cuda","skeleton":"test","knobs":"","tile":"","plan":"%s","prologue":"","source":"%s","parent":"","edge":"","policy":"","seed":"0","generation":0}\n' \
			"$id" "$problem" "$hostile_target" "$(quoted plan)" "$(quoted "$file" | sed "s/km_test/km_$id/g")" | sed "s/step: km_test/step: km_$id/" >>batch.jsonl
	done
}
