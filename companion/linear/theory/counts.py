"""How many rows hold no, one or several tail features; how many features are seen.

Everywhere ``p`` is the (d,) array of frequencies, non-increasing, and ``k`` the number of common features;
the tail is what follows them.
"""

import numpy as np

from companion import _validate as check
from companion.linear.theory.checks import frequencies, split


def tail_mass(p: np.ndarray, k: int) -> float:
    """p_{>k}: the expected number of tail features in a row."""
    p, k = split(p, k)
    return float(np.sum(p[k:]))


def no_tail_probability(p: np.ndarray, k: int) -> float:
    """pi_0 = prod_{i>k} (1 - p_i): the probability that a row holds no tail feature."""
    p, k = split(p, k)
    tail = p[k:]
    return 0.0 if np.any(tail >= 1) else float(np.exp(np.log1p(-tail).sum()))


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
