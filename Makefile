# Kernelmill: mills the operator x hardware x model matrix of kernels, offline.
#
#   make                 the tools, in build/bin
#   make corpus          search, verify and publish kernels (sets the machine up first)
#                        TARGETS=native OPS=all BUDGET=quick|full|N|total:N OUT=out JOBS=2
#                        POLICY=greedy RELATIVES=FILE|DIR|none EXTRA_OPS=DIR SHAPES=FILE EXECUTOR=local
#   make report          the report of OUT again
#   make check           every test that needs no device (TAP)
#   make bench           figures; one: bench-NAME, see scripts/bench.mk
#   make DEV=1           -Werror, AddressSanitizer, UBSan, in build-dev/
#   make install         PREFIX=/usr/local DESTDIR=
#   make clean, make cache-gc, make size

# The architecture: what each layer may include and link, itself first.
# scripts/layers.sh and the link lines below both hold it to this.
USES_ops      = ops
USES_generate = generate ops
USES_evaluate = evaluate generate ops
USES_corpus   = corpus evaluate generate ops
USES_report   = report evaluate generate ops

LAYERS = ops generate evaluate corpus report
TOOLS  = generate evaluate corpus report
# A table: one X(name) line per file of these folders.
TABLES = ops ops/core/launch generate/lang generate/target generate/policy generate/skeleton \
         generate/micro evaluate/baseline report/page

B       = build$(if $(DEV),-dev)
CC      = gcc
CFLAGS  = -O2 -g
PREFIX  = /usr/local
V       =
Q       = $(if $V,,@)
say     = $(if $V,true,printf '%-8s%s\n')

HDF5_CFLAGS := $(shell pkg-config --cflags hdf5-serial 2>/dev/null || pkg-config --cflags hdf5 2>/dev/null)
HDF5_LIBS   := $(shell pkg-config --libs hdf5-serial 2>/dev/null || pkg-config --libs hdf5 2>/dev/null || echo -lhdf5)
CJSON_LIBS  := $(shell pkg-config --libs libcjson 2>/dev/null || echo -lcjson)
ZLIB_LIBS   := $(shell pkg-config --libs zlib 2>/dev/null || echo -lz)
ELF_LIBS    := $(shell pkg-config --libs libelf 2>/dev/null || echo -lelf)
CURL_LIBS   := $(shell pkg-config --libs libcurl 2>/dev/null)
SECCOMP_LIBS := $(shell pkg-config --libs libseccomp 2>/dev/null || echo -lseccomp)

# gcc sees null formats and truncation where only the sanitizers' own checks put them.
SANITIZE   = -Werror -Wno-format-truncation -Wno-format-overflow -fsanitize=address,undefined -fno-omit-frame-pointer
DEV_FLAGS  = $(if $(DEV),$(SANITIZE))
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes \
             -Wshadow -Wvla -Wwrite-strings -fno-common -fPIC -pthread -MMD -MP -I. -I$B/gen \
             $(DEV_FLAGS) $(CFLAGS)
LDLIBS     = $(CJSON_LIBS) $(ZLIB_LIBS) $(SECCOMP_LIBS) $(ELF_LIBS) -ldl -lm -pthread

