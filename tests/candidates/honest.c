/*
 * honest: does what it says
 * verdict: PASSED
 */
KERNEL { honest(buf, dim, first, last); }
