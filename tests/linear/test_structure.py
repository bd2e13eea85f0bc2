"""Certificates against dense projections; peeling against a literal peeling and against the certificate."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from companion.linear import (
    LongTailModel,
    components,
    feature_counts,
    hat,
    inverse_gram_diagonal,
    leave_one_out_residuals,
    level_one,
    leverage,
    min_norm,
    peel,
    peeling_rounds,
    rank,
    recoverability,
    reduce,
    resolved,
    sample_design,
    tail_counts,
)

from .designs import chains, close, designs, giants, labels, parts, same, stored


def pinv(X):
    return np.linalg.pinv(X, rcond=1e-10)


def literal_rounds(X, k):
    """Peeling as it is defined: every row with one unresolved feature resolves it, then again."""
    rounds = np.full(X.shape[1], -1)
    rounds[:k] = 0
    step = 0
    while True:
        step += 1
        found = set()
        for row in X:
            left = [i for i in np.flatnonzero(row) if rounds[i] < 0]
            if len(left) == 1:
                found.add(left[0])
        if not found:
            return rounds
        rounds[list(found)] = step


@given(designs() | chains(), st.data())
def test_peeling_rounds_are_the_definition(X, data):
    k = data.draw(st.integers(0, X.shape[1]))
    expected = literal_rounds(X, k)
    assert (peeling_rounds(X, k) == expected).all()
    assert (peel(sp.csr_array(X), k) == (expected >= 0)).all()


def assert_the_queue_agrees(X):
    """When few are ready peeling goes on one check at a time: same rounds, a valid check and pivot."""
    A = sp.csr_array(X.T)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reduce, "FEW", 0)
        arrays = reduce.peel_items(A)
        patched.setattr(reduce, "VECTOR_ROUNDS", 0)
        queue = reduce.peel_items(A)
    assert (queue.rounds == arrays.rounds).all()
    for p in (queue, arrays):
        done = np.flatnonzero(p.rounds > 0)
        assert (X[p.check[done], done] == p.pivot[done]).all()
        assert (p.pivot[done] != 0).all()
        for i in done:  # the check's other items left earlier
            others = np.flatnonzero(X[p.check[i]])
            assert (p.rounds[others[others != i]] < p.rounds[i]).all()


@given(designs() | chains())
def test_the_queue_peels_what_the_arrays_peel(X):
    assert_the_queue_agrees(X)


def test_the_queue_on_many_sparse_designs(monkeypatch):
    """Several checks often wait for one item: the second must find it gone, and wait a round if it was left just now.

    A queue that does not wait fails on 23 of these designs, whatever hypothesis draws above.
    """
    rng = np.random.default_rng(0)
    for _ in range(400):
        shape = rng.integers(2, 12, size=2)
        X = (rng.random(shape) < 0.2) * rng.uniform(0.5, 2.0, size=shape)
        assert_the_queue_agrees(X)
        with monkeypatch.context() as patched:
            patched.setattr(reduce, "VECTOR_ROUNDS", 0)
            assert (peeling_rounds(X) == literal_rounds(X, 0)).all()


@pytest.mark.parametrize("rounds", [64, 0])
def test_the_largest_entry_is_the_pivot(rounds, monkeypatch):
    """Of several checks that release an item at once, the one with the largest entry: stable substitution."""
    monkeypatch.setattr(reduce, "VECTOR_ROUNDS", rounds)
    monkeypatch.setattr(reduce, "FEW", 0)
    A = sp.csr_array(np.array([[1e-9, 3.0, -2.0, 0.0], [0.0, 0.0, 0.0, 5.0]]))
    found = reduce.peel_items(A)
    assert found.check.tolist() == [1, 3]
    assert found.pivot.tolist() == [3.0, 5.0]
    assert found.rounds.tolist() == [1, 1]


@pytest.mark.parametrize("shape", [(30, 20), (200, 90)])  # on both sides of the size from which scipy transposes
def test_designs_of_parts_are_scipys(shape):
    """What is put together without scipy's checks is what its constructors make, attribute by attribute."""
    rng = np.random.default_rng(0)
    X = (rng.random(shape) < 0.2) * rng.normal(size=shape)
    A = sp.csr_array(X)
    columns = np.arange(0, shape[1], 3)
    part = X[:, columns]
    rows = np.flatnonzero(rng.random(shape[0]) < 0.5)
    for made, expected in (
        (reduce.csr(A.data, A.indices, A.indptr, A.shape), A),
        (reduce.flipped(A), A.T),
        (reduce.transposed(A), sp.csr_array(X.T)),
        (reduce.take(A, rows), sp.csr_array(X[rows])),
        (reduce.meeting(A, columns), sp.csr_array(part[part.any(axis=1)])),
    ):
        assert type(made) is type(expected)
        assert made.shape == expected.shape
        for name in ("data", "indices", "indptr"):
            own, theirs = getattr(made, name), getattr(expected, name)
            assert own.dtype == theirs.dtype
            assert (own == theirs).all()
        made.check_format(full_check=True)
        b = rng.normal(size=made.shape[1])
        assert (made @ b == expected @ b).all()


