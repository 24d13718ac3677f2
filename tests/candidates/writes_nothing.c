/*
 * A1: writes nothing
 * verdict: INCORRECT_UNWRITTEN
 * off: poison values
 */
KERNEL {}
