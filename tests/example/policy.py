#!/usr/bin/python3
"""A search policy of twenty lines: a neighbour of one of the best trials, or a random point (generate/ask.h tells the rest)."""
import json, random, sys

rows = [json.loads(line) for line in sys.stdin]
spaces = [r for r in rows if r["kind"] == "space"]
passed = sorted((r for r in rows if r["kind"] == "trial" and r["verdict"] == "PASSED"), key=lambda r: -r["fitness"])
ask = rows[-1]
draw = random.Random(ask["seed"])
for i in range(4 * ask["want"]):  # more than wanted: those that are illegal or known are dropped
    space, answer = draw.choice(spaces), {}
    knobs = {k["name"]: draw.choice(k["values"]) for k in space["knobs"]}
    if passed and i % 4:
        parent = passed[min(i % 3, len(passed) - 1)]
        known = dict(word.split("=") for word in parent["knobs"].split())
        changed = draw.choice(sorted(known))
        known[changed] = knobs.get(changed, known[changed]) if known["skeleton"] == space["skeleton"] else known[changed]
        knobs, answer = known, {"parent": parent["id"], "edge": "neighbour"}
    print(json.dumps({"knobs": knobs, **answer}))
