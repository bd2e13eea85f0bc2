"""Runs of the command line that can be killed: each is forked from one process that has imported everything.

A program, not a module: `tests/interruption/conftest.py` starts it and speaks to it in lines of JSON. Its experiment is
`steps`, which keeps its rows one after another as a training keeps its checkpoint, and costs nothing; under the
extended profile experiments that train stand beside it, with settings small enough to be run many times. Every step
that begins is written down.
"""

import json
import os
import resource
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from companion import experiments
from companion.__main__ import main
from companion._files import write_text
from companion.runner import results
from companion.runner.experiment import Experiment, setting

EXTENDED = os.environ.get("HYPOTHESIS_PROFILE") == "extended"
TINY = {"triples": 64, "test_triples": 30, "width": 2, "models": ("sum",), "decays": (0.0, 0.5), "epochs": 6}
SMALL = {"table1": TINY, "epochs": {**TINY, "every": 1}}
real_experiment = experiments.experiment


@dataclass(frozen=True)
class Settings:
    grid: tuple[int, ...] = setting((1, 2), "two cells")
    steps: int = setting(6, "rows of a cell, made one after another")


def steps(settings, cell, seed, resources):
    kept = resources.scratch / "model.pt"
    rows = json.loads(kept.read_text()) if kept.exists() else []
    for step in range(len(rows), settings.steps):
        note(f"{cell['a']} {seed}", step)
        time.sleep(0.01)
        rows.append({"step": step, "value": cell["a"] + seed / (1 + step), "words": "so many that it takes room" * 9})
        write_text(kept, json.dumps(rows))
    return rows


def note(label, step):
    """Write down that a step begins: of which run, and which step."""
    with Path(os.environ["STEPS_LOG"]).open("a") as log:
        log.write(f"{label}|{step}\n")


def experiment(name):
    if name == "steps":
        cells = [{"a": 1}, {"a": 2}]
        return Experiment("steps", {"smoke": Settings()}, {"smoke": 2}, lambda _: cells, steps, by=("a", "step"))
    known = real_experiment(name)
    return replace(known, presets={"smoke": replace(known.presets["smoke"], **SMALL[name])}, seeds={"smoke": 1})


def noted():
    """Note every epoch of a training that begins."""
    from companion.neural import train

    current, real_order, real_fit = {}, train.epoch_order, train.fit

    def fit(*args, **options):
        current["label"] = options["label"]
        return real_fit(*args, **options)

    def order(n, epoch, seed):
        note(current["label"], epoch)
        return real_order(n, epoch, seed)

    train.fit, train.epoch_order = fit, order


def start(argv, out, log, limit=None):
    """Fork a process, the first of its own group, that runs the command; `limit`: the largest file it may write."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    into = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(into, 1)
    os.dup2(into, 2)
    os.environ["STEPS_LOG"] = log
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        code = main(argv)
    except SystemExit as stop:
        code = stop.code
    sys.stdout.flush()
    os._exit(code)


def status(pid, block):
    """Exit code of a run (negative: the signal that ended it), or None while it runs."""
    found, ended = os.waitpid(pid, 0 if block else os.WNOHANG)
    return os.waitstatus_to_exitcode(ended) if found else None


if __name__ == "__main__":
    experiments.experiment = results.experiment = experiment
    experiments.names = lambda: ["steps", *SMALL]
    Experiment.code = "0" * 16
    if EXTENDED:
        import torch

        torch.set_num_threads(1)
        noted()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps({"start": start, "status": status}[name](*arguments)), flush=True)