@given(designs(max_rows=40, max_columns=8))
def test_peeling_a_tall_design_by_some_rows_first_changes_nothing(X):
    seen, A = reduce.seen_columns(sp.csr_array(X))
    tall = sp.csr_array(sp.vstack([A, sp.csr_array((4200 * 4, A.shape[1]))]))
    assert (
        seen[reduce.unpeeled(tall, np.zeros(0, int))] == np.flatnonzero((peeling_rounds(X) < 0) & X.any(axis=0))
    ).all()


@given(designs())
def test_peeled_features_are_resolved_by_every_interpolator(X):
    """Peeling from nothing is a subset of the certificate P_ii = 1."""
    P = recoverability(X)
    assert (P[peel(X)] > 1 - 1e-9).all()


@given(designs() | chains())
def test_certificates_are_the_diagonals_of_the_projections(X):
    P, h = recoverability(X), leverage(sp.csr_array(X))
    assert np.abs(P - np.diag(pinv(X) @ X)).max() < 1e-9
    assert np.abs(h - np.diag(X @ pinv(X))).max() < 1e-9
    assert min(P.min(), h.min()) >= 0
    assert max(P.max(), h.max()) <= 1
    assert ((P < 1e-9) == ~X.any(axis=0)).all()  # P_ii = 0 iff never seen


@given(designs())
def test_budget(X):
    """sum P_ii = sum h_rr = rank."""
    expected = np.linalg.matrix_rank(X, tol=1e-9)
    assert recoverability(X).sum() == pytest.approx(expected, abs=1e-8)
    assert leverage(X).sum() == pytest.approx(expected, abs=1e-8)
    assert rank(X) == expected


@given(designs(), st.data())
def test_storage_does_not_matter(X, data):
    Y = data.draw(stored(X))
    before = parts(Y)
    assert np.allclose(recoverability(Y), recoverability(X))
    assert np.allclose(leverage(Y), leverage(X))
    assert np.allclose(inverse_gram_diagonal(Y), inverse_gram_diagonal(X))
    assert (peel(Y) == peel(X)).all()
    assert (feature_counts(Y) == np.count_nonzero(X, axis=0)).all()
    assert same(before, parts(Y))


@given(designs(), st.sampled_from([1e-200, 1e-150, 1e150, 1e200]))
def test_certificates_do_not_depend_on_the_scale(X, scale):
    assert np.allclose(recoverability(X * scale), recoverability(X))
    assert np.allclose(leverage(X * scale), leverage(X))
    y = np.arange(X.shape[0], dtype=float)
    assert np.allclose(leave_one_out_residuals(X * scale, y), leave_one_out_residuals(X, y))
    if 1e-150 <= scale <= 1e150:
        assert np.allclose(inverse_gram_diagonal(X * scale) * scale * scale, inverse_gram_diagonal(X))


def test_columns_of_very_different_size():
    """Features in other units: the same leverages, and coefficients in those units."""
    X = np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 1.0], [0.0, 1.0, 1.0], [1.0, 0.0, 1.0]])
    units = np.array([1.0, 1e-150, 1e140])
    y = np.array([1.0, 2.0, 3.0, 5.0])
    assert np.allclose(min_norm(X * units, y) * units, min_norm(X, y))
    assert np.allclose(leverage(X * units), leverage(X))


@given(designs())
def test_a_row_with_a_once_seen_feature_is_memorized(X):
    once = np.count_nonzero(X, axis=0) == 1
    assert (leverage(X)[X[:, once].any(axis=1)] > 1 - 1e-9).all()


