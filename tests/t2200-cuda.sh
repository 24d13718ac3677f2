#!/bin/sh
# CUDA on any machine: candidates for NVIDIA devices compile, and the facts of their cubins are read.
. "${0%/*}/lib.sh"
PATH=$PATH:/usr/local/cuda/bin
command -v ptxas >/dev/null || {
	skip 'CUDA candidates' "no ptxas here: install CUDA's compiler"
	done_testing
}
target=nvidia-h200

# fact NAME JOURNAL: of the journal's one candidate
fact() { grep -o "\"$1\":[0-9.]*" "$2" | head -n 1 | cut -d: -f2; }
# compiled NAME PROBLEM KNOBS
compiled() {
	km-generate emit --problem="$2" --target=$target --knobs="skeleton=$3" >"$1.jsonl" &&
		km-evaluate run --problem="$2" --target=$target --journal="$1" "$1.jsonl" && km-evaluate trace ls "$1" | cut -f3 | grep -qxE 'NOT_MEASURED|PASSED'
}
check 'a map compiles' 'compiled map relu/f32/M=1024,N=4096/t1 "map lang=cuda BM=1 BN=2048 THREADS=128"'
check 'its registers are counted, it spills nothing, has no matrix instruction and no shared memory' '
	[ "$(fact registers map)" -gt 4 ] && [ "$(fact registers map)" -le 255 ] && [ "$(fact stack_bytes map)" = 0 ] &&
	[ "$(fact matrix_instructions map)" = 0 ] && [ "$(fact shared_bytes map)" = 0 ]'
window=conv2d/f32/NB=2,CI=8,H=16,W=16,O=8,KH=3,KW=3/t1
check 'a convolution by points compiles, eight threads an output' 'compiled points $window "stages lang=cuda THREADS=128 LANES=8 REAL=f32 PATCH=1 SHARE=1"'
check 'it spills nothing, and its threads put sums together in 16 bytes each' '
	[ "$(fact registers points)" -gt 8 ] && [ "$(fact stack_bytes points)" = 0 ] && [ "$(fact shared_bytes points)" -ge 2048 ]'
rows=softmax/f32/R=64,C=393216/t1
check 'a row too long for a block compiles, sixteen blocks a row' 'compiled rows $rows "row_wise lang=cuda BR=1 THREADS=256 CLUSTER=16 CACHE=1 KEEP=1 EXP2=0 RECIP=1 BC=393216" && grep -q "grid=cdiv(R,1),16 threads=256 shared=0 cluster=16" rows.jsonl'
check 'its threads hold 96 columns each, and spill nothing' '[ "$(fact registers rows)" -ge 96 ] && [ "$(fact stack_bytes rows)" = 0 ]'
check 'a sort is a plan of kernels: ranks in runs, places, ranks, rows' '
	km-generate emit --problem=sort/f32/R=2,C=5000/t1 --target=$target --knobs="skeleton=stages lang=cuda THREADS=256 LANES=1 REAL=f32 RUN=1024" >sort.jsonl &&
	[ "$(grep -o "nstep: [^ ]*" sort.jsonl | wc -l)" -ge 5 ] && compiled sorted sort/f32/R=2,C=5000/t1 "stages lang=cuda THREADS=256 LANES=1 REAL=f32 RUN=1024"'
product=matmul/bf16/M=512,N=512,K=512/t1
block='BM=64 BN=64 BK=32 TM=2 TN=4 PACK=1 PIPE=1 KU=1'
check 'a product by matrix instructions compiles' "compiled mma $product 'contraction lang=cuda INSTR=mma_f32_16x8x16_bf16 $block'"
check 'it has them, a warp tile of 2 x 4 per 16 of depth' '[ "$(fact matrix_instructions mma)" -ge 8 ]'
check 'its shared memory is that of two tiles of 64 x 32 bf16' '[ "$(fact shared_bytes mma)" -ge 8192 ]'
check 'a product by fma compiles' "compiled fma $product 'contraction lang=cuda INSTR=fma BM=64 BN=64 BK=16 TM=4 TN=4 PACK=1 PIPE=1 KU=1'"
check 'it has none' '[ "$(fact matrix_instructions fma)" = 0 ]'
groups='warp_groups lang=cuda BN=128 GROUPS=2 TM=1 PIPE=4 WALK=8 TURN=0 RELAY=1'
check 'a product by warp groups compiles' "compiled groups $product '$groups CLUSTER=1'"
check 'it has four of their instructions, for a block of 64 of depth, and spills nothing' '
	[ "$(fact group_matrix_instructions groups)" = 4 ] && [ "$(fact stack_bytes groups)" = 0 ]'
check 'its plan gives both operands to the copy engine, and as many blocks as multiprocessors' '
	[ "$(grep -o "ntensor: [AB] dims=[KN],[MK] strides=[KN] box=64,[0-9]* swizzle=128" groups.jsonl | wc -l)" = 2 ] && grep -q "threads=384 shared=[0-9]* resident=1" groups.jsonl'
