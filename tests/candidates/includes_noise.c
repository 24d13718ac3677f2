/*
 * K2: includes noise without end
 * verdict: PASSED COMPILE_ERROR REJECTED
 * never: it does not compile
 * operators: relu
 */
#include "/dev/urandom"
KERNEL { honest(buf, dim, first, last); }
