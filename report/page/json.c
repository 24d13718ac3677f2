/* report.json: the numbers of the front page, for machines. */
#include "report/report.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

static cJSON *problem_json(const struct report_problem *p)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "problem", p->problem);
	cJSON_AddNumberToObject(o, "trials", (double)p->evaluation_count);
	cJSON_AddNumberToObject(o, "elapsed_s", p->elapsed_s);
	cJSON_AddStringToObject(o, "stopped_by", p->stop ? p->stop->reason : "");
	if (p->winner) {
		cJSON *w = cJSON_AddObjectToObject(o, "winner");
		cJSON_AddStringToObject(w, "candidate", p->winner->candidate);
		cJSON_AddNumberToObject(w, "time_ns", p->winner->time_ns);
		cJSON_AddNumberToObject(w, "low_ns", p->winner->low_ns);
		cJSON_AddNumberToObject(w, "high_ns", p->winner->high_ns);
		cJSON_AddStringToObject(w, "judged_by", p->winner->judged_by);
		cJSON_AddNumberToObject(w, "raced_ns", p->winner->raced_ns);
		cJSON_AddStringToObject(w, "baseline", p->winner->baseline);
		cJSON_AddNumberToObject(w, "baseline_ns", p->winner->baseline_ns);
		cJSON_AddNumberToObject(w, "ratio", p->winner->ratio);
		cJSON_AddNumberToObject(w, "ratio_low", p->winner->ratio_low);
		cJSON_AddNumberToObject(w, "ratio_high", p->winner->ratio_high);
		cJSON_AddNumberToObject(w, "loopnest_ratio", p->winner->loopnest_ratio);
		cJSON_AddNumberToObject(w, "sol_ratio", p->winner->sol_ratio);
	}
	cJSON *v = cJSON_AddObjectToObject(o, "verdicts");
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (p->verdict_count[i])
			cJSON_AddNumberToObject(v, verdict_name((enum verdict)i), (double)p->verdict_count[i]);
	return o;
}

static int write_page(struct report *report, struct strbuf *err)
{
	cJSON *root = cJSON_CreateObject(), *cells = cJSON_AddArrayToObject(root, "cells");
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < report->op_count * report->target_count; i++) {
		const struct report_cell *cell = &report->cell[i];
		if (!cell->problem_count)
			continue;
		cJSON *o = cJSON_CreateObject();
		cJSON_AddStringToObject(o, "operator", cell->op);
		cJSON_AddStringToObject(o, "target", cell->target);
		cJSON_AddStringToObject(o, "state", cell->compiled_count ? target_state_name(cell->state) : "failed");
		cJSON_AddNumberToObject(o, "ratio", cell->ratio);
		cJSON *list = cJSON_AddArrayToObject(o, "problems");
		for (size_t k = 0; k < cell->problem_count; k++)
			cJSON_AddItemToArray(list, problem_json(&cell->problem[k]));
		cJSON_AddItemToArray(cells, o);
	}
	char *text = cJSON_Print(root);
	strbuf_addf(&out, "%s\n", text);
	free(text);
	cJSON_Delete(root);
	int ret = report_publish(report, "report.json", &out, err);
	strbuf_release(&out);
	return ret;
}

const struct page page_json = { .name = "json", .write = write_page };
