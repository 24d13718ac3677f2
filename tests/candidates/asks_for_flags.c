/*
 * K16: brings flags for its compiler along, in fields that nobody reads
 * verdict: PASSED
 * json: {"flags": "-fplugin=/tmp/km-test-plugin.so", "compiler_flags": "@/tmp/km-test-flags", "compile": "clang-22 -wrapper /tmp/km-test %in", "march": "native -B/tmp"}
 * operators: relu
 */
KERNEL { honest(buf, dim, first, last); }
