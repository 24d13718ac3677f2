/*
 * record.h: what a cell's journal holds: one JSON object a frame, its kind in
 * "kind".  This module alone turns the structs into JSON and back (cJSON), so
 * writers (evaluate) and readers (trace, corpus, report) share one schema.
 * Strings read belong to the arena.
 */
#ifndef EVALUATE_RECORD_H
#define EVALUATE_RECORD_H

#include "evaluate/verdict.h"
#include "generate/candidate.h"
#include "generate/exchange.h"

/* The machine, its tools and the measuring protocol; written once per run of km-evaluate. */
struct environment {
	char id[17];             /* hash of all fields below but start_ns */
	const char *target;      /* named target, never an alias */
	const char *cpu_model, *os, *compiler, *tool_version, *sandbox_level, *clock;
	int64_t core_count, l1_bytes, l2_bytes, l3_bytes;
	double peak_flop_per_s;  /* measured, f32, one core */
	double peak_bytes_per_s; /* measured stream, one core */
	double matrix_flop_per_s;/* measured AMX bf16, one core; 0: none */
	double datasheet_bytes_per_s; /* 0: unknown */
	int64_t start_ns;        /* wall clock */
};

/* Those before RECORD_KIND_COUNT are traced; a start is of its journal alone. */
enum record_kind {
	RECORD_ENVIRONMENT, RECORD_CANDIDATE, RECORD_EVALUATION, RECORD_BASELINE, RECORD_DUEL, RECORD_WINNER, RECORD_STOP,
	RECORD_JUDGEMENT, RECORD_EXCHANGE, RECORD_KIND_COUNT,
	RECORD_START = RECORD_KIND_COUNT, RECORD_ALL_COUNT
};

#define EVALUATION_MAX_FACTS 24
struct fact_value {
	const char *key; /* "registers", "spills", "lds_bytes", "code_bytes", ... */
	double value;
};

/* One trial of one candidate. */
struct evaluation {
	const char *candidate, *problem, *environment; /* ids / problem text */
	enum verdict verdict;
	const char *detail;      /* compiler's words, first wrong element, ... ; "" */
	enum target_state state; /* measured, compiled, ... */
	double compile_s;        /* its share of the batch */
	double check_s, measure_s;
	double max_abs_error, max_rel_error, max_ulp_error; /* max_rel: |got-want| / allowed bound is tolerance_ratio */
	double tolerance_ratio;  /* largest |error| / bound: <= 1 passes */
	double time_ns;          /* median of one call; NaN when not timed */
	double time_low_ns, time_high_ns; /* quartiles */
	int rung;                /* samples level it survived to in the race */
	int64_t calls_per_sample;
	double *sample_ns;       /* raw: one call's mean in each sample */
	size_t sample_count;
	double fitness;          /* strongest baseline's time / time_ns; 0 unless PASSED */
	double sol_ratio;        /* speed-of-light time / time_ns; 0 unknown */
	double flop_per_s, bytes_per_s;
	struct fact_value fact[EVALUATION_MAX_FACTS];
	size_t fact_count;
	int64_t start_ns;        /* wall clock */
	double elapsed_s;        /* evaluation work on this problem so far, this trial included */
	const char *reproduce;   /* one command */
};

struct baseline_record {
	const char *problem, *environment, *name, *setting; /* "loopnest", "clang-22 -O3 -march=..."; "onednn", "brg:avx512, blocked" */
	double time_ns;
	double *sample_ns;
	size_t sample_count;
	int64_t calls_per_sample;
};

/* Interleaved pairs of two kernels in one run. */
enum duel_verdict { DUEL_FASTER, DUEL_SLOWER, DUEL_SAME, DUEL_AMBIGUOUS };
struct duel {
	const char *problem, *environment;
	const char *a, *b;        /* candidate id, or "baseline:<name>" */
	double ratio, low, high;  /* time of b / time of a, see measure_duel() */
	enum duel_verdict verdict;/* of a against b */
	double *a_ns, *b_ns;      /* paired raw samples */
	size_t pair_count;
};