check 'one whose blocks share the second operand compiles' "compiled cluster $product '$groups CLUSTER=2' && grep -q 'resident=1 cluster=2' cluster.jsonl"
check 'rows of other than whole 16 bytes are refused' '! km-generate emit --problem=matmul/bf16/M=64,N=64,K=60/t1 --target=$target --knobs="skeleton=$groups CLUSTER=1" 2>why && grep -q "multiple of 16 bytes" why'
parts='f32_parts lang=cuda BN=128 GROUPS=2 WALK=8'
deep=matmul/f32/M=256,N=256,K=4096/t1
check 'a product of f32 in parts of f16 compiles' "compiled parts $deep '$parts RECIPE=fp16x3 PIPE=3 SPLITK=1 FUSED=0'"
check 'its recipe and the one behind it have 12 and 24 instructions for 64 of depth, twice where the loop is entered; it spills nothing' '
	[ "$(fact group_matrix_instructions parts)" = $((12 + 8 + 4 + 24 + 20 + 4)) ] && [ "$(fact stack_bytes parts)" = 0 ]'
check 'it is told apart from f32 itself' 'grep -q "\"precision\":\"fp16x3\"" parts && grep -q "\"precision\":\"strict\"" fma'
check 'its plan measures, splits, and has a product for each class of what was measured' '
	[ "$(grep -o "nstep: km_[0-9a-f]*_[a-z0-9]*" parts.jsonl | sed "s/.*_//" | tr "\n" " ")" = "measure split fp16x3 bf16x6 strict " ]'
check 'a sum in pieces is added up' "compiled pieces matmul/f32/M=256,N=256,K=131072/t1 '$parts RECIPE=bf16x6 PIPE=2 SPLITK=33 FUSED=0' && grep -q _total pieces.jsonl"
check 'parts made on the way to a deep product compile, and spill nothing' "
	compiled fused matmul_transposed_a/f32/M=256,N=256,K=131072/t1 '$parts RECIPE=fp16x3 PIPE=2 SPLITK=33 FUSED=1' && [ \"\$(fact stack_bytes fused)\" = 0 ]"
check 'parts of tf32 compile where operands lie along the depth, and are refused elsewhere' "
	compiled tf32 matmul_transposed_b/f32/M=256,N=256,K=4096/t1 '$parts RECIPE=tf32x3 PIPE=3 SPLITK=1 FUSED=0' &&
	! km-generate emit --problem=$deep --target=$target --knobs='skeleton=$parts RECIPE=tf32x3 PIPE=3 SPLITK=1 FUSED=0' 2>why && grep -q tf32x3 why"
windows='warp_windows lang=cuda BN=128 GROUPS=2 TM=1 PIPE=4 WALK=8 TURN=1 RELAY=1'
image=conv2d/bf16/NB=2,CI=56,H=24,W=32,O=128,KH=3,KW=3/t1
# ptxas keeps a few numbers of the kernel in front of taps aside, for more threads.
for from in channels=0 taps=16; do
	check "a convolution by warp groups compiles, from ${from%=*}, keeps ${from#*=} bytes aside at most, has the products of a block of depth" "
		compiled ${from%=*} $image '$windows CLUSTER=1 FROM=${from%=*}' && [ \"\$(fact group_matrix_instructions ${from%=*})\" = 4 ] &&
		[ \"\$(fact stack_bytes ${from%=*})\" -le ${from#*=} ]"
done
check 'its plan has pixels as the places of a window, whose halves a cluster brings' '
	grep -q "ntensor: _x dims=rup(CI,8),W,H,NB strides=[^ ]* box=64,128 swizzle=128 from=-1,-1 count=[^ ]* step=1,1.n" channels.jsonl &&
	compiled shared $image "$windows CLUSTER=2 FROM=channels" && grep -q "box=64,64 swizzle=128 from=-1,-1" shared.jsonl'
# What is printed for Hopper, run here: hopper_host.py says how.
here() {
	python3 "$ROOT/tests/hopper_host.py" "$@" >host.tap 2>host.err
	tail -n 1 host.tap | grep -q '^1\.\.' && ! grep '^not ok' host.tap || { cat host.err; false; }
}
check 'parts are made, multiplied and added up as they should, with edges; what they do not hold goes through f32' '
	here matmul/f32/M=136,N=140,K=1100/t1 "RECIPE=bf16x6 BN=128 GROUPS=2 PIPE=2 WALK=8 SPLITK=1 FUSED=0" uniform=1 wide=1 infinity=2 &&
	here matmul_transposed_b/f32/M=100,N=70,K=1060/t1 "RECIPE=tf32x3 BN=64 GROUPS=1 PIPE=3 WALK=8 SPLITK=1 FUSED=0" uniform=2 && \
	here matmul_transposed_b/f32/M=100,N=70,K=16390/t1 "RECIPE=tf32x3 BN=64 GROUPS=1 PIPE=3 WALK=8 SPLITK=8 FUSED=0" uniform=1'
check 'f16 is used for numbers that it holds, split before' '
	here matmul_transposed_ab/f32/M=72,N=44,K=16390/t1 "RECIPE=fp16x3 BN=64 GROUPS=1 PIPE=3 WALK=8 SPLITK=8 FUSED=0" uniform=0 larger=0'
check 'and on the way, where a wrong guess starts again' '
	here matmul_transposed_a/f32/M=128,N=128,K=16384/t1 "RECIPE=fp16x3 BN=128 GROUPS=2 PIPE=2 WALK=8 SPLITK=4 FUSED=1" uniform=0 outlier=1'
plain 'products of 16 bits in every order of operands, of parties in turn, of clusters' '
	here judge matmul/f16/M=136,N=72,K=88/t1 "skeleton=warp_groups lang=cuda BN=64 GROUPS=1 TM=2 PIPE=3 CLUSTER=1 WALK=1 TURN=1 RELAY=1" &&
	here judge matmul_transposed_ab/bf16/M=72,N=136,K=72/t1 "skeleton=warp_groups lang=cuda BN=128 GROUPS=2 TM=1 PIPE=2 CLUSTER=1 WALK=8 TURN=0 RELAY=1" &&
	here judge matmul/bf16/M=200,N=328,K=320/t1 "skeleton=warp_groups lang=cuda BN=128 GROUPS=1 TM=1 PIPE=4 CLUSTER=2 WALK=8 TURN=1 RELAY=2"'
plain 'windows are met in channels, in taps, and one of one place in the image, with strides, gaps and zeros around, in one to three dimensions, transposed, in clusters, with a map behind' '
	windows="lang=cuda skeleton=warp_windows CLUSTER=1" &&
	here judge conv2d/bf16/NB=2,CI=9,H=13,W=19,O=70,KH=5,KW=3,S=2,P=2/t1 "$windows FROM=channels BN=64 GROUPS=1 TM=2 PIPE=3 WALK=1 TURN=0 RELAY=1" \
		"$windows FROM=taps BN=128 GROUPS=2 TM=1 PIPE=2 WALK=8 TURN=1 RELAY=1" &&
	here judge conv_transpose2d/bf16/NB=3,CI=70,OG=80,H=9,W=11,KH=3,KW=2,PH=1,DH=2/t1 "$windows FROM=channels BN=72 GROUPS=1 TM=1 PIPE=3 WALK=8 TURN=0 RELAY=2" &&
	here judge conv2d_bias/f16/NB=2,C=72,H=9,W=72,O=70,KH=2,KW=3,SH=2,PH=1,DH=3,PW=3,DW=2/t1 "${windows%=*}=2 FROM=channels BN=256 GROUPS=1 TM=1 PIPE=3 WALK=8 TURN=1 RELAY=1" &&
	here judge conv3d/bf16/NB=2,C=10,O=12,Z=5,H=7,W=8,KZ=3,KH=2,KW=3,PZ=1,SH=2,PW=1,DW=2/t1 "$windows FROM=channels BN=64 GROUPS=1 TM=1 PIPE=2 WALK=8 TURN=0 RELAY=1" \
		"$windows FROM=taps BN=64 GROUPS=1 TM=1 PIPE=2 WALK=8 TURN=0 RELAY=1" &&
	here judge conv1d/bf16/NB=2,C=20,O=70,L=40,KL=3,D=2,P=1/t1 "$windows FROM=channels BN=64 GROUPS=1 TM=1 PIPE=2 WALK=8 TURN=1 RELAY=1" &&
	here judge conv2d/f16/NB=2,CI=24,H=5,W=8,O=9,KH=1,KW=1,P=0/t1 "$windows FROM=image BN=64 GROUPS=1 TM=1 PIPE=2 WALK=8 TURN=1 RELAY=1"'
for target in nvidia-h200 nvidia-a100; do
	check "f64, fp8 and random words compile for $target" '
		compiled f64-$target softmax/f64/R=17,C=67/t1 "row_wise lang=cuda BR=1 THREADS=64 CACHE=1 KEEP=0 EXP2=0 RECIP=0 BC=128" &&
		compiled f8-$target to_f8e4m3/bf16/N=1031/t1 "map lang=cuda BM=1 BN=256 THREADS=64" &&
		compiled normal-$target normal/f64/N=67,mean=2,std=0.5,SEED=3/t1 "map lang=cuda BM=1 BN=256 THREADS=64"'
done
for target in nvidia-a100 nvidia-b200; do
	check "a product by matrix instructions compiles for $target" "compiled $target $product 'contraction lang=cuda INSTR=mma_f32_16x8x16_bf16 $block'"
	check 'it has them' '[ "$(fact matrix_instructions $target)" -ge 8 ]'
done
done_testing
