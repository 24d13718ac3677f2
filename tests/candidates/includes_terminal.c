/*
 * K5: includes what never ends to be read
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
#include "/dev/stdin"
#include "/proc/self/fd/0"
#error there was nothing
KERNEL { honest(buf, dim, first, last); }
