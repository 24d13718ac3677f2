"""Prints the winner of each problem of a folder, beside this device's yardsticks.

A copy of 1 GiB counts bytes read and written; products are of uniform [-1, 1] bf16.  Both are
medians of 20 calls timed by events.
"""
import glob
import json
import os
import re
import sys


def median_s(call, torch):
    pairs = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(20)]
    for _ in range(3):
        call()
    for start, end in pairs:
        start.record()
        call()
        end.record()
    torch.cuda.synchronize()
    return sorted(start.elapsed_time(end) for start, end in pairs)[10] * 1e-3


def yardsticks():
    """Bytes per second of a copy, and seconds of a product by its size; (None, {}) without torch."""
    try:
        import torch
    except ImportError:
        print('no yardsticks: python3 has no torch')
        return None, {}
    source = torch.empty(1 << 30, dtype=torch.uint8, device='cuda').random_()
    target = torch.empty_like(source)
    copy = 2 * source.numel() / median_s(lambda: target.copy_(source), torch)
    print('copy: %.3f TB/s' % (copy / 1e12))
    product = {}
    for n in 4096, 8192:
        a, b = (torch.rand(n, n, device='cuda', dtype=torch.bfloat16) * 2 - 1 for _ in range(2))
        product[n] = median_s(lambda: a @ b, torch)
        print('torch.matmul bf16 %d: %.1f us, %.1f TFLOP/s' % (n, product[n] * 1e6, 2 * n**3 / product[n] / 1e12))
    return copy, product


def records(path):
    with open(path, errors='replace') as journal:
        for line in journal:
            if '{' in line:
                yield json.loads(line[line.index('{'):])


def main(folder):
    copy, product = yardsticks()
    for path in sorted(glob.glob(os.path.join(folder, '*', 'journal'))):
        rows = list(records(path))
        knobs = {r['id']: r['knobs'] for r in rows if r.get('kind') == 'candidate'}
        trials = [r for r in rows if r.get('kind') == 'evaluation']
        winners = [r for r in rows if r.get('kind') == 'winner']
        name = os.path.basename(os.path.dirname(path))
        if not winners:
            print('%-40s no winner of %d trials' % (name, len(trials)))
            continue
        best = winners[-1]
        traffic = [r['bytes_per_s'] * r['time_ns'] for r in trials if r['candidate'] == best['candidate'] and r['time_ns']]
        size = re.match(r'matmul-bf16-M=(\d+),N=\1,K=\1-', name)
        shares = []
        if best['baseline']:
            shares.append('%.3f [%.3f, %.3f] of %s' % (best['ratio'], best['ratio_low'], best['ratio_high'], best['baseline']))
        if size and int(size[1]) in product:
            shares.append('%.1f TFLOP/s' % (2 * int(size[1])**3 / best['time_ns'] / 1e3))
        elif copy and traffic:
            shares.append('%.1f%% of a copy' % (100 * traffic[0] / best['time_ns'] * 1e9 / 1e9 / copy))
        print('%-40s %10.1f us  %s  %s' % (name, best['time_ns'] * 1e-3, ', '.join(shares), knobs[best['candidate']]))


main(sys.argv[1])
