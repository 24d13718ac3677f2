#!/usr/bin/env python3
"""Times what PyTorch and Triton make of operators, as baselines, on the NVIDIA device here.

    baselines.py --bin=build/bin --out=rows.jsonl PROBLEM...     such as relu/f32/M=1024,N=2048/t1
    baselines.py --bin=build/bin --out=rows.jsonl --source=kb1   published problems

A row of --out is a baseline record of a journal (evaluate/record.h), a line of JSON, with the
target's name where the environment's goes: `km-evaluate run --baselines=rows.jsonl` takes those
of its problem and target in.  Rows a call finds there already are kept.

What an operator is, its own PyTorch expression says.  It is run as it stands, compiled, compiled
with max-autotune and, convolutions, with channels last; cudnn.benchmark is on.  Each is timed as
CUDA graph replays where it can be captured, on uniform [-1,1] data, with a cold last-level cache:
a sample is at least 1 ms of calls over sets of inputs that together are twice that cache, which
is overwritten before it; the median counts.  TF32 is off, but for rows whose names end in _tf32.

Beside products in f32: Triton's input_precision='tf32x3', its tiles tuned here, and, where
$CUTLASS names a checkout of CUTLASS and nvcc is there, CUTLASS's OpMultiplyAddFastF32.
"""
import argparse
import contextlib
import gc
import json
import logging
import math
import os
import re
import subprocess
import sys
import time
import warnings

import torch

TARGET_OF = {'H200': 'nvidia-h200', 'H100': 'nvidia-h100', 'A100': 'nvidia-a100', 'B200': 'nvidia-b200'}
DTYPE = {'f64': torch.float64, 'f32': torch.float32, 'f16': torch.float16, 'bf16': torch.bfloat16, 'i64': torch.int64, 'i32': torch.int32,
         'i16': torch.int16, 'i8': torch.int8, 'u8': torch.uint8, 'bool': torch.bool, 'f8e4m3': torch.float8_e4m3fn, 'f8e5m2': torch.float8_e5m2}
# Other forms of what an operator's expression says, each faster somewhere: the same numbers, but for roundings.
OTHER_FORMS = {
    'scaled_dot_product_attention': 'torch.nn.functional.scaled_dot_product_attention(q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0)).squeeze(0)',
    'batch_norm': 'torch.nn.functional.batch_norm(x.unflatten(2, (math.gcd(S, 512), -1)), None, None, g, b, True, 0.1, eps).flatten(2)',
    'cumsum_exclusive': 'torch.cumsum(torch.nn.functional.pad(x[:, :-1], (0, 0, 1, 0)), 1)',
}
# The factors of f32 products that the kernels below multiply.
FACTORS = {'matmul': ('A', 'B'), 'matmul_transposed_a': ('x.t()', 'w'), 'matmul_transposed_b': ('x', 'w.t()'), 'matmul_transposed_ab': ('x.t()', 'w.t()')}


# ---- inputs ---------------------------------------------------------------

def offsets(shape, bound):
    """Non-decreasing along the last dimension, from 0 to bound."""
    values = torch.randint(0, bound + 1, shape, device='cuda').sort(-1).values
    values[..., 0], values[..., -1] = 0, bound
    return values


def make_input(t):
    """What a tensor of `km-generate describe` may hold, on the device."""
    shape, dtype, bound = t['shape'], DTYPE[t['dtype']], int(t['bound'])
    if t['domain'] == 'index':
        return torch.randint(0, bound, shape, device='cuda').to(dtype)
    if t['domain'] == 'unique':
        return torch.rand(shape[:-1] + [bound], device='cuda').argsort(-1)[..., :shape[-1]].contiguous().to(dtype)
    if t['domain'] == 'offsets':
        return offsets(shape, bound).to(dtype)
    if t['domain'] == 'lengths':
        return offsets(shape[:-1] + [shape[-1] + 1], bound).diff(dim=-1).to(dtype)
    if dtype == torch.bool:
        return torch.randint(0, 2, shape, device='cuda').bool()
    if not dtype.is_floating_point:
        low = t['lo'] if t['lo'] < t['hi'] else 0 if dtype == torch.uint8 else -8
        return torch.randint(int(low), int(t['hi'] if t['lo'] < t['hi'] else low + 16) + 1, shape, device='cuda', dtype=dtype)
    wide = dtype if dtype in (torch.float64, torch.float32) else torch.float32
    low, high = (t['lo'], t['hi']) if t['lo'] < t['hi'] else (-1, 1)
    x = torch.empty(shape, device='cuda', dtype=wide).uniform_(low, high)
    if t['domain'] == 'factors':
        x = x.sign() * (1 + x / 64)
    return (x.sort(-1).values if t['domain'] == 'sorted' else x).to(dtype)


