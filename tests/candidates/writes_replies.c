/*
 * D2: writes to every descriptor what its process would answer, and ends
 * verdict: EARLY_EXIT INCORRECT_UNWRITTEN
 * never: a verdict is made of outputs
 */
struct reply { int word; long ns; char rest[496]; };
KERNEL
{
	static struct reply r = { 2, 100, "" };

	for (int fd = 3; fd < 32; fd++)
		for (int i = 0; i < 64; i++)
			km_system(1, fd, (long)&r, sizeof(r), 0, 0, 0);
	km_system(231, 0, 0, 0, 0, 0, 0);
}
