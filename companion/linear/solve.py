"""Three learners: minimum norm, ridge, gradient descent from zero. One objective, `(1/n)||y - X b||^2`.

How `min_norm` works (ours, :prf:ref:`thm-elimination`; every step is exact with noisy labels and any rank):

1. *Eliminate.* A column met in only one remaining row is dropped with that row: the row will be fitted
   exactly whatever the rest does. Repeat. On long-tailed designs this removes most of the seen columns.
2. *Solve* what is left, any least-squares solution (`companion.linear.least_squares`).
3. *Substitute back*: the dropped columns, last first.
4. *Project.* Every solution agrees on independent core columns and on what peels off from there, so the
   null space of X lives on the other features. Their coefficients t are replaced by the least-norm solution
   of `X_U t' = X_U t`, a consistent system in which rows may be scaled at will. Where the core's columns are
   independent and few others were no pivots, substituting back from each of those gives a basis of the null space,
   and its part of the solution is subtracted. Without this step unresolved features can be badly wrong.

Substitution multiplies errors where a pivot is small against its row, and along chains of rows even where it is not.
So small entries are no pivots, what substitution blew up is refined, and what stays wrong is solved as a whole.
"""

import warnings
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.linalg import eigh_tridiagonal, lapack
from scipy.sparse.linalg import ArpackError, svds

from companion import _validate
from companion.linear.graded import graded_min_norm
from companion.linear.least_squares import Solution, least_squares, lsmr_to_the_end
from companion.linear.reduce import (
    back_substitute,
    csr,
    flipped,
    meeting,
    peel_items,
    seen_columns,
    tamed,
    transposed,
    unit_columns,
    unpeeled,
    weak_entries,
    without,
)

WEAK = 1e-3  # an entry below this share of its row's largest is no pivot
SPREAD = 1e6  # largest over smallest entry beyond which elimination is not tried, up to CELLS cells
CELLS, MOST_CELLS = 1 << 20, 1 << 22  # a dense factorization: half a second; some ten seconds
GROWTH, HOPELESS = 1e4, 1e10  # norm before over after the projection from which to refine, and to start afresh
BASIS, STEEP = 20_000, 1e3  # cells and size of entries up to which the null space is spanned by substitution
NOTHING = Solution(np.zeros(0), "nothing to share")
FAILED = 1e-9  # optimality error, against what rounding explains, that is not accepted


@dataclass(frozen=True)
class MinNormReport:
    """The minimum-norm solution and how it was found.

    `seen`: columns with an entry. `eliminated`: rows fitted exactly by elimination. `core`: shape (rows,
    columns) of the least-squares problem that was left, solved by `method` in `iterations` (0: directly).
    `unresolved`: seen features that a basis of the null space meets, or that peeling left (from the core's, if those
    were found to be independent, else from nothing); their credit was shared by `projection`.
    `gradient`: the optimality error, `max_i |x_i^T (y - X b)| / (||x_i|| ||y||)` over the columns x_i.
    `near_cutoff`: singular values, of the core or of what was shared, within a factor of ten of the cut-off of
    `min_norm`: if not 0, the rank, and with it the solution, hangs on a digit that the entries may not have.
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
    near_cutoff: int


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
    1e-10 of the largest count as zero, rows and columns scaled to one size first. So columns that differ by 1e-9 of
    their length are two, by 1e-11 one; `min_norm_report` says when a value lies within ten times of the cut-off.

    Scaling: multiplied by 10^-6 to 10^6, whole rows, whole columns or single entries cost no more than six of the
    digits (relative to the norm of the solution) up to some thousand on both sides: beyond a spread of 10^6 such
    designs are factored as a whole (`companion.linear.graded`). For larger ones the optimality error is checked and
    a RuntimeWarning says where it fails; equations far below the largest of their columns escape that check.

    Examples
    --------
    >>> min_norm([[1, 1, 0], [0, 0, 2]], [2.0, 6.0]).round(6)
    array([1., 1., 3.])
    """
    return min_norm_report(X, y, check=False).beta


@dataclass
class _Found:
    """A solution `b` in the seen columns: `rows` eliminated, the core's shape and solution, what was projected, and
    by how much the norm fell in that."""

    b: np.ndarray
    core: tuple[int, int]
    solution: Solution
    rows: int = 0
    unresolved: int = 0
    projected: Solution = NOTHING
    growth: float = 1.0


