"""The learners of *Fitting anything, and why simple wins* from random weights on: one function a demonstration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from book.shared import network
from book.shared.seeds import Result, demonstration
from book.shared.style import BLUE, GREY, PURPLE

Array = NDArray[np.float64]
ACTIVATIONS = ("relu", "tanh", "coin")
INPUTS = np.array([[2.0 * (code >> bit & 1) - 1.0 for bit in range(5)] for code in range(32)])
DRAWS: dict[str, tuple[dict[str, Any], str]] = {
    "ReLU network": ({"activation": "relu"}, BLUE),
    "tanh network, large weights": ({"activation": "tanh", "weight": 20.0}, PURPLE),
    "coin flips": ({"activation": "coin"}, GREY),
}


def words(text: str) -> int:
    """Number of words in the Lempel-Ziv (1976) parsing of ``text``."""
    count, start, length = 1, 1, 1
    while start + length <= len(text):
        if text[start : start + length] in text[: start + length - 1]:
            length += 1
        else:
            count, start, length = count + 1, start + length, 1
    return count + (length > 1)


def complexity(table: NDArray[np.bool_]) -> float:
    """Scaled Lempel-Ziv complexity of a truth table (32,), averaged over both reading directions.

    A constant table scores log2(32) = 5 by convention, a typical random table about 38.
    """
    text = "".join("1" if value else "0" for value in table)
    if table.all() or not table.any():
        return float(np.log2(len(text)))
    return float(np.log2(len(text)) * (words(text) + words(text[::-1])) / 2)


def tables(
    count: int, *, rng: np.random.Generator, width: int, weight: float, bias: float, activation: str
) -> NDArray[np.bool_]:
    """Truth tables (count, 32) of ``count`` random networks 5-width-width-1.

    Weights have standard deviation ``weight / sqrt(inputs)``, biases ``bias``; ``activation`` is "relu",
    "tanh" or "coin", the last meaning 32 fair coin flips and no network at all.
    """
    if activation == "coin":
        return rng.integers(0, 2, size=(count, len(INPUTS))).astype(bool)
    state = np.broadcast_to(INPUTS, (count, *INPUTS.shape))
    for depth, size in enumerate((width, width, 1)):
        fan_in = state.shape[-1]
        w = rng.normal(scale=weight / np.sqrt(fan_in), size=(count, fan_in, size)).astype(np.float32)
        b = rng.normal(scale=bias, size=(count, 1, size)).astype(np.float32)
        state = state.astype(np.float32) @ w + b
        if depth < 2:
            state = np.maximum(state, 0) if activation == "relu" else np.tanh(state)
    return state[:, :, 0] > 0


@demonstration(activation=ACTIVATIONS)
def random_functions(
    *,
    seed: int,
    count: int = 10_000,
    width: int = 40,
    weight: float = 1.4,
    bias: float = 0.3,
    activation: str = "relu",
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """The different functions that ``count`` random networks compute, (functions, 32), and how often each came up."""
    rng = np.random.default_rng(seed)
    parts = [min(1000, count - done) for done in range(0, count, 1000)]  # a thousand at a time bounds the memory
    settings: dict[str, Any] = {"rng": rng, "width": width, "weight": weight, "bias": bias, "activation": activation}
    found = np.concatenate([tables(part, **settings) for part in parts])
    codes = found @ (1 << np.arange(32, dtype=np.int64))
    _, index, times = np.unique(codes, return_index=True, return_counts=True)
    return found[index], times


def parameter_function(*, seed: int, **settings: Any) -> Result:
    """Draw networks (settings of `random_functions`), and measure how complex their functions are.

    Returns:
        ``distinct`` functions found; ``constant``: share of draws that are constant; ``mean_complexity`` of a draw
        and of a ``balanced`` draw (12 to 20 ones; NaN if there is none), where constants play no part;
        ``correlation`` between log-frequency and complexity over functions drawn at least twice (NaN if
        fewer than ten).
    """
    found, times = random_functions(seed=seed, **settings)
    scores, ones = np.array([complexity(table) for table in found]), found.sum(axis=1)
    balanced, often = (ones >= 12) & (ones <= 20), times >= 2
    varied = often.sum() >= 10 and np.ptp(times[often]) > 0
    return {
        "distinct": len(found),
        "constant": times[(ones == 0) | (ones == 32)].sum() / times.sum(),
        "mean_complexity": np.average(scores, weights=times),
        "balanced": np.average(scores[balanced], weights=times[balanced]) if balanced.any() else np.nan,
        "correlation": np.corrcoef(np.log(times[often]), scores[often])[0, 1] if varied else np.nan,
    }


@demonstration(n={"low": 8}, d={"low": 3})
def linear_first(
    *, seed: int, linear: float = 0.8, n: int = 4000, d: int = 10, width: int = 64, epochs: int = 20
) -> Result:
    """Follow one hidden layer trained by plain stochastic gradient descent.

    Args:
        seed: of data, network and batches.
        linear: weight of the linear part in ``sign(linear * x_0 + sign(x_1 x_2))``; 0 removes it.
        n: training (and test) examples. d: dimensions, all but three of them noise.
        width: hidden units. epochs: passes through the data.

    Returns:
        Curves of length 1 + 8 + epochs - 1 over ``epoch`` (the first epoch is looked at eight times):
        test ``accuracy``, ``easy`` and ``hard`` (accuracy where the best linear classifier is right and where
        it is wrong), ``r2`` (share of the variance of the network's output that a linear map of the input
        explains); and ``linear_accuracy`` of that classifier.
    """
    rng = np.random.default_rng(seed)
    x, fresh = rng.normal(size=(n, d)), rng.normal(size=(n, d))
    y, truth = (np.sign(linear * z[:, 0] + np.sign(z[:, 1] * z[:, 2])) for z in (x, fresh))
    best = np.sign(fresh @ np.linalg.lstsq(x, y, rcond=None)[0])
    easy = best == truth
    layers = network.initial([d, width, 1], rng=rng, gain=0.5)
    curves: dict[str, list[float]] = {key: [] for key in ("epoch", "accuracy", "easy", "hard", "r2")}

    def look(epoch: float) -> None:
        out = network.output(layers, fresh)[:, 0]
        right = np.sign(out) == truth
        centred = out - out.mean()
        residual = centred - fresh @ np.linalg.lstsq(fresh, centred, rcond=None)[0]
        for key, value in zip(
            curves,
            (epoch, right.mean(), right[easy].mean(), right[~easy].mean(), 1 - residual.var() / out.var()),
            strict=True,
        ):
            curves[key].append(float(value))

    look(0)
    part = n // 8
    for eighth in range(8):
        rows = slice(eighth * part, (eighth + 1) * part)
        for _ in network.train(layers, x[rows], y[rows, None], rng=rng, epochs=1, batch=20, lr=0.1):
            look((eighth + 1) / 8)
    for epoch in network.train(layers, x, y[:, None], rng=rng, epochs=epochs - 1, batch=20, lr=0.1):
        look(1 + epoch)
    return {key: np.array(values) for key, values in curves.items()} | {"linear_accuracy": easy.mean()}


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


@demonstration(contexts={"high": lambda at: at["items"]}, scale={"open_low": True}, head_start={"open_low": True})
def race(
    *,
    seed: int,
    contexts: int = 4,
    items: int = 6,
    hidden: int = 24,
    scale: float = 0.02,
    head_start: float = 1.0,
    steps: int = 600,
    lr: float = 0.05,
) -> Result:
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
    rng = np.random.default_rng(seed)
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


@demonstration(strength={"open_low": True})
def signal_or_noise(
    *, seed: int, size: int = 50, strength: float = 3.0, deep: bool = True, steps: int = 400, lr: float = 0.05
) -> Result:
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
    rng = np.random.default_rng(seed)
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


@demonstration(tasks={"high": lambda at: at["size"]})
def many_tasks(
    *, seed: int, tasks: int = 4, shared: bool = True, size: int = 20, steps: int = 1200, lr: float = 0.02
) -> Result:
    """Learn several one-number tasks at once, of unit strength each, in one network.

    Args:
        seed: of the tasks and the network.
        tasks: how many. shared: all read the same input direction (with their own sign), or each its own.
        size: inputs, at least ``tasks``. steps, lr: of gradient descent.

    Returns:
        ``curve``: mean loss per task (steps,); ``time`` to half of it; ``top``: the largest singular value,
        the square root of ``tasks`` if shared and 1 if not.
    """
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(size, size)))[0][:tasks]
    target = np.outer(rng.choice([-1.0, 1.0], size=tasks), directions[0]) if shared else directions[:tasks]
    curve = losses(target, rng=rng, hidden=24, scale=0.001, lr=lr, steps=steps)
    return {"curve": curve, "time": half_time(curve), "top": np.linalg.svd(target, compute_uv=False)[0]}


def share(hidden: Array, feature: Array) -> float:
    """Share of the hidden layer's variance (n, width) that lies along one sign feature (n,)."""
    centred = hidden - hidden.mean(axis=0)
    signal = feature - feature.mean()
    explained = (signal @ centred) ** 2 / (signal @ signal)
    return float(explained.sum() / np.sum(centred**2))


