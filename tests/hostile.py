#!/usr/bin/python3
"""Candidates that cheat, break or attack: each is caught, and wins where its defence is missing.

    tests/hostile.py [--size=small] [--operators=relu,sum] [--only=NAME,...] [--caught] [--counts=FILE]
    tests/hostile.py --catalogue                          where each entry of the catalogue is tested, or why not
    tests/hostile.py --write=BATCH --operators=relu --only=NAME,...      only writes the candidates

Every tests/candidates/*.c is a cheat; with each operator of tests/candidates/operators it is a program.  *.py are
Triton, for a device that need not be here: what compiles is not measured, and that is what it wins.
Its first comment says what it is and what must become of it:

    A1: an output left over from an earlier run       its entry in the catalogue of cheats, and what it does
    verdict: INCORRECT_UNWRITTEN                      one of these; PASSED only for what is right and gains nothing
    off: poison                                       where all of these are missing it wins: words of
                                                      ops/core/defence.def and evaluate/sandbox.def; several where
                                                      more than one of them stops it: no layer is trusted alone
    never: why                                        instead of off: nothing that could be left out lets it win
    operators: relu sum                               [all]
    clock: monotonic                                  [model] what is caught by its times needs a clock
    phase: finish                                     [run] may pass when it is ranked; promotion must catch it
    step: km_test grid=cdiv(M,256)                    the step of its plan, where it is not its operator's
    problem: sum/f32/M=128,K=32768/t1                 where it is not its operator's
    json: {"flags": "-fplugin=x"}                     more fields of its line in the batch
    size: large                                       [small] with --size=small left out

Prints TAP: a line a program, and with its defence off another (--caught: only the first).  $BUILD is the build.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / 'trust'))
from kept import Kept

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get('BUILD', ROOT / 'build'))
CANDIDATES = ROOT / 'tests' / 'candidates'


KEPT = Kept('hostile', [BUILD / f'{folder}/{tool}' for folder in ('bin', 'open/bin') for tool in ('km-evaluate', 'km-worker') if (BUILD / folder / tool).exists()])


BESIDE = max(1, len(os.sched_getaffinity(0)) // 2)
MEASURED = threading.Lock()


def words_of(path):
    """The words of an X-macro table."""
    return set(re.findall(r'^X\(\w+, "([^"]+)"', (ROOT / path).read_text(), re.M))


DEFENCES, LAYERS = words_of('ops/core/defence.def'), words_of('evaluate/sandbox.def')
VERDICTS = set(re.findall(r'^X\((\w+),', (ROOT / 'evaluate/verdict.def').read_text(), re.M))


def header(path):
    """The fields of a file's first comment: name -> list of values; 'title' is its first line."""
    fields = {}
    lines = re.split(r'\*/|\n\n', path.read_text())[0].splitlines()
    for line in (line.strip(' /*#') for line in lines):
        found = re.match(r'(\w+): (.*)', line)
        if not found:
            continue
        key = 'title' if 'title' not in fields and path.parent == CANDIDATES else found[1]
        fields.setdefault(key, []).append(line if key == 'title' else found[2])
    return fields


def programs_here():
    return sorted(p for p in CANDIDATES.iterdir() if p.suffix in ('.c', '.py'))


class Program:
    def __init__(self, path, operator, target):
        h, op = header(path), header(operator)
        self.name = path.stem + ' on ' + operator.stem
        self.title = h['title'][0]
        self.verdicts = set(' '.join(h.get('verdict', [])).split())
        self.off = frozenset(' '.join(h.get('off', [])).split())
        self.never = ' '.join(h.get('never', []))
        self.clock = h.get('clock', ['model'])[0]
        self.phase = h.get('phase', ['run'])[0]
        self.problem = h.get('problem', op['problem'])[0]
        if not self.verdicts <= VERDICTS or not self.verdicts:
            sys.exit(f'{path}: verdict: {self.verdicts} are not of evaluate/verdict.def')
        if not self.off <= DEFENCES | LAYERS:
            sys.exit(f'{path}: off: {set(self.off - DEFENCES - LAYERS)} are in neither .def')
        if 'PASSED' not in self.verdicts and bool(self.off) == bool(self.never):
            sys.exit(f"{path}: says either where it wins (off:) or why it never does (never:)")
        self.lang, self.target, self.won = ('triton', 'nvidia-h100', 'NOT_MEASURED') if path.suffix == '.py' else ('c', target, 'PASSED')
        source = '\n'.join(p.read_text() for p in ((path,) if path.suffix == '.py' else (CANDIDATES / 'cheat.h', operator, path)))
        self.id = hashlib.sha256(source.encode()).hexdigest()[:16]
        plan = f"plan: {'cubin' if self.lang == 'triton' else 'so'}\n" + ''.join(line + '\n' for line in op['plan'] if not line.startswith('step')) + 'scratch: 64\n' + \
            ''.join(f'step: {line}\n' for line in h.get('step', [line[6:] for line in op['plan'] if line.startswith('step')]))
        symbol = f'km_{self.id}_k'
        self.line = json.dumps({
            'id': self.id, 'problem': self.problem, 'target': self.target, 'lang': self.lang, 'skeleton': 'test', 'knobs': '', 'tile': '',
            'plan': plan.replace('km_test', symbol), 'prologue': '', 'source': source.replace('km_test', symbol), 'parent': '', 'edge': '',
            'policy': '', 'seed': '0', 'generation': 0, **json.loads(h.get('json', ['{}'])[0])}) + '\n'


