"""Prints, from journals below a folder, how many candidates a device judged and how long it waited for them.

A candidate holds the device while it is checked, from start_ns for check_s, and its group while it is raced and
looked at again: from start_ns + the fact raced_after_s, measure_s for each.  The campaign lasts from the first
journal's environment to the last race's end.  The device is idle where no candidate holds it; before the first
is compiled none waits for it, so that is no idleness of the device.
"""
import json
import os
import sys


def records(path):
    with open(path, errors='replace') as journal:
        for line in journal:
            if '{' in line:
                yield json.loads(line[line.index('{'):])


def work(path):
    """Spans [s] in which a journal's candidates held the device, its first moment, and its trials that were judged."""
    spans, races, first, judged = [], {}, None, 0
    for r in records(path):
        if r['kind'] == 'environment':
            first = int(r['start_ns']) * 1e-9
        if r['kind'] != 'evaluation' or r['state'] != 'measured' or r['verdict'] == 'NOT_MEASURED':
            continue
        judged += 1
        start = int(r['start_ns']) * 1e-9
        spans.append((start, start + float(r['check_s'] or 0)))
        if 'raced_after_s' in r['fact']:
            raced = start + float(r['fact']['raced_after_s'])
            raced = next((t for t in races if abs(t - raced) < 0.01), raced)
            races[raced] = races.get(raced, 0) + float(r['measure_s'] or 0)
    return spans + [(t, t + long) for t, long in races.items()], first, judged


def main(folder):
    spans, starts, judged = [], [], 0
    for where, _, files in os.walk(folder):
        if 'journal' in files:
            some, first, count = work(os.path.join(where, 'journal'))
            spans += some
            starts += [first] if first and some else []
            judged += count
    if not spans:
        print('nothing was judged below %s' % folder)
        return 1
    held, until, begin = 0, 0, min(spans)[0]
    for start, end in sorted(spans):
        held += max(0, end - max(start, until))
        until = max(until, end)
    wall = until - min(starts)
    print('rate\t%.0f\tcandidates judged an hour: %d in %.1f s' % (3600 * judged / wall, judged, wall))
    print('idle\t%.3f\tshare of the %.1f s since the first candidate was there in which the device had none at work' % (1 - held / (until - begin), until - begin))
    return 0


sys.exit(main(sys.argv[1]))
