"""Hypothesis strategies: small designs of every shape, rank and storage, and labels for them.

Every design drawn is counted in `DRAWN`; `tests/conftest.py` prints how many there were, and how many differ.
"""

import hashlib

import numpy as np
import scipy.sparse as sp
from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)
DRAWN = {"all": 0, "distinct": set()}  # of this process


def counted(X):
    DRAWN["all"] += 1
    DRAWN["distinct"].add(hashlib.blake2b(repr(X.shape).encode() + X.tobytes(), digest_size=7).hexdigest())
    return X


@st.composite
def designs(draw, max_rows=12, max_columns=14, kind=None):
    """A dense (n, d) float array: sparse signs or reals, with copied, opposite and empty rows and columns."""
    shape = draw(st.sampled_from(["any", "any", "any", "any", "one row", "one column"]))
    n = 1 if shape == "one row" else draw(st.integers(1, max_rows))
    d = 1 if shape == "one column" else draw(st.integers(1, max_columns))
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
    return counted(X)


@st.composite
def giants(draw, max_rows=70, max_columns=70):
    """Sign designs with about as many entries as make a giant component: hundreds of cells in one block, any rank."""
    n, d = draw(st.integers(20, max_rows)), draw(st.integers(20, max_columns))
    rng = np.random.default_rng(draw(seeds))
    filled = rng.random((n, d)) < draw(st.sampled_from([1.2, 2.0, 3.0, 6.0])) / d
    X = rng.choice([-1.0, 1.0], size=(n, d)) * filled
    for _ in range(draw(st.integers(0, 6))):
        X[rng.integers(n)] = rng.choice([-1, 1]) * X[rng.integers(n)]
        X[:, rng.integers(d)] = rng.choice([-1, 1]) * X[:, rng.integers(d)]
    return counted(X)


@st.composite
def chains(draw, max_length=60):
    """Rows that share one feature with the next row, in random order: the longest possible peelings."""
    length = draw(st.integers(2, max_length))
    rng = np.random.default_rng(draw(seeds))
    X = np.eye(length, length + draw(st.integers(0, 1)))
    X[np.arange(1, length), np.arange(length - 1)] = rng.choice([-1.0, 1.0], length - 1)
    if X.shape[1] > length:
        X[:, -1] = X[0, -1] = 1.0  # one feature that every row holds
    return counted(X[rng.permutation(length)][:, rng.permutation(X.shape[1])])


def labels(n):
    return seeds.map(lambda seed: np.random.default_rng(seed).standard_normal(n))


@st.composite
def stored(draw, X):
    """The same matrix in some storage: dense of either order, every sparse format, any dtype that holds its numbers,
    unsorted or duplicate indices, explicit zeros, read-only."""
    rng = np.random.default_rng(draw(seeds))
    dtypes = [np.float64]
    if (np.round(X) == X).all():
        dtypes = [np.int8, np.int16, np.int32, np.int64, np.float16, np.float32, np.float64]
        dtypes += [np.uint8] if X.min() >= 0 else []
        dtypes += [np.bool_] if np.isin(X, (0, 1)).all() else []
    dtype = draw(st.sampled_from(dtypes))
    signed = np.dtype(dtype).kind in "if"
    dense, plain = ["C", "F", "strided", "read-only"], ["matrix", "csr", "csc", "coo", "lil", "dok", "dia", "bsr"]
    # scipy has no sparse arithmetic in half precision
    sparse = [] if dtype == np.float16 else [*plain, "unsorted", "zeros", *(["duplicates", "coo twice"] * signed)]
    form = draw(st.sampled_from(dense + sparse))
    Y = X.astype(dtype)
    if form in ("C", "F"):
        return np.array(Y, order=form)
    if form == "strided":
        return np.repeat(np.repeat(Y, 2, axis=0), 3, axis=1)[::2, ::3]
    if form == "read-only":
        Y.setflags(write=False)
        return Y
    if form == "matrix":
        return sp.csr_matrix(Y)
    if form in plain:
        return sp.coo_array(Y).asformat(form)
    row, column = np.nonzero(Y)
    value = Y[row, column]
    if form in ("duplicates", "coo twice"):  # x = 3x - x - x, exact in every dtype used
        row, column = np.tile(row, 3), np.tile(column, 3)
        value = np.concatenate([3 * value, -value, -value])
    elif form == "zeros":
        row = np.concatenate([row, rng.integers(0, X.shape[0], 5)])
        column = np.concatenate([column, rng.integers(0, X.shape[1], 5)])
        value = np.concatenate([value, np.zeros(5, dtype)])
    order = rng.permutation(row.size)
    row, column, value = row[order], column[order], value[order]
    if form == "coo twice":
        return sp.coo_array((value, (row, column)), shape=X.shape)
    order = np.argsort(row, kind="stable")  # rows in order, columns within a row in none
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=X.shape[0]))])
    index = draw(st.sampled_from([np.int32, np.int64]))
    return sp.csr_array((value[order], column[order].astype(index), indptr.astype(index)), shape=X.shape)


def parts(X):
    """The arrays behind a stored matrix, copied, to show later that nothing was modified."""
    if not sp.issparse(X):
        return [X.copy()]
    if X.format == "dok":
        return [np.array(sorted(X.items()), dtype=object)]
    if X.format == "lil":
        return [np.array([list(map(list, X.rows)), list(map(list, X.data))], dtype=object)]
    names = {"coo": ("row", "col", "data"), "dia": ("offsets", "data")}.get(X.format, ("indptr", "indices", "data"))
    return [getattr(X, name).copy() for name in names]


def same(before, after):
    """Whether two lists of `parts` are equal, dtype and all."""
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def close(a, b, tolerance=1e-8):
    return np.linalg.norm(a - b) <= tolerance * max(np.linalg.norm(b), 1e-12)
