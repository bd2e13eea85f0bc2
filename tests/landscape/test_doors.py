"""What holds for all demonstrations: seeds decide everything, wrong arguments are refused by name, no heavy imports."""

import subprocess
import sys

import numpy as np
import pytest

from book.shared.ledger import ledger
from companion.landscape import (
    capacity,
    celebrity,
    corrupted,
    deep_linear,
    episodic,
    exceptions,
    irrelevant,
    linear_first,
    near_duplicates,
    overfitting,
    parameter_function,
    race,
    random_labels,
    representation,
    shortcut,
    size_bounds,
    spurious,
)
from companion.landscape.seeds import repeat, spread

SMALL = {
    "capacity": (capacity.run, {"counts": (3, 15)}),
    "random_labels": (random_labels.run, {"n": 40, "width": 8, "max_epochs": 3}),
    "parameter_function": (parameter_function.run, {"count": 1000}),
    "linear_first": (linear_first.run, {"n": 200, "epochs": 2}),
    "race": (race.run, {"steps": 20}),
    "signal_or_noise": (deep_linear.signal_or_noise, {"steps": 20, "size": 10}),
    "many_tasks": (deep_linear.many_tasks, {"steps": 20}),
    "representation": (representation.run, {"n": 64, "epochs": 1}),
    "shortcut": (shortcut.run, {"n": 64, "epochs": 1}),
    "overfitting": (overfitting.run, {"n": 10}),
    "exceptions": (exceptions.run, {"n": 60, "d": 5, "slot_counts": (0, 6)}),
    "spurious": (spurious.run, {"n": 40, "steps": 300, "core": 0.2}),
    "corrupted": (corrupted.run, {"p": 7, "width": 16, "steps": 10}),
    "near_duplicates": (near_duplicates.run, {"n": 60, "fresh": 100, "copies": 5}),
    "celebrity": (celebrity.run, {"steps": 10}),
    "episodic": (episodic.run, {"pairs": 20, "d": 30}),
    "irrelevant": (irrelevant.run, {"clusters": 20}),
    "size_bounds": (size_bounds.run, {"width": 4, "n": 80, "epochs": 1}),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_everything(name):
    demo, settings = SMALL[name]
    first, again, other = (demo(seed=seed, **settings) for seed in (3, 3, 4))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
    assert any(not np.array_equal(first[key], other[key], equal_nan=True) for key in first)


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_is_required(name):
    demo, settings = SMALL[name]
    with pytest.raises(TypeError, match="seed"):
        demo(**settings)


@pytest.mark.parametrize(
    ("demo", "settings", "named"),
    [
        (capacity.run, {"decay": -1.0}, "decay"),
        (capacity.run, {"counts": (0,)}, "counts"),
        (random_labels.run, {"share": 1.5}, "share"),
        (parameter_function.run, {"activation": "sine"}, "activation"),
        (race.run, {"contexts": 7}, "contexts"),
        (deep_linear.many_tasks, {"tasks": 21}, "tasks"),
        (overfitting.run, {"shape": "flat"}, "shape"),
        (exceptions.run, {"share": 0.9}, "share"),
        (corrupted.run, {"decay": -1.0}, "decay"),
        (spurious.run, {"private": -1}, "private"),
        (near_duplicates.run, {"power": 3.0}, "power"),
        (celebrity.run, {"share": 2.0}, "share"),
        (irrelevant.run, {"fixed": 500}, "fixed"),
        (size_bounds.run, {"subspace": 0}, "subspace"),
    ],
)
def test_wrong_arguments_are_refused_by_name(demo, settings, named):
    with pytest.raises(ValueError, match=named):
        demo(seed=0, **settings)


def test_repeat_stacks_seeds_first_and_needs_one():
    runs = repeat(episodic.run, (5, 7), pairs=10, d=12)
    assert runs["forward"].shape == (2,)
    assert runs["forward"][1] == episodic.run(seed=7, pairs=10, d=12)["forward"]
    with pytest.raises(ValueError, match="at least one seed"):
        repeat(episodic.run, 0)


def test_spread_of_one_run_is_unknown():
    mean, sd = spread(np.array([[1.0, 2.0]]))
    assert list(mean) == [1, 2]
    assert np.isnan(sd).all()


def test_the_landscape_imports_nothing_heavy():
    """The demonstrations are numpy: no torch, no drawing, no notebook comes with them."""
    modules = sorted({demo.__module__ for demo, _ in SMALL.values()})
    code = (
        f"import sys, {', '.join(modules)};"
        "print([m for m in ('torch', 'matplotlib', 'IPython', 'ipywidgets', 'companion.linear') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_at_least_sixteen_demonstrations_each_with_its_functions():
    demonstrations = [claim for claim in ledger() if claim.chapter.startswith("book/landscape/")]
    assert len(demonstrations) >= 16
    assert all(claim.label.startswith("demo-") for claim in demonstrations)
    assert all(claim.source == "published elsewhere" and claim.functions for claim in demonstrations)
