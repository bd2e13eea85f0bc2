"""The estimator: its formula, its empty groups, its exact error, and what it is unbiased for."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from book.dispute.measuring import exact_error, quoted_bound
from companion.memorization import (
    Recipe,
    ensemble_correct,
    fractional,
    group_rates,
    influence_scores,
    influential_pairs,
    memorization_scores,
    nearest_correct,
    nearest_loo,
    nearest_subset_scores,
    neighbour_order,
    standard_errors,
    subset_masks,
    variance_bound,
)
from companion.neural.images import digit_rows

pairs = st.integers(1, 7).flatmap(
    lambda t: st.integers(1, 5).flatmap(lambda n: st.tuples(hnp.arrays(bool, (t, n)), hnp.arrays(bool, (t, n))))
)


@given(pairs)
@settings(max_examples=60, deadline=None)
def test_scores_are_the_two_means_written_out(pair):
    """The vectorised formula against a loop, NaN (never 0) for a group without models."""
    correct, included = pair
    got = memorization_scores(correct, included, block=2)
    for i in range(correct.shape[1]):
        seen, unseen = correct[included[:, i], i], correct[~included[:, i], i]
        if len(seen) and len(unseen):
            assert got[i] == pytest.approx(seen.mean() - unseen.mean(), abs=1e-12)
        else:
            assert np.isnan(got[i])


@given(pairs)
@settings(max_examples=40, deadline=None)
def test_influence_on_the_training_points_themselves_has_the_scores_on_its_diagonal(pair):
    correct, included = pair
    diagonal = np.diag(influence_scores(correct, included))
    np.testing.assert_allclose(diagonal, memorization_scores(correct, included), atol=1e-6)


def test_scores_agree_with_the_public_code_on_the_same_models_and_masks():
    """Masked averages as Feldman and Zhang's MNIST example writes them, with its guard of 1e-10, on trained models.

    Where a group is empty the public code says 0 for its rate; here that is unknown.
    """
    pytest.importorskip("torch")
    X, y = digit_rows("embedded", train=True, side=7, root=None)
    X, y, X_test, y_test = X[:60], y[:60], X[60:100], y[60:100]
    included = subset_masks(24, 60, 42, seed=0)
    recipe = Recipe(hidden=(), epochs=4, batch=14)
    correct, test_correct = ensemble_correct(X, y, included, X_test, y_test, recipe=recipe, seed=0, classes=10)
    included[:, 0] = True  # a point that is never left out

    def masked_average(x, mask):
        return (x * mask).sum(axis=0) / (mask.sum(axis=0) + 1e-10)

    def masked_dot(x, mask):
        return x.T @ mask / (mask.sum(axis=0, keepdims=True) + 1e-10)

    out = ~included
    memorized = masked_average(correct, included) - masked_average(correct, out)
    influence = masked_dot(test_correct.astype(float), included.astype(float))
    influence -= masked_dot(test_correct.astype(float), out.astype(float))
    known = out.any(axis=0)
    assert known.sum() == 59
    np.testing.assert_allclose(memorization_scores(correct, included)[known], memorized[known], atol=1e-9)
    np.testing.assert_allclose(influence_scores(test_correct, included)[:, known], influence[:, known], atol=1e-6)
    assert np.isnan(memorization_scores(correct, included)[0])
    assert memorized[0] == pytest.approx(correct[:, 0].mean(), abs=1e-9)
    assert memorized[0] > 0


def test_influential_pairs_are_those_of_the_full_matrix_largest_first():
    rng = np.random.default_rng(0)
    test_correct, included = rng.random((40, 30)) < 0.7, rng.random((40, 25)) < 0.6
    full = influence_scores(test_correct, included)
    tests, trains, values = influential_pairs(test_correct, included, 0.2, block=7)
    assert len(values) == (full >= 0.2).sum() > 0
    np.testing.assert_array_equal(full[tests, trains], values)
    assert (np.diff(values) <= 0).all()


def test_unbiased_for_equal_sized_subsets_not_for_the_definition():
    """All subsets of a tiny training set: the expectation is the (m, m) quantity and differs from (m, m-1)."""
    rng = np.random.default_rng(1)
    n, m = 7, 4
    X, y = rng.normal(size=(n, 2)), rng.integers(2, size=n)
    masks = np.zeros((35, n), dtype=bool)
    for row, chosen in zip(masks, itertools.combinations(range(n), m), strict=True):
        row[list(chosen)] = True
    correct = nearest_correct(neighbour_order(X), y, masks)
    rates = group_rates(correct, masks)
    np.testing.assert_allclose(rates.inside - rates.outside, nearest_subset_scores(X, y, m), atol=1e-12)
    definition = nearest_subset_scores(X, y, m, without=m - 1)
    assert np.abs(definition - nearest_subset_scores(X, y, m)).max() > 0.01


def test_full_size_without_the_point_is_leave_one_out():
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(40, 3)), rng.integers(3, size=40)
    np.testing.assert_allclose(nearest_subset_scores(X, y, 39), nearest_loo(X, y), atol=1e-12)


def test_exact_error_agrees_with_simulation_and_lies_below_both_bounds():
    rng = np.random.default_rng(3)
    r, t, inside, outside = 0.7, 12, 0.9, 0.4
    included = rng.random((t, 200_000)) < r
    correct = rng.random(included.shape) < np.where(included, inside, outside)
    estimate = np.nan_to_num(memorization_scores(correct, included))
    simulated = ((estimate - (inside - outside)) ** 2).mean()
    assert simulated == pytest.approx(exact_error(inside, outside, r, t), rel=0.02)
    assert simulated < variance_bound(r, t) < quoted_bound(r, t)


@given(st.floats(0.01, 0.99), st.integers(1, 400))
@settings(max_examples=200, deadline=None)
def test_our_bound_lies_between_the_worst_exact_error_and_the_quoted_bound(r, t):
    """For every rate and number of models, the two extreme kinds of point included."""
    worst = max(exact_error(a, b, r, t) for a in (0, 0.25, 0.5, 0.75, 1) for b in (0, 0.25, 0.5, 0.75, 1))
    assert worst <= variance_bound(r, t) * (1 + 1e-9) <= quoted_bound(r, t)


def test_standard_errors_match_the_spread_of_scores():
    rng = np.random.default_rng(4)
    included = subset_masks(200, 3000, 2100, seed=0)
    correct = rng.random(included.shape) < np.where(included, 0.8, 0.3)
    spread = memorization_scores(correct, included).std()
    assert standard_errors(correct, included).mean() == pytest.approx(spread, rel=0.05)
    assert np.isnan(standard_errors(included[:1], included[:1])).all()
    always = np.ones((100, 1), dtype=bool)
    assert 0 < standard_errors(always, subset_masks(100, 2, 1, seed=0)[:, :1])[0] < 0.05


@given(
    hnp.arrays(float, (6,), elements=st.floats(0, 1)),
    st.floats(0.05, 1),
)
def test_fractional_score_is_a_function_of_the_relative_score(outside, inside):
    q = (inside - outside) / inside
    np.testing.assert_allclose(fractional(np.full(6, inside), outside), q / (2 - q), atol=1e-9)


def test_fractional_score_of_never_right_is_nan():
    assert np.isnan(fractional(np.zeros(1), np.zeros(1))).all()


def test_masks_have_the_size_asked_for_and_follow_the_seed():
    masks = subset_masks(20, 50, 35, seed=7)
    assert (masks.sum(1) == 35).all()
    np.testing.assert_array_equal(masks, subset_masks(20, 50, 35, seed=7))
    assert (masks != subset_masks(20, 50, 35, seed=8)).any()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: memorization_scores(np.ones((2, 3)), np.ones((2, 3), bool)), TypeError, "correct must hold booleans"),
        (lambda: memorization_scores(np.ones((2, 3), bool), np.ones((2, 4), bool)), ValueError, "one shape"),
        (lambda: memorization_scores(np.ones((0, 3), bool), np.ones((0, 3), bool)), ValueError, "non-empty"),
        (lambda: influence_scores(np.ones((2, 3), bool), np.ones((3, 3), bool)), ValueError, "one row a model"),
        (lambda: subset_masks(3, 4, 5, seed=0), ValueError, "m must be in"),
        (lambda: variance_bound(1.0, 5), ValueError, "r must be below 1"),
    ],
)
def test_mistakes_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
