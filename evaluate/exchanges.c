/* Exchanges with a language model, from the transcript into the journal. */
#include "evaluate/evaluate.h"

#include <string.h>

static bool is_known(const struct session *s, const struct exchange *x)
{
	for (size_t i = 0; i < s->past.exchange_count; i++) {
		const struct exchange *known = &s->past.exchange[i];
		if (!strcmp(known->request, x->request) && !strcmp(known->outcome, x->outcome) && !strcmp(known->place, x->place) &&
		    known->start_ns == x->start_ns)
			return true;
	}
	return false;
}

int session_exchanges(struct session *s, const char *path, struct strbuf *err)
{
	struct exchange *exchange;
	size_t count, torn, added = 0;

	if (exchange_read_file(&s->arena, path, &exchange, &count, &torn, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct exchange x = exchange[i];
		if (strcmp(x.problem, s->problem_text) || strcmp(x.target, s->target->name))
			continue;
		/* A clock that is computed tells no time of day: then they keep their order. */
		if (s->is_model) {
			x.latency_s = 0;
			x.start_ns = (int64_t)i;
		}
		if (is_known(s, &x))
			continue;
		if (session_append(s, RECORD_EXCHANGE, &x, err))
			return -1;
		added++;
	}
	return added ? session_commit(s, err) : 0;
}
