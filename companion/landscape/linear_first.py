"""Simple structure first: a network looks like a linear model before it looks like anything else.

Kalimeris et al. (2019) find that early in training a network's predictions carry little beyond what the best
linear classifier knows, and that the rest comes later. Here the label is the sign of a linear part plus an
exclusive-or part; we watch two groups of test points separately, those the best linear classifier gets right
and those it gets wrong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion import _validate
from companion.landscape import network
from companion.landscape.checks import generator, sizes


def run(
    *, seed: int, linear: float = 0.8, n: int = 4000, d: int = 10, width: int = 64, epochs: int = 20
) -> dict[str, Any]:
    """Follow one hidden layer trained by plain stochastic gradient descent.

    Args:
        seed: of data, network and batches.
        linear: weight of the linear part in ``sign(linear * x_0 + sign(x_1 x_2))``; 0 removes it.
        n: training (and test) examples. d: dimensions, all but three of them noise.
        width: hidden units. epochs: passes through the data.

    Returns:
        Curves of length 1 + 8 + epochs - 1 over ``epoch`` (the first epoch is looked at eight times):
        test ``accuracy``, ``easy`` and ``hard`` (accuracy where the best linear classifier is right and where
        it is wrong), ``r2`` (share of the variance of the network's output that a linear map of the input
        explains); and ``linear_accuracy`` of that classifier.
    """
    linear = _validate.nonnegative("linear", linear)
    d = _validate.integer("d", d, low=3)
    n = _validate.integer("n", n, low=8)
    width, epochs = sizes(width=width, epochs=epochs)
    rng = generator(seed)
    x, fresh = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    y, truth = (np.sign(linear * z[:, 0] + np.sign(z[:, 1] * z[:, 2])) for z in (x, fresh))
    best = np.sign(fresh @ np.linalg.lstsq(x, y, rcond=None)[0])
    easy = best == truth
    layers = network.initial([d, width, 1], rng=rng, gain=0.5)
    curves: dict[str, list[float]] = {key: [] for key in ("epoch", "accuracy", "easy", "hard", "r2")}

    def look(epoch: float) -> None:
        out = network.output(layers, fresh)[:, 0]
        right = np.sign(out) == truth
        centred = out - out.mean()
        residual = centred - fresh @ np.linalg.lstsq(fresh, centred, rcond=None)[0]
        for key, value in zip(
            curves,
            (epoch, right.mean(), right[easy].mean(), right[~easy].mean(), 1 - residual.var() / out.var()),
            strict=True,
        ):
            curves[key].append(float(value))

    look(0)
    part = n // 8
    for eighth in range(8):
        rows = slice(eighth * part, (eighth + 1) * part)
        for _ in network.train(layers, x[rows], y[rows, None], rng=rng, epochs=1, batch=20, lr=0.1):
            look((eighth + 1) / 8)
    for epoch in network.train(layers, x, y[:, None], rng=rng, epochs=epochs - 1, batch=20, lr=0.1):
        look(1 + epoch)
    return {key: np.array(values) for key, values in curves.items()} | {"linear_accuracy": easy.mean()}
