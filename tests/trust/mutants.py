#!/usr/bin/python3
"""Mutants of honest kernels: printed sources with one thing wrong, which the checker must notice.

    tests/trust/mutants.py --count=N [--seed=N] [--each=N] [--only=OPERATOR,...] [--keep=FOLDER]

Of each problem some candidates, of each candidate some mutants, judged as candidates are; what was accepted is
judged for promotion too.  A mutant that does not compile is none.  One whose object code is that of its original, as the compiler
sees it or would if it knew what launches keep to, is none either; nor is one that is the same function by a proof in equivalent.tsv, which holds for a mutant or for all of a kind.  Prints the row of
tests/trust.sh; on stderr a line a survivor, in the form that equivalent.tsv wants.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

from kept import Kept

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get('BUILD', HERE.parent.parent / 'build'))
TOOL, GENERATE = str(BUILD / 'bin/km-evaluate'), str(BUILD / 'bin/km-generate')

BESIDE = len(os.sched_getaffinity(0))

# ---- what goes wrong -------------------------------------------------------
# (name, what is found, what it becomes); found within one line of the source.  A match's end is code, never a name's middle.

# Not the numbers that stand for "no bound": no extent is as long.
NUMBER = r'(?<![\w.])(?!1073741824\b)(\d+)(?![\w.])'


def balanced(text, at):
    """The end of the parenthesis that opens at text[at]."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == '(') - (text[i] == ')')
        if not depth:
            return i + 1
    return -1


def operands(line):
    """(start, left, operator, right, end) of each `(left op right)` whose operator stands at its top level."""
    for m in re.finditer(r'\(', line):
        end = balanced(line, m.start())
        if end < 0:
            continue
        inside = line[m.start() + 1:end - 1]
        depth = 0
        for i, c in enumerate(inside):
            depth += (c in '([{') - (c in ')]}')
            if not depth and c in '-+*/' and inside[i - 1:i] == ' ' and inside[i + 1:i + 2] == ' ':
                yield m.start(), inside[:i - 1], c, inside[i + 2:], end
                break


def swapped(line):
    for start, left, op, right, end in operands(line):
        if op in '-/':
            yield f'{line[:start]}({right} {op} {left}){line[end:]}'


def other_operator(line):
    for start, left, op, right, end in operands(line):
        other = {'+': '-', '-': '+', '*': '+', '/': '*'}[op]
        yield f'{line[:start]}({left} {other} {right}){line[end:]}'


def dropped_operand(line):
    """A term or factor less: the greatest that is not subtracted, the scale that is not applied."""
    for start, left, op, right, end in operands(line):
        yield f'{line[:start]}({left}){line[end:]}'


def replaced(pattern, by):
    def each(line):
        for m in re.finditer(pattern, line):
            new = by(m) if callable(by) else m.expand(by)
            if new != m[0]:
                yield line[:m.start()] + new + line[m.end():]
    return each


def dropped_statement(line):
    # A store, an accumulation, a step; no declaration, no head of a loop, nothing that would never end.
    # A fence orders stores for other processors: nothing that runs on one can tell.
    if re.match(r'\s*(km_\w+)\(.*\);$', line) or re.match(r'\s*[\w\[\]]+ [-+*/]?= .*;$', line):
        yield ''


