"""Turning memorization off by degrees: ridge and early stopping on features seen a few times, in closed form.

Ridge minimises ``(1/n)|y - X b|^2 + lam |b|^2``; what matters is the product ``n lam``. Gradient descent starts
from zero with step ``lr`` on ``(1/n)|y - X b|^2``.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from companion import _validate as check


def ridge_shrinkage(count: Any, n_lam: float) -> Any:
    """Factor on the coefficient of a feature seen `count` times alone in its rows: ``count/(count + n lam)``.

    At ``count = s^2`` it is the share of a singular direction s that ridge has learned.
    Source: ours, :prf:ref:`prop-isolated`.
    """
    n_lam, count = check.nonnegative("n_lam", n_lam), _counts(count)
    total = count + n_lam
    return np.divide(count, total, out=np.zeros_like(count), where=total > 0)[()]


def gradient_shrinkage(count: Any, n: int, *, lr: float, steps: int) -> Any:
    """The same factor after `steps` of gradient descent from zero: ``1 - (1 - 2 lr count / n)^steps``.

    At ``count = s^2`` it is the share of a singular direction s that descent has learned
    (:prf:ref:`thm-gradient-descent`, a textbook result). Source: ours, :prf:ref:`prop-isolated`.
    """
    lr, n = check.positive("lr", lr), check.positive_int("n", n)
    steps = check.integer("steps", steps, low=0)
    return 1 - (1 - 2 * lr * _counts(count) / n) ** steps


def ridge_once_seen(X: Any, y: Any, feature: int, n_lam: float) -> tuple[float, float]:
    """Coefficient of a once-seen feature from the fit *without* its row, and that fit's ``q``.

    With v the rest of row r, ``b' = `` the ridge fit on the other rows at the same ``n lam > 0`` and
    ``q = v^T (X_{-r}^T X_{-r} + n lam I)^{-1} v``: ``b_i = x_ri (y_r - v . b') / (1 + n lam (1 + q))``, and its
    average over the sign x_ri is ``beta_i / (1 + n lam (1 + q))``. Source: ours, :prf:ref:`thm-ridge-once-seen`.

    Raises
    ------
    ValueError: the feature does not occur in exactly one row.
    """
    X = sp.csr_array(check.design("X", X))
    y, n_lam = check.vector("y", y, X.shape[0]), check.positive("n_lam", n_lam)
    feature = check.integer("feature", feature, low=0, high=X.shape[1] - 1)
    rows = sp.csc_array(X)[:, [feature]].indices
    if rows.size != 1:
        raise ValueError(f"feature must occur in exactly one row, but feature {feature} occurs in {rows.size}")
    r = int(rows[0])
    used = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) > 0)
    dense = X[:, used].toarray()
    others, v = np.delete(dense, r, axis=0), dense[r].copy()
    at = int(np.searchsorted(used, feature))
    sign, v[at] = v[at], 0.0
    M = others.T @ others + n_lam * np.eye(used.size)
    fit, reach = np.linalg.solve(M, np.column_stack([others.T @ np.delete(y, r), v])).T
    q = float(v @ reach)
    return float(sign * (y[r] - v @ fit) / (1 + n_lam * (1 + q))), q


def ridge_leverage(X: Any, n_lam: float) -> np.ndarray:
    """Self-influence ``h_rr = x_r (X^T X + n lam I)^{-1} x_r`` of each row under ridge, shape (n,), n lam > 0.

    ``1 - h_rr`` is residual over leave-one-out residual; :prf:ref:`prop-measured-memorization`.
    """
    X = sp.csr_array(check.design("X", X))
    n_lam = check.positive("n_lam", n_lam)
    used = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) > 0)
    dense = X[:, used].toarray()
    if used.size == 0:
        return np.zeros(X.shape[0])
    half = np.linalg.solve(dense.T @ dense + n_lam * np.eye(used.size), dense.T)
    return np.einsum("ri,ir->r", dense, half)


def _counts(count: Any) -> np.ndarray:
    count = check.reals("count", count)
    if count.min(initial=0) < 0:
        raise ValueError(f"count must be at least 0, got {count.min()}")
    return count
