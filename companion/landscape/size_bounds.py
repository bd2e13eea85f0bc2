"""Bounds that count bits prefer small networks, also where larger ones do no worse.

An Occam bound: with probability 1 - delta, the test error of a classifier that can be written in B bits exceeds its
training error by at most ``sqrt((B ln 2 + ln(1/delta)) / (2 n))``. We train networks of growing width, round
their weights to 8 bits, and evaluate the rounded network on both sides. Writing down every weight makes the bound
grow with width; training in a random subspace of fixed dimension, as Lotfi et al. (2024) do for language models on
the way to their bounds, takes that growth away.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape import network
from companion.landscape.checks import generator, sizes

Array = NDArray[np.float64]


def occam(train_error: float, bits: float, n: int, delta: float = 0.05) -> float:
    """Upper bound on the test error of a classifier described in ``bits`` bits; above 1 it says nothing."""
    return float(train_error + np.sqrt((bits * np.log(2) + np.log(1 / delta)) / (2 * n)))


def rounded(values: Array) -> Array:
    """``values`` on a grid of 256 levels between their extremes (the two ends cost 64 bits in the description)."""
    low, high = values.min(), values.max()
    step = (high - low) / 255 or 1.0
    return low + step * np.round((values - low) / step)


def run(
    *, seed: int, width: int = 32, subspace: int | None = None, n: int = 2000, d: int = 8, epochs: int = 20
) -> dict[str, Any]:
    """Train one hidden layer on the labels of a random network with 12 units and bound the rounded network's error.

    Args:
        seed: of rule, data, network.
        width: hidden units.
        subspace: train only this many random directions of weight space (described by a seed, whose 64 bits are
            counted), or None for all weights.
        n: training examples. d: dimensions. epochs: passes.

    Returns:
        ``train`` and ``test`` error of the rounded network, ``bits`` of its description, the ``bound``.
    """
    width = _validate.positive_int("width", width)
    if subspace is not None:
        subspace = _validate.positive_int("subspace", subspace)
    n, d, epochs = sizes(n=n, d=d, epochs=epochs)
    rng = generator(seed)
    teacher = network.initial([d, 12, 1], rng=rng)

    def label(z: Array) -> Array:
        return np.sign(network.output(teacher, z)[:, 0] - threshold)

    x, fresh = rng.normal(size=(n, d)), rng.normal(size=(4000, d))
    threshold = np.median(network.output(teacher, x))
    y, truth = label(x), label(fresh)
    layers = network.initial([d, width, 1], rng=rng)
    flat = [array for pair in layers for array in pair]
    counts = [array.size for array in flat]
    if subspace is None:
        for _ in network.train(layers, x, y[:, None], rng=rng, epochs=epochs, batch=40, lr=5e-3, adam=True):
            pass
        coded = rounded(np.concatenate([array.ravel() for array in flat]))
        bits = 8 * sum(counts) + 64
    else:
        start = np.concatenate([array.ravel() for array in flat])
        basis = rng.normal(size=(subspace, sum(counts))) / np.sqrt(subspace)
        code, m, v = np.zeros(subspace), np.zeros(subspace), np.zeros(subspace)

        def write(values: Array) -> None:
            for array, piece in zip(flat, np.split(values, np.cumsum(counts)[:-1]), strict=True):
                array[...] = piece.reshape(array.shape)

        for step in range(1, 1 + epochs * (n // 40)):
            rows = rng.integers(n, size=40)
            grads = network.gradient(layers, x[rows], y[rows, None])
            slope = basis @ np.concatenate([grad.ravel() for grad in grads])
            m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
            code = code - 0.02 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
            write(start + code @ basis)
        coded = start + rounded(code) @ basis
        bits = 8 * subspace + 128
    for array, piece in zip(flat, np.split(coded, np.cumsum(counts)[:-1]), strict=True):
        array[...] = piece.reshape(array.shape)
    train = 1 - network.accuracy(layers, x, y)
    return {
        "train": train,
        "test": 1 - network.accuracy(layers, fresh, truth),
        "bits": bits,
        "bound": occam(train, bits, n),
    }
