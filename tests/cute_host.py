"""A stand-in for the modules of CuTe's Python: a block's threads as NumPy arrays, in lockstep, so that printed
CuTe runs on this processor.  What it does not have, printed CuTe does not use.

    cute_host.install()                        before the source is loaded
    cute_host.run(function, module, arguments, threads, sizes, blocks)
"""
import sys
import types

import numpy as np

current = types.SimpleNamespace(threads=1, block=0)


class Numeric:
    """A value a thread, or one for all; its subclasses are CuTe's types."""

    def __init__(self, x):
        self.data = convert(x.data if isinstance(x, Numeric) else x, type(self))

    def bitcast(self, kind):
        return make(np.ascontiguousarray(self.data).view(kind.dtype), kind)


def make(data, kind):
    x = kind.__new__(kind)
    x.data = data
    return x


def convert(x, kind):
    if kind.__name__ != "BFloat16":
        return np.asarray(x).astype(kind.dtype)
    bits = np.asarray(x, dtype=np.float32).view(np.uint32)
    return (np.where(np.isnan(x), 0x7FC0, (bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint32) << 16).view(np.float32)


KINDS = [type(n, (Numeric,), {"dtype": np.dtype(d)}) for n, d in
         (("Boolean", "?"), ("Uint8", "u1"), ("Int8", "i1"), ("Int16", "i2"), ("Int32", "i4"), ("Int64", "i8"), ("Uint64", "u8"),
          ("Float16", "f2"), ("BFloat16", "f4"), ("Float32", "f4"), ("Float64", "f8"))]
BY_NAME = {k.__name__: k for k in KINDS}
ORDER = {k: i for i, k in enumerate(KINDS)}
STORAGE = {"BFloat16": np.uint16, "Boolean": np.uint8}


def kind_of(x):
    return type(x) if isinstance(x, Numeric) else BY_NAME["Boolean" if isinstance(x, bool) else "Int32" if isinstance(x, int) else "Float32"]


def common(a, b):
    """Numbers of the text take the other side's kind, unless they are real and it is not."""
    ka, kb = kind_of(a), kind_of(b)
    for x, other in ((a, kb), (b, ka)):
        if not isinstance(x, Numeric) and (not isinstance(x, float) or other.dtype.kind == "f"):
            return other if other is not BY_NAME["Boolean"] else BY_NAME["Int32"]
    return ka if ORDER[ka] >= ORDER[kb] else kb


def binary(name, f, truth=False):
    def one(a, b):
        k = common(a, b)
        with np.errstate(all="ignore"):
            r = f(k(a).data, k(b).data)
        return make(np.asarray(r), BY_NAME["Boolean"]) if truth or r.dtype == bool else k(r)
    setattr(Numeric, "__%s__" % name, one)
    setattr(Numeric, "__r%s__" % name, lambda a, b: one(b, a))


for name, f in dict(add=np.add, sub=np.subtract, mul=np.multiply, truediv=np.divide, floordiv=np.floor_divide, mod=np.mod,
                    lshift=np.left_shift, rshift=np.right_shift, xor=np.bitwise_xor).items():
    binary(name, f)
binary("and", np.bitwise_and)
binary("or", np.bitwise_or)
for name, f in dict(lt=np.less, le=np.less_equal, gt=np.greater, ge=np.greater_equal, eq=np.equal, ne=np.not_equal).items():
    binary(name, f, True)
Numeric.__neg__ = lambda a: make(-a.data, type(a))
Numeric.__invert__ = lambda a: make(~a.data, type(a))
Numeric.__hash__ = None


class Pointer:
    """An array of one kind, or shared memory; `at` is where it begins, a number a thread."""

    def __init__(self, array, kind, at=0):
        self.array, self.kind, self.at = array, kind, at

    def __add__(self, i):
        return Pointer(self.array, self.kind, self.at + (i.data if isinstance(i, Numeric) else i))

    def places(self, i):
        at = np.broadcast_to(np.asarray(self.at + (i.data if isinstance(i, Numeric) else i)), (current.threads,))
        return at

    def __getitem__(self, i):
        at = self.places(i)
        assert (at >= 0).all() and (at < len(self.array)).all(), "a read outside its buffer"
        raw = self.array[at]
        return make((raw.astype(np.uint32) << 16).view(np.float32), self.kind) if self.kind.__name__ == "BFloat16" else self.kind(raw)

    def put(self, i, v, ok):
        at, ok = self.places(i), np.broadcast_to(np.asarray(ok.data if isinstance(ok, Numeric) else ok), (current.threads,))
        v = np.broadcast_to(self.kind(v).data, (current.threads,))
        if self.kind.__name__ == "BFloat16":
            v = (np.ascontiguousarray(v).view(np.uint32) >> 16).astype(np.uint16)
        assert (at[ok] >= 0).all() and (at[ok] < len(self.array)).all(), "a write outside its buffer"
        self.array[at[ok]] = v[ok]


def select(c, a, b):
    return make(np.where(c.data, a.data, b.data), type(a))


def math(f):
    return lambda x: make(np.asarray(f(x.data)).astype(x.dtype), type(x))


def install():
    cutlass, cute = types.ModuleType("cutlass"), types.ModuleType("cutlass.cute")
    for k in KINDS:
        setattr(cutlass, k.__name__, k)
    cute.jit = cute.kernel = lambda f: f
    cute.Pointer, cute.Tensor = Pointer, Pointer
    cute.make_tensor, cute.make_layout = lambda p, layout: p, lambda n: n
    cute.math = types.SimpleNamespace(exp2=math(np.exp2), sqrt=math(np.sqrt), floor=math(np.floor), ceil=math(np.ceil), absf=math(np.abs),
                                      fma=lambda a, b, c: type(a)(a.data.astype("f8") * b.data + c.data))
    i32 = BY_NAME["Int32"]
    cute.arch = types.SimpleNamespace(
        thread_idx=lambda: (i32(np.arange(current.threads)),), block_idx=lambda: (i32(current.block),), sync_threads=lambda: None,
        alloc_smem=lambda kind, n: Pointer(np.full(n, np.nan, dtype=np.float32), kind),
        shuffle_sync_bfly=lambda x, offset: make(np.broadcast_to(x.data, (current.threads,))[np.arange(current.threads) ^ offset], type(x)))
    cutlass.cute = cute
    dsl, inner = types.ModuleType("cutlass.cutlass_dsl"), types.ModuleType("cutlass.cutlass_dsl.cutlass")
    dsl.select_ = inner.select_ = select
    for m in (cutlass, cute, dsl, inner):
        sys.modules[m.__name__] = m


def pointer(raw, dtype):
    kind = BY_NAME[{"f32": "Float32", "f16": "Float16", "bf16": "BFloat16", "i64": "Int64", "i32": "Int32", "i16": "Int16", "i8": "Int8",
                    "u8": "Uint8", "bool": "Uint8"}[dtype]]
    return Pointer(raw.view(STORAGE.get(kind.__name__, kind.dtype)), kind)


def run(function, module, arguments, threads, sizes, blocks):
    """arguments: Pointers and numbers."""
    current.threads = threads
    module.km_put = lambda p, i, v, ok: p.put(i, v, ok)
    for current.block in range(blocks):
        module.tl.begin(threads, sizes)
        function(*[module.Pointer(a) if isinstance(a, Pointer) else module.tile(BY_NAME["Int64"](a)) for a in arguments])
