"""How the four architectures are called and coloured on every page, and what a change of their losses amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from book.shared.style import CROSS_CHANNEL, LINEAR, SUM, TWO_LAYER
from companion.runner import results
from companion.runner.results import Result

NAMES = {"sum": "Sum", "linear": "Linear", "2-layer": "2-layer", "cross-channel": "Cross-channel"}
COLOURS = {"sum": SUM, "linear": LINEAR, "2-layer": TWO_LAYER, "cross-channel": CROSS_CHANNEL}


def ratios(result: Result, key: str, over: Mapping[str, Any], under: Mapping[str, Any]) -> np.ndarray:
    """(seeds,) the loss `key` in the cell `over`, divided by that of the same seed in the cell `under`."""
    above, below = ({row["seed"]: row[key] for row in result.select(**cell)} for cell in (over, under))
    return np.array([above[seed] / below[seed] for seed in sorted(above.keys() & below.keys())])


def factor(pairs: ArrayLike) -> dict[str, float]:
    """Geometric mean of ratios with its 95% interval (t, on logarithms): losses are spread over powers of ten."""
    logs = results.interval(np.log(np.asarray(pairs, float)))
    return {key: float(np.exp(logs[key])) for key in ("mean", "low", "high")} | {"n": np.size(pairs)}


def loss(result: Result, key: str, **cell: Any) -> dict[str, float]:
    """Geometric mean of a loss over the seeds of a cell, with its 95% interval."""
    return factor([row[key] for row in result.select(**cell)])


def switched(result: Result) -> list[float]:
    """The values of weight decay that every model of a result was trained at."""
    models = {group["model"] for group in result.summary}
    return sorted(set.intersection(*({g["weight_decay"] for g in result.where(model=m)} for m in models)))


def effect(of: Mapping[str, float]) -> str:
    """The verdict on a factor, from its interval alone.

    "large": all of it above 2; "present": all above 1; "absent": all within 4/5 and 5/4; "reversed": all below 1.

    >>> effect({"low": 1.2, "high": 9.0}), effect({"low": 0.5, "high": 3.0})
    ('present', 'not resolved')
    """
    low, high = of["low"], of["high"]
    if not low <= high:  # one draw has no interval
        return "one draw"
    if low > 1:
        return "large" if low > 2 else "present"
    if low > 0.8 and high < 1.25:
        return "absent"
    return "reversed" if high < 1 else "not resolved"
