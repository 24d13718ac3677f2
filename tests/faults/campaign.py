#!/usr/bin/python3
"""kill -9 of any process of a campaign: what drives it, the generator, the evaluator at work and at the end, its
workers, its compilers, what packs the traces, promotes to the corpus and reports.

scripts/corpus.sh mills one cell, two shapes of it of which the second begins where the first ended, under --clock=model, with an empty compile cache.  A process of a kind drawn at random
is killed at a random instant of its life, and the same command is given again until it ends.  No trial that was on record may
be lost, and all that the campaign leaves but journals - traces, corpus, report, artifacts, batches - must be the
undisturbed one's, byte for byte.
    campaign.py [small|large|KILLS]       KEEP=FOLDER: what differs is kept there
"""
import collections, concurrent.futures, filecmp, itertools, os, random, re, shutil, signal, subprocess, sys, tempfile, time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BIN = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "bin")
SIZE = (sys.argv[1:] or ["small"])[0]
KILLS = {"small": 3, "large": 500}.get(SIZE) or int(SIZE)
KILLS_EACH = 3 if SIZE == "small" else 25

# Kinds of processes: what their command line matches, after their name.
KINDS = {
    "search.sh": r"^\S*sh .*/search\.sh", "corpus.sh": r"^\S*sh .*/corpus\.sh", "xargs": r"^xargs ",
    "generator": r"^\S*km-generate next", "evaluator": r"^\S*km-evaluate run", "finish": r"^\S*km-evaluate finish",
    "worker": r"^km-worker ", "compiler": r"^\S*clang\S* ",
    "relatives": r"^\S*km-evaluate trace relatives", "packer": r"^\S*km-evaluate trace pack", "promoter": r"^\S*km-corpus promote", "reporter": r"^\S*km-report ",
}
LATE = ["packer", "promoter", "reporter"]  # when the cell is done
PATIENCE_S, WAIT_S = 1800, 1.5  # on a busy machine, too
JOURNAL = re.compile(r"journal(\.\d+)?$")
ENDS = "Killed|being written by another|run it again|run the same command|was killed|cannot|sandbox"


class Campaign:
    """One campaign: OUT and the compile cache in a folder of its own."""

    def __init__(self, folder):
        self.out = os.path.join(folder, "out")
        os.makedirs(os.path.join(folder, "tmp"))
        with open(os.path.join(folder, "shapes"), "w") as f:
            f.write("sum f32 M=4 K=64 threads=1\nsum f32 M=8 K=64 threads=1\n")
        # What kills are charged with is not the candidates' doing.
        self.environment = dict(
            os.environ, BIN=BIN, ROOT=ROOT, TARGETS="native", OPS="sum", SHAPES=os.path.join(folder, "shapes"), BUDGET="8", OUT=self.out, JOBS="1",
            SEED="1", POLICY="portfolio", RELATIVES="", EXTRA_OPS="", EXECUTOR="local", SETUP_SECONDS="0", KM_CLOCK="model", KM_ATTEMPTS="1000000",
            KM_LOCK=os.path.join(folder, "lock"), KM_CACHE=os.path.join(folder, "cache"), TMPDIR=os.path.join(folder, "tmp"))

    def start(self, before=None):
        """Gives the command; before() is called in its process first."""
        self.said = tempfile.TemporaryFile()
        return subprocess.Popen(["sh", os.path.join(ROOT, "scripts/corpus.sh")], env=self.environment, stdout=self.said, stderr=self.said, stdin=subprocess.DEVNULL,
                                preexec_fn=before)

    def words(self):
        self.said.seek(0)
        return self.said.read().decode(errors="replace")

    def is_searched(self):
        """Is the cell's search over?"""
        for folder, _, files in os.walk(os.path.join(self.out, "cells")):
            if "stamp" in files:
                with open(os.path.join(folder, "stamp")) as f:
                    return f.read().endswith("done\n")
        return False

    def journals(self):
        """Their files as they are now, by path below the cells."""
        found = {}
        cells = os.path.join(self.out, "cells")
        for folder, _, files in os.walk(cells):
            for name in files:
                if JOURNAL.match(name):
                    with open(os.path.join(folder, name), "rb") as f:
                        found[os.path.relpath(os.path.join(folder, name), cells)] = f.read()
        return found


def trials(journals):
    """What is on record in these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in journals.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        found = set()
        for problem in {os.path.dirname(name) for name in journals}:
            text = subprocess.run([os.path.join(BIN, "km-evaluate"), "trace", "history", os.path.join(folder, problem, "journal")], capture_output=True).stdout
            found |= {(problem, line.split(b"\t")[0]) for line in text.splitlines()[1:]}
    return found


def processes(root):
    """(pid, command line) of all below root, and root."""
    parent, line = {}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                text = f.read()
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                args = f.read()
        except OSError:
            continue
        parent[int(pid)] = int(text.rsplit(")", 1)[1].split()[1])
        name = text[text.index("(") + 1:text.rindex(")")]
        args = args.replace(b"\0", b" ").decode(errors="replace")
        # Workers are started by descriptor: /proc/self/fd/N.
        line[int(pid)] = name + " " + args if name.startswith("km-worker") else args
    for pid in line:
        at = pid
        while at != root and parent.get(at, 0) > 1:
            at = parent[at]
        if at == root:
            yield pid, line[pid]


def differences(want, got):
    """Names of what is not the same below two folders, journals aside."""
    compared = filecmp.dircmp(want, got, ignore=[])
    for name in compared.left_only + compared.right_only + compared.common_funny:
        if not JOURNAL.match(name):
            yield os.path.join(got, name)
    for name in compared.common_files:
        if not JOURNAL.match(name) and not filecmp.cmp(os.path.join(want, name), os.path.join(got, name), shallow=False):
            yield os.path.join(got, name)
    for name in compared.common_dirs:
        yield from differences(os.path.join(want, name), os.path.join(got, name))


def content(path):
    """Of a file; what a folder or nothing at all has instead."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        return str(e).encode()


