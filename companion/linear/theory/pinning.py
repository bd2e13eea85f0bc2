"""When the common features are fixed by the rows that hold nothing else.

A is the matrix of the rows without tail features, columns the first k; rank A = k pins every common feature.
"""

import math

import numpy as np
from scipy.stats import binom

from companion import _validate as check
from companion.linear.theory.checks import frequencies, split
from companion.linear.theory.counts import no_tail_probability


def value_probability(p: np.ndarray) -> np.ndarray:
    """rho_i = max(1 - p_i, p_i / 2): the largest probability of a single value of an entry of column i."""
    p = frequencies(p)
    return np.maximum(1 - p, p / 2)


def rank_failure_given_rows(p: np.ndarray, k: int, rows: int) -> float:
    """Bound on P(rank A < k | N_0 = rows), :prf:ref:`thm-pinned` (a); at least 1 when rows < k."""
    p, k = split(p, k, low=1)
    return float(np.sum(value_probability(p[:k]) ** (check.integer("rows", rows, low=0) - k + 1)))


def rank_failure_bound(p: np.ndarray, k: int, n: int, excluded: float = 0.0) -> float:
    """Bound on P(rank A < k) for n rows, averaged over N_0, :prf:ref:`thm-pinned` (b).

    excluded: the frequency of a tail feature that is known to be absent from all n rows
    (the bound is then used with n - 1 rows in :prf:ref:`thm-sandwich`).
    """
    p, k = split(p, k, low=1)
    n, excluded = check.integer("n", n, low=0), check.number("excluded", excluded, low=0, high=1)
    if excluded == 1:
        raise ValueError("excluded must be below 1: a feature of frequency 1 is in every row")
    rho = value_probability(p[:k])
    none = no_tail_probability(p, k) / (1 - excluded)
    log_terms = -(k - 1) * np.log(rho) + n * np.log1p(-none * (1 - rho))
    return float(np.exp(np.minimum(log_terms, 700.0)).sum())


def empty_column_probability(p: np.ndarray, k: int, rows: int) -> float:
    """P(some column of A is empty | N_0 = rows): a lower bound on the failure, :prf:ref:`prop-empty-column`."""
    p, k = split(p, k)
    return float(_some((1 - p[:k]) ** check.integer("rows", rows, low=0)))


def empty_column_average(p: np.ndarray, k: int, n: int) -> float:
    """P(some column of A is empty) for n rows: `empty_column_probability` averaged over N_0 ~ Bin(n, pi_0)."""
    (p, k), n = split(p, k), check.integer("n", n, low=0)
    rows = np.arange(n + 1)
    return float(binom.pmf(rows, n, no_tail_probability(p, k)) @ _some((1 - p[None, :k]) ** rows[:, None]))


def pinning_frequency(k: int, rows: int, delta: float) -> float:
    """The p_k that suffices for P(rank A < k | N_0 = rows) <= delta, :prf:ref:`cor-pinned`; inf if none does."""
    k, rows = check.positive_int("k", k), check.integer("rows", rows, low=0)
    delta = check.number("delta", delta, low=0, high=1, open_low=True)
    if rows < k:
        return math.inf
    need = math.log(k / delta) / (rows - k + 1)
    return need if need <= math.log(2) else math.inf


def concentration_failure(p: np.ndarray, k: int, n: int, epsilon: float) -> float:
    """``P(max_{i<=k} |n_i/(n p_i) - 1| > epsilon)``, exactly, :prf:ref:`prop-no-concentration` (a)."""
    p, k = split(p, k)
    p, n, epsilon = p[:k], check.integer("n", n, low=0), check.nonnegative("epsilon", epsilon)
    low = np.ceil(n * p * (1 - epsilon) - 1e-9)
    high = np.floor(n * p * (1 + epsilon) + 1e-9)
    return float(_some(binom.sf(high, n, p) + binom.cdf(low - 1, n, p)))


def _some(probability: np.ndarray) -> np.ndarray:
    """Probability that one or more of independent events (last axis) happen; no cancellation when all are rare."""
    with np.errstate(divide="ignore"):  # a certain event: log 0
        return np.asarray(-np.expm1(np.log1p(-np.minimum(probability, 1.0)).sum(axis=-1)))


def matrix_chernoff_bound(p: np.ndarray, k: int, n: int, delta: float) -> float:
    """The matrix Chernoff bound on P(lambda_min <= 1 - delta) for the whitened Gram matrix of n rows.

    k (e^-delta / (1 - delta)^(1 - delta))^(n / sum_{i<=k} 1/p_i), :prf:ref:`prop-no-concentration` (b).
    """
    p, k = split(p, k, low=1)
    if p[:k].min() <= 0:
        raise ValueError(f"p[:k] must be positive, got {p[:k].min()}")
    n, delta = check.integer("n", n, low=0), check.number("delta", delta, low=0, high=1)
    rate = delta + ((1 - delta) * math.log(1 - delta) if delta < 1 else 0.0)
    return float(k * math.exp(-rate * n / float(np.sum(1 / p[:k]))))
