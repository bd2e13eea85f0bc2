"""The neural race: a pathway that serves more tasks learns faster and takes the work from the others.

Saxe, Sodhani and Lewallen (2022) reduce gated deep linear networks to a race between pathways. We train such
a network: K items, M contexts, the same K answers in every context. One pathway is open in all contexts, and
every context also has a private one. In each context one item is held out, so that only the shared pathway
can answer for it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion import _validate
from companion.landscape.checks import generator, sizes


def shared_strength(contexts: int, start: float, head_start: float = 1.0) -> float:
    """Where the race ends according to its reduction: the shared pathway's final strength.

    Write ``a`` for the shared and ``b`` for a private strength. Both follow ``2 x strength x gradient`` and the
    shared pathway feels the gradient of all M contexts, so ``log a`` grows M times as fast as ``log b``; the race
    is over at ``a + b = 1``. Starting strengths: ``start`` and ``head_start * start``.
    """
    low, high = 0.0, 1.0
    for _ in range(200):
        a = (low + high) / 2
        total = a + head_start * start * (a / start) ** (1 / contexts)
        low, high = (a, high) if total < 1 else (low, a)
    return (low + high) / 2


def run(
    *,
    seed: int,
    contexts: int = 4,
    items: int = 6,
    hidden: int = 24,
    scale: float = 0.02,
    head_start: float = 1.0,
    steps: int = 600,
    lr: float = 0.05,
) -> dict[str, Any]:
    """Train the gated network by full-batch gradient descent.

    Args:
        seed: of the answers (an orthogonal matrix) and the weights.
        contexts: M, at most the number of items. items: K.
        hidden: units in each pathway. scale: typical starting strength of a pathway.
        head_start: factor on the private pathways' starting strength.
        steps, lr: of gradient descent.

    Returns:
        ``shared`` and ``private``: strength along the right answer, every 10 steps;
        ``final`` shared strength and its ``predicted`` value (from the contexts that show each item); ``train`` and
        ``held_out`` error (mean squared length of the miss; 1 means nothing is known; no held-out item at M = 1).

    Raises:
        ValueError: more contexts than items, or a strength that is not positive.
    """
    items, hidden, steps = sizes(items=items, hidden=hidden, steps=steps)
    contexts = _validate.integer("contexts", contexts, low=1, high=items)
    scale = _validate.positive("scale", scale)
    head_start = _validate.positive("head_start", head_start)
    lr = _validate.positive("lr", lr)
    rng = generator(seed)
    answers = np.linalg.qr(rng.normal(size=(items, items)))[0]
    seen = np.ones((contexts, items))
    if contexts > 1:
        seen[np.arange(contexts), np.arange(contexts) % items] = 0.0

    def pathway(factor: float, *shape: int) -> tuple[np.ndarray, np.ndarray]:
        size = np.sqrt(2 * factor * scale / hidden)  # only half of a random start points the growing way
        return (
            rng.normal(scale=size, size=(*shape, hidden, items)),
            rng.normal(scale=size, size=(*shape, items, hidden)),
        )

    in_s, out_s = pathway(1.0)
    in_p, out_p = pathway(head_start, contexts)
    shared_curve, private_curve = [], []
    for step in range(steps):
        shared, private = out_s @ in_s, out_p @ in_p
        miss = (answers - shared - private) * seen[:, None, :]
        if step % 10 == 0:
            shared_curve.append(np.sum(answers * shared) / items)
            along = np.sum(answers * private * seen[:, None, :], axis=(1, 2))
            private_curve.append(np.mean(along / seen.sum(axis=1)))
        total = miss.sum(axis=0)
        in_s, out_s = in_s + lr * out_s.T @ total, out_s + lr * total @ in_s.T
        in_p, out_p = (
            in_p + lr * np.swapaxes(out_p, 1, 2) @ miss,
            out_p + lr * miss @ np.swapaxes(in_p, 1, 2),
        )
    lengths = np.sum((answers - out_s @ in_s - out_p @ in_p) ** 2, axis=1)
    return {
        "shared": np.array(shared_curve),
        "private": np.array(private_curve),
        "final": shared_curve[-1],
        "predicted": np.mean([shared_strength(int(k), scale, head_start) for k in seen.sum(axis=0)]),
        "train": lengths[seen == 1].mean(),
        "held_out": lengths[seen == 0].mean() if contexts > 1 else np.nan,
    }