MUTATIONS = [
    ('a bound one further', replaced(r' < (?!<)', ' <= ')),
    ('a bound one less', replaced(r' <= ', ' < ')),
    ('a number one more', replaced(NUMBER, lambda m: str(int(m[1]) + 1))),
    ('a number one less', replaced(NUMBER, lambda m: str(int(m[1]) - 1) if int(m[1]) else m[1])),
    ('operands swapped', swapped),
    ('another operator', other_operator),
    ('an operand dropped', dropped_operand),
    ('a statement dropped', dropped_statement),
    ('a tail dropped', replaced(r'if \((\w+ % KM_L)\)', r'if (0 && \1)')),
    ('the smaller for the larger', replaced(r'\bkm_min\(', 'km_max(')),
    ('the least for the greatest', replaced(r'\bkm_(maximum|minimum)\(', lambda m: 'km_minimum(' if m[1] == 'maximum' else 'km_maximum(')),
    ('another constant', replaced(r'(?<![\w.])(\d+\.\d+)(e-?\d+)?f?(?!\w)', lambda m: f'({m[0]} * 1.01f + 0.001f)')),
    ('a sum in a narrower dtype', replaced(r'\bdouble (km_\w+ = )', r'float \1')),
    ('loads in a narrower dtype', replaced(r'\bkm_l_f32\(', 'km_mutant_bf16(')),
    ('an index of another', replaced(r'\b(p0|p1|m|r)\b(?= \*)', lambda m: {'p0': 'p1', 'p1': 'p0', 'm': 'p0', 'r': 'p0'}[m[1]])),
]
NARROW = '''
#ifndef km_mutant_bf16
#define km_mutant_bf16(p) ({ km_vf km_x = km_l_f32(p); (km_vf)((km_vi)km_x & (km_vi)(km_vi)(~0xffff + (km_vi){})); })
#endif
'''


def mutants_of(c, rng, each):
    """Up to `each` mutants of candidate c (a dict): (source, plan, what, line before, line after, the line that follows)."""
    lines = c['source'].split('\n')
    # The head and the names of buffers stay as they are: what is computed is changed.
    sites = [(kind, n) for n, line in enumerate(lines) if n > 1 and not re.match(r'\s*(const )?(km_\w+|long) \*?(const )?(b_|t_|[A-Z]+ =)', line)
             for kind in range(len(MUTATIONS))]
    rng.shuffle(sites)
    seen, out = set(), []
    # Kind by kind in turn, or numbers, of which there are most, would be all.
    by_kind = {}
    for kind, n in sites:
        by_kind.setdefault(kind, []).append(n)
    kinds = list(by_kind)
    while kinds and len(out) < each:
        kind = rng.choice(kinds)
        n = by_kind[kind].pop()
        if not by_kind[kind]:
            kinds.remove(kind)
        changed = list(MUTATIONS[kind][1](lines[n]))
        if not changed:
            continue
        line = rng.choice(changed)
        if line == lines[n] or (n, line) in seen:
            continue
        seen.add((n, line))
        source = '\n'.join(lines[:n] + [line] + lines[n + 1:])
        if 'km_mutant_bf16' in line:
            source = NARROW + source
        out.append((source, c['plan'], MUTATIONS[kind][0], lines[n].strip(), line.strip(), '\n'.join(lines[n + 1:n + 2]).strip()))
    # Between steps lies a barrier; a step less is the work of a kernel that never ran.
    steps = [line for line in c['plan'].split('\n') if line.startswith('step: ')]
    if len(steps) > 1 and out:
        gone = rng.choice(steps)
        out[-1] = (c['source'], c['plan'].replace(gone + '\n', ''), 'a step dropped', re.sub('km_[0-9a-f]{16}', 'km', gone), '', '')
    return out


def named(c, source, plan, prefix=''):
    """Candidate c with another source and plan, under an id of its own."""
    new = prefix or hashlib.sha256((c['id'] + source + plan).encode()).hexdigest()[:16]
    return dict(c, id=new, source=source.replace(c['id'], new), plan=plan.replace(c['id'], new))


# ---- judging ---------------------------------------------------------------

def run(*words, cache=None):
    env = dict(os.environ, **({'KM_CACHE': cache} if cache else {}))
    return subprocess.run(words, capture_output=True, text=True, env=env)


def verdicts(problem, candidates, folder, cache=None, batch=16):
    """id -> verdict of each candidate."""
    path, journal = folder + '/batch', folder + '/journal'
    pathlib.Path(path).write_text(''.join(json.dumps(c) + '\n' for c in candidates))
    if os.path.exists(journal):
        os.unlink(journal)
    ran = run(TOOL, 'run', f'--problem={problem}', '--allow-unsafe', '--clock=model', f'--journal={journal}', f'--batch-size={batch}', path, cache=cache)
    if ran.returncode:
        sys.exit(f'mutants: error: km-evaluate run: {ran.stderr}')
    return {f[0]: f[2] for f in (line.split('\t') for line in run(TOOL, 'trace', 'ls', journal).stdout.splitlines())}


