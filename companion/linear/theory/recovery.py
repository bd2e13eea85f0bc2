"""Which seen features are recovered: exact expectations, the sandwich, the rate, the paper's fraction."""

import math

import numpy as np

from companion import _validate as check
from companion.linear.theory.checks import below_one, frequencies, split
from companion.linear.theory.counts import no_tail_probability, power_law_sum, tail_mass
from companion.linear.theory.pinning import rank_failure_bound


def alone_probability(p: np.ndarray, k: int) -> np.ndarray:
    """p_i a_i for the tail: P(a row holds i and no other tail feature), a_i = pi_0/(1 - p_i). Shape (d - k,)."""
    p, k = split(p, k)
    tail = below_one(p, k)
    return tail * no_tail_probability(p, k) / (1 - tail)


def expected_level_one(p: np.ndarray, k: int, n: int) -> float:
    """Expected number of tail features that are alone in some row, :prf:ref:`prop-level-one`."""
    n = check.integer("n", n, low=0)
    return float(-np.expm1(n * np.log1p(-alone_probability(p, k))).sum())


def expected_level_one_share(p: np.ndarray, k: int, n: int) -> float:
    """Expected level-one features over expected seen tail features."""
    p, k = split(p, k, left=1)
    tail, n = p[k:], check.positive_int("n", n)
    return expected_level_one(p, k, n) / float(-np.expm1(n * np.log1p(-tail)).sum())


def unresolved_once_seen_lower(p: np.ndarray, n: int) -> np.ndarray:
    """Lower bound on P(i unresolved | n_i = 1) for every i, :prf:ref:`thm-sandwich`. Shape (d,).

    1 - prod_{j != i} (1 - p_j (1 - p_j)^(n-1)): another feature of the row was seen nowhere else either.
    """
    p, n = frequencies(p), check.positive_int("n", n)
    with np.errstate(divide="ignore"):
        absent = np.exp((n - 1) * np.log1p(-p)) if n > 1 else np.ones_like(p)
        terms = np.log1p(-p * absent)
    certain = np.isneginf(terms)  # n = 1 and p_j = 1: j is in the only row
    rest = np.where(certain, 0.0, terms)
    return np.where(certain.sum() > certain, 1.0, -np.expm1(rest.sum() - rest))


def unresolved_once_seen_upper(p: np.ndarray, k: int, n: int, *, pinned: bool = False) -> np.ndarray:
    """Upper bound on P(i unresolved | n_i = 1) for every tail i, :prf:ref:`thm-sandwich`. Shape (d - k,).

    pinned: leave out the bound on the probability that the common features are not pinned.
    """
    p, k = split(p, k)
    tail, n = p[k:], check.positive_int("n", n)
    mates = tail * np.exp((n - 1) * np.log1p(-alone_probability(p, k)))
    upper = mates.sum() - mates
    if not pinned and k > 0:
        upper = upper + rank_failure_bound(p, k, n - 1)
    return upper


def seen_often_unresolved_bound(p: np.ndarray, k: int, n: int) -> float:
    """Bound on P(K pinned, i unresolved | n_i >= 2), any tail i, :prf:ref:`lem-seen-twice`.

    m^2 + p_{k+1} m with m = sum_{j>k} p_j (1 - p_j a_j)^(n-2).
    """
    p, k = split(p, k, left=1)
    tail, n = p[k:], check.integer("n", n, low=2)
    m = float(np.sum(tail * np.exp((n - 2) * np.log1p(-alone_probability(p, k)))))
    return m * m + float(tail[0]) * m


def unresolved_share_power_law(alpha: float, c: float, n: int) -> float:
    """Leading order M/alpha of the share of seen features left unresolved, :prf:ref:`thm-rate` (a)."""
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    return power_law_sum(alpha, c, check.positive("n", n)) / alpha


def unresolved_mass_power_law(alpha: float, c: float, n: int) -> float:
    """Leading order gamma M^2 of the probability mass of seen but unresolved features, :prf:ref:`thm-rate` (b)."""
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    mass = power_law_sum(alpha, c, check.positive("n", n))
    return (1 - 1 / alpha) * mass**2


def paper_rate(p: np.ndarray, k: int) -> tuple[float, float]:
    """The two terms in the paper's unrecovered fraction (as summarised, without their hidden constants).

    p_k/p_{>k} and p_{>k}^2 ln^2 d.
    """
    p, k = split(p, k, low=1, left=1)
    mass = tail_mass(p, k)
    return float(p[k - 1]) / mass, mass**2 * math.log(len(p)) ** 2
