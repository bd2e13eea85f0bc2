"""Memorizing exceptions protects the rule, but only if the memory is a separate place.

Feldman (2020) and Farne, Boncoraglio and Zdeborova (2026) argue that a learner should memorize what does not
follow the rule. A linear rule, a tenth of the examples grossly off it, and four learners: least squares with no
memory; a memory of one feature per example under the minimum l2 norm (which is exactly ridge regression on
the rule, so it protects little); the same memory under an l1 norm (which is exactly Huber's regression); and a
memory with a fixed number of slots for whole examples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, several

Array = NDArray[np.float64]


def least_squares(x: Array, y: Array) -> Array:
    """No memory: coefficients (d,) of ordinary least squares."""
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)


def l2_memory(x: Array, y: Array, size: float) -> Array:
    """Rule part (d,) of the minimum-norm interpolator on ``[x, size * identity]``: each example has its own feature."""
    joint = np.concatenate([x, size * np.eye(len(x))], axis=1)
    return (joint.T @ np.linalg.solve(joint @ joint.T, y))[: x.shape[1]]


def ridge(x: Array, y: Array, penalty: float) -> Array:
    """Minimizer (d,) of ``|y - x b|^2 + penalty |b|^2``; equals :func:`l2_memory` with ``size**2`` as penalty."""
    return np.asarray(np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y), dtype=np.float64)


def l1_memory(x: Array, y: Array, price: float, rounds: int = 50) -> Array:
    """Rule part (d,) of ``min |y - x b - m|^2 / 2 + price |m|_1`` over rule b and memory m, by turns."""
    memory = np.zeros(len(y))
    rule = least_squares(x, y)
    solver = np.linalg.pinv(x)
    for _ in range(rounds):
        miss = y - x @ rule
        memory = np.sign(miss) * np.maximum(np.abs(miss) - price, 0)
        rule = solver @ (y - memory)
    return rule


def slots(x: Array, y: Array, count: int, rounds: int = 20) -> Array:
    """Rule part (d,) when the ``count`` worst-fitting examples are stored whole and left out of the fit."""
    rule = l1_memory(x, y, price=0.1)
    for _ in range(rounds if count else 0):
        keep = np.argsort(np.abs(y - x @ rule))[: len(y) - count]
        rule = least_squares(x[keep], y[keep])
    return rule if count else least_squares(x, y)


def run(
    *,
    seed: int,
    n: int = 200,
    d: int = 20,
    share: float = 0.1,
    noise: float = 0.02,
    size: float = 1.0,
    slot_counts: tuple[int, ...] = (0, 5, 10, 15, 20, 25, 40, 80),
) -> dict[str, Any]:
    """Fit rule and exceptions with each memory.

    Args:
        seed: of rule, examples and exceptions.
        n: examples. d: dimensions of the rule. share: of exceptions. noise: standard deviation elsewhere.
        size: of the example features in the l2 memory. slot_counts: memory sizes to try.

    Returns:
        Test error of the rule part (squared distance to the rule, which is the mean squared error on fresh
        rule-following inputs): ``none``, ``l2``, ``l1`` (scalars) and ``slots`` (len(slot_counts),); ``marked``: the
        l2 memory again, with a private feature for the true exceptions only;
        ``ridge_gap``: largest difference between the l2 memory's rule and ridge regression.
    """
    n = _validate.positive_int("n", n)
    d = _validate.integer("d", d, low=1, high=n)
    share = _validate.number("share", share, low=0, high=0.5)
    noise = _validate.nonnegative("noise", noise)
    size = _validate.positive("size", size)
    slot_counts = several("slot_counts", slot_counts, _validate.integer, low=0, high=n - d)
    rng = generator(seed)
    rule = rng.normal(size=d)
    x = rng.normal(size=(n, d))
    y = x @ rule + noise * rng.normal(size=n)
    odd = rng.permutation(n)[: round(share * n)]
    y[odd] += rng.choice([-1.0, 1.0], size=len(odd)) * rng.uniform(3, 7, size=len(odd))

    def miss(estimate: Array) -> float:
        return float(np.sum((estimate - rule) ** 2))

    stored = l2_memory(x, y, size)
    return {
        "none": miss(least_squares(x, y)),
        "l2": miss(stored),
        "marked": miss(least_squares(np.concatenate([x, size * np.eye(n)[:, odd]], axis=1), y)[:d]),
        "l1": miss(l1_memory(x, y, price=0.05)),
        "slots": np.array([miss(slots(x, y, count)) for count in slot_counts]),
        "ridge_gap": np.max(np.abs(stored - ridge(x, y, size**2))),
    }
