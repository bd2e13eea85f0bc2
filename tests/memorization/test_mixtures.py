"""The made worlds hold what they promise; frequencies and prices add up."""

import numpy as np
import pytest

from book.dispute.four_flaws import cluster_law, plant_clusters
from book.dispute.measuring import expected_count, expected_mass, price
from companion.memorization import (
    LongTailMixture,
    flip_labels,
    leak,
    long_tailed_rows,
    nearest_loo,
    nearest_subset_scores,
    zipf,
)


@pytest.fixture(scope="module")
def split():
    return LongTailMixture().sample(600, 500, seed=0, n_spare=50)


def test_sample_has_its_shapes_noise_and_clean_test_labels(split):
    assert split.X.shape == (600, 20)
    assert split.X_spare.shape == (50, 20)
    assert split.wrong.mean() == pytest.approx(0.05, abs=0.03)
    meaning = dict(zip(split.group, split.truth, strict=True))
    shared = [j for j, g in enumerate(split.group_test) if g in meaning]
    assert len(shared) > 100
    assert all(split.y_test[j] == meaning[split.group_test[j]] for j in shared)
    again = LongTailMixture().sample(600, 500, seed=0, n_spare=50)
    np.testing.assert_array_equal(split.X, again.X)


def test_planted_clusters_follow_the_law_exactly(split):
    planted = plant_clusters(split, 3, 5, seed=1)
    n = len(planted.y)
    m = round(0.7 * n)
    np.testing.assert_allclose(nearest_subset_scores(planted.X, planted.y, m)[-15:], cluster_law(3, n, m), atol=1e-12)
    assert (nearest_loo(planted.X, planted.y)[-15:] == 0).all()
    assert cluster_law(1, n, m) == 1
    assert cluster_law(3, n, m) < 0.3**2


def test_leaks_copy_training_points_and_their_labels(split):
    leaky, source = leak(split, 0.1, seed=2)
    copied = np.flatnonzero(source >= 0)
    assert len(copied) == 50
    np.testing.assert_array_equal(leaky.y_test[copied], split.y[source[copied]])
    assert np.abs(leaky.X_test[copied] - split.X[source[copied]]).max() < 0.2
    rest = source < 0
    np.testing.assert_array_equal(leaky.X_test[rest], split.X_test[rest])


def test_flips_change_exactly_the_share_asked_for():
    y = np.arange(100) % 10
    flipped = flip_labels(y, 0.2, 10, seed=0)
    assert (flipped != y).sum() == 20
    assert set(flipped) <= set(range(10))


def test_long_tailed_rows_have_the_counts_asked_for():
    labels = np.repeat(np.arange(10), 100)
    rows = long_tailed_rows(labels, 200, 1.0, seed=0)
    counts = np.bincount(labels[rows], minlength=10)
    assert len(set(rows)) == 200
    assert (np.diff(counts) <= 0).all()
    np.testing.assert_allclose(counts, 200 * zipf(10, 1.0), atol=1)
    steep = np.bincount(labels[long_tailed_rows(labels, 60, 3.0, seed=0)], minlength=10)
    assert steep.min() == 1
    assert steep.sum() == 60
    with pytest.raises(ValueError, match="has only 100"):
        long_tailed_rows(labels, 900, 1.0, seed=0)


def test_counts_masses_and_prices_against_drawing():
    p = zipf(40, 1.0)
    rng = np.random.default_rng(0)
    counts = rng.multinomial(30, p, size=20_000)
    for times in (0, 1, 2):
        hit = counts == times
        assert expected_count(p, 30, times) == pytest.approx(hit.sum(1).mean(), rel=0.02)
        assert expected_mass(p, 30, times) == pytest.approx((hit * p).sum(1).mean(), rel=0.02)
    assert price(p, 30, 1) == pytest.approx(expected_mass(p, 30, 1) / expected_count(p, 30, 1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: LongTailMixture(mislabelled=1.2), "mislabelled"),
        (lambda: LongTailMixture(classes=1), "classes"),
        (lambda: expected_count(np.array([0.5, 0.6]), 3, 1), "summing to 1"),
        (lambda: flip_labels(np.arange(3), -0.1, 3, seed=0), "share"),
    ],
)
def test_mistakes_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
