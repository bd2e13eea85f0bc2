"""Turning memorization off by degrees: ridge and early stopping on features seen a few times, in closed form.

Ridge minimises ``(1/n)|y - X b|^2 + lam |b|^2``; what matters is the product ``n lam``. Gradient descent starts
from zero with step ``lr`` on ``(1/n)|y - X b|^2``.
"""

from typing import Any

import numpy as np

from companion import _validate as check


def ridge_shrinkage(count: Any, n_lam: float) -> Any:
    """Factor on the coefficient of a feature seen `count` times alone in its rows: ``count/(count + n lam)``.

    At ``count = s^2`` it is the share of a singular direction s that ridge has learned.
    Source: ours, :prf:ref:`prop-isolated`.
    """
    n_lam, count = check.nonnegative("n_lam", n_lam), _counts(count)
    total = count + n_lam
    return np.divide(count, total, out=np.zeros_like(count), where=total > 0)[()]


def gradient_shrinkage(count: Any, n: int, *, lr: float, steps: int) -> Any:
    """The same factor after `steps` of gradient descent from zero: ``1 - (1 - 2 lr count / n)^steps``.

    At ``count = s^2`` it is the share of a singular direction s that descent has learned
    (:prf:ref:`thm-gradient-descent`, a textbook result). Source: ours, :prf:ref:`prop-isolated`.
    """
    lr, n = check.positive("lr", lr), check.positive_int("n", n)
    steps = check.integer("steps", steps, low=0)
    return 1 - (1 - 2 * lr * _counts(count) / n) ** steps


def _counts(count: Any) -> np.ndarray:
    count = check.reals("count", count)
    if count.min(initial=0) < 0:
        raise ValueError(f"count must be at least 0, got {count.min()}")
    return count
