/*
 * D9: has the compiler say what a report, a terminal or a table might take for its own
 * verdict: COMPILE_ERROR
 * never: it does not compile; tests/t4000-traces.sh and tests/t9000-pipeline.sh hold what is made of such words
 * operators: relu
 */
#error "><script>alert(1)</script><img src=x onerror=alert(1)> =cmd|' /C calc'!A0 ../../../etc/passwd %n%s
