"""Run one demonstration over several seeds and summarise the spread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from companion import _validate

Numbers = dict[str, NDArray[np.float64]]


def repeat(demo: Callable[..., dict[str, Any]], seeds: int | Iterable[int], **settings: Any) -> Numbers:
    """Call ``demo(seed=..., **settings)`` for every seed and stack what it returns.

    Args:
        demo: a demonstration; every value it returns has the same shape for every seed.
        seeds: how many seeds (0, 1, ...), or the seeds themselves.
        settings: passed on.

    Returns:
        Each key of the demonstration's dictionary with its values stacked, seeds along the first axis.

    Raises:
        TypeError, ValueError: no function, seeds that are no whole numbers of at least 0, or no seed at all.
    """
    if not callable(demo):
        raise TypeError(f"demo must be a demonstration, a function; got {demo!r} of type {type(demo).__name__}")
    if not isinstance(seeds, Iterable) or isinstance(seeds, str):
        seeds = range(_validate.integer("seeds", seeds))
    seeds = [_validate.integer("seeds", seed, low=0) for seed in seeds]
    if not seeds:
        raise ValueError("seeds must name at least one seed, got none")
    runs = [demo(seed=seed, **settings) for seed in seeds]
    return {key: np.stack([np.asarray(run[key], dtype=float) for run in runs]) for key in runs[0]}


def spread(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation over the first axis (the seeds); the deviation of a single run is NaN."""
    runs = np.asarray(values, dtype=float)
    ddof_safe = runs.std(axis=0, ddof=1) if len(runs) > 1 else np.full(runs.shape[1:], np.nan)
    return runs.mean(axis=0), ddof_safe
