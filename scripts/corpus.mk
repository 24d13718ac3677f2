# The main job.  See the usage at the top of the Makefile.
TARGETS  = native
OPS      = all
BUDGET   = quick
OUT      = out
JOBS     = 2
SEED     = 1
POLICY   = portfolio
RELATIVES =
EXTRA_OPS =
SHAPES   =
LLM      =
EXECUTOR = local

# Set-up is part of the job, and told apart from it.
corpus:
	$Q start=$$(date +%s); scripts/setup.sh corpus '$(TARGETS)' && $(MAKE) -s -j2 all || exit $$?; \
	BIN='$(abspath $B/bin)' ROOT='$(CURDIR)' TARGETS='$(TARGETS)' OPS='$(OPS)' BUDGET='$(BUDGET)' OUT='$(OUT)' JOBS='$(JOBS)' \
	SEED='$(SEED)' POLICY='$(POLICY)' RELATIVES='$(RELATIVES)' EXTRA_OPS='$(EXTRA_OPS)' SHAPES='$(SHAPES)' EXECUTOR='$(EXECUTOR)' LLM='$(LLM)' \
	SETUP_SECONDS=$$(($$(date +%s) - start)) sh scripts/corpus.sh

report: all
	$Q $B/bin/km-report $(OUT)

# The compile cache is bounded: what was not used for longest goes first.
CACHE_MIB = 2048
cache-gc: all
	$Q $B/bin/km-evaluate cache-gc --limit=$(CACHE_MIB)

.PHONY: corpus report cache-gc
