"""What a design determines: peeling, the row-space certificate P_ii, leverage, components.

Two dual facts make the exact quantities cheap. *Peeling*: a row whose only unresolved feature is i puts
`e_i` in the row space, so P_ii = 1, and the null space of X lives on the features that peeling leaves.
*Elimination*: a column met in only one remaining row r puts `e_r` in the column space, so h_rr = 1, and the
other rows keep the leverage they have without row r. One is the other on X^T.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from companion import _validate
from companion.linear.graded import graded_min_norm
from companion.linear.hat import component_blocks, hat_diagonal
from companion.linear.reduce import (
    entries,
    meeting,
    peel_items,
    rows_of_entries,
    seen_columns,
    take,
    tamed,
    transposed,
    unpeeled,
)
from companion.linear.solve import min_norm

RESOLVED = 1e-8  # P_ii or h_rr within this of 1 counts as 1 where it is computed in floating point
PRIME = 2**31 - 1
EXACT_CELLS = 1 << 20  # cells of what elimination leaves, up to which it is reduced modulo the prime


def feature_counts(X: Any) -> np.ndarray:
    """n_i, the number of training rows that contain feature i, shape (d,) of int.

    >>> feature_counts([[1, 0, -1], [1, 0, 0]])
    array([2, 0, 1])
    """
    A = _validate.sparse_design("X", X)
    return np.bincount(A.indices, minlength=A.shape[1])


def tail_counts(X: Any, k: int) -> np.ndarray:
    """Number of tail features (columns k, k+1, ...) in each row, shape (n,) of int.

    >>> tail_counts([[1, 0, -1], [1, 0, 0]], k=1)
    array([1, 0])
    """
    A = _validate.sparse_design("X", X)
    k = _validate.integer("k", k, low=0, high=A.shape[1])
    return np.bincount(rows_of_entries(A)[A.indices >= k], minlength=A.shape[0])


def level_one(X: Any, k: int) -> np.ndarray:
    """Tail features alone (no other tail feature) in some row, bool (d,); the first k are False.

    >>> level_one([[1, 1, 0, 0], [1, 0, 1, 1]], k=1)
    array([False,  True, False, False])
    """
    A = _validate.sparse_design("X", X)
    k = _validate.integer("k", k, low=0, high=A.shape[1])
    tail, row = A.indices >= k, rows_of_entries(A)
    alone = tail & (np.bincount(row[tail], minlength=A.shape[0]) == 1)[row]
    return np.bincount(A.indices[alone], minlength=A.shape[1]) > 0


def peel(X: Any, k: int = 0) -> np.ndarray:
    """Features resolved by peeling, bool (d,); the first k are taken as known (and are True).

    A row with exactly one unresolved feature resolves it; repeat (:prf:ref:`def-closure`). Every peeled
    feature has P_ii = 1 if the first k have (:prf:ref:`lem-peeling`); :prf:ref:`thm-forest` says when the
    converse holds. Cost: the non-zeros, once.

    >>> peel([[1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 0]], k=1)
    array([ True,  True,  True,  True])
    """
    return peeling_rounds(X, k) >= 0


def peeling_rounds(X: Any, k: int = 0) -> np.ndarray:
    """The round in which peeling resolves each feature, int (d,): 0 for the first k, -1 for never.

    In a round every row that has exactly one unresolved feature resolves it; round 1 uses rows with one
    feature beyond the first k.

    >>> peeling_rounds([[1, 1, 0, 0], [1, 0, 1, 1], [0, 1, 1, 0]], k=1)
    array([0, 1, 2, 3])
    """
    A = _validate.sparse_design("X", X)
    d = A.shape[1]
    k = _validate.integer("k", k, low=0, high=d)
    seen, part = seen_columns(A)
    rounds = np.full(d, -1)
    rounds[:k] = 0
    rounds[seen] = peel_items(transposed(part), np.flatnonzero(seen < k)).rounds
    return rounds


def recoverability(X: Any) -> np.ndarray:
    """The row-space certificate `P_ii = (X^+ X)_ii` of each feature, shape (d,), in [0, 1].

    1: every least-squares interpolator has the right coefficient ("resolved"). 0: never seen.
    They sum to rank X. Cost: the cube of the largest component that peeling leaves. Ours; :prf:ref:`thm-certificate`.
    Good to 1e-8, also with whole rows, whole columns or single entries multiplied by 1e-8 to 1e8; as in `min_norm`,
    what elimination leaves has the rank that it has with rows and columns scaled to one size, cut off at 1e-10.

    >>> recoverability([[1, 1, 0, 0], [0, 0, 1, 0]]).round(6)  # two that share their credit, one alone, one unseen
    array([0.5, 0.5, 1. , 0. ])
    """
    A = _validate.sparse_design("X", X)
    seen, part = seen_columns(A)
    certificate = np.zeros(A.shape[1])
    certificate[seen] = hat_diagonal(transposed(part))
    return certificate


def resolved(X: Any) -> np.ndarray:
    """Features whose unit vector lies in the row space, so that every interpolator has them right; bool (d,).

    Where all entries are whole numbers below 2^31 this is decided without a tolerance: a feature is resolved if a
    random vector of the null space is 0 there, and the null space is computed exactly, modulo the prime 2^31 - 1. It
    can err where that prime divides a minor of X that is not 0 (either way), or, with probability 2^-31, by calling
    resolved a feature that is not. Peeled features are never misjudged. Rows and columns that elimination leaves are
    reduced by Gauss up to EXACT_CELLS cells; above that, and for other entries, resolved is `P_ii > 1 - 1e-8`. That
    errs towards "resolved": 1 - P_ii can be as small as an exponential in the length of a chain.

    >>> resolved([[1, 1, 0], [1, -1, 0], [0, 1, 1]])
    array([ True,  True,  True])
    >>> resolved([[1, 1, 0], [0, 0, 1]])
    array([False, False,  True])
    """
    A = _validate.sparse_design("X", X)
    seen, part = seen_columns(A)
    found = np.zeros(A.shape[1], dtype=bool)
    left = unpeeled(part, np.zeros(0, dtype=np.int64))
    inside = np.ones(seen.size, dtype=bool)
    if left.size:
        block = meeting(part, left)
        null = _null_vector(block) if np.abs(part.data).max() < PRIME and not (part.data % 1).any() else None
        inside[left] = recoverability(part)[left] > 1 - RESOLVED if null is None else null == 0
    found[seen] = inside
    return found


def leverage(X: Any) -> np.ndarray:
    """`h_rr = (X X^+)_rr` of each row, shape (n,), in [0, 1]: the self-influence d yhat_r / d y_r.

    1: the row is fitted exactly whatever its label (memorized, :prf:ref:`thm-memorized-row`). They sum to
    rank X (:prf:ref:`prop-budget`). Badly scaled designs: as in `recoverability`.

    Cost: components are taken one by one, but in a long tail elimination leaves one large component, the core,
    whose inverse Gram matrix has no zeros left to use: the cube of its columns in time and their square in
    memory. At n = 100,000, d = 1,000,000, s = 5 that is 489 columns and a second at alpha = 2, 2,851 and some
    three seconds at 1.5, 7,977 at 1.25 (a minute), and beyond 10,000 below that.

    >>> leverage([[1, 0], [1, 0], [1, 1]]).round(6)  # the third row is fitted whatever its label
    array([0.5, 0.5, 1. ])
    """
    return hat_diagonal(seen_columns(_validate.sparse_design("X", X))[1])


def components(X: Any, features: np.ndarray | None = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Connected components of the row/feature graph that hold an entry: (rows, columns) of each, increasing.

    `features`, a mask (d,), keeps only the entries of those features: `features=~peel(X)` gives the
    components that the null space of X splits over, `features=np.arange(d) >= k` those of the tail.

    >>> [(rows.tolist(), columns.tolist()) for rows, columns in components([[1, 1, 0], [0, 0, 1], [0, 1, 0]])]
    [([0, 2], [0, 1]), ([1], [2])]
    """
    A = _validate.sparse_design("X", X)
    d = A.shape[1]
    columns = np.arange(d) if features is None else np.flatnonzero(_validate.mask("features", features, d))
    seen, part = seen_columns(A[:, columns])
    found = []
    for rows, inside, stack in component_blocks(part):
        pairs = [(rows, inside)] if stack is None else zip(rows, inside, strict=True)
        found += [(r, columns[seen[c]]) for r, c in pairs]
    return sorted(found, key=lambda piece: int(piece[0][0]))


