"""Every picture of the linear, landscape, dispute and limits chapters can be drawn, small, and says what it shows.

Chapters draw the same functions from larger runs; a picture that breaks is found here, before the book is built.
"""

from functools import cache

import numpy as np
import pytest

from book.linear import recovery
from companion.figures import (
    composition,
    dispute,
    dispute_removal,
    figure1,
    front,
    landscape,
    landscape_handover,
    landscape_memory,
    landscape_simple,
    limits,
)
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
    race,
    representation,
    shortcut,
    size_bounds,
    spurious,
)
from companion.landscape.seeds import repeat
from companion.linear import LongTailModel
from companion.linear.switches import World
from companion.linear.symbols import symbol_losses, symbol_task
from companion.runner import results
from tests.book.pictures import well_formed

stored = cache(results.load)


@cache
def draw(alpha=2.0):
    model = LongTailModel(n=150, d=900, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
    return model, model.sample(seed=0)


@cache
def task():
    return symbol_task(n=120, slots=3, symbols=30, exponent=1.0, seed=2)


def swept(rho, kernel="product"):
    losses = symbol_losses(task(), kernel=kernel, rho=rho)
    return {"rho": rho, **losses, **{f"{key}_sd": 0.1 for key in losses}}


def table_of_shares():
    alphas, sizes = np.array([1.2, 1.6, 2.0, 2.5]), np.array([1e3, 1e5, 1e7])
    share = 1 - 0.3 / (alphas * np.log10(sizes)[:, None])
    return composition.RecoveredMap(alphas, sizes, share, np.array([1e6, 1e5, 1e4, 2e3]))


def recovered_at():
    sizes = np.array([1e3, 1e5, 1e7])
    names = ("equation", "leading order", "first term", "second term")
    curves = {name: scale * sizes**-0.5 for name, scale in zip(names, (1.0, np.nan, 3.0, 9.0), strict=True)}
    return composition.recovered_at(table_of_shares(), curves, sizes, alpha=1.6, n=1e4)


def two(run, **settings):
    return repeat(run, 2, **settings)


def spurious_runs():
    runs = {core: tuple(two(spurious.run, core=core, private=m, steps=200) for m in (300, 0)) for core in (0.1, 0.4)}
    return landscape_memory.spurious(*runs[0.1], runs)


def images():
    points = [row for row in stored("real-scores", "cpu").rows if row["kind"] == "memorized"][:3]
    shown = [dispute_removal.pixels(row["picture"]) for row in points]
    pairs = [dispute_removal.side_by_side(shown[0], image) for image in shown]
    return dispute_removal.gallery(pairs, ["a", "b", "c"], "Three pairs of images", columns=3)


def agreement():
    scores = np.random.default_rng(0).uniform(-0.2, 1, (2, 300))
    return dispute_removal.agreement(scores, ["first half", "second half"])


PICTURES = {
    # linear
    "shares": lambda: recovery.fig_shares(stored("recovery")),
    "sandwich": lambda: recovery.fig_sandwich(stored("recovery")),
    "rates": lambda: recovery.fig_rates(stored("density")),
    "graph": lambda: composition.training_graph(np.array([[0, 0], [0, 1], [1, 1], [2, 2]]), 4),
    "similarity": lambda: composition.similarity_sweep([swept(0.1), swept(0.6)], swept(0.3, "additive")),
    "predictions": lambda: composition.predictions(task(), rho=0.4, ridge=0.1),
    "solve-times": lambda: composition.solve_times(
        stored("scale").summary, {"min_norm": "ours", "lsmr": "lsmr", "sampling": "drawing"}
    ),
    "recovered-map": lambda: composition.recovered_map(table_of_shares()),
    "recovered-at": recovered_at,
    "figure1": lambda: figure1.panels(stored("figure1", "smoke")),
    "figure1-at": lambda: figure1.panels(stored("figure1", "smoke"), alpha=2.0, sigma=0.05),
    "front": lambda: front.claim(stored("forgetting")),
    "front-dial": lambda: front.dial((path := front.groups(stored("forgetting")))[-1], path),
    "one-at-a-time": lambda: limits.one_at_a_time(
        {"all hold": limits.averaged(World(), range(1)), "no labels": limits.averaged(World(labels=False), range(1))}
    ),
    "split-credit": lambda: limits.split_credit([1, 2, 3], [1.0, 0.5, 0.25], [0.98, 0.51, 0.24]),
    # landscape
    "polynomial": lambda: landscape.polynomial(
        *(two(capacity.run, counts=landscape.COUNTS, decay=decay) for decay in (1.0, 0.0))
    ),
    "labels": lambda: landscape.labels(landscape.label_runs((0.0, 1.0), seeds=2)),
    "functions": lambda: landscape_simple.functions(count=1000),
    "linear-first": lambda: landscape_simple.linear_first(two(linear_first.run)),
    "race": lambda: landscape_simple.race_curves({c: two(race.run, contexts=c) for c in (1, 2, 4)}),
    "race-state": lambda: landscape_simple.race_state(3, 4.0),
    "signal": lambda: landscape_simple.signal(
        two(deep_linear.signal_or_noise), two(deep_linear.signal_or_noise, deep=False)
    ),
    "tasks": lambda: landscape_simple.tasks(
        *({n: two(deep_linear.many_tasks, tasks=n, shared=together) for n in (1, 4)} for together in (True, False))
    ),
    "representation": lambda: landscape_simple.representation(
        two(representation.run), two(representation.run, control=True)
    ),
    "shortcut": lambda: landscape_simple.shortcut(two(shortcut.run), two(shortcut.run, simple=False)),
    "fates": lambda: landscape_memory.fates(
        {shape: {n: two(overfitting.run, shape=shape, n=n) for n in (25, 200)} for shape in overfitting.SHAPES}
    ),
    "exceptions": lambda: landscape_memory.exceptions(
        two(exceptions.run, slot_counts=(0, 20, 40)), (0, 20, 40), true_count=20
    ),
    "corrupted": lambda: landscape_memory.corrupted({d: two(corrupted.run, decay=d) for d in (0.0, 3.0)}, course=3.0),
    "spurious": spurious_runs,
    "distance": lambda: landscape_memory.distance(
        two(near_duplicates.run), two(near_duplicates.run, power=2.0, bandwidth=0.1)
    ),
    "plane": lambda: landscape_memory.plane(60, "Gaussian"),
    "celebrity": lambda: landscape_memory.celebrity(
        *({s: two(celebrity.run, share=s, given=given, steps=60) for s in (0.0, 0.5)} for given in (False, False, True))
    ),
    "episodic": lambda: landscape_memory.episodic(two(episodic.run)),
    "irrelevant": lambda: landscape_memory.irrelevant(
        {c: two(irrelevant.run, per_cluster=c, kept=(0.2, 0.4, 1.0)) for c in (1, 4)}, (0.2, 0.4, 1.0)
    ),
    "bounds": lambda: landscape_memory.bounds(
        *({w: two(size_bounds.run, width=w, subspace=s) for w in (4, 16)} for s in (None, 20))
    ),
    "handover": lambda: landscape_handover.handover(landscape_handover.runs(1)),
    # dispute
    "sampling-law": lambda: dispute.sampling_law(100),
    "score-plane": lambda: dispute.score_plane(stored("planted", "cpu")),
    "null-threshold": lambda: dispute.null_threshold_curve(0.5),
    "leaks": lambda: dispute.leak_arrows(stored("removal-map", "cpu")),
    "effect-map": lambda: dispute_removal.effect_map(stored("removal-map", "cpu")),
    "removal-parts": lambda: dispute_removal.removal_parts(stored("removal-map", "cpu"), 1500, 1.0),
    "image-effects": lambda: dispute_removal.image_effects(stored("image-removal", "cpu")),
    "three-tests": lambda: dispute_removal.three_tests(
        stored("removal-map", "cpu"), stored("composition-removal", "cpu")
    ),
    "histogram": lambda: dispute_removal.histogram(stored("real-scores", "cpu")),
    "images": images,
    "agreement": agreement,
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_and_says_its_numbers(name):
    """Proper XML with a text alternative that holds numbers, none of them unknown."""
    well_formed(PICTURES[name](), numbers=name != "images")
