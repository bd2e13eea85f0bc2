"""What the statements ask of their arguments, checked once at the door of each function."""

from typing import Any

import numpy as np

from companion import _validate as check


def frequencies(p: Any) -> np.ndarray:
    """`p` as a non-empty float vector (d,) of probabilities; ValueError that names p otherwise."""
    p = check.vector("p", p)
    if p.size == 0:
        raise ValueError("p must hold at least one frequency, got an empty vector")
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"p must hold probabilities in [0, 1], got values in [{p.min()}, {p.max()}]")
    return p


def split(p: Any, k: Any, *, low: int = 0, left: int = 0) -> tuple[np.ndarray, int]:
    """Frequencies (d,) and the number k of common ones, at least `low`, with at least `left` after them."""
    p = frequencies(p)
    return p, check.integer("k", k, low=low, high=p.size - left)
