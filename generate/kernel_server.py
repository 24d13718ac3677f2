# The compiler of printed Triton and CuTe (`language` says which), for evaluate/resident.h: answers a line of JSON for a line,
#   {"source": text, "march": "sm_90a", "seconds": limit}  ->  {"artifact": base64 of the cubin} or {"log": why not}
# after a first line {"version": ...}, or {"missing": why}.  No device, no driver, no cache of its own.
#
# Every source is compiled by a child forked from here, where all is loaded already: what a
# source does, crashes included, ends with it.  A source has a line before each kernel,
#   #: symbol warps size,size type:divisor type:divisor ...     "*float32:16" a pointer, "int64:1" a number
# All kernels of a source come together as one cubin; a variable <symbol>_shared in it tells
# the launcher how many bytes of dynamic shared memory that kernel wants.
import base64, ctypes, json, os, re, resource, select, shutil, signal, subprocess, sys, tempfile, time

sys.path[:] = [p for p in sys.path if p]  # no module of the working folder
libc = ctypes.CDLL(None)

replies = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # what a source prints is no reply


def reply(**words):
    replies.write(json.dumps(words) + "\n")
    replies.flush()


def ptxas_of(arch):
    """The newest assembler that Triton brought: CuTe's PTX is newer than Triton's."""
    folder = os.path.join(os.path.dirname(importlib.util.find_spec("triton").origin), "backends", "nvidia", "bin")
    return os.path.join(folder, "ptxas-blackwell" if arch >= 100 or language == "cute" else "ptxas")


try:
    os.environ["TRITON_DISABLE_LINE_INFO"] = "1"
    os.environ["TRITON_CACHE_DIR"] = os.devnull
    import importlib.util
    if language == "triton":
        import triton
        from triton._C.libtriton import ir
        from triton.backends.compiler import GPUTarget
        from triton.compiler import ASTSource
        from triton.compiler.compiler import make_backend
    else:
        import cutlass
        import cutlass.cute as cute
        from cutlass.cute.runtime import make_ptr
    ptxas_of(90)
except Exception as e:
    reply(missing="no %s in '%s': %s" % ({"triton": "Triton", "cute": "CuTe"}[language], sys.executable, e))
    sys.exit(1)

SHORT = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float64": "fp64", "int64": "i64", "int32": "i32",
         "int16": "i16", "int8": "i8", "uint8": "u8"}


def kernels_of(text):
    for line in re.findall(r"^#: (.*)$", text, re.M):
        symbol, warps, sizes, *parameters = line.split()
        yield symbol, int(warps), [int(n) for n in sizes.split(",") if n != "-"], [p.split(":") for p in parameters]


def triton_ptx(function, arch, warps, parameters):
    """Triton's own stages up to PTX, and the bytes of shared memory it wants at launch."""
    target = GPUTarget("cuda", arch, 32)
    names = function.arg_names
    signature = {n: ("*" if t[0] == "*" else "") + SHORT[t.lstrip("*")] for n, (t, _) in zip(names, parameters)}
    attributes = {(i,): [["tt.divisibility", int(d) & -int(d)]] for i, (_, d) in enumerate(parameters) if int(d) % 2 == 0}
    source = ASTSource(function, signature, {}, attributes)
    backend = make_backend(target)
    options = backend.parse_options({"num_warps": warps, "num_stages": 1, **source.parse_options()})
    stages, metadata, context = {}, {"target": target, **options.__dict__}, ir.context()
    backend.add_stages(stages, options, source.language)
    ir.load_dialects(context)
    backend.load_dialects(context)
    module = source.make_ir(target, options, backend.get_codegen_implementation(options), backend.get_module_map(), context)
    for name, stage in stages.items():
        if name == "cubin":
            break
        module = stage(module, metadata)
    return module, metadata["shared"]


LAUNCHER = """
import cutlass, cutlass.cute as cute

def launcher(function, tl, tile, Pointer, threads, sizes):
    @cute.kernel
    def {symbol}({declared}):
        tl.begin(threads, sizes)
        function({given})

    @cute.jit
    def launch({declared}):
        {symbol}({names}).launch(grid=[1, 1, 1], block=[threads, 1, 1])
    return launch
"""


