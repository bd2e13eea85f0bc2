"""Three learners: minimum norm, ridge, gradient descent from zero. One objective, `(1/n)||y - X b||^2`.

How `min_norm` works (ours, :prf:ref:`thm-elimination`; every step is exact with noisy labels and any rank):

1. *Eliminate.* A column met in only one remaining row is dropped with that row: the row will be fitted
   exactly whatever the rest does. Repeat. On long-tailed designs this removes most of the seen columns.
2. *Solve* what is left, any least-squares solution (`companion.linear.least_squares`).
3. *Substitute back*: the dropped columns, last first.
4. *Project.* Every solution agrees on independent core columns and on what peels off from there, so the
   null space of X lives on the other features. Their coefficients t are replaced by the least-norm solution
   of `X_U t' = X_U t`, a consistent system in which rows may be scaled at will. Without this step unresolved
   features can be badly wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh_tridiagonal
from scipy.sparse.linalg import ArpackError, svds

from companion import _validate
from companion.linear.least_squares import Solution, least_squares, ridge_solution
from companion.linear.reduce import back_substitute, entries, peel_items, rows_with, seen_columns, take, tamed, unpeeled


@dataclass(frozen=True)
class MinNormReport:
    """The minimum-norm solution and how it was found.

    `seen`: columns with an entry. `eliminated`: rows fitted exactly by elimination. `core`: shape (rows,
    columns) of the least-squares problem that was left, solved by `method` in `iterations` (0: directly).
    `unresolved`: seen features that peeling left (from the core's, if those were found to be independent,
    else from nothing), whose credit was shared by `projection`.
    `gradient`: `||X^T (y - X b)|| / (||X|| ||y||)` with Frobenius norm, the optimality error.
    """

    beta: np.ndarray
    seen: int
    eliminated: int
    core: tuple[int, int]
    method: str
    iterations: int
    unresolved: int
    projection: str
    gradient: float


def min_norm(X: Any, y: Any) -> np.ndarray:
    """The least-squares solution of smallest norm, `X^+ y`: where gradient descent from zero ends.

    Parameters
    ----------
    X : (n, d) dense array or scipy sparse, any real dtype, any rank; never modified.
    y : (n,) labels.

    Returns
    -------
    (d,) float64. Unseen features (empty columns) get exactly 0.

    Raises
    ------
    TypeError, ValueError
        If X or y is not real, finite, or of matching shape.

    Notes
    -----
    Right for sparse designs of any size, and for dense ones up to a few thousand on the smaller side.
    Source: ours, :prf:ref:`thm-elimination`; that descent ends there, :prf:ref:`thm-gradient-descent`.
    Rank: a stored non-zero is a non-zero, however small; in what elimination leaves, singular values below
    1e-10 of the largest (columns scaled to unit length) count as zero. `min_norm_report` says what was done.
    """
    return min_norm_report(X, y, check=False).beta


def min_norm_report(X: Any, y: Any, *, check: bool = True) -> MinNormReport:
    """`min_norm` with its diagnostics; `check` also computes the optimality error (two products)."""
    design, target = _problem(X, y)
    design, x_scale = tamed(design)
    scale = float(np.abs(target).max(initial=0)) or 1.0
    target = target / scale
    seen, A = seen_columns(design)
    n, m = A.shape

    rows = peel_items(A)
    rest = np.flatnonzero(rows.rounds < 0)
    b = np.zeros(m)
    settled = np.zeros(0, dtype=np.int64)  # columns whose coefficient is known to be unique
    if rest.size > 0.9 * n and A.nnz > 100_000:  # cheaper to blank a few rows than to copy all the others
        core = sp.csr_array((A.data.copy(), A.indices, A.indptr), shape=A.shape)
        core.data[entries(A, np.flatnonzero(rows.rounds > 0))[0]] = 0.0
        solution = least_squares(core, target)
        b[:] = solution.x
    else:
        core_seen, core = seen_columns(take(A, rest, np.arange(m)))
        solution = least_squares(core, target[rest])
        b[core_seen] = solution.x
        settled = core_seen if solution.unique else settled
    back_substitute(A, rows, target, b)
    unresolved, projected = _project(A, b, settled)

    beta = np.zeros(design.shape[1])
    beta[seen] = b * (scale / x_scale)
    gradient = float("nan")
    if check:
        norms = float(np.linalg.norm(A.data)) * float(np.linalg.norm(target))
        gradient = float(np.linalg.norm(A.T @ (target - A @ b))) / norms if norms else 0.0
    return MinNormReport(
        beta=beta,
        seen=m,
        eliminated=n - rest.size,
        core=core.shape,
        method=solution.method,
        iterations=solution.iterations,
        unresolved=unresolved,
        projection=projected.method,
        gradient=gradient,
    )


def _project(A: sp.csr_array, b: np.ndarray, settled: np.ndarray) -> tuple[int, Solution]:
    """Project a solution onto the row space of A, in place; only features that peeling leaves can move.

    `settled`: columns that are known to be resolved before peeling begins.
    """
    left = unpeeled(A, settled)
    if left.size == 0:
        return 0, Solution(b[left], "nothing to share")
    part = take(A, rows_with(A, left), left)
    # least norm of a consistent system: with w any solution of part part^T w = part t, t' = part^T w;
    # w is the least-squares solution of part^T w = t
    solution = least_squares(sp.csr_array(part.T), b[left])
    b[left] = part.T @ solution.x
    return left.size, solution


def ridge(X: Any, y: Any, lam: float) -> np.ndarray:
    """Minimiser of `(1/n)||y - X b||^2 + lam ||b||^2`, shape (d,); the minimum norm at lam = 0.

    Raises ValueError if lam is negative; X and y as in `min_norm`. Right for the same designs: the normal
    equations `(X^T X + n lam) b = X^T y` by Cholesky on the smaller side up to a few thousand, else by
    conjugate gradients in columns scaled to unit length.
    """
    lam = _validate.nonnegative("lam", lam)
    if lam == 0:
        return min_norm(X, y)
    design, target = _problem(X, y)
    design, scale = tamed(design)
    seen, A = seen_columns(design)
    mu = design.shape[0] * lam / scale / scale  # in units of X's largest entry, if that is extreme
    beta = np.zeros(design.shape[1])
    if mu == 0:
        return min_norm(X, y)
    if np.isinf(mu):
        beta[seen] = A.T @ target * (scale / (design.shape[0] * lam))
        return beta
    solution = ridge_solution(A, target, mu)
    if solution.iterations:
        _project(A, solution.x, np.zeros(0, dtype=np.int64))
    beta[seen] = solution.x / scale
    return beta


def gradient_descent(X: Any, y: Any, steps: int, lr: float) -> np.ndarray:
    """Gradient descent from zero: `b <- b - lr (2/n) X^T (X b - y)`, `steps` times; shape (d,).

    It converges to `min_norm(X, y)` if `lr < largest_step(X)` and diverges above. After T steps the part
    of the solution along a singular value s has grown to `1 - (1 - 2 lr s^2 / n)^T` of its limit
    (:prf:ref:`thm-gradient-descent`).
    """
    steps = _validate.integer("steps", steps, low=0)
    lr = _validate.positive("lr", lr)
    design, target = _problem(X, y)
    n, d = design.shape
    seen, A = seen_columns(design)
    At = sp.csr_array(A.T)
    b = np.zeros(seen.size)
    for _ in range(steps):
        b -= (2 * lr / n) * (At @ (A @ b - target))
    beta = np.zeros(d)
    beta[seen] = b
    return beta


def largest_step(X: Any) -> float:
    """`n / sigma_max(X)^2`: gradient descent converges for every step size below it; inf if X is zero."""
    _, A = seen_columns(_validate.sparse_design("X", X))
    if A.nnz == 0:
        return float("inf")
    n, top = A.shape[0], float(np.abs(A.data).max())
    A = A / top  # the iterative method below stops at an absolute error when the values are tiny
    if min(A.shape) <= 2:
        largest = np.linalg.norm(A.toarray(), 2)
    else:
        # a fixed start keeps the result reproducible; X^T 1 would miss sign patterns that cancel
        start = np.random.default_rng(0).standard_normal(min(A.shape))
        try:
            largest = svds(A, k=1, v0=start, return_singular_vectors=False, tol=1e-10)[0]
        except ArpackError:  # no convergence, or X^T X has so few different eigenvalues that it cannot restart
            largest = _lanczos(A if A.shape[0] >= A.shape[1] else sp.csr_array(A.T), start)
    return float(n / largest**2 / top / top)


def _lanczos(A: sp.csr_array, start: np.ndarray) -> float:
    """Largest singular value of a tall A by Lanczos steps that never restart; a closed Krylov space ends them."""
    basis = (start / np.linalg.norm(start))[None]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        w = A.T @ (A @ basis[-1])
        diagonal.append(float(w @ basis[-1]))
        for _ in range(2):  # once leaves rounding errors that would open a closed space again
            w -= (basis @ w) @ basis
        beside.append(float(np.linalg.norm(w)))
        value, vector = eigh_tridiagonal(np.array(diagonal), np.array(beside[:-1]))
        # the second is the residual of the first: an eigenvalue lies within it
        if beside[-1] * abs(vector[-1, -1]) <= 1e-10 * value[-1] or len(basis) == min(start.size, 500):
            return float(np.sqrt(value[-1]))
        basis = np.vstack([basis, w / beside[-1]])


def _problem(X: Any, y: Any) -> tuple[sp.csr_array, np.ndarray]:
    design = _validate.sparse_design("X", X)
    return design, _validate.vector("y", y, design.shape[0])
