"""The three learners against dense linear algebra, on designs of any shape, rank and storage."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.linalg import hadamard
from scipy.sparse.linalg import ArpackError

from companion.linear import (
    LongTailModel,
    gradient_descent,
    largest_step,
    min_norm,
    min_norm_report,
    peel,
    peeling_rounds,
    ridge,
    sample_design,
)
from companion.linear.least_squares import least_squares
from companion.linear.reduce import seen_columns

from .designs import chains, close, designs, giants, labels


def pseudo_inverse_solution(X, y):
    return np.linalg.pinv(X, rcond=1e-10) @ y


@given(designs() | chains(), st.data())
def test_min_norm_is_the_svd_pseudo_inverse(X, data):
    y = data.draw(labels(X.shape[0]))
    assert close(min_norm(sp.csr_array(X), y), pseudo_inverse_solution(X, y))


@given(designs(max_rows=30, max_columns=8) | designs(max_rows=6, max_columns=40), st.data())
def test_min_norm_on_tall_and_on_wide_designs(X, data):
    y = data.draw(labels(X.shape[0]))
    assert close(min_norm(X, y), pseudo_inverse_solution(X, y))


def test_ridge_far_from_the_scale_of_the_design():
    """A penalty that vanishes beside X is the minimum norm; one that dwarfs it leaves X^T y / (n lam)."""
    X, y = np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([1.0, 3.0])
    assert close(ridge(X * 1e160, y, 1e-10) * 1e160, min_norm(X, y))
    assert close(ridge(X * 1e-160, y, 1.0) * 1e160, X.T @ y / 2)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 1.2, 1.5, 2.0, 3.0]), st.sampled_from([1.0, 5.0, 20.0]))
def test_min_norm_conditions_on_long_tailed_designs(seed, alpha, s):
    """Orthogonal residual, solution in the row space: together these make it the minimum-norm solution."""
    model = LongTailModel(n=100, d=300, s=s, alpha=alpha, beta_exponent=0.1, sigma=0.5)
    sample = model.sample(seed=seed)
    X = sample.X.toarray()
    b = min_norm(sample.X, sample.y)
    size = np.linalg.norm(X, 2)
    assert np.linalg.norm(X.T @ (X @ b - sample.y)) <= 1e-8 * size * np.linalg.norm(sample.y)
    assert close(np.linalg.pinv(X, rcond=1e-10) @ (X @ b), b)


def test_min_norm_shares_the_credit_of_features_that_only_co_occur():
    """X = [1 1]: any solver that eliminates one column without the last step gives (y, 0)."""
    assert close(min_norm(np.array([[1.0, 1.0]]), np.array([3.0])), np.array([1.5, 1.5]))
    assert close(min_norm(np.array([[1.0, -2.0, 0.0]]), np.array([5.0])), np.array([1.0, -2.0, 0.0]))


def test_min_norm_of_nothing_is_zero():
    assert (min_norm(np.zeros((3, 4)), np.ones(3)) == 0).all()
    assert (min_norm(sp.csr_array((3, 4)), np.ones(3)) == 0).all()
    assert (min_norm(np.eye(3), np.zeros(3)) == 0).all()


def test_small_entries_are_entries():
    """A pivot of 1e-9 is not noise: rank decisions look at scaled columns."""
    X = np.array([[1e-9, 0.0], [0.0, 1.0]])
    assert close(min_norm(X, np.array([1e-9, 2.0])), np.array([1.0, 2.0]))


def test_a_chain_of_a_thousand_rows():
    """Longer than the rounds done with arrays: the queue and the scalar substitution take over."""
    n = 1000
    X = sp.csr_array(sp.eye_array(n) - sp.eye_array(n, k=1))
    beta = np.random.default_rng(0).standard_normal(n)
    assert close(min_norm(X, X @ beta), beta)
    assert close(min_norm(sp.csr_array(X.T), X.T @ beta), beta)


def after_a_chain(gadget, length=70):
    """A design whose first `length` rows go one a round; only then do the rows of `gadget` become free."""
    g, h = gadget.shape
    X = np.zeros((length + g, length + h))
    X[np.arange(length), np.arange(length)] = 1.0
    X[np.arange(length - 1), np.arange(1, length)] = -1.0
    X[length - 1, length:] = 1.0  # the last of the chain holds every column of the gadget
    X[length:, length:] = gadget
    return X


def test_a_pivot_is_never_a_column_that_the_same_round_has_freed():
    """Beyond 64 rounds elimination goes one check at a time: it must not run ahead of the substitution."""
    rng = np.random.default_rng(0)
    tie = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]])
    random = [rng.choice([-1.0, 1.0], (g, h)) * (rng.random((g, h)) < 0.4) for g, h in rng.integers(3, 9, (20, 2))]
    for gadget in [tie, *(G[:, G.any(axis=0)] for G in random)]:
        X = after_a_chain(gadget)
        y = rng.standard_normal(X.shape[0])
        assert close(min_norm(X, y), pseudo_inverse_solution(X, y))
        assert (peeling_rounds(X.T) > 0).sum() >= 70


@pytest.mark.parametrize("alpha", [1.0, 1.5, 2.0])
def test_iterative_core_agrees_with_the_direct_one(alpha, monkeypatch):
    """Conjugate gradients are only used on large cores; forced on a small one they give the same answer."""
    sample = LongTailModel(n=300, d=900, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.3).sample(seed=3)
    direct = min_norm(sample.X, sample.y)
    monkeypatch.setattr(least_squares_module(), "SMALL", 0)
    monkeypatch.setattr(least_squares_module(), "DENSE", 0)
    report = min_norm_report(sample.X, sample.y)
    assert report.method == "conjugate gradients"
    assert report.iterations > 0
    assert close(report.beta, direct)
    assert close(ridge(sample.X, sample.y, 1e-3), dense_ridge(sample.X.toarray(), sample.y, 1e-3))
    assert close(ridge(sample.X, sample.y, 1e-12), direct, 1e-6)


def least_squares_module():
    import companion.linear.least_squares as module

    return module


def test_last_resort_is_lsmr_and_still_right(monkeypatch):
    """With dense methods and conjugate gradients denied, lsmr finishes what they began."""
    module = least_squares_module()
    for name in ("SMALL", "DENSE", "ITERATIONS"):
        monkeypatch.setattr(module, name, 0)
    sample = LongTailModel(n=120, d=400, s=5.0, alpha=1.3, beta_exponent=0.1, sigma=0.3).sample(seed=4)
    report = min_norm_report(sample.X, sample.y)
    assert report.method == "lsmr"
    assert close(report.beta, pseudo_inverse_solution(sample.X.toarray(), sample.y))
    assert close(ridge(sample.X, sample.y, 0.1), dense_ridge(sample.X.toarray(), sample.y, 0.1))


def test_wide_spectrum_falls_back_to_the_singular_values(monkeypatch):
    """A core whose Gram matrix is too ill-conditioned to factor is still solved, and tall ones in pieces."""
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.standard_normal((3000, 12)))[0]
    v = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    X = u * np.logspace(0, -7, 12) @ v.T
    beta = rng.standard_normal(12)
    report = min_norm_report(X, X @ beta)
    assert report.method == "sorted QR"
    assert close(report.beta, beta, 1e-7)


@pytest.mark.parametrize("shape", [(60, 30), (30, 60)])
def test_refinement_repairs_what_the_gram_matrix_lost(shape):
    """Squaring a condition of 2000 costs seven digits; a second pass on the true residual wins them back."""
    rng = np.random.default_rng(1)
    u = np.linalg.qr(rng.standard_normal((60, 30)))[0]
    v = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    X = (u * np.logspace(0, -3.3, 30) @ v.T).reshape(60, 30)
    X = X if shape == (60, 30) else X.T
    beta = np.linalg.pinv(X) @ X @ rng.standard_normal(shape[1])
    report = min_norm_report(X, X @ beta)
    assert report.method == "Cholesky of the Gram matrix"
    assert close(report.beta, beta, 1e-12)


def test_report_says_what_was_done():
    sample = LongTailModel(n=1000, d=10_000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.05).sample(seed=0)
    report = min_norm_report(sample.X, sample.y)
    assert report.seen == seen_columns(sample.X)[0].size
    assert report.eliminated > 100
    assert report.core[0] == 1000 - report.eliminated
    assert report.core[1] < report.seen - report.eliminated
    assert report.unresolved == report.seen - np.count_nonzero(peel(sample.X))
    assert report.gradient < 1e-14
    assert (report.beta == min_norm(sample.X, sample.y)).all()


def test_two_ways_to_project_agree(monkeypatch):
    """A basis of the null space by substitution, and least squares on what peeling leaves."""
    for seed in range(5):
        sample = LongTailModel(n=300, d=3000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.05).sample(seed=seed)
        spanned = min_norm_report(sample.X, sample.y)
        with monkeypatch.context() as patched:
            patched.setattr("companion.linear.solve.BASIS", -1)
            peeled = min_norm_report(sample.X, sample.y)
        assert spanned.projection == "null space" != peeled.projection
        assert spanned.unresolved == peeled.unresolved > 0
        assert close(spanned.beta, peeled.beta)


@pytest.mark.parametrize("length", [5, 30])
def test_a_null_vector_that_grows_is_not_trusted(length):
    """Each entry of it is twice the one before: 32 may be subtracted, 10^9 may not."""
    X = 2.0 * np.eye(length, length + 1) + np.eye(length, length + 1, k=1)
    y = np.random.default_rng(0).standard_normal(length)
    report = min_norm_report(X[:, ::-1], y)
    assert close(report.beta, pseudo_inverse_solution(X[:, ::-1], y))
    assert (report.projection == "null space") == (length == 5)


def test_many_rows_and_few_columns_are_solved_directly():
    """The few rows that elimination takes leave no empty columns behind: these once cost a second at this size."""
    sample = LongTailModel(n=40_000, d=400_000, s=5.0, alpha=2.0, beta_exponent=0.1, sigma=0.05).sample(seed=1)
    report = min_norm_report(sample.X, sample.y)
    assert report.method == "Cholesky of the Gram matrix"
    assert report.core[1] <= report.seen - report.eliminated
    assert report.gradient < 1e-14


@pytest.mark.parametrize("cells", [0, 40_000, 1 << 22])
@pytest.mark.parametrize("shape", [(4000, 120), (120, 4000)])
def test_the_gram_matrix_in_blocks_is_the_product(shape, cells, monkeypatch):
    """With no row, ten rows and all full rows of the smaller side multiplied as dense ones."""
    rng = np.random.default_rng(0)
    rate = 1 / np.arange(1, 121)
    X = rng.standard_normal((4000, 120)) * (rng.random((4000, 120)) < rate)
    X = X if shape == X.shape else X.T
    monkeypatch.setattr(least_squares_module(), "CELLS", cells)
    gram, A, At = least_squares_module().gram_matrix(sp.csr_array(X))
    assert np.allclose(gram, X @ X.T if shape[0] < shape[1] else X.T @ X, rtol=1e-13, atol=1e-11)
    assert sp.issparse(A)
    assert (A.toarray() == X).all()
    assert (At.toarray() == X.T).all()


def test_designs_whose_parts_changed_after_scipy_looked():
    """Nothing that scipy noted on the caller's object is believed, and parts that do not fit go through scipy."""
    X, y = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]]), np.array([1.0, 2.0])
    A = sp.csr_array(X)
    assert A.has_canonical_format
    A.indices[:2], A.data[:2] = [1, 0], [2.0, 1.0]  # the same matrix, no longer sorted
    assert close(min_norm(A, y), min_norm(X, y))
    A = sp.csr_array(X)
    A.data, A.indices = np.append(A.data, 7.0), np.append(A.indices, np.int32(2))  # room to spare
    assert close(min_norm(A, y), min_norm(X, y))
    A = sp.csr_array(X)
    A.indptr = A.indptr.astype(np.int64)
    assert close(min_norm(A, y), min_norm(X, y))
    A = sp.csr_array(X)
    A.indptr = A.indptr[:-1]
    with pytest.raises(ValueError, match="index pointer"):
        min_norm(A, y)


