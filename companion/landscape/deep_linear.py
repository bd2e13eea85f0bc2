"""Two-layer linear networks: shared signals are learned before memorized ones, and many tasks help one.

Saxe, McClelland and Ganguli (2014) solved their training: each singular mode of the target is learned in a time
proportional to one over its singular value. Lampinen and Ganguli (2019) drew two conclusions that we run. A
rank-one rule concentrates its signal in one large mode, while random labels of the same total size spread it
over many small ones, so the rule is learned first; and tasks that read the same feature of the input add up to
a larger singular value, so each is learned sooner. Inputs are white, so training depends on the target alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, sizes

Array = NDArray[np.float64]


def losses(
    target: Array, *, rng: np.random.Generator, hidden: int | None, scale: float, lr: float, steps: int
) -> Array:
    """Loss relative to the start, over training: gradient descent on ``|target - W2 W1|^2 / 2``.

    Args:
        target: (outputs, inputs). hidden: hidden units, or None for a single layer that starts at zero.
        scale: standard deviation of the starting weights. lr, steps: of gradient descent.
    """
    outputs, inputs = target.shape
    curve = np.empty(steps)
    if hidden is None:
        weights = np.zeros_like(target)
        for step in range(steps):
            curve[step] = np.sum((target - weights) ** 2)
            weights += lr * (target - weights)
        return curve / curve[0]
    first = rng.normal(scale=scale, size=(hidden, inputs))
    second = rng.normal(scale=scale, size=(outputs, hidden))
    for step in range(steps):
        miss = target - second @ first
        curve[step] = np.sum(miss**2)
        first, second = first + lr * second.T @ miss, second + lr * miss @ first.T
    return curve / curve[0]


def half_time(curve: Array, level: float = 0.5) -> float:
    """First step at which the loss is below ``level``; infinite if it never is."""
    below = np.flatnonzero(curve < level)
    return float(below[0]) if len(below) else np.inf


def signal_or_noise(
    *, seed: int, size: int = 50, strength: float = 3.0, deep: bool = True, steps: int = 400, lr: float = 0.05
) -> dict[str, Any]:
    """Learn a rank-one rule and a random table of the same total size.

    Args:
        seed: of both targets and the networks.
        size: inputs and outputs. strength: Frobenius norm of either target.
        deep: one hidden layer of ``size + 14`` units, or (False) none.
        steps, lr: of gradient descent.

    Returns:
        ``rule`` and ``table``: loss curves (steps,); ``rule_time``, ``table_time`` to half the loss, their
        ``ratio``; ``top``: the table's largest singular value (the rule's is ``strength``).
    """
    strength = _validate.positive("strength", strength)
    size, steps = sizes(size=size, steps=steps)
    lr = _validate.positive("lr", lr)
    rng = generator(seed)
    u, v = rng.normal(size=(2, size))
    rule = strength * np.outer(u, v) / np.linalg.norm(u) / np.linalg.norm(v)
    table = rng.normal(size=(size, size))
    table *= strength / np.linalg.norm(table)
    options: dict[str, Any] = {"hidden": size + 14 if deep else None, "scale": 0.02, "lr": lr, "steps": steps}
    curves = [losses(target, rng=rng, **options) for target in (rule, table)]
    times = [half_time(curve) for curve in curves]
    return {
        "rule": curves[0],
        "table": curves[1],
        "rule_time": times[0],
        "table_time": times[1],
        "ratio": times[1] / times[0],
        "top": np.linalg.svd(table, compute_uv=False)[0],
    }


def many_tasks(
    *, seed: int, tasks: int = 4, shared: bool = True, size: int = 20, steps: int = 1200, lr: float = 0.02
) -> dict[str, Any]:
    """Learn several one-number tasks at once, of unit strength each, in one network.

    Args:
        seed: of the tasks and the network.
        tasks: how many. shared: all read the same input direction (with their own sign), or each its own.
        size: inputs, at least ``tasks``. steps, lr: of gradient descent.

    Returns:
        ``curve``: mean loss per task (steps,); ``time`` to half of it; ``top``: the largest singular value,
        the square root of ``tasks`` if shared and 1 if not.
    """
    size, steps = sizes(size=size, steps=steps)
    tasks = _validate.integer("tasks", tasks, low=1, high=size)
    lr = _validate.positive("lr", lr)
    rng = generator(seed)
    directions = np.linalg.qr(rng.normal(size=(size, size)))[0][:tasks]
    target = np.outer(rng.choice([-1.0, 1.0], size=tasks), directions[0]) if shared else directions[:tasks]
    curve = losses(target, rng=rng, hidden=24, scale=0.001, lr=lr, steps=steps)
    return {"curve": curve, "time": half_time(curve), "top": np.linalg.svd(target, compute_uv=False)[0]}
