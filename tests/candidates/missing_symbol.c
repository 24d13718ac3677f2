/*
 * A6: calls what is not in it
 * verdict: COMPILE_ERROR
 * never: it does not compile
 * operators: relu
 */
void km_no_such_function(void);
KERNEL { km_no_such_function(); }
