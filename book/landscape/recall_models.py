"""The learners of the second half of that page: attention, episodes, clusters, bounds, and kernels that hand over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from book.landscape.memory_models import Array, distances
from book.shared import network
from book.shared.seeds import Result, demonstration
from companion.linear import LongTailModel, feature_counts, min_norm

WIDTHS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)


def celebrity_loss(matrix: Array, weights: Array, answer: Array) -> float:
    """Mean squared error per output over standard normal inputs, exactly; ``answer`` (d, d) is orthogonal.

    The model averages the positions with ``weights`` (T,) and applies ``matrix`` (d, d); the truth is ``answer``
    applied to position 0.
    """
    cross = weights[0] * np.sum(matrix * answer)
    return float((np.sum(matrix**2) * np.sum(weights**2) - 2 * cross) / len(answer) + 1)


@demonstration(share={"high": 1}, lr={"open_low": True})
def celebrity(
    *,
    seed: int,
    share: float = 0.2,
    given: bool = False,
    length: int = 32,
    d: int = 24,
    steps: int = 160,
    batch: int = 32,
    lr: float = 0.5,
) -> Result:
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
    rng = np.random.default_rng(seed)
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
        test = celebrity_loss(matrix, weights, answer)
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


@demonstration(width={"low": 1}, d={"low": 2})
def episodic(*, seed: int, width: int = 4, d: int = 20, n: int = 400, epochs: int = 60) -> Result:
    """Train a network on one question about its inputs, then learn another from what was kept of the same inputs.

    Args:
        seed: of the two questions (signs along two orthogonal directions), the inputs and the weights.
        width: hidden units. d: dimension of the inputs. n: examples. epochs: of training on the first question.

    Returns:
        Shares of right answers on fresh inputs: ``trained`` (the first question, by the network); by a linear
        read-out fitted to the answers of the old examples, ``representation`` (the second question, from the hidden
        layer), ``first`` (the first question, from the hidden layer), ``episodes`` (the second question, from the
        stored inputs themselves).
    """
    rng = np.random.default_rng(seed)
    questions = np.linalg.qr(rng.normal(size=(d, 2)))[0]
    x, fresh = rng.normal(size=(n, d)), rng.normal(size=(1000, d))
    asked, truth = np.sign(x @ questions), np.sign(fresh @ questions)
    layers = network.initial([d, width, 1], rng=rng, gain=0.3)
    for _ in network.train(layers, x, asked[:, :1], rng=rng, epochs=epochs, batch=50, lr=0.01, adam=True):
        pass
    hidden, hidden_fresh = (network.activations(layers, inputs)[1] for inputs in (x, fresh))

    def read_out(kept: Array, new: Array, question: int) -> float:
        kept, new = (np.column_stack([side, np.ones(len(side))]) for side in (kept, new))
        weights = np.linalg.solve(kept.T @ kept + 1e-3 * np.eye(kept.shape[1]), kept.T @ asked[:, question])
        return float(np.mean(np.sign(new @ weights) == truth[:, question]))

    return {
        "trained": network.accuracy(layers, fresh, truth[:, 0]),
        "representation": read_out(hidden, hidden_fresh, 1),
        "first": read_out(hidden, hidden_fresh, 0),
        "episodes": read_out(x, fresh, 1),
    }


@demonstration(kept={"high": 1}, fixed={"high": lambda at: at["bits"]})
def irrelevant(
    *,
    seed: int,
    per_cluster: int = 1,
    clusters: int = 200,
    bits: int = 400,
    fixed: int = 80,
    kept: tuple[float, ...] = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
) -> Result:
    """Classify new members of known clusters from partly forgotten examples.

    Args:
        seed: of clusters and examples.
        per_cluster: training examples of each cluster. clusters, bits: how many of each.
        fixed: bits that a cluster fixes (which ones is not known). kept: shares of an example's bits to keep.

    Returns:
        Accuracy for each share kept, (len(kept),): ``random`` keeps arbitrary bits of one example a cluster;
        ``informed`` keeps, of as many bits, first those on which the cluster's examples agree most; and
        ``relevant``: share of the stored bits that an oracle would call relevant.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(clusters)[:, None]
    relevant = np.argsort(rng.uniform(size=(clusters, bits)), axis=1)[:, :fixed]
    values = rng.choice([-1.0, 1.0], size=(clusters, fixed))

    def examples(count: int) -> NDArray[np.float64]:
        drawn = rng.choice([-1.0, 1.0], size=(count, clusters, bits))
        drawn[:, rows, relevant] = values
        return drawn

    train, queries = examples(per_cluster), examples(1)[0]
    agreement = np.abs(train.mean(axis=0)) + 1e-6 * rng.uniform(size=(clusters, bits))
    by_agreement, by_chance = np.argsort(-agreement, axis=1), np.argsort(rng.uniform(size=(clusters, bits)), axis=1)

    def accuracy(order: NDArray[np.intp], count: int) -> float:
        memory = np.zeros((clusters, bits))
        memory[rows, order[:, :count]] = train[0][rows, order[:, :count]]
        return float(np.mean(np.argmax(queries @ memory.T, axis=1) == np.arange(clusters)))

    counts = [max(1, round(share * bits)) for share in kept]
    return {
        "random": np.array([accuracy(by_chance, count) for count in counts]),
        "informed": np.array([accuracy(by_agreement, count) for count in counts]),
        "relevant": fixed / bits,
    }


