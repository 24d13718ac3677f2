/* LOAD_ERROR: has not the symbol its plan names */
void km_other(void) {}
