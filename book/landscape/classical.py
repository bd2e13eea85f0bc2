"""The room of *The classical picture and its puzzle*: polynomials and coin flips, their figures and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from book.shared import network
from book.shared.ledger import Found, at_least, at_most
from book.shared.seeds import Numbers, Result, around, by, demonstration, effect, repeat, said
from book.shared.style import BLUE, FRESH, GREEN, GREY, ORANGE, PURPLE, TRAINING, Picture, band, picture, subplots

HERE = "book.landscape.classical"
GRID = np.linspace(-0.98, 0.98, 197)
COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 13, 14, 15, 16, 17, 19, 22, 27, 40, 70, 150, 400)


def truth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve behind the noise, ``sin(pi x)`` on [-1, 1]."""
    return np.sin(np.pi * x)


def features(x: NDArray[np.float64], count: int, decay: float) -> NDArray[np.float64]:
    """The first ``count`` Legendre polynomials, normalised, the j-th divided by ``(1 + j)^decay``: (n, count)."""
    degree = np.arange(count)
    return legendre.legvander(x, count - 1) * np.sqrt(2 * degree + 1) / (1.0 + degree) ** decay


def sample(n: int, noise: float, *, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``n`` points, one in each of n equal cells of [-1, 1], and their noisy values."""
    rng = np.random.default_rng(seed)
    x = -1 + 2 * (np.arange(n) + rng.uniform(size=n)) / n
    return x, truth(x) + noise * rng.normal(size=n)


def least_norm(phi: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares coefficients for features ``phi`` (n, count); of all solutions the one of smallest norm."""
    return np.asarray(np.linalg.lstsq(phi, y, rcond=1e-12)[0], dtype=np.float64)


@demonstration()
def capacity(
    *,
    seed: int,
    n: int = 15,
    noise: float = 0.2,
    counts: tuple[int, ...] = (2, 4, 6, 10, 15, 20, 40, 400),
    decay: float = 1.0,
) -> Result:
    """Test and training error against the number of features.

    Args:
        seed: of the points and their noise.
        n: points. noise: standard deviation of their values.
        counts: numbers of features; up to n this is a polynomial of degree count - 1.
        decay: how strongly the norm prefers smooth functions (0: not at all). Without effect below n.

    Returns:
        ``test`` and ``train`` mean squared errors and the coefficients' ``norm`` (in unweighted features),
        each (len(counts),).
    """
    x, y = sample(n, noise, seed=seed)
    seen, grid = features(x, max(counts), decay), features(GRID, max(counts), decay)
    test, train, norm = [], [], []
    for count in counts:
        coefficients = least_norm(seen[:, :count], y)
        test.append(np.mean((grid[:, :count] @ coefficients - truth(GRID)) ** 2))
        train.append(np.mean((seen[:, :count] @ coefficients - y) ** 2))
        norm.append(np.linalg.norm(coefficients / (1.0 + np.arange(count)) ** decay))
    return {"test": np.array(test), "train": np.array(train), "norm": np.array(norm)}


@effect(
    "demo-polynomial",
    "A polynomial with as many coefficients as points predicts badly",
    functions=(f"{HERE}.capacity",),
)
def polynomial_explodes(n: int = 15) -> Found:
    """Degree 14 against degree 3 on n points."""
    cubic, high = np.median(repeat(capacity, 20, counts=(4, 15), n=n)["test"], axis=0)
    return at_least(
        f"test error of degree 14 over that of degree 3, {n} points, medians of 20 samples", high / cubic, 100
    )


polynomial_explodes.breaks("200 points instead of 15", n=200)


@effect(
    "demo-double-descent",
    "Far beyond the number of points, the smallest-norm interpolator predicts well again",
    functions=(f"{HERE}.capacity",),
)
def second_descent(decay: float = 1.0) -> list[Found]:
    """400 features against 15, and against a fifth of what predicting zero costs, 0.5."""
    threshold, wide = np.median(repeat(capacity, 20, counts=(15, 400), decay=decay)["test"], axis=0)
    return [
        at_least("test error at 15 features over that at 400, medians of 20 samples", threshold / wide, 10),
        at_most("test error at 400 features", wide, 0.1),
    ]


second_descent.breaks("a norm without a taste for smoothness", decay=0.0)


def draw_curve(ax: Any, seed: int, count: int, decay: float, noise: float, **line: Any) -> None:
    x, y = sample(15, noise, seed=seed)
    grid = np.linspace(-1, 1, 401)
    fitted = features(grid, count, decay) @ least_norm(features(x, count, decay), y)
    ax.plot(grid, np.clip(fitted, -4, 4), **line)


def draw_points(ax: Any, seed: int, noise: float) -> None:
    x, y = sample(15, noise, seed=seed)
    grid = np.linspace(-1, 1, 201)
    ax.plot(grid, truth(grid), color=GREY, ls=":", lw=1.4, label="truth")
    ax.plot(x, y, "o", color=GREY, label="data")
    ax.set(xlim=(-1, 1), ylim=(-2.2, 2.2), xlabel="$x$")


def draw_error(ax: Any, runs: Numbers, counts: Sequence[int], color: str, label: str) -> None:
    low, middle, high = np.quantile(runs["test"], (0.1, 0.5, 0.9), axis=0)
    band(ax, counts, middle, low, high, color=color, label=label)


def fig_polynomial(smooth: Numbers, flat: Numbers, counts: Sequence[int] = COUNTS, *, seed: int = 0) -> Picture:
    """One data set fitted three ways, and the error against the number of features for two norms.

    ``smooth`` and ``flat`` are runs of :func:`capacity` at decay 1 and 0 over ``counts``. Lines are medians and
    bands the middle 80 % of the seeds: the error near the threshold has no useful mean.
    """
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.5))
    draw_points(left, seed, 0.2)
    for count, color, label in ((4, BLUE, "degree 3"), (15, ORANGE, "degree 14"), (400, GREEN, "400 features")):
        draw_curve(left, seed, count, 1.0, 0.2, color=color, label=label)
    left.legend(ncols=2, loc="lower center")
    left.set(title="One sample of 15 points", ylim=(-4, 2.2))
    draw_error(right, smooth, counts, GREEN, "norm prefers smooth")
    draw_error(right, flat, counts, PURPLE, "norm is indifferent")
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
        self.runs = {d: repeat(capacity, seeds, counts=COUNTS, decay=d, noise=noise) for d in (0.0, 1.0)}

    def __call__(self, features: int, decay: float) -> Picture:
        """The fit with this many features under this norm, and where it stands on the error curve."""
        figure, (left, right) = subplots(1, 2, size=(8.0, 3.2))
        draw_points(left, 0, self.noise)
        draw_curve(left, 0, features, decay, self.noise, color=BLUE)
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