@pytest.mark.parametrize(("n", "d", "alpha"), [(150, 500, 1.0), (250, 1000, 1.5), (1000, 300, 1.0), (400, 4000, 2.0)])
def test_large_components_and_cores(n, d, alpha):
    """Blocks too large for the stacks: Cholesky, tall and wide."""
    X = LongTailModel(n=n, d=d, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0).sample(seed=2).X
    D = X.toarray()
    D = D[:, D.any(axis=0)]
    U = pinv(D)
    assert np.abs(recoverability(X)[X.toarray().any(axis=0)] - np.diag(U @ D)).max() < 1e-9
    assert np.abs(leverage(X) - np.diag(D @ U)).max() < 1e-9
    assert close(inverse_gram_diagonal(X)[X.toarray().any(axis=0)], (U**2).sum(axis=1))


def test_a_large_wide_block_of_independent_rows():
    X = np.random.default_rng(0).standard_normal((60, 80))
    assert X.size > hat.STACKED
    assert np.allclose(leverage(X), 1.0)
    assert np.abs(recoverability(X) - np.diag(pinv(X) @ X)).max() < 1e-9


def test_a_large_block_of_doubtful_rank_is_decomposed():
    """Condition 1e7: the Gram matrix could not tell, the singular values can."""
    rng = np.random.default_rng(0)
    u = np.linalg.qr(rng.standard_normal((90, 50)))[0]
    v = np.linalg.qr(rng.standard_normal((50, 50)))[0]
    X = u * np.logspace(0, -7, 50) @ v.T
    assert X.size > hat.STACKED
    assert np.abs(leverage(X) - (u**2).sum(axis=1)).max() < 1e-8


def test_a_large_singular_block_is_decomposed():
    """An exactly singular block that no elimination touches goes through the singular values."""
    rng = np.random.default_rng(0)
    half = rng.choice([-1.0, 1.0], size=(80, 35))
    X = np.hstack([half, half])
    assert X.size > hat.STACKED
    assert np.allclose(recoverability(X), 0.5)
    assert leverage(X).sum() == pytest.approx(35)


@given(designs(), st.data())
def test_inverse_gram_diagonal(X, data):
    assert close(inverse_gram_diagonal(X), (pinv(X) ** 2).sum(axis=1))


def test_inverse_gram_with_a_wide_spectrum():
    """Eigenvalues of the Gram matrix that could be rounding errors: decided by the singular values."""
    X = np.array([[1.0, 1.0], [1.0, 1.0 + 1e-6], [0.0, 0.0]])
    assert inverse_gram_diagonal(X) == pytest.approx((np.linalg.pinv(X) ** 2).sum(axis=1), rel=1e-6)
    assert leave_one_out_residuals(X, np.array([1.0, 2.0, 3.0])) == pytest.approx(
        literal_leave_one_out(X, np.array([1.0, 2.0, 3.0])), rel=1e-6
    )


def literal_leave_one_out(X, y):
    rows = np.arange(len(y))
    return np.array([y[r] - X[r] @ (pinv(X[rows != r]) @ y[rows != r]) if len(y) > 1 else y[r] for r in rows])


@given(designs(), st.data())
def test_leave_one_out_is_fitting_again_without_the_row(X, data):
    y = data.draw(labels(X.shape[0]))
    assert close(leave_one_out_residuals(X, y), literal_leave_one_out(X, y), 1e-7)


@given(designs(), st.data())
def test_counts_and_first_level(X, data):
    k = data.draw(st.integers(0, X.shape[1]))
    tail = X[:, k:] != 0
    assert (tail_counts(X, k) == tail.sum(axis=1)).all()
    alone = tail[tail.sum(axis=1) == 1].any(axis=0)
    assert (level_one(X, k) == np.concatenate([np.zeros(k, bool), alone])).all()
    assert (level_one(X, k) == (peeling_rounds(X, k) == 1)).all()


@given(designs(), st.data())
def test_components_partition_the_entries(X, data):
    mask = np.random.default_rng(data.draw(st.integers(0, 99))).random(X.shape[1]) < 0.7
    for features in (None, mask):
        left = X * (mask if features is not None else 1)
        pieces = components(X, features)
        rows = np.concatenate([r for r, _ in pieces] + [np.zeros(0, int)])
        columns = np.concatenate([c for _, c in pieces] + [np.zeros(0, int)])
        assert (np.sort(rows) == np.flatnonzero(left.any(axis=1))).all()
        assert (np.sort(columns) == np.flatnonzero(left.any(axis=0))).all()
        assert sum(np.count_nonzero(left[np.ix_(r, c)]) for r, c in pieces) == np.count_nonzero(left)
        for r, c in pieces:  # connected: growing from one row reaches all
            reached = np.zeros(len(r), bool)
            reached[0] = True
            block = left[np.ix_(r, c)] != 0
            for _ in range(len(r)):
                reached |= block[:, block[reached].any(axis=0)].any(axis=1)
            assert reached.all()