def rank(X: Any) -> int:
    """Rank of X, the sum of the leverages; where it is cut off says `recoverability`.

    >>> rank([[1, 1, 0], [2, 2, 0], [0, 0, 1]])
    2
    """
    return round(float(leverage(X).sum()))


def inverse_gram_diagonal(X: Any) -> np.ndarray:
    """`[(X^T X)^+]_ii`, shape (d,): sigma^2 times it is the noise variance of coefficient i; 0 if unseen.

    Cost: the cube of the smaller of n and the number of seen features. Good to 1e-6 of the largest of them, also for
    designs scaled as badly as in `recoverability`; features in units that differ have their own digits only in part.

    >>> inverse_gram_diagonal([[1, 0, 0], [1, 0, 0], [0, 2, 0]]).round(6)
    array([0.5 , 0.25, 0.  ])
    """
    A = _validate.sparse_design("X", X)
    out = np.zeros(A.shape[1])
    seen, A = seen_columns(A)
    A, scale = tamed(A)
    half = _half_inverse(A, round(float(hat_diagonal(A).sum())))
    out[seen] = ((half / scale) ** 2).sum(axis=1)
    return out


def leave_one_out_residuals(X: Any, y: Any) -> np.ndarray:
    """Residual `y_r - x_r b_(-r)` of each row under the minimum-norm solution without it, shape (n,).

    From one decomposition, any rank: `(y_r - yhat_r)/(1 - h_rr)` if h_rr < 1, and `(G y)_r / G_rr` with
    `G = (X X^T)^+` if h_rr = 1 (:prf:ref:`thm-leave-one-out`).
    A row without features has residual y_r. Cost as `inverse_gram_diagonal`, and one solve for each row that holds an
    entry over a thousand times larger than all others of its feature: its leverage cannot be told from 1.

    >>> leave_one_out_residuals([[1], [1], [1]], [0.0, 0.0, 3.0]).round(6)  # against the mean of the others
    array([-1.5, -1.5,  3. ])
    """
    A = _validate.sparse_design("X", X)
    target = _validate.vector("y", y, A.shape[0])
    A, _ = tamed(seen_columns(A)[1])
    h = hat_diagonal(A)
    half = _half_inverse(A, round(float(h.sum())))
    left, memorized = A @ half, h > 1 - RESOLVED
    b = half @ (left.T @ target)
    residual = (target - A @ b) / np.where(memorized, 1.0, 1 - h)
    dual = left[memorized] @ half.T  # rows of the transpose of A^+
    residual[memorized] = (dual @ b) / (dual**2).sum(axis=1)
    for r in _towering(A):
        rest = np.arange(A.shape[0]) != r
        residual[r] = target[r] - (A[[r]] @ min_norm(A[rest], target[rest]))[0]
    return residual


