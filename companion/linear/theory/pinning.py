"""When the common features are fixed by the rows that hold nothing else.

A is the matrix of the rows without tail features, columns the first k; rank A = k pins every common feature.
"""

import numpy as np

from companion import _validate as check
from companion.linear.theory.checks import frequencies, split
from companion.linear.theory.counts import no_tail_probability


def value_probability(p: np.ndarray) -> np.ndarray:
    """rho_i = max(1 - p_i, p_i / 2): the largest probability of a single value of an entry of column i."""
    p = frequencies(p)
    return np.maximum(1 - p, p / 2)


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
