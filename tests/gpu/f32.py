"""Errors of f32 products that are made of parts, beside PyTorch's, both against sums in double.

    f32.py TARGET            speaks TAP: no recipe's largest error may exceed PyTorch's (TF32 off), on no distribution,
                             where it is more than a unit of the largest value's last place; NaN and infinities must
                             lie where they do in double.  Where a plan goes on in f32 itself (class 2: a sum of
                             other order) the bound is that of sums of f32, 2^-23 by the root of the depth.
    f32.py TARGET time PROBLEM KNOBS...   milliseconds of each kernel of the plan and of all together

The shapes are deep enough for the recipes to work on, and have edges.  The time is a median of
20 calls on uniform [-1, 1] numbers by events, launches included.  Wants torch and a device.
"""
import concurrent.futures
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile

import torch

BUILD = os.environ['BUILD']
TORCH = {'f32': torch.float32, 'f16': torch.float16, 'bf16': torch.bfloat16, 'i32': torch.int32}
RECIPES = {'fp16x3': 'RECIPE=fp16x3 BN=128 GROUPS=2 PIPE=3 WALK=8 SPLITK=%d FUSED=0', 'bf16x6': 'RECIPE=bf16x6 BN=128 GROUPS=2 PIPE=2 WALK=8 SPLITK=%d FUSED=0',
           'tf32x3': 'RECIPE=tf32x3 BN=128 GROUPS=2 PIPE=3 WALK=8 SPLITK=%d FUSED=0', 'fused': 'RECIPE=fp16x3 BN=128 GROUPS=2 PIPE=2 WALK=8 SPLITK=%d FUSED=1'}
library = ctypes.CDLL(os.path.join(BUILD, 'lib', 'libbridge.so'))
library.bridge_open.restype = ctypes.c_void_p


