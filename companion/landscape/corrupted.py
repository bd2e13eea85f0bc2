"""Rule and noise in one network: addition modulo 23, learned from examples of which some are wrong.

Doshi et al. (2024) train networks on modular arithmetic with corrupted labels and find, by the strength of
regularization, networks that only memorize, networks that memorize the corrupted examples and generalize all the
same, and networks that generalize and give the *true* answer on the corrupted examples. Ours is small: one hidden
layer with quadratic activation, squared error, full-batch Adam with decoupled weight decay.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion import _validate
from companion.landscape.checks import generator


def run(
    *,
    seed: int,
    decay: float = 3.0,
    share: float = 0.1,
    p: int = 23,
    seen: float = 0.8,
    width: int = 128,
    steps: int = 500,
    lr: float = 5e-3,
) -> dict[str, Any]:
    """Train on a table of ``a + b mod p`` with wrong entries.

    Args:
        seed: of the split, the wrong labels and the weights.
        decay: weight decay; each step shrinks the weights by the factor ``1 - lr * decay``.
        share: of the training labels that are wrong. p: modulus. seen: share of the table used for training.
        width: hidden units. steps, lr: of full-batch training.

    Returns:
        Curves over 25 moments: ``step``; ``clean`` (training examples with the right label), ``given`` (wrong ones,
        answered as labelled), ``corrected`` (wrong ones, answered truly), ``test`` (pairs never seen): shares of
        answers; and their last values as ``final_given``, ``final_corrected``, ``final_test``.
    """
    decay = _validate.nonnegative("decay", decay)
    share = _validate.number("share", share, low=0, high=1)
    seen = _validate.number("seen", seen, low=0, high=1, open_low=True)
    steps = _validate.positive_int("steps", steps)
    width = _validate.positive_int("width", width)
    p = _validate.integer("p", p, low=2)
    lr = _validate.positive("lr", lr)
    rng = generator(seed)
    a, b = np.divmod(np.arange(p * p), p)
    truth = (a + b) % p
    order = rng.permutation(p * p)
    count = max(1, round(seen * p * p))
    train, test = order[:count], order[count:]
    wrong = train[: round(share * count)]
    label = truth.copy()
    label[wrong] = (truth[wrong] + rng.integers(1, p, size=len(wrong))) % p
    x = np.concatenate([np.eye(p)[a], np.eye(p)[b]], axis=1).astype(np.float32)
    target = np.eye(p, dtype=np.float32)[label[train]]
    weights = [
        (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32) for shape in ((2 * p, width), (width, p))
    ]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    clean = train[len(wrong) :]
    marks = np.unique(np.linspace(1, steps, 25).astype(int)).tolist()
    curves: dict[str, list[float]] = {key: [] for key in ("step", "clean", "given", "corrected", "test")}

    def share_of(right: np.ndarray) -> float:
        return float(right.mean()) if len(right) else np.nan

    for step in range(1, steps + 1):
        hidden = x[train] @ weights[0]
        miss = (hidden**2 @ weights[1] - target) * (2 / p / count)
        grads = [x[train].T @ ((miss @ weights[1].T) * 2 * hidden), (hidden**2).T @ miss]
        for w, grad, m, v in zip(weights, grads, first, second, strict=True):
            m += 0.1 * (grad - m)
            v += 0.02 * (grad**2 - v)
            w -= lr * (m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.98**step)) + 1e-8) + decay * w)
        if step in marks:
            answer = ((x @ weights[0]) ** 2 @ weights[1]).argmax(axis=1)
            shares = (
                step,
                share_of(answer[clean] == truth[clean]),
                share_of(answer[wrong] == label[wrong]),
                share_of(answer[wrong] == truth[wrong]),
                share_of(answer[test] == truth[test]),
            )
            for key, value in zip(curves, shares, strict=True):
                curves[key].append(value)
    last = {f"final_{key}": curves[key][-1] for key in ("given", "corrected", "test")}
    return {key: np.array(values) for key, values in curves.items()} | last
