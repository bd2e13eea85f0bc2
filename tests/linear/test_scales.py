"""Badly scaled designs against exact rational solutions; chains along which substitution multiplies errors."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard

from companion.linear import (
    inverse_gram_diagonal,
    leave_one_out_residuals,
    leverage,
    min_norm,
    min_norm_report,
    rank,
    recoverability,
    ridge,
)
from companion.linear.graded import graded_min_norm
from companion.linear.least_squares import lsmr_to_the_end

from .designs import close, designs, labels, seeds


def rationals(X):
    """A matrix of floats as FLINT's exact rational numbers."""
    return fmpq_mat([[fmpq(*float(v).as_integer_ratio()) for v in row] for row in X])


def floats(values):
    return np.array([float(v) for v in values])


def pseudoinverse_times(A, Y):
    """`A^+ Y` without a rounding error: A = C G of full rank, then `G^T (G G^T)^-1 (C^T C)^-1 C^T Y`."""
    form, size = A.rref()
    if not size:
        return fmpq_mat(A.ncols(), Y.ncols())
    G = fmpq_mat(form.tolist()[:size])
    pivots = [next(j for j, entry in enumerate(row) if entry) for row in G.tolist()]
    Gt, Ct = G.transpose(), fmpq_mat([A.transpose().tolist()[j] for j in pivots])
    return Gt * (G * Gt).solve((Ct * Ct.transpose()).solve(Ct * Y))


def exact(X, y):
    return floats(pseudoinverse_times(rationals(X), rationals(np.reshape(y, (-1, 1)))).entries())


def exact_ridge(X, y, lam):
    A = rationals(X)
    gram = A.transpose() * A + rationals(len(X) * np.eye(A.ncols())) * fmpq(*float(lam).as_integer_ratio())
    return floats(gram.solve(A.transpose() * rationals(np.reshape(y, (-1, 1)))).entries())


def powers(rng, shape, spread):
    """Powers of two, so that scaling rounds nothing and the rank stays, from 10^-spread to 10^spread."""
    return 2.0 ** np.round(rng.uniform(-spread, spread, shape) * np.log2(10))


SCALED = {
    "rows": lambda rng, X, spread: powers(rng, (X.shape[0], 1), spread) * X,
    "columns": lambda rng, X, spread: X * powers(rng, (1, X.shape[1]), spread),
    "entries": lambda rng, X, spread: X * powers(rng, X.shape, spread),
}


@pytest.mark.parametrize("what", SCALED)
@given(designs(max_rows=7, max_columns=7), st.data(), st.sampled_from([2, 4, 6]))
def test_scalings_from_1e_minus_6_to_1e6_cost_at_most_six_digits(what, X, data, spread):
    rng = np.random.default_rng(data.draw(seeds))
    X, y = SCALED[what](rng, X, spread), data.draw(labels(X.shape[0]))
    assert close(min_norm(sp.csr_array(X), y), exact(X, y), 1e-6 if spread == 6 else 1e-8)


def assert_exact(X):
    """Certificates and leverages to 1e-8, the rank, the inverse Gram diagonal to 1e-6 of its largest value."""
    A = rationals(X)
    inverse = pseudoinverse_times(A, rationals(np.eye(len(X))))
    resolved, hat = inverse * A, A * inverse
    np.testing.assert_allclose(recoverability(X), floats(resolved[i, i] for i in range(A.ncols())), atol=1e-8)
    np.testing.assert_allclose(leverage(X), floats(hat[r, r] for r in range(A.nrows())), atol=1e-8)
    assert rank(X) == A.rank()
    expected = floats(sum(v * v for v in row) for row in inverse.tolist())
    np.testing.assert_allclose(inverse_gram_diagonal(X), expected, atol=1e-6 * expected.max())


@pytest.mark.parametrize("what", SCALED)
@given(designs(max_rows=6, max_columns=6), st.data(), st.sampled_from([5, 6, 8]))
def test_what_a_badly_scaled_design_determines(what, X, data, spread):
    rng = np.random.default_rng(data.draw(seeds))
    X, y = SCALED[what](rng, X, spread), data.draw(labels(X.shape[0]))
    assert_exact(X)
    lam = 10.0 ** data.draw(st.integers(-18, 3))
    assert close(ridge(X, y, lam), exact_ridge(X, y, lam), 1e-6 if spread < 8 else 1e-4)


# Three independent rows and columns, none that elimination takes, all entries near 1 once scales are gone.
PLAIN = np.array([[1.0, 1, 0, 1], [1, -1, 1, 0], [0, 1, 1, 1], [1, 0, 1, 1], [1, 0, 1, 1]])


@pytest.mark.parametrize("units", [2.0**20, 2.0**27, 2.0**-27])
def test_rows_or_columns_in_other_units(units):
    """Rows one unit apart, and columns: the rank is 4 throughout, where singular values as they stand say 2 or 3."""
    rows = units ** np.array([[0.0], [1], [-1], [1], [-1]])
    for X in (PLAIN * rows, (PLAIN * rows).T, PLAIN * units ** np.array([0.0, 1, -1, 1]), PLAIN[:, :3] * rows):
        assert_exact(X)
        for lam in (2.0**-80, 2.0**-20, 1.0):
            y = np.arange(1.0, X.shape[0] + 1)
            assert close(ridge(X, y, lam), exact_ridge(X, y, lam), 1e-6)


def test_a_large_block_of_rows_in_other_units():
    """Too large for a stack; its leverages are those of any multiple, since its rows are independent but for two."""
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], (60, 90))
    X[-1] = X[-2]
    h = leverage(X * powers(rng, (60, 1), 6))
    np.testing.assert_allclose(h[:-2], 1.0, atol=1e-8)
    assert h[-2:].sum() == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("what", SCALED)
