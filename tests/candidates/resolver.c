/*
 * K15: runs code when its symbols are resolved
 * verdict: REJECTED
 * off: inspection
 * operators: relu
 */
static void real(void) {}
static void *choose(void) { return (void *)real; }
void km_chosen(void) __attribute__((ifunc("choose")));
KERNEL { km_chosen(); honest(buf, dim, first, last); }
