"""Long-tailed frequencies: how many points a sample shows once, and what they are worth."""

import numpy as np

from companion._validate import nonnegative, positive_int


def zipf(size: int, exponent: float) -> np.ndarray:
    """Frequencies proportional to 1/i^exponent, i = 1..size. Shape (size,), sums to 1; exponent 0 is uniform.

    >>> zipf(2, exponent=1.0).round(6)
    array([0.666667, 0.333333])
    """
    size, exponent = positive_int("size", size), nonnegative("exponent", exponent)
    weights = np.arange(1, size + 1) ** -exponent
    return weights / weights.sum()
