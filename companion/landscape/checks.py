"""What every demonstration asks of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from companion import _validate


def generator(seed: Any) -> np.random.Generator:
    """The random numbers of `seed`, a whole number of at least 0; TypeError or ValueError that names it otherwise."""
    return np.random.default_rng(_validate.integer("seed", seed, low=0))


def sizes(**values: Any) -> None:
    """TypeError or ValueError that names the first of `values` that is no whole number of at least 1."""
    for name, value in values.items():
        _validate.positive_int(name, value)
