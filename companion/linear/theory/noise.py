"""What label noise does to the minimum-norm solution: once-seen features, chains, composition, the total.

``G = X^T X`` is the Gram matrix of the design and ``sigma`` the standard deviation of the label noise. Every
quantity is exact given the design, averaged over the noise only.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from companion import _validate as check
from companion.linear.structure import inverse_gram_diagonal
from companion.linear.theory.checks import frequencies


def once_seen_rows(X: Any) -> tuple[np.ndarray, np.ndarray]:
    """Features that occur in exactly one row, and that row: two integer arrays of one length."""
    X = sp.csc_array(check.design("X", X))
    counts = np.diff(X.indptr)
    features = np.flatnonzero(counts == 1)
    return features, X.indices[X.indptr[features]]


def common_leverage(X: Any, p: Any, k: int) -> tuple[np.ndarray, float]:
    """What the rows without tail say about the common features, A being their first k columns.

    Returns ``(A^T A)^{-1}`` (k, k) and ``tau = sum_{j<=k} p_j [(A^T A)^{-1}]_jj``, the average leverage of a
    fresh common part. Source: ours, :prf:ref:`thm-noise-terms`.

    Raises
    ------
    ValueError: A has rank below k.
    """
    X = sp.csr_array(check.design("X", X))
    k = check.integer("k", k, low=1, high=X.shape[1])
    plain = np.bincount(X.nonzero()[0][X.indices >= k], minlength=X.shape[0]) == 0
    A = X[plain][:, :k].toarray()
    rank = np.linalg.matrix_rank(A) if len(A) else 0  # numpy before 2 has no rank of nothing
    if rank < k:
        raise ValueError(f"the rows without tail must have rank k = {k}, got {rank}")
    inverse = np.linalg.inv(A.T @ A)
    return inverse, float(check.vector("p", p, X.shape[1])[:k] @ np.diag(inverse))


def inverse_count(p: Any, n: int) -> np.ndarray:
    """``E[1/N; N >= 1]`` for N ~ Binomial(n, p_i), shape (d,): ``sum_{j<=n} ((1-p)^(n-j) - (1-p)^n) / j``.

    Computed as the integral of ``(a^n - b^n) / (np - s)`` over s in [0, np], with ``a = 1 - s/n, b = 1 - p``:
    a polynomial in s, at most ``exp(-s)`` times its value at 0, so that cutting at s = 45 and 64 Gauss nodes
    leave a relative error below 1e-12. The cost does not depend on n.

    >>> inverse_count([0.5], 2)  # 1/1 with probability 1/2, 1/2 with probability 1/4
    array([0.625])
    """
    p, n = frequencies(p), check.integer("n", n, low=0)
    mean = n * p
    h = np.zeros_like(mean)
    seen = mean > 0
    mean = mean[seen]
    end = np.minimum(mean, 45.0)
    for node, weight in zip(*np.polynomial.legendre.leggauss(64), strict=True):
        s = end * (node + 1) / 2
        fall = np.minimum((mean - s) / (n - s), 1.0)  # 1 - b/a
        with np.errstate(divide="ignore"):  # p = 1: b is 0
            gained = -np.expm1(n * np.log1p(-fall))
        h[seen] += weight * end / 2 * np.exp(n * np.log1p(-s / n)) * gained / (mean - s)
    return h


def composition_noise(X: Any, features: Any, sigma: float, *, signs: Any = None) -> float:
    """Expected squared error on ``x = sum_j s_j e_{i_j}``, i_j distinct resolved features.

    ``signs = None``: independent random signs, ``sigma^2 sum_j [G^+]_jj``. Given signs (fixed before the noise
    is drawn): ``sigma^2 |X^{+T} x|^2``. Source: ours, :prf:ref:`thm-composition-noise`.
    """
    X = sp.csr_array(check.design("X", X))
    features = check.columns("features", features, X.shape[1])
    scale = check.nonnegative("sigma", sigma) ** 2
    if signs is None:
        return scale * float(inverse_gram_diagonal(X)[features].sum())
    x = np.zeros(X.shape[1])
    x[features] = check.vector("signs", signs, features.size)
    used = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) > 0)
    weights = np.linalg.lstsq(X[:, used].toarray().T, x[used], rcond=1e-10)[0]
    return scale * float(weights @ weights)
