"""A random vector of the null space of a matrix of whole numbers, modulo a prime: exact where rounding is not."""

import numpy as np
import scipy.sparse as sp

from companion.linear.reduce import entries, peel_items, take

PRIME = 2**31 - 1
EXACT_CELLS = 1 << 20  # cells of what elimination leaves, up to which it is reduced


def null_vector(A: sp.csr_array) -> np.ndarray | None:
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
    total = np.zeros(len(pivots), dtype=np.int64)
    for c in free:
        total = (total + form[: len(pivots), c] * z[columns[c]]) % PRIME
    z[columns[pivots]] = -total % PRIME
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
