"""What label noise does to the minimum-norm solution: once-seen features, chains, composition, the total.

``G = X^T X`` is the Gram matrix of the design and ``sigma`` the standard deviation of the label noise. Every
quantity is exact given the design, averaged over the noise only.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp

from companion import _validate as check
from companion.linear.structure import inverse_gram_diagonal


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
