# The compiler of printed Triton, for evaluate/resident.h: answers a line of JSON for a line,
#   {"source": text, "march": "sm_90a", "seconds": limit}  ->  {"artifact": base64 of the cubin} or {"log": why not}
# after a first line {"version": ...}, or {"missing": why}.  No device, no driver, no cache of its own.
#
# Every source is compiled by a child forked from here, where all is loaded already: what a
# source does, crashes included, ends with it.  A source has a line before each kernel,
#   #: symbol warps type:divisor type:divisor ...         "*float32:16" a pointer, "int64:1" a number
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


try:
    os.environ["TRITON_DISABLE_LINE_INFO"] = "1"
    os.environ["TRITON_CACHE_DIR"] = os.devnull
    import importlib.util
    import triton
    import triton.language as tl
    from triton._C.libtriton import ir
    from triton.backends.compiler import GPUTarget
    from triton.backends.nvidia.compiler import get_ptxas
    from triton.compiler import ASTSource
    from triton.compiler.compiler import make_backend
except Exception as e:
    reply(missing="no Triton in '%s': %s" % (sys.executable, e))
    sys.exit(1)

SHORT = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "float64": "fp64", "int64": "i64", "int32": "i32",
         "int16": "i16", "int8": "i8", "uint8": "u8"}


def kernels_of(text):
    for line in re.findall(r"^#: (.*)$", text, re.M):
        symbol, warps, *parameters = line.split()
        yield symbol, int(warps), [p.split(":") for p in parameters]


def ptx_of(function, target, warps, parameters):
    """Triton's own stages up to PTX, and the bytes of shared memory."""
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
    with open(path, "w") as f:
        f.write(request["source"])
    target = GPUTarget("cuda", arch, 32)
    spec = importlib.util.spec_from_file_location("unit", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    texts, sizes = [], []
    for symbol, warps, parameters in kernels_of(request["source"]):
        text, shared = ptx_of(getattr(module, symbol), target, warps, parameters)
        texts.append(text)
        sizes.append("\n.visible .global .align 4 .u32 %s_shared = %d;" % (symbol, shared))
    with open(path + ".ptx", "w") as f:
        f.write(together(texts) + "".join(sizes) + "\n")
    made = subprocess.run([get_ptxas(arch).path, "-arch=" + request["march"], "-o", path + ".cubin", path + ".ptx"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        raise RuntimeError("ptxas: " + made.stdout)
    with open(path + ".cubin", "rb") as f:
        return base64.b64encode(f.read()).decode()


def child(request, folder, to):
    libc.prctl(1, signal.SIGKILL)  # dies with the server
    os.setsid()
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
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
    words = subprocess.run([get_ptxas(90).path, "--version"], capture_output=True, text=True).stdout.split()
    return "triton %s, ptxas %s" % (triton.__version__, words[-1] if words else "?")


reply(version=version())
for line in sys.stdin:
    reply(**serve(json.loads(line)))
