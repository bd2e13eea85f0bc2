"""Three learners: minimum norm, ridge, gradient descent from zero. One objective, `(1/n)||y - X b||^2`."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import lsmr

from companion import _validate

RANK_TOLERANCE = 1e-10  # singular values below this share of the largest count as zero


def _problem(X: Any, y: Any) -> tuple[sp.csr_array, np.ndarray]:
    design = sp.csr_array(_validate.design("X", X))
    return design, _validate.vector("y", y, design.shape[0])


def _active(X: sp.csr_array) -> tuple[np.ndarray, sp.csr_array]:
    seen = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]))
    return seen, X[:, seen]


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
    """
    design, target = _problem(X, y)
    beta = np.zeros(design.shape[1])
    seen, A = _active(design)
    if seen.size == 0:
        return beta
    if min(A.shape) <= 3000:
        beta[seen] = np.linalg.lstsq(A.toarray(), target, rcond=RANK_TOLERANCE)[0]
    else:
        beta[seen] = lsmr(A, target, atol=1e-14, btol=1e-14, conlim=0, maxiter=100 * min(A.shape))[0]
    return beta


def ridge(X: Any, y: Any, lam: float) -> np.ndarray:
    """Minimiser of `(1/n)||y - X b||^2 + lam ||b||^2`, shape (d,); the minimum norm at lam = 0.

    Raises ValueError if lam is negative; X and y as in `min_norm`.
    """
    lam = _validate.nonnegative("lam", lam)
    if lam == 0:
        return min_norm(X, y)
    design, target = _problem(X, y)
    n, d = design.shape
    beta = np.zeros(d)
    seen, A = _active(design)
    if seen.size == 0:
        return beta
    if min(A.shape) > 3000:
        beta[seen] = lsmr(A, target, damp=np.sqrt(n * lam), atol=1e-14, btol=1e-14, conlim=0)[0]
    elif n < seen.size:
        gram = (A @ A.T).toarray() + n * lam * np.eye(n)
        beta[seen] = A.T @ np.linalg.solve(gram, target)
    else:
        gram = (A.T @ A).toarray() + n * lam * np.eye(seen.size)
        beta[seen] = np.linalg.solve(gram, A.T @ target)
    return beta


def gradient_descent(X: Any, y: Any, steps: int, lr: float) -> np.ndarray:
    """Gradient descent from zero: `b <- b - lr (2/n) X^T (X b - y)`, `steps` times; shape (d,).

    It converges to `min_norm(X, y)` if `lr < n / sigma_max(X)^2` and diverges above (see `largest_step`).
    """
    steps = _validate.integer("steps", steps, low=0)
    lr = _validate.positive("lr", lr)
    design, target = _problem(X, y)
    n, d = design.shape
    beta = np.zeros(d)
    seen, A = _active(design)
    At = sp.csr_array(A.T)
    b = np.zeros(seen.size)
    for _ in range(steps):
        b -= (2 * lr / n) * (At @ (A @ b - target))
    beta[seen] = b
    return beta
