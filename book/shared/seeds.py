"""What the demonstrations share: one door for their settings, repetition over seeds, and how a spread is shown."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from book.shared.ledger import claim
from book.shared.style import band
from companion import _validate

Numbers = dict[str, NDArray[np.float64]]
Result = dict[str, Any]
effect = functools.partial(claim, source="published elsewhere", status="checked")
Demo = TypeVar("Demo", bound=Callable[..., Any])


def demonstration(**limits: Any) -> Callable[[Demo], Demo]:
    """Decorator of a demonstration: its ``seed`` and settings are numbers of the kind of their defaults.

    Whole numbers are at least 1 and real ones at least 0, a sequence holds at least one. `limits` says otherwise by
    name: the allowed words, or bounds as `companion._validate.number` takes them, where a function stands for a bound
    that depends on the other settings. TypeError or ValueError that names the argument.
    """

    def depends(name: str) -> bool:
        return isinstance(limits.get(name), dict) and any(map(callable, limits[name].values()))

    def enter(demo: Demo) -> Demo:
        signature = inspect.signature(demo)

        @functools.wraps(demo)
        def called(**given: Any) -> Any:
            bound = signature.bind(**given)
            bound.apply_defaults()
            settings = bound.arguments
            settings["seed"] = _validate.integer("seed", settings["seed"], low=0)
            for name in sorted(set(settings) - {"seed"}, key=lambda name: (depends(name), list(settings).index(name))):
                allowed = limits.get(name, {})
                if depends(name):
                    allowed = {end: limit(settings) if callable(limit) else limit for end, limit in allowed.items()}
                settings[name] = _setting(name, settings[name], signature.parameters[name].default, allowed)
            return demo(**settings)

        return called  # type: ignore[return-value]

    return enter


def _setting(name: str, value: Any, default: Any, limits: Any) -> Any:
    if isinstance(default, bool) or (default is None and value is None):
        return value
    if not isinstance(default, tuple):
        return _one(name, value, default, limits)
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        raise TypeError(f"{name} must be a sequence of numbers, got {value!r} of type {type(value).__name__}")
    if len(value) == 0:
        raise ValueError(f"{name} must hold at least one number, got none")
    return tuple(_one(name, one, default[-1], limits) for one in value)


def _one(name: str, value: Any, default: Any, limits: Any) -> Any:
    if isinstance(default, str):
        return _validate.one_of(name, value, limits)
    if isinstance(default, float):
        return _validate.number(name, value, **{"low": 0, **limits})
    return _validate.integer(name, value, **{"low": 1, **limits})


def repeat(demo: Callable[..., Result], seeds: int | Iterable[int], **settings: Any) -> Numbers:
    """Call ``demo(seed=..., **settings)`` for every seed and stack what it returns, seeds along the first axis.

    `seeds`: how many (0, 1, ...), or the seeds themselves. TypeError or ValueError: no function, seeds that are no
    whole numbers of at least 0, or no seed at all.
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


def mean(demo: Callable[..., Result], key: str, seeds: int, **settings: Any) -> Any:
    """Mean over `seeds` seeds of one result of a demonstration."""
    return repeat(demo, seeds, **settings)[key].mean(axis=0)


def spread(values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation over the first axis (the seeds); the deviation of a single run is NaN."""
    runs = np.asarray(values, dtype=float)
    return runs.mean(axis=0), runs.std(axis=0, ddof=1) if len(runs) > 1 else np.full(runs.shape[1:], np.nan)


def said(values: ArrayLike, fmt: str = ".2f") -> str:
    """Mean and standard deviation over seeds, for a sentence."""
    mean, sd = spread(values)
    return f"{float(mean):{fmt}} ± {float(sd):{fmt}}"


def around(ax: Any, x: Sequence[float] | NDArray[Any], runs: NDArray[np.float64], **line: Any) -> None:
    """Mean over seeds (first axis of `runs`) with a band of one standard deviation."""
    mean, sd = spread(runs)
    band(ax, list(x), mean, mean - sd, mean + sd, **line)


def by(runs: Mapping[Any, Numbers], key: str) -> NDArray[np.float64]:
    """One result of runs at several settings: seeds along the first axis, the settings in order along the second."""
    return np.stack([runs[setting][key] for setting in sorted(runs)], axis=1)
