"""Prints the winner of each problem of a folder of journals, beside this device's copy.

A copy of 1 GiB counts bytes read and written; it is the median of 20, timed by events.  Of a
winner whose arithmetic is a recipe for f32 the best trial in f32 itself is told beside it.
"""
import glob
import json
import math
import os
import re
import sys


def copy_rate():
    """Bytes per second of a copy; None without torch."""
    try:
        import torch
    except ImportError:
        print('no yardstick: python3 has no torch')
        return None
    source = torch.empty(1 << 30, dtype=torch.uint8, device='cuda').random_()
    target = torch.empty_like(source)
    pairs = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(23)]
    for start, end in pairs:
        start.record()
        target.copy_(source)
        end.record()
    torch.cuda.synchronize()
    rate = 2 * source.numel() / (sorted(start.elapsed_time(end) for start, end in pairs[3:])[10] * 1e-3)
    print('copy: %.3f TB/s on %s' % (rate / 1e12, torch.cuda.get_device_name(0)))
    return rate


def records(path):
    with open(path, errors='replace') as journal:
        for line in journal:
            if '{' in line:
                yield json.loads(line[line.index('{'):])


def read(path):
    """What a journal says of its problem, or None: nothing passed.  A search that was cut short has its best trial for a winner."""
    rows = list(records(path))
    winners = [r for r in rows if r.get('kind') == 'winner']
    trials = [r for r in rows if r.get('kind') == 'evaluation']
    passed = [r for r in trials if r['verdict'] == 'PASSED' and r['time_ns']]
    if not winners and passed:
        best = min(passed, key=lambda r: r['time_ns'])
        winners = [{**best, 'baseline': ''}]
    if not winners:
        print('%-64s no winner of %d trials' % (os.path.basename(os.path.dirname(path)), len(trials)))
        return None
    best = winners[-1]
    precision = {r['id']: r.get('precision', 'strict') for r in rows if r.get('kind') == 'candidate'}
    strict = [r['time_ns'] for r in trials if r['verdict'] == 'PASSED' and r['time_ns'] and precision[r['candidate']] == 'strict']
    one = next(r for r in trials if r['candidate'] == best['candidate'] and r['time_ns'])
    return {'problem': best['problem'], 'winner': best, 'trials': len(trials), 'baselines': [r for r in rows if r.get('kind') == 'baseline'],
            'bytes': one['bytes_per_s'] * one['time_ns'] * 1e-9, 'flop': one['flop_per_s'] * one['time_ns'] * 1e-9, 'precision': precision[best['candidate']], 'strict_ns': min(strict, default=None),
            'knobs': next(r['knobs'] for r in rows if r.get('kind') == 'candidate' and r['id'] == best['candidate'])}


def show_products(found):
    """Each product with all that it was measured against."""
    for p in found:
        w = p['winner']
        print('%-40s %9.1f us %7.1f TFLOP/s  %d trials, error %.3f of what is allowed  %s' %
              (p['problem'], w['time_ns'] * 1e-3, p['flop'] / w['time_ns'] / 1e3, p['trials'], w['tolerance_ratio'], p['knobs']))
        if p['precision'] != 'strict':
            print('    made of parts: %s; in f32 itself %s' % (p['precision'], '%.1f us' % (p['strict_ns'] * 1e-3) if p['strict_ns'] else 'no trial passed'))
        if w['baseline']:
            print('    %.3f [%.3f, %.3f] of %s' % (w['ratio'], w['ratio_low'], w['ratio_high'], w['baseline']))
        for b in sorted(p['baselines'], key=lambda b: b['time_ns']):
            print('    %-24s %9.1f us  %.3f of its time  %s' % (b['name'], b['time_ns'] * 1e-3, b['time_ns'] / w['time_ns'], re.sub(r'algorithm [0-9a-f ]*; ', '', b['setting'])[:150]))


def show_streams(found, copy):
    """What memory bounds: the share of a copy's rate, and the geometric mean."""
    logs = []
    for p in found:
        w = p['winner']
        rate = p['bytes'] / (w['time_ns'] * 1e-9)
        share = rate / copy if copy else math.nan
        logs.append(math.log(share))
        best = min(p['baselines'], key=lambda b: b['time_ns'], default=None)
        beside = '%s takes %.3f of its time' % (best['name'], best['time_ns'] / w['time_ns']) if best else ''
        print('%-64s %9.1f us  %5.1f%% of a copy  %-44s %s' % (p['problem'], w['time_ns'] * 1e-3, 100 * share, beside, p['knobs']))
    if logs:
        print('%d problems: geometric mean %.1f%% of a copy, least %.1f%%' % (len(logs), 100 * math.exp(sum(logs) / len(logs)), 100 * math.exp(min(logs))))


def main(folder):
    copy = copy_rate()
    found = [p for p in (read(path) for path in sorted(glob.glob(os.path.join(folder, '*', 'journal')))) if p]
    is_product = [p['flop'] >= 12.5 * p['bytes'] for p in found]
    print('products')
    show_products([p for p, is_one in zip(found, is_product) if is_one])
    print('what memory bounds')
    show_streams([p for p, is_one in zip(found, is_product) if not is_one], copy)


if __name__ == '__main__':
    main(sys.argv[1])
