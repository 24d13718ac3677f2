/*
 * K16: has the linker add a library by a pragma, past flags that allow none
 * verdict: REJECTED
 * off: inspection
 * operators: relu
 */
#pragma comment(lib, "m")
float sqrtf(float x);
KERNEL { honest(buf, dim, first, last); }
