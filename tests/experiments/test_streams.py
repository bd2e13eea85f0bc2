"""Random streams: the seed decides every row, whatever runs beside it; no two seeds of an experiment share a stream.

Nor do two uses within one run.
"""

import inspect
import json
import re
import sys
from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from companion.experiments import experiment, names
from companion.neural import images, tasks, train
from companion.runner import results
from companion.runner import run as runner
from companion.runner.experiment import Resources

SMALL = {
    "figure1": {"n": 60, "d": 300, "alphas": (1.5,)},
    "recovery": {"n": 60, "d": 300, "alphas": (1.5,)},
    "density": {"sizes": (300,), "alphas": (1.5,), "rows_a_seed": 600},
    "phase": {},
    "noise": {},
    "forgetting": {},
    "rate": {},
    "composition-removal": {},
    "removal-map": {},
    "sampling-rate": {},
    "scale": {"sizes": (300,), "alphas": (1.5,)},
    "planted": {"ordinary": 60, "plants": 2, "models": 10, "epochs": 1},
    "protocols": {"n": 60, "models": 10, "judges": 2},
    "learners": {"n": 40, "models": 6, "judges": 2, "learners": ("logistic",)},
    "few-shot": {"classes": 20, "n": 40, "models": 10, "judges": 2},
    "influential": {"n": 60, "models": 10, "judges": 2},
    "half-precision": {"n": 60, "models": 4, "hidden": ((4,),), "epochs": (1,), "batch": (20,), "block": 2},
    "real-scores": {"n": 60, "n_test": 20, "models": 10, "epochs": 1, "block": 5},
    "language": {},
    "two-facts": {},
}
NETWORKS = {"planted", "learners", "real-scores", "half-precision", "language", "two-facts"}


def small(name):
    """The experiment, at the first cell of its smoke preset made smaller."""
    known = experiment(name)
    settings = replace(known.presets["smoke"], **SMALL[name])
    return known, settings, known.cells(settings)[0]


def test_every_experiment_is_here_but_those_of_digit_sums():
    """These make their streams by `digit_sums` and `fit` alone, see the test of a network's run."""
    trains = "train_one|digit_sums|import (epochs|fullsize)"
    networks = {name for name in names() if re.search(trains, inspect.getsource(module(name)))}
    assert set(names()) == networks | set(SMALL)
    assert not networks & set(SMALL)


def module(name):
    return sys.modules[experiment(name).run.__module__]


@pytest.fixture
def streams(monkeypatch):
    """The seed of every generator made, as numpy sees it: zeros at its end do not count."""
    made, real = [], np.random.default_rng

    def noted(seed=None):
        if seed is None:
            made.append(None)
        elif not isinstance(seed, np.random.Generator):
            words = [int(word) for word in np.atleast_1d(seed)]
            while len(words) > 1 and words[-1] == 0:
                words.pop()
            made.append(tuple(words))
        return real(seed)

    monkeypatch.setattr(np.random, "default_rng", noted)
    return made


def test_zeros_at_the_end_of_a_seed_do_not_count():
    """Why the tests here strip them: [3] and [3, 0] are one stream."""
    assert np.random.default_rng([3]).random() == np.random.default_rng([3, 0]).random()
    assert np.random.default_rng([3]).random() != np.random.default_rng([3, 1]).random()


@pytest.mark.parametrize("name", SMALL)
def test_seeds_of_an_experiment_never_share_a_stream(name, streams):
    """Of any two runs, and of any two draws within a run, each has its own stream."""
    if name in NETWORKS:
        pytest.importorskip("torch")
    known, settings, cell = small(name)
    used = {}
    for seed in (1, 2, 3, 4, 6):  # neighbours, doubles and triples: what seed + 1 or 3 * seed would meet
        streams.clear()
        known.run(settings, cell, seed, Resources())
        # a solver's own start vector is a constant, not a random draw of the run
        drawn = Counter(stream for stream in streams if stream != (0,))
        used[seed] = set(drawn)
        assert used[seed], "no stream of its own"
        assert None not in used[seed], "a stream that no seed decides"
        twice = {stream for stream, times in drawn.items() if times > 1}
        assert twice <= paired(name, seed, settings)
    for one, other in combinations(used, 2):
        assert not used[one] & used[other], (one, other)


def paired(name, seed, settings):
    """What starts alike on purpose: judges of every protocol, apart from their training sets; a network twice."""
    if name == "learners":
        return {(seed, 20, judge) for judge in range(1, 4 * settings.judges + 1)}
    return {(seed, 2, network) for network in range(1, settings.models + 1)} if name == "half-precision" else set()


def test_streams_of_a_network_run_are_apart(streams):
    """Triples, tests, glyphs and the order of every epoch: one stream each, none met in another seed."""
    used = {}
    for seed in (0, 1, 2):
        streams.clear()
        tasks.digit_sums(source="embedded", triples=20, test_triples=10, seed=seed)
        for epoch in range(4):
            train.epoch_order(20, epoch, seed=seed)
        assert len(streams) == len(set(streams)) == 7
        used[seed] = set(streams)
    assert not used[0] & used[1]
    assert not (used[0] | used[1]) & used[2]
    first, second = (images.glyphs("embedded", classes=3, seed=seed).pixels for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", ["recovery", "composition-removal"])
def test_rows_are_the_same_again_in_two_processes_and_on_two_threads(name, tmp_path, monkeypatch):
    """Repeated, spread over processes, given other threads: the same rows, to the last bit."""
    known, settings, _ = small(name)
    known = replace(known, presets={"smoke": settings}, seeds={"smoke": 2})
    monkeypatch.setattr(results, "experiment", lambda name: known)
    ways = {"once": {}, "again": {}, "processes": {"jobs": 2}, "threads": {"threads": 2}}
    rows = {}
    for way, options in ways.items():
        file = runner.run(known, "smoke", out=tmp_path / way, **options)
        rows[way] = json.dumps(results.read(file).rows)
    assert len(set(rows.values())) == 1
