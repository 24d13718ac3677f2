/*
 * N8: softmax that does not subtract the greatest first
 * verdict: INCORRECT_NUMERICAL
 * off: distributions
 * operators: softmax
 */
KERNEL
{
	for (long r = first; r < last; r++) {
		const float *x = IN(buf) + r * dim[1];
		float *y = OUT(buf) + r * dim[1], sum = 0;
		for (long c = 0; c < dim[1]; c++)
			sum += y[c] = x[c] > 88.7f ? __builtin_inff() : x[c] < 0 ? (float)km_e(x[c]) : (float)(1 / km_e(-x[c]));
		for (long c = 0; c < dim[1]; c++)
			y[c] /= sum;
	}
}
