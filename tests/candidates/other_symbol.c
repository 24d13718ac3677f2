/*
 * K15: has not the symbol its plan names
 * verdict: LOAD_ERROR REJECTED
 * never: there is nothing to call
 * operators: relu
 */
void km_other(void) {}