# What every launch keeps to, told to the compiler: extents are positive, the first instance is no negative number, and a loop
# over a tile of one has one turn.
HINTS = [(r'(const long [A-Z]\w* = dim\[\d+\];)', r'\1 if ({0} < 1) __builtin_unreachable();', r'const long (\w+)'),
         (r'(for \(long (\w+) = 0, \2_n = km_min\(1, .*\{)$', r'\1 if ({0}) __builtin_unreachable();', r'for \(long (\w+)'),
         (r'(for \(long km_p = km_first_instance; .*\{)$', r'\1 if (km_p < 0) __builtin_unreachable();', r'for \(long (\w+)')]


def hinted(source):
    for found, becomes, name in HINTS:
        source = re.sub(found, lambda m: m.expand(becomes.format(re.search(name, m[0])[1])), source, flags=re.M)
    return source


def codes_of(problem, candidates, folder):
    """The object code of each, compiled alone under a name that no code tells; None of what does not compile."""
    codes = [None] * len(candidates)
    with tempfile.TemporaryDirectory(dir=folder) as cache:
        named_here = [named(c, c['source'], c['plan'], f'e{i:015x}') for i, c in enumerate(candidates)]
        verdicts(problem, named_here, folder, cache=cache, batch=1)
        for path in pathlib.Path(cache).rglob('*.so'):
            found = re.search(rb'km_e([0-9a-f]{15})', path.read_bytes())
            sections = []
            for section in ('.text', '.rodata', '.data', '.bss') if found else ():
                run('objcopy', '-O', 'binary', f'--only-section={section}', str(path), folder + '/section')
                sections.append(pathlib.Path(folder + '/section').read_bytes() if os.path.exists(folder + '/section') else b'')
            if found:
                codes[int(found[1], 16)] = sections
    return codes


def same_as(problem, pairs, folder):
    """Of pairs of candidates: is their object code the same, or would it be, did the compiler know what launches keep to?"""
    told = [dict(c, source=hinted(c['source'])) for pair in pairs for c in pair]
    code = codes_of(problem, [c for pair in pairs for c in pair] + told, folder)
    return [any(code[k] is not None and code[k] == code[k + 1] for k in (2 * i, 2 * i + len(told))) for i in range(len(pairs))]


def is_promoted(problem, c, folder):
    """Would a mutant that was accepted win, where it is the only one?  It is judged from outside its process too."""
    verdicts(problem, [c], folder)
    if run(TOOL, 'finish', f'--problem={problem}', '--allow-unsafe', '--clock=model', f'--journal={folder}/journal', f'--folder={folder}/cell').returncode:
        return False
    made = f"{folder}/cell/artifacts/{c['id']}"
    judged = run(TOOL, 'judge', f'--problem={problem}', '--allow-unsafe', f'--plan={made}/plan', f'{made}/kernel.so').stdout
    # Its times are not asked about: a busy machine must not count as a kill.
    return re.search(r'^verdict\t(PASSED|TIMING_FORGED|BELOW_PHYSICS_FLOOR)', judged, re.M) is not None or not judged


def is_proven(proofs, key, problem, c, what, before, after, following):
    text = f'{what}: {before} => {after}'
    return any(p[0] == key or (p[0] == 'rule' and re.search(p[1], f"{problem} {c['knobs']}") and re.search(p[2], text) and
                               (len(p) < 5 or re.search(p[4], following))) for p in proofs)


def work_of(problem):
    product = 1
    for n in re.findall(r'=(\d+)', problem.split('/')[2]):
        product *= int(n)
    return product


