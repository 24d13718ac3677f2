/*
 * N6: takes its second input for an identity
 * verdict: INCORRECT_NUMERICAL
 * off: values
 * operators: matmul
 */
KERNEL
{
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = IN(buf)[i / WIDTH(dim) * dim[2] + i % WIDTH(dim) % dim[2]];
}
