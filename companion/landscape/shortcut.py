"""When simple is wrong: a network that could use either of two features uses the simpler one alone.

Shah et al. (2020) build data in which one coordinate separates the classes with a straight cut and another
with slabs; either would do. Shuffle one coordinate among the test points and see whether accuracy notices.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape import network
from companion.landscape.checks import generator, sizes

Array = NDArray[np.float64]


def inputs(y: Array, d: int, simple: bool, rng: np.random.Generator) -> Array:
    """Points (n, d) with labels ``y``: coordinate 0 cuts linearly, coordinate 1 in three slabs, the rest is noise.

    Without ``simple``, coordinate 0 is noise as well.
    """
    n = len(y)
    x = rng.uniform(-1, 1, size=(n, d))
    if simple:
        x[:, 0] = y * rng.uniform(0.1, 1, size=n)
    outer = rng.choice([-1.0, 1.0], size=n) * rng.uniform(0.5, 1, size=n)
    x[:, 1] = np.where(y > 0, rng.uniform(-0.3, 0.3, size=n), outer)
    return x


def run(
    *, seed: int, simple: bool = True, n: int = 1500, d: int = 20, width: int = 64, epochs: int = 25
) -> dict[str, Any]:
    """Train on both features (or on the slabs alone) and shuffle each of them at test time.

    Returns:
        Accuracy on 2,000 fresh points: ``plain``, with the ``linear_shuffled`` coordinate, and with the
        ``slab_shuffled`` one (0.5 is chance; unchanged means not used).
    """
    d = _validate.integer("d", d, low=2)
    n = _validate.positive_int("n", n)
    width, epochs = sizes(width=width, epochs=epochs)
    rng = generator(seed)
    y, truth = rng.choice([-1.0, 1.0], size=n), rng.choice([-1.0, 1.0], size=2000)
    x, fresh = inputs(y, d, simple, rng), inputs(truth, d, simple, rng)
    layers = network.initial([d, width, 1], rng=rng)
    for _ in network.train(layers, x, y[:, None], rng=rng, epochs=epochs, batch=32, lr=3e-3, adam=True):
        pass
    result = {"plain": network.accuracy(layers, fresh, truth)}
    for column, name in enumerate(("linear_shuffled", "slab_shuffled")):
        mixed = fresh.copy()
        mixed[:, column] = rng.permutation(mixed[:, column])
        result[name] = network.accuracy(layers, mixed, truth)
    return result
