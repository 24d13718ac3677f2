/*
 * traces.h5: as it comes, which its seal refuses; and sealed again, so that HDF5 sees the damage, in a child,
 * since that library does not promise to survive it.
 */
#include "evaluate/journal.h"
#include "evaluate/trace.h"
#include "evaluate/trace_schema.h"
#include "ops/core/hash.h"
#include "tests/fuzz.h"
#include "tests/unit/evaluate/samples.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* HDF5 asks for what a damaged file says it needs, and lives with a refusal; AddressSanitizer would end it instead. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1"; }

static const char *in_folder(const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/%s", fuzz_folder(), name);
	return path;
}

static int read_it(const char *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	struct strbuf err = STRBUF_INIT;
	struct trace trace;
	const char *path = in_folder("traces.h5");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	int ret = trace_read(&arena, path, &trace, &err);
	if (ret && !err.len)
		abort();
	if (!ret)
		trace_validate(path, &err);
	arena_release(&arena);
	strbuf_release(&err);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), hex[65];

	read_it(text, size);
	if (size > TRACE_SEAL_BYTES) {
		sha256_hex(text + TRACE_SEAL_BYTES, size - TRACE_SEAL_BYTES, hex);
		memset(text, 0, TRACE_SEAL_BYTES);
		snprintf(text, TRACE_SEAL_BYTES, TRACE_SEAL_FORMAT, size - TRACE_SEAL_BYTES, hex);
		int status = 0;
		pid_t pid = fork();
		if (!pid) {
			alarm(10);
			read_it(text, size);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, &status, 0);
		if (status && getenv("KM_FUZZ_HDF5"))
			abort();
	}
	free(text);
	return 0;
}

void fuzz_seeds(fuzz_add *add, void *user)
{
	for (int count = 0; count < 3; count++) {
		struct strbuf err = STRBUF_INIT, data = STRBUF_INIT;
		double sample[3];
		char path[96];
		snprintf(path, sizeof(path), "%s", in_folder("journal"));
		struct journal *journal = journal_open(path, NULL, &err);
		for (int kind = 0; journal && kind < RECORD_KIND_COUNT; kind++)
			for (int i = 0; i < count; i++) {
				struct record r = kind == RECORD_ENVIRONMENT ? sample_environment() : kind == RECORD_CANDIDATE ? sample_candidate(i)
						: kind == RECORD_EVALUATION ? sample_evaluation(i, sample) : sample_other((enum record_kind)kind, sample);
				journal_append(journal, &r, &err);
			}
		const char *const journals[] = { path };
		if (!journal || journal_close(journal, &err) || trace_pack(journals, 1, in_folder("traces.h5"), &err) ||
		    strbuf_read_file(&data, in_folder("traces.h5"), &err))
			abort();
		add(data.buf, data.len, user);
		unlink(path);
		strbuf_release(&data);
		strbuf_release(&err);
	}
}
