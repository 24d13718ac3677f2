"""Runs printed Hopper kernels on this processor, step by step of their plans.

    hopper_host.py PROBLEM KNOBS DATA=CLASS...   a product of f32 in parts
    hopper_host.py judge PROBLEM KNOBS...        any plan; KNOBS may be a number: so many drawn ones

Speaks TAP.  What the kernels say in assembly hopper_host.h says in C++.

Parts: KNOBS are those of skeleton f32_parts; outputs are compared with sums in double.  DATA: uniform numbers
in [-1, 1]; "wide", times 2^-20..2^20; "infinity", "nan", one of it; "zeros", a third of them; "outlier", one of
1000, which no sample has; "larger", all of A 1000 times as large.  CLASS is what the plan must find of them (generate/micro/split.c).
Any plan is judged as a candidate is, by the operator's reference.  Wants clang-22.
"""
import ctypes
import json
import os
import re
import subprocess
import sys
import tempfile

BUILD = os.environ['BUILD']
CTYPE = {'f32': 'float', 'f16': '_Float16', 'bf16': 'unsigned short', 'i32': 'int'}
BYTES = {'f32': 4, 'f16': 2, 'bf16': 2, 'i32': 4}
DATA = {'uniform': '', 'wide': 'for (long i = 0; i < E_A; i++) A[i] = A[i] * exp2(40 * draw() - 20);', 'infinity': 'A[E_A / 2] = INFINITY;', 'nan': 'B[17] = NAN;',
        'zeros': 'for (long i = 0; i < E_A; i += 3) A[i] = 0;', 'outlier': 'A[E_A / 2 + 5] = 1000;',
        'larger': 'for (long i = 0; i < E_A; i++) A[i] *= 1000;'}
TRANSPOSED = {'matmul': (False, False), 'matmul_transposed_a': (True, False), 'matmul_transposed_b': (False, True), 'matmul_transposed_ab': (True, True)}
MULTIPROCESSORS = 4
# Assembly within words that are printed as they are: what it does here.
ASSEMBLY = (
    (r'asm volatile\("redux.sync.max.u32[^;]*;" : "=r"\(y\) : "r"\(x\)\)', 'y = host_warp_top(x)'),
    (r'asm volatile\("redux.sync.add.u32[^;]*;" : "=r"\(y\) : "r"\(x\)\)', 'y = host_warp_sum(x)'),
    (r'asm\("cvt.rn.bf16.f32[^;]*;" : "=h"\((p\[i\])\) : "f"\(x\)\)', r'\1 = host_bf16(x)'),
    (r'asm\("cvt.rna.tf32.f32[^;]*;" : "=r"\(u\) : "f"\(x\)\)', 'u = host_tf32(x)'),
    (r'asm\("max.NaN.f16x2[^;]*;" : "\+r"\(most\) : "r"\(h\)\)', 'most = host_greater(most, h)'),
    (r'asm\("min.f16x2[^;]*;" : "\+r"\(least\) : "r"\(h\)\)', 'least = host_less(least, h)'),
    (r'asm\("cvt.rn.f16x2.f32[^;]*;" : "=r"\((\w+\[i\])\) : "f"\(([^"]*)\), "f"\(([^"]*)\)\);', r'\1 = host_pair(\2, \3);'),
    (r'asm\("\{\.reg \.b16 p, q;.*?" : "=f"\(c\), "=f"\(d\) : "r"\((h\[i\])\)\)', r'c = host_half(\1, 0), d = host_half(\1, 1)'),
    (r'static __attribute__\(\(shared\)\)', 'static'),
    (r'#define KM_KERNEL_FILL.*', ''))


def words(prologue):
    """The vocabulary, from what all devices share on, without what hopper_host.h has."""
    at = prologue.index('/* Hopper:')
    text = prologue[prologue.index('typedef float km_f32;'):at]
    if 'struct km_met' in prologue:
        text += prologue[prologue.index('struct km_met'):prologue.index('KM_D void km_copy_box')]
    for pattern, here in ASSEMBLY:
        text = re.sub(pattern, here, text)
    assert 'asm' not in text, text[text.index('asm'):][:200]
    return text


def products(source):
    """Instructions of warp groups as hopper_host.h's."""
    return re.sub(r'(#ifndef KM_HAS_wgmma_f32_64x(\d+)x(\d+)_(\w+)\n#define \w+\n).*?(#endif\n)',
                  lambda m: '%sHOST_PRODUCT(%s, %s, %s, %s)\n%s' % (m[1], m[2], m[3], m[4], CTYPE[{'tf32': 'f32'}.get(m[4], m[4])], m[5]), source, flags=re.S)


def listed(text):
    """Expressions between commas, but not those within parentheses."""
    found, depth = [''], 0
    for c in text:
        depth += (c == '(') - (c == ')')
        if c == ',' and not depth:
            found.append('')
        else:
            found[-1] += c
    return found


def dims_of(problem):
    return {k: float(v) if '.' in v else int(v) for k, v in (part.split('=') for part in problem.split('/')[2].split(','))}


