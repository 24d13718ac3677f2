/*
 * K14: a terabyte of zeros, small on disk and large when it is loaded
 * verdict: LOAD_ERROR MEMORY REJECTED COMPILE_ERROR RUNTIME_ERROR
 * never: no machine gives it
 * operators: relu
 * size: large
 */
char km_zeros[1ul << 40];
KERNEL { km_zeros[first] = 1; honest(buf, dim, first, last); }
