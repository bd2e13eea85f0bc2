"""Rows by what they hold of the tail: how many features, and the rank of the rows that hold none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np

from book.linear import formulas
from book.linear.formulas import below_one
from companion import _validate as check
from companion._validate import split
from companion.linear import theory


def no_tail_bounds(p: np.ndarray, k: int) -> tuple[float, float]:
    """Lower and upper bound on pi_0 from the tail mass alone, :prf:ref:`lem-row-counts` (a).

    Raises
    ------
    ValueError: p_{k+1} = 1, where no such bound holds.
    """
    p, k = split(p, k)
    first = float(below_one(p, k).max(initial=0.0))
    mass = theory.tail_mass(p, k)
    return max(1 - mass, math.exp(-mass / (1 - first))), math.exp(-mass)


def several_tail_probability(p: np.ndarray, k: int) -> float:
    """P(a row holds two tail features or more), exactly; ValueError unless p_{k+1} < 1."""
    p, k = split(p, k)
    tail = below_one(p, k)
    none = theory.no_tail_probability(p, k)
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


@cache
def crowded(alpha: float, n: float, common: float = 10.0) -> tuple[float, float]:
    """Expected rows of n that hold two tail features or more, at d = 10 n and n p_k = `common`; and the law."""
    B = formulas.blocks(alpha, 5.0, 10 * n, exact=5000, per_decade=1000)
    tail = n * B.p < common
    p, count = B.p[tail], B.weights[tail]
    none = math.exp(float(count @ np.log1p(-p)))
    several = 1 - none * (1 + float(count @ (p / (1 - p))))
    c = formulas.frequency_scale(5.0, alpha)
    return n * several, common ** (2 - 2 / alpha) * c ** (2 / alpha) * n ** (2 / alpha - 1) / (2 * (alpha - 1) ** 2)


def rank_failure_given_rows(p: np.ndarray, k: int, rows: int) -> float:
    """Bound on P(rank A < k | N_0 = rows), :prf:ref:`thm-pinned` (a); at least 1 when rows < k."""
    p, k = split(p, k, low=1)
    return float(np.sum(formulas.value_probability(p[:k]) ** (check.integer("rows", rows, low=0) - k + 1)))


SMALL = (0.5, 0.35, 0.3, 0.25)
SHARP = (1.0, 1.0, 0.06)  # hardly anything but an empty third column makes the rank fail: the bound is nearly attained


def failures(
    p: Sequence[float], rows: int, draws: int, seed: int, *, tail: float = 0.0, signs: bool = True
) -> tuple[float, float]:
    """Share of draws in which A has not full rank, and its standard error; a row is lost with probability `tail`."""
    rng = np.random.default_rng(seed)
    A = (rng.integers(0, 2, (draws, rows, len(p))) * 2 - 1 if signs else 1) * (rng.random((draws, rows, len(p))) < p)
    A = (A * (rng.random((draws, rows, 1)) >= tail)).astype(float)
    share = float(np.mean(np.abs(np.linalg.det(A.swapaxes(1, 2) @ A)) < 0.5))  # an integer, 0 if the rank fails
    return share, math.sqrt(share * (1 - share) / draws)
