/*
 * E4: works in its input first
 * verdict: INCORRECT_INPUT_MUTATED
 * off: sealed-inputs
 * operators: relu
 */
KERNEL
{
	for (long i = first * dim[1]; i < last * dim[1]; i++)
		OUT(buf)[i] = IN(buf)[i] = IN(buf)[i] < 0 ? 0 : IN(buf)[i];
}
