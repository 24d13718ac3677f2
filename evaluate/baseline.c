#include "evaluate/baseline.h"
#include "ops/core/launch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define X(name) extern const struct baseline baseline_##name;
#include "evaluate/baseline.list"
#undef X

const struct baseline *const baseline_table[] = {
#define X(name) &baseline_##name,
#include "evaluate/baseline.list"
#undef X
	NULL
};

bool baseline_is_rival(const char *name)
{
	size_t len = strlen(name);

	return len < 5 || strcmp(name + len - 5, "_tf32") != 0;
}

int64_t baseline_search_ns(void)
{
	const char *seconds = getenv("KM_SEARCH_SECONDS");
	double s = seconds ? strtod(seconds, NULL) : 0;

	return (int64_t)(1e9 * (s > 0 && s < 3600 ? s : 4));
}

const struct baseline *baseline_find(const char *name)
{
	for (size_t i = 0; baseline_table[i]; i++)
		if (!strcmp(baseline_table[i]->name, name))
			return baseline_table[i];
	return NULL;
}

struct call {
	struct baseline_state *state;
	int (*run)(struct baseline_state *state);
};

static int start(void *user, struct strbuf *err)
{
	const struct call *call = user;

	if (!call->run(call->state))
		return 0;
	strbuf_addstr(err, "the library failed");
	return -1;
}

double baseline_call_ns(const struct launcher_memory *device, struct baseline_state *state, int (*run)(struct baseline_state *state))
{
	struct strbuf ignored = STRBUF_INIT;
	struct call call = { state, run };
	int64_t ns;
	int bad = device->timed(&(struct launcher_timing){ .start = start, .user = &call }, &ns, &ignored);

	strbuf_release(&ignored);
	return bad ? INFINITY : (double)ns;
}