def read_plan(plan, problem):
    """Buffers: name, role, dtype, elements; steps: symbol, instances, threads, resident, cluster, tensors; dims in their order."""
    known = dict(dims_of(problem), cdiv=lambda a, b: -(-a // b), rup=lambda a, b: -(-a // b) * b, maximum=max, minimum=min)

    def value(text):
        return eval(text, {}, known)
    buffers, steps, order = [], [], []
    for line in plan.split('\n'):
        key, _, rest = line.partition(': ')
        if key == 'dim':
            order = rest.split()
        elif key == 'buffer':
            name, role, dtype, elems = rest.split(' ', 3)
            buffers.append((name, role, dtype, value(elems)))
        elif key == 'step':
            facts = dict(word.split('=', 1) for word in rest.split()[1:])
            instances = 1
            for extent in listed(facts['grid']):
                instances *= value(extent)
            steps.append((rest.split()[0], instances, int(facts['threads']), int(facts.get('resident', 0)), int(facts.get('cluster', 1)), []))
        elif key == 'tensor':
            facts = dict(word.split('=', 1) for word in rest.split()[1:])
            lists = {k: [value(e) for e in listed(facts[k])] if k in facts else [] for k in ('dims', 'strides', 'box', 'from', 'count', 'step')}
            steps[-1][5].append((rest.split()[0], lists))
        elif key == 'require':
            assert value(rest.replace('||', ' or ')), rest
    return buffers, steps, [known[d] for d in order]


def tensor_text(name, dtype, lists):
    numbers = ['{ %s }' % ', '.join(map(str, v)) for v in (lists['dims'], [1] + lists['strides'], lists['box'], lists['from'], lists['count'], lists['step'])]
    return 'static km_tensor_map %s = { NULL, %d, %d, %s, %s, %s, %d, %s, %s, %s };' % (name, BYTES[dtype], len(lists['dims']), *numbers[:3], len(lists['from']), *numbers[3:])


def kernels(candidate, problem):
    """The plan's kernels and buffers, and host_steps(), which runs them; its buffers."""
    buffers, steps, dims = read_plan(candidate['plan'], problem)
    dtype_of = {name: dtype for name, _, dtype, _ in buffers}
    out = ['#include "%s"' % os.path.join(os.path.dirname(os.path.abspath(__file__)), 'hopper_host.h'), words(candidate['prologue']),
           products(candidate['source']).replace('__restrict__', '')]
    out += ['static %s *b_%s; static const long e_%s = %d;' % (CTYPE[dtype], name, name, elems) for name, _, dtype, elems in buffers]
    run = []
    for n, (symbol, instances, threads, resident, cluster, tensors) in enumerate(steps):
        for t, (name, lists) in enumerate(tensors):
            out.append(tensor_text('map%d_%d' % (n, t), dtype_of[name], lists))
            run.append('map%d_%d.base = (const char *)b_%s;' % (n, t, name))
        out.append('static void step%d() { %s(%s); }' % (n, symbol, ', '.join(['b_' + b[0] for b in buffers] + ['%dL' % d for d in dims] +
                                                                             ['map%d_%d' % (n, t) for t in range(len(tensors))])))
        run.append('host_run(step%d, %d, %d, %d, %d, %d);' % (n, instances, threads, resident, MULTIPROCESSORS, cluster))
    out.append('static void host_steps() { %s }' % '\n'.join(run))
    return out, buffers


def allocated(buffers):
    return ['b_%s = (%s *)aligned_alloc(64, (e_%s * %d + 127) / 64 * 64); memset((void *)b_%s, 0xff, e_%s * %d);' % (name, CTYPE[dtype], name, BYTES[dtype], name, name, BYTES[dtype])
            for name, _, dtype, _ in buffers]


def program(candidate, problem):
    dims = dims_of(problem)
    out, buffers = kernels(candidate, problem)
    names = [name for name, role, _, _ in buffers if role != 'tmp']
    out.append('static double draw() { static unsigned long seed = 1; seed = seed * 6364136223846793005ul + 1442695040888963407ul; return (double)(seed >> 40) / 16777216; }')
    out.append('int main(int argc, char **argv) {')
    out += allocated(buffers)
    out.append('float *A = b_%s, *B = b_%s, *C = b_%s; const long E_A = e_%s, E_B = e_%s;' % (*names[:3], *names[:2]))
    out.append('for (long i = 0; i < E_A; i++) A[i] = 2 * draw() - 1; for (long i = 0; i < E_B; i++) B[i] = 2 * draw() - 1;')
    out += ['if (!strcmp(argv[1], "%s")) { %s }' % item for item in DATA.items()]
    out.append('host_steps();')
    across_a, along_b = TRANSPOSED[problem.split('/')[0]]
    out.append('''double worst = 0, most = 0; long wrong = 0;
for (long i = 0; i < {M}; i++) for (long j = i % 5; j < {N}; j += 5) {{ double s = 0, got = C[i * {N} + j];
 for (long k = 0; k < {K}; k++) s += (double)A[{a}] * B[{b}];
 if (!isfinite(s) || !isfinite(got)) wrong += isnan(s) ? !isnan(got) : got != s; else {{ most = fmax(most, fabs(s)); worst = fmax(worst, fabs(got - s)); }} }}
printf("%d %.3g %ld\\n", *b__class, worst / most, wrong); }}'''.format(a='k * %dL + i' % dims['M'] if across_a else 'i * %dL + k' % dims['K'],
                                                                       b='j * %dL + k' % dims['K'] if along_b else 'k * %dL + j' % dims['N'], **dims))
    return '\n'.join(out) + '\n', dims['K']


def emit(problem, knobs):
    made = subprocess.run([os.path.join(BUILD, 'bin', 'km-generate'), 'emit', '--problem=' + problem, '--target=nvidia-h200', '--knobs=' + knobs],
                          check=True, capture_output=True, text=True)
    return json.loads(made.stdout)


def compiled(text, folder, *options):
    source, binary = os.path.join(folder, 'k.cc'), os.path.join(folder, 'k')
    with open(source, 'w') as f:
        f.write(text)
    subprocess.run(['clang-22', '-x', 'c++', '-std=gnu++17', '-O2', '-w', '-march=native', '-ffp-contract=off', *options, '-o', binary, source, '-lm'], check=True)
    return binary


def compare_parts(problem, knobs, *wanted):
    text, depth = program(emit(problem, 'skeleton=f32_parts lang=cuda ' + knobs), problem)
    with tempfile.TemporaryDirectory() as folder:
        binary = compiled(text, folder)
        for n, want in enumerate(wanted):
            data, level = want.split('=')
            answer = subprocess.run([binary, data], capture_output=True, text=True).stdout.strip()
            found = re.fullmatch(r'(\d) (\S+) (\d+)', answer)
            # Of f32 itself: sums of f32, which grow with the depth.
            good = found and found[1] == level and found[3] == '0' and float(found[2]) <= 2**-21 * (depth**0.5 / 16 if level == '2' else 1)
            print('%s %d - %s %s, %s: class, error and wrong ones %s' % ('ok' if good else 'not ok', n + 1, problem, knobs, data, answer), flush=True)
    print('1..%d' % len(wanted))


def ask(library, name, *words):
    function = getattr(library, name)
    function.restype = ctypes.c_void_p
    text = function(*[w.encode() if isinstance(w, str) else ctypes.c_int64(w) for w in words])
    value = json.loads(ctypes.string_at(text))
    library.bridge_free(ctypes.c_void_p(text))
    return value


def drawn(library, problem, count):
    """So many of kernels of warp groups."""
    found = [c['knobs'] for c in ask(library, 'bridge_candidates', problem, 'nvidia-h200', 'cuda', 1, 40 * count)['candidates']]
    return [knobs for knobs in found if 'warp_' in knobs][:count]


def judge_one(library, candidate, problem):
    """What is wrong with it; '': nothing."""
    out, buffers = kernels(candidate, problem)
    out.append('extern "C" void host_plan(void *const *given) { long n = 0;')
    out += allocated([b for b in buffers if b[1] == 'tmp']) + ['b_%s = (%s *)given[n++];' % (name, CTYPE[dtype]) for name, role, dtype, _ in buffers if role != 'tmp']
    out.append('host_steps(); }')
    with tempfile.TemporaryDirectory() as folder:
        plan = ctypes.CDLL(compiled('\n'.join(out) + '\n', folder, '-shared', '-fPIC'))
        tensors = [b for b in buffers if b[1] != 'tmp']
        memory = [ctypes.create_string_buffer(b'\xff' * (elems * BYTES[dtype] + 16)) for _, _, dtype, elems in tensors]
        address = (ctypes.c_void_p * len(memory))(*[ctypes.addressof(m) + -ctypes.addressof(m) % 16 for m in memory])
        for t, (_, role, _, _) in enumerate(tensors):
            if role == 'in':
                library.bridge_fill(problem.encode(), t, b'uniform', ctypes.c_int64(1), ctypes.c_void_p(address[t]))
        plan.host_plan(address)
        why = ctypes.create_string_buffer(500)
        verdict = library.bridge_check(problem.encode(), address, why, ctypes.c_int64(len(why)))
    return why.value.decode() or ('verdict %d' % verdict if verdict else '')


def judge(problem, *wanted):
    library, n = ctypes.CDLL(os.path.join(BUILD, 'lib', 'libbridge.so')), 0
    for want in wanted:
        for knobs in drawn(library, problem, int(want)) if want.isdigit() else [want]:
            # A block that waits for ever, or is refused, ends its process.
            sys.stdout.flush()
            child = os.fork()
            if not child:
                wrong = judge_one(library, emit(problem, knobs), problem)
                print('#', wrong) if wrong else None
                sys.stdout.flush()
                os._exit(wrong != '')
            n += 1
            print('%s %d - %s %s' % ('ok' if os.waitpid(child, 0)[1] == 0 else 'not ok', n, problem, knobs), flush=True)
    print('1..%d' % n)


if sys.argv[1] == 'judge':
    judge(*sys.argv[2:])
else:
    compare_parts(*sys.argv[1:])
