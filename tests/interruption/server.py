"""Runs of the command line that can be killed: each is forked from one process that has imported everything.

A program, not a module: `tests/interruption/conftest.py` starts it and speaks to it in lines of JSON. Its experiments
are those of the package with settings small enough to be run many times. Every epoch that begins is written down.
"""

import json
import os
import sys
from dataclasses import replace

import torch

from companion import experiments
from companion.__main__ import main
from companion.neural import train
from companion.neural.tasks import digit_sums
from companion.runner import results

TINY = {"triples": 64, "test_triples": 30, "width": 2, "models": ("sum",), "decays": (0.0, 0.5), "epochs": 6}
SMALL = {"table1": TINY, "epochs": {**TINY, "every": 1}, "figure1": {"n": 60, "d": 300, "alphas": (1.5, 2.5)}}
SEEDS = {"epochs": 1, "table1": 1, "figure1": 5}
real_experiment, real_order, real_fit = experiments.experiment, train.epoch_order, train.fit


def experiment(name):
    known = real_experiment(name)
    settings = replace(known.presets["smoke"], **SMALL[name])
    return replace(known, presets={"smoke": settings}, seeds={"smoke": SEEDS[name]})


def noted(log):
    """Write a line to `log` whenever an epoch begins: which run, and which epoch."""
    current = {}

    def fit(*args, **options):
        current["label"] = options["label"]
        return real_fit(*args, **options)

    def order(n, epoch, seed):
        os.write(log, f"{current['label']}|{epoch}\n".encode())
        return real_order(n, epoch, seed)

    train.fit, train.epoch_order = fit, order


def start(argv, out, log):
    """Fork a process, the first of its own group, that runs the command; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    into = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(into, 1)
    os.dup2(into, 2)
    noted(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
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
    torch.set_num_threads(1)
    experiments.experiment = results.experiment = experiment
    digit_sums(source="embedded", triples=10, test_triples=10, seed=0)  # so that scikit-learn is there before the fork
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps({"start": start, "status": status}[name](*arguments)), flush=True)
