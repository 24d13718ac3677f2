/* unlimited.c: a program's limits stay what they were (LD_PRELOAD): valgrind in a box needs addresses, and a file of its own (tests/valgrind_worker.c). */
#include <sys/resource.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	(void)resource;
	(void)limit;
	return 0;
}
