"""Figures are drawn from plain arrays and say their numbers in words."""

from functools import cache

import numpy as np
import pytest

from book.dispute import four_flaws, measuring, who_is_right
from companion.runner import results
from tests.book.pictures import well_formed

stored = cache(results.load)


def test_tail_price_says_its_numbers():
    shown = measuring.fig_tail_price([0.0, 1.0, 2.0])
    assert 'role="img"' in shown.svg
    assert "0.368" in shown.alt


def test_error_figure_takes_simulated_dots():
    dots = {(0.7, 10): measuring.exact_error(0.5, 0.5, 0.7, 10) ** 0.5}
    assert "rate 0.7" in measuring.fig_score_error((0.7,), (10, 100), dots).alt


def test_null_level_is_the_quantile_of_scores_of_chance():
    """Falls with the number of models, and is larger where few models leave a point out."""
    levels = [four_flaws.null_level(0.5, 0.7, t) for t in (50, 400, 2000)]
    assert levels[0] > levels[1] > levels[2]
    assert four_flaws.null_level(0.5, 0.95, 400) > levels[1]
    assert abs(levels[2] - 3.09 * np.sqrt(0.25 / (2000 * 0.21))) < 0.005


def test_gallery_shows_captions_in_its_text():
    shown = measuring.gallery([np.eye(8)] * 3, ["a\n1", "b", "c"], "Three pictures", columns=2)
    assert shown.alt == "Three pictures: a, 1; b; c."
    assert shown.svg.count("<image") == 3


def images():
    points = [row for row in stored("real-scores", "cpu").rows if row["kind"] == "memorized"][:3]
    shown = [measuring.pixels(row["picture"]) for row in points]
    pairs = [measuring.side_by_side(shown[0], image) for image in shown]
    return measuring.gallery(pairs, ["a", "b", "c"], "Three pairs of images", columns=3)


def agreement():
    scores = np.random.default_rng(0).uniform(-0.2, 1, (2, 300))
    return measuring.fig_agreement(scores, ["first half", "second half"])


PICTURES = {
    "sampling-law": lambda: four_flaws.fig_sampling_law(100),
    "score-plane": lambda: four_flaws.fig_score_plane(stored("planted", "cpu")),
    "null-threshold": lambda: four_flaws.null_threshold_curve(0.5),
    "leaks": lambda: four_flaws.fig_leak(stored("removal-map", "cpu")),
    "turns": lambda: four_flaws.fig_turns(MNIST=stored("protocols", "cpu"), Omniglot=stored("few-shot", "cpu")),
    "few-shot": lambda: who_is_right.fig_protocols(stored("few-shot", "cpu")),
    "influential": lambda: who_is_right.fig_influential(stored("influential", "cpu")),
    "composed": lambda: who_is_right.fig_composed(stored("composed", "cpu")),
    "effect-map": lambda: who_is_right.fig_removal_map(stored("removal-map", "cpu")),
    "removal-parts": lambda: who_is_right.fig_removal_parts(stored("removal-map", "cpu"), 1500, 1.0),
    "protocols": lambda: who_is_right.fig_protocols(stored("protocols", "cpu")),
    "learners": lambda: who_is_right.fig_learners(stored("learners", "cpu")),
    "steps": lambda: who_is_right.fig_steps(stored("protocols", "cpu")),
    "three-tests": lambda: who_is_right.fig_three_tests(
        stored("removal-map", "cpu"), stored("composition-removal", "cpu")
    ),
    "histogram": lambda: measuring.fig_histogram(stored("real-scores", "cpu")),
    "images": images,
    "agreement": agreement,
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_and_says_its_numbers(name):
    """Proper XML with a text alternative that holds numbers, none of them unknown."""
    well_formed(PICTURES[name](), numbers=name != "images")
