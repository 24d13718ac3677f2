/*
 * sandbox.h: confines the process a CPU candidate is loaded into: user, mount, net, ipc
 * and uts namespaces, a user id of its own where we are root, Landlock, and an
 * allow-list of system calls.  It has no pid namespace, root folder or cgroup of its own
 * yet, and compilers and device workers are not confined by it.
 *
 * Each layer is tried once a process; a machine that lacks some runs at a lower
 * level and says so (sandbox_level()).  A layer the machine has is never left out
 * silently: if it fails, the start fails.  KM_SANDBOX_WITHOUT="word ..." leaves out
 * layers of sandbox.def.
 *
 *   parent: sandbox_prepare(); fork()
 *   child:  sandbox_enter(); what must come after the change of user; sandbox_seal(); execveat(box.program)
 *   parent: sandbox_release()
 */
#ifndef EVALUATE_SANDBOX_H
#define EVALUATE_SANDBOX_H

#include "ops/core/strbuf.h"

enum sandbox_layer {
#define X(name, word, gives, fix) SANDBOX_##name,
#include "evaluate/sandbox.def"
#undef X
	SANDBOX_LAYER_COUNT
};
/* A range no distribution gives to people or services. */
enum { SANDBOX_FIRST_UID = 0x4b4d0000, SANDBOX_UIDS = 1024 };

struct sandbox {
	int ruleset;  /* Landlock; -1: none */
	int program;  /* descriptors of what is executed, and of what it loads: the */
	int artifact; /* box's user may not find them by name */
	int uid;      /* to become; 0: we are not root */
};

/* 0, or -1 with *err. */
int sandbox_prepare(struct sandbox *box, const char *program, const char *artifact, struct strbuf *err);
void sandbox_release(struct sandbox *box);
/* In the child: another user and world; then no files and few system calls, for ever.  0, or -1 with errno. */
int sandbox_enter(const struct sandbox *box);
int sandbox_seal(const struct sandbox *box);

/* Does this machine give that layer?  why (may be NULL): what refused it, or "". */
bool sandbox_has(enum sandbox_layer layer, const char **why);
const char *sandbox_word(enum sandbox_layer layer);
const char *sandbox_gives(enum sandbox_layer layer);
const char *sandbox_fix(enum sandbox_layer layer);
/* "namespaces": all layers of sandbox.def; "floor": not root, seccomp and Landlock; "process": less. */
enum sandbox_rank { SANDBOX_PROCESS, SANDBOX_FLOOR, SANDBOX_NAMESPACES };
enum sandbox_rank sandbox_rank(void);
/* "namespaces", or "floor without uts-namespace ...": what a trace says. */
void sandbox_level(struct strbuf *out);

#endif
