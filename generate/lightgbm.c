#include "generate/lightgbm.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is used of its interface, as it is declared in LightGBM/c_api.h; each returns 0, or not and last_error() tells. */
enum { FLOAT32 = 0, FLOAT64 = 1, PREDICT_VALUE = 0 };
static struct {
	const char *(*last_error)(void);
	int (*data_create)(const void *data, int type, int32_t rows, int32_t columns, int by_row, const char *parameters, const void *like, void **out);
	int (*data_set)(void *data, const char *field, const void *values, int count, int type);
	int (*data_free)(void *data);
	int (*create)(const void *data, const char *parameters, void **out);
	int (*update)(void *booster, int *is_finished);
	int (*predict)(void *booster, const void *data, int type, int32_t rows, int32_t columns, int by_row, int what, int start, int rounds,
		       const char *parameters, int64_t *count, double *out);
	int (*release)(void *booster);
} api;
static bool is_tried, is_there;
static char why_not[300];

static bool load(void)
{
	static const struct {
		const char *name;
		void **function;
	} wanted[] = {
		{ "LGBM_GetLastError", (void **)&api.last_error }, { "LGBM_DatasetCreateFromMat", (void **)&api.data_create },
		{ "LGBM_DatasetSetField", (void **)&api.data_set }, { "LGBM_DatasetFree", (void **)&api.data_free },
		{ "LGBM_BoosterCreate", (void **)&api.create }, { "LGBM_BoosterUpdateOneIter", (void **)&api.update },
		{ "LGBM_BoosterPredictForMat", (void **)&api.predict }, { "LGBM_BoosterFree", (void **)&api.release },
	};
	const char *given = getenv("KM_LIGHTGBM"), *home = getenv("HOME");
	struct strbuf path = STRBUF_INIT;

	if (is_tried)
		return is_there;
	is_tried = true;
	strbuf_addf(&path, "%s", given ? given : "");
	if (!given)
		strbuf_addf(&path, "%s/.cache/kernelmill/lightgbm/lib_lightgbm.so", home ? home : "");
	void *library = dlopen(path.buf, RTLD_NOW | RTLD_LOCAL);
	if (!library && !given)
		library = dlopen("lib_lightgbm.so", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		snprintf(why_not, sizeof(why_not), "LightGBM's library is not at '%s': run 'make setup'", path.buf);
	strbuf_release(&path);
	is_there = library;
	for (size_t i = 0; i < ARRAY_SIZE(wanted) && is_there; i++) {
		*wanted[i].function = dlsym(library, wanted[i].name);
		is_there = *wanted[i].function;
		if (!is_there)
			snprintf(why_not, sizeof(why_not), "LightGBM's library has no '%s': run 'make setup'", wanted[i].name);
	}
	return is_there;
}

int lightgbm_expect(const double *x, const float *y, size_t n, size_t dims, int rounds, const char *parameters, const double *at, size_t m,
		    double *expected, struct strbuf *err)
{
	struct strbuf words = STRBUF_INIT;
	void *data = NULL, *booster = NULL;
	int64_t count = 0;
	int finished = 0, ret = -1;

	if (!load()) {
		strbuf_addstr(err, why_not);
		return -1;
	}
	strbuf_addf(&words, "num_threads=1 deterministic=true force_row_wise=true verbosity=-1 %s", parameters);
	if (api.data_create(x, FLOAT64, (int32_t)n, (int32_t)dims, 1, words.buf, NULL, &data) ||
	    api.data_set(data, "label", y, (int)n, FLOAT32) || api.create(data, words.buf, &booster))
		goto out;
	for (int i = 0; i < rounds && !finished; i++)
		if (api.update(booster, &finished))
			goto out;
	if (api.predict(booster, at, FLOAT64, (int32_t)m, (int32_t)dims, 1, PREDICT_VALUE, 0, -1, "num_threads=1", &count, expected) || count != (int64_t)m)
		goto out;
	ret = 0;
out:
	if (ret)
		strbuf_addf(err, "LightGBM: %s", api.last_error());
	if (booster)
		api.release(booster);
	if (data)
		api.data_free(data);
	strbuf_release(&words);
	return ret;
}
