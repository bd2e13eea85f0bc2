"""The figure that hands over to the paper: similarity against composition on combinations never seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from book.shared.style import BLUE, GREY, ORANGE, PURPLE, Picture, band, picture, subplots
from companion.landscape.seeds import Numbers, repeat
from companion.linear import LongTailModel, feature_counts, min_norm

Array = NDArray[np.float64]
WIDTHS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)


def distances(a: Array, b: Array) -> Array:
    """Squared distances between the rows of ``a`` and ``b``."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0.0))


def combinations(model: LongTailModel, rare: NDArray[np.intp], t: int, count: int, rng: np.random.Generator) -> Array:
    """``count`` fresh rows: common features as they come, ``t`` distinct ``rare`` ones, random signs throughout."""
    rows = np.zeros((count, model.d))
    common = rng.uniform(size=(count, model.k)) < model.p[: model.k]
    rows[:, : model.k] = common * rng.choice([-1.0, 1.0], size=common.shape)
    for row in rows:
        row[rng.choice(rare, size=t, replace=False)] = rng.choice([-1.0, 1.0], size=t)
    return rows


def contrast(*, seed: int, n: int = 400, d: int = 4000, most: int = 4, count: int = 200) -> dict[str, Any]:
    """Learners that fit every row with a once-seen feature, tested on combinations of such features.

    Args:
        seed: of training and test data.
        n, d: rows and features of a :class:`companion.linear.LongTailModel` with alpha = 2, sigma = 0.05.
        most: largest number of rare features to combine. count: test rows for each number.

    Returns:
        Mean squared errors against the noiseless labels for 0, 1, ..., most rare features: ``neighbour``,
        ``linear`` (minimum norm), ``zero`` (predicting 0), each (most + 1,), and ``kernel`` (len(WIDTHS), most + 1),
        the Gaussian-kernel interpolator; ``train``: largest training error of all but the last of them on the
        training rows that hold a once-seen feature; ``together``: how many once-seen features share their row.
    """
    rng = np.random.default_rng(seed)
    model = LongTailModel(n=n, d=d, s=5.0, alpha=2.0, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=rng)
    x, y = sample.X.toarray(), sample.y
    once = np.flatnonzero(feature_counts(sample.X) == 1)
    once = once[once >= model.k]
    beta_hat = min_norm(sample.X, y)
    apart = distances(x, x)
    # The tiny ridge is for rows that repeat each other with different noise: no function fits both.
    weights = [np.linalg.solve(np.exp(-apart / (2 * w**2)) + 1e-8 * np.eye(n), y) for w in WIDTHS]
    rows = [combinations(model, once, t, count, rng) for t in range(most + 1)]
    near = [distances(z, x) for z in rows]
    special = np.abs(x[:, once]).sum(axis=1) > 0
    fits = [x @ beta_hat, *(np.exp(-apart / (2 * w**2)) @ a for w, a in zip(WIDTHS, weights, strict=True))]

    def errors(predictions: list[Array]) -> Array:
        return np.array([np.mean((p - z @ model.beta) ** 2) for p, z in zip(predictions, rows, strict=True)])

    crowd = np.abs(x[:, once]).sum(axis=1)
    return {
        "together": crowd[crowd > 1].sum(),
        "neighbour": errors([y[np.argmin(m, axis=1)] for m in near]),
        "linear": errors([z @ beta_hat for z in rows]),
        "zero": errors([np.zeros(count)] * len(rows)),
        "kernel": np.array(
            [errors([np.exp(-m / (2 * w**2)) @ a for m in near]) for w, a in zip(WIDTHS, weights, strict=True)]
        ),
        "train": max(float(np.max(np.abs((fit - y)[special]))) for fit in fits),
    }


def runs(seeds: int = 5) -> Numbers:
    """:func:`contrast` over seeds."""
    return repeat(contrast, seeds)


def _range(ax: Any, x: Sequence[float], values: Array, **line: Any) -> None:
    """Median over seeds with a band from the smallest to the largest."""
    band(ax, x, np.median(values, axis=0), values.min(axis=0), values.max(axis=0), marker="o", **line)


def handover(results: Numbers, *, similar: float = 1.0, pair: int = 2) -> Picture:
    """Error against the number of rare features combined, and against the width of the kernel for pairs.

    Lines are medians over seeds, bands go from the smallest to the largest.
    """
    numbers = list(range(results["linear"].shape[1]))
    figure, (left, right) = subplots(1, 2, size=(8.6, 3.6))
    kernel = results["kernel"][:, WIDTHS.index(similar)]
    for values, color, label in (
        (results["zero"], GREY, "predicting 0"),
        (kernel, PURPLE, f"Gaussian kernel, width {similar:g}"),
        (results["neighbour"], ORANGE, "nearest neighbour"),
        (results["linear"], BLUE, "minimum norm"),
    ):
        _range(left, numbers, values, color=color, label=label)
    left.set(yscale="log", xlabel="rare features combined", ylabel="test error", ylim=(2e-5, 10))
    left.set(title="Each of them seen once")
    left.set_xticks(numbers)
    left.legend(fontsize=8, loc="lower right")
    _range(right, WIDTHS, results["kernel"][:, :, pair], color=PURPLE)
    for key, color, label, at, side in (
        ("neighbour", ORANGE, "nearest neighbour", WIDTHS[-1], "right"),
        ("linear", BLUE, "minimum norm", WIDTHS[0], "left"),
    ):
        level = float(np.median(results[key][:, pair]))
        right.axhline(level, color=color, lw=1.4, ls="--")
        right.text(at, level * 1.15, label, color=color, fontsize=8, ha=side)
    right.set(xscale="log", yscale="log", xlabel="width of the kernel", title=f"{pair} rare features", ylim=(1e-3, 10))
    neighbour, narrow, linear, zero, wide = (
        float(np.median(values[:, pair]))
        for values in (results["neighbour"], kernel, results["linear"], results["zero"], results["kernel"][:, -1])
    )
    return picture(
        figure,
        f"Median error on fresh rows with {pair} rare features seen once each: predicting zero {zero:.2f}, Gaussian "
        f"kernel of width {similar:g} {narrow:.2f}, nearest neighbour {neighbour:.2f}, minimum norm {linear:.4f}. As "
        f"its width grows to {WIDTHS[-1]:g} the kernel's error falls to {wide:.4f}.",
    )
