"""Least squares on what elimination leaves: *a* solution, not yet the one of least norm.

Columns are scaled to unit length first, so that counts from 2 to n no longer spread the spectrum, and the
rank is decided on the scaled matrix. Small or dense systems: Cholesky of the Gram matrix of the smaller
side, with iterative refinement, if its condition allows; else `companion.linear.graded`. Large sparse
ones: conjugate gradients on the Gram matrix, refined on the true residual.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import lapack
from scipy.sparse.linalg import lsmr

from companion.linear.graded import graded_min_norm
from companion.linear.reduce import csr, transposed, unit_columns

GRAM_CONDITION = 1e-8  # reciprocal condition below which a Gram matrix is not trusted
SMALL = 700  # smaller side up to which dense methods are the fastest
DENSE = 5000  # smaller side up to which they are affordable
ITERATIONS = 500
CELLS = 1 << 22  # of a sparse matrix that is made dense for a product
FULL = 16  # one entry in so many places makes a row that is multiplied as a dense one


@dataclass(frozen=True)
class Solution:
    """`x` (columns,), how it was found, how many iterations that took (0 for direct methods), whether the
    columns are known to be independent, so that no other solution exists, and how many singular values lie
    within a factor 10 of the cut-off."""

    x: np.ndarray
    method: str
    iterations: int = 0
    unique: bool = False
    near: int = 0


def least_squares(A: sp.csr_array, y: np.ndarray, mu: float = 0.0) -> Solution:
    """A minimiser of `||y - A x||^2 + mu ||x||^2` (at mu = 0 of least norm in the scaled columns, where that matters).

    With mu > 0 only conjugate gradients can leave a part outside the row space of A (when mu is tiny): project it away.
    """
    rows, columns = A.shape
    if A.nnz == 0 or not y.any():
        return Solution(np.zeros(columns), "nothing to solve", unique=columns == 0)
    small = min(rows, columns)
    dense = small <= (2 * SMALL if mu else SMALL) or (small <= DENSE and A.nnz > 0.05 * rows * columns)
    # scaled columns would each have a penalty of their own
    B, length = (A, np.ones(columns)) if mu else unit_columns(A)
    iterations = 0
    if not dense:
        C, scale = B, length
        if mu:
            scale = np.sqrt(np.bincount(A.indices, weights=A.data**2, minlength=columns) + mu)
            C = csr(A.data / scale[A.indices], A.indices, A.indptr, A.shape)
        x, iterations, converged = _refined_cg(C, y, mu / scale**2)
        if converged:
            return Solution(x / scale, "conjugate gradients", iterations)
    if dense or small <= DENSE:
        return _dense(B, length, y, mu)
    x, more = lsmr_to_the_end(B, y, damp=sqrt(mu))
    return Solution(x / length, "lsmr", iterations + more)


def _dense(B: sp.csr_array, length: np.ndarray, y: np.ndarray, mu: float) -> Solution:
    """The solution in columns of B, divided by `length`."""
    rows, columns = B.shape
    wide = rows < columns
    gram, M, Mt = gram_matrix(B)
    if mu:
        gram[np.diag_indices_from(gram)] += mu
    factor = cholesky(gram, GRAM_CONDITION)
    if factor is None:
        D, z = _compressed(B, y)
        x, rank, near = graded_min_norm(D, z, mu=mu)
        return Solution(x / length, "sorted QR", unique=rank == columns, near=near)
    x, w = np.zeros(columns), np.zeros(rows)
    for again in (False, True):  # the second pass repairs what squaring the condition lost
        r = y - M @ x if again else y
        if wide:
            step = lapack.dpotrs(factor, r - mu * w)[0]
            w += step
            x += Mt @ step
        else:
            x += lapack.dpotrs(factor, Mt @ r - mu * x)[0]
    return Solution(x / length, "Cholesky of the Gram matrix", unique=not wide)


def gram_matrix(B: sp.csr_array) -> tuple[np.ndarray, Any, Any]:
    """The Gram matrix of the smaller side; B and its transpose in the form whose products are quicker."""
    rows, columns = B.shape
    wide = rows < columns
    long = max(B.shape)
    per = np.bincount(B.indices) if wide else B.indptr[1:] - B.indptr[:-1]
    # in pairs of entries: what a pair costs in the sparse product, and what calling it costs, against a dense cell's
    if rows * columns <= CELLS and rows * columns * min(B.shape) <= 160 * (float(per @ per) + 10_000):
        D = B.toarray()
        return D @ D.T if wide else D.T @ D, D, D.T
    Bt = transposed(B)
    C, Ct = (B, Bt) if wide else (Bt, B)
    full = (C.indptr[1:] - C.indptr[:-1]) * FULL > long
    h = min(int(full.argmin()), CELLS // long)  # so many leading rows are multiplied as dense ones
    end = int(C.indptr[h])
    D = csr(C.data[:end], C.indices[:end], C.indptr[: h + 1], (h, long)).toarray()
    rest = csr(C.data[end:], C.indices[end:], np.maximum(C.indptr, end) - end, C.shape)  # its first h rows are empty
    gram = (rest @ Ct).toarray()  # the one large array: where pages are fresh, they cost as much as the sums
    gram[:h, :h] = D @ D.T
    gram[:h, h:] = gram[h:, :h].T
    return gram, B, Bt


def cholesky(gram: np.ndarray, least: float) -> np.ndarray | None:
    """Upper factor of a Gram matrix, which is overwritten; None where its reciprocal condition is not above `least`."""
    norm = lapack.dlange("1", gram.T)
    factor, info = lapack.dpotrf(gram.T, clean=0, overwrite_a=1)  # the transpose is stored as LAPACK wants it: no copy
    if info:
        return None
    condition, info = lapack.dpocon(factor, norm)
    return factor if info == 0 and condition > least else None


def _compressed(B: sp.csr_array, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A dense system with the same least-squares solutions and at most columns + 1 rows if B is tall."""
    rows, columns = B.shape
    if rows <= 4 * columns + 1024:
        return B.toarray(), y
    step = 2 * columns + 1024
    R = np.zeros((0, columns + 1))
    for start in range(0, rows, step):
        chunk = np.column_stack([B[start : start + step].toarray(), y[start : start + step]])
        R = np.asarray(np.linalg.qr(np.vstack([R, chunk]), mode="r"))
    return R[:, :-1], R[:, -1]