def load(name, path, text):
    with open(path, "w") as f:
        f.write(text)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cute_ptx(module, march, symbol, warps, sizes, parameters, folder):
    """PTX of what CuTe traces, launched by a host that is thrown away."""
    names = ["a%d" % i for i in range(len(parameters))]
    is_pointer = [t[0] == "*" for t, _ in parameters]
    declared = ", ".join("%s: %s" % (n, "cute.Pointer" if p else "cutlass.Int64") for n, p in zip(names, is_pointer))
    given = ", ".join(("Pointer(%s)" if p else "tile(%s)") % n for n, p in zip(names, is_pointer))
    text = LAUNCHER.format(symbol=symbol, declared=declared, given=given, names=", ".join(names))
    launch = load("launch", folder + "/launch.py", text).launcher(getattr(module, symbol), module.tl, module.tile, module.Pointer, 32 * warps, sizes)
    arguments = [make_ptr(getattr(module.tl, t[1:]), 16, cute.AddressSpace.gmem, assumed_align=16) if p else cutlass.Int64(1)
                 for (t, _), p in zip(parameters, is_pointer)]
    ptx = cute.compile[cute.KeepPTX, cute.GPUArch(march)](launch, *arguments).__ptx__
    return ptx.replace(re.search(r"\.entry (\w+)\(", ptx).group(1), symbol), 0


def together(texts):
    """One PTX module of several: one head, one declaration of the dynamic shared memory."""
    head, body, seen = None, [], set()
    for text in texts:
        lines = text.splitlines()
        end = next(i for i, line in enumerate(lines) if line.startswith(".address_size")) + 1
        head = head or lines[:end]
        for line in lines[end:]:
            if line.startswith(".extern"):
                if line in seen:
                    continue
                seen.add(line)
            body.append(line)
    return "\n".join(head + body)


def compile_source(request, folder):
    path, arch = folder + "/unit.py", int(re.match(r"sm_(\d+)", request["march"]).group(1))
    os.chdir(folder)
    module = load("unit", path, request["source"])
    texts, sizes = [], []
    for symbol, warps, extents, parameters in kernels_of(request["source"]):
        text, shared = (triton_ptx(getattr(module, symbol), arch, warps, parameters) if language == "triton" else
                        cute_ptx(module, request["march"], symbol, warps, extents, parameters, folder))
        texts.append(text)
        sizes.append("\n.visible .global .align 4 .u32 %s_shared = %d;" % (symbol, shared))
    with open(path + ".ptx", "w") as f:
        f.write(together(texts) + "".join(sizes) + "\n")
    made = subprocess.run([ptxas_of(arch), "-arch=" + request["march"], "-o", path + ".cubin", path + ".ptx"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        raise RuntimeError("ptxas: " + made.stdout)
    with open(path + ".cubin", "rb") as f:
        return base64.b64encode(f.read()).decode()


def child(request, folder, to):
    libc.prctl(1, signal.SIGKILL)  # dies with the server
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = {"artifact": compile_source(request, folder)}
    except BaseException as e:
        answer = {"log": ("%s: %s" % (type(e).__name__, e))[-8000:]}
    with os.fdopen(to, "w") as f:
        f.write(json.dumps(answer))
    os._exit(0)


def serve(request):
    folder = tempfile.mkdtemp(prefix="km-triton.")
    try:
        return answer_of(request, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answer_of(request, folder):
    source, to = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(source)
        child(request, folder, to)
    os.close(to)
    text, end = b"", time.monotonic() + request["seconds"]
    while True:
        ready = select.select([source], [], [], max(0, end - time.monotonic()))[0]
        part = os.read(source, 65536) if ready else b""
        text += part
        if not part:
            break
    os.close(source)
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    status = os.waitpid(pid, 0)[1]
    if not ready:
        return {"log": "the compiler was stopped after %g s" % request["seconds"]}
    try:
        return json.loads(text)
    except ValueError:
        return {"log": "the compiler died: " + ("signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "exit %d" % os.WEXITSTATUS(status))}


def version():
    words = subprocess.run([ptxas_of(90), "--version"], capture_output=True, text=True).stdout.split()
    return "%s %s, ptxas %s" % (language, triton.__version__ if language == "triton" else cutlass.__version__, words[-1] if words else "?")


reply(version=version())
for line in sys.stdin:
    reply(**serve(json.loads(line)))
