#!/usr/bin/python3
"""Reads every group, column and attribute of a trace file with h5py, as a user would.

    trace_h5py.py FILE      exit 0 when all is there, 1 with what is not
"""
import hashlib
import sys

import h5py
import numpy as np

GROUPS = "environments problems candidates knobs edges evaluations facts samples baselines duels winners stops judgements exchanges text".split()


def main(path):
    faults = []
    with h5py.File(path, "r") as f:
        for name in ("schema_name", "schema_version", "tool_version", "complete"):
            if name not in f.attrs:
                faults.append(f"no attribute {name}")
        if f.attrs.get("complete") != 1:
            faults.append("not complete")
        columns = 0
        for group in GROUPS:
            rows = f[group].attrs["row_count"]
            f[group].attrs["description"]
            for name, column in f[group].items():
                columns += 1
                data = column[...]
                want = f["text/offset"][-1] + f["text/length"][-1] if (group, name) == ("text", "bytes") and rows else rows
                if len(data) != want:
                    faults.append(f"{group}/{name}: {len(data)} rows, not {want}")
                for attr in ("units", "long_name"):
                    value = column.attrs[attr]
                    if not len(value):
                        faults.append(f"{group}/{name}: empty {attr}")
                if data.dtype.kind not in "fiuS":
                    faults.append(f"{group}/{name}: type {data.dtype}")
                if column.chunks is None or not column.shuffle or column.compression != "gzip" or not column.fletcher32:
                    faults.append(f"{group}/{name}: not chunked, shuffled, deflated and checksummed")
                to = column.attrs.get("refers_to")
                if to is not None and name.endswith("_row") or group != "text" and to in (b"/text", b"/problems"):
                    target = f[to.decode() if isinstance(to, bytes) else to]
                    if len(data) and not (-1 <= data.min() and data.max() < target.attrs["row_count"]):
                        faults.append(f"{group}/{name}: rows outside {to}")
        verdicts = h5py.check_enum_dtype(f["evaluations/verdict"].dtype)
        if not verdicts or "PASSED" not in verdicts:
            faults.append("evaluations/verdict is no enum of verdicts")
        text = f["text"]
        raw = text["bytes"][...].tobytes()
        words = [raw[o:o + n] for o, n in zip(text["offset"][...], text["length"][...])]
        for word, digest in zip(words, text["sha256"][...]):
            word.decode("utf-8")
            if hashlib.sha256(word).digest() != digest.tobytes():
                faults.append("a text does not have its hash")
        # What a user does first: the samples and the source of the fastest trial.
        times = f["evaluations/time_ns"][...]
        if np.isfinite(times).any():
            best = int(np.nanargmin(times))
            begin = f["evaluations/sample_ns_offset"][best]
            samples = f["samples/value"][begin:begin + f["evaluations/sample_ns_length"][best]]
            candidate = f["evaluations/candidate_row"][best]
            source = words[f["candidates/source"][candidate]].decode()
            if not len(samples) or not source:
                faults.append("the fastest trial has no samples or no source")
    for fault in faults:
        print(fault)
    print(f"{columns} columns in {len(GROUPS)} groups, {len(words)} texts")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
