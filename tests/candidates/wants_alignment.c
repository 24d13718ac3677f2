/*
 * E5: needs an alignment that nobody promised
 * verdict: RUNTIME_ERROR
 * off: check-shapes
 * operators: relu softmax matmul cumsum index_select
 */
typedef float four __attribute__((vector_size(16)));
KERNEL
{
	honest(buf, dim, first, last);
	/* The row after the first, which begins where rows of odd length end. */
	if (ALL_OUTPUTS(dim) >= WIDTH(dim) + 4)
		(void)*(volatile const four *)(OUT(buf) + WIDTH(dim));
}