def _towering(A: sp.csr_array) -> np.ndarray:
    """Rows with an entry over 1000 times as large as the next of its column, which is none if they have it alone."""
    entries = abs(A).tocoo()
    order = np.lexsort((entries.data, entries.col))
    row, column, size = entries.row[order], entries.col[order], entries.data[order]
    shared, largest = column[1:] == column[:-1], np.append(column[2:] != column[1:-1], True)
    return np.unique(row[1:][shared & largest[: shared.size] & (size[1:] > 1000 * size[:-1])])


def _half_inverse(A: sp.csr_array, rank: int) -> np.ndarray:
    """A matrix W with `A^+ = W (A W)^T`, so that `W W^T = (A^T A)^+`; A (n, m) has this rank.

    From the smaller Gram matrix, or A^+ itself where squaring blurs the smallest singular values.
    """
    wide = A.shape[0] < A.shape[1]
    w, q = np.linalg.eigh((A @ A.T if wide else A.T @ A).toarray())
    w, q = w[w.size - rank :], q[:, w.size - rank :]
    if rank and w[0] < 1e-8 * w[-1]:
        return graded_min_norm(A.toarray(), np.eye(A.shape[0]), rank=rank)[0]
    return (A.T @ q) / w if wide else q / np.sqrt(w)


def _null_vector(A: sp.csr_array) -> np.ndarray | None:
    """A vector z (d,) with `A z = 0` modulo PRIME, random among all of them; None if A is too large.

    Rows go as in `min_norm`: one that alone holds a column is satisfied through it, whatever the rest is. What is left
    is brought to reduced echelon form; columns that are no pivots are drawn at random.
    """
    rows = peel_items(A)
    core = take(A, np.flatnonzero(rows.rounds < 0))
    columns = np.unique(core.indices)
    if core.shape[0] * columns.size > EXACT_CELLS:
        return None
    z = np.random.default_rng(0).integers(1, PRIME, A.shape[1])
    form, pivots = _echelon(core[:, columns].toarray().astype(np.int64) % PRIME)
    free = np.setdiff1d(np.arange(columns.size), pivots)
    z[columns[pivots]] = -(form[: len(pivots), free] * z[columns[free]] % PRIME).sum(axis=1) % PRIME
    for released in reversed(rows.by_round()):
        z[rows.check[released]] = 0
        where, row = entries(A, released)
        terms = A.data[where].astype(np.int64) % PRIME * z[A.indices[where]] % PRIME
        # sums of at most 2^22 such terms are exact in double precision
        rest = np.bincount(row, weights=terms, minlength=released.size).astype(np.int64) % PRIME
        inverse = np.array([pow(int(p), -1, PRIME) for p in rows.pivot[released]], dtype=np.int64)
        z[rows.check[released]] = -rest * inverse % PRIME
    return z


def _echelon(M: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduced row echelon form modulo PRIME, in place, and its pivot columns."""
    pivots: list[int] = []
    for c in range(M.shape[1]):
        r = len(pivots)
        below = np.flatnonzero(M[r:, c])
        if not below.size:
            continue
        M[[r, r + below[0]]] = M[[r + below[0], r]]
        M[r] = M[r] * pow(int(M[r, c]), -1, PRIME) % PRIME
        others = np.flatnonzero(M[:, c])
        others = others[others != r]
        M[others] = (M[others] - M[others, c][:, None] * M[r]) % PRIME
        pivots.append(c)
    return M, np.array(pivots, dtype=np.int64)
