# Figures, printed by the machine they run on.  Not tests: nothing here passes or fails.
#   make bench-compile   compile cost a kernel, candidates a second through compile and check
#   make bench-languages compile cost a candidate in every language of a device: TARGET=nvidia-h200
#   make bench-matmul    share of the measured peak of the best f32 and bf16 matmul
#   make bench-space     median against best point of the softmax and matmul spaces
#   make bench-aa        false verdicts comparing a kernel with itself
#   make bench-sample    sampled check of a 1.6-billion-element softmax and of KernelBench level 2 at full size (24 GiB)
#   make bench-split    evaluations split over problems in equal shares and by expected gain, on recorded searches (CELLS=out/cells)
#   make bench-sandbox   what confining a kernel or a compiler costs, beside starting it unconfined
#   make bench-search    what policies reach on measured spaces, beside Kernel Tuner: REPEATS=100 PARTS="cold race"; long
#   make bench-llm       a language model beside random search at equal budgets: KM_LLM_URL's, or a small one that it starts
#   make bench           all of them but bench-search and bench-llm
BENCHES = compile languages matmul space aa sample split sandbox

bench: $(BENCHES:%=bench-%)

bench-llm $(BENCHES:%=bench-%): bench-%: all
	$Q BIN='$(abspath $B/bin)' CELLS='$(CELLS)' sh scripts/bench.sh $*

bench-search: all $B/tests/unit/generate/policies
	$Q BIN='$(abspath $B/bin)' sh scripts/bench_search.sh

.PHONY: bench bench-llm bench-search $(BENCHES:%=bench-%)