/* The problem's winner after recompiling alone, rechecking and retiming. */
struct winner {
	const char *problem, *environment, *candidate;
	double time_ns, low_ns, high_ns; /* one call as judged from outside its process; where nobody judged, as raced */
	const char *judged_by;    /* "lives": judge.h; "clock": nobody, its own process's clock raced it, as that of every kernel of a device */
	double raced_ns, raced_low_ns, raced_high_ns; /* one call in duels, by its process's clock, with its quartiles */
	const char *baseline;     /* the strongest one's name; ratios to baselines come from pairs in duels */
	double baseline_ns, ratio, ratio_low, ratio_high; /* ratio > 1: the winner is faster */
	double loopnest_ratio, loopnest_low, loopnest_high; /* against the -O3 loop nest: judged, else raced in pairs */
	double raced_loopnest_ratio;
	double sol_ratio, tolerance_ratio;
	const char *ties;         /* ids within the noise, space-separated */
	const char *artifact;     /* path below the cell's folder: "<id>/kernel.so" */
};

struct stop {
	const char *problem, *reason;
	int64_t evaluations;
	double elapsed_s;
};

/* Written before work on a candidate begins.  One that no evaluation follows: something ended the evaluator meanwhile. */
struct start {
	const char *candidate, *problem, *environment;
	int64_t attempt; /* from 1 */
};

/* A kernel judged from outside its process: judge.h. */
struct judgement {
	const char *problem, *environment, *candidate;
	enum verdict verdict;
	const char *detail;       /* why; "" */
	double claimed_ns;        /* by its own process's clock */
	double judged_ns, low_ns, high_ns; /* one call, from outside, with its interval; NaN: not timed */
	double claim_ratio;       /* claimed_ns / judged_ns */
	int64_t calls_few, calls_many, rounds; /* calls of a short and of a long life; so many of each */
	double load;              /* processes that wanted to run meanwhile, a minute's mean */
	const char *baseline;     /* judged beside it; "": none */
	double baseline_ns, ratio, ratio_low, ratio_high; /* > 1: the kernel is faster */
	double tolerance_ratio;
	int64_t whole_sets, sampled_sets; /* different inputs whose outputs were compared whole, or at secret positions */
	int64_t scanned_elements; /* of all calls' outputs: written, and the same bits for the same inputs */
	const char *memory_pass;  /* how memory errors were looked for: "guard pages", ... */
	const char *labels;       /* what is worth knowing of an accepted one; "" */
};

struct record {
	enum record_kind kind;
	union {
		struct environment environment;
		struct candidate candidate;
		struct evaluation evaluation;
		struct baseline_record baseline;
		struct duel duel;
		struct winner winner;
		struct stop stop;
		struct start start;
		struct judgement judgement;
		struct exchange exchange;
	};
};

/*
 * The fields of each kind, one table for the journal's keys and the trace's
 * columns.  Ends with name NULL.
 */
enum field_type {
	FIELD_ID,            /* char[17] in the struct */
	FIELD_CANDIDATE,     /* const char *: a candidate's id, "" for none */
	FIELD_ENVIRONMENT,   /* const char *: an environment's id */
	FIELD_PROBLEM,       /* const char *: problem.h text */
	FIELD_NAME,          /* const char *: a short word of a small set */
	FIELD_TEXT,          /* const char *: anything */
	FIELD_REAL,          /* double */
	FIELD_INT,           /* int */
	FIELD_INT64,         /* int64_t */
	FIELD_UINT64,        /* uint64_t */
	FIELD_VERDICT,       /* enum verdict */
	FIELD_STATE,         /* enum target_state */
	FIELD_DUEL_VERDICT,  /* enum duel_verdict */
	FIELD_SAMPLES,       /* double *, length (size_t) at count_offset */
	FIELD_FACTS,         /* struct fact_value[EVALUATION_MAX_FACTS], length (size_t) at count_offset */
};
struct field {
	const char *name;    /* JSON key and column name */
	enum field_type type;
	size_t offset, count_offset; /* in the kind's struct */
	const char *unit;    /* "ns", "s", "byte", "1" */
	const char *long_name;
};
const struct field *record_fields(enum record_kind kind);
const char *record_kind_name(enum record_kind kind);
/* The word of an enum field's value and back: NULL, or -1, when there is none. */
const char *field_word(enum field_type type, int value);
int field_value(enum field_type type, const char *word);

/* Appends the JSON text (no newline). */
void record_write(const struct record *record, struct strbuf *out);
/* 0, or -1 with *err. */
int record_read(struct arena *arena, const char *json, struct record *record, struct strbuf *err);

#endif