def test_scalings_of_a_larger_design(what):
    """A design of 30 rows that elimination takes apart, against the exact solution."""
    rng = np.random.default_rng(3)
    X = SCALED[what](rng, rng.choice([-1.0, 1.0], (30, 25)) * (rng.random((30, 25)) < 0.08), 5)
    y = rng.standard_normal(30)
    assert close(min_norm(X, y), exact(X, y), 1e-8)


@pytest.mark.parametrize("y", [(0.08, 1.0, 2.0), (1.0, -2.0, 0.5), (1e5, 1.0, 1.0)])
def test_tiny_pivots(y):
    X = np.array([[7e-11, 6e-13, -3.3, 7.4e6], [0, 0, 1.1e6, -1e-11], [0, 6.4e4, -1.5e-11, 0]])
    np.testing.assert_allclose(min_norm(X, np.array(y)), exact(X, y), rtol=1e-9)


def test_rows_that_differ_in_small_columns_only():
    """Its rows agree to one part in 1e11, in a column a million times larger than what tells them apart."""
    X, y = np.array([[-2e5, -2e-6, 0], [2e5, 0, -1e-5]]), np.array([-1.0, 3.0])
    np.testing.assert_allclose(min_norm(X, y), exact(X, y), rtol=1e-9)
    assert min_norm_report(X, y).gradient < 1e-9


def growing(n):
    """Rows e_k + e_(k+1) - e_(k+2): substitution grows like the Fibonacci numbers, the solution does not."""
    return sp.csr_array(sp.diags_array([1.0, 1.0, -1.0], offsets=[0, 1, 2], shape=(n, n + 2)))


@pytest.mark.parametrize("n", [20, 40, 100, 300])
def test_chains_along_which_substitution_multiplies_errors(n):
    X, y = growing(n), np.random.default_rng(0).standard_normal(n)
    assert close(min_norm(X, y), np.linalg.pinv(X.toarray()) @ y, 1e-11)
    assert close(min_norm(X[:, ::-1], y), np.linalg.pinv(X.toarray()[:, ::-1]) @ y, 1e-11)


def test_a_chain_too_large_to_factor_is_left_to_lsmr():
    X, y = growing(2100), np.random.default_rng(0).standard_normal(2100)
    report = min_norm_report(X, y)
    assert report.method == "lsmr"
    assert report.gradient < 1e-12
    w = np.linalg.solve((X @ X.T).toarray(), y)
    assert close(report.beta, X.T @ w, 1e-10)


def test_weak_pivots_stay_in_the_core():
    """A column of ones, and in each row a small entry of its own that no other row has."""
    n = 40
    X = np.column_stack([1.01e-4 * np.eye(n), np.ones(n)])
    y = np.random.default_rng(0).standard_normal(n)
    report = min_norm_report(X, y)
    assert report.eliminated == 0
    assert close(report.beta, exact(X, y), 1e-12)
    strong = min_norm_report(X * np.append(np.full(n, 1e4), 1.0), y)
    assert strong.eliminated == n


@pytest.mark.parametrize(("apart", "near", "rank"), [(1e-8, 0, 2), (1e-9, 1, 2), (3e-11, 1, 1), (1e-13, 0, 1)])
def test_columns_that_hardly_differ(apart, near, rank):
    """The rank is decided at 1e-10, and the report says when a singular value is within a factor of ten of that."""
    a, b = hadamard(32)[[3, 5]] / np.sqrt(32)
    X = np.column_stack([a, a + apart * b])
    report = min_norm_report(X, np.random.default_rng(0).standard_normal(32))
    assert report.near_cutoff == near
    assert graded_min_norm(X, a)[1:] == (rank, near)


def test_nothing_is_near_the_cut_off_in_an_ordinary_design():
    X = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (30, 50))
    assert min_norm_report(X, np.ones(30)).near_cutoff == 0


def test_what_is_not_accurate_is_said(monkeypatch):
    """With every way out closed, a wrong solution comes with a warning that gives its error."""
    monkeypatch.setattr("companion.linear.solve.graded_min_norm", lambda A, y: (np.ones(A.shape[1]), 1, 0))
    with pytest.warns(RuntimeWarning, match="min_norm found no accurate solution, optimality error .e.*badly scaled"):
        min_norm(np.array([[1e-8, 1.0], [1.0, 1e-8]]), np.array([1.0, 3.0]))


def test_lsmr_that_does_not_converge_says_so():
    with pytest.warns(RuntimeWarning, match="lsmr stopped at its limit of 3100"):
        lsmr_to_the_end(sp.csr_array(np.diag(np.logspace(0, -10, 60))), np.ones(60))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert close(lsmr_to_the_end(sp.csr_array(np.diag([1.0, 2.0])), np.ones(2))[0], np.array([1.0, 0.5]))


@pytest.mark.parametrize("size", [1e2, 1e4, 1e6, 1e8])
def test_leave_one_out_of_a_row_far_larger_than_the_others(size):
    """Its leverage is 1 to every digit; left out, its feature is what the small rows say."""
    got = leave_one_out_residuals([[1.0], [size], [1.0]], [1.0, 2.0, 3.0])
    small = [(1 + 2 * size) / (1 + size**2), (3 + 2 * size) / (1 + size**2)]
    np.testing.assert_allclose(got, [1 - small[1], 2 - 2 * size, 3 - small[0]], rtol=1e-9)
    alone = leave_one_out_residuals([[size, 0], [0, 1.0], [0, 1.0]], [5.0, 1.0, 3.0])
    np.testing.assert_allclose(alone, [5, -2, 2], rtol=1e-9)
