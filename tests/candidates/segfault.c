/*
 * D6: reads where nothing is
 * verdict: RUNTIME_ERROR
 * never: it gives no output
 */
KERNEL { OUT(buf)[0] = *(volatile float *)8; }
