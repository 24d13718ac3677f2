# Tests: unit programs (tests/unit/<layer>/<module>.c) and shell tests (tests/tNNNN-what.sh), all TAP.
#   make check                       all that need no device, after set-up
#   make check TESTS="tests/t0*.sh"  some
#   make check-ops                   all operators: WORK=1e7 also larger shapes, MUTANTS=N how many mutants; every
#                                    sample of PyTorch's, Debian's and a current one (5 GiB from PyPI, kept; TORCH= where)
#   make check-gpu                   those of tests/gpu (skip loudly without one)
#   make bench-h200                  what kernels reach on the GPU here, beside a copy and PyTorch's product

UNIT_SRC = $(sort $(wildcard tests/unit/*/*.c))
UNIT     = $(UNIT_SRC:%.c=$B/%)
SHELL_TESTS = $(sort $(wildcard tests/t[0-9]*.sh))
TESTS    = $(UNIT) $(SHELL_TESTS)

# The layer is the folder's name; a test links it and what it stands on.
layer_of = $(word 3,$(subst /, ,$1))
define unit_rule
$B/$(1:%.c=%): $B/$(1:%.c=%.o) $(patsubst %,$B/%.a,$(USES_$(call layer_of,$1)))
	$$Q$$(say) LINK $$@
	$$Q $$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(HDF5_LIBS) $$(LDLIBS)
endef
$(foreach t,$(UNIT_SRC),$(eval $(call unit_rule,$t)))

# The operators and the checker as a library, for the judges in Python.
BRIDGE = $B/lib/libbridge.so
$(BRIDGE): $B/tests/bridge.o $(USES_evaluate:%=$B/%.a)
	$Q$(say) LINK $@
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(HDF5_LIBS) $(LDLIBS)

check: setup-check
	$Q $(MAKE) --no-print-directory -j2 all unit
	$Q BUILD=$(abspath $B) tests/run.sh 2 $(TESTS)

unit: $(UNIT) $(BRIDGE)

# All operators: cheats that the checker must reject, mutants that op_check() must catch, all samples.  Long.
check-ops: setup-check
	$Q $(MAKE) --no-print-directory -j2 all unit
	$Q $B/bin/km-evaluate selfcheck --work=$(WORK); a=$$?; \
	  MUTANTS=$(MUTANTS) $B/tests/unit/ops/mutants; b=$$?; \
	  BUILD=$(abspath $B) /usr/bin/python3 tests/opinfo.py --full; c=$$?; \
	  scripts/torch.sh '$(TORCH)' && BUILD=$(abspath $B) '$(TORCH)/bin/python' tests/opinfo.py --full; d=$$?; exit $$((a || b || c || d))
TORCH   = $(HOME)/.cache/kernelmill/torch
WORK    = 1e7
MUTANTS = 1250

check-gpu: all
	$Q BUILD=$(abspath $B) tests/run.sh 1 $(sort $(wildcard tests/gpu/t*.sh))

# What generated kernels reach on the GPU of this machine; BENCH_OUT keeps the journals.
BENCH_OUT = out/bench
bench-h200: all
	$Q BUILD=$(abspath $B) tests/gpu/bench.sh $(abspath $(BENCH_OUT))

setup setup-check:
	$Q scripts/setup.sh $(@:setup-%=%)

.PHONY: check unit check-ops check-gpu bench-h200 setup setup-check