@demonstration(share={"high": 1})
def random_labels(
    *, seed: int, share: float = 1.0, n: int = 400, d: int = 50, width: int = 128, max_epochs: int = 60
) -> Result:
    """Train to 100 % on labels of which a ``share`` is random.

    Args:
        seed: of data, labels, network and batches.
        share: share of the training labels replaced by coin flips, in [0, 1].
        n: training examples. d: dimensions. width: units in each of two hidden layers.
        max_epochs: stop here if the training labels are still not fitted.

    Returns:
        ``train``: final accuracy on the labels it was given; ``test``: accuracy on 2,000 fresh examples
        labelled by the rule; ``epochs`` used.
    """
    rng = np.random.default_rng(seed)
    rule = rng.normal(size=d)
    x, fresh = rng.normal(size=(n, d)), rng.normal(size=(2000, d))
    y = np.sign(x @ rule)
    coin = rng.permutation(n)[: round(share * n)]
    y[coin] = rng.choice([-1.0, 1.0], size=len(coin))
    layers = network.initial([d, width, width, 1], rng=rng)
    used = 0
    for epoch in network.train(layers, x, y[:, None], rng=rng, epochs=max_epochs, batch=40, lr=2e-3, adam=True):
        used = epoch
        if network.accuracy(layers, x, y) == 1.0:
            break
    return {
        "train": network.accuracy(layers, x, y),
        "test": network.accuracy(layers, fresh, np.sign(fresh @ rule)),
        "epochs": used,
    }


@effect(
    "demo-random-labels",
    "A network that generalizes from true labels also fits coin flips",
    functions=(f"{HERE}.random_labels",),
)
def coin_flips_are_fitted(width: int = 128) -> list[Found]:
    """The same network on true labels and on coin flips, three seeds."""
    real, coin = (repeat(random_labels, 3, share=share, width=width) for share in (0.0, 1.0))
    return [
        at_least("share of coin flips that is fitted", coin["train"].mean(), 0.99),
        at_least("accuracy on fresh data, true labels less coin flips", (real["test"] - coin["test"]).mean(), 0.2),
    ]


coin_flips_are_fitted.breaks("four hidden units a layer", width=4)


def fig_labels(runs: Mapping[float, Numbers]) -> Picture:
    """Training and test accuracy, and epochs needed, against the share of random labels (the keys)."""
    shares = sorted(runs)
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    for key, color, label in (("train", TRAINING, "labels it was given"), ("test", FRESH, "fresh, true labels")):
        around(left, shares, by(runs, key), color=color, label=label)
    left.axhline(0.5, color=GREY, ls=":", lw=1)
    left.set(xlabel="share of random labels", title="Accuracy", ylim=(0.3, 1.03))
    left.legend(loc="lower left")
    around(right, shares, by(runs, "epochs"), color=ORANGE)
    right.set(xlabel="share of random labels", title="Epochs to fit every label", ylim=(0, None))
    first, last = runs[shares[0]], runs[shares[-1]]
    return picture(
        figure,
        f"Training accuracy is {runs[shares[-1]]['train'].mean():.2f} at every share of random labels. Accuracy on "
        f"fresh true labels falls from {said(first['test'])} to {said(last['test'])}; the epochs needed go from "
        f"{said(first['epochs'], '.1f')} to {said(last['epochs'], '.1f')}.",
    )


def label_runs(shares: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0), *, seeds: int = 5) -> dict[float, Numbers]:
    """Runs of :func:`random_labels` for each share of random labels."""
    return {share: repeat(random_labels, seeds, share=share) for share in shares}
