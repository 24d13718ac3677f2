/*
 * K16: asks for plug-ins and paths of libraries in its source, where compilers hear only those that they know to be harmless
 * verdict: PASSED
 * operators: relu
 */
#pragma clang plugin load "/tmp/km-test-plugin.so"
#pragma GCC plugin "/tmp/km-test-plugin.so"
#pragma comment(linker, "-rpath=/tmp")
#pragma clang __debug nothing
KERNEL { honest(buf, dim, first, last); }
