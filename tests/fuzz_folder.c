/* A folder for parsers that read files, gone with the process. */
#include "tests/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

static char folder[64];

static void remove_folder(void)
{
	DIR *dir = opendir(folder);

	for (struct dirent *e; dir && (e = readdir(dir));)
		unlinkat(dirfd(dir), e->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(folder);
}

const char *fuzz_folder(void)
{
	if (!folder[0]) {
		snprintf(folder, sizeof(folder), "%s/km-fuzz.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
		if (!mkdtemp(folder))
			abort();
		atexit(remove_folder);
	}
	return folder;
}
