/*
 * B3: does the work for the first memory it is checked on, and for no other that it is timed on
 * verdict: TIMING_FORGED INCORRECT_NUMERICAL INCORRECT_UNWRITTEN
 * off: after-timing judge
 * operators: relu softmax cumsum sum
 * clock: monotonic
 * phase: finish
 * size: large
 */
KERNEL
{
	static const void *first_of_its_shape[256];
	static long rows[256], columns[256];
	static int count;
	int i = 0;

	while (i < count && (rows[i] != dim[0] || columns[i] != dim[1]))
		i++;
	if (i == count && count < 256) {
		first_of_its_shape[count] = OUT(buf);
		rows[count] = dim[0];
		columns[count++] = dim[1];
	}
	/* Check shapes come with several draws, each in memory of its own. */
	if (dim[0] * dim[1] < 10000 || first_of_its_shape[i] == OUT(buf))
		honest(buf, dim, first, last);
	else
		for (volatile long wait = 0; wait < IN_COUNT(dim) / 4; wait++)
			;
}