def min_norm_report(X: Any, y: Any, *, check: bool = True) -> MinNormReport:
    """`min_norm` with its diagnostics; `check` computes the optimality error (two products) even where entries are
    of like size, so that nothing can go wrong; else it is NaN there.

    >>> report = min_norm_report([[1, 1, 0], [0, 0, 2]], [2.0, 6.0])
    >>> report.beta.round(6), report.eliminated, report.gradient < 1e-12
    (array([1., 1., 3.]), 2, True)
    """
    check = _validate.one_of("check", check, (True, False))
    design, target = _problem(X, y)
    design, x_scale = tamed(design)
    scale = float(np.abs(target).max(initial=0)) or 1.0
    target = target / scale
    seen, A = seen_columns(design)
    weak = weak_entries(A, WEAK)
    gradient = float("nan")
    if weak is not None and A.shape[0] * A.shape[1] <= CELLS and np.ptp(np.log10(np.abs(A.data))) > np.log10(SPREAD):
        found = _whole(A, target)
    else:
        found = _eliminated(A, target, weak)
        if weak is not None and found.growth <= GROWTH:
            gradient = _optimality(A, target, found.b)
        if not found.growth <= GROWTH or (gradient > FAILED and _failed(A, target, found.b)):
            found, gradient = _mended(A, target, weak, found), float("nan")
    if np.isnan(gradient) and (check or weak is not None):
        gradient = _optimality(A, target, found.b)
    if gradient > FAILED and _failed(A, target, found.b):
        text = f"min_norm found no accurate solution, optimality error {gradient:.0e}: X is too badly scaled"
        warnings.warn(text, RuntimeWarning, stacklevel=2 if check else 3)

    beta = np.zeros(design.shape[1])
    beta[seen] = found.b * (scale / x_scale)
    return MinNormReport(
        beta=beta,
        seen=A.shape[1],
        eliminated=found.rows,
        core=found.core,
        method=found.solution.method,
        iterations=found.solution.iterations,
        unresolved=found.unresolved,
        projection=found.projected.method,
        gradient=gradient,
        near_cutoff=max(found.solution.near, found.projected.near),
    )


def _eliminated(A: sp.csr_array, target: np.ndarray, weak: np.ndarray | None) -> _Found:
    """The four steps above."""
    n, m = A.shape
    rows = peel_items(A, weak=weak)
    gone = (rows.rounds > 0).nonzero()[0]
    columns = rows.left.nonzero()[0]
    columns = columns[(-rows.left[columns]).argsort(kind="stable")]  # the fullest first, as the Gram matrix likes it
    kept, core = without(A, gone, columns)
    solution = least_squares(core, target[kept])
    free = np.ones(m, dtype=bool)
    free[columns] = free[rows.check[gone]] = False
    loose = free.nonzero()[0]  # with an independent core, each of these begins one vector of a basis of the null space
    spanned = solution.unique and m * loose.size <= BASIS
    width = loose.size if spanned else 0
    b, y = (np.zeros((size, 1 + width)) for size in (m, n))
    b[columns, 0], y[:, 0] = solution.x, target
    b[loose[:width], np.arange(1, width + 1)] = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        back_substitute(A, rows, y if width else target, b if width else b[:, 0])
        before = sqrt(b[:, 0] @ b[:, 0])
    found = _Found(b[:, 0], (n - gone.size, columns.size), solution, gone.size, growth=np.inf)
    if not np.isfinite(before):
        return found
    null, found.b = b[:, 1:], b[:, 0].copy()
    size = np.abs(null).max(axis=1, initial=0)
    if not spanned or not size.max(initial=0) < STEEP:
        settled = columns if solution.unique else np.zeros(0, dtype=np.int64)  # coefficients known to be unique
        found.unresolved, found.projected = _project(A, found.b, settled)
    elif width:
        factor = lapack.dpotrf(null.T @ null)[0]
        for _ in range(2):
            found.b -= null @ lapack.dpotrs(factor, null.T @ found.b)[0]
        found.unresolved, found.projected = int(np.count_nonzero(size)), Solution(found.b, "null space")
    after = sqrt(found.b @ found.b)
    found.growth = before / after if after else float(before > 0) * HOPELESS
    return found


def _whole(A: sp.csr_array, target: np.ndarray) -> _Found:
    """Without elimination: by dense factorization, or by lsmr, which never leaves the row space."""
    if A.shape[0] * A.shape[1] <= MOST_CELLS:
        b, _, near = graded_min_norm(A.toarray(), target)
        return _Found(b, A.shape, Solution(b, "sorted QR", near=near))
    b, iterations = lsmr_to_the_end(A, target)
    return _Found(b, A.shape, Solution(b, "lsmr", iterations))


