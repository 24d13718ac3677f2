#!/usr/bin/python3
"""Judges PyTorch by the operators' bodies, over PyTorch's own test samples (OpInfo), and the references too.

    opinfo.py [--full] [--samples N] [--jobs N] [--list] [--spoil] [OPERATOR...]      TAP; exit 77 without PyTorch

An operator names its OpInfos (`.opinfo`: "name" or "name:variant", several with spaces between)
and, in `.sample`, gives a Python expression that turns one sample into a call of the operator:
a dict of its input tensors (named as in the tensor table, contiguous, collapsed to its ranks) and
of the attributes that differ from their defaults.  Dimensions are inferred from the tensors; one
that no input has may be given by its name.  Further keys:

    out=f     f(*results) brings PyTorch's results to our outputs, in order: a tensor or a tuple.
              Without it they are the results themselves.  Where the elements are as many as
              ours, the shape is set.
    want=t    what our outputs should be, a tensor or a tuple, in place of calling PyTorch's operator:
              backward operators, see vjp().

Names that the expression may use:

    input, args, kw   of the sample;  sample, op (the OpInfo: op.name, op.variant_test_name)
    dtype             the sample's torch dtype;  torch, math
    call(...)         PyTorch's operator on the sample: its result
    arg(i, name, default)        positional argument i after the input, or the keyword
    dims(i=0)                    which dimensions a reduction runs over (None: all), arg i or dim=
    flat(t)                      one dimension
    rows(t, dim=-1)              R C, with `dim` the columns
    oril(t, dims)                O R I: outer, reduced, inner (a dim, several, or None for all)
    broadcast(x=.., y=..)        tensors or numbers to A B C with the masks OX, OY: bit i says extent 1
    expanded(x, y...)            those tensors expanded to their common shape
    spread(t, n)                 the shape's last n dimensions kept, those before them made one
    integer(v), number(v)        an attribute; what is neither is skipped
    seq(v, n)                    an int or a list of ints as n ints: stride, padding
    pool(letters, arg, dilated)  K, S, P (and D) of a pooling sample by dimension ('HW': KH, KW, ...)
    conv(letters, kw, transposed)  S, P, D (Q) and G of a convolution sample
    square(attributes, letters)  those that are equal in all dimensions, without them: SH, SW -> S
    vjp(*tensors)                gradients through autograd of the sample's operator with respect to
                                 tensors of it: an object with .g (drawn, like the result), .y (the
                                 result) and .d, a list.  Several results: g and y are lists.
    skip('why')                  leaves the sample out; counted by reason

For every dtype that both have, PyTorch's outputs must pass the checker (evaluate/check.h) like any
candidate kernel, and the reference must give what the body gives, to 1e-9 of its terms' magnitude.
Where a half precision's result is outside the tolerance, PyTorch may have rounded in between: then its
operator in double on the same values, rounded once, must pass, and it counts as 'rounded in between'.
--spoil makes one element of every result of PyTorch's wrong, which must be noticed.
Samples that are complex, empty, of mixed dtypes, or outside the operator's domain are left out.
"""
import ctypes
import json
import math
import os
import re
import sys
import zlib
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "stand_in"))
try:
    import warnings

    warnings.simplefilter("ignore")
    import torch
    from torch.testing._internal.common_methods_invocations import op_db
except ImportError as e:
    print(f"no PyTorch: {e}", file=sys.stderr)
    sys.exit(77)

DTYPES = {"f64": "float64", "f32": "float32", "f16": "float16", "bf16": "bfloat16", "i64": "int64", "i32": "int32",
          "i16": "int16", "i8": "int8", "u8": "uint8", "bool": "bool", "f8e4m3": "float8_e4m3fn", "f8e5m2": "float8_e5m2"}
DTYPES = {ours: getattr(torch, theirs) for ours, theirs in DTYPES.items() if hasattr(torch, theirs)}
OURS = {theirs: ours for ours, theirs in DTYPES.items()}
HALF = ("f16", "bf16", "f8e4m3", "f8e5m2")
AGREES, DIFFERS, OUTSIDE, BROKEN = range(4)
MOST_ELEMENTS = 1 << 18
SPOIL = False


class Skip(Exception):
    pass


def skip(why):
    raise Skip(why)


# ---- the bridge -------------------------------------------------------------

