"""Figures are drawn from plain arrays and say their numbers in words."""

import numpy as np

from companion.figures import dispute, dispute_removal
from companion.memorization import exact_error


def test_tail_price_says_its_numbers():
    shown = dispute.tail_price([0.0, 1.0, 2.0])
    assert 'role="img"' in shown.svg
    assert "0.368" in shown.alt


def test_error_figure_takes_simulated_dots():
    dots = {(0.7, 10): exact_error(0.5, 0.5, 0.7, 10) ** 0.5}
    assert "rate 0.7" in dispute.score_error((0.7,), (10, 100), dots).alt


def test_null_level_is_the_quantile_of_scores_of_chance():
    """Falls with the number of models, and is larger where few models leave a point out."""
    levels = [dispute.null_level(0.5, 0.7, t) for t in (50, 400, 2000)]
    assert levels[0] > levels[1] > levels[2]
    assert dispute.null_level(0.5, 0.95, 400) > levels[1]
    assert abs(levels[2] - 3.09 * np.sqrt(0.25 / (2000 * 0.21))) < 0.005


def test_gallery_shows_captions_in_its_text():
    shown = dispute_removal.gallery([np.eye(8)] * 3, ["a\n1", "b", "c"], "Three pictures", columns=2)
    assert shown.alt == "Three pictures: a, 1; b; c."
    assert shown.svg.count("<image") == 3
