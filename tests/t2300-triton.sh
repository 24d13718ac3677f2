#!/bin/sh
# Triton and CuTe on any machine: printed kernels run in Triton's interpreter and are judged; they compile for
# every NVIDIA target, and the facts of their cubins are read; a source that harms its compiler harms nothing else.
. "${0%/*}/lib.sh"
problem=softmax/f32/R=1000,C=1000/t1
knobs='skeleton=row_wise lang=triton BR=1 THREADS=128 ALIGN=8 CACHE=1 KEEP=1 EXP2=0 RECIP=0 BC=1024'
km-generate emit --problem=$problem --target=nvidia-h200 --knobs="$knobs" >softmax.jsonl
# run TARGET JOURNAL FILE
run() { km-evaluate run --problem="$(grep -o '"problem":"[^"]*' "$3" | head -n 1 | cut -d '"' -f 4)" --target="$1" --batch-size=8 --journal="$2" "$3"; }
verdicts() { km-evaluate trace ls "$1" | cut -f3 | tr '\n' ' '; }
check 'it prints' '[ -s softmax.jsonl ]'
check 'without Triton the language is skipped, in one line, and the campaign goes on' '
	HOME=$SCRATCH/nobody PATH=$(dirname "$(command -v km-evaluate)"):/usr/bin:/bin run nvidia-h200 none softmax.jsonl 2>said; code=$?; cat said
	[ $code = 0 ] && [ "$(wc -l <said)" = 1 ] && grep -q "scripts/setup.sh triton" said && [ "$(verdicts none)" = "NOT_MEASURED " ]'
python=$HOME/.cache/kernelmill/triton/bin/python
[ -x "$python" ] || python=python3
"$python" -c 'import triton, numpy' 2>/dev/null || {
	skip 'printed Triton is right, compiles and is inspected' "no Triton: run scripts/setup.sh triton"
	done_testing
}

plain 'what is printed computes what it should, in the interpreter' '
	"$python" "$ROOT/tests/triton_interpreter.py" --dtypes f32,bf16 ${TRITON_OPERATORS:-softmax layer_norm relu sum cumsum embedding jagged_sum matmul gemm_add_relu} >out || { grep -A 3 "^not ok" out; false; }'
plain 'numbers of 8 and 16 bits are converted as they should, all of them; and f64 is' '
	"$python" "$ROOT/tests/triton_interpreter.py" --patterns --dtypes bf16,f8e4m3 to_f8e4m3 to_f8e5m2 to_f16 to_i8 >out || { grep -A 3 "^not ok" out; false; }
	"$python" "$ROOT/tests/triton_interpreter.py" --most 1 --dtypes f64 softmax matmul cumsum gelu pow remainder to_bf16 embedding_bag normal >out || { grep -A 3 "^not ok" out; false; }'
plain 'and so does what is printed as CuTe' '
	"$python" "$ROOT/tests/triton_interpreter.py" --lang cute --dtypes f32,bf16 ${CUTE_OPERATORS:-softmax layer_norm relu sum gelu} >out || { grep -A 3 "^not ok" out; false; }'
# fact NAME JOURNAL: of the journal's one candidate
fact() { grep -o "\"$1\":[0-9.]*" "$2" | head -n 1 | cut -d: -f2; }
check 'a softmax compiles, of some registers and no matrix instruction' '
	run nvidia-h200 softmax softmax.jsonl && [ "$(verdicts softmax)" = "NOT_MEASURED " -o "$(verdicts softmax)" = "PASSED " ] &&
	[ "$(fact registers softmax)" -gt 8 ] && [ "$(fact matrix_instructions softmax)" = 0 ] && [ "$(fact stack_bytes softmax)" = 0 ]'

"$python" -c 'import cutlass' 2>/dev/null && for target in nvidia-a100 nvidia-h200; do
	check "the same softmax in CuTe compiles for $target" "
		km-generate emit --problem=$problem --target=$target --knobs='$(echo "$knobs" | sed "s/lang=triton BR=1/lang=cute BR=2/")' >cute-$target.jsonl &&
		run $target cute-$target cute-$target.jsonl && verdicts cute-$target && [ \"\$(fact registers cute-$target)\" -gt 8 ] &&
		[ \"\$(fact stack_bytes cute-$target)\" = 0 ]"
done
# A source that harms its compiler costs itself alone: the next one in the batch is made.
python3 - softmax.jsonl >hostile.jsonl <<'END'
import json, sys
good = json.loads(open(sys.argv[1]).read())
for n, line in enumerate(("import os; os._exit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
                          "import os, signal; os.kill(os.getppid(), signal.SIGKILL); x = 1 / 0", "print('{}'); x = 1 / 0")):
    print(json.dumps({**good, "id": "%016x" % (n + 1), "source": good["source"] + "\n" + line + "\n"}, separators=(",", ":")))
print(json.dumps(good, separators=(",", ":")))
END
check 'hostile sources are refused one by one, honest ones made' '
	run nvidia-h200 hostile hostile.jsonl; verdicts hostile; [ "$(verdicts hostile | tr " " "\n" | grep -cE "COMPILE_ERROR|REJECTED")" = 4 ] &&
	[ "$(verdicts hostile | tr " " "\n" | grep -cE "NOT_MEASURED|PASSED")" = 1 ]'
for target in nvidia-a100 nvidia-h100 nvidia-b200; do
	check "a softmax compiles for $target" "
		km-generate emit --problem=$problem --target=$target --knobs='$knobs' >$target.jsonl && run $target $target $target.jsonl &&
		[ \"\$(fact registers $target)\" -gt 8 ]"
done
done_testing
