/*
 * K9: is no C
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
KERNEL {
