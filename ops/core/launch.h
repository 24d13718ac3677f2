/*
 * launch.h: artifact kinds.  ops/core/launch/<kind>.c exports one
 * `const struct launcher launcher_<kind>`; the worker and the installed library
 * find it by plan->artifact.  libc only; vendor drivers are loaded on use.
 */
#ifndef OPS_CORE_LAUNCH_H
#define OPS_CORE_LAUNCH_H

#include "ops/core/plan.h"

struct kernel; /* a loaded artifact with its plan */

/* Work of which the device's time is wanted, begun by launchers or by libraries, on launcher_memory.stream. */
struct launcher_timing {
	int (*start)(void *user, struct strbuf *err); /* starts all of it; allocates nothing, waits for nothing */
	void (*watch)(void *user);                    /* NULL, or called once while the device works */
	void *user;
	/*
	 * Recorded first and replayed as one graph: next to nothing lies between short kernels.
	 * What cannot be recorded is started as it is.
	 */
	bool is_replayed;
};

/* Memory of a device that does not share the host's.  All return 0, or -1 with *err. */
struct launcher_memory {
	/* Readies the device for this process; open() does it for kernels. */
	int (*begin)(struct strbuf *err);
	/* NULL with *err.  Lives as long as the process. */
	void *(*allocate)(struct kernel *kernel, size_t bytes, struct strbuf *err);
	int (*write)(struct kernel *kernel, void *device, const void *host, size_t bytes, struct strbuf *err);
	/* After all that ran before; what they did wrong is told here. */
	int (*read)(struct kernel *kernel, void *host, const void *device, size_t bytes, struct strbuf *err);
	/* Until all that was started has ended. */
	int (*wait)(struct kernel *kernel, struct strbuf *err);
	/* The stream that timed work is started on, as the vendor's libraries take it. */
	void *stream;
	/*
	 * *ns is the device's own time from the start of the first work that t->start() starts to
	 * the end of its last, with a cold last-level cache and without what launching cost the
	 * host: none of it begins before all of it is queued.  Waits for the end.
	 */
	int (*timed)(const struct launcher_timing *t, int64_t *ns, struct strbuf *err);
	/* Every 16 bits from `device` on are `pattern`. */
	int (*fill)(void *device, uint16_t pattern, size_t bytes, struct strbuf *err);
	/* *sum is a number of the words there and of their places: another one where any of them changed.  bytes % 8 == 0. */
	int (*sum)(const void *device, size_t bytes, uint64_t *sum, struct strbuf *err);
	/* A small kernel of our own, whose results are known, ran right; *ns is its time. */
	int (*canary)(int64_t *ns, struct strbuf *err);
	/* Is the memory around the temporaries that the kernel keeps as it was? */
	int (*intact)(struct kernel *kernel, struct strbuf *err);
	/*
	 * Was the last error of this process no kernel's doing: the device is absent, taken, full before any
	 * kernel came, or another than the artifact was made for?
	 */
	bool (*is_unserved)(void);
};

struct launcher {
	const char *kind;
	/*
	 * Loads the artifact.  `threads` is the size of the team kept for all
	 * calls (CPU).  The plan must outlive the kernel.  NULL with *err.
	 */
	struct kernel *(*open)(const struct plan *plan, const char *artifact_path, int threads,
			       struct strbuf *err);
	/*
	 * Runs all steps once.  buf[]: one pointer per plan buffer, in order;
	 * pass NULL for tmp buffers to use memory the kernel keeps.
	 * 0, or -1 with *err (a broken precondition, no memory).
	 */
	int (*run)(struct kernel *kernel, void *const *buf, const int64_t *dim,
		   struct strbuf *err);
	void (*close)(struct kernel *kernel);
	/*
	 * NULL, or: from now on each step's instances run one by one, the last first, on scratch that holds
	 * nothing of the one before.  A step promises them in no order, and kernels that need one are wrong.
	 */
	void (*reverse)(struct kernel *kernel);
	/* NULL: buf[] are the host's, and run() returns when all is done.  Else they are the device's, and it may return before. */
	const struct launcher_memory *memory;
};

extern const struct launcher *const launcher_table[]; /* NULL at the end */
const struct launcher *launcher_find(const char *kind);

#endif
