/*
 * K14: two gigabytes of zeros, small on disk and larger than a candidate may be
 * verdict: LOAD_ERROR MEMORY REJECTED RUNTIME_ERROR
 * off: memory-limit inspection
 * operators: relu
 */
char km_zeros[2045ul << 20];
KERNEL { km_zeros[first] = 1; honest(buf, dim, first, last); }
