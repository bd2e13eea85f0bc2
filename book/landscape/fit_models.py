"""The learners that can fit anything, of *Fitting anything, and why simple wins*: polynomials and coin flips."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from book.shared import network
from book.shared.seeds import Numbers, Result, demonstration, repeat

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


def label_runs(shares: Sequence[float] = (0.0, 0.25, 0.5, 0.75, 1.0), *, seeds: int = 5) -> dict[float, Numbers]:
    """Runs of :func:`random_labels` for each share of random labels."""
    return {share: repeat(random_labels, seeds, share=share) for share in shares}
