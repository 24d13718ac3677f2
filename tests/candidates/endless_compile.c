/* COMPILE_ERROR: includes itself */
#include __FILE__
