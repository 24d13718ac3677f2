/*
 * K3: includes a file of the system's, to read it in the messages
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
#include "/etc/passwd"
KERNEL { honest(buf, dim, first, last); }
