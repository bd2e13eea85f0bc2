"""How good the subset estimator is: its exact error, our bound, the bound as quoted, and the sampling-rate law."""

import math

import numpy as np
from scipy import stats

from companion._validate import integer, number, positive_int


def exact_error(inside: float, outside: float, r: float, t: int) -> float:
    """Exact mean squared error of a score estimated from t subsets that hold the point with probability r.

    inside, outside: the true probabilities of being right with and without the point. Draws that leave a group
    empty count as the estimate 0 (the library returns NaN there). Source: :prf:ref:`thm-variance`.

    >>> exact_error(inside=1.0, outside=0.0, r=0.5, t=2000) < variance_bound(r=0.5, t=2000)
    True
    """
    inside, outside = number("inside", inside, low=0, high=1), number("outside", outside, low=0, high=1)
    r, t = _rate(r), positive_int("t", t)
    a = np.arange(1, t)
    weight = stats.binom.pmf(a, t, r)
    noise = weight @ (inside * (1 - inside) / a + outside * (1 - outside) / (t - a)) if t > 1 else 0.0
    return float(noise + (inside - outside) ** 2 * (r**t + (1 - r) ** t))


def variance_bound(r: float, t: int) -> float:
    """1/(2 (t+1) r (1-r)): no score's mean squared error (see `exact_error`) is larger. :prf:ref:`thm-variance`.

    >>> round(variance_bound(r=0.5, t=1999), 6)
    0.001
    """
    r, t = _rate(r), positive_int("t", t)
    return 1 / (2 * (t + 1) * r * (1 - r))


def quoted_bound(r: float, t: int) -> float:
    """Feldman and Zhang's bound as quoted by secondary sources: 1/(pt) + 1/((1-p)t) + exp(-pt/16)/2.

    >>> quoted_bound(r=0.5, t=2000) > variance_bound(r=0.5, t=2000)
    True
    """
    r, t = _rate(r), positive_int("t", t)
    p = min(r, 1 - r)
    return 1 / (p * t) + 1 / ((1 - p) * t) + math.exp(-p * t / 16) / 2


def never_left_out(r: float, t: int) -> float:
    """Probability that a point is in all t subsets, so that it has no score: r^t.

    >>> never_left_out(r=0.5, t=3)
    0.125
    """
    return _rate(r) ** positive_int("t", t)


def cluster_law(size: int, n: int, m: int) -> float:
    """Subsampled memorization score of a point whose `size`-1 twins alone can stand in for it.

    The chance that a uniform m-subset of the other n-1 points holds none of the twins; at most
    (1 - m/n)^(size-1). Leave-one-out gives 1 for size 1 and 0 otherwise. Source: :prf:ref:`prop-cluster-law`.

    >>> cluster_law(size=1, n=100, m=70)  # no twins: always memorized
    1.0
    >>> round(cluster_law(size=2, n=101, m=70), 6)  # the one twin is absent from 30 of 100 subsets
    0.3
    """
    n = integer("n", n, low=2)
    size, m = integer("size", size, low=1, high=n), integer("m", m, low=1, high=n - 1)
    j = np.arange(size - 1)
    return float(np.prod(np.maximum(1 - m / (n - 1 - j), 0)))


def _rate(r: float) -> float:
    r = number("r", r, low=0, high=1, open_low=True)
    if r == 1:
        raise ValueError("r must be below 1: with r = 1 no model leaves a point out")
    return r