def first_difference(want, got):
    """The first line of the one that is not the other's."""
    for a, b in itertools.zip_longest(want.splitlines(), got.splitlines()):
        if a != b:
            return f"wanted {a!r}, got {b!r}"[:600]
    return "line ends"


bad = 0


def fail(text):
    global bad
    bad += 1
    print("campaign:", text, file=sys.stderr, flush=True)


def kind_of(line):
    return next((kind for kind in KINDS if re.search(KINDS[kind], line)), None)


def lives(campaign):
    """Runs undisturbed; how long each process lived, in seconds, by kind."""
    seen = {}
    run = campaign.start()
    while run.poll() is None:
        now = time.monotonic()
        for pid, line in processes(run.pid):
            seen.setdefault((pid, kind_of(line)), [now, now])[1] = now
        time.sleep(0.002)
    if run.returncode:
        sys.exit(f"campaign: the undisturbed one failed: {campaign.words()}")
    found = collections.defaultdict(list)
    for (_, kind), (first, last) in seen.items():
        found[kind].append(last - first + 0.005)
    return found


def kill(campaign, pid, kind, root):
    """True when it was there to be killed; no trial on record may be lost by it."""
    before = campaign.journals()
    if pid not in (at for at, line in processes(root) if kind_of(line) == kind):
        return False
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    lost = trials(before) - trials(campaign.journals())
    if lost:
        fail(f"kill of {kind}: trials lost: {lost}")
    return True


def kill_one(campaign, run, life_s, kinds):
    """Kills a process somewhere in its life, of a kind drawn at random, rather one that was rarely killed; which, or None: the campaign ended."""
    kind, redraw = None, 0
    while run.poll() is None:
        if time.monotonic() > redraw:
            is_late = campaign.is_searched()
            possible = [kind for kind in life_s if (kind in LATE) == is_late]
            kind = random.choices(possible, [(1 + kinds[kind]) ** -2 for kind in possible])[0]
            redraw = time.monotonic() + random.uniform(0.2, WAIT_S)
        wanted = [pid for pid, line in processes(run.pid) if kind_of(line) == kind]
        if not wanted:
            time.sleep(0.005)
            continue
        pid = random.choice(wanted)
        time.sleep(random.uniform(0, random.choice(life_s[kind])))
        if kill(campaign, pid, kind, run.pid):
            return kind
    return None


def disturb(campaign, life_s, kinds, kills):
    """Gives the command until it ends; counts what it killed, up to so many."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        run = campaign.start()
        while kills:
            kind = kill_one(campaign, run, life_s, kinds)
            if not kind:
                break
            kinds[kind] += 1
            kills -= 1
        code, words = run.wait(), campaign.words()
        if code == 0:
            return
        if code not in (-9, 137) and not re.search(ENDS, words):
            fail(f"exit {code}: {words}")
        if time.monotonic() > deadline:
            fail(f"does not end: {words}")
            return
        # An evaluator whose driver was killed goes on alone, and holds the journal.
        time.sleep(0.05)


def repeat(folder, whole_out, life_s, kills, seed):
    """Campaigns one after another, until so much was killed: which kinds, and how many faults there were."""
    global bad
    bad = 0
    random.seed(seed)
    kinds = collections.Counter()
    while sum(kinds.values()) < kills and bad < 10:
        own = tempfile.mkdtemp(dir=folder)
        campaign = Campaign(own)
        disturb(campaign, life_s, kinds, min(KILLS_EACH, kills - sum(kinds.values())))
        differing = list(differences(whole_out, campaign.out))
        if differing and os.environ.get("KEEP"):
            shutil.copytree(whole_out, os.path.join(os.environ["KEEP"], "whole"), dirs_exist_ok=True)
            shutil.copytree(campaign.out, os.path.join(os.environ["KEEP"], os.path.basename(own)))
        for name in differing:
            fail(f"differs: {name}: {first_difference(content(os.path.join(whole_out, os.path.relpath(name, campaign.out))), content(name))}")
        shutil.rmtree(own)
        print(f"campaign: {sum(kinds.values())} of {kills} killed, {bad} bad", file=sys.stderr, flush=True)
    return kinds, bad


def main():
    seed, start = int(os.environ.get("KM_SEED", "1")), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="km-campaign.") as folder:
        whole = Campaign(os.path.join(folder, "whole"))
        life_s = lives(whole)
        life_s.pop(None, None)
        if set(life_s) != set(KINDS):
            fail(f"no process of these kinds was seen: {set(KINDS) - set(life_s)}")
        beside = 1 if SIZE == "small" else len(os.sched_getaffinity(0))
        share = [KILLS // beside + (i < KILLS % beside) for i in range(beside)]
        # Processes of their own: each looks at all that runs, over and over.
        with concurrent.futures.ProcessPoolExecutor(beside) as pool:
            done = list(pool.map(repeat, *zip(*((folder, whole.out, life_s, kills, seed + i) for i, kills in enumerate(share)))))
    kinds = sum((found for found, _ in done), collections.Counter())
    faults = bad + sum(n for _, n in done)
    print("# killed:", ", ".join(f"{kind} {n}" for kind, n in sorted(kinds.items())), file=sys.stderr)
    print(f"processes of a campaign killed\t{sum(kinds.values())}\t{faults}\t{time.monotonic() - start:.1f}")
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