def occam(train_error: float, bits: float, n: int, delta: float = 0.05) -> float:
    """Upper bound on the test error of a classifier described in ``bits`` bits; above 1 it says nothing."""
    return float(train_error + np.sqrt((bits * np.log(2) + np.log(1 / delta)) / (2 * n)))


def rounded(values: Array) -> Array:
    """``values`` on a grid of 256 levels between their extremes (the two ends cost 64 bits in the description)."""
    low, high = values.min(), values.max()
    step = (high - low) / 255 or 1.0
    return low + step * np.round((values - low) / step)


@demonstration()
def size_bounds(
    *, seed: int, width: int = 32, subspace: int | None = None, n: int = 2000, d: int = 8, epochs: int = 20
) -> Result:
    """Train one hidden layer on the labels of a random network with 12 units and bound the rounded network's error.

    Args:
        seed: of rule, data, network.
        width: hidden units.
        subspace: train only this many random directions of weight space (described by a seed, whose 64 bits are
            counted), or None for all weights.
        n: training examples. d: dimensions. epochs: passes.

    Returns:
        ``train`` and ``test`` error of the rounded network, ``bits`` of its description, the ``bound``.
    """
    rng = np.random.default_rng(seed)
    teacher = network.initial([d, 12, 1], rng=rng)

    def label(z: Array) -> Array:
        return np.sign(network.output(teacher, z)[:, 0] - threshold)

    x, fresh = rng.normal(size=(n, d)), rng.normal(size=(4000, d))
    threshold = np.median(network.output(teacher, x))
    y, truth = label(x), label(fresh)
    layers = network.initial([d, width, 1], rng=rng)
    flat = [array for pair in layers for array in pair]
    counts = [array.size for array in flat]
    if subspace is None:
        for _ in network.train(layers, x, y[:, None], rng=rng, epochs=epochs, batch=40, lr=5e-3, adam=True):
            pass
        coded = rounded(np.concatenate([array.ravel() for array in flat]))
        bits = 8 * sum(counts) + 64
    else:
        start = np.concatenate([array.ravel() for array in flat])
        basis = rng.normal(size=(subspace, sum(counts))) / np.sqrt(subspace)
        code, m, v = np.zeros(subspace), np.zeros(subspace), np.zeros(subspace)

        def write(values: Array) -> None:
            for array, piece in zip(flat, np.split(values, np.cumsum(counts)[:-1]), strict=True):
                array[...] = piece.reshape(array.shape)

        for step in range(1, 1 + epochs * (n // 40)):
            rows = rng.integers(n, size=40)
            grads = network.gradient(layers, x[rows], y[rows, None])
            slope = basis @ np.concatenate([grad.ravel() for grad in grads])
            m, v = 0.9 * m + 0.1 * slope, 0.999 * v + 0.001 * slope**2
            code = code - 0.02 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
            write(start + code @ basis)
        coded = start + rounded(code) @ basis
        bits = 8 * subspace + 128
    for array, piece in zip(flat, np.split(coded, np.cumsum(counts)[:-1]), strict=True):
        array[...] = piece.reshape(array.shape)
    train = 1 - network.accuracy(layers, x, y)
    return {
        "train": train,
        "test": 1 - network.accuracy(layers, fresh, truth),
        "bits": bits,
        "bound": occam(train, bits, n),
    }


def combinations(model: LongTailModel, rare: NDArray[np.intp], t: int, count: int, rng: np.random.Generator) -> Array:
    """``count`` fresh rows: common features as they come, ``t`` distinct ``rare`` ones, random signs throughout."""
    rows = np.zeros((count, model.d))
    common = rng.uniform(size=(count, model.k)) < model.p[: model.k]
    rows[:, : model.k] = common * rng.choice([-1.0, 1.0], size=common.shape)
    for row in rows:
        row[rng.choice(rare, size=t, replace=False)] = rng.choice([-1.0, 1.0], size=t)
    return rows


@demonstration()
def contrast(*, seed: int, n: int = 400, d: int = 4000, most: int = 4, count: int = 200) -> Result:
    """Learners that fit every row with a once-seen feature, tested on combinations of such features.

    Args:
        seed: of training and test data.
        n, d: rows and features of a :class:`companion.linear.LongTailModel` with alpha = 2, sigma = 0.05.
        most: largest number of rare features to combine. count: test rows for each number.

    Returns:
        Mean squared errors against the noiseless labels for 0, 1, ..., most rare features: ``neighbour``,
        ``linear`` (minimum norm), ``zero`` (predicting 0), each (most + 1,), and ``kernel`` (len(WIDTHS), most + 1),
        the Gaussian-kernel interpolator; ``train``: largest training error of all but the last of them on the
        training rows that hold a once-seen feature; ``together``: how many once-seen features share their row.
    """
    rng = np.random.default_rng(seed)
    model = LongTailModel(n=n, d=d, s=5.0, alpha=2.0, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=rng)
    x, y = sample.X.toarray(), sample.y
    once = np.flatnonzero(feature_counts(sample.X) == 1)
    once = once[once >= model.k]
    beta_hat = min_norm(sample.X, y)
    apart = distances(x, x)
    # The tiny ridge is for rows that repeat each other with different noise: no function fits both.
    weights = [np.linalg.solve(np.exp(-apart / (2 * w**2)) + 1e-8 * np.eye(n), y) for w in WIDTHS]
    rows = [combinations(model, once, t, count, rng) for t in range(most + 1)]
    near = [distances(z, x) for z in rows]
    special = np.abs(x[:, once]).sum(axis=1) > 0
    fits = [x @ beta_hat, *(np.exp(-apart / (2 * w**2)) @ a for w, a in zip(WIDTHS, weights, strict=True))]

    def errors(predictions: list[Array]) -> Array:
        return np.array([np.mean((p - z @ model.beta) ** 2) for p, z in zip(predictions, rows, strict=True)])

    crowd = np.abs(x[:, once]).sum(axis=1)
    return {
        "together": crowd[crowd > 1].sum(),
        "neighbour": errors([y[np.argmin(m, axis=1)] for m in near]),
        "linear": errors([z @ beta_hat for z in rows]),
        "zero": errors([np.zeros(count)] * len(rows)),
        "kernel": np.array(
            [errors([np.exp(-m / (2 * w**2)) @ a for m in near]) for w, a in zip(WIDTHS, weights, strict=True)]
        ),
        "train": max(float(np.max(np.abs((fit - y)[special]))) for fit in fits),
    }
