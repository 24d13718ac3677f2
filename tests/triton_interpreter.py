"""Runs printed Triton in Triton's interpreter, on this processor, and has the project's own checker judge it;
printed CuTe by cute_host.py.

    triton_interpreter.py [--lang cute] [--each N] [--most N] [--patterns] [--dtypes f32,bf16] OPERATOR...    all operators when none is named; speaks TAP

Of every check problem (--dtypes: those of these; --most: the first N of each) --each random candidates
of each skeleton are run, on inputs whose surroundings are NaN, into outputs that are poisoned and guarded.
--patterns: of operators over one dimension N, of 8 and 16 bits, every pattern as an input instead.
Exit 0 when all agree, 77 without Triton.
"""
import argparse
import ctypes
import importlib.util
import json
import math
import os
import re
import sys
import tempfile

os.environ["TRITON_INTERPRET"] = "1"
try:
    import numpy as np
    import triton
    import triton.language as tl
    from triton.runtime import interpreter

    import cute_host
except ImportError as e:
    print(f"no Triton: {e}", file=sys.stderr)
    sys.exit(77)

BYTES = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "i16": 2, "i8": 1, "u8": 1, "bool": 1, "f8e4m3": 1, "f8e5m2": 1}
TYPE = {"f64": tl.float64, "f32": tl.float32, "f16": tl.float16, "bf16": tl.bfloat16, "i64": tl.int64, "i32": tl.int32, "i16": tl.int16, "i8": tl.int8,
        "u8": tl.uint8, "bool": tl.uint8, "f8e4m3": tl.uint8, "f8e5m2": tl.uint8}
GUARD = 4096
MOST_WORK = 1 << 22  # points of all instances: what is interpreted takes its time

library = ctypes.CDLL(os.path.join(os.environ["BUILD"], "lib", "libbridge.so"))
for name in ("bridge_operators", "bridge_problem", "bridge_checks", "bridge_candidates"):
    getattr(library, name).restype = ctypes.c_void_p


def ask(name, *words):
    text = getattr(library, name)(*[w.encode() if isinstance(w, str) else ctypes.c_int64(w) for w in words])
    value = json.loads(ctypes.string_at(text))
    library.bridge_free(ctypes.c_void_p(text))
    return value


# The interpreter cuts bits off where devices round f32 to bf16, and multiplies the bit patterns of bf16.
def widened(data):
    return (data.astype(np.uint32) << 16).view(np.float32)


