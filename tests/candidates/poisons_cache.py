# K18: writes into the cache from which Triton would take artifacts unseen
# verdict: COMPILE_ERROR
# never: there is no such cache: every source is compiled
# size: large

import triton
import triton.language as tl
import os
os.makedirs(os.environ["TRITON_CACHE_DIR"] + "/0")

#: km_test 4 1,1024 *float32:16 *float32:16 int64:1 int64:1
@triton.jit
def km_test(x, y, M, N):
    i = tl.program_id(0).to(tl.int64) * N + tl.arange(0, 1024)
    tl.store(y + i, tl.maximum(tl.load(x + i), 0.0))
