# Tests: unit programs (tests/unit/<layer>/<module>.c) and shell tests (tests/tNNNN-what.sh), all TAP.
#   make check                       all that need no device, after set-up
#   make check TESTS="tests/t0*.sh"  some
#   make check-ops                   all operators: WORK=1e7 also larger shapes, MUTANTS=N how many mutants; every
#                                    sample of PyTorch's, Debian's and a current one (5 GiB from PyPI, kept; TORCH= where);
#                                    all that prints as Triton in its interpreter
#   make check-trust                 cheats, mutants and the other batteries of tests/trust at full size; counts go to
#                                    tests/trust/RESULTS.md.  SIZE=small PARTS="cheats honest" RESULTS=FILE; KM_RESUME=FOLDER
#                                    keeps what cheats and mutants came to, for a run that goes on where this one was ended
#   make fuzz SECONDS=600            every parser under libFuzzer, so long each; FUZZ="plan journal" some; FUZZ_BESIDE=6
#                                    FUZZ_JOBS=2: six at a time, two processes each, which share the seconds
#   make check-gpu                   those of tests/gpu (skip loudly without one)
#   make check-gpu-packs PACKS=DIR   compiled here for GPU=nvidia-h200, for make check-gpu PACKS=DIR on a machine without compilers
#   make bench-device-rate           candidates judged an hour on the GPU here, and the share in which it waited
#   make bench-h200                  what kernels reach on the GPU here, beside a copy, cuBLASLt and PyTorch