def environment(off, scratch, members=()):
    # What a compiler without its defences made must never be found by one that has them.
    apart = off and any('COMPILE_ERROR' in p.verdicts for p in members)
    e = dict(os.environ, KM_CACHE=str(scratch / 'open') if apart else os.environ.get('KM_CACHE', str(scratch / 'cache')))
    for name, words in ('KM_DEFENCES_OFF', off & DEFENCES), ('KM_SANDBOX_WITHOUT', off & LAYERS):
        if words:
            e[name] = ' '.join(sorted(words))
    return e


def what_of(p, off):
    return f"{p.id} {' '.join(sorted(off))}"


def baselines(problem, clock, scratch):
    """What the loops and libraries take on this machine is measured once: a journal of theirs, or None of a clock that measures nothing."""
    base = scratch / ('baselines.' + problem.replace('/', '.') + '.' + clock)
    with MEASURED:
        if clock != 'model' and not base.exists():
            (scratch / 'none').write_text('')
            subprocess.run([str(BUILD / 'bin/km-evaluate'), 'run', f'--problem={problem}', f'--clock={clock}', f'--journal={base}', str(scratch / 'none')],
                           env=environment(frozenset(), scratch), capture_output=True)
    return base if base.exists() else None


def evaluate_group(problem, target, clock, alone, members, off, scratch):
    """Of programs of one batch, or of one alone that is to be promoted: id -> (verdict, detail)."""
    result, tool = {}, str(BUILD / ('open/bin' if off else 'bin') / 'km-evaluate')
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        start, journal, batch = time.time(), folder + '/journal', folder + '/batch'
        pathlib.Path(batch).write_text(''.join(p.line for p in members))
        base = baselines(problem, clock, scratch)
        if base:
            shutil.copyfile(base, journal)
        common = [f'--problem={problem}', f'--target={target}', '--allow-unsafe', f'--clock={clock}', f'--journal={journal}']
        ran = subprocess.run([tool, 'run', *common, '--batch-size=1', batch], env=environment(off, scratch, members), capture_output=True, text=True)
        if ran.returncode:
            print(f'# km-evaluate run: exit code {ran.returncode}: {ran.stderr[-400:]!r}')
        won = False
        if alone:
            done = subprocess.run([tool, 'finish', *common, f'--folder={folder}/cell'], env=environment(off, scratch, members), capture_output=True, text=True)
            if done.returncode not in (0, 1):
                print(f'# km-evaluate finish: exit code {done.returncode}: {done.stderr[-400:]!r}')
            won = done.returncode == 0
        rows = subprocess.run([str(BUILD / 'bin/km-evaluate'), 'trace', 'ls', journal], capture_output=True, text=True).stdout
        for line in rows.splitlines():
            result[line.split('\t')[0]] = line.split('\t')[2]
        if alone and result.get(alone) == 'PASSED' and not won:
            result[alone] = 'NOT_PROMOTED'
        details = {}
        for line in pathlib.Path(journal).read_bytes().decode(errors='replace').splitlines():
            for c, d in re.findall(r'"kind":"evaluation".*?"candidate":"(\w+)".*?"detail":"((?:[^"\\]|\\.)*)"', line):
                details[c] = d
        for p in members:
            result[p.id] = (result.get(p.id, 'no verdict'), details.get(p.id, ''))
            KEPT.keep(what_of(p, off), result[p.id], (time.time() - start) / len(members))
    return result


def evaluate(programs, off, scratch):
    """What became of them with the defences `off` missing: id -> (verdict, detail)."""
    result = {}
    groups = {}
    for p in programs:
        if what_of(p, off) in KEPT:
            result[p.id] = tuple(KEPT[what_of(p, off)])
            continue
        # A promotion is a journal of its own: its winner must be this program or none.
        groups.setdefault((p.problem, p.target, p.clock, p.id if p.phase == 'finish' else ''), []).append(p)
    with concurrent.futures.ThreadPoolExecutor(BESIDE) as pool:
        for found in pool.map(lambda group: evaluate_group(*group[0], group[1], off, scratch), groups.items()):
            result.update(found)
    return result


# The catalogue of cheats (A: the answer without computing it, B: replays, T: clocks, N: less or other arithmetic, E: memory, D: forged
# results, S: the machine, K: compilers) and how many entries each of its chapters has.
CHAPTERS = {'A': 12, 'B': 11, 'T': 16, 'N': 13, 'E': 7, 'D': 12, 'S': 18, 'K': 19}


