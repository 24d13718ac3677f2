/* Compilers that stay: a server in Python that makes, refuses, dies and hangs as its source says. */
#include "tests/tap.h"
#include "evaluate/resident.h"
#include "ops/core/proc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char program[] =
	"import base64, json, os, sys, time\n"
	"def say(**w): print(json.dumps(w), flush=True)\n"
	"token = int.from_bytes(os.urandom(4), 'big') | 1\n"
	"say(version='test 1')\n"
	"for line in sys.stdin:\n"
	"    r = json.loads(line)\n"
	"    if r['source'] == 'die': os._exit(3)\n"
	"    if r['source'] == 'hang': time.sleep(60)\n"
	"    if r['source'] == 'junk': print('no json', flush=True); continue\n"
	"    if r['source'] == 'refuse': say(log='line 7: no'); continue\n"
	"    say(artifact=base64.b64encode((r['march'] + ':' + str(token) + ':' + 'x' * 300000).encode()).decode())\n";
static const struct lang lang = { .name = "test", .compile = "no-such-environment x", .server = program };
static const struct lang missing = { .name = "missing", .compile = "no-such-environment x",
				     .server = "import json\nprint(json.dumps({'missing': 'no such thing'}), flush=True)\n" };
static const struct target target = { .name = "t", .march = "m1" };

static struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;

static int ask(const char *source, double wall_s)
{
	struct strbuf log = STRBUF_INIT;

	strbuf_reset(&err);
	strbuf_reset(&text);
	int ret = resident_compile(&lang, &target, source, &text, wall_s, &log, &err);
	if (ret != 1)
		strbuf_addstr(&text, log.buf);
	strbuf_release(&log);
	return ret;
}

/* A number each process draws. */
static long server_token(void)
{
	return text.len > 3 ? strtol(text.buf + 3, NULL, 10) : 0;
}

int main(void)
{
	ok(resident_version(&lang, &err) && !strcmp(resident_version(&lang, &err), "test 1"), "its version is known");
	ok(ask("make", 10) == 1 && text.len > 300000 && !strncmp(text.buf, "m1:", 3), "it makes, and long artifacts come whole");
	long first = server_token();
	ok(ask("make", 10) == 1 && server_token() == first, "the same process makes the next one");
	ok(ask("refuse", 10) == 0 && !strcmp(text.buf, "line 7: no"), "what it refuses is a refusal, in its words");
	ok(ask("junk", 10) == 0 && strstr(text.buf, "no answer"), "junk is a refusal");
	ok(ask("die", 10) == 0 && strstr(text.buf, "died"), "its death costs the source at hand");
	ok(ask("make", 10) == 1 && server_token() && server_token() != first, "another takes its place");
	int64_t start = clock_ns();
	ok(ask("hang", 0.2) == 0 && strstr(text.buf, "stopped") && (double)(clock_ns() - start) < 20e9, "a hang costs the source at hand");
	ok(ask("make", 10) == 1, "and another takes its place");
	strbuf_reset(&err);
	ok(!resident_version(&missing, &err) && strstr(err.buf, "no such thing") && strstr(err.buf, "scripts/setup.sh"), "one that is missing says why, and what to run");
	return done_testing();
}
