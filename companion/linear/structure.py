"""What a design determines: peeling, the row-space certificate P_ii, leverage, components.

Two dual facts make the exact quantities cheap. *Peeling*: a row whose only unresolved feature is i puts
`e_i` in the row space, so P_ii = 1, and the null space of X lives on the features that peeling leaves.
*Elimination*: a column met in only one remaining row r puts `e_r` in the column space, so h_rr = 1, and the
other rows keep the leverage they have without row r. One is the other on X^T.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from companion import _validate
from companion.linear.reduce import peel_items, row_sums, seen_columns

RANK_TOLERANCE = 1e-10  # singular values below this share of the largest of their block count as zero


def _csr(X: Any) -> sp.csr_array:
    return sp.csr_array(_validate.design("X", X))


def feature_counts(X: Any) -> np.ndarray:
    """n_i, the number of training rows that contain feature i, shape (d,) of int."""
    A = _csr(X)
    return np.bincount(A.indices, minlength=A.shape[1])


def tail_counts(X: Any, k: int) -> np.ndarray:
    """Number of tail features (columns k, k+1, ...) in each row, shape (n,) of int."""
    A = _csr(X)
    k = _validate.integer("k", k, low=0, high=A.shape[1])
    return row_sums(A, A.indices >= k)


def level_one(X: Any, k: int) -> np.ndarray:
    """Tail features alone (no other tail feature) in some row, bool (d,); the first k are False."""
    A = _csr(X)
    k = _validate.integer("k", k, low=0, high=A.shape[1])
    tail = A.indices >= k
    alone = np.repeat(row_sums(A, tail) == 1, np.diff(A.indptr)) & tail
    return np.bincount(A.indices[alone], minlength=A.shape[1]) > 0


def peel(X: Any, k: int = 0) -> np.ndarray:
    """Features resolved by peeling, bool (d,); the first k are taken as known (and are True).

    A row with exactly one unresolved feature resolves it; repeat. Every peeled feature has P_ii = 1 if the
    first k have (:prf:ref:`thm-forest` says when the converse holds). Cost: the non-zeros, once.
    """
    return peeling_rounds(X, k) >= 0


def peeling_rounds(X: Any, k: int = 0) -> np.ndarray:
    """The round in which peeling resolves each feature, int (d,): 0 for the first k, -1 for never.

    In a round every row that has exactly one unresolved feature resolves it; round 1 uses rows with one
    feature beyond the first k.
    """
    A = _csr(X)
    d = A.shape[1]
    k = _validate.integer("k", k, low=0, high=d)
    seen, part = seen_columns(A)
    rounds = np.full(d, -1)
    rounds[:k] = 0
    rounds[seen] = peel_items(sp.csr_array(part.T), np.flatnonzero(seen < k)).rounds
    return rounds


def recoverability(X: Any) -> np.ndarray:
    """The row-space certificate `P_ii = (X^+ X)_ii` of each feature, shape (d,), in [0, 1].

    1: every least-squares interpolator has the right coefficient ("resolved"). 0: never seen.
    They sum to rank X. Ours; :prf:ref:`thm-certificate`.
    """
    A = _csr(X)
    seen, part = seen_columns(A)
    certificate = np.zeros(A.shape[1])
    certificate[seen] = _hat_diagonal(sp.csr_array(part.T))
    return certificate


def leverage(X: Any) -> np.ndarray:
    """`h_rr = (X X^+)_rr` of each row, shape (n,), in [0, 1]: the self-influence d yhat_r / d y_r.

    1: the row is fitted exactly whatever its label (memorized). They sum to rank X.
    """
    return _hat_diagonal(seen_columns(_csr(X))[1])


def _hat_diagonal(A: sp.csr_array) -> np.ndarray:
    """Diagonal of `A A^+`: eliminate columns met in one row, then decompose the components that remain."""
    n = A.shape[0]
    rounds = peel_items(A).rounds
    h = (rounds > 0).astype(float)
    rest = A[rounds < 0]
    kept = np.flatnonzero(rounds < 0)
    for rows, columns in components(rest):
        block = rest[rows][:, columns].toarray()
        h[kept[rows]] = _dense_hat_diagonal(block)
    return np.clip(h, 0.0, 1.0) if n else h


def _dense_hat_diagonal(block: np.ndarray) -> np.ndarray:
    u, s, _ = np.linalg.svd(block, full_matrices=False)
    basis: np.ndarray = u[:, s > RANK_TOLERANCE * s[0]]
    diagonal: np.ndarray = (basis**2).sum(axis=1)
    return diagonal


def components(X: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Connected components of the row/feature graph that hold an entry: (rows, columns) of each."""
    A = _csr(X)
    n, d = A.shape
    graph = sp.block_array([[None, A], [A.T, None]], format="csr") if A.nnz else sp.csr_array((n + d, n + d))
    count, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    starts = np.searchsorted(label[order], np.arange(count + 1))
    pieces = (order[a:b] for a, b in pairwise(starts) if b - a > 1)
    return [(piece[piece < n], piece[piece >= n] - n) for piece in pieces]


def rank(X: Any) -> int:
    """Rank of X, the sum of the leverages."""
    return round(float(leverage(X).sum()))


def _smaller_gram(A: sp.csr_array) -> tuple[np.ndarray, np.ndarray, bool]:
    """Non-zero eigenvalues and eigenvectors of X X^T or X^T X, the smaller; True if of X X^T."""
    dual = A.shape[0] < A.shape[1]
    gram = (A @ A.T if dual else A.T @ A).toarray()
    w, v = np.linalg.eigh(gram)
    keep = w > 1e-13 * max(gram.shape) * w[-1] if w.size else np.zeros(0, bool)
    return w[keep], v[:, keep], dual


def inverse_gram_diagonal(X: Any) -> np.ndarray:
    """`[(X^T X)^+]_ii`, shape (d,): sigma^2 times it is the noise variance of coefficient i; 0 if unseen."""
    A = _csr(X)
    out = np.zeros(A.shape[1])
    seen = np.flatnonzero(np.bincount(A.indices, minlength=A.shape[1]))
    A = A[:, seen]
    w, v, dual = _smaller_gram(A)
    if dual:
        out[seen] = ((A.T @ v / w) ** 2).sum(axis=1)
    else:
        out[seen] = (v**2 / w).sum(axis=1)
    return out


def leave_one_out_residuals(X: Any, y: Any) -> np.ndarray:
    """Residual y_r - x_r b_(-r) of each row under the minimum-norm solution without it, shape (n,).

    From one decomposition, any rank: `(y_r - yhat_r)/(1 - h_rr)` if h_rr < 1, and `(G y)_r / G_rr` with
    `G = (X X^T)^+` if h_rr = 1. An empty row is left out at no cost: its residual is y_r.
    """
    A = _csr(X)
    target = _validate.vector("y", y, A.shape[0])
    h = leverage(A)
    w, v, dual = _smaller_gram(A[:, np.bincount(A.indices, minlength=A.shape[1]) > 0])
    # left singular vectors u: X X^T = u diag(w) u^T on its range
    u = v if dual else A[:, np.bincount(A.indices, minlength=A.shape[1]) > 0] @ v / np.sqrt(w)
    projected = u.T @ target
    memorized = h > 1 - 1e-9
    with np.errstate(divide="ignore", invalid="ignore"):
        ordinary = (target - u @ projected) / (1 - h)
        by_gram = (u @ (projected / w)) / (u**2 / w).sum(axis=1)
    return np.where(memorized, by_gram, ordinary)