def narrowed(data):
    bits = np.ascontiguousarray(data, dtype=np.float32).view(np.uint32)
    return np.where(np.isnan(data), 0x7FC0, (bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def cast(self, source, type, original=interpreter.InterpreterBuilder.cast_impl):
    pair = source.dtype.scalar, type.scalar
    if pair == (tl.bfloat16, tl.float32):
        return interpreter.TensorHandle(widened(source.data), tl.float32)
    if pair == (tl.float32, tl.bfloat16):
        return interpreter.TensorHandle(narrowed(source.data), tl.bfloat16)
    return original(self, source, type)


def dot(self, a, b, d, precision, imprecise, original=interpreter.InterpreterBuilder.create_dot):
    if a.dtype.scalar == tl.bfloat16:
        a, b = (interpreter.TensorHandle(widened(x.data), tl.float32) for x in (a, b))
    return original(self, a, b, d, precision, imprecise)


# Truths keep the type of what was compared there: spread over a tile they would turn to numbers.
def splat(self, type, source, original=interpreter.InterpreterBuilder.create_splat):
    if source.data.dtype == np.bool_:
        return interpreter.TensorHandle(np.full(type.shape, source.data.reshape(-1)[0]), tl.int1)
    return original(self, type, source)


class Library:
    """The compiler's library of devices, which the interpreter has not, by NumPy's functions of the same values."""

    def __getattr__(self, name):
        function = {"pow": np.power, "atan2": np.arctan2, "erf": np.vectorize(math.erf, otypes=[np.float64])}.get(name) or getattr(np, name)

        def call(*arguments):
            one = max(arguments, key=lambda a: a.handle.data.size)
            data = np.asarray(function(*[a.handle.data for a in arguments])).astype(one.handle.data.dtype)
            return tl.tensor(interpreter.TensorHandle(data, one.dtype.scalar), one.type)
        return call


# Every product is one of f32 there.
object.__setattr__(interpreter.interpreter_builder.options, "allowed_dot_input_precisions", ("ieee", "tf32x3", "bf16x6"))
interpreter.InterpreterBuilder.create_splat = splat
interpreter.InterpreterBuilder.cast_impl = cast
interpreter.InterpreterBuilder.create_dot = dot


class Memory:
    """An array between guards of 0xff: NaN to who reads them."""

    def __init__(self, bytes):
        self.bytes = bytes
        self.raw = np.full(bytes + 2 * GUARD, 0xFF, dtype=np.uint8)
        self.raw = self.raw if self.raw.ctypes.data % 16 == 0 else np.full(bytes + 2 * GUARD + 16, 0xFF, dtype=np.uint8)[16 - self.raw.ctypes.data % 16:]
        self.at = self.raw.ctypes.data + GUARD

    def is_kept(self):
        return bool((self.raw[:GUARD] == 0xFF).all() and (self.raw[GUARD + self.bytes:GUARD + self.bytes + GUARD] == 0xFF).all())


def scalar(value, type, dtype):
    return tl.tensor(interpreter.TensorHandle(np.array([value], dtype=dtype), type), type)


def run(candidate, memory, folder):
    path = os.path.join(folder, "unit.py")
    with open(path, "w") as f:
        f.write(candidate["source"])
    spec = importlib.util.spec_from_file_location("unit", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    plan = candidate["plan"]
    if lang == "cute":
        run_cute(module, candidate, memory)
        return
    module.libdevice = Library()
    arguments = [scalar(memory[b["name"]].at, tl.pointer_type(TYPE[b["dtype"]]), np.uint64) for b in plan["buffers"]]
    arguments += [scalar(d, tl.int64, np.int64) for d in plan["dims"]]
    for step in plan["steps"]:
        function = getattr(module, step["symbol"])
        scope = interpreter._patch_lang(function.fn)
        body = function.rewrite() if hasattr(function, "rewrite") else function.fn
        try:
            interpreter.interpreter_builder.set_grid_dim(step["instances"], 1, 1)
            for i in range(step["instances"]):
                interpreter.interpreter_builder.set_grid_idx(i, 0, 0)
                body(*arguments)
        finally:
            scope.restore()


def run_cute(module, candidate, memory):
    plan = candidate["plan"]
    arguments = [cute_host.pointer(memory[b["name"]].raw[GUARD:GUARD + memory[b["name"]].bytes], b["dtype"]) for b in plan["buffers"]] + plan["dims"]
    for step in plan["steps"]:
        warps, sizes = re.search(r"^#: %s (\d+) (\S+)" % step["symbol"], candidate["source"], re.M).groups()
        cute_host.run(getattr(module, step["symbol"]), module, arguments, 32 * int(warps), [int(n) for n in sizes.split(",") if n != "-"], step["instances"])


def judge(problem, candidate, tensors, distribution, seed, folder):
    memory = {b["name"]: Memory(b["elems"] * BYTES[b["dtype"]]) for b in candidate["plan"]["buffers"]}
    for t, tensor in enumerate(tensors):
        if tensor["role"] == "in":
            if distribution == "patterns":
                m = memory[tensor["name"]]
                m.raw[GUARD:GUARD + m.bytes] = np.arange(m.bytes // BYTES[tensor["dtype"]]).astype(f"<u{BYTES[tensor['dtype']]}").view(np.uint8)
                continue
            library.bridge_fill(problem.encode(), t, distribution.encode(), ctypes.c_int64(seed), ctypes.c_void_p(memory[tensor["name"]].at))
    with np.errstate(all="ignore"):
        run(candidate, memory, folder)
    for name, m in memory.items():
        if not m.is_kept():
            return f"memory around '{name}' was written"
    why = ctypes.create_string_buffer(600)
    addresses = (ctypes.c_void_p * len(tensors))(*[memory[t["name"]].at for t in tensors])
    verdict = library.bridge_check(problem.encode(), addresses, why, ctypes.c_int64(len(why)))
    return "" if verdict == 0 else why.value.decode(errors="replace") or "differs"


def work(candidate):
    points = max(np.prod([int(n) for n in re.findall(r"tl.arange\(0, (\d+)\)", kernel)] or [1], dtype=np.int64)
                 for kernel in candidate["source"].split("#: ")[1:])
    return points * sum(s["instances"] for s in candidate["plan"]["steps"])


def main():
    global lang
    options = argparse.ArgumentParser()
    options.add_argument("--each", type=int, default=1)
    options.add_argument("--lang", default="triton")
    options.add_argument("--most", type=int, default=1000)
    options.add_argument("--patterns", action="store_true")
    options.add_argument("--dtypes", default=",".join(BYTES))
    options.add_argument("--target", default="nvidia-h200")
    options.add_argument("operators", nargs="*")
    options = options.parse_args()
    lang = options.lang
    if lang == "cute":
        cute_host.install()
    operators = options.operators or [o["name"] for o in ask("bridge_operators")]
    count = failed = 0
    served, refused = set(), {}
    with tempfile.TemporaryDirectory() as folder:
        for operator in operators:
            seen = {}
            for number, problem in enumerate(ask("bridge_checks", operator)):
                dtype = problem.split("/")[1]
                seen[dtype] = seen.get(dtype, 0) + 1
                if dtype not in options.dtypes.split(",") or seen[dtype] > options.most:
                    continue
                if options.patterns:
                    if seen[dtype] > 1 or BYTES[dtype] > 2:
                        continue
                    problem = f"{operator}/{dtype}/N={256 ** BYTES[dtype]}/t1"
                answer = ask("bridge_candidates", problem, options.target, lang, number + 1, 4 * options.each)
                if "bug" in answer:
                    count, failed = count + 1, failed + 1
                    print(f"not ok {count} - {problem}: {answer['bug']}")
                tensors = ask("bridge_problem", problem)["tensors"]
                if not answer["candidates"]:
                    refused[operator, dtype] = answer["why"]
                taken = {}
                for candidate in sorted(answer["candidates"], key=work):
                    skeleton = candidate["knobs"].split(" ")[0]
                    taken[skeleton] = taken.get(skeleton, 0) + 1
                    if taken[skeleton] > options.each or work(candidate) > MOST_WORK:
                        continue
                    served.add((operator, dtype))
                    try:
                        fault = judge(problem, candidate, tensors, "patterns" if options.patterns else ("normal", "wide")[number % 2], number, folder)
                    except Exception as e:
                        fault = f"{type(e).__name__}: {e}"
                    count += 1
                    print("not ok" if fault else "ok", count, "-", problem, candidate["knobs"], flush=True)
                    if fault:
                        failed += 1
                        print("#  ", fault.replace("\n", "\n#   ")[:1500])
    print(f"# {len(served)} of operator and dtype served: " + " ".join(f"{o}/{d}" for o, d in sorted(served)))
    for key, why in sorted(refused.items()):
        if key not in served and options.operators:
            print(f"# {key[0]}/{key[1]} is not: {why}")
    print(f"1..{count}")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