def dense_ridge(X, y, lam):
    n, d = X.shape
    return np.linalg.solve(X.T @ X / n + lam * np.eye(d), X.T @ y / n)


@given(designs() | chains(), st.data(), st.sampled_from([1e-4, 0.1, 1.0, 30.0]))
def test_ridge_solves_its_normal_equations(X, data, lam):
    y = data.draw(labels(X.shape[0]))
    assert close(ridge(sp.csr_array(X), y, lam), dense_ridge(X, y, lam))


@given(designs(), st.data())
def test_ridge_tends_to_the_minimum_norm(X, data):
    y = data.draw(labels(X.shape[0]))
    assert (ridge(X, y, 0) == min_norm(X, y)).all()
    assume(np.linalg.norm(X) > 0)
    s = np.linalg.svd(X, compute_uv=False)
    smallest = s[s > 1e-10 * s[0]].min()
    if smallest > 0.05:
        assert close(ridge(X, y, 1e-14), min_norm(X, y), 1e-7)


def test_ridge_shrinks_an_isolated_feature_by_its_count():
    """n_i / (n_i + n lam): the factor of a feature alone in its rows."""
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    y = X @ np.array([2.0, 3.0])
    assert close(ridge(X, y, 0.5), np.array([2.0 * 2 / (2 + 2), 3.0 * 1 / (1 + 2)]))