@demonstration(d={"low": 4})
def representation(
    *, seed: int, control: bool = False, n: int = 1024, d: int = 10, width: int = 64, epochs: int = 30
) -> Result:
    """Train one network on both outputs and measure what fills its hidden layer.

    Args:
        seed: of data, network and batches.
        control: the first output is an exclusive-or too, so neither is simpler.
        n: training examples, drawn from the cube of ``d`` signs. width: hidden units. epochs: passes.

    Returns:
        Over 0..epochs: ``simple`` and ``complex`` share of hidden variance, ``simple_right`` and
        ``complex_right`` accuracy on 1,000 fresh inputs; ``gap``: difference of the shares at the end.
    """
    rng = np.random.default_rng(seed)
    x, fresh = rng.choice([-1.0, 1.0], size=(n, d)), rng.choice([-1.0, 1.0], size=(1000, d))

    def labels(z: Array) -> Array:
        return np.stack([z[:, 0] * (z[:, 3] if control else 1.0), z[:, 1] * z[:, 2]], axis=1)

    y, truth = labels(x), labels(fresh)
    layers = network.initial([d, width, 2], rng=rng)
    curves: dict[str, list[float]] = {k: [] for k in ("simple", "complex", "simple_right", "complex_right")}

    def look() -> None:
        _, hidden, out = network.activations(layers, fresh)
        right = (np.sign(out) == truth).mean(axis=0)
        for key, value in zip(curves, (share(hidden, truth[:, 0]), share(hidden, truth[:, 1]), *right), strict=True):
            curves[key].append(float(value))

    look()
    for _ in network.train(layers, x, y, rng=rng, epochs=epochs, batch=32, lr=3e-3, adam=True):
        look()
    return {key: np.array(values) for key, values in curves.items()} | {
        "gap": curves["simple"][-1] - curves["complex"][-1]
    }


