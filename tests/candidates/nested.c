/*
 * K12: two hundred thousand parentheses
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
#define A(x) ((((((((((x))))))))))
#define B(x) A(A(A(A(A(A(A(A(A(A(x))))))))))
#define C(x) B(B(B(B(B(B(B(B(B(B(x))))))))))
int km_nested = C(C(C(C(1))));
KERNEL { honest(buf, dim, first, last); }