class Bridge:
    """tests/bridge.c."""

    def __init__(self):
        build = os.environ.get("BUILD") or os.path.join(HERE, "..", "build")
        self.lib = ctypes.CDLL(os.path.join(build, "lib", "libbridge.so"))
        self.lib.bridge_operators.restype = ctypes.c_void_p
        self.lib.bridge_problem.restype = ctypes.c_void_p

    def _json(self, address):
        text = ctypes.string_at(address).decode()
        self.lib.bridge_free(ctypes.c_void_p(address))
        return json.loads(text)

    def operators(self):
        return self._json(self.lib.bridge_operators())

    def problem(self, text):
        return self._json(self.lib.bridge_problem(text.encode()))

    def judge(self, text, arrays):
        why = ctypes.create_string_buffer(1024)
        dtypes = " ".join(OURS[a.dtype] for a in arrays)
        pointers = (ctypes.c_void_p * len(arrays))(*[a.data_ptr() for a in arrays])
        verdict = self.lib.bridge_judge(text.encode(), dtypes.encode(), pointers, why, ctypes.c_int64(len(why)))
        return verdict, why.value.decode(errors="replace")


# ---- helpers of .sample -----------------------------------------------------

def flat(t):
    return t.reshape(-1)


def integer(v):
    v = number(v)
    return int(v) if v == int(v) else skip("an attribute that is no integer")


def number(v):
    if isinstance(v, torch.Tensor):
        v = v.item() if v.numel() == 1 else skip("an attribute that is a tensor")
    return v if isinstance(v, (bool, int, float)) else skip("an attribute that is no number")


def seq(v, n):
    v = list(v) if isinstance(v, (tuple, list)) else [v]
    return [integer(x) for x in (v * n if len(v) == 1 else v)] if len(v) in (1, n) else skip("another number of dimensions")


def rows(t, dim=-1):
    t = t.reshape(1) if t.dim() == 0 else t
    t = t.movedim(dim, -1)
    return t.reshape(-1, t.shape[-1]) if t.numel() else skip("empty")


def oril(t, dims=None):
    rank = t.dim()
    if dims is None or (isinstance(dims, (tuple, list)) and not dims):
        return t.reshape(1, -1, 1)
    dims = sorted({d % max(rank, 1) for d in (dims if isinstance(dims, (tuple, list)) else [dims])})
    if rank == 0:
        return t.reshape(1, 1, 1)
    kept = [d for d in range(rank) if d not in dims]
    outer = [d for d in kept if d < dims[0]]
    inner = [d for d in kept if d > dims[0]]
    sizes = [math.prod(t.shape[d] for d in part) for part in (outer, dims, inner)]
    return t.permute(outer + dims + inner).reshape(sizes)


def spread(t, n):
    return t.reshape((math.prod(t.shape[:t.dim() - n]),) + tuple(t.shape[t.dim() - n:]))


def expanded(*tensors):
    return [t.contiguous() for t in torch.broadcast_tensors(*tensors)]


def broadcast(dtype, tensors):
    """Any broadcast pattern as A B C with masks: neighbouring dimensions with equal masks become one."""
    for n, t in tensors.items():
        if not isinstance(t, torch.Tensor):
            if not dtype.is_floating_point and dtype != torch.bool and not torch.iinfo(dtype).min <= number(t) <= torch.iinfo(dtype).max:
                skip("a number beyond the dtype")
            tensors[n] = torch.tensor(number(t), dtype=dtype)
    shape = torch.broadcast_shapes(*[t.shape for t in tensors.values()])
    padded = {n: (1,) * (len(shape) - t.dim()) + tuple(t.shape) for n, t in tensors.items()}
    groups = []  # [extent, names of those of extent 1]
    for k, extent in enumerate(shape):
        if extent == 1:
            continue
        ones = frozenset(n for n, p in padded.items() if p[k] == 1)
        if groups and groups[-1][1] == ones:
            groups[-1][0] *= extent
        else:
            groups.append([extent, ones])
    if len(groups) > 3:
        skip("broadcast of more than three dimensions")
    groups = [[1, frozenset()]] * (3 - len(groups)) + groups
    result = {"dims": {name: extent for name, (extent, _) in zip("ABC", groups)}}
    for n, t in tensors.items():
        mask = sum(1 << k for k, (_, ones) in enumerate(groups) if n in ones)
        result[n] = t.reshape([1 if mask >> k & 1 else groups[k][0] for k in range(3)])
        result["O" + n.upper()] = mask
    dims = result.pop("dims")
    result.update(dims)
    return result


