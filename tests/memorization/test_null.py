"""Thresholds and p-values: calibrated when nothing is memorized, alert when something is."""

import numpy as np
import pytest
from scipy import stats

from companion.memorization import (
    benjamini_hochberg,
    exact_pvalues,
    memorization_scores,
    null_threshold,
    permutation_null,
    subset_masks,
)


@pytest.fixture(scope="module")
def models():
    """300 models, 400 points; the first 40 are memorized (right only if seen), the others are right 80% of the time."""
    rng = np.random.default_rng(0)
    included = subset_masks(300, 400, 280, seed=1)
    correct = rng.random(included.shape) < 0.8
    correct[:, :40] = included[:, :40] | (rng.random((300, 40)) < 0.3)
    return correct, included


def test_exact_pvalues_are_fishers(models):
    correct, included = models
    p = exact_pvalues(correct, included)
    for i in (0, 100, 399):
        c, m = correct[:, i], included[:, i]
        table = [[(c & m).sum(), (~c & m).sum()], [(c & ~m).sum(), (~c & ~m).sum()]]
        assert p[i] == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-9)


def test_exact_pvalues_are_the_limit_of_permutation(models):
    correct, included = models
    point = slice(60, 61)
    null = permutation_null(correct[:, point], included[:, point], repeats=4000, seed=2)
    seen = memorization_scores(correct[:, point], included[:, point])
    share = (null >= seen - 1e-12).mean()
    assert share == pytest.approx(exact_pvalues(correct[:, point], included[:, point])[0], abs=0.03)


def test_threshold_keeps_the_error_rate_and_finds_the_memorized(models):
    correct, included = models
    null = permutation_null(correct, included, repeats=50, seed=3)
    threshold = null_threshold(null, 0.001)
    scores = memorization_scores(correct, included)
    assert (scores[:40] > threshold).all()
    assert (scores[40:] > threshold).mean() < 0.02


def test_false_discoveries_are_few(models):
    found = benjamini_hochberg(exact_pvalues(*models), 0.05)
    assert found[:40].all()
    assert found[40:].sum() <= 6


def test_benjamini_hochberg_by_hand():
    p = np.array([0.01, 0.02, 0.2, np.nan, 0.9])
    np.testing.assert_array_equal(benjamini_hochberg(p, 0.05), [True, True, False, False, False])
    assert not benjamini_hochberg(np.array([np.nan]), 0.05).any()


def test_empty_null_and_bad_rate_are_named():
    with pytest.raises(ValueError, match="null must hold"):
        null_threshold(np.array([np.nan]), 0.01)
    with pytest.raises(ValueError, match="error_rate"):
        null_threshold(np.zeros(3), 2)


def test_points_never_left_out_have_no_pvalue():
    assert np.isnan(exact_pvalues(np.ones((3, 1), bool), np.ones((3, 1), bool))).all()
