"""Bounds and exact expectations of the linear part, one function for one statement.

Functions take no models or samples, but frequencies ``p``, a (d,) array, non-increasing where a statement needs it,
the number ``k`` of common features (the *tail* is what follows them) and the number ``n`` of rows, or a design ``X``
(n, d). ``G = X^T X``; a feature is *resolved* if its unit vector lies in the row space (:prf:ref:`thm-certificate`).
What only the chapters state and check is in `book.linear.formulas`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion import _validate as check
from companion._validate import frequencies, split
from companion.linear.structure import components, feature_counts, inverse_gram_diagonal, tail_counts


def tail_mass(p: np.ndarray, k: int) -> float:
    """p_{>k}: the expected number of tail features in a row."""
    p, k = split(p, k)
    return float(np.sum(p[k:]))


def no_tail_probability(p: np.ndarray, k: int) -> float:
    """pi_0 = prod_{i>k} (1 - p_i): the probability that a row holds no tail feature."""
    p, k = split(p, k)
    return float(np.exp(_log_absent(p[k:], 1).sum()))


def expected_seen(p: np.ndarray, n: int, k: int = 0) -> float:
    """Expected number of features beyond the first k that occur in at least one of n rows."""
    p, k = split(p, k)
    return float(-np.expm1(_log_absent(p[k:], check.integer("n", n, low=0))).sum())


def unseen_mass(p: np.ndarray, n: int) -> float:
    """M = sum_i p_i (1 - p_i)^n: the expected number of features of a fresh row that n rows never showed."""
    p, n = frequencies(p), check.integer("n", n, low=0)
    return float(np.sum(p * np.exp(_log_absent(p, n))))


def _log_absent(p: np.ndarray, n: int) -> np.ndarray:
    """log P(n rows do not hold the feature) = n log(1 - p): -inf at p = 1, but 0 for no rows at all."""
    with np.errstate(divide="ignore"):
        return n * np.log1p(-p) if n else np.zeros_like(p)


@dataclass(frozen=True)
class Sandwich:
    """Bounds on one draw's noiseless risk: ``floor <= risk <= components <= crude``."""

    floor: float  # unseen features, each at full cost
    components: float  # floor + over components C of unresolved features: max p on C times |beta_C|^2
    crude: float  # floor + largest p among unresolved features times their |beta|^2
    unresolved: int  # how many features were seen but are not known to be resolved


def risk_sandwich(X: Any, p: Any, beta: Any, resolved: Any) -> Sandwich:
    """Bounds on ``R = sum_i p_i (b_i - beta_i)^2`` of the noiseless minimum-norm solution on this design.

    Parameters
    ----------
    X: design, dense or sparse, shape (n, d).
    p, beta: frequencies and true coefficients, shape (d,).
    resolved: bool (d,), any set of features known to be resolved (by certificate or by peeling); a smaller
        set gives weaker bounds, never wrong ones.

    Source: ours, :prf:ref:`thm-risk-sandwich`.
    """
    X = check.sparse_design("X", X)
    p, beta = check.vector("p", p, X.shape[1]), check.vector("beta", beta, X.shape[1])
    seen, resolved = feature_counts(X) > 0, check.mask("resolved", resolved, p.size)
    floor = float(np.sum((p * beta**2)[~seen]))
    loose = seen & ~resolved

    def cost(part: np.ndarray) -> float:
        return float(p[part].max(initial=0) * (beta[part] ** 2).sum())

    parts = sum(cost(columns) for _, columns in components(X, loose))
    return Sandwich(floor, floor + parts, floor + cost(loose), int(loose.sum()))


def once_seen_rows(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Features that occur in exactly one row, and that row: two integer arrays of one length."""
    X = check.sparse_design("X", X).tocsc()
    features = np.flatnonzero(np.diff(X.indptr) == 1)
    return features, X.indices[X.indptr[features]]


def common_leverage(X: Any, p: Any, k: int) -> tuple[np.ndarray, float]:
    """What the rows without tail say about the common features, A being their first k columns.

    Returns ``(A^T A)^{-1}`` (k, k) and ``tau = sum_{j<=k} p_j [(A^T A)^{-1}]_jj``, the average leverage of a
    fresh common part. Source: ours, :prf:ref:`thm-noise-terms`.

    Raises
    ------
    ValueError: A has rank below k.
    """
    X = check.sparse_design("X", X)
    k = check.integer("k", k, low=1, high=X.shape[1])
    A = X[tail_counts(X, k) == 0][:, :k].toarray()
    rank = np.linalg.matrix_rank(A) if len(A) else 0  # numpy before 2 has no rank of nothing
    if rank < k:
        raise ValueError(f"the rows without tail must have rank k = {k}, got {rank}")
    inverse = np.linalg.inv(A.T @ A)
    return inverse, float(check.vector("p", p, X.shape[1])[:k] @ np.diag(inverse))


def composition_noise(X: Any, features: Any, sigma: float, *, signs: Any = None) -> float:
    """Expected squared error over the label noise on ``x = sum_j s_j e_{i_j}``, i_j distinct resolved features.

    `sigma` is the standard deviation of the noise. ``signs = None``: independent random signs, ``sigma^2 sum_j
    [G^+]_jj``. Given signs (fixed before the noise is drawn): ``sigma^2 |X^{+T} x|^2``.
    Source: ours, :prf:ref:`thm-composition-noise`.
    """
    X = check.sparse_design("X", X)
    features = check.columns("features", features, X.shape[1])
    scale = check.nonnegative("sigma", sigma) ** 2
    if signs is None:
        return scale * float(inverse_gram_diagonal(X)[features].sum())
    x = np.zeros(X.shape[1])
    x[features] = check.vector("signs", signs, features.size)
    used = feature_counts(X) > 0
    weights = np.linalg.lstsq(X[:, used].toarray().T, x[used], rcond=1e-10)[0]
    return scale * float(weights @ weights)


def ridge_shrinkage(count: Any, n_lam: float) -> Any:
    """Factor on the coefficient of a feature seen `count` times alone in its rows: ``count/(count + n lam)``.

    Ridge minimises ``(1/n)|y - X b|^2 + lam |b|^2``. At ``count = s^2`` this is the share of a singular direction s
    that it has learned. Source: ours, :prf:ref:`prop-isolated`.
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


def _counts(count: Any) -> np.ndarray:
    count = check.reals("count", count)
    if count.min(initial=0) < 0:
        raise ValueError(f"count must be at least 0, got {count.min()}")
    return count
