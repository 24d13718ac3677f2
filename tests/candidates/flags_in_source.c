/*
 * K16: asks the compiler for a plug-in
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
#pragma clang plugin load "/tmp/km-test-plugin.so"
#pragma comment(linker, "-rpath=/tmp")
__asm__(".symver x, y@z");
int km_flags = km_no_such;
KERNEL { honest(buf, dim, first, last); }