def spaced(letter, letters, values):
    return dict(zip([letter + x for x in letters] or [letter], values))


def pool(letters, arg, dilated=False):
    n = len(letters) or 1
    kernel = seq(arg(0, "kernel_size"), n)
    stride = arg(1, "stride")
    result = {**spaced("K", letters, kernel), **spaced("S", letters, seq(stride, n) if stride not in (None, ()) else kernel),
              **spaced("P", letters, seq(arg(2, "padding", 0), n))}
    if dilated:
        result.update(spaced("D", letters, seq(arg(3, "dilation", 1), n)))
        ceil = arg(4, "ceil_mode", False)
    else:
        ceil = arg(3, "ceil_mode", False) or not arg(4, "count_include_pad", True) or arg(5, "divisor_override")
    return skip("rounded up, or padding not counted") if ceil else result


def conv(letters, kw, transposed=False):
    n = len(letters) or 1
    if isinstance(kw.get("padding"), str):
        skip("padding by name")
    result = {**spaced("S", letters, seq(kw.get("stride", 1), n)), **spaced("P", letters, seq(kw.get("padding", 0), n)),
              **spaced("D", letters, seq(kw.get("dilation", 1), n)), "G": integer(kw.get("groups", 1))}
    if transposed:
        result.update(spaced("Q", letters, seq(kw.get("output_padding", 0), n)))
    return result


def square(attributes, letters="KSP"):
    result = {}
    for letter in letters:
        values = {v for k, v in attributes.items() if k[0] == letter}
        result[letter] = values.pop()
        if values:
            skip("unequal dimensions")
    return result


class Gradients:
    def __init__(self, call, tensors, seed):
        if not all(t.is_floating_point() for t in tensors):
            skip("no gradients of integers")
        leaves = [t.detach().clone().requires_grad_() for t in tensors]
        swap = {id(t): leaf for t, leaf in zip(tensors, leaves)}
        with torch.enable_grad():
            result = call(swap)
        several = isinstance(result, (tuple, list))
        results = [r for r in (result if several else [result]) if r.is_floating_point()]
        draw = torch.Generator().manual_seed(seed)
        # Multiples of 1/8, so that they are the same in every dtype.
        g = [(torch.randint(-16, 17, r.shape, generator=draw) / 8).to(r.dtype) for r in results]
        self.d = list(torch.autograd.grad(results, leaves, g, allow_unused=True))
        self.d = [torch.zeros_like(leaf) if d is None else d for d, leaf in zip(self.d, leaves)]
        y = [r.detach() for r in results]
        self.g, self.y = (g, y) if several else (g[0], y[0])


class Call:
    """One sample under the names that .sample may use."""

    def __init__(self, op, sample, dtype):
        self.op, self.sample, self.dtype = op, sample, dtype

    def call(self, swap={}):
        s = self.sample
        put = lambda t: swap.get(id(t), t) if isinstance(t, torch.Tensor) else type(t)(put(x) for x in t) if type(t) in (tuple, list) else t
        return self.op.op(put(s.input), *[put(a) for a in s.args], **{k: put(v) for k, v in s.kwargs.items()})

    def names(self):
        s = self.sample

        def arg(i, name, default=None):
            return s.args[i] if len(s.args) > i else s.kwargs.get(name, default)

        def dims(i=0):
            for name in ("dim", "axis"):
                if name in s.kwargs:
                    return s.kwargs[name]
            return s.args[i] if len(s.args) > i else None

        return {"input": s.input, "args": s.args, "kw": s.kwargs, "sample": s, "op": self.op, "dtype": self.dtype, "torch": torch,
                "math": math, "call": self.call, "arg": arg, "dims": dims, "flat": flat, "rows": rows, "oril": oril,
                "spread": spread, "expanded": expanded, "broadcast": lambda **t: broadcast(self.dtype, t), "integer": integer,
                "number": number, "seq": seq, "skip": skip, "pool": pool, "conv": conv, "square": square, "vjp": lambda *t: Gradients(self.call, t, 7), "F": torch.nn.functional}


# ---- judging one sample -----------------------------------------------------

def all_tensors(x):
    if isinstance(x, torch.Tensor):
        yield x
    elif isinstance(x, (tuple, list)):
        for y in x:
            yield from all_tensors(y)
    elif isinstance(x, dict):
        yield from all_tensors(list(x.values()))


