/* COMPILE_ERROR: is no C */
void km_test(void *const *buf {
