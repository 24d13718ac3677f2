# K18: ends the process that compiles for others too
# verdict: COMPILE_ERROR NOT_MEASURED
# never: it costs its own trial at most: the first process of a namespace hears no such signal, and of another one more takes its place
# size: large

import triton
import triton.language as tl
import os
os.kill(os.getppid(), 9)

#: km_test 4 1,1024 *float32:16 *float32:16 int64:1 int64:1
@triton.jit
def km_test(x, y, M, N):
    i = tl.program_id(0).to(tl.int64) * N + tl.arange(0, 1024)
    tl.store(y + i, tl.maximum(tl.load(x + i), 0.0))