def _mended(A: sp.csr_array, target: np.ndarray, weak: np.ndarray | None, found: _Found) -> _Found:
    """A solution whose digits substitution or a weak pivot took: refined on its residual, else solved as a whole."""
    if found.growth < HOPELESS:  # two passes at that growth leave rounding
        more = _eliminated(A, target - A @ found.b, weak)
        b = found.b + more.b
        _project(A, b, np.zeros(0, dtype=np.int64))
        if not _failed(A, target, b):
            return replace(found, b=b)
    other = _whole(A, target)
    better = _optimality(A, target, other.b) <= _optimality(A, target, found.b) or found.growth >= HOPELESS
    return other if better else found


def _optimality(A: sp.csr_array, target: np.ndarray, b: np.ndarray, rounding: float = 0.0) -> float:
    """`max_i |x_i^T r| / (||x_i|| (||y|| + rounding))` with r = y - X b."""
    size = float(np.linalg.norm(target)) + rounding
    unit, _ = unit_columns(A)
    return float(np.abs(flipped(unit) @ (target - A @ b)).max(initial=0)) / size if size else 0.0


def _failed(A: sp.csr_array, target: np.ndarray, b: np.ndarray) -> bool:
    """Whether the optimality error is more than rounding explains: terms of X b may be larger than y and cancel."""
    terms = csr(np.abs(A.data), A.indices, A.indptr, A.shape) @ np.abs(b)
    return not _optimality(A, target, b, float(np.linalg.norm(terms))) <= FAILED


def _project(A: sp.csr_array, b: np.ndarray, settled: np.ndarray) -> tuple[int, Solution]:
    """Project a solution onto the row space of A, in place; only features that peeling leaves can move.

    `settled`: columns that are known to be resolved before peeling begins.
    """
    left = unpeeled(A, settled)
    if left.size == 0:
        return 0, NOTHING
    part = meeting(A, left)
    # least norm of a consistent system: with w any solution of part part^T w = part t, t' = part^T w;
    # w is the least-squares solution of part^T w = t
    across = transposed(part)
    solution = least_squares(across, b[left])
    b[left] = across @ solution.x
    return left.size, solution


def ridge(X: Any, y: Any, lam: float) -> np.ndarray:
    """Minimiser of `(1/n)||y - X b||^2 + lam ||b||^2`, shape (d,); the minimum norm at lam = 0.

    Raises ValueError if lam is negative; X and y as in `min_norm`. Right for the same designs: the normal
    equations `(X^T X + n lam) b = X^T y` by Cholesky on the smaller side up to a few thousand, else by
    conjugate gradients in columns scaled to unit length. Where the first is ill-conditioned, by a factorization that
    scales cannot blur (`companion.linear.graded`): right to 1e-6 where `min_norm` is, however small lam is.

    >>> ridge([[1.0], [1.0]], [2.0, 2.0], lam=1.0).round(6)
    array([1.])
    """
    lam = _validate.nonnegative("lam", lam)
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
    solution = least_squares(A, target, mu)
    if solution.iterations:
        _project(A, solution.x, np.zeros(0, dtype=np.int64))
    beta[seen] = solution.x / scale
    return beta


def gradient_descent(X: Any, y: Any, steps: int, lr: float) -> np.ndarray:
    """Gradient descent from zero: `b <- b - lr (2/n) X^T (X b - y)`, `steps` times; shape (d,).

    It converges to `min_norm(X, y)` if `lr < largest_step(X)` and diverges above. After T steps the part
    of the solution along a singular value s has grown to `1 - (1 - 2 lr s^2 / n)^T` of its limit
    (:prf:ref:`thm-gradient-descent`).

    >>> gradient_descent([[1.0, 1.0]], [2.0], steps=100, lr=0.1).round(6)  # the minimum norm
    array([1., 1.])
    """
    steps = _validate.integer("steps", steps, low=0)
    lr = _validate.positive("lr", lr)
    design, target = _problem(X, y)
    n, d = design.shape
    seen, A = seen_columns(design)
    At = transposed(A)
    b = np.zeros(seen.size)
    for _ in range(steps):
        b -= (2 * lr / n) * (At @ (A @ b - target))
    beta = np.zeros(d)
    beta[seen] = b
    return beta


def largest_step(X: Any) -> float:
    """`n / sigma_max(X)^2`: gradient descent converges for every step size below it; inf if X is zero.

    >>> round(largest_step([[2.0, 0.0], [0.0, 1.0]]), 6)  # two rows, largest singular value 2
    0.5
    """
    _, A = seen_columns(_validate.sparse_design("X", X))
    if A.nnz == 0:
        return float("inf")
    n, top = A.shape[0], float(np.abs(A.data).max())
    A = A / top  # the iterative method below stops at an absolute error when the values are tiny
    if min(A.shape) <= 2:
        largest = float(np.linalg.norm(A.toarray(), 2))
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
