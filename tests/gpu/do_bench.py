"""One call of a compiled kernel of one step by triton.testing.do_bench, in nanoseconds; for t0140-timing.sh.

    do_bench.py CUBIN SYMBOL BLOCKS THREADS SHARED IN_FLOATS OUT_FLOATS DIM...
"""
import ctypes
import sys

import torch
import triton.testing


def check(error):
    if error:
        sys.exit('do_bench.py: the driver says error %d' % error)


def main(cubin, symbol, *numbers):
    blocks, threads, shared, in_floats, out_floats, *dims = map(int, numbers)
    x = torch.empty(in_floats, device='cuda').uniform_(-1, 1)
    y = torch.empty(out_floats, device='cuda')
    driver = ctypes.CDLL('libcuda.so.1')
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    check(driver.cuModuleLoad(ctypes.byref(module), cubin.encode()))
    check(driver.cuModuleGetFunction(ctypes.byref(function), module, symbol.encode()))
    # Buffers, dims, and two null pointers for kernels of Triton: ops/core/launch/cubin.c.
    words = [ctypes.c_int64(w) for w in (x.data_ptr(), y.data_ptr(), *dims, 0, 0)]
    argument = (ctypes.c_void_p * len(words))(*(ctypes.addressof(w) for w in words))

    def call():
        check(driver.cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared, ctypes.c_void_p(torch.cuda.current_stream().cuda_stream), argument, None))
    call()
    torch.cuda.synchronize()
    if not torch.equal(y, torch.relu(x)):
        sys.exit('do_bench.py: the kernel is no relu')
    print('do_bench %.1f' % (triton.testing.do_bench(call, warmup=50, rep=200, return_mode='median') * 1e6))


main(*sys.argv[1:])
