/*
 * E3: makes its inputs writable
 * verdict: RUNTIME_ERROR
 * off: sealed-inputs
 */
KERNEL
{
	must(!km_system(10, (long)IN(buf) & ~4095l, 4096, 3, 0, 0, 0));
	honest(buf, dim, first, last);
}
