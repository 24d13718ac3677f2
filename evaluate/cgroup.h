/*
 * cgroup.h: a control group for one process tree: memory and processes bounded, CPU time
 * summed.  Version 2 where memory and pids can be had for groups of our own, else version 1
 * (memory at least), else none.  Groups lie below the one this process is in and are
 * named km-<pid>-<number>; what a killed process of ours left is removed by the next.
 */
#ifndef EVALUATE_CGROUP_H
#define EVALUATE_CGROUP_H

#include "ops/core/strbuf.h"

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
enum { CGROUP_PARTS = 3 }; /* hierarchies of version 1: memory, pids, cpuacct */

struct cgroup {
	enum cgroup_kind kind;
	int folder[CGROUP_PARTS]; /* version 2 has the first alone; -1: none */
	int procs[CGROUP_PARTS];  /* cgroup.procs, to write to */
	char name[32];
};
#define CGROUP_INIT { .folder = { -1, -1, -1 }, .procs = { -1, -1, -1 } }

struct cgroup_use {
	double cpu_s;         /* of all that ever ran in it; 0: not known */
	int64_t memory_bytes; /* the most at any time; 0: not known */
	int64_t oom_kills;    /* for the group's own limit: not where the machine, or a group above, ran out */
};

/* What this machine and user give, tried once; why (may be NULL): what refused it, or "". */
enum cgroup_kind cgroup_kind(const char **why);
/* A new group; limits of 0 are none.  0 (a group of kind CGROUP_NONE where there is none), or -1 with *err. */
int cgroup_open(struct cgroup *group, int64_t memory_bytes, int processes, struct strbuf *err);
/* The calling process joins.  No memory is allocated, no lock taken.  0, or -1 with errno. */
int cgroup_join(const struct cgroup *group);
/* Kills every process in it. */
void cgroup_kill(const struct cgroup *group);
void cgroup_read(const struct cgroup *group, struct cgroup_use *use);
/* Removes the group, whose processes are dead. */
void cgroup_close(struct cgroup *group);

#endif
