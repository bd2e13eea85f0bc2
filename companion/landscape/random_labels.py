"""The same network fits real labels and coin flips, and generalizes only where there is something to learn.

Zhang et al. (2017) trained image networks to zero training error on random labels; Arpit et al. (2017) looked
at how the two kinds of fitting differ. Here: a linear rule in 50 dimensions, 400 examples, a share of the
training labels replaced by coin flips, one network trained until it has every training label right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion import _validate
from companion.landscape import network
from companion.landscape.checks import generator, sizes


def run(
    *, seed: int, share: float = 1.0, n: int = 400, d: int = 50, width: int = 128, max_epochs: int = 60
) -> dict[str, Any]:
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
    share = _validate.number("share", share, low=0, high=1)
    width = _validate.positive_int("width", width)
    n, d, max_epochs = sizes(n=n, d=d, max_epochs=max_epochs)
    rng = generator(seed)
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
