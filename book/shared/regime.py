"""Which size is large? Recovered shares and the paper's bound at n far beyond any sample."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from book.linear.formulas import blocks, lambert_rate, power_sum
from book.shared.density import cavity
from companion import _validate as check

__all__ = ["Regime", "paper_rate_first_vacuous", "regime"]

FIRST = 4000  # frequencies taken one by one


class Regime(NamedTuple):
    """What theory says at one (alpha, s, n) with d = ratio n features; no random draws.

    recovered: share of the seen features that are resolved, by the scalar equation
    (:prf:ref:`prop-fixed-point`). leading: its leading order, ``exp(-Q/alpha)`` with Q from the Lambert
    formula (NaN where it has no solution). first, second: the two terms of the paper's unrecovered share (as
    summarised, constants unknown), ``p_k / p_{>k}`` and ``p_{>k}^2 ln^2 d`` at ``n p_k = common``. k: common
    features.
    """

    recovered: float
    leading: float
    first: float
    second: float
    k: int


def regime(alpha: float, s: float, n: float, *, ratio: float = 10.0, common: float = 10.0, fine: int = 1) -> Regime:
    """`Regime` at size n; the first 4,000 frequencies one by one, then `fine` times 400 blocks to a decade.

    Raises ValueError unless alpha >= 1, s > 0, n >= 10, ratio >= 1, common > 0 and fine >= 1.
    """
    alpha = check.number("alpha", alpha, low=1)
    s = check.positive("s", s)
    n = check.number("n", n, low=10)
    ratio = check.number("ratio", ratio, low=1)
    common, fine = check.positive("common", common), check.positive_int("fine", fine)
    p, weights, c = blocks(alpha, s, round(ratio * n), exact=FIRST, per_decade=400 * fine)
    solved = cavity(p, int(n), weights=weights)
    unseen = float(np.sum(weights * p * np.exp(n * np.log1p(-np.minimum(p, 1 - 1e-15)))))
    leading = float(np.exp(-lambert_rate(unseen, 1 - 1 / alpha) / alpha))
    k = max(1, int((n * c / common) ** (1 / alpha)))
    # features one by one as far as that goes, then by the Euler-Maclaurin sum: k may fall inside a block
    if k < FIRST:
        tail = float(weights[k:] @ p[k:])
    else:
        tail = c * float(power_sum(alpha, np.asarray(float(k)), np.asarray(float(round(ratio * n)))))
    return Regime(
        recovered=solved.resolved / solved.seen,
        leading=leading,
        first=common / n / tail,
        second=(tail * np.log(ratio * n)) ** 2,
        k=k,
    )


def paper_rate_first_vacuous(alpha: float, *, s: float = 5.0, common_count: float = 10.0) -> float:
    """The n above which p_{>k}^2 ln^2 d < 1 when n p_k = common_count and d = 10 n (bisection in log n, alpha > 1).

    Sums over the power law are replaced by their leading Euler-Maclaurin terms, which is exact to a fraction
    of a per cent at these sizes.
    """
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    s, common_count = check.positive("s", s), check.positive("common_count", common_count)

    def second(log_n: float) -> float:
        n = math.exp(log_n)
        d = 10 * n
        head = np.arange(1, 1001, dtype=float)
        z = float(np.sum(head**-alpha)) + float(power_sum(alpha, 1000.0, d))
        c = s / z
        k = (n * c / common_count) ** (1 / alpha)
        return c * float(power_sum(alpha, k, d)) * math.log(d)

    low, high = math.log(100.0), math.log(1e18)
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if second(middle) > 1 else (low, middle)
    return math.exp(high)
