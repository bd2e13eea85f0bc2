"""How many rows hold no, one or several tail features; how many features are seen.

Everywhere ``p`` is the (d,) array of frequencies, non-increasing, and ``k`` the number of common features;
the tail is what follows them.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gamma as gamma_function
from scipy.special import gammaincc

__all__ = [
    "expected_once_seen",
    "expected_seen",
    "few_plain_rows_bound",
    "no_tail_bounds",
    "no_tail_probability",
    "power_law_sum",
    "power_law_sum_error",
    "several_tail_bound",
    "several_tail_probability",
    "tail_mass",
    "unseen_mass",
]


def tail_mass(p: np.ndarray, k: int) -> float:
    """p_{>k}: the expected number of tail features in a row."""
    return float(np.sum(p[k:]))


def no_tail_probability(p: np.ndarray, k: int) -> float:
    """pi_0 = prod_{i>k} (1 - p_i): the probability that a row holds no tail feature."""
    tail = np.asarray(p)[k:]
    return 0.0 if np.any(tail >= 1) else float(np.exp(np.log1p(-tail).sum()))


def no_tail_bounds(p: np.ndarray, k: int) -> tuple[float, float]:
    """Lower and upper bound on pi_0 from the tail mass alone, :prf:ref:`lem-row-counts` (a).

    Raises
    ------
    ValueError: p_{k+1} = 1, where no such bound holds.
    """
    first = float(p[k]) if k < len(p) else 0.0
    if first >= 1:
        raise ValueError(f"p[k] is {first}; the bounds need the first tail frequency below 1")
    mass = tail_mass(p, k)
    return max(1 - mass, math.exp(-mass / (1 - first))), math.exp(-mass)


def several_tail_probability(p: np.ndarray, k: int) -> float:
    """P(a row holds two tail features or more), exactly (p_{k+1} < 1)."""
    tail = np.asarray(p)[k:]
    none = no_tail_probability(p, k)
    return max(0.0, 1 - none * (1 + float(np.sum(tail / (1 - tail)))))


def several_tail_bound(p: np.ndarray, k: int) -> float:
    """The expected number of pairs of tail features in a row, :prf:ref:`lem-row-counts` (b)."""
    tail = np.asarray(p)[k:]
    return float(tail.sum() ** 2 - np.sum(tail**2)) / 2


def few_plain_rows_bound(n: int, none: float, delta: float) -> float:
    """Bound on P(N_0 <= (1 - delta) n pi_0), N_0 ~ Bin(n, pi_0), :prf:ref:`lem-row-counts` (c)."""
    return math.exp(-(delta**2) * n * none / 2)


def expected_seen(p: np.ndarray, n: int, k: int = 0) -> float:
    """Expected number of features beyond the first k that occur in at least one of n rows."""
    return float(-np.expm1(n * _log_absent(p[k:])).sum())


def expected_once_seen(p: np.ndarray, n: int, k: int = 0) -> float:
    """Expected number of features beyond the first k that occur in exactly one of n rows."""
    tail = np.asarray(p)[k:]
    return float(np.sum(n * tail * np.exp((n - 1) * _log_absent(tail))))


def unseen_mass(p: np.ndarray, n: int) -> float:
    """M = sum_i p_i (1 - p_i)^n: the expected number of features of a fresh row that n rows never showed."""
    return float(np.sum(p * np.exp(n * _log_absent(p))))


def power_law_sum(alpha: float, c: float, m: float, d: float = math.inf) -> float:
    """The integral that stands for sum_{i<=d} p_i exp(-m p_i), p_i = min(1, c i^-alpha), alpha > 1.

    (1/alpha) c^(1/alpha) m^-gamma Gamma(gamma, m c d^-alpha) with gamma = 1 - 1/alpha,
    :prf:ref:`lem-power-sum`; the error is at most `power_law_sum_error`.
    """
    if alpha <= 1:
        raise ValueError(f"alpha is {alpha}; the closed form needs alpha > 1")
    g = 1 - 1 / alpha
    start = 0.0 if math.isinf(d) else m * c * d**-alpha
    return float(c ** (1 / alpha) * m**-g * gamma_function(g) * gammaincc(g, start) / alpha)


def power_law_sum_error(alpha: float, c: float, m: float) -> float:
    """Largest error of `power_law_sum` for m >= 1, :prf:ref:`lem-power-sum`."""
    cut = c ** (1 / alpha) * math.exp(-m) if c > 1 else 0.0
    return 1 / (math.e * m) + cut


def _log_absent(p: np.ndarray) -> np.ndarray:
    """log(1 - p), with -inf at p = 1 and no warning."""
    with np.errstate(divide="ignore"):
        return np.log1p(-np.asarray(p, dtype=float))
