"""A life of judge.h for a kernel in Python: a KernelBench ModelNew on the CPU.

Started in the sandbox: requests come on descriptor 0, replies go to 1; 3 is the
inputs' memory, 4 the outputs', 5 the description below as JSON, 6 the control memory.  It
loads the file, says so, waits for a byte, makes the calls that the control memory lists, says
how long it thinks they took, and is killed.

    {"threads": 1, "sets": 12, "weights": [],
     "tensors": [{"name": "x", "is_input": true, "dtype": "f32", "shape": [4, 8], "place": 64, "stride": 4096, "bytes": 128}],
     "attrs": [["eps", 1e-5]]}

Nothing it says is believed but by the outputs' memory and the clock of another process.
"""
import ctypes
import importlib.machinery
import importlib.util
import inspect
import json
import mmap
import os
import struct
import sys
import time
import warnings

REFUSED, HELLO, DONE = 0, 1, 2
# Before anything of the candidate's runs: what it says on stdout must not reach the replies.
REPLIES = os.dup(1)
os.dup2(2, 1)


def reply(word, ns, text):
    os.write(REPLIES, struct.pack("=i4xq16x480s", word, ns, text.encode("utf-8", "replace")[:479]))


def stay_one(digits):
    """No other process from now on; what starts here for Python is a thread."""
    code = ctypes.create_string_buffer(bytes.fromhex(digits))
    program = struct.pack("=H6xQ", len(digits) // 16, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if not digits or libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(program)):
        reply(REFUSED, 0, "cannot keep it from starting processes")
        sys.exit(1)


def unforeseen(kind, value, trace):
    while trace and trace.tb_next:
        trace = trace.tb_next
    reply(REFUSED, 0, f"{kind.__name__}: {value} (line {trace.tb_lineno if trace else 0} of life.py)")


sys.excepthook = unforeseen
reply(HELLO, 0, "")
SPEC = json.loads(os.read(5, 1 << 20))
stay_one(SPEC["filter"])
try:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
except ImportError as e:
    reply(REFUSED, 0, f"no PyTorch here: {e}: run 'scripts/setup.sh check'")
    sys.exit(1)

DTYPES = {"f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64,
          "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "u8": torch.uint8, "bool": torch.bool}


class Life:
    def __init__(self, path):
        self.spec = SPEC
        self.inputs = mmap.mmap(3, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        self.outputs = mmap.mmap(4, 0, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self.control = mmap.mmap(6, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        self.watch_inputs()
        torch.set_num_threads(self.spec["threads"])
        self.views = [self.views_of(t) for t in self.spec["tensors"]]
        self.model, self.arguments, self.weights, self.scalars = self.load(path)

    def watch_inputs(self):
        """A write into the inputs ends the process as it does in km-worker."""
        view = torch.frombuffer(self.inputs, dtype=torch.uint8)
        base, size = view.data_ptr(), len(self.inputs)
        handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

        def on_fault(number, info, context):
            at = ctypes.c_uint64.from_address(info + 16).value
            os._exit(77 if base <= at < base + size else 128 + number)

        class Action(ctypes.Structure):
            _fields_ = [("handler", handler), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int), ("restorer", ctypes.c_void_p)]

        self.action = Action(handler(on_fault), (ctypes.c_ulong * 16)(), 4, None)  # SA_SIGINFO
        ctypes.CDLL(None).sigaction(11, ctypes.byref(self.action), None)

    def views_of(self, tensor):
        """A tensor object of its own for each set, by its place."""
        memory = self.inputs if tensor["is_input"] else self.outputs
        count = 1
        for extent in tensor["shape"]:
            count *= extent
        views = {}
        for s in range(self.spec["sets"]):
            at = tensor["place"] + s * tensor["stride"]
            views[at] = torch.frombuffer(memory, dtype=DTYPES[tensor["dtype"]], count=count, offset=at).view(tensor["shape"])
        return views

    def load(self, path):
        spec = importlib.util.spec_from_loader("kernel", importlib.machinery.SourceFileLoader("kernel", path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        build = getattr(module, "ModelNew", None) or getattr(module, "Model", None)
        if build is None:
            raise LookupError("it has no class ModelNew")
        init = module.get_init_inputs() if hasattr(module, "get_init_inputs") else []
        model = build(*init).eval()
        taken = [p for p in inspect.signature(model.forward).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        inputs = [i for i, t in enumerate(self.spec["tensors"]) if t["is_input"]]
        held = list(model.named_parameters()) + [(n, b) for n, b in model.named_buffers() if b is not None and b.is_floating_point()]
        count = min(len(taken), len(inputs))
        # What forward() does not take and the module holds are weights.
        while count > 0 and len(inputs) - count < len(held) and count > len(inputs) - len(held):
            count -= 1
        weights = self.match(held, inputs[count:])
        scalars = [value for _, value in self.spec["attrs"]][: max(0, len([p for p in taken if p.default is p.empty]) - count)]
        return model, inputs[:count], weights, scalars

    def match(self, held, inputs):
        """Pairs (input, what the module holds), by name where --weights says so, else in order of equal sizes."""
        pairs, left = [], list(held)
        names = self.spec["weights"]
        for k, i in enumerate(inputs):
            tensor = self.spec["tensors"][i]
            elems = 1
            for extent in tensor["shape"]:
                elems *= extent
            wanted = [h for h in left if (h[0] == names[k] if k < len(names) else h[1].numel() == elems)]
            if not wanted:
                raise LookupError(f"nothing that the module holds fits input '{tensor['name']}': see --weights")
            left.remove(wanted[0])
            pairs.append((i, wanted[0][1]))
        return pairs

    def calls(self):
        return struct.unpack_from("=q", self.control, 0)[0]

    def place(self, call, tensor):
        return struct.unpack_from("=q", self.control, self.spec["places"] + 8 * (call * len(self.spec["tensors"]) + tensor))[0]

    def call(self, k):
        for i, held in self.weights:
            held.data = self.views[i][self.place(k, i)].view(held.shape)
        result = self.model(*[self.views[i][self.place(k, i)] for i in self.arguments], *self.scalars)
        results = result if isinstance(result, (tuple, list)) else [result]
        outputs = [i for i, t in enumerate(self.spec["tensors"]) if not t["is_input"]]
        if len(results) != len(outputs):
            raise TypeError(f"it returned {len(results)} tensors, not {len(outputs)}")
        for i, r in zip(outputs, results):
            out = self.views[i][self.place(k, i)]
            if type(r) is not torch.Tensor:
                raise TypeError(f"it returned a {type(r).__name__}, not a tensor")
            if r.numel() != out.numel() or [e for e in r.shape if e != 1] != [e for e in out.shape if e != 1]:
                raise TypeError(f"shape: it returned {list(r.shape)}, not {list(out.shape)}")
            if r.dtype != out.dtype:
                raise TypeError(f"dtype: it returned {r.dtype}, not {out.dtype}")
            out.copy_(r.view(out.shape) if r.is_contiguous() else r.reshape(out.shape))

    def run(self):
        # By the clock as the kernel left it: a claim, no more.
        start = time.perf_counter()
        with torch.no_grad():
            for k in range(self.calls()):
                self.call(k)
        return int((time.perf_counter() - start) * 1e9)

    def operations(self):
        """What of PyTorch it calls."""
        seen = []

        class Watch(TorchDispatchMode):
            def __torch_dispatch__(self, function, types, args=(), kwargs=None):
                name = str(function).split(".")[1] if "." in str(function) else str(function)
                if name not in seen and name not in ("view", "_unsafe_view", "copy_", "detach", "empty", "t", "alias"):
                    seen.append(name)
                return function(*args, **(kwargs or {}))

        with torch.no_grad(), Watch():
            self.call(0)
        return "calls PyTorch's " + " ".join(seen) if seen else "calls nothing of PyTorch's"


def main():
    warnings.simplefilter("ignore")
    try:
        life = Life(sys.argv[1])
    except BaseException as e:  # whatever a candidate raises, SystemExit too
        reply(REFUSED, 0, f"{type(e).__name__}: {e}")
        os._exit(1)
    reply(DONE, 0, "")
    if os.read(0, 1) != b"g":
        os._exit(1)
    try:
        strict = struct.unpack_from("=i", life.control, life.spec["strict"])[0]
        if strict:
            reply(DONE, 0, life.operations())
        else:
            reply(DONE, life.run(), "")
    except BaseException as e:
        reply(REFUSED, 0, f"{type(e).__name__}: {e}")
        os._exit(1)
    os.read(0, 1)  # until it is killed


main()
