"""Harm near a memorized mistake is local: a changed copy gets the memorized answer, distant inputs do not.

The essay's example is a familiar puzzle with one detail changed, answered as if nothing had changed. Here a kernel
interpolator memorizes points in the plane, some with the wrong label; we ask how its error depends on the distance
to the nearest wrong label.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, sizes

Array = NDArray[np.float64]
EDGES = np.array([0.0, 0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2, 0.3, 0.5])


def kernel(a: Array, b: Array, bandwidth: float, power: float) -> Array:
    """``exp(-(distance / bandwidth)^power)`` between the rows: Laplace kernel at power 1, Gaussian at 2."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.exp(-((np.sqrt(np.maximum(squares, 0)) / bandwidth) ** power))


def truth(x: Array) -> Array:
    """The true label: which side of a wave a point of the unit square lies on."""
    return np.where(x[:, 1] > 0.5 + 0.2 * np.sin(2 * np.pi * x[:, 0]), 1.0, -1.0)


def inside(points: Array) -> NDArray[np.bool_]:
    """Which points (n, 2) lie well away from the true boundary."""
    return np.abs(points[:, 1] - 0.5 - 0.2 * np.sin(2 * np.pi * points[:, 0])) > 0.12


def _checked(bandwidth: float, power: float, flipped: int, n: int) -> tuple[float, float, int]:
    """A kernel that is positive definite, and enough points for so many wrong labels."""
    return (
        _validate.positive("bandwidth", bandwidth),
        _validate.number("power", power, low=0, high=2, open_low=True),
        _validate.integer("flipped", flipped, low=0, high=n // 4),
    )


def surface(
    *, seed: int, bandwidth: float, power: float, flipped: int = 12, n: int = 300, side: int = 60
) -> dict[str, Any]:
    """The interpolator's answers on a grid, to look at.

    Returns:
        ``grid`` (side,) coordinates; ``answer`` (side, side); the training points ``x`` (n, 2), labels ``y`` and which
        are ``wrong`` (n,); ``share`` of the grid away from the boundary that is answered wrongly.
    """
    n, side = sizes(n=n, side=side)
    bandwidth, power, flipped = _checked(bandwidth, power, flipped, n)
    rng = generator(seed)
    x = rng.uniform(size=(n, 2))
    y = truth(x)
    wrong = np.zeros(n, dtype=bool)
    wrong[rng.permutation(np.flatnonzero(inside(x)))[:flipped]] = True
    y[wrong] *= -1
    grid = np.linspace(0, 1, side)
    z = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    answer = kernel(z, x, bandwidth, power) @ np.linalg.solve(kernel(x, x, bandwidth, power), y)
    share = np.mean((np.sign(answer) != truth(z))[inside(z)])
    return {"grid": grid, "answer": answer.reshape(side, side), "x": x, "y": y, "wrong": wrong, "share": share}


def run(
    *,
    seed: int,
    bandwidth: float = 0.2,
    power: float = 1.0,
    flipped: int = 12,
    n: int = 300,
    fresh: int = 4000,
    copies: int = 100,
) -> dict[str, Any]:
    """Interpolate ``n`` labelled points of which ``flipped`` are wrong.

    Args:
        seed: of all points.
        bandwidth, power: of the kernel. flipped: wrong labels, all of them away from the true boundary.
        n: training points. fresh: test points. copies: test copies of each flipped point, moved by about 0.005.

    Returns:
        ``train``: training accuracy (with the wrong labels); ``error``: test error by distance to the nearest
        wrong label, in the bins :data:`EDGES` (NaN where a bin is empty), among test points away from the
        boundary; ``copies``: error on the near-copies; ``overall``: test error; ``clean``: the test error with no
        label flipped.
    """
    n, fresh, copies = sizes(n=n, fresh=fresh, copies=copies)
    bandwidth, power, flipped = _checked(bandwidth, power, flipped, n)
    rng = generator(seed)
    x, z = rng.uniform(size=(n, 2)), rng.uniform(size=(fresh, 2))

    wrong = rng.permutation(np.flatnonzero(inside(x)))[:flipped]
    clean = truth(x)
    y = clean.copy()
    y[wrong] *= -1
    near = np.repeat(x[wrong], copies, axis=0) + 0.005 * rng.normal(size=(len(wrong) * copies, 2))
    weights = np.linalg.solve(kernel(x, x, bandwidth, power), np.stack([y, clean], axis=1))
    miss = np.sign(kernel(z, x, bandwidth, power) @ weights) != truth(z)[:, None]
    keep = inside(z)
    if flipped:
        distance = np.sqrt(np.min(np.sum((z[:, None] - x[wrong]) ** 2, axis=2), axis=1))
        bins = np.digitize(distance, EDGES) - 1
        groups = [miss[keep & (bins == b), 0] for b in range(len(EDGES) - 1)]
        copied = float(np.mean(np.sign(kernel(near, x, bandwidth, power) @ weights[:, 0]) != truth(near)))
    else:
        groups, copied = [np.empty(0)] * (len(EDGES) - 1), np.nan
    return {
        "train": np.mean(np.sign(kernel(x, x, bandwidth, power) @ weights[:, 0]) == y),
        "error": np.array([group.mean() if len(group) else np.nan for group in groups]),
        "copies": copied,
        "overall": miss[:, 0].mean(),
        "clean": miss[:, 1].mean(),
    }