def catalogue():
    """Prints of each entry where it is tested, what is done there and what stops it, or why it is not; exit 1 when of some neither is known."""
    found = {f'{c}{i}': [] for c, n in CHAPTERS.items() for i in range(1, n + 1)}

    def add(entry, where, what, stopped=''):
        if entry not in found:
            sys.exit(f'{where}: there is no entry {entry}')
        found[entry].append((where, what, stopped))

    for path in programs_here():
        entry, _, what = header(path)['title'][0].partition(': ')
        if entry != 'honest':
            h = header(path)
            add(entry, path.name, what, ' '.join(h.get('off', [])) or ' '.join(h.get('never', ['nothing gained'])))
    # Those of Python and of devices say it behind their verdict, unit tests in their titles.
    for pattern, said in (('judge/*.py', r'^# [A-Z_]+: ([A-Z]\d+): (.*)'), ('gpu/candidates/*.cu', r'^// [A-Z_]+: ([A-Z]\d+): (.*)'), ('unit/evaluate/*.c', r'"([KS]\d+) ([^"]*)"')):
        for path in sorted((ROOT / 'tests').glob(pattern)):
            for entry, what in re.findall(said, path.read_text(), re.M):
                add(entry, 'tests/' + str(path.relative_to(ROOT / 'tests')), what)
    for line in (ROOT / 'tests/trust/elsewhere.tsv').read_text().splitlines():
        if line[:1] != '#':
            entry, where, what = line.split('\t')
            if where != '-' and not (ROOT / where).exists():
                sys.exit(f'elsewhere.tsv: {entry}: there is no {where}')
            add(entry, where, what)
    for entry, places in found.items():
        for place in places or [('missing',)]:
            print(entry, *place, sep='\t')
    sys.exit(not all(found.values()))


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--operators', default='')
    a.add_argument('--size', default='large')
    a.add_argument('--only', default='')
    a.add_argument('--caught', action='store_true')
    a.add_argument('--write', default='')
    a.add_argument('--counts', default='')
    a.add_argument('--catalogue', action='store_true')
    a = a.parse_args()
    if a.catalogue:
        catalogue()
        return
    native = [line.split('\t') for line in subprocess.run([str(BUILD / 'bin/km-generate'), 'targets'], capture_output=True, text=True).stdout.splitlines()]
    target = next(f[2] for f in native if f[0] == 'native')
    if target == 'none':
        print('ok 1 - hostile candidates # SKIP this CPU is none of the targets\n1..1')
        return
    doctor = subprocess.run([str(BUILD / 'bin/km-evaluate'), 'doctor'], capture_output=True, text=True).stdout
    missing = {w for w in LAYERS if f'sandbox {w}\tyes' not in doctor}
    programs = []
    for path in programs_here():
        if a.only and path.stem not in a.only.split(','):
            continue
        if a.size == 'small' and header(path).get('size') == ['large']:
            continue
        if path.suffix == '.py' and 'language triton\tyes' not in doctor:
            continue
        wanted = ' '.join(header(path).get('operators', ['relu' if path.suffix == '.py' else 'all'])).split()
        for operator in sorted((CANDIDATES / 'operators').glob('*.h')):
            if (wanted == ['all'] or operator.stem in wanted) and (not a.operators or operator.stem in a.operators.split(',')):
                programs.append(Program(path, operator, target))
    if a.write:
        pathlib.Path(a.write).write_text(''.join(p.line for p in programs))
        return
    count = failed = 0
    counts = {'cheats not caught': [0, 0], 'honest or harmless refused': [0, 0], 'cheats that do not win without their defence': [0, 0]}

    def report(good, what, kind, got):
        nonlocal count, failed
        count += 1
        failed += not good
        counts[kind][0] += 1
        counts[kind][1] += not good
        print(f"{'ok' if good else 'not ok'} {count} - {what}: {got[0]}", flush=True)
        if not good:
            print(f'#   {got[1]}', flush=True)

    with tempfile.TemporaryDirectory(prefix='km-hostile.') as scratch:
        scratch = pathlib.Path(scratch)
        got = evaluate(programs, frozenset(), scratch)
        for p in programs:
            honest = 'PASSED' in p.verdicts
            what = f"{p.name}: {p.title}"
            if p.off & missing:
                count += 1
                print(f"ok {count} - {what} # SKIP no {' '.join(p.off & missing)} here: see 'km-evaluate doctor'")
                continue
            report(got[p.id][0] in p.verdicts or (p.phase == 'finish' and got[p.id][0] == 'NOT_PROMOTED'), what, 'honest or harmless refused' if honest else 'cheats not caught', got[p.id])
        if not a.caught:
            for off in sorted({p.off for p in programs if p.off and not p.off & missing}, key=sorted):
                members = [p for p in programs if p.off == off]
                got = evaluate(members, off, scratch)
                for p in members:
                    report(got[p.id][0] == p.won, f"{p.name}: wins without {' '.join(sorted(off))}", 'cheats that do not win without their defence', got[p.id])
    if a.counts:
        with open(a.counts, 'w') as f:
            for kind, (n, bad) in counts.items():
                f.write(f'{kind}\t{n}\t{bad}\t{KEPT.seconds():.0f}\n')
            f.write(f"cheats that no missing defence lets win\t{len([p for p in programs if p.never])}\t0\t{KEPT.seconds():.0f}\n")
    print(f'1..{count}')
    sys.exit(failed > 0)


main()
