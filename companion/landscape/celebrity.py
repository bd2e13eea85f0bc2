"""Repetition early can speed up what comes later: a toy of attention that has to find its place.

Zucchet et al. (2025a, 2025b) report that learning to attend to the right position goes through a plateau, which
is shorter when some inputs are seen again and again. We use the linear toy of the second paper in spirit: an
input of T random vectors, an answer that depends on one fixed position, and a model that averages the positions
with learned softmax weights and applies a learned matrix. A share of the training inputs puts one fixed
"celebrity" vector in the position that matters. Everything is tested without celebrities.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, sizes

Array = NDArray[np.float64]


def test_loss(matrix: Array, weights: Array, answer: Array) -> float:
    """Mean squared error per output over standard normal inputs, exactly; ``answer`` (d, d) is orthogonal.

    The model averages the positions with ``weights`` (T,) and applies ``matrix`` (d, d); the truth is ``answer``
    applied to position 0.
    """
    cross = weights[0] * np.sum(matrix * answer)
    return float((np.sum(matrix**2) * np.sum(weights**2) - 2 * cross) / len(answer) + 1)


def run(
    *,
    seed: int,
    share: float = 0.2,
    given: bool = False,
    length: int = 32,
    d: int = 24,
    steps: int = 160,
    batch: int = 32,
    lr: float = 0.5,
) -> dict[str, Any]:
    """Train by stochastic gradient descent on fresh inputs.

    Args:
        seed: of the answer, the celebrity, the inputs.
        share: of training inputs whose relevant vector is the celebrity.
        given: the attention is right from the start and stays; only the matrix is learned.
        length: positions T. d: dimension. steps, batch, lr: of training.

    Returns:
        ``loss``: test loss relative to knowing nothing, every 5 steps; ``attention``: weight on the relevant
        position; ``time``: first step with test loss below one half (``steps`` if never).
    """
    share = _validate.number("share", share, low=0, high=1)
    steps = _validate.positive_int("steps", steps)
    length, d, batch = sizes(length=length, d=d, batch=batch)
    lr = _validate.positive("lr", lr)
    rng = generator(seed)
    answer = np.linalg.qr(rng.normal(size=(d, d)))[0]
    celebrity = rng.normal(size=d)
    celebrity *= np.sqrt(d) / np.linalg.norm(celebrity)
    matrix, logits = np.zeros((d, d)), np.zeros(length)
    if given:
        logits[0] = 50.0
    loss, attention, time = [], [], float(steps)
    for step in range(steps):
        weights = np.exp(logits - logits.max())
        weights /= weights.sum()
        test = test_loss(matrix, weights, answer)
        if step % 5 == 0:
            loss.append(test)
            attention.append(weights[0])
        if test < 0.5 and time == steps:
            time = float(step)
        x = rng.normal(size=(batch, length, d))
        x[rng.uniform(size=batch) < share, 0] = celebrity
        mean = np.tensordot(x, weights, axes=(1, 0))
        miss = mean @ matrix.T - x[:, 0] @ answer.T
        back = miss @ matrix
        if not given:
            pull = np.einsum("btd,bd->t", x, back) / batch
            logits -= lr * weights * (pull - weights @ pull)
        matrix -= lr / d * (miss.T @ mean) / batch
    return {"loss": np.array(loss), "attention": np.array(attention), "time": time}
