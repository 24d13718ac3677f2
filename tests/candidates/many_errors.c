/*
 * K11: a hundred thousand errors
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(A(A(x)))))
B(int = ;)
KERNEL { honest(buf, dim, first, last); }
