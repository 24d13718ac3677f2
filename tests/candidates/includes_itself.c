/*
 * K9: includes itself
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
#include __FILE__
KERNEL { honest(buf, dim, first, last); }
