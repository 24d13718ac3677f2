# Tiles for CuTe's Python: what printed Triton says of tiles, said of the points each thread holds.
# The kernels are Triton's text; here is what its words mean while CuTe traces them.  Of the two
# indices a kernel may have the last lies across neighbouring threads, the other across groups of
# them; a thread's own points are unrolled.
import itertools
import cutlass
import cutlass.cute as cute
from cutlass.cutlass_dsl.cutlass import select_


def km_select(c, a, b):
    if isinstance(c, bool):
        return a if c else b
    types = [type(x) for x in (a, b) if not isinstance(x, (bool, int, float))]
    kind = types[0] if types else cutlass.Float32 if float in (type(a), type(b)) else cutlass.Int32
    return kind(select_(c, kind(a), kind(b)))


@cute.jit
def km_put(at: cute.Pointer, i: cutlass.Int64, v, ok):
    if ok:
        cute.make_tensor(at + i, cute.make_layout(1))[0] = v


class Axis:
    """Points of an index: `threads` neighbours of `stride` threads hold a point each, `count` times."""

    def __init__(self, size, threads, stride, tid):
        self.size, self.threads, self.stride, self.count = size, threads, stride, -(-size // threads)
        place = tid // stride % threads
        self.point = [place + k * threads for k in range(self.count)]


class Tile:
    """Values over axes, None where there is one value for all; of no axes: a number."""

    def __init__(self, dims, values):
        self.dims, self.values = tuple(dims), values

    def counts(self):
        return [d.count if d else 1 for d in self.dims]

    def at(self, dims, place):
        if not self.dims:
            return self.values[0]
        i = 0
        for d, p in zip(self.dims, place):
            i = i * (d.count if d else 1) + (p if d else 0)
        return self.values[i]

    def __getitem__(self, key):
        key, own = key if isinstance(key, tuple) else (key,), iter(self.dims)
        return Tile([None if k is None else next(own) for k in key], self.values)

    def to(self, kind, bitcast=False):
        return each(lambda x: x.bitcast(kind) if bitcast else kind(x), self)


def tile(x):
    return x if isinstance(x, Tile) else Tile((), [x])


def each(f, *operands):
    operands = [tile(x) for x in operands]
    dims = []
    for x in operands:
        dims = [a or b for a, b in itertools.zip_longest(dims, x.dims)] if x.dims else dims
    places = itertools.product(*[range(d.count if d else 1) for d in dims])
    return Tile(dims, [f(*[x.at(dims, p) for x in operands]) for p in places])


def operator(name, f):
    setattr(Tile, "__%s__" % name, lambda a, b: each(f, a, b))
    setattr(Tile, "__r%s__" % name, lambda a, b: each(f, b, a))


for name, f in dict(add=lambda a, b: a + b, sub=lambda a, b: a - b, mul=lambda a, b: a * b, truediv=lambda a, b: a / b,
                    floordiv=lambda a, b: a // b, mod=lambda a, b: a % b, lshift=lambda a, b: a << b, rshift=lambda a, b: a >> b,
                    xor=lambda a, b: a ^ b).items():
    operator(name, f)
operator("and", lambda a, b: a & b)
operator("or", lambda a, b: a | b)
for name, f in dict(lt=lambda a, b: a < b, le=lambda a, b: a <= b, gt=lambda a, b: a > b, ge=lambda a, b: a >= b,
                    eq=lambda a, b: a == b, ne=lambda a, b: a != b).items():
    setattr(Tile, "__%s__" % name, lambda a, b, f=f: each(f, a, b))
Tile.__neg__ = lambda a: each(lambda x: -x, a)
Tile.__invert__ = lambda a: each(lambda x: ~x, a)


class Pointer:
    def __init__(self, at, index=None):
        self.at, self.index = at, index

    def __add__(self, index):
        return Pointer(self.at, tile(index))


class triton:
    @staticmethod
    def jit(f):
        return f


class tl:
    float64, float32, float16, bfloat16 = cutlass.Float64, cutlass.Float32, cutlass.Float16, cutlass.BFloat16
    int64, int32, int16, int8, uint64, uint8 = cutlass.Int64, cutlass.Int32, cutlass.Int16, cutlass.Int8, cutlass.Uint64, cutlass.Uint8
    constexpr = None

    class PropagateNan:
        ALL = True

    @staticmethod
    def begin(threads, sizes):
        """Before a kernel: sizes of its indices."""
        tl.tid, tl.threads = cutlass.Int32(cute.arch.thread_idx()[0]), threads
        across = min(sizes[-1], threads) if sizes else 1
        # Groups of threads without a row of their own hold another's, and store the same.
        tl.axes = [Axis(n, across, 1, tl.tid) if i + 1 == len(sizes) else Axis(n, min(threads // across, n), across, tl.tid) for i, n in enumerate(sizes)]
        tl.next = iter(tl.axes)
        tl.red = cute.arch.alloc_smem(cutlass.Float32, max(threads // 32, 1)) if across > 32 else None

    @staticmethod
    def program_id(axis):
        return tile(cutlass.Int32(cute.arch.block_idx()[0]))

    @staticmethod
    def arange(first, size):
        axis = next(tl.next)
        return Tile([axis], axis.point)

    @staticmethod
    def full(shape, value, kind):
        return tl.broadcast_to(tl.cast(value, kind), shape)

    @staticmethod
    def broadcast_to(x, shape):
        if len(shape) < 2 or len(shape) != len(tl.axes):
            return x
        return each(lambda a, b: a, x, Tile(tl.axes, [0] * (tl.axes[0].count * tl.axes[1].count)))

    @staticmethod
    def cast(x, kind):
        return tile(x).to(kind)

    @staticmethod
    def where(c, a, b):
        return each(km_select, c, a, b)

    @staticmethod
    def maximum(a, b, propagate_nan=False):
        return each(lambda a, b: km_select((a > b) | (a != a), a, b), a, b)

    @staticmethod
    def minimum(a, b, propagate_nan=False):
        return each(lambda a, b: km_select((a < b) | (a != a), a, b), a, b)

    @staticmethod
    def fma(a, b, c):
        def one(*x):
            kind = cutlass.Float64 if cutlass.Float64 in map(type, x) else cutlass.Float32
            return cute.math.fma(*[kind(v) for v in x])
        return each(one, a, b, c)

    @staticmethod
    def load(pointer, mask=None, other=0):
        def one(i, ok=None):
            i = cutlass.Int64(i)
            if ok is None:
                return cute.make_tensor(pointer.at + i, cute.make_layout(1))[0]
            # What does not count is read at the buffer's begin.
            v = cute.make_tensor(pointer.at + km_select(ok, i, cutlass.Int64(0)), cute.make_layout(1))[0]
            return km_select(ok, v, other)
        index = pointer.index if pointer.index is not None else tile(0)
        return each(one, index) if mask is None else each(one, index, mask)

    @staticmethod
    def store(pointer, value, mask=None):
        each(lambda i, v, ok: km_put(pointer.at, cutlass.Int64(i), v, cutlass.Boolean(ok)) or 0, pointer.index if pointer.index is not None else 0, value,
             True if mask is None else mask)

    @staticmethod
    def expand_dims(x, at):
        return Tile(x.dims[:at] + (None,) + x.dims[at:], x.values)

    @staticmethod
    def permute(x, *order):
        dims = [x.dims[o] for o in order]
        places = itertools.product(*[range(d.count if d else 1) for d in dims])
        return Tile(dims, [x.at(dims, [p[order.index(i)] for i in range(len(order))]) for p in places])

    @staticmethod
    def reduce(x, at, f):
        axis, rest = x.dims[at], x.dims[:at] + x.dims[at + 1:]
        if axis is None or axis.stride != 1:
            raise NotImplementedError("a reduction across groups of threads")
        values = []
        for p in itertools.product(*[range(d.count if d else 1) for d in rest]):
            total = None
            for k in range(axis.count):
                v = tile(x.at(x.dims, p[:at] + (k,) + p[at:]))
                total = v if total is None else f(v, total)
            values.append(across(total, axis.threads, f).values[0])
        return Tile(rest, values)


def across(x, threads, f):
    """The total of neighbouring threads, for each of them."""
    offset = 1
    while offset < min(threads, 32):
        x = f(tile(cute.arch.shuffle_sync_bfly(x.values[0], offset)), x)
        offset *= 2
    if threads <= 32:
        return x
    warps = threads // 32
    red = cute.make_tensor(tl.red, cute.make_layout(max(tl.threads // 32, 1)))
    cute.arch.sync_threads()
    km_put(tl.red, cutlass.Int64(tl.tid // 32), x.values[0], tl.tid % 32 == 0)
    cute.arch.sync_threads()
    first = tl.tid // threads * warps
    x = tile(red[first])
    for w in range(1, warps):
        x = f(tile(red[first + w]), x)
    return x


tl.div_rn = staticmethod(lambda a, b: a / b)
for name, f in dict(abs=cute.math.absf, floor=cute.math.floor, ceil=cute.math.ceil, exp2=cute.math.exp2, sqrt_rn=cute.math.sqrt).items():
    setattr(tl, name, staticmethod(lambda x, f=f: each(lambda v: f(v), x)))
