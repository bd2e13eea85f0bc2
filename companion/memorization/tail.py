"""Long-tailed frequencies: how many points a sample shows once, and what they are worth."""

import numpy as np
from scipy import stats

from companion._validate import integer, nonnegative, positive_int, vector


def zipf(size: int, exponent: float) -> np.ndarray:
    """Frequencies proportional to 1/i^exponent, i = 1..size. Shape (size,), sums to 1; exponent 0 is uniform.

    >>> zipf(2, exponent=1.0).round(6)
    array([0.666667, 0.333333])
    """
    size, exponent = positive_int("size", size), nonnegative("exponent", exponent)
    weights = np.arange(1, size + 1) ** -exponent
    return weights / weights.sum()


def expected_count(p: np.ndarray, n: int, times: int) -> float:
    """Expected number of points seen exactly `times` times in n independent draws.

    p: frequencies, shape (N,), summing to 1. Source: :prf:ref:`thm-price`.

    >>> round(expected_count(np.array([0.5, 0.5]), n=2, times=1), 6)
    1.0
    """
    p, n, times = _frequencies(p), positive_int("n", n), integer("times", times, low=0)
    return float(stats.binom.pmf(times, n, p).sum())


def expected_mass(p: np.ndarray, n: int, times: int) -> float:
    """Expected total frequency of the points seen exactly `times` times in n draws (`times=0`: the unseen mass).

    Source: :prf:ref:`prop-one-step-up`: it equals (times+1)/(n+1) times the expected count one step up.

    >>> round(expected_mass(np.array([0.5, 0.5]), n=2, times=0), 6)  # one of the two, half of the time
    0.25
    """
    p, n, times = _frequencies(p), positive_int("n", n), integer("times", times, low=0)
    return float((p * stats.binom.pmf(times, n, p)).sum())


def price(p: np.ndarray, n: int, times: int) -> float:
    """tau_times: expected frequency of the points seen `times` times, over samples and such points alike.

    Misfitting a share of them costs that share of tau times their expected number in expected error, when the sample
    does not tell which frequency belongs to which point (Feldman 2020, as we know it second-hand; our exact version is
    :prf:ref:`thm-price`). NaN if no point can be seen that often.

    >>> round(price(np.array([0.5, 0.5]), n=2, times=1), 6)
    0.5
    """
    count = expected_count(p, n, times)
    return expected_mass(p, n, times) / count if count > 0 else float("nan")


def _frequencies(p: np.ndarray) -> np.ndarray:
    p = vector("p", p)
    if p.size == 0 or (p < 0).any() or abs(p.sum() - 1) > 1e-9:
        raise ValueError(f"p must be frequencies: at least 0, summing to 1; the sum is {p.sum():.6g}")
    return p
