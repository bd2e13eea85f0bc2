"""Every picture of the linear, landscape, dispute and limits chapters can be drawn, small, and says what it shows.

Chapters draw the same functions from larger runs; a picture that breaks is found here, before the book is built.
"""

from functools import cache

import numpy as np
import pytest

from book.landscape import classical, simple_wins
from book.landscape import harmless_needed_harmful as memory
from book.shared.seeds import repeat
from companion.figures import (
    dispute,
    dispute_removal,
)
from companion.runner import results
from tests.book.pictures import well_formed

stored = cache(results.load)


def two(run, **settings):
    return repeat(run, 2, **settings)


def spurious_runs():
    runs = {core: tuple(two(memory.spurious, core=core, private=m, steps=200) for m in (300, 0)) for core in (0.1, 0.4)}
    return memory.fig_spurious(*runs[0.1], runs)


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
    "polynomial": lambda: classical.fig_polynomial(
        *(two(classical.capacity, counts=classical.COUNTS, decay=decay) for decay in (1.0, 0.0))
    ),
    "labels": lambda: classical.fig_labels(classical.label_runs((0.0, 1.0), seeds=2)),
    "functions": lambda: simple_wins.fig_functions(count=1000),
    "linear-first": lambda: simple_wins.fig_linear(two(simple_wins.linear_first)),
    "race": lambda: simple_wins.fig_race({c: two(simple_wins.race, contexts=c) for c in (1, 2, 4)}),
    "race-state": lambda: simple_wins.race_state(3, 4.0),
    "signal": lambda: simple_wins.fig_signal(
        two(simple_wins.signal_or_noise), two(simple_wins.signal_or_noise, deep=False)
    ),
    "tasks": lambda: simple_wins.fig_tasks(
        *({n: two(simple_wins.many_tasks, tasks=n, shared=together) for n in (1, 4)} for together in (True, False))
    ),
    "representation": lambda: simple_wins.fig_representation(
        two(simple_wins.representation), two(simple_wins.representation, control=True)
    ),
    "shortcut": lambda: simple_wins.fig_shortcut(two(simple_wins.shortcut), two(simple_wins.shortcut, simple=False)),
    "fates": lambda: memory.fig_fates(
        {shape: {n: two(memory.overfitting, shape=shape, n=n) for n in (25, 200)} for shape in memory.SHAPES}
    ),
    "exceptions": lambda: memory.fig_exceptions(
        two(memory.exceptions, slot_counts=(0, 20, 40)), (0, 20, 40), true_count=20
    ),
    "corrupted": lambda: memory.fig_corrupted({d: two(memory.corrupted, decay=d) for d in (0.0, 3.0)}, course=3.0),
    "spurious": spurious_runs,
    "distance": lambda: memory.fig_distance(
        two(memory.near_duplicates), two(memory.near_duplicates, power=2.0, bandwidth=0.1)
    ),
    "plane": lambda: memory.plane(60, "Gaussian"),
    "celebrity": lambda: memory.fig_celebrity(
        *(
            {s: two(memory.celebrity, share=s, given=given, steps=60) for s in (0.0, 0.5)}
            for given in (False, False, True)
        )
    ),
    "episodic": lambda: memory.fig_episodic(two(memory.episodic)),
    "irrelevant": lambda: memory.fig_irrelevant(
        {c: two(memory.irrelevant, per_cluster=c, kept=(0.2, 0.4, 1.0)) for c in (1, 4)}, (0.2, 0.4, 1.0)
    ),
    "bounds": lambda: memory.fig_bounds(
        *({w: two(memory.size_bounds, width=w, subspace=s) for w in (4, 16)} for s in (None, 20))
    ),
    "handover": lambda: memory.fig_handover(repeat(memory.contrast, 1)),
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