# ---- timing ---------------------------------------------------------------

class Clock:
    """Times calls by the device's clock; see the top of this file."""

    def __init__(self, budget_s):
        self.l2 = torch.cuda.get_device_properties(0).L2_cache_size
        self.flush = torch.empty(2 * self.l2 // 4, dtype=torch.int32, device='cuda')
        self.budget_s = budget_s

    def events(self, call, count, wait=False):
        pairs = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(count)]
        for start, end in pairs:
            self.flush.zero_()
            start.record()
            call()
            end.record()
            if wait:
                torch.cuda.synchronize()
        torch.cuda.synchronize()
        return [start.elapsed_time(end) * 1e-3 for start, end in pairs]

    def rows(self, call, sets):
        """Samples [s per call], calls a sample, and whether graphs were replayed."""
        for s in sets[:2]:
            call(*s)
        torch.cuda.synchronize()
        rough = min(self.events(lambda: call(*sets[0]), 2, True))
        calls = min(256, math.ceil(1e-3 / rough))
        graph = self.capture(call, sets, calls)
        start = graph.replay if graph else lambda: [call(*sets[i % len(sets)]) for i in range(calls)]
        start()
        torch.cuda.synchronize()
        each = self.events(start, 1)[0]
        count = max(7, min(25, int(self.budget_s / max(each, 1e-5))))
        samples = [s / calls for s in self.events(start, count)]
        del graph
        return samples, calls, start.__name__ == 'replay'

    @staticmethod
    def capture(call, sets, calls):
        try:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                call(*sets[0])
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                for i in range(calls):
                    call(*sets[i % len(sets)])
            return graph
        except Exception:
            torch.cuda.synchronize()
            return None


# ---- what is timed --------------------------------------------------------

@contextlib.contextmanager
def tf32(on):
    torch.backends.cuda.matmul.allow_tf32 = on
    torch.backends.cudnn.allow_tf32 = on
    yield
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def function_of(d, expression):
    names = {'torch': torch, 'math': math, **d['dims']}
    for name, value in d['attributes'].items():
        names[name] = int(value) if math.isfinite(value) and float(value).is_integer() else value
    inputs = [t['name'] for t in d['tensors'] if t['role'] == 'in']
    exec('def f(%s):\n    return %s\n' % (', '.join(inputs), expression), names)
    return names['f']


def expressions(d):
    """The operator's own, as a user would write it: the double of tests would be slower and nobody's wish."""
    own = d['torch']
    plain = own if d['dtype'] == 'f64' else own.replace('.double()', '')
    return [e for e in (plain, OTHER_FORMS.get(d['op']), own if own != plain else None) if e]


def compiled(f, mode):
    torch._dynamo.reset()
    return torch.compile(f, dynamic=False, fullgraph=False, mode=mode)


def channels_last(t):
    return t.contiguous(memory_format=torch.channels_last if t.dim() == 4 else torch.channels_last_3d) if t.dim() in (4, 5) else t