def infer_dims(op, given):
    """Dimensions from the inputs' extents; words such as B+1 or 2*C give B and C."""
    known = {d: given[d] for d in op["dims"].split() if d in given}
    names = {**{a: int(v) for a, v in op["attributes"].items() if a in op["integers"]},
             **{a: int(given[a]) for a in op["integers"] if a in given}}
    for attempt in range(2):
        for tensor in op["tensors"]:
            t = given.get(tensor["name"])
            if tensor["role"] == "out" or t is None:
                continue
            words = tensor["shape"].split()
            if len(words) != t.dim():
                skip(f"'{tensor['name']}' has {t.dim()} dimensions")
            mask = names.get(tensor["ones"], 0)
            for k, word in enumerate(words):
                if mask >> k & 1:
                    continue
                extent = t.shape[k]
                free = [d for d in re.findall(r"[A-Za-z]\w*", word) if d in op["dims"].split() and d not in known]
                if len(free) == 1:
                    fits = [v for v in range(1, 4 * extent + 66) if evaluate(word, {**names, **known, free[0]: v}) == extent]
                    if len(fits) == 1 or (fits and attempt):
                        known[free[0]] = fits[0]
    for d in op["dims"].split():
        if d not in known:
            raise ValueError(f"no input tells dimension '{d}'")
    return known