src  = $(filter-out %/main.c,$(sort $(wildcard $(if $(filter ops,$1),ops/*/*.c ops/core/launch/*.c,$1/*.c $1/*/*.c))))
obj  = $(patsubst %.c,$B/%.o,$1)
# The entries of a table folder: operators lie one folder deeper.
entries = $(sort $(basename $(notdir $(filter-out ops/core/%,$(if $(filter ops,$1),$(wildcard ops/*/*.c),$(wildcard $1/*.c))) $(if $(filter ops/core/%,$1),$(wildcard $1/*.c)))))
LISTS = $(TABLES:%=$B/gen/%.list)

all: $(TOOLS:%=$B/bin/km-%) $B/bin/km-worker $B/bin/km-life.py $B/lib/libkernelmill.a $B/lib/libkernelmill.so

# Whatever ends make, nothing half made has its final name: written aside, fsynced, renamed.
aside   = -MF $@.new.deps -MT $@
publish = sync $@.new && { [ ! -f $@.new.deps ] || { sync $@.new.deps && mv -f $@.new.deps $(basename $@).d; }; } && mv -f $@.new $@

define layer_rule
$B/$1.a: $(call obj,$(call src,$1))
	$$Q$$(say) AR $$@
	$$Q rm -f $$@.new && $$(AR) rcs $$@.new $$^ && $$(publish)

$B/bin/km-$1: $B/$1/main.o $(USES_$1:%=$B/%.a)
	$$Q$$(say) LINK $$@
	$$Q mkdir -p $$(@D)
	$$Q $$(CC) $$(ALL_CFLAGS) $$(LDFLAGS) -o $$@.new $$^ $$(if $$(filter generate,$1),$$(CURL_LIBS),$$(HDF5_LIBS)) $$(LDLIBS) && $$(publish)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rule,$l)))

# Runs one kernel or baseline in a process of its own, in which no table of functions can be written to.
FIXED = -Wl,-z,relro,-z,now -Wl,--export-dynamic-symbol=__asan_default_options
$B/bin/km-worker: $B/evaluate/worker/main.o $(USES_evaluate:%=$B/%.a)
	$Q$(say) LINK $@
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) $(FIXED) -o $@.new $^ $(HDF5_LIBS) $(LDLIBS) && $(publish)

# What runs Python kernels.
$B/bin/km-life.py: evaluate/worker/life.py
	$Q$(say) COPY $@
	$Q mkdir -p $(@D) && cp $< $@.new && $(publish)

comma = ,

# The installed library: corpus lookup and launching, libc and libm only.
LIBRARY = $(call obj,corpus/corpus.c corpus/index.c $(addprefix ops/core/,strbuf.c words.c arena.c memory.c kv.c \
          dtype.c expr.c function.c rng.c hash.c store.c plan.c launch.c) $(wildcard ops/core/launch/*.c) \
          generate/target.c generate/x86.c generate/nvidia.c $(wildcard generate/target/*.c))
# One object that shows corpus_* alone, so that nothing else can clash with the user's names.
$B/lib/libkernelmill.a: $(LIBRARY)
	$Q$(say) AR $@
	$Q mkdir -p $(@D) && $(LD) -r -o $B/kernelmill.o $^
	$Q objcopy --wildcard --keep-global-symbol='corpus_*' $B/kernelmill.o && rm -f $@.new && $(AR) rcs $@.new $B/kernelmill.o && $(publish)
$B/lib/libkernelmill.so: $(LIBRARY)
	$Q$(say) LINK $@
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,libkernelmill.so.0 $(if $(DEV),,-Wl$(comma)--no-undefined) \
		-Wl,--version-script=corpus/libkernelmill.map -o $@.new $^ -ldl -lm -pthread && $(publish)

$B/%.o: %.c Makefile | $(LISTS)
	$Q$(say) CC $<
	$Q mkdir -p $(@D)
	$Q $(CC) $(ALL_CFLAGS) $(aside) -c -o $@.new $< && $(publish)

# Long sums.
$B/generate/gauss.o: ALL_CFLAGS += -O3

# A program's text as a C string.
$B/generate/lang/triton.o: $B/gen/kernel_server.inc
$B/generate/lang/cute.o: $B/gen/kernel_server.inc $B/gen/cute_tiles.inc
$B/gen/%.inc: generate/%.py
	$Q mkdir -p $(@D)
	$Q sed 's/["\\]/\\&/g; s/^/"/; s/$$/\\n"/' $< >$@.new && $(publish)

# Without libcurl no language model is asked; all else is the same.
$B/generate/llm_client.o: ALL_CFLAGS += $(if $(CURL_LIBS),-DKM_CURL $(shell pkg-config --cflags libcurl))

$B/evaluate/trace_write.o $B/evaluate/trace_read.o: ALL_CFLAGS += $(HDF5_CFLAGS)

# One X(name) line per entry; rewritten only when the set changes.
$(LISTS): $B/gen/%.list: FORCE
	$Q mkdir -p $(@D)
	$Q printf '%s' '$(foreach e,$(call entries,$*),X($e)@)' | tr '@' '\n' >$@.new
	$Q cmp -s $@.new $@ && rm $@.new || { $(publish); }

include $(wildcard tests/tests.mk) $(wildcard scripts/*.mk)

# Who runs what is installed meanwhile has the old file or the new one.
INSTALLED = $(DESTDIR)$(PREFIX)
KNOWLEDGE = $(wildcard generate/knowledge/*.md generate/knowledge/*/*.md generate/knowledge/*/*/*.md)
put = install -m $1 $2 $3.new && sync $3.new && mv -f $3.new $3
install: all
	install -d $(INSTALLED)/bin $(INSTALLED)/lib $(INSTALLED)/include/corpus
	$(foreach f,$(TOOLS:%=$B/bin/km-%) $B/bin/km-worker $B/bin/km-life.py,$(call put,755,$f,$(INSTALLED)/bin/$(notdir $f)) &&) sync $(INSTALLED)/bin
	$(call put,644,$B/lib/libkernelmill.a,$(INSTALLED)/lib/libkernelmill.a)
	$(call put,755,$B/lib/libkernelmill.so,$(INSTALLED)/lib/libkernelmill.so.0)
	ln -sf libkernelmill.so.0 $(INSTALLED)/lib/libkernelmill.so.new && mv -fT $(INSTALLED)/lib/libkernelmill.so.new $(INSTALLED)/lib/libkernelmill.so && sync $(INSTALLED)/lib
	$(call put,644,corpus/corpus.h,$(INSTALLED)/include/corpus/corpus.h) && sync $(INSTALLED)/include/corpus
	$(foreach f,$(KNOWLEDGE),install -d $(INSTALLED)/share/kernelmill/$(patsubst generate/%,%,$(dir $f)) && $(call put,644,$f,$(INSTALLED)/share/kernelmill/$(f:generate/%=%)) &&) true

clean:
	rm -rf build build-dev build-fuzz

size:
	@wc -l $(foreach l,$(LAYERS),$(call src,$l)) | sort -n | tail -40

FORCE:
.PHONY: all install clean size FORCE
.DELETE_ON_ERROR:
-include $(shell find $B -name '*.d' 2>/dev/null)
