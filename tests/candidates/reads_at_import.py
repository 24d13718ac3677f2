# K18: reads a file of the system's while its compiler loads it
# verdict: COMPILE_ERROR
# off: mount-namespace landlock
# size: large

import triton
import triton.language as tl
assert open("/etc/passwd").read()

#: km_test 4 1,1024 *float32:16 *float32:16 int64:1 int64:1
@triton.jit
def km_test(x, y, M, N):
    i = tl.program_id(0).to(tl.int64) * N + tl.arange(0, 1024)
    tl.store(y + i, tl.maximum(tl.load(x + i), 0.0))
