"""Every picture of the linear, landscape, dispute and limits chapters can be drawn, small, and says what it shows.

Chapters draw the same functions from larger runs; a picture that breaks is found here, before the book is built.
"""

from functools import cache

import numpy as np
import pytest

from companion.figures import (
    dispute,
    dispute_removal,
    landscape,
    landscape_handover,
    landscape_memory,
    landscape_simple,
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
from companion.runner import results
from tests.book.pictures import well_formed

stored = cache(results.load)


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
