/*
 * D6: ends the process while it is loaded
 * verdict: EARLY_EXIT REJECTED
 * never: a process that is gone has answered nothing
 */
__attribute__((constructor)) static void leave(void) { km_system(231, 0, 0, 0, 0, 0, 0); }
KERNEL { honest(buf, dim, first, last); }
