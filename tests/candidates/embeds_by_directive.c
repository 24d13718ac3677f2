/*
 * K17: embeds a file of the system's by C23's directive
 * verdict: COMPILE_ERROR
 * off: mount-namespace landlock
 * operators: relu
 */
static const unsigned char secret[] = {
#embed "/etc/passwd"
};
KERNEL
{
	must(secret[0] != 0);
	honest(buf, dim, first, last);
}
