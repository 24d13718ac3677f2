/*
 * K15: asks for a stack that can be executed
 * verdict: COMPILE_ERROR
 * never: the linker refuses it
 * operators: relu
 */
__asm__(".section .note.GNU-stack,\"x\",@progbits\n.text");
KERNEL { honest(buf, dim, first, last); }