def lsmr_to_the_end(A: sp.csr_array, y: np.ndarray, damp: float = 0.0) -> tuple[np.ndarray, int]:
    """scipy's lsmr to rounding, from zero (so in the row space); its iterations. Warns if it does not get there."""
    limit = 50 * min(A.shape) + 100
    x, stop, iterations = lsmr(A, y, damp=damp, atol=1e-15, btol=1e-15, conlim=0, maxiter=limit)[:3]
    if stop == 7:
        warnings.warn(f"lsmr stopped at its limit of {limit} iterations; check the residual", RuntimeWarning, 2)
    return x, int(iterations)


def _refined_cg(B: sp.csr_array, y: np.ndarray, shift: np.ndarray) -> tuple[np.ndarray, int, bool]:
    """Solve `(B^T B + diag(shift)) x = B^T y`; x, iterations, and whether it converged."""
    Bt = transposed(B)
    per_row = np.diff(B.indptr).astype(float)
    # where the Gram matrix costs no more than a few products
    gram = sp.csr_array(Bt @ B) if per_row @ per_row <= 32 * B.nnz else None

    def normal(v: np.ndarray) -> np.ndarray:
        return (Bt @ (B @ v) if gram is None else gram @ v) + shift * v

    x = np.zeros(B.shape[1])
    g = Bt @ y
    goal = 1e-15 * float(np.linalg.norm(g)) + 1e-16 * float(np.linalg.norm(y))
    total, converged = 0, True
    for _ in range(3):  # each pass starts from the true residual
        size = float(np.linalg.norm(g))
        if size <= goal or not converged:
            break
        step, iterations, converged = _conjugate_gradients(normal, g, max(1e-14, goal / size))
        total += iterations
        x = x + step
        g = Bt @ (y - B @ x) - shift * x
    return x, total, converged


def _conjugate_gradients(
    normal: Callable[[np.ndarray], np.ndarray], g: np.ndarray, tolerance: float
) -> tuple[np.ndarray, int, bool]:
    """Solve `normal(x) = g`, normal positive semidefinite and g in its range, from zero.

    Returns x, the iterations, and whether the residual fell to `tolerance` times |g|. (Calling scipy's takes as long
    as the products of a core of a thousand columns.)
    """
    x = np.zeros_like(g)
    r = g.copy()
    p = g.copy()
    rho = goal = float(r @ r)
    goal *= tolerance**2
    for step in range(ITERATIONS):
        if rho <= goal:
            return x, step, True
        q = normal(p)
        curvature = float(p @ q)
        if not curvature > 0:
            return x, step, False
        a = rho / curvature
        x += a * p
        r -= a * q
        rho, old = float(r @ r), rho
        p *= rho / old
        p += r
    return x, ITERATIONS, rho <= goal