def variants(d, wanted):
    """(name, how, function, what becomes of the inputs, TF32) of all ways to run it."""
    is_conv, is_product = 'conv' in d['torch'], bool(re.search(r'@|matmul|mm\(|linear|einsum|mv\(', d['torch']))
    for i, e in enumerate(expressions(d)):
        form = '' if i == 0 else ', form %d' % (i + 1)
        f = function_of(d, e)
        yield 'torch_eager', 'eager' + form, f, None, False
        yield 'torch_compile', 'torch.compile' + form, lambda f=f: compiled(f, None), None, False
        yield 'torch_max_autotune', 'torch.compile max-autotune' + form, lambda f=f: compiled(f, 'max-autotune-no-cudagraphs'), None, False
        if is_conv:
            yield 'torch_channels_last', 'eager, channels last' + form, f, channels_last, False
        if d['dtype'] == 'f32' and (is_conv or is_product):
            yield 'torch_eager_tf32', 'eager, TF32 allowed' + form, f, None, True
            if is_conv:
                yield 'torch_channels_last_tf32', 'eager, channels last, TF32 allowed' + form, f, channels_last, True
    if d['op'] in FACTORS and d['dtype'] == 'f32':
        left, right = (function_of(d, e) for e in FACTORS[d['op']])
        yield 'triton_tf32x3', "Triton, input_precision='tf32x3'", lambda: tf32x3(left, right), None, False
        if os.environ.get('CUTLASS'):
            yield 'cutlass_3xtf32', 'CUTLASS, OpMultiplyAddFastF32', lambda: cutlass(left, right), None, False


def tf32x3(left, right):
    import triton
    import triton.language as tl

    tiles = [(128, 128, 32, 8, 3), (128, 128, 32, 4, 3), (128, 256, 32, 8, 3), (256, 128, 32, 8, 3), (128, 64, 32, 4, 4), (64, 128, 32, 4, 4),
             (64, 64, 32, 4, 4), (128, 128, 64, 8, 2), (256, 64, 32, 8, 3), (64, 256, 32, 8, 3), (128, 128, 16, 8, 4), (64, 64, 64, 4, 3)]
    configs = [triton.Config({'BM': m, 'BN': n, 'BK': k}, num_warps=w, num_stages=s) for m, n, k, w, s in tiles]
    space = {'triton': triton, 'tl': tl, 'configs': configs}
    # Triton reads a kernel's source from its file.
    path = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'km_tf32x3_%d.py' % os.getpid())
    with open(path, 'w') as out:
        out.write(TF32X3)
    exec(compile(TF32X3, path, 'exec'), space)
    kernel = space['product']

    def call(*inputs):
        a, b = left(*inputs), right(*inputs)
        (m, k), n = a.shape, b.shape[1]
        c = torch.empty(m, n, device='cuda')
        kernel[lambda meta: (triton.cdiv(m, meta['BM']) * triton.cdiv(n, meta['BN']),)](a, b, c, m, n, k, *a.stride(), *b.stride())
        return c
    call.setting = lambda: str(kernel.best_config)
    return call


TF32X3 = '''
@triton.autotune(configs, key=['M', 'N', 'K'])
@triton.jit
def product(a, b, c, M, N, K, am, ak, bk, bn, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    pid, rows, columns = tl.program_id(0), tl.cdiv(M, BM), tl.cdiv(N, BN)
    group = pid // (8 * columns) * 8
    height = min(rows - group, 8)
    i, j = group + pid % (8 * columns) % height, pid % (8 * columns) // height
    m, n, k = i * BM + tl.arange(0, BM), j * BN + tl.arange(0, BN), tl.arange(0, BK)
    m64, n64, k64 = m.to(tl.int64), n.to(tl.int64), k.to(tl.int64)
    pa, pb = a + m64[:, None] * am + k64[None, :] * ak, b + k64[:, None] * bk + n64[None, :] * bn
    acc = tl.zeros((BM, BN), tl.float32)
    for k0 in range(0, K, BK):
        x = tl.load(pa, mask=(m[:, None] < M) & (k[None, :] + k0 < K), other=0.0)
        y = tl.load(pb, mask=(k[:, None] + k0 < K) & (n[None, :] < N), other=0.0)
        acc = tl.dot(x, y, acc, input_precision='tf32x3')
        pa += BK * ak
        pb += BK * bk
    tl.store(c + m64[:, None] * N + n64[None, :], acc, mask=(m[:, None] < M) & (n[None, :] < N))
'''


