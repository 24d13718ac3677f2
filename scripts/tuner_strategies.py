"""Kernel Tuner's strategies on measured spaces, in its simulation mode: the rows that `km-generate replay` prints.

    tuner_strategies.py --strategy=genetic_algorithm,greedy_ils --budget=300 --repeats=100 [--beside=ROWS] FILE...

Each search is given the whole space as it is in the file, so that illegal points cost nothing here either.  ROWS:
what `km-generate replay` printed; then rows "difference.evaluations" follow, its first policy less
a strategy, with Welch's interval.
"""

import argparse
import contextlib
import gzip
import io
import json
import math
import os
import random
import sys
import warnings

import numpy
from scipy import stats

from kernel_tuner import util
from kernel_tuner.interface import Options, strategy_map
from kernel_tuner.runners.simulation import SimulationRunner
from kernel_tuner.searchspace import Searchspace

COLUMNS = ["curve", "space", "policy", "at", "seconds", "mean", "low", "high", "p95", "least"]


class Space:
    """A cache file of Kernel Tuner."""

    def __init__(self, path):
        with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
            content = json.load(file)
        self.name = os.path.basename(path).split(".json")[0]
        self.cache = {}
        for key, row in content["cache"].items():
            if isinstance(row["time"], (int, float)):
                self.cache[key] = row
            else:
                self.cache[key] = {k: v for k, v in row.items() if k not in ("time", "times")} | {"__error__": util.RuntimeFailedConfig()}
        self.params = {name: content["tune_params"][name] for name in content["tune_params_keys"]}
        self.best = min(row["time"] for row in self.cache.values() if "__error__" not in row)


class Recorder(SimulationRunner):
    """Keeps the time of each point in the order of first evaluation."""

    def __init__(self):
        super().__init__(None, Options(kernel_name="kernel"), Options(quiet=True), 1, None)
        self.order = []

    def run(self, parameter_space, tuning_options):
        rows = list(parameter_space)
        known = set(self.visited_results)
        results = super().run(rows, tuning_options)
        for row, result in zip(rows, results):
            key = ",".join(str(v) for v in row)
            if result and key in self.visited_results and key not in known:
                known.add(key)
                self.order.append(result["time"] if "__error__" not in result else math.inf)
        return results


def search(space, strategy, budget, seed):
    # A new one each time: it remembers which neighbours it gave out.
    searchspace = Searchspace(None, None, None, from_cache={"tune_params": dict(space.params), "cache": space.cache})
    random.seed(seed)
    numpy.random.seed(seed)
    runner = Recorder()
    options = Options(
        cache=space.cache, budget=util.TuningBudget(None, budget), objective=["time"], objective_higher_is_better=[False], metrics=None, tune_params=space.params,
        restrictions=[], restrictions_unmodified=[], verbose=False, strategy_options=Options(max_fevals=budget), max_fevals=budget, snap=True,
    )
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            strategy_map[strategy].tune(searchspace, runner, options)
        except util.StopCriterionReached:
            pass
    best, curve = math.inf, []
    for time in runner.order[:budget]:
        best = min(best, time)
        curve.append(space.best / best if best < math.inf else 0.0)
    return curve + [curve[-1] if curve else 0.0] * (budget - len(curve))


def interval(values):
    values = numpy.asarray(values)
    mean = values.mean()
    half = student(len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return mean, mean - half, mean + half


def student(degrees):
    return stats.t.ppf(0.975, degrees)


def row(*cells):
    print("\t".join(f"{c:.4f}" if isinstance(c, float) and not math.isnan(c) else "-" if isinstance(c, float) else str(c) for c in cells), flush=True)


def rows_of(strategy, spaces, curves, checkpoints):
    """curves[space, repeat, evaluation]; returns the means over spaces by checkpoint."""
    means = {}
    for at in checkpoints:
        values = curves[:, :, at - 1]
        for space, own in zip(spaces, values):
            row("evaluations", space.name, strategy, at, math.nan, *map(float, interval(own)), float((own >= 0.95).mean()), float(own.min()))
        if len(spaces) > 1:
            means[at] = interval(values.mean(axis=0))
            row("evaluations", "all", strategy, at, math.nan, *map(float, means[at]), float((values >= 0.95).mean()), float(values.min()))
            worst = int(values.mean(axis=1).argmin())
            own = values[worst]
            row("evaluations", "worst=" + spaces[worst].name, strategy, at, math.nan, *map(float, interval(own)), float((own >= 0.95).mean()), float(own.min()))
        else:
            means[at] = interval(values[0])
    return means


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--strategy", default="genetic_algorithm,greedy_ils,greedy_mls,simulated_annealing,pso,diff_evo,adaptive_tabu_greywolf")
    parser.add_argument("--budget", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", default="10,25,50,100,200,300")
    parser.add_argument("--beside", help="what 'km-generate replay' printed")
    parser.add_argument("file", nargs="+")
    args = parser.parse_args()
    checkpoints = [n for n in map(int, args.at.split(",")) if n <= args.budget]
    spaces = [Space(path) for path in args.file]
    row(*COLUMNS)
    means = {}
    for strategy in args.strategy.split(","):
        curves = numpy.array([[search(space, strategy, args.budget, args.seed + r) for r in range(args.repeats)] for space in spaces])
        means[strategy] = rows_of(strategy, spaces, curves, checkpoints)
    if args.beside:
        whole = "all" if len(spaces) > 1 else spaces[0].name
        ours = {}
        with open(args.beside) as file:
            for line in file:
                cell = line.rstrip("\n").split("\t")
                if cell[0] == "evaluations" and cell[1] == whole:
                    ours.setdefault(int(cell[3]), (cell[2], float(cell[5]), float(cell[7]) - float(cell[5])))
        for strategy, by_place in means.items():
            for at, (mean, low, _) in by_place.items():
                if at in ours:
                    policy, own, half = ours[at]
                    both = math.hypot(half, mean - low)
                    row("difference.evaluations", whole, f"{policy}-{strategy}", at, math.nan, float(own - mean), float(own - mean - both), float(own - mean + both), math.nan, math.nan)


if __name__ == "__main__":
    sys.exit(main())
