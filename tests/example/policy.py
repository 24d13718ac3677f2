#!/usr/bin/python3
"""A search policy of twenty lines: what did well for relatives, then a neighbour of a good trial, or a random point (generate/ask.h)."""
import json, random, sys

rows = [json.loads(line) for line in sys.stdin]
ask, spaces = rows[-1], [r for r in rows if r["kind"] == "space"]
passed = sorted((r for r in rows if r["kind"] == "trial" and r["fitness"] > 0 and r["knobs"].startswith("skeleton=")), key=lambda r: -r["fitness"])
draw = random.Random(ask["seed"])
if not passed:
    for row in (r for r in rows if r["kind"] == "relative"):
        print(json.dumps({"knobs": row["knobs"], "edge": "relative"}))
for i in range(4 * ask["want"]):  # more than wanted: those that are illegal or known are dropped
    space, answer = draw.choice(spaces), {}
    knobs = {k["name"]: draw.choice(k["values"]) for k in space["knobs"]}
    if passed and i % 4:
        parent = passed[min(i % 3, len(passed) - 1)]
        answer, known = {"parent": parent["id"], "edge": "neighbour"}, dict(word.split("=") for word in parent["knobs"].split())
        if known["skeleton"] == space["skeleton"]:
            knobs = {**known, (changed := draw.choice(sorted(known))): knobs.get(changed, known[changed])}
    print(json.dumps({"knobs": knobs, **answer}))
