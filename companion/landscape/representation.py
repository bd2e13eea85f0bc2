"""Representations stay biased: a simple feature fills more of the hidden layer, even when both are learned.

Lampinen, Chan and Hermann (2024) train networks to report several features of their input and find that a
feature that is simple to compute takes up more variance of the representation than one that is complex, long
after both are reported perfectly. Here one output reports a bit of the input, the other the exclusive-or of two
further bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape import network
from companion.landscape.checks import generator, sizes

Array = NDArray[np.float64]


def share(hidden: Array, feature: Array) -> float:
    """Share of the hidden layer's variance (n, width) that lies along one sign feature (n,)."""
    centred = hidden - hidden.mean(axis=0)
    signal = feature - feature.mean()
    explained = (signal @ centred) ** 2 / (signal @ signal)
    return float(explained.sum() / np.sum(centred**2))


def run(
    *, seed: int, control: bool = False, n: int = 1024, d: int = 10, width: int = 64, epochs: int = 30
) -> dict[str, Any]:
    """Train one network on both outputs and measure what fills its hidden layer.

    Args:
        seed: of data, network and batches.
        control: the first output is an exclusive-or too, so neither is simpler.
        n: training examples, drawn from the cube of ``d`` signs. width: hidden units. epochs: passes.

    Returns:
        Over 0..epochs: ``simple`` and ``complex`` share of hidden variance, ``simple_right`` and
        ``complex_right`` accuracy on 1,000 fresh inputs; ``gap``: difference of the shares at the end.
    """
    d = _validate.integer("d", d, low=4)
    epochs = _validate.positive_int("epochs", epochs)
    n, width = sizes(n=n, width=width)
    rng = generator(seed)
    x, fresh = rng.choice([-1.0, 1.0], size=(n, d)), rng.choice([-1.0, 1.0], size=(1000, d))

    def labels(z: Array) -> Array:
        return np.stack([z[:, 0] * (z[:, 3] if control else 1.0), z[:, 1] * z[:, 2]], axis=1)

    y, truth = labels(x), labels(fresh)
    layers = network.initial([d, width, 2], rng=rng)
    curves: dict[str, list[float]] = {k: [] for k in ("simple", "complex", "simple_right", "complex_right")}

    def look() -> None:
        _, hidden, out = network.activations(layers, fresh)
        right = (np.sign(out) == truth).mean(axis=0)
        for key, value in zip(curves, (share(hidden, truth[:, 0]), share(hidden, truth[:, 1]), *right), strict=True):
            curves[key].append(float(value))

    look()
    for _ in network.train(layers, x, y, rng=rng, epochs=epochs, batch=32, lr=3e-3, adam=True):
        look()
    return {key: np.array(values) for key, values in curves.items()} | {
        "gap": curves["simple"][-1] - curves["complex"][-1]
    }
