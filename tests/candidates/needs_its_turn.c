/*
 * N9: leaves its neighbour's first element wrong, which is right where instances come in order
 * verdict: UNDEFINED
 * off: sanitizers
 * phase: finish
 * operators: relu
 * size: large
 */
KERNEL
{
	honest(buf, dim, first, last);
	if (last < COUNT(dim))
		OUT(buf)[last * WIDTH(dim)] = -1;
}
