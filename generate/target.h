/*
 * target.h: a hardware target: facts with their sources, and nothing else.
 * generate/target/<name>.c exports one `const struct target target_<name>`;
 * .name is the file's name with '_' as '-'.
 */
#ifndef GENERATE_TARGET_H
#define GENERATE_TARGET_H

#include "ops/core/dtype.h"
#include "ops/core/strbuf.h"

/* How far a result on this target can be trusted, best first (design: states). */
enum target_state { STATE_MEASURED, STATE_EMULATED, STATE_MODELLED, STATE_COMPILED, STATE_GENERATED };

/* ISA features, one list: X(name). */
#define TARGET_ISA(X) X(sse2) X(avx2) X(fma) X(f16c) X(avx512) X(avx512_bf16) X(avx512_vnni) X(amx_bf16) X(amx_int8) \
	X(neon) X(sve) X(rvv) X(mfma) X(wgmma) X(mma_sync)
enum isa {
#define X(name) ISA_##name,
	TARGET_ISA(X)
#undef X
	ISA_COUNT
};
#define ISA_BIT(name) (UINT64_C(1) << ISA_##name)

/*
 * A matrix instruction: extents, lanes, and operand layouts as digits over i, j, k.  Operands
 * without digits lie in shared memory; a micro-kernel drives such an instruction.
 */
struct mma_instr {
	const char *name;
	int m, n, k, lanes;
	enum dtype ab, acc;
	const char *a_lane, *a_reg, *b_lane, *b_reg, *c_lane, *c_reg;
};

struct target {
	const char *name;
	const char *summary;
	const char *alias;            /* non-NULL: stands for probe()'s answer ("native") */
	const char *artifact;         /* "so", "hsaco", ... */
	enum target_state best_state; /* what a result here can at best be */
	uint64_t isa;                 /* ISA_BIT()s */
	const char *march;            /* for the compilers: "x86-64-v3", "gfx942" */
	const char *compiler_flags;   /* further flags, space-separated, or NULL */
	int vector_bytes;             /* SIMD register; 0: SIMT */
	int vector_reg_count;
	int warp;                     /* lanes of a warp or wavefront; 1 on a CPU */
	int core_count;               /* cores, SMs, CUs; 0: as probed */
	int64_t l1_bytes, l2_bytes, l3_bytes; /* 0: as probed */
	int64_t shared_bytes;         /* LDS / shared memory a block may use */
	int64_t static_shared_bytes;  /* of it, without asking for more at launch; 0: all */
	int max_threads;              /* per block */
	int max_cluster;              /* blocks that may read each other's shared memory; 0: none may */
	double peak_flop_per_s[DTYPE_COUNT]; /* 0: measured by the probe */
	double peak_bytes_per_s;             /* datasheet; 0: none known */
	const struct mma_instr *mma;  /* ends with name NULL; may be NULL */
	/* 1 this machine is it, 0 it is not.  NULL: never (cross target). */
	int (*probe)(void);
	/* What is here instead, in words; "": nothing to tell.  May be NULL. */
	const char *(*here)(void);
};

extern const struct target *const target_table[];
/* Resolves aliases; NULL when unknown (line in *err with the known ones) or when no machine matches. */
const struct target *target_find(const char *name, struct strbuf *err);
/* The named target this machine is, best ISA first; NULL: none. */
const struct target *target_of_this_machine(void);
const char *target_state_name(enum target_state state);
/* The target's record of that name, or NULL. */
const struct mma_instr *mma_find(const struct target *target, const char *name);

/* x86.c: CPUID + XGETBV (and AMX permission) -> ISA bits of the running CPU. */
uint64_t x86_isa(void);

/* nvidia.c: is the first device this model ("H200")?  Asks the driver, if there is one. */
int nvidia_is_here(const char *model);
/* "its device is 'NVIDIA A10'", "it has no CUDA driver, libcuda.so.1", ... */
const char *nvidia_here(void);
extern const struct mma_instr nvidia_warp_mma[], nvidia_hopper_mma[];

#endif
