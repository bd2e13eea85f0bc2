"""Made worlds, laws and curves, each against a computation that shares no line with it."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.dispute.four_flaws import cluster_law, never_left_out, plant_clusters
from book.dispute.measuring import exact_error, expected_mass, price, quoted_bound
from companion.memorization import (
    LongTailMixture,
    NearestNeighbour,
    benjamini_hochberg,
    flip_labels,
    leak,
    memorization_scores,
    nearest_correct,
    nearest_loo,
    neighbour_order,
    null_threshold,
    permutation_null,
    removal_curve,
    subset_masks,
    variance_bound,
    zipf,
)

WORLD = LongTailMixture(clusters=12, exponent=0.7, dimension=6, spread=0.2, separation=4.0, classes=3, mislabelled=0.3)


@pytest.fixture(scope="module")
def large():
    return WORLD.sample(6000, 400, seed=3, n_spare=900)


# --- worlds -----------------------------------------------------------------------------------------------


def test_clusters_come_at_their_frequencies_with_their_spread(large):
    counts = np.bincount(large.group, minlength=12)
    expected = 6000 * zipf(12, 0.7)
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected)).all()
    centres = np.stack([large.X[large.group == g].mean(0) for g in range(12)])
    inner = large.X - centres[large.group]
    assert inner.std() == pytest.approx(0.2, rel=0.02)
    assert np.sqrt((centres**2).mean()) == pytest.approx(4.0, rel=0.3)
    assert (large.X_test - centres[large.group_test]).std() == pytest.approx(0.2, rel=0.1)
    assert large.X_test.shape == (400, 6)


def test_wrong_labels_are_other_classes_alike_and_spare_points_have_them_too(large):
    assert large.wrong.mean() == pytest.approx(0.3, abs=0.03)
    shift = (large.y - large.truth)[large.wrong] % 3
    assert set(shift) == {1, 2}
    assert (shift == 1).mean() == pytest.approx(0.5, abs=0.05)
    centres = np.stack([large.X[large.group == g].mean(0) for g in range(12)])
    meaning = np.array([large.truth[large.group == g][0] for g in range(12)])
    group = ((large.X_spare[:, None] - centres) ** 2).sum(2).argmin(1)
    assert (large.y_spare != meaning[group]).mean() == pytest.approx(0.3, abs=0.06)
    assert set(meaning) == {0, 1, 2}
    np.testing.assert_array_equal(large.cluster_size, np.bincount(large.group)[large.group])


def test_no_spare_points_unless_asked_for():
    split = WORLD.sample(20, 10, seed=0)
    assert split.X_spare.shape == (0, 6)
    assert len(split.y_spare) == 0
    assert (WORLD.sample(20, 10, seed=1).X != split.X).any()


def test_planted_clusters_stand_apart_and_change_nothing_else():
    split = WORLD.sample(40, 30, seed=0)
    planted = plant_clusters(split, 4, 3, spread=0.05, seed=1)
    for name in ("X", "y", "truth", "group"):
        np.testing.assert_array_equal(getattr(planted, name)[:40], getattr(split, name))
    np.testing.assert_array_equal(planted.X_test, split.X_test)
    new, label, group = planted.X[40:], planted.y[40:], planted.group[40:]
    assert new.shape == (12, 6)
    np.testing.assert_array_equal(label, planted.truth[40:])
    assert label.min() == split.y.max() + 1, "classes of their own, without a gap"
    assert set(np.bincount(label)[label]) == {4}
    assert group.min() == max(split.group.max(), split.group_test.max()) + 1
    np.testing.assert_array_equal(np.unique(group, return_inverse=True)[1], np.unique(label, return_inverse=True)[1])
    centres = np.stack([new[label == c].mean(0) for c in np.unique(label)])
    assert np.abs(new - np.repeat(centres, 4, axis=0)).max() < 5 * 0.05
    assert (new - np.repeat(centres, 4, axis=0)).std() > 0.02
    size = np.abs(split.X).max()
    np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 10 * (1 + size), rtol=0.01)
    gaps = np.linalg.norm(new[:, None] - planted.X[None, :40], axis=2)
    assert gaps.min() > 5 * size


def test_leaks_are_as_close_as_asked_and_as_many():
    split = WORLD.sample(300, 200, seed=0)
    leaky, source = leak(split, 0.5, spread=0.3, seed=1)
    copied = source >= 0
    assert copied.sum() == 100
    moved = leaky.X_test[copied] - split.X[source[copied]]
    assert moved.std() == pytest.approx(0.3, rel=0.1)
    np.testing.assert_array_equal(leaky.group_test[copied], split.group[source[copied]])
    for name in ("y_test", "group_test"):
        np.testing.assert_array_equal(getattr(leaky, name)[~copied], getattr(split, name)[~copied])
    assert set(np.flatnonzero(copied)) != set(range(100)), "random test points"
    assert len(set(source[copied])) > 60, "random training points"
    untouched, none = leak(split, 0.0, seed=1)
    assert (none == -1).all()
    np.testing.assert_array_equal(untouched.X_test, split.X_test)
    assert (leak(split, 0.5, spread=0.3, seed=2)[1] != source).any()


def test_flips_leave_the_given_labels_alone_and_reach_every_other_class():
    y = np.zeros(3000, dtype=int)
    flipped = flip_labels(y, 0.9, 4, seed=0)
    assert (y == 0).all()
    np.testing.assert_allclose(np.bincount(flipped) / 3000, [0.1, 0.3, 0.3, 0.3], atol=0.03)
    assert (flipped != flip_labels(y, 0.9, 4, seed=1)).any()
    np.testing.assert_array_equal(flip_labels(y, 0.0, 4, seed=0), y)


# --- laws -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("r", "t"), [(0.7, 10), (0.3, 10), (0.5, 1)])
def test_bounds_by_hand(r, t):
    p = min(r, 1 - r)
    assert quoted_bound(r, t) == pytest.approx(1 / (p * t) + 1 / ((1 - p) * t) + 0.5 * math.exp(-p * t / 16))
    assert variance_bound(r, t) == pytest.approx(0.5 / ((t + 1) * r * (1 - r)))
    assert never_left_out(r, t) == pytest.approx(math.prod([r] * t))
    assert exact_error(0.8, 0.3, r, 1) == pytest.approx(0.25), "one model leaves a group empty: the estimate is 0"


def test_exact_error_by_enumeration():
    """All memberships and all outcomes of four models."""
    inside, outside, r, t = 0.9, 0.25, 0.6, 4
    error = 0.0
    for member in itertools.product((True, False), repeat=t):
        for right in itertools.product((True, False), repeat=t):
            seen, hit = np.array(member), np.array(right)
            rate = np.where(seen, inside, outside)
            weight = np.where(seen, r, 1 - r).prod() * np.where(hit, rate, 1 - rate).prod()
            estimate = hit[seen].mean() - hit[~seen].mean() if 0 < seen.sum() < t else 0.0
            error += weight * (estimate - (inside - outside)) ** 2
    assert exact_error(inside, outside, r, t) == pytest.approx(error)


@pytest.mark.parametrize(("size", "n", "m"), [(1, 6, 3), (2, 6, 3), (3, 7, 2), (3, 7, 5), (7, 7, 1)])
def test_cluster_law_counts_subsets(size, n, m):
    """Points 0..size-2 are the twins among the n-1 others."""
    subsets = list(itertools.combinations(range(n - 1), m))
    without = [s for s in subsets if not set(s) & set(range(size - 1))]
    assert cluster_law(size, n, m) == pytest.approx(len(without) / len(subsets))


def test_price_of_what_cannot_be_is_unknown():
    p = np.array([0.5, 0.5])
    assert math.isnan(price(p, 3, 4))
    assert expected_mass(p, 3, 0) == pytest.approx(1 / 8)
    np.testing.assert_allclose(zipf(4, 2.0), np.array([1, 1 / 4, 1 / 9, 1 / 16]) / (1 + 1 / 4 + 1 / 9 + 1 / 16))


# --- chance -----------------------------------------------------------------------------------------------


def test_threshold_is_the_smallest_score_that_keeps_the_rate():
    null = np.concatenate([np.random.default_rng(0).normal(size=199), [np.nan, np.nan]]).reshape(3, 67)
    for rate in (0.0, 0.01, 0.1, 0.5):
        threshold = null_threshold(null, rate)
        values = null[~np.isnan(null)]
        assert threshold in values
        assert (values > threshold).mean() <= rate
        below = values[values < threshold].max()
        assert (values > below).mean() > rate


def test_null_shuffles_models_not_points():
    """Two points that are always right together stay together; nothing is invented, and the seed decides."""
    rng = np.random.default_rng(1)
    included = subset_masks(30, 2, 1, seed=0)
    included[:, 1] = included[:, 0]
    correct = np.repeat(rng.random((30, 1)) < 0.5, 2, axis=1)
    null = permutation_null(correct, included, repeats=20, seed=5)
    assert null.shape == (20, 2)
    np.testing.assert_array_equal(null[:, 0], null[:, 1])
    assert len(set(null[:, 0])) > 3
    np.testing.assert_array_equal(null, permutation_null(correct, included, repeats=20, seed=5))
    assert (null != permutation_null(correct, included, repeats=20, seed=6)).any()
    kept = permutation_null(np.ones((8, 1), bool), subset_masks(8, 2, 1, seed=0)[:, :1], repeats=3, seed=0)
    np.testing.assert_array_equal(kept, 0)


@given(st.lists(st.sampled_from([0.001, 0.01, 0.02, 0.04, 0.05, 0.3, 1.0, math.nan]), max_size=8), st.floats(0, 1))
def test_benjamini_hochberg_is_the_step_up_rule(p, rate):
    """The largest j with p_(j) <= rate j/m, written out."""
    known = sorted(v for v in p if not math.isnan(v))
    passed = [j for j in range(1, len(known) + 1) if known[j - 1] <= rate * j / len(known)]
    cut = max(passed, default=0)
    found = benjamini_hochberg(np.array(p, dtype=float), rate)
    assert found.sum() == cut
    if cut:
        assert max(np.array(p)[found]) <= min((v for v, f in zip(p, found, strict=True) if not f and v == v), default=2)


# --- neighbours, removal ----------------------------------------------------------------------------------


def test_neighbours_are_in_order_and_ties_go_by_row_number():
    X = np.array([[0.0, 0], [3, 0], [0, 1], [0, -1], [0, 0]])
    np.testing.assert_array_equal(neighbour_order(X)[0], [4, 2, 3, 1])
    rng = np.random.default_rng(0)
    X = rng.integers(-2, 3, size=(12, 2)).astype(float)
    for i, order in enumerate(neighbour_order(X)):
        brute = sorted((j for j in range(12) if j != i), key=lambda j: (((X[i] - X[j]) ** 2).sum(), j))
        assert list(order) == brute


def test_subsets_are_judged_by_their_nearest_member():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(9, 2)), rng.integers(2, size=9)
    included = subset_masks(25, 9, 2, seed=0)
    correct = nearest_correct(neighbour_order(X), y, included)
    for mask, right in zip(included, correct, strict=True):
        model = NearestNeighbour(X[mask], y[mask], X)
        np.testing.assert_array_equal(right, model.predict() == y)
    with pytest.raises(ValueError, match="at least one point in every row"):
        nearest_correct(neighbour_order(X), y, np.zeros((1, 9), dtype=bool))


def test_nearest_loo_is_refitting_without_each_point():
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(25, 3)), rng.integers(3, size=25)
    for i, score in enumerate(nearest_loo(X, y)):
        rest = np.arange(25) != i
        assert score == float(NearestNeighbour(X[rest], y[rest], X[i : i + 1]).predict()[0] != y[i])


def test_accuracy_is_the_share_of_right_labels():
    model = NearestNeighbour(np.array([[0.0], [1.0]]), np.array([5, 7]), np.array([[0.1], [0.4], [0.9], [2.0]]))
    np.testing.assert_array_equal(model.predict(), [5, 5, 7, 7])
    assert model.accuracy(np.array([5, 7, 7, 7])) == 0.75
    assert model.accuracy(np.array([5, 7, 7, 7]), np.array([False, True])) == 0.75
    assert model.accuracy(np.array([5, 5, 5, 7]), np.array([True, False])) == 0.75


def test_removal_curve_averages_its_controls():
    """Point 0 is worth everything: removing it costs 1, and random sets of two among five hold it 2 times in 5."""
    scores = np.array([0.9, 0.9, 0.1, 0.0, math.nan])

    def accuracy(keep):
        return float(keep[0])

    inclusive, nothing, everything = removal_curve(scores, [0.9, 0.91, -1.0], accuracy, controls=800, seed=0)
    assert (inclusive.threshold, inclusive.removed, inclusive.memorized, inclusive.baseline) == (0.9, 2, 0.0, 1.0)
    assert inclusive.random == pytest.approx(0.6, abs=0.06)
    assert inclusive.effect == inclusive.memorized - inclusive.random
    assert (nothing.removed, nothing.memorized, nothing.random) == (0, 1.0, 1.0)
    assert everything.removed == 4, "an unknown score is never removed"
    full = removal_curve(np.ones(3), [0.5], accuracy, controls=1, seed=0)[0]
    assert full.removed == 3
    assert math.isnan(full.memorized)
    assert math.isnan(full.random)
    assert full.baseline == 1.0
    again = removal_curve(scores, [0.9], accuracy, controls=7, seed=1)
    assert again == removal_curve(scores, [0.9], accuracy, controls=7, seed=1)


def test_scores_by_hand():
    correct = np.array([[True], [True], [False], [True]])
    included = np.array([[True], [True], [True], [False]])
    assert memorization_scores(correct, included)[0] == pytest.approx(2 / 3 - 1)


def test_a_single_pvalue_is_held_against_the_whole_rate():
    assert benjamini_hochberg([0.04, np.nan], 0.05).tolist() == [True, False]
    assert benjamini_hochberg([np.nan], 0.05).tolist() == [False]


def test_unbounded_numbers_are_said_to_be_finite_or_nan():
    with pytest.raises(ValueError, match=r"scores must hold finite numbers or NaN, got inf"):
        removal_curve([np.inf], [0.5], np.mean, controls=1, seed=0)
