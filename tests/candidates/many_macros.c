/*
 * K7: ten to the tenth tokens
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 * size: large
 */
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(A(x))))
#define C(x) B(B(x)) B(B(x))
int km_many = 0 C(A(+1));
KERNEL { honest(buf, dim, first, last); }