def cutlass(left, right):
    import ctypes
    library = {}

    def call(*inputs):
        a, b = left(*inputs), right(*inputs)
        (m, k), n = a.shape, b.shape[1]
        c = torch.empty(m, n, device='cuda')
        ways = (a.stride(1) != 1) + 2 * (b.stride(1) != 1)
        if ways not in library:
            library[ways] = ctypes.CDLL(build_cutlass(ways))
        got = library[ways].product(call.tile, m, n, k, ctypes.c_void_p(a.data_ptr()), ctypes.c_void_p(b.data_ptr()), ctypes.c_void_p(c.data_ptr()),
                              ctypes.c_void_p(torch.cuda.current_stream().cuda_stream))
        if got:
            raise RuntimeError('CUTLASS: status %d' % got)
        return c

    def tune(*inputs):
        best = {}
        for call.tile in range(CUTLASS_TILES):
            try:
                call(*inputs)
                start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                start.record()
                call(*inputs)
                end.record()
                torch.cuda.synchronize()
                best[call.tile] = start.elapsed_time(end)
            except RuntimeError:
                pass
        call.tile = min(best, key=best.get)
    call.tile = 0
    call.tune = tune
    call.setting = lambda: 'tile %d of %d' % (call.tile, CUTLASS_TILES)
    return call


CUTLASS_TILES = 3


def build_cutlass(ways):
    """Products of factors that lie one of four ways (1: the first by columns, 2: the second) as a shared object, built once."""
    path = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'km_cutlass_3xtf32_%d' % ways)
    if not os.path.exists(path + '.so'):
        with open(path + '.cu', 'w') as out:
            out.write(CUTLASS)
        subprocess.run(['nvcc', '-O3', '-std=c++17', '-arch=sm_90', '--expt-relaxed-constexpr', '-Xcompiler=-fPIC', '-shared', '-w', '-DKM_A=' + ('column' if ways & 1 else 'row'), '-DKM_B=' + ('column' if ways & 2 else 'row'), '-I' + os.environ['CUTLASS'] + '/include',
                        path + '.cu', '-o', path + '.new'], check=True)
        os.rename(path + '.new', path + '.so')
    return path + '.so'


# As CUTLASS's example 27, ampere_3xtf32_fast_accurate_tensorop_gemm.
CUTLASS = '''
#include "cutlass/gemm/device/gemm.h"
using row = cutlass::layout::RowMajor;
using column = cutlass::layout::ColumnMajor;
using A = KM_A;
using B = KM_B;
template <int M, int N, int K, int WM, int WN, int stages> int run(int m, int n, int k, float *a, float *b, float *c, cudaStream_t stream)
{
	using product = cutlass::gemm::device::Gemm<float, A, float, B, float, row, float, cutlass::arch::OpClassTensorOp, cutlass::arch::Sm80,
		cutlass::gemm::GemmShape<M, N, K>, cutlass::gemm::GemmShape<WM, WN, K>, cutlass::gemm::GemmShape<16, 8, 8>,
		cutlass::epilogue::thread::LinearCombination<float, 4, float, float>, cutlass::gemm::threadblock::GemmIdentityThreadblockSwizzle<8>, stages, 4, 4,
		false, cutlass::arch::OpMultiplyAddFastF32>;
	int lda = std::is_same<A, row>::value ? k : m, ldb = std::is_same<B, row>::value ? n : k;
	product p;
	return (int)p({ { m, n, k }, { a, lda }, { b, ldb }, { c, n }, { c, n }, { 1, 0 } }, nullptr, stream);
}
extern "C" int product(int tile, int m, int n, int k, float *a, float *b, float *c, cudaStream_t s)
{
	switch (tile) {
	case 0: return run<128, 64, 16, 64, 32, 3>(m, n, k, a, b, c, s);
	case 1: return run<128, 128, 16, 32, 64, 3>(m, n, k, a, b, c, s);
	default: return run<256, 64, 16, 64, 32, 3>(m, n, k, a, b, c, s);
	}
}
'''


def error_words(d, call, inputs):
    """How far a product of f32 is off, next to torch's strict one: in units of f32's roundoff times |A| |B|."""
    left, right = (function_of(d, e)(*inputs) for e in FACTORS[d['op']])
    rows = torch.randperm(left.shape[0], device='cuda')[:16]
    exact = left[rows].double() @ right.double()
    scale = (left[rows].double().abs() @ right.double().abs()) * 2.0**-24
    return 'error %.2f, of cuBLAS f32 %.2f roundoffs of |A||B|' % tuple(float(((c[rows].double() - exact).abs() / scale).max()) for c in (call(*inputs), left @ right))


