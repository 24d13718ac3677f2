"""Prints, from journals below a folder, how many candidates a device judged and how long it waited for them.

A group of candidates holds the device from its first check to the end of its race: an evaluation's
start_ns is when its group was compiled, and check_s and measure_s are what each then took.  Where no
group holds it, it is idle; the campaign lasts from the first journal's environment to the last group's end.
"""
import json
import os
import sys


def records(path):
    with open(path, errors='replace') as journal:
        for line in journal:
            if '{' in line:
                yield json.loads(line[line.index('{'):])


def groups(path):
    """Spans [s] of the groups of a journal, its first moment, and its trials that were judged."""
    spans, first, judged = {}, None, 0
    for r in records(path):
        if r['kind'] == 'environment':
            first = int(r['start_ns']) * 1e-9
        if r['kind'] == 'evaluation' and r['state'] == 'measured' and r['verdict'] != 'NOT_MEASURED':
            judged += 1
            start = int(r['start_ns']) * 1e-9
            # Those of a group are noted within moments.
            key = next((k for k in spans if abs(k - start) < 0.05), start)
            spans[key] = spans.get(key, 0) + (float(r['check_s']) or 0) + (float(r['measure_s'] or 0) or 0)
    return sorted((k, k + v) for k, v in spans.items()), first, judged


def main(folder):
    spans, starts, judged = [], [], 0
    for where, _, files in os.walk(folder):
        if 'journal' in files:
            some, first, count = groups(os.path.join(where, 'journal'))
            spans += some
            starts += [first] if first and some else []
            judged += count
    if not spans:
        print('nothing was judged below %s' % folder)
        return 1
    held, until = 0, 0
    for start, end in sorted(spans):
        held += max(0, end - max(start, until))
        until = max(until, end)
    wall = until - min(starts)
    print('rate\t%.0f\tcandidates judged an hour: %d in %.1f s' % (3600 * judged / wall, judged, wall))
    print('idle\t%.3f\tshare of the campaign in which the device had no candidate at work' % (1 - held / wall))
    return 0


sys.exit(main(sys.argv[1]))
