#!/usr/bin/python3
"""Compares operators' references with PyTorch, in double, over the cases that
tests/unit/ops/dump wrote.  Speaks TAP.

    torch_compare.py FOLDER      exit 0 when all agree, 77 without PyTorch
"""
import json
import math
import os
import sys

try:
    import numpy as np
    import torch

    import distributions
except ImportError as e:
    print(f"no PyTorch: {e}", file=sys.stderr)
    sys.exit(77)

STORAGE = {"f64": "f8", "f32": "f4", "f16": "f2", "bf16": "u2", "i64": "i8", "i32": "i4", "i16": "i2", "i8": "i1",
           "u8": "u1", "bool": "u1", "f8e4m3": "u1", "f8e5m2": "u1"}
REAL = ("f64", "f32", "f16", "bf16", "f8e4m3", "f8e5m2")


def e4m3(byte):
    """The value of an fp8 e4m3 byte (OCP 8-bit floating point): no infinity, one NaN a sign."""
    exponent, fraction = byte >> 3 & 15, byte & 7
    if exponent == 15 and fraction == 7:
        return float("nan")
    value = (8 + fraction) * 2.0 ** (exponent - 10) if exponent else fraction * 2.0 ** -9
    return -value if byte >> 7 else value


def load(folder, tensor):
    """The array, reals as float64 (exactly), integers as int64."""
    dtype = tensor["dtype"]
    raw = np.fromfile(os.path.join(folder, tensor["file"]), dtype="<" + STORAGE[dtype]).reshape(tensor["shape"])
    if dtype == "bf16":
        raw = (raw.reshape(-1).astype("<u4") << 16).view("<f4").reshape(tensor["shape"])
    if dtype == "f8e5m2":
        raw = (raw.astype("<u2") << 8).view("<f2")
    if dtype == "f8e4m3":
        raw = np.array([e4m3(b) for b in range(256)])[raw]
    if dtype == "bool":
        return raw.astype(bool)
    return raw.astype("f8" if dtype in REAL else "i8")


def differences(want, got):
    """How many elements differ, and the first."""
    if got.shape != want.shape:
        return want.size, f"shape {got.shape}, not {want.shape}"
    finite = want[np.isfinite(want)]
    scale = np.abs(finite).max() if finite.size else 0.0
    with np.errstate(invalid="ignore"):
        same = (got == want) | (np.isnan(got) & np.isnan(want)) | (np.abs(got - want) <= 1e-10 * np.abs(want) + 1e-13 * scale)
    if same.all():
        return 0, ""
    at = tuple(int(i) for i in np.argwhere(~same)[0])
    return int((~same).sum()), f"at {at}: PyTorch has {got[at]!r}, the reference {want[at]!r}"


def judge(folder, case):
    names = {"torch": torch, "math": math, **vars(distributions), **case["dims"]}
    for name, value in case["attributes"].items():
        names[name] = int(value) if float(value).is_integer() else value
    outputs = []
    for tensor in case["tensors"]:
        data = load(folder, tensor)
        if tensor["role"] == "in":
            names[tensor["name"]] = torch.from_numpy(data.copy())
        else:
            outputs.append(data)
    if not case["torch"]:
        return "no PyTorch expression"
    got = eval(case["torch"], names)
    got = list(got) if isinstance(got, (tuple, list)) else [got]
    if len(got) != len(outputs):
        return f"{len(got)} outputs, not {len(outputs)}"
    for want, one in zip(outputs, got):
        count, first = differences(want.astype("f8"), one.detach().numpy().astype("f8"))
        if count:
            return f"{count} elements differ, {first}"
    return ""


def main(folder):
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)  # what integers turn into where a function is real
    cases = [json.loads(line) for line in open(os.path.join(folder, "manifest.jsonl"))]
    failed = 0
    for i, case in enumerate(cases, 1):
        try:
            fault = judge(folder, case)
        except Exception as e:  # a wrong expression is a failed test, not the end of the run
            fault = f"{type(e).__name__}: {e}"
        title = case["problem"] + (", special values" if case["special"] else "")
        print(("not ok" if fault else "ok"), i, "-", title, "agrees with PyTorch")
        if fault:
            failed += 1
            print("#  ", fault.replace("\n", " "))
    print(f"1..{len(cases)}")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
