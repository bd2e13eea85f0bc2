"""The learners of *When memorizing is harmless, needed, or harmful*: rules, exceptions, mistakes and shortcuts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from book.shared.seeds import Result, demonstration

Array = NDArray[np.float64]
SHAPES = ("spiked", "power", "exponential")
KERNEL: dict[str, Any] = {  # positive definite, and enough points for so many wrong labels
    "bandwidth": {"open_low": True},
    "power": {"high": 2, "open_low": True},
    "flipped": {"low": 0, "high": lambda at: at["n"] // 4},
}
EDGES = np.array([0.0, 0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2, 0.3, 0.5])  # distances to the nearest wrong label


def spectrum(shape: str, n: int, weak: int = 20, growth: float = 0.5) -> NDArray[np.float64]:
    """Eigenvalues of the input covariance for sample size ``n``; ``shape`` is one of `SHAPES`.

    "spiked": five ones and weak directions that share a total of sqrt(n): ``weak`` an example at 25 examples and
    ``weak (n / 25)^growth`` at n, since with as many for each example at any n a share 1/weak of the noise would stay.
    "power": j^-2 for j <= 8n. "exponential": exp(-2 sqrt(j)) for j <= 2n, faster than any power.
    """
    if shape == "spiked":
        count = round(weak * n * (n / 25) ** growth)
        return np.concatenate([np.ones(5), np.full(count, np.sqrt(n) / count)])
    if shape == "power":
        return np.arange(1, 8 * n + 1.0) ** -2
    return np.exp(-2 * np.sqrt(np.arange(1, 2 * n + 1.0)))


@demonstration(shape=SHAPES, n={"low": 5}, noise={"open_low": True})
def overfitting(
    *, seed: int, shape: str = "spiked", n: int = 100, noise: float = 0.5, weak: int = 20, growth: float = 0.5
) -> Result:
    """Interpolate ``n`` noisy values of a linear function of the five strongest directions.

    Args:
        seed: of inputs and noise.
        shape: of the spectrum, see :func:`spectrum`. n: sample size.
        noise: standard deviation of the label noise. weak: weak directions per example, at 25 examples, and
            growth: how fast that number grows, as a power of ``n`` ("spiked" only, both).

    Returns:
        ``excess``: excess error of the minimum-norm interpolator in units of the noise variance; ``train``:
        its mean squared training error; ``clean``: the excess error it would have without noise.
    """
    rng = np.random.default_rng(seed)
    eigenvalues = spectrum(shape, n, weak, growth)
    x = rng.normal(size=(n, len(eigenvalues))) * np.sqrt(eigenvalues)
    truth = np.zeros(len(eigenvalues))
    truth[:5] = 1 / np.sqrt(5 * eigenvalues[:5])
    xi = noise * rng.normal(size=n)
    signal = x @ truth
    # With Q R = X^T the minimum-norm interpolator of v is Q R^-T v: no Gram matrix, no squared condition number.
    q, r = np.linalg.qr(x.T)
    fits = q @ np.linalg.solve(r.T, np.stack([signal, signal + xi], axis=1))
    clean, noisy = (eigenvalues @ (fits - truth[:, None]) ** 2) / noise**2
    return {"excess": noisy, "clean": clean, "train": np.mean((x @ fits[:, 1] - signal - xi) ** 2)}


def least_squares(x: Array, y: Array) -> Array:
    """No memory: coefficients (d,) of ordinary least squares."""
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)


def l2_memory(x: Array, y: Array, size: float) -> Array:
    """Rule part (d,) of the minimum-norm interpolator on ``[x, size * identity]``: each example has its own feature."""
    joint = np.concatenate([x, size * np.eye(len(x))], axis=1)
    return (joint.T @ np.linalg.solve(joint @ joint.T, y))[: x.shape[1]]


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


@demonstration(
    share={"high": 0.5},
    size={"open_low": True},
    d={"high": lambda at: at["n"]},
    slot_counts={"low": 0, "high": lambda at: at["n"] - at["d"]},
)
def exceptions(
    *,
    seed: int,
    n: int = 200,
    d: int = 20,
    share: float = 0.1,
    noise: float = 0.02,
    size: float = 1.0,
    slot_counts: tuple[int, ...] = (0, 5, 10, 15, 20, 25, 40, 80),
) -> Result:
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
    rng = np.random.default_rng(seed)
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
        "ridge_gap": np.max(np.abs(stored - np.linalg.solve(x.T @ x + size**2 * np.eye(d), x.T @ y))),
    }


@demonstration(share={"high": 1}, seen={"high": 1, "open_low": True}, p={"low": 2}, lr={"open_low": True})
def corrupted(
    *,
    seed: int,
    decay: float = 3.0,
    share: float = 0.1,
    p: int = 23,
    seen: float = 0.8,
    width: int = 128,
    steps: int = 500,
    lr: float = 5e-3,
) -> Result:
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
    rng = np.random.default_rng(seed)
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


@demonstration(private={"low": 0}, agree={"high": 1}, core={"low": None}, lr={"open_low": True})
def spurious(
    *,
    seed: int,
    private: int = 600,
    agree: float = 0.9,
    core: float = 0.05,
    n: int = 300,
    steps: int = 6000,
    lr: float = 2.0,
) -> Result:
    """Train to zero error and test on the group where the shortcut fails.

    Args:
        seed: of the data.
        private: noise directions; 0 makes memorizing impossible.
        agree: share of training examples on which the shortcut has the right sign.
        core: size of the true feature (the shortcut has size 1, the noise total variance 1).
        n: training examples. steps, lr: of gradient descent from zero.

    Returns:
        Curves over 24 moments: ``step``, ``minority_train`` (training accuracy where the shortcut is wrong, NaN if it
        never is) and ``worst`` (accuracy on 1,000 fresh examples of that kind); ``train`` (final training accuracy),
        ``final_worst`` and ``final_minority_train``.
    """
    rng = np.random.default_rng(seed)

    def draw(count: int, right: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y = rng.choice([-1.0, 1.0], size=count)
        helps = np.arange(count) < round(right * count)
        noise = rng.normal(size=(count, private)) / np.sqrt(max(private, 1))
        return np.column_stack([core * y, np.where(helps, y, -y), noise]), y, helps

    x, y, helps = draw(n, agree)
    fresh, truth, _ = draw(1000, 0.0)
    # Gradient descent stays in the span of the examples: follow their coefficients through the Gram matrices.
    gram, cross = (x @ x.T) * np.outer(y, y), truth[:, None] * (fresh @ x.T) * y
    coefficients = np.zeros(n)
    marks = np.unique(np.geomspace(1, steps, 24).astype(int)).tolist()
    curves: dict[str, list[float]] = {"step": [], "minority_train": [], "worst": []}
    right = np.zeros(n, dtype=bool)
    for step in range(1, steps + 1):
        coefficients += lr * 0.5 * (1 - np.tanh(gram @ coefficients / 2)) / n
        if step in marks:
            right = gram @ coefficients > 0
            curves["step"].append(step)
            curves["minority_train"].append(float(right[~helps].mean()) if not helps.all() else np.nan)
            curves["worst"].append(float(np.mean(cross @ coefficients > 0)))
    return {key: np.array(values) for key, values in curves.items()} | {
        "train": right.mean(),
        "final_worst": curves["worst"][-1],
        "final_minority_train": curves["minority_train"][-1],
    }


def distances(a: Array, b: Array) -> Array:
    """Squared distances between the rows of ``a`` and ``b``."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0.0))


