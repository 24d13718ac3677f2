/*
 * K17: says that its lines are those of another file, which nobody opens
 * verdict: PASSED
 * operators: relu
 */
#line 1 "/etc/passwd"
static const char where[] = __FILE__;
KERNEL
{
	must(where[0] == '/');
	honest(buf, dim, first, last);
}
