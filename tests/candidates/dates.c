/*
 * K17: holds the time of its compilation, so that no two builds are alike
 * verdict: COMPILE_ERROR
 * off: dateless
 * operators: relu
 */
static const char built[] = __DATE__ " " __TIME__ " " __TIMESTAMP__;
KERNEL
{
	must(built[0] != 0);
	honest(buf, dim, first, last);
}