def test_forest_closure_is_the_certificate():
    """Where the unpeeled part has no cycle the closure is exactly {P_ii = 1}; a pair seen twice breaks it."""
    X = sample_design(300, LongTailModel(n=300, d=900, s=4.0, alpha=2.0, beta_exponent=0, sigma=0).p, seed=5)
    left = (peeling_rounds(X) < 0) & (feature_counts(X) > 0)
    pieces = components(X, left)
    forest = all(X[r][:, c].nnz == len(r) + len(c) - 1 for r, c in pieces)
    assert forest
    assert ((recoverability(X) > 1 - 1e-9) == peel(X)).all()
    pair = np.array([[1.0, 1.0], [1.0, -1.0]])
    assert not peel(pair).any()
    assert recoverability(pair) == pytest.approx([1.0, 1.0])


def test_figure_1_sizes_are_reproduced():
    """Averages over draws, against the measured table of the derivation (n=1000, d=10000, s=5)."""
    for alpha, expected, spread in ((1.5, 318.5, 12.0), (2.0, 94.6, 6.0)):
        model = LongTailModel(n=1000, d=10_000, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
        resolved = [np.sum(recoverability(model.sample(seed=s).X) > 1 - 1e-9) for s in range(8)]
        assert abs(np.mean(resolved) - expected) < spread


def test_recoverability_says_what_noise_free_fits_get_right():
    """P_ii = 1 if and only if beta_hat_i = beta_i, for coefficients in general position."""
    model = LongTailModel(n=200, d=600, s=5.0, alpha=1.3, beta_exponent=0.1, sigma=0.0)
    X = model.sample(seed=0).X
    beta = np.random.default_rng(0).standard_normal(600)
    right = np.abs(min_norm(X, X @ beta) - beta) < 1e-9
    assert (right == (recoverability(X) > 1 - 1e-9)).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: peel(np.eye(3), k=4), ValueError, "k must be in \\[0, 3\\], got 4"),
        (lambda: peel(np.eye(3), k=-1), ValueError, "k"),
        (lambda: level_one(np.eye(3), 1.0), TypeError, "k must be a whole number"),
        (lambda: recoverability(np.ones((0, 2))), ValueError, "X must have at least one row"),
        (lambda: tail_counts(np.ones(3), 0), ValueError, "X must be a matrix"),
        (lambda: recoverability(np.array([[np.nan]])), ValueError, "X must be finite"),
        (lambda: leverage(np.array([["x"]])), TypeError, "X must hold real numbers"),
        (lambda: components(np.eye(3), np.array([0, 1])), ValueError, "features must be a bool mask"),
        (lambda: leave_one_out_residuals(np.eye(3), np.ones(4)), ValueError, "y must have length 3"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def growing(n):
    """Rows e_k + e_(k+1) - e_(k+2) and e_1 - e_2: nothing is resolved, but 1 - P_ii falls exponentially."""
    X = np.zeros((n, n + 1))
    for k in range(n - 1):
        X[k, k : k + 3] = 1, 1, -1
    X[-1, :2] = 1, -1
    return X


@pytest.mark.parametrize("n", [3, 23, 41, 90, 300])
def test_nothing_is_resolved_along_a_growing_chain(n):
    X = growing(n)
    assert np.linalg.svd(X, compute_uv=False).min() > 0.9
    assert not resolved(X).any()
    assert not resolved(sp.csr_array(X[::-1, ::-1])).any()
    if n == 23:
        assert (recoverability(X) > 1 - 1e-8).sum() >= 2, "what a tolerance says"
    assert resolved(np.vstack([X, np.eye(1, n + 1)])).all()


@given(designs(kind="small whole numbers") | giants())
def test_resolved_is_the_certificate(X):
    """In small designs, where 1 - P_ii is never tiny; both ways, exact and by the tolerance."""
    P = np.diag(np.linalg.pinv(X, rcond=1e-10) @ X)
    clear = (P < 1 - 1e-6) | (P > 1 - 1e-10)
    assert (resolved(X) == (P > 1 - 1e-8))[clear].all()
    assert (resolved(X * 0.3) == (P > 1 - 1e-8))[clear].all()


def test_a_large_core_is_judged_by_the_tolerance(monkeypatch):
    X = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (12, 10))
    exact = resolved(X)
    monkeypatch.setattr("companion.linear.structure.EXACT_CELLS", 0)
    assert (resolved(X) == exact).all()