@given(designs(), st.data(), st.integers(0, 60), st.floats(0.05, 0.95))
def test_gradient_descent_matches_its_closed_form(X, data, steps, share):
    y = data.draw(labels(X.shape[0]))
    n = X.shape[0]
    assume(np.linalg.norm(X) > 0)
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    lr = share * n / s[0] ** 2
    keep = s > 1e-10 * s[0]
    u, s, vt = u[:, keep], s[keep], vt[keep]
    exact = vt.T @ ((1 - (1 - 2 * lr * s**2 / n) ** steps) / s * (u.T @ y))
    assert close(gradient_descent(X, y, steps, lr), exact, 1e-9)


def test_gradient_descent_from_zero_ends_at_the_minimum_norm():
    X = np.array([[1.0, 1.0, 0.0]])
    assert close(gradient_descent(X, np.array([3.0]), 200, 0.2), np.array([1.5, 1.5, 0.0]))


@given(designs())
def test_largest_step_is_the_edge_of_convergence(X):
    norm = np.linalg.norm(X, 2)
    if norm == 0:
        assert largest_step(X) == np.inf
    else:
        assert largest_step(X) == pytest.approx(X.shape[0] / norm**2, rel=1e-6)


def flat_designs():
    """Designs whose singular values take one, two or forty values: Krylov spaces close at once or early."""
    rng = np.random.default_rng(0)
    yield np.eye(30), 1.0
    yield np.eye(30, 1000), 1.0
    yield np.eye(1000, 30), 1.0
    yield np.diag(rng.choice([-1.0, 1.0], 30)), 1.0
    yield np.eye(500)[rng.permutation(500)] * 3.0, 3.0
    yield np.diag([1.0] * 40 + [2.0] * 40), 2.0
    yield sp.csr_array(sp.eye_array(5000)), 1.0
    yield hadamard(64), 8.0
    yield np.kron(np.eye(20), np.ones((2, 2))), 2.0
    yield np.diag(np.repeat(np.arange(1.0, 41.0), 5)), 40.0


