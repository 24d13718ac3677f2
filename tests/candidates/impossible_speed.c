/*
 * D12: does nothing while it is timed, faster than memory can be
 * verdict: BELOW_PHYSICS_FLOOR INCORRECT_UNWRITTEN
 * off: physics-floor after-timing
 * operators: relu cumsum
 * clock: monotonic
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
	if (dim[0] * dim[1] < 10000 || first_of_its_shape[i] == OUT(buf))
		honest(buf, dim, first, last);
}