class Kernel:
    """A candidate of a problem, compiled and loaded; of one 2048 deeper where it is too short a sum for the skeleton, since programs may call a kernel with any."""

    def __init__(self, target, problem, knobs):
        long_enough = re.sub(r'K=(\d+)', lambda depth: 'K=%d' % (int(depth[1]) + (2048 if int(depth[1]) < 2048 else 0)), problem)
        made = subprocess.run([os.path.join(BUILD, 'bin', 'km-generate'), 'emit', '--problem=' + long_enough, '--target=' + target,
                               '--knobs=skeleton=f32_parts lang=cuda ' + knobs], check=True, capture_output=True, text=True)
        self.candidate = json.loads(made.stdout)
        self.folder = tempfile.mkdtemp()
        source, self.artifact = os.path.join(self.folder, 'k.cu'), os.path.join(self.folder, 'k.cubin')
        with open(source, 'w') as f:
            f.write(self.candidate['prologue'] + self.candidate['source'])
        subprocess.run(['clang-22', '-x', 'cuda', '-std=gnu++17', '--cuda-gpu-arch=sm_90a', '--cuda-device-only', '-nocudainc', '-nocudalib', '-Xclang',
                        '-target-feature', '-Xclang', '+ptx86', '-O3', '-w', '-o', self.artifact, source], check=True)
        self.problem, self.plan = problem, self.candidate['plan']
        self.dims = [int(part.split('=')[1]) for part in problem.split('/')[2].split(',')]
        self.names = [part.split('=')[0] for part in problem.split('/')[2].split(',')]
        self.handle = None
        self.temporaries = {}

    def open(self, plan):
        why = ctypes.create_string_buffer(500)
        handle = library.bridge_open(plan.encode(), self.artifact.encode(), why, 500)
        assert handle, why.value.decode()
        return handle

    def buffers(self):
        """Name, role, dtype and elements of each."""
        known = dict(zip(self.names, self.dims), cdiv=lambda a, b: -(-a // b), rup=lambda a, b: -(-a // b) * b, maximum=max, minimum=min)
        for line in self.plan.split('\n'):
            if line.startswith('buffer: '):
                name, role, dtype, elems = line[8:].split(' ', 3)
                yield name, role, dtype, eval(elems, {}, known)

    def run(self, tensors, handle=None):
        order, why = [], ctypes.create_string_buffer(500)
        for name, role, dtype, elems in self.buffers():
            if role == 'tmp' and name not in self.temporaries:
                self.temporaries[name] = torch.full((elems,), -1 if dtype == 'i32' else float('nan'), dtype=TORCH[dtype], device='cuda')
            order.append((self.temporaries if role == 'tmp' else tensors)[name].data_ptr())
        plan_dims = [line for line in self.plan.split('\n') if line.startswith('dim:')][0].split()[1:]
        dim = [self.dims[self.names.index(d)] for d in plan_dims]
        self.handle = self.handle or self.open(self.plan)
        failed = library.bridge_run(ctypes.c_void_p(handle or self.handle), (ctypes.c_void_p * len(order))(*order), (ctypes.c_int64 * len(dim))(*dim), why, 500)
        assert not failed, why.value.decode()

    def steps(self):
        """A plan for each step alone."""
        lines = self.plan.split('\n')
        at = [i for i, line in enumerate(lines) if line.startswith('step: ')] + [len(lines)]
        for first, end in zip(at, at[1:]):
            yield lines[first].split()[1].split('_', 2)[2], '\n'.join(lines[:at[0]] + lines[first:end]) + '\n'


def fine(shape, generator):
    """Positive, with bits that narrower types round down (ops/core/inputs.c)."""
    u, v = (torch.rand(shape, generator=generator, device='cuda', dtype=torch.float64) for _ in range(2))
    x = 8 * u
    rest = 8 * (x - x.floor())
    return ((1 + x.floor() / 8 + (5 + (3 * rest / 8).floor()) / 128 + (2 + (2 * v).floor()) / 1024 + (((0.3 + 0.15 * v) * 8192).floor() + 0.35) * 2**-23) *
            2**((3 * v).floor() - 1)).float()


def sign(u):
    return torch.where(u < 0.5, -1.0, 1.0)


def draw(distribution, a, b, k_of_a, k_of_b, generator):
    """Two operands; k_of_a, k_of_b: which of their dimensions is the depth."""
    def uniform(shape):
        return torch.rand(shape, generator=generator, device='cuda')

    def normal(shape):
        return torch.randn(shape, generator=generator, device='cuda')

    def along(x, dim, values):
        shape = [1] * x.dim()
        shape[dim] = -1
        return x * values.reshape(shape)
    one = {'normal': normal, 'uniform': lambda s: 2 * uniform(s) - 1, 'positive': lambda s: 1 - uniform(s),
           'wide': lambda s: sign(uniform(s)) * torch.exp2(40 * uniform(s) - 20), 'grid': lambda s: (17 * uniform(s)).floor() / 2 - 4,
           'fine': lambda s: fine(s, generator), 'faint': lambda s: fine(s, generator) / 16, 'exp(4 normal)': lambda s: torch.exp(4 * normal(s)),
           'tiny': lambda s: (2 * uniform(s) - 1) * 2.0**-124, 'huge': lambda s: normal(s) * 2.0**52, 'zeros': lambda s: torch.zeros(s, device='cuda'),
           'half zeros': lambda s: normal(s).clamp(min=0)}
    if distribution in one:
        return one[distribution](a), one[distribution](b)
    x, y = normal(a), normal(b)
    depth = a[k_of_a]
    if distribution == 'opposing':
        e = torch.exp2((41 * uniform(depth)).floor() - 20)
        return along(x, k_of_a, e), along(y, k_of_b, 1 / e)
    if distribution == 'unlike':
        return 2 * uniform(a) - 1, 2000 * uniform(b) - 1000
    if distribution == 'one small row':
        x.select(1 - k_of_a if len(a) == 2 else 3 - k_of_a, 1).mul_(2.0**-30)
    else:  # one of them, early or late
        value = {'NaN': float('nan'), 'infinity': float('inf'), '-infinity': float('-inf'), 'nearly infinite': 3.4e38}[distribution]
        (x if depth % 2 else y).reshape(-1)[-3] = value
    return x, y


DISTRIBUTIONS = ('normal', 'uniform', 'positive', 'wide', 'grid', 'fine', 'faint', 'exp(4 normal)', 'opposing', 'tiny', 'huge', 'zeros', 'half zeros',
                 'unlike', 'one small row', 'NaN', 'infinity', '-infinity', 'nearly infinite')
PRODUCTS = {  # is the depth the first of each operand's two last dimensions?
    'matmul': (False, True), 'matmul_transposed_a': (True, True), 'matmul_transposed_b': (False, False), 'matmul_transposed_ab': (True, False), 'bmm': (False, True)}
CASES = (('matmul', (), (512, 512, 512)), ('matmul', (), (260, 131, 1000)), ('matmul', (), (2048, 2048, 2048)), ('matmul_transposed_ab', (), (520, 131, 1111)),
         ('matmul', (), (132, 520, 2100)), ('matmul_transposed_a', (), (1030, 1028, 2050)), ('matmul_transposed_b', (), (200, 300, 8200)), ('matmul_transposed_a', (), (136, 264, 519)),
         ('matmul_transposed_b', (), (77, 333, 300)), ('matmul_transposed_ab', (), (129, 65, 256)), ('bmm', (3,), (70, 200, 257)), ('matmul', (), (64, 64, 16384)),
         ('matmul_transposed_b', (), (1024, 1024, 4096)), ('matmul', (), (128, 256, 32768)), ('matmul_transposed_a', (), (128, 128, 16384)),
         ('matmul_transposed_b', (), (256, 128, 16384)), ('matmul_transposed_ab', (), (128, 256, 16384)), ('bmm', (2,), (128, 128, 16384)))


def matrices(op, batch, m, n, k):
    a_first, b_first = PRODUCTS[op]
    return batch + ((k, m) if a_first else (m, k)), batch + ((k, n) if b_first else (n, k))


def product(op, a, b):
    a_first, b_first = PRODUCTS[op]
    return (a.mT if a_first else a) @ (b if b_first else b.mT)


def error(got, want):
    """The largest, of the largest value; infinite where NaN or infinities are elsewhere."""
    special = ~want.isfinite()
    same = torch.where(want.isnan(), got.isnan(), got.double() == want) | ~special
    if not same.all() or not got[~special].isfinite().all():
        return float('inf')
    most = want[~special].abs().max() if (~special).any() else 0
    return ((got[~special].double() - want[~special]).abs().max() / most).item() if most else got[~special].abs().sum().item()


def kernels_of(target, case):
    """The case's kernels, by recipe: those that it allows."""
    op, batch, (m, n, k) = case
    problem = '%s/f32/%sM=%d,N=%d,K=%d/t1' % (op, 'B=%d,' % batch if batch else '', m, n, k)
    # Few outputs want a deep sum in pieces.
    pieces = 1 if batch else 8 if k >= 16384 else 4 if k > 4096 and m * n < 2**20 else 1
    return [(r, Kernel(target, problem, knobs % pieces)) for r, knobs in RECIPES.items()
            if (r != 'tf32x3' or op == 'matmul_transposed_b') and (r != 'fused' or k >= 16384 and m % 128 == 0)]


def measure_case(case, kernels, number):
    """A line for each recipe and distribution."""
    op, batch, (m, n, k) = case
    shape_a, shape_b = matrices(op, batch, m, n, k)
    depth_a, depth_b = len(batch) + (not PRODUCTS[op][0]), len(batch) + (not PRODUCTS[op][1])
    for d in DISTRIBUTIONS:
        generator = torch.Generator(device='cuda').manual_seed(len(d) * 1000 + k)
        a, b = draw(d, shape_a, shape_b, depth_a, depth_b, generator)
        want, theirs = product(op, a.double(), b.double()), product(op, a, b)
        # What is beyond f32 is infinite in it.
        want = torch.where(want.abs() > torch.finfo(torch.float32).max, torch.copysign(torch.full_like(want, float('inf')), want), want)
        for recipe, kernel in kernels:
            got = torch.full_like(theirs, -12345.0)
            kernel.run(dict(zip(kernel_names(kernel), (a.contiguous(), b.contiguous(), got))))
            torch.cuda.synchronize()
            ours, pytorch = error(got, want), error(theirs, want)
            number += 1
            level = kernel.temporaries['_class'].item()
            bound = max(pytorch if pytorch < float('inf') else 0, 2**-23 * (k**0.5 if level == 2 else 1))
            print('%s %d - %s %s %s: error %.2e, PyTorch %.2e, class %d' % ('ok' if ours <= bound else 'not ok', number, kernel.problem, recipe, d, ours, pytorch, level), flush=True)
    return number


def kernel_names(kernel):
    return [name for name, role, _, _ in kernel.buffers() if role != 'tmp']


def median_ms(call):
    pairs = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(20)]
    for _ in range(5):
        call()
    for start, end in pairs:
        start.record()
        call()
        end.record()
    torch.cuda.synchronize()
    return sorted(start.elapsed_time(end) for start, end in pairs)[10]


def time_kernels(target, problem, all_knobs):
    op = problem.split('/')[0]
    dims = dict(part.split('=') for part in problem.split('/')[2].split(','))
    m, n, k = (int(dims[d]) for d in 'MNK')
    shape_a, shape_b = matrices(op, (), m, n, k)
    a, b = (torch.rand(s, device='cuda') * 2 - 1 for s in (shape_a, shape_b))
    c = torch.empty(m, n, device='cuda')
    flop = 2 * m * n * k
    ms = median_ms(lambda: product(op, a, b))
    print('%s PyTorch %.3f ms, %.1f TFLOP/s' % (problem, ms, flop / ms * 1e-9), flush=True)
    for knobs in all_knobs:
        kernel = Kernel(target, problem, knobs)
        tensors = dict(zip(kernel_names(kernel), (a, b, c)))
        whole = median_ms(lambda: kernel.run(tensors))
        parts = []
        for name, plan in kernel.steps():
            handle = kernel.open(plan)
            parts.append('%s %.4f' % (name, median_ms(lambda: kernel.run(tensors, handle))))
        print('%s %s: %.3f ms, %.1f TFLOP/s, class %d; %s' % (problem, knobs, whole, flop / whole * 1e-9, kernel.temporaries['_class'].item(), ', '.join(parts)), flush=True)


def main(target, *words):
    torch.backends.cuda.matmul.allow_tf32 = False
    if words and words[0] == 'time':
        time_kernels(target, words[1], words[2:])
        return
    number = 0
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for case, kernels in zip(CASES, pool.map(lambda c: kernels_of(target, c), CASES)):
            number = measure_case(case, kernels, number)
    print('1..%d' % number)


main(*sys.argv[1:])
