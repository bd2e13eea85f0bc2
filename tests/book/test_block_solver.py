"""The readable block solver and the size of its blocks."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from book.shared.block_solver import block_min_norm, branching, component_bound, expected_branching
from companion.linear import LongTailModel, components, min_norm


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_any_core_any_rank_noisy_labels(seed: int) -> None:
    """Exact whatever the core: empty, everything, or a random part; repeated and empty columns included."""
    rng = np.random.default_rng(seed)
    n, d = rng.integers(1, 9), rng.integers(1, 11)
    X = rng.choice([-1.0, 0.0, 0.0, 1.0], size=(n, d))
    X[:, -1] = X[:, 0]
    y = rng.normal(size=n)
    exact = np.linalg.pinv(X, rcond=1e-10) @ y
    for core in (np.zeros(d, bool), np.ones(d, bool), rng.random(d) < 0.5):
        found = block_min_norm(sp.csr_array(X), y, core=core).beta
        np.testing.assert_allclose(found, exact, atol=1e-9)


def test_agrees_with_the_package_on_a_long_tail() -> None:
    model = LongTailModel(n=600, d=6000, s=5.0, alpha=1.8, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=0)
    found = block_min_norm(sample.X, sample.y, core=np.arange(model.d) < model.k)
    np.testing.assert_allclose(found.beta, min_norm(sample.X, sample.y), atol=1e-9)
    assert found.core == model.k
    assert found.free == 0
    assert found.largest < 60  # blocks, not one giant component


def test_without_the_repair_two_equal_columns_are_wrong() -> None:
    X, y, core = np.array([[1.0, 1.0]]), np.array([3.0]), np.array([True, False])
    np.testing.assert_allclose(block_min_norm(X, y, core=core).beta, [1.5, 1.5])
    np.testing.assert_allclose(block_min_norm(X, y, core=core, repair=False).beta, [0.0, 3.0])


def test_branching_is_the_mean_number_of_neighbours() -> None:
    """Counted directly: rows that share a tail feature with a row, once for each shared feature."""
    rng = np.random.default_rng(0)
    X = (rng.random((30, 20)) < 0.08).astype(float)
    core = np.arange(20) < 4
    shared = X[:, ~core] @ X[:, ~core].T
    assert branching(X, core) == pytest.approx((shared.sum() - np.trace(shared)) / 30)


def test_expected_branching_bounds_the_mean_branching() -> None:
    model = LongTailModel(n=500, d=5000, s=5.0, alpha=1.6, beta_exponent=0.1, sigma=0.0)
    core = np.arange(model.d) < model.k
    mean = np.mean([branching(model.sample(seed=s).X, core) for s in range(20)])
    bound = expected_branching(model.p, model.n, model.k)
    assert 0.9 * bound < mean < 1.02 * bound  # n - 1 in place of n, and the spread of 20 draws


def test_mean_block_is_below_its_bound() -> None:
    """Within the noise of the draws; and the bound is not idle, half its branching number is too little."""
    model = LongTailModel(n=800, d=8000, s=5.0, alpha=1.7, beta_exponent=0.1, sigma=0.0, k=36)
    sizes = []
    for seed in range(25):
        rows = np.array([len(r) for r, _ in components(model.sample(seed=seed).X[:, model.k :])])
        sizes.append(((rows**2).sum() + model.n - rows.sum()) / model.n)
    error = np.std(sizes) / 5
    nu = expected_branching(model.p, model.n, model.k)
    assert np.mean(sizes) < component_bound(model.p, model.n, model.k) + 3 * error
    assert np.mean(sizes) > 1 / (1 - nu / 2) + 3 * error


def test_bound_is_infinite_above_the_threshold() -> None:
    p = np.full(100, 0.01)
    assert component_bound(p, 101, 0) == np.inf
    assert component_bound(p, 50, 0) == pytest.approx(2.0)


def test_core_must_be_a_mask() -> None:
    with pytest.raises(ValueError, match="core must be a bool mask of shape"):
        block_min_norm(np.eye(2), np.ones(2), core=np.array([0]))


def test_largest_block_is_rows_plus_columns():
    X = np.array([[1.0, 1, 1, 0], [0, 0, 0, 1]])
    assert block_min_norm(X, np.ones(2), core=np.zeros(4, dtype=bool)).largest == 1 + 3