def evaluate(word, names):
    try:
        return eval(word, {"__builtins__": {"max": max, "min": min}, "minimum": min, "maximum": max, "cdiv": lambda a, b: -(-a // b)}, names)
    except (NameError, ZeroDivisionError):
        return None


def as_list(x):
    return list(x) if isinstance(x, (tuple, list)) else [x]


def to_double(x):
    if isinstance(x, torch.Tensor):
        return x.double() if x.is_floating_point() else x
    if isinstance(x, torch.dtype):
        return torch.float64 if x.is_floating_point else x
    if type(x) in (tuple, list):
        return type(x)(to_double(y) for y in x)
    if isinstance(x, dict):
        return {k: to_double(v) for k, v in x.items()}
    return x


def text_of(op, dtype, dims, given):
    words = [f"{d}={v}" for d, v in dims.items()]
    for a in op["attributes"]:
        if a in given:
            v = integer(given[a]) if a in op["integers"] else number(given[a])
            words.append(f"{a}={v:d}" if a in op["integers"] else f"{a}={float(v)!r}")
    return f"{op['name']}/{dtype}/{','.join(words)}/t1"


def call_of(op, opinfo, sample, dtype):
    """The operator's call, and what PyTorch makes of it."""
    c = Call(opinfo, sample, dtype)
    names = c.names()
    given = eval(op["sample"], names)
    unknown = set(given) - {t["name"] for t in op["tensors"]} - set(op["attributes"]) - set(op["dims"].split()) - {"out", "want"}
    if unknown:
        raise ValueError(f"unknown names {sorted(unknown)}")
    if "want" in given:
        results = as_list(given["want"])
    else:
        results = as_list(c.call())
        if "out" in given:
            results = as_list(given["out"](*results))
    return given, results


def spoil(t):
    """One element, off by a good part of itself."""
    i = t.numel() // 2
    t[i] = ~t[i] if t.dtype == torch.bool else 1 if not t[i].isfinite() else t[i] * 1.25 + 1 if t.is_floating_point() else t[i] ^ 1


def prepare(op, dtype, opinfo, sample):
    """The problem's text, and arrays by tensor: ours and PyTorch's."""
    given, results = call_of(op, opinfo, sample, DTYPES[dtype])
    dims = infer_dims(op, given)
    text = text_of(op, dtype, dims, given)
    problem = BRIDGE.problem(text)
    if "error" in problem:
        skip("refused: " + re.sub(r"[-\d.]+", "#", problem["error"]))
    outs = [t for t in problem["tensors"] if t["role"] == "out"]
    if len(results) != len(outs):
        raise ValueError(f"{len(results)} results, not {len(outs)}")
    arrays = []
    for tensor in problem["tensors"]:
        t = results.pop(0) if tensor["role"] == "out" else given.get(tensor["name"])
        if t is None:
            raise ValueError(f"input '{tensor['name']}' is missing")
        t = t if isinstance(t, torch.Tensor) else torch.tensor(t)
        t = t.detach().resolve_conj().resolve_neg()
        want = DTYPES[tensor["dtype"]]
        if t.numel() != math.prod(tensor["shape"]):
            raise ValueError(f"'{tensor['name']}' is {list(t.shape)}, not {tensor['shape']}, of {text}")
        if tensor["role"] == "in" and list(t.shape) != tensor["shape"]:
            raise ValueError(f"'{tensor['name']}' is {list(t.shape)}, not {tensor['shape']}, of {text}")
        if t.dtype != want and tensor["role"] == "in":
            if t.dtype.is_floating_point or want.is_floating_point:
                skip("mixed dtypes")
            if not torch.equal(t.to(want).to(t.dtype), t):
                skip("mixed integers")
            t = t.to(want)
        if t.dtype != want and (t.dtype.is_floating_point != want.is_floating_point or t.dtype not in OURS):
            skip(f"PyTorch gives {t.dtype}, we {want}".replace("torch.", ""))
        if t.dtype != want and not t.dtype.is_floating_point and torch.bool in (t.dtype, want):
            t = t.to(want)
        if t.dtype == torch.int64 and t.numel() and int(t.abs().max() | t.min().bitwise_not().clamp(min=0)) >= 1 << 53:
            skip("integers beyond 2^53")
        arrays.append(t.reshape(tensor["shape"]).contiguous().clone())
        if SPOIL and tensor["role"] == "out":
            spoil(arrays[-1].view(-1))
    return text, problem, arrays


def judge(op, dtype, opinfo, sample):
    """AGREES, 'rounded' or a sentence of what differs."""
    text, problem, arrays = prepare(op, dtype, opinfo, sample)
    verdict, why = BRIDGE.judge(text, arrays)
    if verdict == OUTSIDE:
        skip(why)
    if verdict == AGREES:
        return AGREES
    if verdict == DIFFERS and dtype in HALF and not SPOIL and why.startswith("PyTorch"):
        try:
            double = type(sample)(to_double(sample.input), args=to_double(tuple(sample.args)), kwargs=to_double(dict(sample.kwargs)))
            _, results = call_of(op, opinfo, double, torch.float64)
            once = []
            for tensor, array in zip(problem["tensors"], arrays):
                once.append(results.pop(0).detach().reshape(tensor["shape"]).to(array.dtype).contiguous() if tensor["role"] == "out" else array)
            if BRIDGE.judge(text, once)[0] == AGREES:
                return "rounded"
        except (RuntimeError, Skip):
            pass
    return f"{text}: {why}"


# ---- samples ----------------------------------------------------------------

def find_opinfos(words):
    """[(name, variant's OpInfo)]; a name alone means its plain variant, or all where there is none."""
    found = []
    for word in words.split():
        name, _, variant = word.partition(":")
        named = [o for o in op_db if o.name == name]
        exact = [o for o in named if o.variant_test_name == variant]
        found += exact or (named if not variant else [])
    return found


def draw(opinfo, dtype, full, most):
    """All samples; `most` of them, spread over all, come first."""
    torch.manual_seed(zlib.crc32(f"{opinfo.name}:{opinfo.variant_test_name}".encode()))
    samples = list(opinfo.sample_inputs("cpu", dtype, requires_grad=False))
    if full and opinfo.reference_inputs_func is not None:
        samples += list(opinfo.reference_inputs("cpu", dtype, requires_grad=False))
    if most and len(samples) > most:
        chosen = sorted({i * len(samples) // most for i in range(most)})
        samples = [samples[i] for i in chosen] + [s for i, s in enumerate(samples) if i not in chosen]
    return samples


def check_sample(op, dtype, opinfo, sample):
    tensors = list(all_tensors([sample.input, list(sample.args), sample.kwargs]))
    if any(t.is_complex() for t in tensors):
        skip("complex")
    if any(t.numel() == 0 for t in tensors):
        skip("empty")
    if sum(t.numel() for t in tensors) > MOST_ELEMENTS:
        skip("large")
    return judge(op, dtype, opinfo, sample)


def run_dtype(op, dtype, opinfos, full, most):
    """(how many agree, rounded, Counter of reasons, faults)"""
    agree, rounded, reasons, faults = 0, 0, Counter(), []
    for opinfo in opinfos:
        if DTYPES[dtype] not in opinfo.supported_dtypes("cpu"):
            reasons[f"PyTorch's {opinfo.name} has no {dtype}"] += 1
            continue
        try:
            samples = draw(opinfo, DTYPES[dtype], full, most)
        except Exception as e:
            reasons[f"PyTorch draws no samples: {type(e).__name__}"] += 1
            continue
        judged = 0
        for sample in samples:
            if most and judged >= most:
                break
            try:
                answer = check_sample(op, dtype, opinfo, sample)
            except Skip as e:
                reasons[str(e)] += 1
                continue
            except Exception as e:
                if "not implemented for" in str(e):
                    reasons["PyTorch has no kernel of the dtype"] += 1
                    continue
                answer = f"{type(e).__name__}: {e}".replace("\n", " ")
            judged += 1
            agree += answer == AGREES or answer == "rounded"
            rounded += answer == "rounded"
            if answer not in (AGREES, "rounded"):
                faults.append(f"{opinfo.name} {answer}")
    return agree, rounded, reasons, faults


def choose_dtypes(op, full):
    known = [d for d in op["dtypes"].split() if d in DTYPES]
    if full:
        return known
    first = [d for d in ("f32",) if d in known]
    for kind in (("i64", "i32", "u8", "i8", "bool"), ("bf16", "f16")):
        first += [d for d in kind if d in known][:1]
    return first or known[:1]


def run_operator(op, full, most):
    """TAP lines without numbers: (good, skipped, title, comments)."""
    opinfos = find_opinfos(op["opinfo"])
    if not opinfos:
        return [(True, "not in this PyTorch", op["name"], [])], 0
    lines, total = [], 0
    for dtype in choose_dtypes(op, full):
        agree, rounded, reasons, faults = run_dtype(op, dtype, opinfos, full, most)
        total += agree
        left_out = ", ".join(f"{why}: {n}" for why, n in reasons.most_common())
        title = f"{op['name']}/{dtype}: {agree} samples agree" + (f", {rounded} of them rounded in between" if rounded else "") + \
            (f", {sum(reasons.values())} left out" if reasons else "")
        comments = faults[:4] + ([f"{len(faults)} differ"] if faults else []) + ([f"left out: {left_out}"] if left_out else [])
        lines.append((not faults, "" if agree or faults else left_out or "no samples", title, comments))
    if not total and all(good for good, _, _, _ in lines):
        only_missing = all("has no" in why and "," not in why for _, why, _, _ in lines)
        lines.append((only_missing, "PyTorch has none of the dtypes" if only_missing else "", f"{op['name']}: some sample is compared", []))
    return lines, total


def worker(job):
    torch.set_num_threads(1)
    op, full, most = job
    try:
        return run_operator(op, full, most)
    except Exception as e:
        return [(False, "", f"{op['name']}: judged", [f"{type(e).__name__}: {e}"])], 0


def main(argv):
    import argparse
    import multiprocessing

    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="all dtypes, all samples, reference_inputs")
    parser.add_argument("--samples", type=int, default=0, help="compare at most N samples per OpInfo and dtype [12; 0 in full: all]")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="the operators without .opinfo")
    parser.add_argument("--spoil", action="store_true", help="make PyTorch's results wrong, to see that it is noticed")
    parser.add_argument("operator", nargs="*")
    options = parser.parse_args(argv)
    global SPOIL
    SPOIL = options.spoil
    ops = BRIDGE.operators()
    if options.list:
        print("\n".join(o["name"] for o in ops if not o["opinfo"]))
        return 0
    wanted = [o for o in ops if o["opinfo"] and (not options.operator or o["name"] in options.operator)]
    most = options.samples or (0 if options.full else 12)
    number, failed, compared = 0, 0, 0
    torch.set_num_threads(1)
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for lines, total in pool.imap(worker, [(o, options.full, most) for o in wanted]):
            compared += total
            for good, skipped, title, comments in lines:
                number += 1
                failed += not good
                print("ok" if good else "not ok", number, "-", title + (f" # SKIP {skipped}" if skipped else ""))
                for comment in comments:
                    print("#  ", comment[:600])
            sys.stdout.flush()
    print(f"# PyTorch {torch.__version__}: {compared} samples of {len(wanted)} operators agree; {len(ops) - len(wanted)} of {len(ops)} "
          "operators not asked for or without OpInfo")
    print(f"1..{number}")
    return 1 if failed or not number else 0


BRIDGE = Bridge()
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
