"""Exact scores against refitting, one row at a time."""

import numpy as np
import pytest

from companion.memorization import (
    NearestNeighbour,
    first_neighbour_law,
    nearest_loo,
    removal_curve,
)


def test_nearest_neighbour_leave_one_out_by_hand():
    X = np.array([[0.0], [1.0], [1.1], [5.0]])
    np.testing.assert_array_equal(nearest_loo(X, np.array([0, 1, 1, 1])), [1, 0, 0, 0])


def test_law_of_the_nearest_included_neighbour_against_drawing():
    rng = np.random.default_rng(0)
    first = [rng.permutation(9)[:4].min() for _ in range(40_000)]
    np.testing.assert_allclose(np.bincount(first, minlength=9) / 40_000, first_neighbour_law(9, 4), atol=0.01)
    assert first_neighbour_law(60_000, 42_000).sum() == pytest.approx(1, abs=1e-12)


def test_removal_equals_refitting_without_the_points():
    rng = np.random.default_rng(1)
    X, y, Q, q = rng.normal(size=(30, 2)), rng.integers(2, size=30), rng.normal(size=(50, 2)), rng.integers(2, size=50)
    keep = rng.random(30) < 0.5
    model = NearestNeighbour(X, y, Q)
    np.testing.assert_array_equal(model.predict(keep), NearestNeighbour(X[keep], y[keep], Q).predict())
    with pytest.raises(ValueError, match="at least one"):
        model.accuracy(q, np.zeros(30, dtype=bool))


def test_removal_curve_counts_controls_and_ends():
    """As many random points as memorized ones; nothing removed is the baseline; NaN scores stay in."""
    scores = np.array([0.9, 0.5, 0.1, np.nan])
    removed = []

    def accuracy(keep):
        removed.append(int((~keep).sum()))
        return float(keep.mean())

    curve = removal_curve(scores, [0.95, 0.4], accuracy, controls=3, seed=0)
    assert [point.removed for point in curve] == [0, 2]
    assert removed == [0, 2, 2, 2, 2]
    assert curve[0].effect == 0
    assert curve[1].memorized == 0.5
