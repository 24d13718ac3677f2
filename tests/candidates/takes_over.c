/*
 * D2: takes the place of its process: reads requests, does the work, and answers with times of its own
 * verdict: TIMING_FORGED INCORRECT_NUMERICAL INCORRECT_UNWRITTEN EARLY_EXIT TIMEOUT
 * off: judge after-timing sanitizers
 * operators: matmul softmax
 * clock: monotonic
 * phase: finish
 * size: large
 */
struct request { int op, calls, sets, first_set; long dim[8 + 32]; };
struct reply { int word; long ns; char rest[496]; };
KERNEL
{
	static struct reply r = { 2, 0, "" };
	static char request[4096];
	static void *of_problem[3];
	static int calls;

	honest(buf, dim, first, last);
	/* What is run, and not timed, on the problem itself is always the same memory. */
	if (!of_problem[0] && IN_COUNT(dim) > 1000)
		for (int i = 0; i < 3; i++)
			of_problem[i] = buf[i];
	if (++calls < 40)
		return;
	/* From now on it is asked through descriptor 0, and answers where a pipe is. */
	for (;;) {
		int fd = 0;
		for (fd = 3; fd < 32; fd++)
			if (km_system(1, fd, (long)&r, sizeof(r), 0, 0, 0) == sizeof(r))
				break;
		must(fd < 32);
		long n = km_system(0, 0, (long)request, sizeof(request), 0, 0, 0);
		must(n > 0);
		int op = *(int *)request, count = *(int *)(request + 4);
		if (op == 1)
			honest(of_problem, dim, first, last);
		r.ns = op == 2 ? count * 4000l : 0;
	}
}
