/*
 * K1: includes a device without end
 * verdict: PASSED COMPILE_ERROR REJECTED
 * never: it does not compile
 * operators: relu
 */
#include "/dev/zero"
KERNEL { honest(buf, dim, first, last); }