def kernel(a: Array, b: Array, bandwidth: float, power: float) -> Array:
    """``exp(-(distance / bandwidth)^power)`` between the rows: Laplace kernel at power 1, Gaussian at 2."""
    return np.exp(-((np.sqrt(distances(a, b)) / bandwidth) ** power))


def truth(x: Array) -> Array:
    """The true label: which side of a wave a point of the unit square lies on."""
    return np.where(x[:, 1] > 0.5 + 0.2 * np.sin(2 * np.pi * x[:, 0]), 1.0, -1.0)


def inside(points: Array) -> NDArray[np.bool_]:
    """Which points (n, 2) lie well away from the true boundary."""
    return np.abs(points[:, 1] - 0.5 - 0.2 * np.sin(2 * np.pi * points[:, 0])) > 0.12


@demonstration(**KERNEL)
def surface(
    *, seed: int, bandwidth: float = 0.2, power: float = 1.0, flipped: int = 12, n: int = 300, side: int = 60
) -> Result:
    """The interpolator's answers on a grid, to look at.

    Returns:
        ``grid`` (side,) coordinates; ``answer`` (side, side); the training points ``x`` (n, 2), labels ``y`` and which
        are ``wrong`` (n,); ``share`` of the grid away from the boundary that is answered wrongly.
    """
    rng = np.random.default_rng(seed)
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


@demonstration(**KERNEL)
def near_duplicates(
    *,
    seed: int,
    bandwidth: float = 0.2,
    power: float = 1.0,
    flipped: int = 12,
    n: int = 300,
    fresh: int = 4000,
    copies: int = 100,
) -> Result:
    """Interpolate ``n`` labelled points of which ``flipped`` are wrong.

    Args:
        seed: of all points.
        bandwidth, power: of the kernel. flipped: wrong labels, all of them away from the true boundary.
        n: training points. fresh: test points. copies: test copies of each flipped point, moved by about 0.005.

    Returns:
        ``train``: training accuracy (with the wrong labels); ``error``: test error by distance to the nearest
        wrong label, in the bins `EDGES` (NaN where a bin is empty), among test points away from the
        boundary; ``copies``: error on the near-copies; ``overall``: test error; ``clean``: the test error with no
        label flipped.
    """
    rng = np.random.default_rng(seed)
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
