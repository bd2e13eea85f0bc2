"""How many rows hold no, one or several tail features; how many features are seen.

Everywhere ``p`` is the (d,) array of frequencies, non-increasing, and ``k`` the number of common features;
the tail is what follows them.
"""

import math

import numpy as np
from scipy.special import gamma as gamma_function
from scipy.special import gammaincc

from companion import _validate as check
from companion.linear.theory.checks import below_one, frequencies, split


def tail_mass(p: np.ndarray, k: int) -> float:
    """p_{>k}: the expected number of tail features in a row."""
    p, k = split(p, k)
    return float(np.sum(p[k:]))


def no_tail_probability(p: np.ndarray, k: int) -> float:
    """pi_0 = prod_{i>k} (1 - p_i): the probability that a row holds no tail feature."""
    p, k = split(p, k)
    tail = p[k:]
    return 0.0 if np.any(tail >= 1) else float(np.exp(np.log1p(-tail).sum()))


def no_tail_bounds(p: np.ndarray, k: int) -> tuple[float, float]:
    """Lower and upper bound on pi_0 from the tail mass alone, :prf:ref:`lem-row-counts` (a).

    Raises
    ------
    ValueError: p_{k+1} = 1, where no such bound holds.
    """
    p, k = split(p, k)
    first = float(below_one(p, k).max(initial=0.0))
    mass = tail_mass(p, k)
    return max(1 - mass, math.exp(-mass / (1 - first))), math.exp(-mass)


def several_tail_probability(p: np.ndarray, k: int) -> float:
    """P(a row holds two tail features or more), exactly; ValueError unless p_{k+1} < 1."""
    p, k = split(p, k)
    tail = below_one(p, k)
    none = no_tail_probability(p, k)
    return max(0.0, 1 - none * (1 + float(np.sum(tail / (1 - tail)))))


def several_tail_bound(p: np.ndarray, k: int) -> float:
    """The expected number of pairs of tail features in a row, :prf:ref:`lem-row-counts` (b)."""
    p, k = split(p, k)
    tail = p[k:]
    return float(tail.sum() ** 2 - np.sum(tail**2)) / 2


def few_plain_rows_bound(n: int, none: float, delta: float) -> float:
    """Bound on P(N_0 <= (1 - delta) n pi_0), N_0 ~ Bin(n, pi_0), :prf:ref:`lem-row-counts` (c)."""
    n, none = check.integer("n", n, low=0), check.number("none", none, low=0, high=1)
    return math.exp(-(check.number("delta", delta, low=0, high=1) ** 2) * n * none / 2)


def expected_seen(p: np.ndarray, n: int, k: int = 0) -> float:
    """Expected number of features beyond the first k that occur in at least one of n rows."""
    p, k = split(p, k)
    return float(-np.expm1(_log_absent(p[k:], check.integer("n", n, low=0))).sum())


def expected_once_seen(p: np.ndarray, n: int, k: int = 0) -> float:
    """Expected number of features beyond the first k that occur in exactly one of n rows."""
    p, k = split(p, k)
    n, tail = check.integer("n", n, low=1), p[k:]
    return float(np.sum(n * tail * np.exp(_log_absent(tail, n - 1))))


def unseen_mass(p: np.ndarray, n: int) -> float:
    """M = sum_i p_i (1 - p_i)^n: the expected number of features of a fresh row that n rows never showed."""
    p, n = frequencies(p), check.integer("n", n, low=0)
    return float(np.sum(p * np.exp(_log_absent(p, n))))


def power_law_sum(alpha: float, c: float, m: float, d: float = math.inf) -> float:
    """The integral that stands for sum_{i<=d} p_i exp(-m p_i), p_i = min(1, c i^-alpha), alpha > 1.

    (1/alpha) c^(1/alpha) m^-gamma Gamma(gamma, m c d^-alpha) with gamma = 1 - 1/alpha,
    :prf:ref:`lem-power-sum`; the error is at most `power_law_sum_error`.
    """
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    c, m = check.positive("c", c), check.positive("m", m)
    d = math.inf if np.isscalar(d) and d == math.inf else check.positive("d", d)
    g = 1 - 1 / alpha
    start = 0.0 if math.isinf(d) else m * c * d**-alpha
    return float(c ** (1 / alpha) * m**-g * gamma_function(g) * gammaincc(g, start) / alpha)


def power_law_sum_error(alpha: float, c: float, m: float) -> float:
    """Largest error of `power_law_sum` for m >= 1, :prf:ref:`lem-power-sum`."""
    alpha, c, m = check.positive("alpha", alpha), check.positive("c", c), check.number("m", m, low=1)
    cut = c ** (1 / alpha) * math.exp(-m) if c > 1 else 0.0
    return 1 / (math.e * m) + cut


def _log_absent(p: np.ndarray, n: int) -> np.ndarray:
    """log P(n rows do not hold the feature) = n log(1 - p): -inf at p = 1, but 0 for no rows at all."""
    with np.errstate(divide="ignore"):
        return n * np.log1p(-p) if n else np.zeros_like(p)
