/*
 * K13: a body that grows without end
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 * size: large
 */
#define A(x) x x x x x x x x
#define B(x) A(A(A(A(A(A(A(x)))))))
KERNEL { float s = 0; B(s = s * s + IN(buf)[(long)s & 1];) OUT(buf)[0] = s; }
