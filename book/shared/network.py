"""A small ReLU network in numpy: the few lines that the network demonstrations share.

A network is a list of ``(W, b)`` pairs, ``W`` of shape (inputs, outputs). Training is a generator, so that a
demonstration can look at the network while it learns and stop when it has seen enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Layers = list[tuple[Array, Array]]


def initial(sizes: list[int], *, rng: np.random.Generator, gain: float = 1.0) -> Layers:
    """Gaussian weights of variance ``2 gain^2 / inputs`` and zero biases for layers of the given sizes."""
    return [
        (gain * rng.normal(scale=np.sqrt(2.0 / fan_in), size=(fan_in, fan_out)), np.zeros(fan_out))
        for fan_in, fan_out in pairwise(sizes)
    ]


def activations(layers: Layers, x: Array) -> list[Array]:
    """The input, each hidden layer after its ReLU, and the linear output: arrays of shape (n, width)."""
    states = [x]
    for depth, (weight, bias) in enumerate(layers):
        pre = states[-1] @ weight + bias
        states.append(pre if depth == len(layers) - 1 else np.maximum(pre, 0.0))
    return states


def output(layers: Layers, x: Array) -> Array:
    """The network's output on the rows of ``x``, shape (n, outputs)."""
    return activations(layers, x)[-1]


def accuracy(layers: Layers, x: Array, y: Array) -> float:
    """Share of the signs ``y`` (n,) that a one-output network gets right."""
    return float(np.mean(np.sign(output(layers, x)[:, 0]) == y))


def gradient(layers: Layers, x: Array, y: Array) -> list[Array]:
    """Gradient of the mean logistic loss, in the order W, b, W, b, ...; ``y`` (n, outputs) holds signs."""
    states = activations(layers, x)
    delta = -y * 0.5 * (1.0 - np.tanh(0.5 * y * states[-1])) / len(x)
    grads: list[Array] = []
    for depth in reversed(range(len(layers))):
        grads += [delta.sum(axis=0), states[depth].T @ delta]
        if depth:
            delta = (delta @ layers[depth][0].T) * (states[depth] > 0)
    return grads[::-1]


def train(
    layers: Layers,
    x: Array,
    y: Array,
    *,
    rng: np.random.Generator,
    epochs: int,
    batch: int,
    lr: float,
    adam: bool = False,
) -> Iterator[int]:
    """Train ``layers`` in place on ``x`` (n, inputs) and signs ``y`` (n, outputs); yield after every epoch.

    Plain stochastic gradient descent, or Adam with its usual constants. Yields the number of epochs done.
    """
    flat = [array for pair in layers for array in pair]
    first = [np.zeros_like(array) for array in flat]
    second = [np.zeros_like(array) for array in flat]
    step = 0
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            step += 1
            for array, grad, m, v in zip(flat, gradient(layers, x[rows], y[rows]), first, second, strict=True):
                if adam:
                    m += 0.1 * (grad - m)
                    v += 0.001 * (grad**2 - v)
                    array -= lr * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
                else:
                    array -= lr * grad
        yield epoch
