/* Answers of programs that propose (generate/ask.h): they may say anything. */
#include "generate/ask.h"
#include "tests/fuzz.h"

static const char *const seeds[] = {
	"{\"knobs\": {\"skeleton\": \"map\", \"lang\": \"c\", \"BM\": 4, \"BN\": \"256\", \"NT\": 0}, \"edge\": \"neighbour\", \"parent\": \"0123456789abcdef\"}\n",
	"{\"knobs\": \"skeleton=map lang=c BM=4 BN=256 NT=0\"}\n\nnonsense\n{\"knobs\": 3}\n",
	"{\"source\": \"void KMSYMBOL_main(void) {}\", \"lang\": \"c\", \"steps\": [\"main grid=cdiv(M,16)\", \"more grid=1 threads=1\"]}\n",
	"{\"source\": \"KMSYMBOL_k\", \"lang\": \"c\", \"plan\": \"plan: so\\ndim: M N\\nbuffer: x in f32 M*N\\nbuffer: y out f32 M*N\\nstep: KMSYMBOL_k grid=M\\n\"}",
	"{\"candidate\": {\"id\": \"0123456789abcdef\", \"problem\": \"relu/f32/M=64,N=300/t1\", \"target\": \"x86-avx2\", \"lang\": \"c\", \"skeleton\": \"map\", \"knobs\": \"\", "
	"\"tile\": \"\", \"plan\": \"plan: so\\ndim: M N\\n\", \"prologue\": \"\", \"source\": \"int km_0123456789abcdef_k;\", \"parent\": \"\", \"edge\": \"\", \"policy\": \"\"}}\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MOST = 4 };
	static struct problem_space ps;
	static struct trial trial = { .id = "0123456789abcdef", .knobs = "", .verdict = "PASSED", .parent = "", .edge = "", .policy = "", .fitness = 1 };
	static struct history seen = { .trial = &trial, .count = 1 };
	struct strbuf err = STRBUF_INIT, refused = STRBUF_INIT;
	struct proposal out[MOST] = { 0 };
	struct arena arena = ARENA_INIT;
	size_t count = 0;

	if (!ps.sub_count) {
		struct problem problem;
		if (problem_parse("relu/f32/M=64,N=300/t1", &problem, &err) || space_open(&ps, &problem, target_find("x86-avx2", &err), &err))
			abort();
	}
	const struct search search = { .ps = &ps, .seen = &seen, .argument = "" };
	char *text = fuzz_text(data, size);
	ask_read(&arena, &search, text, out, &count, MOST, &refused);
	if (count > MOST)
		abort();
	for (size_t i = 0; i < count; i++) {
		const struct candidate *c = out[i].whole;
		if (!out[i].edge || !out[i].parent || (!c && out[i].sub_index >= ps.sub_count) || (c && (strlen(c->id) != 16 || strcmp(c->target, "x86-avx2"))))
			abort();
		for (size_t k = 0; !c && k < ps.sub[out[i].sub_index].space.knob_count; k++)
			if ((size_t)out[i].point.value[k] >= ps.sub[out[i].sub_index].space.knob[k].value_count)
				abort();
	}
	free(text);
	strbuf_release(&err);
	strbuf_release(&refused);
	arena_release(&arena);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
		add(seeds[i], strlen(seeds[i]), user);
}
