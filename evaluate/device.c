/* The worker that all candidates of a device share: its life, and the device's when it does not serve. */
#include "evaluate/evaluate.h"

#include <string.h>
#include <time.h>

void device_end(struct session *s)
{
	if (s->life && s->device.to >= 0)
		worker_close(&s->device);
}

/* A driver starts threads of its own. */
enum { THREADS = 32, OPEN_S = 120 };

static enum verdict start(struct session *s, struct strbuf *detail)
{
	const struct worker_start start = { .group = s->target->artifact, .threads = THREADS, .limit_s = OPEN_S };

	return worker_open(&s->device, &s->stage, &start, detail);
}

enum verdict device_open(struct session *s, struct strbuf *detail)
{
	/* What was taken may be given back, and what hung may come back when its process is gone. */
	static const struct timespec pause[] = { { 0, 300000000 }, { 2, 0 } };
	enum verdict v;

	if (s->device_lost) {
		strbuf_addstr(detail, s->device_lost);
		return VERDICT_NOT_MEASURED;
	}
	if (s->life && s->device.box.pid)
		return VERDICT_PASSED;
	device_end(s);
	for (size_t i = 0;; i++) {
		size_t len = detail->len;
		v = start(s, detail);
		if (v == VERDICT_PASSED) {
			s->life++;
			return v;
		}
		if (v == VERDICT_HARNESS_ERROR)
			return v;
		if (i == ARRAY_SIZE(pause))
			break;
		detail->len = len;
		detail->buf[len] = 0;
		nanosleep(&pause[i], NULL);
	}
	s->device_lost = arena_printf(&s->arena, "the device does not serve: %.300s", detail->buf);
	strbuf_reset(detail);
	strbuf_addstr(detail, s->device_lost);
	warn("nothing more is measured for '%s': %s", s->problem_text, s->device_lost);
	return VERDICT_NOT_MEASURED;
}
