"""Capacity and the polynomial: fitting everything hurts, until there is room to fit everything smoothly.

Two classical pictures. Polynomials of growing degree through a few noisy points are best in the middle and
explode when the degree reaches the number of points: the trade-off behind the capacity bounds of Vapnik and
Chervonenkis (1971). Let the number of features grow far beyond the number of points and take the
interpolator of smallest norm: the error falls again (Belkin et al. 2019), if the norm prefers smooth
functions. What ruins the middle is the size of the coefficients, not the fact of fitting every point.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, several

GRID = np.linspace(-0.98, 0.98, 197)


def truth(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The curve behind the noise, ``sin(pi x)`` on [-1, 1]."""
    return np.sin(np.pi * x)


def features(x: NDArray[np.float64], count: int, decay: float) -> NDArray[np.float64]:
    """The first ``count`` Legendre polynomials, normalised, the j-th divided by ``(1 + j)^decay``: (n, count)."""
    degree = np.arange(count)
    return legendre.legvander(x, count - 1) * np.sqrt(2 * degree + 1) / (1.0 + degree) ** decay


def sample(n: int, noise: float, *, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """``n`` points, one in each of n equal cells of [-1, 1], and their noisy values."""
    n = _validate.positive_int("n", n)
    rng = generator(seed)
    x = -1 + 2 * (np.arange(n) + rng.uniform(size=n)) / n
    return x, truth(x) + noise * rng.normal(size=n)


def least_norm(phi: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares coefficients for features ``phi`` (n, count); of all solutions the one of smallest norm."""
    return np.asarray(np.linalg.lstsq(phi, y, rcond=1e-12)[0], dtype=np.float64)


def run(
    *,
    seed: int,
    n: int = 15,
    noise: float = 0.2,
    counts: Sequence[int] = (2, 4, 6, 10, 15, 20, 40, 400),
    decay: float = 1.0,
) -> dict[str, Any]:
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
    noise = _validate.nonnegative("noise", noise)
    decay = _validate.nonnegative("decay", decay)
    counts = several("counts", counts, _validate.positive_int)
    x, y = sample(n, noise, seed=seed)
    seen, grid = features(x, max(counts), decay), features(GRID, max(counts), decay)
    test, train, norm = [], [], []
    for count in counts:
        coefficients = least_norm(seen[:, :count], y)
        test.append(np.mean((grid[:, :count] @ coefficients - truth(GRID)) ** 2))
        train.append(np.mean((seen[:, :count] @ coefficients - y) ** 2))
        norm.append(np.linalg.norm(coefficients / (1.0 + np.arange(count)) ** decay))
    return {"test": np.array(test), "train": np.array(train), "norm": np.array(norm)}