def refuse(*_, **__):
    raise ArpackError(-9999)


@pytest.mark.parametrize(("X", "largest"), list(flat_designs()))
def test_largest_step_of_flat_spectra(X, largest, monkeypatch):
    assert largest_step(X) == pytest.approx(X.shape[0] / largest**2, rel=1e-9)

    monkeypatch.setattr("companion.linear.solve.svds", refuse)
    assert largest_step(X) == pytest.approx(X.shape[0] / largest**2, rel=1e-9)


@given(designs() | giants())
def test_largest_step_without_arpack(X):
    assume(np.linalg.norm(X) > 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("companion.linear.solve.svds", refuse)
        assert largest_step(X) == pytest.approx(X.shape[0] / np.linalg.norm(X, 2) ** 2, rel=1e-9)


def test_gradient_descent_converges_below_the_largest_step_and_diverges_above():
    X = sample_design(20, np.full(6, 0.3), seed=0).toarray()
    y = np.ones(20)
    below = gradient_descent(X, y, 5000, 0.95 * largest_step(X))
    above = gradient_descent(X, y, 500, 1.05 * largest_step(X))
    assert close(below, min_norm(X, y))
    assert np.linalg.norm(above) > 1e6 * np.linalg.norm(below)


def test_ridge_of_an_ill_conditioned_design_is_the_closed_form():
    """Singular values 1 and 1e-5, n lam = 1e-10: `s / (s^2 + n lam)`."""
    X, y, mu = np.diag([1.0, 1e-5]), np.ones(2), 1e-10
    np.testing.assert_allclose(ridge(X, y, mu / 2), [1.0, 1e-5 / 2e-10], rtol=1e-6)
    assert least_squares(sp.csr_array(X), y, mu).method == "sorted QR"


def test_largest_step_is_the_same_at_every_call():
    X = np.random.default_rng(0).standard_normal((60, 40))
    assert len({largest_step(X) for _ in range(6)}) == 1
