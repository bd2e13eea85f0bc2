"""What the checks of the linear chapters share: the model at Figure 1's setting, its draws, and fits."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from book.shared.ledger import Found, between
from companion.linear import LongTailModel, feature_counts, recoverability

THEORY = "companion.linear.theory"
EXACT = 1 - 1e-9  # P_ii or h_rr at or above this counts as 1
TINY = 1e-8  # what floating point may leave of an identity


@lru_cache(maxsize=64)
def long_tail(alpha: float, n: int = 1000, **changes: Any) -> LongTailModel:
    """Figure 1's model with d = 10 n, but for what is changed."""
    settings = {"d": 10 * n, "s": 5.0, "beta_exponent": 0.1, "sigma": 0.05}
    return LongTailModel(n=n, alpha=alpha, **{**settings, **changes})


@lru_cache(maxsize=256)
def design(alpha: float, seed: int, n: int = 1000) -> sp.csr_array:
    """A draw of its design, (n, 10 n)."""
    return long_tail(alpha, n).sample(seed=seed).X


@cache
def certified(alpha: float = 1.5, n: int = 200, seed: int = 0) -> tuple[LongTailModel, sp.csr_array, np.ndarray]:
    """The model, a draw of its design and the row-space certificate of each feature."""
    X = design(alpha, seed, n)
    return long_tail(alpha, n), X, recoverability(X)


def filled(b: np.ndarray, X: Any) -> np.ndarray:
    """The coefficients b, but for what X (n, d) never shows: there the mean coefficient of what it shows once."""
    counts = feature_counts(X)
    return np.where(counts == 0, b[counts == 1].mean(), b)


def deviations(values: Any, expected: float) -> float:
    """Distance of the mean of independent values from what is expected, in standard errors."""
    values = np.asarray(values)
    return abs(float(values.mean()) - expected) / float(values.std(ddof=1) / np.sqrt(values.size))


def fitted_slope(what: str, slopes: np.ndarray, stated: float, drift: float = 0.03) -> Found:
    """The mean of fitted slopes; the stated one is in its 95 % interval, widened by the finite-n drift."""
    half = 2.36 * float(slopes.std(ddof=1)) / np.sqrt(slopes.size) + drift
    return between(what, slopes.mean(), stated - half, stated + half)
