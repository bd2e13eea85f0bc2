"""Drawings of the first part, its classical picture; the other chapters' are in ``landscape_simple`` and so on.

Every function takes what :func:`companion.landscape.seeds.repeat` returned (seeds along the first axis) and
returns a Picture. Bands are one standard deviation over seeds unless a function says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from book.shared.style import BLUE, GREEN, GREY, ORANGE, PURPLE, Picture, band, picture, subplots
from companion.landscape import capacity, random_labels
from companion.landscape.seeds import Numbers, repeat, spread

COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 13, 14, 15, 16, 17, 19, 22, 27, 40, 70, 150, 400)


def around(ax: Any, x: Sequence[float] | NDArray[Any], runs: NDArray[np.float64], **line: Any) -> None:
    """Mean over seeds (first axis of ``runs``) with a band of one standard deviation."""
    mean, sd = spread(runs)
    band(ax, list(x), mean, mean - sd, mean + sd, **line)


def said(values: NDArray[np.float64], fmt: str = ".2f") -> str:
    """Mean and standard deviation over seeds, for a text alternative."""
    mean, sd = spread(values)
    return f"{float(mean):{fmt}} ± {float(sd):{fmt}}"


def _curve(ax: Any, seed: int, count: int, decay: float, noise: float, **line: Any) -> None:
    x, y = capacity.sample(15, noise, seed=seed)
    grid = np.linspace(-1, 1, 401)
    fitted = capacity.features(grid, count, decay) @ capacity.least_norm(capacity.features(x, count, decay), y)
    ax.plot(grid, np.clip(fitted, -4, 4), **line)


def _points(ax: Any, seed: int, noise: float) -> None:
    x, y = capacity.sample(15, noise, seed=seed)
    grid = np.linspace(-1, 1, 201)
    ax.plot(grid, capacity.truth(grid), color=GREY, ls=":", lw=1.4, label="truth")
    ax.plot(x, y, "o", color=GREY, label="data")
    ax.set(xlim=(-1, 1), ylim=(-2.2, 2.2), xlabel="$x$")


def _error(ax: Any, runs: Numbers, counts: Sequence[int], color: str, label: str) -> None:
    low, middle, high = np.quantile(runs["test"], (0.1, 0.5, 0.9), axis=0)
    band(ax, counts, middle, low, high, color=color, label=label)


def polynomial(smooth: Numbers, flat: Numbers, counts: Sequence[int] = COUNTS, *, seed: int = 0) -> Picture:
    """One data set fitted three ways, and the error against the number of features for two norms.

    ``smooth`` and ``flat`` are runs of :func:`capacity.run` at decay 1 and 0 over ``counts``. Lines are medians and
    bands the middle 80 % of the seeds: the error near the threshold has no useful mean.
    """
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.5))
    _points(left, seed, 0.2)
    for count, color, label in ((4, BLUE, "degree 3"), (15, ORANGE, "degree 14"), (400, GREEN, "400 features")):
        _curve(left, seed, count, 1.0, 0.2, color=color, label=label)
    left.legend(ncols=2, loc="lower center")
    left.set(title="One sample of 15 points", ylim=(-4, 2.2))
    _error(right, smooth, counts, GREEN, "norm prefers smooth")
    _error(right, flat, counts, PURPLE, "norm is indifferent")
    right.axvline(15, color=GREY, ls="--", lw=1)
    right.axhline(0.5, color=GREY, ls=":", lw=1)
    right.text(0.9, 0.62, "predicting 0", fontsize=8)
    right.set(xscale="log", yscale="log", ylim=(5e-3, 3e4), xlabel="features", ylabel="test error", title="Test error")
    right.legend()
    at = {count: float(np.median(smooth["test"][:, counts.index(count)])) for count in (4, 15, 400)}
    last = float(np.median(flat["test"][:, -1]))
    return picture(
        figure,
        "Left: 15 noisy points of a sine wave, followed closely by a cubic and by a 400-feature interpolator, and "
        f"missed wildly by a polynomial of degree 14. Right: median test error {at[4]:.3f} at 4 features, "
        f"{at[15]:.0f} at 15, and {at[400]:.3f} at 400 when the norm prefers smooth functions, {last:.2f} when not.",
    )


class Descent:
    """Draws for the explorer: the error curves are computed once, the fitted curve for each state."""

    def __init__(self, *, noise: float = 0.2, seeds: int = 15) -> None:
        self.noise = noise
        self.runs = {d: repeat(capacity.run, seeds, counts=COUNTS, decay=d, noise=noise) for d in (0.0, 1.0)}

    def __call__(self, features: int, decay: float) -> Picture:
        """The fit with this many features under this norm, and where it stands on the error curve."""
        figure, (left, right) = subplots(1, 2, size=(8.0, 3.2))
        _points(left, 0, self.noise)
        _curve(left, 0, features, decay, self.noise, color=BLUE)
        left.set(title=f"{features} features")
        middle = np.median(self.runs[decay]["test"], axis=0)
        here = middle[COUNTS.index(features)]
        right.plot(COUNTS, middle, color=GREEN)
        right.plot([features], [here], "o", color=ORANGE, ms=8)
        right.axvline(15, color=GREY, ls="--", lw=1)
        right.set(xscale="log", yscale="log", ylim=(5e-3, 3e4), xlabel="features", title="Median test error")
        return picture(
            figure,
            f"With {features} features and smoothness weight {decay:g} the median test error is {here:.3g}; "
            f"the curve peaks at {middle.max():.3g} near 15 features, the number of points.",
        )


def labels(runs: Mapping[float, Numbers]) -> Picture:
    """Training and test accuracy, and epochs needed, against the share of random labels (the keys)."""
    shares = sorted(runs)
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    for key, color, label in (("train", GREY, "labels it was given"), ("test", BLUE, "fresh, true labels")):
        around(left, shares, np.stack([runs[s][key] for s in shares], axis=1), color=color, label=label)
    left.axhline(0.5, color=GREY, ls=":", lw=1)
    left.set(xlabel="share of random labels", title="Accuracy", ylim=(0.3, 1.03))
    left.legend(loc="lower left")
    around(right, shares, np.stack([runs[s]["epochs"] for s in shares], axis=1), color=ORANGE)
    right.set(xlabel="share of random labels", title="Epochs to fit every label", ylim=(0, None))
    first, last = runs[shares[0]], runs[shares[-1]]
    return picture(
        figure,
        f"Training accuracy is {runs[shares[-1]]['train'].mean():.2f} at every share of random labels. Accuracy on "
        f"fresh true labels falls from {said(first['test'])} to {said(last['test'])}; the epochs needed go from "
        f"{said(first['epochs'], '.1f')} to {said(last['epochs'], '.1f')}.",
    )


def label_runs(shares: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0), *, seeds: int = 5) -> dict[float, Numbers]:
    """Runs of :func:`random_labels.run` for each share of random labels."""
    return {share: repeat(random_labels.run, seeds, share=share) for share in shares}