def inputs(y: Array, d: int, simple: bool, rng: np.random.Generator) -> Array:
    """Points (n, d) with labels ``y``: coordinate 0 cuts linearly, coordinate 1 in three slabs, the rest is noise.

    Without ``simple``, coordinate 0 is noise as well.
    """
    n = len(y)
    x = rng.uniform(-1, 1, size=(n, d))
    if simple:
        x[:, 0] = y * rng.uniform(0.1, 1, size=n)
    outer = rng.choice([-1.0, 1.0], size=n) * rng.uniform(0.5, 1, size=n)
    x[:, 1] = np.where(y > 0, rng.uniform(-0.3, 0.3, size=n), outer)
    return x


@demonstration(d={"low": 2})
def shortcut(
    *, seed: int, simple: bool = True, n: int = 1500, d: int = 20, width: int = 64, epochs: int = 25
) -> Result:
    """Train on both features (or on the slabs alone) and shuffle each of them at test time.

    Returns:
        Accuracy on 2,000 fresh points: ``plain``, with the ``linear_shuffled`` coordinate, and with the
        ``slab_shuffled`` one (0.5 is chance; unchanged means not used).
    """
    rng = np.random.default_rng(seed)
    y, truth = rng.choice([-1.0, 1.0], size=n), rng.choice([-1.0, 1.0], size=2000)
    x, fresh = inputs(y, d, simple, rng), inputs(truth, d, simple, rng)
    layers = network.initial([d, width, 1], rng=rng)
    for _ in network.train(layers, x, y[:, None], rng=rng, epochs=epochs, batch=32, lr=3e-3, adam=True):
        pass
    result = {"plain": network.accuracy(layers, fresh, truth)}
    for column, name in enumerate(("linear_shuffled", "slab_shuffled")):
        mixed = fresh.copy()
        mixed[:, column] = rng.permutation(mixed[:, column])
        result[name] = network.accuracy(layers, mixed, truth)
    return result
