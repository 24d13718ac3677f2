/* What a life in Python is told (worker/life.py): where its tensors lie, and what it may not do. */
#include "evaluate/judge_memory.h"

#include <sched.h>
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A filter of system calls, as hexadecimal digits: no other process from now on, which would
 * not be stopped with this one and could see inputs before their time.  "" where it cannot be made.
 */
static void add_filter(struct strbuf *out)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	unsigned char code[2048];
	int fd = memfd_create("km-filter", MFD_CLOEXEC);
	ssize_t bytes = -1;

	if (ctx && fd >= 0 && !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fork), 0) &&
	    !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(vfork), 0) && !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) &&
	    !seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) &&
	    !seccomp_export_bpf(ctx, fd))
		bytes = pread(fd, code, sizeof(code), 0);
	seccomp_release(ctx);
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < bytes; i++)
		strbuf_addf(out, "%02x", code[i]);
}

const char *judge_describe_python(struct arena *arena, const struct judged *judged, const struct judge_memory *m)
{
	const struct problem *p = judged->problem;
	const struct op *op = p->op;
	struct strbuf text = STRBUF_INIT;
	int64_t extent[OP_MAX_RANK];

	strbuf_addf(&text, "{\"threads\": %d, \"sets\": %lld, \"strict\": %zu, \"places\": %zu, \"filter\": \"", p->threads, (long long)m->sets,
		    offsetof(struct judge_control, is_strict), offsetof(struct judge_control, at));
	add_filter(&text);
	strbuf_addstr(&text, "\", \"weights\": [");
	const char *between = "";
	for (const char *w = judged->weights; w && *(w += strspn(w, ", ")); w += strcspn(w, ", ")) {
		strbuf_addf(&text, "%s\"%.*s\"", between, (int)strcspn(w, ", \"\\"), w);
		between = ", ";
	}
	strbuf_addstr(&text, "], \"attrs\": [");
	for (int i = 0; i < OP_MAX_ATTRS && op->attr[i].name; i++)
		strbuf_addf(&text, "%s[\"%s\", %.17g]", i ? ", " : "", op->attr[i].name, p->attr[i]);
	strbuf_addstr(&text, "], \"tensors\": [");
	for (int t = 0; t < OP_MAX_TENSORS && op->tensor[t].name; t++) {
		bool is_input = op->tensor[t].role == OP_IN;
		int rank = problem_shape(p, t, extent);
		strbuf_addf(&text, "%s{\"name\": \"%s\", \"is_input\": %s, \"dtype\": \"%s\", \"place\": %lld, \"stride\": %lld, \"shape\": [", t ? ", " : "",
			    op->tensor[t].name, is_input ? "true" : "false", dtype_name(problem_tensor_dtype(p, t)), (long long)m->place[t],
			    (long long)(is_input ? m->in_set_bytes : m->out_set_bytes));
		for (int k = 0; k < rank; k++)
			strbuf_addf(&text, "%s%lld", k ? ", " : "", (long long)extent[k]);
		strbuf_addstr(&text, "]}");
	}
	strbuf_addstr(&text, "]}\n");
	const char *kept = arena_strdup(arena, text.buf);
	strbuf_release(&text);
	return kept;
}
