"""What must hold on every design: optimality, row space, budgets, invariances, scales; inputs left as they were."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from book.shared.block_solver import block_min_norm
from companion.linear import (
    components,
    feature_counts,
    gradient_descent,
    inverse_gram_diagonal,
    largest_step,
    leave_one_out_residuals,
    level_one,
    leverage,
    min_norm,
    min_norm_report,
    peel,
    peeling_rounds,
    rank,
    recoverability,
    ridge,
    tail_counts,
)

from .designs import chains, close, designs, giants, labels, parts, same, seeds, stored

every_design = designs() | designs(max_rows=30, max_columns=8) | designs(max_rows=6, max_columns=40) | chains()


def pinv(X):
    return np.linalg.pinv(X, rcond=1e-10)


def of_row_space(X, b):
    """The part of b that lies in the row space of X, by an orthonormal basis of it."""
    _, s, rows = np.linalg.svd(X, full_matrices=False)
    basis = rows[s > 1e-10 * s[0]] if s.size else rows[:0]
    return basis.T @ (basis @ b)


def assert_minimum_norm(X, y, b):
    """The two conditions that define the minimum-norm solution, each to 1e-8 relative."""
    size = np.linalg.norm(X, 2) * np.linalg.norm(y)
    assert np.linalg.norm(X.T @ (X @ b - y)) <= 1e-8 * size, "normal equations"
    assert close(of_row_space(X, b), b, 1e-8), "in the row space"


@given(every_design, st.data())
def test_the_two_conditions_of_the_minimum_norm(X, data):
    y = data.draw(labels(X.shape[0]))
    assert_minimum_norm(X, y, min_norm(data.draw(stored(X)), y))


@given(giants(), st.data())
def test_giant_components(X, data):
    """Cores and blocks that no elimination takes apart: conditions, pseudo-inverse, certificates, budgets."""
    y = data.draw(labels(X.shape[0]))
    b, plus = min_norm(sp.csr_array(X), y), pinv(X)
    assert_minimum_norm(X, y, b)
    assert close(b, plus @ y)
    P, h = recoverability(X), leverage(X)
    assert np.abs(P - np.diag(plus @ X)).max() < 1e-8
    assert np.abs(h - np.diag(X @ plus)).max() < 1e-8
    assert min(P.min(), h.min()) >= 0
    assert max(P.max(), h.max()) <= 1
    expected = np.linalg.matrix_rank(X, tol=1e-9)
    assert P.sum() == pytest.approx(expected, abs=1e-8)
    assert h.sum() == pytest.approx(expected, abs=1e-8)
    assert rank(X) == expected
    assert (P[peel(X, 0)] > 1 - 1e-9).all(), "what peels from nothing is certified"


@given(every_design | giants())
def test_what_peels_from_nothing_is_certified(X):
    P = recoverability(X)
    assert (P[peel(X, 0)] > 1 - 1e-9).all()
    assert P.sum() == pytest.approx(leverage(X).sum(), abs=1e-8)
    assert ((P >= 0) & (P <= 1)).all()


@given(designs(), st.data())
def test_what_peels_given_the_first_k_is_certified_if_they_are(X, data):
    k = data.draw(st.integers(0, X.shape[1]))
    P = recoverability(X)
    if (P[:k] > 1 - 1e-9).all():
        assert (P[peel(X, k)] > 1 - 1e-9).all()


@given(every_design | giants(max_rows=40, max_columns=40), st.data())
def test_nothing_depends_on_row_order_signs_or_column_names(X, data):
    """Reordered rows, flipped rows and columns, relabelled columns: the same answers under the new names."""
    y = data.draw(labels(X.shape[0]))
    rng = np.random.default_rng(data.draw(seeds))
    rows, columns = rng.permutation(X.shape[0]), rng.permutation(X.shape[1])
    flip_rows, flip_columns = rng.choice([-1.0, 1.0], X.shape[0]), rng.choice([-1.0, 1.0], X.shape[1])
    other, z = (flip_rows[:, None] * X * flip_columns)[rows][:, columns], (flip_rows * y)[rows]
    assert close(min_norm(other, z), (flip_columns * min_norm(X, y))[columns])
    assert close(ridge(other, z, 0.3), (flip_columns * ridge(X, y, 0.3))[columns])
    assert np.abs(recoverability(other) - recoverability(X)[columns]).max() < 1e-8
    assert np.abs(leverage(other) - leverage(X)[rows]).max() < 1e-8
    assert (peeling_rounds(other) == peeling_rounds(X)[columns]).all()
    assert close(inverse_gram_diagonal(other), inverse_gram_diagonal(X)[columns])
    assert close(leave_one_out_residuals(other, z), (flip_rows * leave_one_out_residuals(X, y))[rows], 1e-7)
    assert (feature_counts(other) == feature_counts(X)[columns]).all()
    assert sorted(len(r) for r, _ in components(other)) == sorted(len(r) for r, _ in components(X))


@given(every_design, st.data(), st.floats(-150, 150), st.floats(-150, 150))
def test_scales_from_1e_minus_150_to_1e150(X, data, a, b):
    """X times 10^a and y times 10^b: the solution times 10^(b - a), the certificates as they were."""
    y = data.draw(labels(X.shape[0]))
    big, small = 10.0**a, 10.0**b
    assert close(min_norm(X * big, y) * big, min_norm(X, y))
    assert close(min_norm(X, y * small) / small, min_norm(X, y))
    assert close(min_norm(X * big, y * big), min_norm(X, y))
    assert close(ridge(X, y * small, 0.1) / small, ridge(X, y, 0.1))
    assert close(ridge(X * big, y, 0.1 * big * big) * big, ridge(X, y, 0.1))
    assert np.abs(recoverability(X * big) - recoverability(X)).max() < 1e-8
    assert np.abs(leverage(X * big) - leverage(X)).max() < 1e-8
    assert (peel(X * big) == peel(X)).all()
    norm = np.linalg.norm(X, 2)
    if norm > 0:
        lr = 0.4 * X.shape[0] / norm**2
        assert close(gradient_descent(X * big, y, 5, lr / big / big) * big, gradient_descent(X, y, 5, lr))


@pytest.mark.parametrize("scale", [1e-150, 1e-15, 1e15, 1e150])
def test_the_largest_step_scales_with_the_design(scale):
    """The iterative method must not take a tiny singular value for zero."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        X = (rng.random((21, 22)) < 0.07) * rng.choice([-1.0, 1.0], (21, 22))
        exact = X.shape[0] / np.linalg.norm(X, 2) ** 2
        assert largest_step(X * scale) * scale * scale == pytest.approx(exact, rel=1e-6)


