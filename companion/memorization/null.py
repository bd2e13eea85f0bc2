"""How large a score can be by chance: mask permutations, exact p-values, thresholds, false discoveries."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from companion._validate import generator, number, numbers, positive_int
from companion.memorization.scores import _pair, memorization_scores


def permutation_null(
    correct: np.ndarray, included: np.ndarray, *, repeats: int, seed: int | Sequence[int]
) -> np.ndarray:
    """Scores with the models' masks shuffled among them, shape (repeats, n): nothing is memorized by construction.

    correct, included: (t, n) bool. One permutation of the models a repeat, the same for all points, so that the
    dependence between points stays. For one point alone this null is known exactly: `exact_pvalues`.

    >>> included = np.arange(20)[:, None] % 2 == np.arange(5) % 2
    >>> permutation_null(included, included, repeats=100, seed=0).shape
    (100, 5)
    """
    correct, included = _pair(correct, included)
    repeats = positive_int("repeats", repeats)
    rng = generator(seed)
    return np.stack([memorization_scores(correct[rng.permutation(len(correct))], included) for _ in range(repeats)])


def null_threshold(null: np.ndarray, error_rate: float) -> float:
    """The smallest null score that at most a share `error_rate` of the null scores exceed (NaNs left out).

    >>> null_threshold(np.arange(101) / 100, error_rate=0.25)
    0.75
    """
    error_rate = number("error_rate", error_rate, low=0, high=1)
    values = numbers("null", null).ravel()
    values = values[~np.isnan(values)]
    if values.size == 0:
        raise ValueError("null must hold at least one score that is not NaN")
    return float(np.quantile(values, 1 - error_rate, method="higher"))


def exact_pvalues(correct: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Chance, under mask permutation, of a score at least as large as the one seen. Shape (n,); NaN if empty.

    Permuting the masks keeps the number of models that saw the point and the number that are right on it, so the
    count of "saw it and right" is hypergeometric: this is Fisher's exact test (:prf:ref:`prop-null`).

    >>> included = np.array([[True], [True], [False], [False]])
    >>> exact_pvalues(correct=included, included=included).round(6)  # one in C(4, 2)
    array([0.166667])
    """
    correct, included = _pair(correct, included)
    t = len(correct)
    n_in = np.count_nonzero(included, axis=0)
    right = np.count_nonzero(correct, axis=0)
    both = np.count_nonzero(correct & included, axis=0)
    p = stats.hypergeom.sf(both - 1, t, right, n_in)
    return np.where((n_in > 0) & (n_in < t), p, np.nan)


def benjamini_hochberg(p: np.ndarray, rate: float) -> np.ndarray:
    """Which p-values to call discoveries so that the expected share of false ones is at most `rate`. Bool (n,).

    NaN p-values are never discoveries. Needs independent or positively dependent p-values.

    >>> benjamini_hochberg(np.array([0.001, 0.02, 0.8, np.nan]), rate=0.05)
    array([ True,  True, False, False])
    """
    rate = number("rate", rate, low=0, high=1)
    values = numbers("p", p, low=0, high=1)
    if values.ndim != 1:
        raise ValueError(f"p must be a vector, shape (n,); got shape {values.shape}")
    filled = np.where(np.isnan(values), 2.0, values)
    m = int((filled <= 1).sum())
    order = np.argsort(filled, kind="stable")
    passed = np.flatnonzero(filled[order][:m] <= rate * np.arange(1, m + 1) / max(m, 1))
    found = np.zeros(filled.size, dtype=bool)
    if passed.size:
        found[order[: passed[-1] + 1]] = True
    return found
