"""What every demonstration asks of its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from companion import _validate


def generator(seed: Any) -> np.random.Generator:
    """The random numbers of `seed`, a whole number of at least 0; TypeError or ValueError that names it otherwise."""
    return np.random.default_rng(_validate.integer("seed", seed, low=0))


def several(name: str, values: Any) -> Sequence[Any] | np.ndarray:
    """`values` if it is a sequence of at least one; TypeError or ValueError that names it otherwise."""
    if not isinstance(values, (Sequence, np.ndarray)) or isinstance(values, str):
        raise TypeError(f"{name} must be a sequence of numbers, got {values!r} of type {type(values).__name__}")
    if len(values) == 0:
        raise ValueError(f"{name} must hold at least one number, got none")
    return values


def sizes(**values: Any) -> None:
    """TypeError or ValueError that names the first of `values` that is no whole number of at least 1."""
    for name, value in values.items():
        _validate.positive_int(name, value)
