"""Kernels on symbols: the closed forms of the composition chapter against plain linear algebra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.shared import kernels

GRID = np.stack(np.meshgrid(range(5), range(5), indexing="ij"), -1).reshape(-1, 2)


def tuples(seed: int, count: int, slots: int, symbols: int) -> np.ndarray:
    return np.unique(np.random.default_rng(seed).integers(0, symbols, (count, slots)), axis=0)


def additive_target(x: np.ndarray, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(x.shape[1], 10))
    return values[np.arange(x.shape[1]), x].sum(axis=1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 14))
def test_pairs_in_one_component_are_exactly_the_row_space(seed: int, count: int) -> None:
    """A graph search and a singular value decomposition give the same set of composable pairs."""
    train = tuples(seed, count, 2, 5)
    assert (kernels.composable(train, GRID).reshape(5, 5) == kernels.composable_pairs(train, 5)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.95))
def test_additive_kernel_is_exact_where_it_says_so_and_nowhere_else(seed: int, rho: float) -> None:
    """Exact for two different additive targets on composable pairs; wrong for at least one on the others."""
    train = tuples(seed, 7, 2, 5)
    inside = kernels.composable(train, GRID)
    wrong = np.zeros(len(GRID))
    for target in range(3):
        y = additive_target(train, target)
        f = kernels.interpolate(train, y, GRID, kernel="additive", rho=rho)
        wrong = np.maximum(wrong, np.abs(f - additive_target(GRID, target)))
    assert wrong[inside].max() < 1e-7
    assert inside.all() or wrong[~inside].min() > 1e-6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.95), st.integers(1, 4))
def test_star_prediction_is_what_the_kernel_predicts(seed: int, rho: float, changed: int) -> None:
    train, new = kernels.star_design(5, changed)
    y = np.random.default_rng(seed).normal(size=changed + 1)
    f = kernels.interpolate(train, y, new, kernel="product", rho=rho)[0]
    assert f == pytest.approx(kernels.star_prediction(y[0], y[1:], rho=rho), abs=1e-9)


def test_product_kernel_interpolates_and_zero_similarity_is_a_lookup_table() -> None:
    train = tuples(1, 12, 3, 4)
    y = additive_target(train, 0)
    new = np.array([[3, 3, 3]])
    assert not (train == new).all(axis=1).any()
    for rho in (0.0, 0.5, 0.9):
        f = kernels.interpolate(train, y, train, kernel="product", rho=rho)
        np.testing.assert_allclose(f, y, atol=1e-8)
    assert kernels.interpolate(train, y, new, kernel="product", rho=0.0)[0] == 0


def test_product_kernel_smallest_eigenvalue() -> None:
    """At least (1 - rho)^C on different tuples: the product kernel can fit any labels."""
    train = tuples(2, 20, 3, 3)
    for rho in (0.0, 0.3, 0.8):
        assert np.linalg.eigvalsh(kernels.product_kernel(train, train, rho=rho))[0] >= (1 - rho) ** 3 - 1e-12


def test_conjunction_values_add_up_and_vanish_on_unseen_conjunctions() -> None:
    train = tuples(3, 10, 3, 4)
    test = tuples(4, 30, 3, 4)
    y = additive_target(train, 0)
    parts = kernels.conjunction_values(train, y, test, rho=0.4)
    f = kernels.interpolate(train, y, test, kernel="product", rho=0.4)
    np.testing.assert_allclose(sum(parts.values()), f, atol=1e-9)
    for chosen, values in parts.items():
        shown = (test[:, None, list(chosen)] == train[None, :, list(chosen)]).all(-1).any(1)
        assert (values[~shown] == 0).all()


@pytest.mark.parametrize("kernel", kernels.KERNELS)
def test_flat_limit_is_the_limit_of_both_kernels_at_first_order(kernel: str) -> None:
    """The distance to the flat limit falls in proportion to 1 - rho, also where neither is exact."""
    train = tuples(5, 9, 3, 4)
    test = tuples(6, 40, 3, 4)
    y = additive_target(train, 1)
    limit = kernels.flat_limit(train, y, test)
    gaps = [np.abs(kernels.interpolate(train, y, test, kernel=kernel, rho=1 - e) - limit).max() for e in (1e-2, 1e-3)]
    assert 0 < gaps[1] < 0.13 * gaps[0] < 0.13


def test_three_slots_connected_is_not_enough() -> None:
    """Two tuples that share one symbol do not determine a mixture of their other two."""
    train = np.array([[0, 0, 0], [0, 1, 1]])
    assert not kernels.composable(train, np.array([[0, 0, 1]]))[0]


def test_ridge_forgets_and_zero_ridge_interpolates() -> None:
    train, new = kernels.star_design(3, 2)
    y = np.array([0.0, 2.0, 3.0])
    exact = kernels.interpolate(train, y, new, kernel="additive", rho=0.2)
    shrunk = kernels.interpolate(train, y, new, kernel="additive", rho=0.2, ridge=2.0)
    assert exact[0] == pytest.approx(5.0)
    assert shrunk[0] < 4.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.product_kernel([[0.5]], [[0]], rho=0.1), "a must hold symbols as whole numbers"),
        (lambda: kernels.product_kernel([[0]], [[0, 1]], rho=0.1), "same number of slots"),
        (lambda: kernels.additive_kernel([[0]], [[0]], rho=1.0), "rho must be below 1"),
        (lambda: kernels.additive_kernel([[0]], [[0]], rho=-0.1), "rho"),
        (lambda: kernels.one_hot([[3]], 2), "below 2, got 3"),
        (lambda: kernels.interpolate([[0]], [1.0], [[0]], kernel="sum", rho=0.1), "kernel must be one of"),
        (lambda: kernels.composable_pairs([[0, 1, 2]], 3), "2 slots, got 3"),
        (lambda: kernels.flat_limit(GRID[:4], [0.0, 1.0, 1.0, 5.0], GRID), None),
        (
            lambda: kernels.flat_limit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1.0], GRID),
            "no additive function",
        ),
        (lambda: kernels.star_design(2, 3), "changed"),
    ],
)
def test_errors_name_the_argument(call, message) -> None:
    if message is None:
        call()  # one row of the grid: any labels are a sum
    else:
        with pytest.raises((ValueError, TypeError), match=message):
            call()


def test_flat_limit_judges_the_fit_by_the_size_of_the_labels():
    """Labels of 1e12 that cancel to 0 in places: what rounding leaves there is no misfit."""
    tuples = np.array([(a, b) for a in range(3) for b in range(3)])
    value = 1e12 * np.array([0.1, 0.7, 1 / 3])
    labels = value[tuples[:, 0]] - value[tuples[:, 1]]
    np.testing.assert_allclose(kernels.flat_limit(tuples, labels, tuples), labels, atol=1.0)
