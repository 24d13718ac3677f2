/*
 * K6: asks for four gigabytes of code
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 * size: large
 */
__asm__(".section .data\n.fill 4294967296\n.text");
KERNEL { honest(buf, dim, first, last); }
