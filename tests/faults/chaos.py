#!/usr/bin/python3
"""What else happens to a campaign (campaign.py) on a machine among others: a process of it, drawn at random, is stopped for
a while and goes on; or it runs where memory is short, by a control group around it, and the kernel kills what it likes.

A stop costs nothing: the campaign ends, and what it leaves is the undisturbed one's.  Memory costs at most the trials of
its candidates: the command ends with a message or well, no trial on record is lost, and with memory again it ends well.
    chaos.py [small|large|COUNT]
"""
import os, random, signal, subprocess, sys, tempfile, time

sys.dont_write_bytecode = True
import campaign
from campaign import Campaign, differences, fail, kind_of, processes, trials

SIZE = (sys.argv[1:] or ["small"])[0]
STOPS, SHORTAGES = {"small": (2, 1), "large": (60, 40)}.get(SIZE) or (int(SIZE), int(SIZE))
STOPS_EACH = 2 if SIZE == "small" else 10
LONGEST_STOP_S = 1.5 if SIZE == "small" else 6  # longer than a worker has for its answers
LEAST_MIB, MOST_MIB = 6, 160


def stop_one(run):
    """Stops a process of the campaign, or all of it, and lets it go on."""
    there = [pid for pid, line in processes(run.pid) if kind_of(line)]
    if not there:
        return False
    # A worker that is stopped answers too late: that is its own trial's.
    pids = [pid for pid, line in processes(run.pid) if kind_of(line) and kind_of(line) != "worker"]
    pids = pids if random.random() < 0.3 else [random.choice(pids)]
    for what in (signal.SIGSTOP, signal.SIGCONT):
        for pid in pids:
            try:
                os.kill(pid, what)
            except ProcessLookupError:
                pass
        if what == signal.SIGSTOP:
            time.sleep(random.uniform(0.01, LONGEST_STOP_S))
    return True


def stops(folder, whole):
    count = 0
    while count < STOPS and campaign.bad < 10:
        own = Campaign(tempfile.mkdtemp(dir=folder))
        run = own.start()
        for _ in range(min(STOPS_EACH, STOPS - count)):
            time.sleep(random.uniform(0, 0.5))
            if run.poll() is not None or not stop_one(run):
                break
            count += 1
        if run.wait():
            fail(f"stopped and continued: exit {run.returncode}: {own.words()}")
        for name in differences(whole.out, own.out):
            fail(f"stopped and continued: differs: {name}")
    return count


class Shortage:
    """A control group around a campaign; None of it where groups cannot be made."""

    def __init__(self, mib):
        with open("/proc/self/cgroup") as f:
            groups = [line.strip().split(":", 2) for line in f]
        with open("/proc/self/mounts") as f:
            mounts = [line.split() for line in f]
        self.folder = None
        for kind, options, controller, limit in (("cgroup", "memory", "memory", "memory.limit_in_bytes"), ("cgroup2", "", "", "memory.max")):
            at = next((m[1] for m in mounts if m[2] == kind and (not options or options in m[3].split(","))), None)
            path = next((g[2] for g in groups if controller in g[1].split(",")), "/")
            for below in (path.lstrip("/"), ""):
                folder = os.path.join(at or "/nowhere", below, f"km-chaos-{os.getpid()}")
                try:
                    os.mkdir(folder)
                    with open(os.path.join(folder, limit), "w") as f:
                        f.write(str(mib << 20))
                    self.folder = folder
                    return
                except OSError:
                    if os.path.isdir(folder):
                        os.rmdir(folder)

    def join(self):
        with open(os.path.join(self.folder, "cgroup.procs"), "w") as f:
            f.write(str(os.getpid()))

    def kills(self):
        for name in ("memory.oom_control", "memory.events"):
            try:
                with open(os.path.join(self.folder, name)) as f:
                    return next((int(line.split()[1]) for line in f if line.startswith("oom_kill ")), 0)
            except OSError:
                pass
        return 0

    def remove(self):
        """Ends what is left in it: an evaluator whose driver was killed goes on, and leaves groups of its boxes when it is killed."""
        for _ in range(500):
            for folder, below, _ in os.walk(self.folder, topdown=False):
                with open(os.path.join(folder, "cgroup.procs")) as f:
                    for pid in f.read().split():
                        os.kill(int(pid), signal.SIGKILL)
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
            if not os.path.exists(self.folder):
                return
            time.sleep(0.02)
        fail(f"the campaign's group stays: {self.folder}")


def shortages(folder):
    """Campaigns short of memory; how many processes the kernel killed in all, or None where there can be no shortage."""
    killed = runs = 0
    while runs < SHORTAGES and campaign.bad < 10:
        own = Campaign(tempfile.mkdtemp(dir=folder))
        # One campaign, where memory grows until it ends.
        mib = random.uniform(LEAST_MIB, 30)
        while True:
            shortage = Shortage(int(mib))
            if not shortage.folder:
                return None
            before = own.journals()
            run = own.start(shortage.join)
            code, words = run.wait(), own.words()
            killed += shortage.kills()
            shortage.remove()
            runs += 1
            if trials(before) - trials(own.journals()):
                fail(f"{mib:.0f} MiB: trials lost")
            if code and code not in (-9, 137) and not campaign.re.search(campaign.ENDS + "|memory|allocat|cannot|[Kk]illed|fork", words):
                fail(f"{mib:.0f} MiB: exit {code} without a word: {words}")
            if not code:
                break
            mib *= random.uniform(1.2, 2)
            if mib > MOST_MIB:
                run = own.start()
                if run.wait():
                    fail(f"with memory again: exit {run.returncode}: {own.words()}")
                break
        check = subprocess.run([os.path.join(campaign.BIN, "km-evaluate"), "trace", "validate", os.path.join(own.out, "traces.h5")], capture_output=True, text=True)
        left = subprocess.run(["find", own.out, "-name", "*.tmp.*"], capture_output=True, text=True).stdout
        if check.returncode or left:
            fail(f"in the end: {check.stderr} {left}")
    return killed


def main():
    random.seed(int(os.environ.get("KM_SEED", "1")))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="km-chaos.") as folder:
        whole = Campaign(os.path.join(folder, "whole"))
        if whole.start().wait():
            sys.exit(f"chaos: the undisturbed one failed: {whole.words()}")
        count = stops(folder, whole)
        print(f"processes of a campaign stopped and continued\t{count}\t{campaign.bad}\t{time.monotonic() - start:.1f}")
        before, start = campaign.bad, time.monotonic()
        killed = shortages(folder)
        if killed is None:
            print("chaos: no control group can be made here: no shortage of memory was tried", file=sys.stderr)
        print(f"processes killed for want of memory\t{killed or 0}\t{campaign.bad - before}\t{time.monotonic() - start:.1f}")
    sys.exit(campaign.bad > 0)


if __name__ == "__main__":
    main()
