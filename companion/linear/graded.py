"""Minimum norm, ridge and hat diagonal of small dense matrices whose rows, columns or entries differ hugely in size.

Rank is decided where scales cannot blur it: rows and columns are multiplied until their entries are near 1
(neither changes the rank). The two sides are then factored where they belong, the rows as they weigh in the sum of
squares and the columns as they weigh in the norm, by Householder QR with rows sorted by size and columns pivoted:
its errors are small against each row, not against the largest (Cox and Higham 1998, building on Powell and Reid).
"""

import numpy as np
import scipy.sparse as sp
from scipy.linalg import qr, solve_triangular, svdvals
from scipy.sparse.linalg import lsmr

CUT_OFF = 1e-10  # singular values of the equilibrated matrix below this share of the largest count as zero
SWEEPS = 20  # each takes the square root of what is left of a scale


def graded_min_norm(
    A: np.ndarray, y: np.ndarray, *, mu: float = 0.0, rank: int | None = None
) -> tuple[np.ndarray, int, int]:
    """`A^+ y`, shape (d,); the rank of A (n, d); how many singular values lie within a factor 10 of CUT_OFF.

    `y` (n,) or (n, m), solved for column by column. `mu` > 0: minimiser of `||y - A x||^2 + mu ||x||^2` instead.
    `rank`: where it is known already. Works for A = D C E with diagonal D and E over some twelve orders and C well
    conditioned, and mostly where each entry has an order of its own; what double precision can tell ends beyond that.
    """
    E, column = _equilibrated(A)
    near = 0
    if rank is None:
        rank, near = _rank(E)
    x, d = np.zeros((A.shape[1], *y.shape[1:])), A.shape[1]
    if rank == 0:
        return x, 0, near
    B = A * column
    if rank == A.shape[0]:  # every row is fitted, and its weight does not matter
        left, G = None, B
    else:
        left, R, order = _sorted_qr(B)
        left, G = left[:, :rank], np.empty((rank, d))
        G[:, order] = R[:rank]
    length = np.abs(G).max(axis=1)
    G /= length[:, None]
    unique = rank == d and mu == 0  # then no norm is to be made small, and the weight of a column does not matter
    if mu:  # the least norm of x and t together in `G x + sqrt(mu) t = left^T y`
        G, column = np.hstack([G, np.diag(np.sqrt(mu) / length)]), np.append(column, np.ones(rank))
        x = np.zeros((d + rank, *y.shape[1:]))
    Q, R, order = _sorted_qr(G.T if unique else (G / column).T)
    for _ in range(3):  # what is small in a large x comes right in the second pass
        r = y - A @ x[:d]
        z = r if left is None else left.T @ r
        if mu:
            z = z - np.sqrt(mu) * x[d:]
        z = (z.T / length).T
        step = Q[:, :rank] @ solve_triangular(R[:rank, :rank], z[order], trans="T")
        x = x + ((column * step.T).T if unique else step)
    return x[:d], rank, near


def graded_hat(A: np.ndarray) -> np.ndarray:
    """Diagonal of `A A^+`, shape (n,), rows and columns of any size: columns are free, rows are factored sorted."""
    E, column = _equilibrated(A)
    rank, _ = _rank(E)
    if rank == A.shape[0]:
        return np.ones(rank)
    return (_sorted_qr(A * column)[0][:, :rank] ** 2).sum(axis=1)


def _rank(E: np.ndarray) -> tuple[int, int]:
    """Singular values of an equilibrated matrix above the cut-off, and those within a factor 10 of it."""
    s = svdvals(E)
    return int((s > CUT_OFF * s[0]).sum()), int(((s > 0.1 * CUT_OFF * s[0]) & (s < 10 * CUT_OFF * s[0])).sum())


def _equilibrated(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A with rows and columns multiplied so that its entries are near 1 and at most 1; the factors of the columns.

    First by least squares on the logarithms (Curtis and Reid 1972), which finds D and E again whatever they are, then
    by largest entries (Ruiz 2001).
    """
    n, d = A.shape
    row, column = np.nonzero(A)
    places = np.concatenate([row, n + column])
    factors = sp.csr_array((np.ones(places.size), (np.tile(np.arange(row.size), 2), places)), shape=(row.size, n + d))
    logs = np.log(np.abs(A[row, column]))
    log = lsmr(factors, -logs, atol=1e-6, btol=1e-6, maxiter=200)[0]
    size = np.zeros(A.shape)
    size[row, column] = np.exp(logs + factors @ log)
    scale = np.exp(log[n:])
    for _ in range(SWEEPS):
        row_top, column_top = (np.sqrt(np.where(top > 0, top, 1.0)) for top in (size.max(axis=1), size.max(axis=0)))
        size /= row_top[:, None] * column_top
        scale /= column_top
    return np.copysign(size, A), scale


def _sorted_qr(M: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`M[:, order] = Q R` by Householder reflections, columns pivoted, rows taken in decreasing size."""
    rows = np.argsort(-np.abs(M).max(axis=1), kind="stable")
    q, R, order = qr(M[rows], mode="economic", pivoting=True)
    Q = np.empty_like(q)
    Q[rows] = q
    return Q, R, order