# ---- rows -----------------------------------------------------------------

def environment():
    import triton
    driver = subprocess.run(['nvidia-smi', '--query-gpu=driver_version', '--format=csv,noheader', '-i', '0'], capture_output=True, text=True).stdout.strip()
    return 'torch %s, triton %s, cuDNN %s, %s, driver %s' % (torch.__version__, triton.__version__, torch.backends.cudnn.version(), torch.cuda.get_device_name(0), driver or 'unknown')


def target_here():
    name = torch.cuda.get_device_name(0)
    return next((t for model, t in TARGET_OF.items() if model in name), None)


def is_factory(how):
    return how.startswith(('torch.compile', 'Triton', 'CUTLASS'))


def agree(got, want):
    """Another form gives the same numbers, but for roundings."""
    return all(a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=1e-3, atol=1e-3, equal_nan=True)
               for a, b in zip(got if isinstance(got, (tuple, list)) else [got], want if isinstance(want, (tuple, list)) else [want]))


def row_of(d, name, how, f, prepare, is_tf32, clock, where, target):
    # Twice the cache in all, so that no call finds what an earlier one left.
    each = sum(math.prod(t['shape']) * torch.empty(0, dtype=DTYPE[t['dtype']]).element_size() for t in d['tensors'])
    count = 1 if each > 1 << 30 else max(2, min(256, math.ceil(2 * clock.l2 / max(each, 1))))
    sets = []
    for _ in range(count):
        made = [make_input(t) for t in d['tensors'] if t['role'] == 'in']
        sets.append([prepare(x) for x in made] if prepare else made)
        del made
    call = f() if is_factory(how) else f
    with tf32(is_tf32), torch.no_grad():
        if 'form' in how and not agree(call(*sets[0]), function_of(d, d['torch'])(*sets[0])):
            raise ValueError('this form gives other numbers')
        if hasattr(call, 'tune'):
            call.tune(*sets[0])
        samples, calls, is_replayed = clock.rows(call, sets)
        more = []
        if hasattr(call, 'setting'):
            more = [call.setting(), error_words(d, call, sets[0])]
    setting = '; '.join([how, *more, 'under CUDA graphs' if is_replayed else 'not captured', where])
    return {'kind': 'baseline', 'problem': d['problem'], 'environment': target, 'name': name, 'setting': setting,
            'time_ns': sorted(samples)[len(samples) // 2] * 1e9, 'sample_ns': [s * 1e9 for s in samples], 'calls_per_sample': calls}


def clean():
    gc.collect()
    torch.cuda.empty_cache()


def run(d, options, clock, where, target, known, out):
    for name, how, f, prepare, is_tf32 in variants(d, options.variants):
        if (options.variants and name not in options.variants) or (d['problem'], name, how) in known:
            continue
        start = time.monotonic()
        try:
            row = row_of(d, name, how, f, prepare, is_tf32, clock, where, target)
        except Exception as e:  # a form that PyTorch refuses, or does not fit the memory, is no row
            print('# %s %s: %s: %s' % (d['problem'], how, type(e).__name__, str(e).split('\n')[0][:160]), file=sys.stderr, flush=True)
            clean()
            continue
        clean()
        out.write(json.dumps(row) + '\n')
        out.flush()
        print('%-70s %-26s %12.2f us  %.1f s' % (d['problem'], name, row['time_ns'] * 1e-3, time.monotonic() - start), flush=True)


def read_rows(path):
    if not os.path.exists(path):
        return []
    with open(path) as rows:
        return [json.loads(line) for line in rows]


def compile_beforehand(argv, problems, jobs):
    """Other processes compile into the shared cache: timing then finds it there."""
    parts = [[sys.executable, os.path.abspath(__file__), *argv, '--compile-only', '--jobs=0', *problems[i::jobs]] for i in range(jobs)]
    for p in [subprocess.Popen(part, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for part in parts]:
        p.wait()


def compile_all(described, options):
    for d in described:
        for name, how, f, prepare, is_tf32 in variants(d, options.variants):
            if not how.startswith('torch.compile') or (options.variants and name not in options.variants):
                continue
            with contextlib.suppress(Exception), torch.no_grad():
                f()(*[make_input(t) for t in d['tensors'] if t['role'] == 'in'])
                torch.cuda.synchronize()
            clean()


def compare(path, rows, published):
    """Prints each published problem's least time beside an earlier measurement's best_ms."""
    earlier = {int(k.split('_')[0]): v['best_ms'] for k, v in json.load(open(path))['l1'].items()}
    least = {}
    for r in rows:
        if not r['name'].endswith('_tf32') and (r['problem'] not in least or r['time_ns'] < least[r['problem']]['time_ns']):
            least[r['problem']] = r
    logs = []
    for number, problem in sorted(published):
        if problem in least and number in earlier:
            ms = least[problem]['time_ns'] * 1e-6
            logs.append(math.log(ms / earlier[number]))
            print('kb1/%-4d %-90s %9.4f ms  %-22s earlier %9.4f ms  ratio %.3f' % (number, problem, ms, least[problem]['name'], earlier[number], ms / earlier[number]))
    if logs:
        print('%d problems, geometric mean of the ratios %.3f, greatest %.3f' % (len(logs), math.exp(sum(logs) / len(logs)), math.exp(max(logs))))


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('problems', nargs='*', metavar='PROBLEM')
    p.add_argument('--bin', required=True, help='folder of km-generate')
    p.add_argument('--out', required=True, help='rows go there')
    p.add_argument('--source', help="published problems too: 'km-generate problems --source'")
    p.add_argument('--only', type=lambda s: {int(n) for n in s.split(',')}, help='numbers of --source, with commas: only these')
    p.add_argument('--variants', type=lambda s: s.split(','), help='names of rows, with commas: only these')
    p.add_argument('--seconds', type=float, default=0.2, help='of samples for each row [0.2]')
    p.add_argument('--jobs', type=int, default=4, help='processes that compile beforehand [4]')
    p.add_argument('--compare', metavar='JSON', help='earlier times by KernelBench number, to print beside these')
    p.add_argument('--compile-only', action='store_true', help=argparse.SUPPRESS)
    options = p.parse_args()
    if not torch.cuda.is_available() or not target_here():
        sys.exit('baselines.py: error: no NVIDIA device here that is a target: see km-generate targets')
    logging.disable(logging.ERROR)  # of templates that do not fit, max-autotune tells at length
    warnings.filterwarnings('ignore')
    torch.backends.cudnn.benchmark = True
    torch._dynamo.config.cache_size_limit = 1024
    published = []
    if options.source:
        listing = subprocess.run([options.bin + '/km-generate', 'problems', '--source=' + options.source], capture_output=True, text=True, check=True).stdout
        lines = [line.split('\t') for line in listing.splitlines()]
        published = [(int(at.split('/')[1]), problem) for at, problem, *_ in lines if re.fullmatch(r'kb\d/\d+', at)]
        wanted = [line for line in lines if not line[0].endswith('/cpu')]
        options.problems += [problem for at, problem, *_ in wanted if not options.only or int(at.split('/')[1]) in options.only]
    problems = list(dict.fromkeys(options.problems))
    text = subprocess.run([options.bin + '/km-generate', 'describe', *problems], capture_output=True, text=True, check=True).stdout
    described = [json.loads(line) for line in text.splitlines()]
    if options.compile_only:
        return compile_all(described, options)
    rows = read_rows(options.out)
    known = {(r['problem'], r['name'], r['setting'].split(';')[0]) for r in rows}
    if options.jobs:
        argv = ['--bin=' + options.bin, '--out=' + options.out] + (['--variants=' + ','.join(options.variants)] if options.variants else [])
        compile_beforehand(argv, problems, options.jobs)
    clock, where, target = Clock(options.seconds), environment(), target_here()
    print('# ' + where)
    with open(options.out, 'a') as out:
        for d in described:
            run(d, options, clock, where, target, known, out)
    if options.compare:
        compare(options.compare, read_rows(options.out), published)


if __name__ == '__main__':
    main()