CALLS = {
    "min_norm": lambda X, y: min_norm(X, y),
    "min_norm_report": lambda X, y: min_norm_report(X, y).beta,
    "block_min_norm": lambda X, y: block_min_norm(X, y, core=np.arange(X.shape[1]) % 2 == 0).beta,
    "ridge": lambda X, y: ridge(X, y, 0.2),
    "ridge at 0": lambda X, y: ridge(X, y, 0.0),
    "gradient_descent": lambda X, y: gradient_descent(X, y, 4, 0.01),
    "largest_step": lambda X, y: largest_step(X),
    "recoverability": lambda X, y: recoverability(X),
    "leverage": lambda X, y: leverage(X),
    "inverse_gram_diagonal": lambda X, y: inverse_gram_diagonal(X),
    "leave_one_out_residuals": lambda X, y: leave_one_out_residuals(X, y),
    "peeling_rounds": lambda X, y: peeling_rounds(X, min(2, X.shape[1])),
    "level_one": lambda X, y: level_one(X, 1),
    "tail_counts": lambda X, y: tail_counts(X, 1),
    "feature_counts": lambda X, y: feature_counts(X),
    "components": lambda X, y: np.array([len(c) for _, c in components(X)]),
    "rank": lambda X, y: rank(X),
}


@settings(max_examples=3 * settings.default.max_examples)  # of formats, dtypes and orders there are hundreds
@given(X=designs(max_rows=8, max_columns=9), data=st.data())
def test_storage_changes_nothing_and_inputs_stay_as_they_were(X, data):
    """Any dtype, order, sparse format, unsorted or repeated indices, explicit zeros; labels of any dtype."""
    Y = data.draw(stored(X))
    y = data.draw(labels(X.shape[0]))
    if data.draw(st.booleans()):
        y = np.round(3 * y).astype(data.draw(st.sampled_from([np.int8, np.int32, np.float32])))
    y.setflags(write=False)
    before, y_before = parts(Y), y.copy()
    for name, call in CALLS.items():
        assert np.allclose(call(Y, y), call(X, y.astype(float)), rtol=1e-8, atol=1e-10), name
        assert same(before, parts(Y)), name
        assert np.array_equal(y, y_before), name