UNIT_SRC = $(sort $(wildcard tests/unit/*/*.c))
UNIT     = $(UNIT_SRC:%.c=$B/%)
SHELL_TESTS = $(sort $(wildcard tests/t[0-9]*.sh))
# The longest first: none works alone at the end.
LONGEST  = tests/t9500-trust.sh $B/tests/unit/ops/operators tests/t9000-pipeline.sh
TESTS    = $(filter $(LONGEST),$(UNIT) $(SHELL_TESTS)) $(filter-out $(LONGEST),$(UNIT) $(SHELL_TESTS))

# The layer is the folder's name; a test links it and what it stands on.
layer_of = $(word 3,$(subst /, ,$1))
define unit_rule
$B/$(1:%.c=%): $B/$(1:%.c=%.o) $(patsubst %,$B/%.a,$(USES_$(call layer_of,$1)))
	$$Q$$(say) LINK $$@
	$$Q $$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) $$(WRAPPED:%=-Wl,--wrap=%) -o $$@.new $$^ $$(HDF5_LIBS) $$(LDLIBS) && $$(publish)
endef
$(foreach t,$(UNIT_SRC),$(eval $(call unit_rule,$t)))
$(UNIT): LDLIBS += $(CURL_LIBS)
$B/tests/unit/evaluate/cgroup: WRAPPED = fopen geteuid fgetxattr mkdirat unlinkat write

# Fault batteries: tests/faults/<name>.c or .sh, each run as NAME small|large, prints name, count, bad, seconds.
FAULTS_SRC = $(sort $(wildcard tests/faults/*.c))
FAULTS     = $(FAULTS_SRC:%.c=$B/%)
$(FAULTS): $B/%: $B/%.o $(USES_evaluate:%=$B/%.a)
	$Q$(say) LINK $@
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@.new $^ $(HDF5_LIBS) $(LDLIBS) && $(publish)
$B/tests/faults/power: WRAPPED = open write fsync fdatasync rename unlink

# Makes a call fail, for tests/faults/calls.sh; lifts limits and puts workers under valgrind, for tests/trust/valgrind.sh.
SHIMS = $B/lib/libfault.so $B/lib/libunlimited.so $B/tests/valgrind_worker
$B/lib/libfault.so: tests/fault_shim.c
$B/lib/libunlimited.so: tests/unlimited.c
$B/tests/valgrind_worker: tests/valgrind_worker.c
$(SHIMS):
	$Q$(say) LINK $@
	$Q mkdir -p $(@D)
	$Q $(CC) $(filter-out $(SANITIZE),$(ALL_CFLAGS)) $(if $(filter %.so,$@),-fno-builtin -shared) $(aside) -o $@.new $< -ldl && $(publish)

# NVIDIA's driver, for machines without: tests/t3300-device.sh.
STAND_IN = $B/stand_in/libcuda.so.1
$(STAND_IN): tests/stand_in/cuda.c
	$Q$(say) LINK $@
	$Q mkdir -p $(@D)
	$Q $(CC) $(filter-out $(SANITIZE),$(ALL_CFLAGS)) -Wno-missing-prototypes -shared $(aside) -o $@.new $< && $(publish)

# Parsers under random input: tests/fuzz/<parser>.c (tests/fuzz.h).  In make check they run on mutated seeds; `make fuzz`
# builds everything again for libFuzzer, in build-fuzz/, and runs each SECONDS long: FUZZ="plan journal" some.
FUZZ_SRC = $(sort $(wildcard tests/fuzz/*.c))
FUZZERS  = $(FUZZ_SRC:%.c=$B/%)
$(FUZZERS): LDLIBS += $(CURL_LIBS)
$(FUZZERS): $B/%: $B/%.o $B/tests/fuzz_folder.o $(if $(FUZZER),,$B/tests/fuzz_main.o) $(USES_corpus:%=$B/%.a)
	$Q$(say) LINK $@
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(FUZZER) -o $@.new $^ $(HDF5_LIBS) $(LDLIBS) && $(publish)
fuzzers: $(FUZZERS)

SECONDS = 600
FUZZ    = $(basename $(notdir $(FUZZ_SRC)))
fuzz: setup-check
	$Q $(MAKE) --no-print-directory fuzz-run
fuzz-run:
	$Q $(MAKE) --no-print-directory -j$(shell nproc) fuzzers
	$Q $(MAKE) --no-print-directory -j$(shell nproc) B=build-fuzz CC=clang-22 FUZZER=-fsanitize=fuzzer \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' fuzzers
	$Q BUILD=$(abspath $B) FUZZ_BUILD=build-fuzz tests/fuzz.sh $(SECONDS) $(FUZZ)

# The operators and the checker as a library, for the judges in Python.
BRIDGE = $B/lib/libbridge.so
$(BRIDGE): $B/tests/bridge.o $(USES_evaluate:%=$B/%.a)
	$Q$(say) LINK $@
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -o $@.new $^ $(HDF5_LIBS) $(LDLIBS) && $(publish)

check: setup-check
	$Q $(MAKE) --no-print-directory -j2 all unit
	$Q BUILD=$(abspath $B) tests/run.sh 2 $(TESTS)

# The evaluator with its defences on switches (ops/core/defence.h), for tests/trust/cheats.sh alone: in a folder
# of its own, and only what asks for a defence is compiled again.
OPEN     = km-evaluate km-worker
OPEN_SRC := $(shell grep -l '^.include "ops/core/defence.h"' $(foreach l,$(USES_evaluate),$(call src,$l)))
OPEN_LIB = $(patsubst %.c,$B/open/%.o,$(filter-out %/main.c,$(OPEN_SRC)) tests/open.c)
$B/open/%.o: %.c Makefile | $(LISTS)
	$Q$(say) CC 'open $<'
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) -DKM_OPEN $(aside) -c -o $@.new $< && $(publish)
$B/open/bin/km-evaluate: $B/evaluate/main.o
$B/open/bin/km-worker: $B/evaluate/worker/main.o
$(OPEN:%=$B/open/bin/%): $(OPEN_LIB) $(USES_evaluate:%=$B/%.a)
	$Q$(say) LINK '$@'
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@.new $(filter %.o,$^) $(filter %.a,$^) $(HDF5_LIBS) $(LDLIBS) && $(publish)

unit: $(UNIT) $(BRIDGE) $(FAULTS) $(SHIMS) $(STAND_IN) $(FUZZERS) $(OPEN:%=$B/open/bin/%)

# All operators: cheats that the checker must reject, mutants that op_check() must catch, all samples.  Long.
check-ops: setup-check
	$Q $(MAKE) --no-print-directory -j2 all unit
	$Q mkdir -p '$(OUT)'; $B/bin/km-evaluate selfcheck --work=$(WORK) >'$(OUT)/selfcheck.tsv.new'; a=$$?; \
	  . scripts/publish.sh && publish '$(OUT)/selfcheck.tsv' <'$(OUT)/selfcheck.tsv.new' && rm -f '$(OUT)/selfcheck.tsv.new' && cat '$(OUT)/selfcheck.tsv' || a=1; \
	  MUTANTS=$(MUTANTS) $B/tests/unit/ops/mutants; b=$$?; \
	  BUILD=$(abspath $B) /usr/bin/python3 tests/opinfo.py --full; c=$$?; \
	  scripts/torch.sh '$(TORCH)' && BUILD=$(abspath $B) '$(TORCH)/bin/python' tests/opinfo.py --full; d=$$?; \
	  scripts/triton.sh '$(TRITON)' && { BUILD=$(abspath $B) '$(TRITON)/bin/python' tests/triton_interpreter.py >$B/triton.tap; e=$$?; \
	  grep -v '^ok' $B/triton.tap; } || e=1; exit $$((a || b || c || d || e))
TORCH   = $(HOME)/.cache/kernelmill/torch
TRITON  = $(HOME)/.cache/kernelmill/triton
WORK    = 1e7
MUTANTS = 1250

# Every battery at full size, one after another; their counts are kept.  Long.
check-trust: setup-check
	$Q $(MAKE) --no-print-directory -j2 all unit
	$Q BUILD=$(abspath $B) tests/trust.sh '$(SIZE)' '$(RESULTS)' $(PARTS)
SIZE    = large
RESULTS = tests/trust/RESULTS.md
PARTS   =

GPU_PROGRAM_SRC = $(sort $(wildcard tests/gpu/*.c))
GPU_PROGRAMS = $(GPU_PROGRAM_SRC:%.c=$B/%)
$(GPU_PROGRAMS): $B/%: $B/%.o $(USES_evaluate:%=$B/%.a)
	$Q$(say) LINK $@
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@.new $^ $(HDF5_LIBS) $(LDLIBS) && $(publish)

check-gpu: all $(BRIDGE) $(GPU_PROGRAMS)
	$Q BUILD=$(abspath $B) PACKS='$(PACKS)' tests/run.sh 1 $(sort $(wildcard tests/gpu/t*.sh))
# The same for a machine with the device and no compiler: packs made here, PACKS=DIR there.
PACKS =
GPU   = nvidia-h200
check-gpu-packs: all
	$Q BUILD=$(abspath $B) tests/gpu/packs.sh $(abspath $(PACKS)) $(GPU)

# What generated kernels reach on the GPU of this machine; BENCH_OUT keeps the journals.
BENCH_OUT = out/bench
bench-h200: all
	$Q BUILD=$(abspath $B) tests/gpu/bench.sh $(abspath $(BENCH_OUT))

# Kept in RATE_OUT; PACK=FILE: of those in a pack; RATE_ONLY=1: of the journals that RATE_OUT holds.
RATE_OUT = out/rate
bench-device-rate: all
	$Q BUILD=$(abspath $B) tests/gpu/rate.sh $(abspath $(RATE_OUT)) $(PACK)

setup setup-check:
	$Q scripts/setup.sh $(@:setup-%=%)

.PHONY: fuzz fuzz-run fuzzers check unit check-ops check-trust check-gpu check-gpu-packs bench-h200 bench-device-rate setup setup-check
