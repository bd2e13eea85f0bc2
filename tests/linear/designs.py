"""Hypothesis strategies: small designs of every shape, rank and storage, and labels for them."""

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)


@st.composite
def designs(draw, max_rows=12, max_columns=14, kind=None):
    """A dense (n, d) float array: sparse signs or reals, with copied, opposite and empty rows and columns."""
    n = draw(st.integers(1, max_rows))
    d = draw(st.integers(1, max_columns))
    rng = np.random.default_rng(draw(seeds))
    density = draw(st.sampled_from([0.05, 0.15, 0.3, 0.6, 1.0]))
    kind = kind or draw(st.sampled_from(["signs", "signs", "reals", "small whole numbers"]))
    X = rng.choice([-1.0, 1.0], size=(n, d))
    if kind == "reals":
        X *= rng.uniform(0.5, 2.0, size=(n, d))
    elif kind == "small whole numbers":
        X *= rng.integers(1, 4, size=(n, d))
    X *= rng.random((n, d)) < density
    for _ in range(draw(st.integers(0, 3))):
        X[rng.integers(n)] = rng.choice([-1, 0, 1]) * X[rng.integers(n)]
        X[:, rng.integers(d)] = rng.choice([-1, 0, 1]) * X[:, rng.integers(d)]
    return X


@st.composite
def chains(draw, max_length=60):
    """Rows that share one feature with the next row, in random order: the longest possible peelings."""
    length = draw(st.integers(2, max_length))
    rng = np.random.default_rng(draw(seeds))
    X = np.eye(length, length + draw(st.integers(0, 1)))
    X[np.arange(1, length), np.arange(length - 1)] = rng.choice([-1.0, 1.0], length - 1)
    if X.shape[1] > length:
        X[:, -1] = X[0, -1] = 1.0  # one feature that every row holds
    return X[rng.permutation(length)][:, rng.permutation(X.shape[1])]


def labels(n):
    return seeds.map(lambda seed: np.random.default_rng(seed).standard_normal(n))


@st.composite
def stored(draw, X):
    """The same matrix in some storage: dense of either order, CSR, CSC or COO, whole numbers where they fit,
    unsorted or duplicate indices, explicit zeros."""
    rng = np.random.default_rng(draw(seeds))
    whole = bool((np.round(X) == X).all())
    dtype = draw(st.sampled_from([np.int8, np.int64, np.float32, np.float64] if whole else [np.float64]))
    form = draw(st.sampled_from(["C", "F", "csr", "csc", "coo", "matrix", "unsorted", "duplicates", "zeros"]))
    Y = X.astype(dtype)
    if form in "CF":
        return np.array(Y, order=form)
    if form == "matrix":
        return sp.csr_matrix(Y)
    if form in ("csr", "csc", "coo"):
        return sp.coo_array(Y).asformat(form)
    row, column = np.nonzero(Y)
    value = Y[row, column]
    if form == "duplicates":  # x = 3x - x - x, exact in every dtype used
        row, column = np.tile(row, 3), np.tile(column, 3)
        value = np.concatenate([3 * value, -value, -value])
    elif form == "zeros":
        row = np.concatenate([row, rng.integers(0, X.shape[0], 5)])
        column = np.concatenate([column, rng.integers(0, X.shape[1], 5)])
        value = np.concatenate([value, np.zeros(5, dtype)])
    order = rng.permutation(row.size)
    row, column, value = row[order], column[order], value[order]
    order = np.argsort(row, kind="stable")  # rows in order, columns within a row in none
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=X.shape[0]))])
    return sp.csr_array((value[order], column[order], indptr), shape=X.shape)


def parts(X):
    """The arrays behind a stored matrix, copied, to show later that nothing was modified."""
    if not sp.issparse(X):
        return [X.copy()]
    names = ("row", "col", "data") if X.format == "coo" else ("indptr", "indices", "data")
    return [getattr(X, name).copy() for name in names]


def close(a, b, tolerance=1e-8):
    return np.linalg.norm(a - b) <= tolerance * max(np.linalg.norm(b), 1e-12)
