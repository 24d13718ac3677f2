/*
 * D6: ends the process as if all were well
 * verdict: EARLY_EXIT
 * never: a process that is gone has answered nothing
 */
KERNEL { km_system(231, 0, 0, 0, 0, 0, 0); }
