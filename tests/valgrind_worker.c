/*
 * valgrind_worker.c: stands in for km-worker, in a folder with the tools: runs FOLDER/km-worker.real under valgrind, which
 * writes FOLDER/worker.<pid>.  For tests/trust/valgrind.sh alone, in boxes without layers and limits (tests/unlimited.c).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char folder[3000], real[3200], log[3200];
	const char *command[32] = { "/usr/bin/valgrind", "-q", "--error-exitcode=99", log, real };
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);

	if (n < 0 || argc + 5 > 32)
		return 1;
	folder[n] = 0;
	*strrchr(folder, '/') = 0;
	snprintf(real, sizeof(real), "%s/km-worker.real", folder);
	snprintf(log, sizeof(log), "--log-file=%s/worker.%%p", folder);
	for (int i = 1; i < argc; i++)
		command[4 + i] = argv[i];
	execv(command[0], (char **)(uintptr_t)command);
	return 1;
}
