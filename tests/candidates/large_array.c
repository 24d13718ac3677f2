/*
 * K6: an array of sixty-four gigabytes with a value in it
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 * size: large
 */
char km_large[1ul << 36] = { 1 };
KERNEL { honest(buf, dim, first, last); }
