/*
 * A4: NaN everywhere, which differs from nothing where a checker takes it for a wild card
 * verdict: INCORRECT_NUMERICAL
 * off: nan-class
 */
KERNEL
{
	for (long i = first * WIDTH(dim); i < last * WIDTH(dim); i++)
		OUT(buf)[i] = __builtin_nanf("");
}
