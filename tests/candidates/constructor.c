/*
 * K15: runs code when it is loaded
 * verdict: REJECTED
 * off: inspection
 * operators: relu
 */
static volatile int ran;
__attribute__((constructor)) static void early(void) { ran = 1; }
KERNEL { must(ran); honest(buf, dim, first, last); }
