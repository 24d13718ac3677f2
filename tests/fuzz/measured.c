/* Measured spaces: caches of Kernel Tuner and T4 files, JSON of anybody's making. */
#include "generate/measured.h"
#include "tests/fuzz.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf err = STRBUF_INIT;
	struct measured_space space;
	char *text = fuzz_text(data, size);

	if (!measured_parse(&space, "input.json", text, &err)) {
		const struct space *knobs = &space.ps.sub[0].space;
		if (!space.count || !(space.best_ns > 0 && space.best_ns <= space.median_ns))
			abort();
		for (size_t i = 0; i < space.count; i++) {
			const struct measured_point *p = &space.point[i];
			for (size_t k = 0; k < knobs->knob_count; k++)
				if (p->point.value[k] < 0 || (size_t)p->point.value[k] >= knobs->knob[k].value_count)
					abort();
			if (measured_find(&space, &p->point) != p || (!isnan(p->time_ns) && p->time_ns < space.best_ns) || !(p->cost_s >= 0))
				abort();
		}
		measured_shuffle(&space, 3);
		measured_hash_names(&space);
		for (size_t i = 0; i < space.count; i++)
			if (measured_find(&space, &space.point[i].point) != &space.point[i])
				abort();
	} else if (!err.len || strchr(err.buf, '\n')) {
		abort();
	}
	measured_close(&space);
	strbuf_release(&err);
	free(text);
	return 0;
}

static void add_text(fuzz_add *add, void *user, const char *text)
{
	add(text, strlen(text), user);
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	add_text(add, user, "{\"objective\":\"time\",\"tune_params_keys\":[\"x\",\"mode\"],\"tune_params\":{\"x\":[1,2],\"mode\":[\"a\",true]},\"cache\":{"
			    "\"1,a\":{\"x\":1,\"mode\":\"a\",\"time\":2.5,\"times\":[2.5,2.4],\"compile_time\":10,\"verification_time\":1,\"framework_time\":0.5},"
			    "\"2,a\":{\"x\":2,\"mode\":\"a\",\"time\":\"RuntimeFailedConfig\",\"compile_time\":9},"
			    "\"2,true\":{\"x\":2,\"mode\":true,\"time\":1.25,\"times\":[1.3,1.2],\"compile_time\":8}}}");
	add_text(add, user, "{\"schema_version\":\"1.0.0\",\"metadata\":{\"timeunit\":\"miliseconds\"},\"results\":["
			    "{\"configuration\":{\"x\":1,\"y\":0.5},\"times\":{\"compilation\":9,\"framework\":1,\"validation\":0,\"runtimes\":[2,2.1]},\"invalidity\":\"correct\","
			    "\"measurements\":[{\"name\":\"time\",\"value\":2.05,\"unit\":\"ms\"}],\"objectives\":[\"time\"]},"
			    "{\"configuration\":{\"x\":2,\"y\":0.5},\"times\":{\"compilation\":9,\"runtimes\":[]},\"invalidity\":\"runtime\",\"measurements\":[]}]}");
}
