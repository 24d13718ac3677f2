# Tests: unit programs (tests/unit/<layer>/<module>.c) and shell tests (tests/tNNNN-what.sh), all TAP.
#   make check                       all that need no device, after set-up
#   make check TESTS="tests/t0*.sh"  some
#   make check-gpu                   those of tests/gpu (skip loudly without one)

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

check: setup-check
	$Q $(MAKE) --no-print-directory -j2 all unit
	$Q BUILD=$(abspath $B) tests/run.sh 2 $(TESTS)

unit: $(UNIT)

check-gpu: all
	$Q BUILD=$(abspath $B) tests/run.sh 1 $(sort $(wildcard tests/gpu/t*.sh))

setup setup-check:
	$Q scripts/setup.sh $(@:setup-%=%)

.PHONY: check unit check-gpu setup setup-check
