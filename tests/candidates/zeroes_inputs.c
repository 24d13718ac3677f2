/*
 * E3: zeroes its input and its output, so that a reference run afterwards agrees
 * verdict: INCORRECT_INPUT_MUTATED
 * off: sealed-inputs values
 */
KERNEL
{
	for (long i = 0; i < IN_COUNT(dim); i++)
		IN(buf)[i] = 0;
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = 0;
}