def judge_mutants_of(problem, proofs, a, folder):
    """What became of some mutants of some candidates of a problem: word -> count."""
    count = dict.fromkeys(('killed', 'same', 'proven', 'stillborn', 'survived'), 0)
    rng = random.Random(f'{a.seed} {problem}')
    batch = folder + '/honest'
    if run(GENERATE, 'next', f'--problem={problem}', '--batch=3', f'--seed={a.seed}', '-o', batch).returncode:
        return count
    parents = [json.loads(line) for line in open(batch)]
    made = {}
    for c in parents:
        for source, plan, *words in mutants_of(c, rng, max(1, a.each // len(parents))):
            m = named(c, source, plan)
            made[m['id']] = (m, c, *words)
    verdict_of = verdicts(problem, [m[0] for m in made.values()], folder)
    passed = [id for id, verdict in verdict_of.items() if verdict == 'PASSED']
    is_same = dict(zip(passed, same_as(problem, [made[id][:2] for id in passed], folder)))
    for id, verdict in verdict_of.items():
        m, c, what, before, after, following = made[id]
        key = hashlib.sha256('\n'.join((problem, c['knobs'], before, after)).encode()).hexdigest()[:16]
        if verdict == 'COMPILE_ERROR':
            count['stillborn'] += 1
        elif verdict != 'PASSED':
            count['killed'] += 1
        elif is_same[id]:
            count['same'] += 1
        elif is_proven(proofs, key, problem, c, what, before, after, following):
            count['proven'] += 1
        elif not is_promoted(problem, m, folder):
            count['killed'] += 1
        else:
            count['survived'] += 1
            print('\t'.join((key, problem, c['knobs'], what, before, after)), file=sys.stderr, flush=True)
            if a.keep:
                pathlib.Path(a.keep).mkdir(exist_ok=True)
                pathlib.Path(a.keep, key + '.jsonl').write_text(json.dumps(m) + '\n' + json.dumps(c) + '\n')
    return count


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--count', type=int, default=60)
    a.add_argument('--seed', type=int, default=1)
    a.add_argument('--each', type=int, default=20)
    a.add_argument('--only', default='')
    a.add_argument('--keep', default='')
    a = a.parse_args()
    rng = random.Random(a.seed)
    proofs = [line.split('\t') for line in (HERE / 'equivalent.tsv').read_text().splitlines() if line and line[0] != '#']
    problems = [line.split('\t')[0] for line in run(GENERATE, 'problems', '--budget=full').stdout.splitlines()]
    problems = sorted(p for p in problems if work_of(p) <= 1 << 24 and (not a.only or p.split('/')[0] in a.only.split(',')))
    rng.shuffle(problems)
    kept = Kept(f'mutants.{a.seed}.{a.each}.{a.only}', (TOOL, GENERATE, __file__, HERE / 'equivalent.tsv'))
    total = dict.fromkeys(('killed', 'same', 'proven', 'stillborn', 'survived'), 0)
    with tempfile.TemporaryDirectory(prefix='km-mutants.') as folder, concurrent.futures.ThreadPoolExecutor(BESIDE) as pool:
        def result_of(problem):
            if problem not in kept:
                start = time.time()
                with tempfile.TemporaryDirectory(dir=folder) as own:
                    kept.keep(problem, judge_mutants_of(problem, proofs, a, own), (time.time() - start) / BESIDE)
            return kept[problem]

        # Some ahead of those that are counted: how many problems it takes, the counts tell.
        ahead = collections.deque()
        while (problems or ahead) and total['killed'] + total['survived'] < a.count:
            while problems and len(ahead) < 2 * BESIDE:
                ahead.append(pool.submit(result_of, problems.pop(0)))
            for what, n in ahead.popleft().result().items():
                total[what] += n
        for future in ahead:
            future.cancel()
    count = total['killed'] + total['survived']
    print(f"mutants: {total['same']} with the same object code, {total['proven']} proven equal, {total['stillborn']} did not compile", file=sys.stderr)
    print(f"mutants that survived\t{count}\t{total['survived']}\t{kept.seconds():.0f}")
    # Of few mutants one more or less says nothing.
    sys.exit(total['survived'] > max(1, 0.005 * count))


main()
