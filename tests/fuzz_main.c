/*
 * Runs a parser of tests/fuzz on mutations of its seeds.
 *   NAME [SECONDS]      prints TSV: name, executions, bad, seconds; the input that ended it is kept in $TMPDIR
 *   NAME --seeds DIR    writes the seeds as files
 */
#include "ops/core/proc.h"
#include "tests/fuzz.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { MOST_SEEDS = 2048, LONGEST = 1 << 20, PATIENCE_S = 5 };
static struct strbuf seed[MOST_SEEDS];
static size_t seed_count;
static uint8_t input[LONGEST];
static size_t length;
static const char *name;
static FILE *out; /* the real stderr: parsers warn, by the thousand */
static uint64_t state = 88172645463325252u;

static uint32_t draw(size_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)((state >> 20) % (below ? below : 1));
}

static void keep_seed(const void *data, size_t size, void *user)
{
	(void)user;
	if (seed_count == MOST_SEEDS || size > LONGEST)
		return;
	strbuf_init(&seed[seed_count]);
	strbuf_add(&seed[seed_count++], data, size);
}

static void write_seed(const void *data, size_t size, void *user)
{
	static int n;
	struct strbuf path = STRBUF_INIT, err = STRBUF_INIT;

	strbuf_addf(&path, "%s/seed-%04d", (const char *)user, n++);
	if (file_publish(path.buf, data, size, &err)) {
		fprintf(stderr, "%s\n", err.buf);
		exit(3);
	}
	strbuf_release(&path);
}

/* A crash, a hang, or the end of the program: keeps the input. */
static void keep_input(void)
{
	char path[256];
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%s/fuzz-%s-%d", tmp && *tmp ? tmp : "/tmp", name, (int)getpid());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd >= 0 && write(fd, input, length) == (ssize_t)length)
		fprintf(out, "%s: the input is in '%s'\n", name, path), fflush(out);
}

static void caught(int signal)
{
	keep_input();
	_exit(128 + signal);
}

static bool is_running;
static void ended(void)
{
	if (is_running)
		keep_input();
}

static void replace(size_t at, size_t cut, const void *with, size_t size)
{
	if (length - cut + size > LONGEST)
		return;
	memmove(input + at + size, input + at + cut, length - at - cut);
	memmove(input + at, with, size);
	length += size - cut;
}

static void mutate(void)
{
	static const char *const words[] = { "0", "-1", "9223372036854775807", "-9223372036854775808", "1e999", "nan", "\"", "{", "[", "(", ")", ",", "\n", "\\u0000", "\xff", "sum(", "cdiv(", "=", ":", " " };
	const struct strbuf *other = &seed[draw(seed_count)];
	size_t at = draw(length + 1), n;
	uint8_t byte = (uint8_t)draw(256);

	switch (draw(8)) {
	case 0:
		if (length)
			input[draw(length)] ^= (uint8_t)(1 << draw(8));
		break;
	case 1:
		if (length)
			input[draw(length)] = byte;
		break;
	case 2:
		replace(at, 0, &byte, 1);
		break;
	case 3:
		n = draw(length - at + 1);
		replace(at, n < 64 ? n : 64, "", 0);
		break;
	case 4: {
		const char *word = words[draw(sizeof(words) / sizeof(*words))];
		replace(at, 0, word, strlen(word));
		break;
	}
	case 5: /* a piece of another */
		if (other->len) {
			size_t from = draw(other->len);
			n = draw(other->len - from + 1);
			replace(at, 0, other->buf + from, n < 256 ? n : 256);
		}
		break;
	case 6: /* a piece again */
		n = draw(length - at + 1);
		if (n && n < 256) {
			uint8_t piece[256];
			memcpy(piece, input + at, n);
			for (uint32_t times = draw(4); times > 0; times--)
				replace(at, 0, piece, n);
		}
		break;
	default:
		length = at;
	}
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int64_t start = clock_ns(), runs = 0;

	name = slash ? slash + 1 : argv[0];
	if (argc == 3 && !strcmp(argv[1], "--seeds")) {
		fuzz_seeds(write_seed, argv[2]);
		return 0;
	}
	out = fdopen(dup(2), "w");
	if (!out || !freopen("/dev/null", "w", stderr))
		return 3;
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
	fuzz_seeds(keep_seed, NULL);
	if (!seed_count) {
		fprintf(out, "%s: no seeds\n", name);
		return 3;
	}
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM };
	for (size_t i = 0; i < sizeof(deadly) / sizeof(*deadly); i++)
		signal(deadly[i], caught);
	atexit(ended);
	is_running = true;
	for (; (double)(clock_ns() - start) < seconds * 1e9; runs++) {
		const struct strbuf *from = &seed[(size_t)runs < seed_count ? (size_t)runs : draw(seed_count)];
		length = from->len;
		memcpy(input, from->buf, length);
		for (uint32_t times = (size_t)runs < seed_count ? 0 : 1 + draw(6); times > 0; times--)
			mutate();
		alarm(PATIENCE_S);
		LLVMFuzzerTestOneInput(input, length);
	}
	alarm(0);
	is_running = false;
	printf("fuzz %s\t%" PRId64 "\t0\t%.1f\n", name, runs, (double)(clock_ns() - start) * 1e-9);
	return 0;
}
