"""The room of *When memorizing is harmless, needed, or harmful*: demonstrations, checks and figures, as on the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from book.shared import network
from book.shared.ledger import Found, at_least, at_most, between
from book.shared.seeds import Numbers, Result, around, by, demonstration, effect, mean, repeat, said
from book.shared.style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Picture, band, picture, subplots
from companion.linear import LongTailModel, feature_counts, min_norm

Array = NDArray[np.float64]
HERE = "book.landscape.harmless_needed_harmful"
SHAPES = ("spiked", "power", "exponential")
KERNEL: dict[str, Any] = {  # positive definite, and enough points for so many wrong labels
    "bandwidth": {"open_low": True},
    "power": {"high": 2, "open_low": True},
    "flipped": {"low": 0, "high": lambda at: at["n"] // 4},
}
EDGES = np.array([0.0, 0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.2, 0.3, 0.5])  # distances to the nearest wrong label
WIDTHS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)


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


@effect(
    "demo-overfitting",
    "Interpolated noise is benign, tempered or catastrophic by the spectrum",
    functions=(f"{HERE}.overfitting",),
)
def three_fates(weak: int = 20, growth: float = 0.5) -> list[Found]:
    """Excess error at 200 examples over that at 25, means of eight seeds, for each spectrum."""
    small, large = (
        {s: mean(overfitting, "excess", 8, shape=s, n=n, weak=weak, growth=growth) for s in SHAPES} for n in (25, 200)
    )
    benign, tempered, catastrophic = (large[shape] / small[shape] for shape in SHAPES)
    return [
        at_most("excess error at 200 examples over that at 25: benign", benign, 0.5),
        between("tempered", tempered, 0.5, 2),
        at_least("catastrophic", catastrophic, 2),
    ]


three_fates.breaks("one weak direction an example at every size", weak=1, growth=0.0)


def fig_fates(runs: Mapping[str, Mapping[int, Numbers]]) -> Picture:
    """Excess error of an interpolator of noise against the sample size, for three spectra."""
    figure, ax = subplots(size=(6.2, 3.6))
    words = []
    for shape, color, label in (
        ("exponential", RED, "catastrophic"),
        ("power", ORANGE, "tempered"),
        ("spiked", BLUE, "benign"),
    ):
        sizes = sorted(runs[shape])
        stacked = np.stack([runs[shape][n]["excess"] for n in sizes], axis=1)
        low, middle, high = np.quantile(stacked, (0.1, 0.5, 0.9), axis=0)
        ax.fill_between(sizes, low, high, color=color, alpha=0.22, linewidth=0)
        ax.plot(sizes, middle, color=color, marker="o")
        ax.text(sizes[-1] * 1.06, middle[-1], label, color=color, va="center", fontsize=9)
        words.append(f"{label} {middle[0]:.2f} at n = {sizes[0]} and {middle[-1]:.2f} at n = {sizes[-1]}")
    ax.axhline(1, color=GREY, ls=":", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="examples $n$", ylabel="excess error / noise variance")
    ax.set(xlim=(sizes[0] * 0.9, sizes[-1] * 2))
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.minorticks_off()
    return picture(figure, "Median excess error in units of the noise variance: " + "; ".join(words) + ".")


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


@effect(
    "demo-exceptions",
    "A separate memory for exceptions protects the rule",
    functions=(
        f"{HERE}.exceptions",
        f"{HERE}.l1_memory",
    ),
)
def exceptions_stored(key: str = "l1", slot: int | None = None) -> Found:
    """Error of the rule without a memory over that with one, four seeds."""
    runs = repeat(exceptions, 4, slot_counts=(10, 20))
    kept = runs[key] if slot is None else runs["slots"][:, slot]
    name = f"the {key} memory" if slot is None else f"{(10, 20)[slot]} slots"
    return at_least(f"error of the rule, no memory over {name}", runs["none"].mean() / kept.mean(), 100)


exceptions_stored.breaks("a memory under the l2 norm", key="l2")
exceptions_stored.breaks("half the slots", slot=0)


def fig_exceptions(runs: Numbers, counts: Sequence[int], true_count: int) -> Picture:
    """Error of the rule under four memories, and against the number of slots."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    names = (("none", GREY, "no\nmemory"), ("l2", ORANGE, "$\\ell_2$\nmemory"), ("l1", BLUE, "$\\ell_1$\nmemory"))
    for at, (key, color, _) in enumerate(names):
        left.plot(at + np.linspace(-0.12, 0.12, len(runs[key])), runs[key], "o", color=color)
    left.set_xticks(range(3), [name for _, _, name in names])
    left.set(yscale="log", ylabel="error of the rule", title="Where exceptions are stored", xlim=(-0.5, 2.5))
    low, middle, high = np.quantile(runs["slots"], (0.1, 0.5, 0.9), axis=0)
    right.fill_between(counts, low, high, color=GREEN, alpha=0.22, linewidth=0)
    right.plot(counts, middle, color=GREEN, marker="o")
    right.axvline(true_count, color=GREY, ls="--", lw=1)
    right.set(yscale="log", xlabel="slots for whole examples", title=f"{true_count} exceptions in 200 examples")
    return picture(
        figure,
        f"Squared error of the rule: {said(runs['none'], '.3f')} with no memory, {said(runs['l2'], '.3f')} with an l2 "
        f"memory, {said(runs['l1'], '.5f')} with an l1 memory. With slots the median falls from {middle[0]:.3f} "
        f"at none to {middle[-1]:.5f} at {counts[-1]}, with the drop at {true_count}, the number of exceptions.",
    )


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


@effect(
    "demo-corrupted",
    "A network remembers wrong labels and learns the rule from the right ones",
    functions=(f"{HERE}.corrupted",),
)
def rule_and_noise(decay: float = 3.0) -> list[Found]:
    """What 250 steps end with, two seeds."""
    runs = repeat(corrupted, 2, decay=decay, steps=250)
    return [
        at_least("share of wrong labels answered as given", runs["final_given"].mean(), 0.9),
        at_least("share of unseen pairs answered right", runs["final_test"].mean(), 0.8),
    ]


rule_and_noise.breaks("no weight decay", decay=0.0)
rule_and_noise.breaks("too much weight decay", decay=10.0)


def fig_corrupted(by_decay: Mapping[float, Numbers], course: float) -> Picture:
    """Answers after training against weight decay, and the course of training at one weight decay."""
    decays = sorted(by_decay)
    figure, (left, right) = subplots(1, 2, size=(8.6, 3.5), sharey=True)
    kinds = (
        ("test", BLUE, "-", "pairs never seen"),
        ("given", ORANGE, "--", "wrong labels, as given"),
        ("corrected", GREEN, ":", "wrong labels, answered truly"),
    )
    at = range(len(decays))
    for key, color, ls, label in kinds:
        around(left, at, np.stack([by_decay[d][key][:, -1] for d in decays], axis=1), color=color, ls=ls, label=label)
        around(right, by_decay[course]["step"][0], by_decay[course][key], color=color, ls=ls, label=label)
    left.set_xticks(at, [f"{d:g}" for d in decays])
    left.set(xlabel="weight decay", ylabel="share of answers", title="At the end", ylim=(-0.02, 1.02))
    right.set(xscale="log", xlabel="step", title=f"In training, weight decay {course:g}")
    left.legend(fontsize=8, loc="center left", bbox_to_anchor=(0.0, 0.28))
    return picture(
        figure,
        "Right on unseen pairs, wrong labels as given, wrong labels answered truly, by weight decay: "
        + "; ".join(
            f"{d:g}: " + ", ".join(f"{by_decay[d][key][:, -1].mean():.2f}" for key, *_ in kinds) for d in decays
        )
        + ".",
    )


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


@effect(
    "demo-spurious",
    "With a shortcut at hand, memorizing the rest replaces learning the rule",
    functions=(f"{HERE}.spurious",),
)
def memory_hides_rule(core: float = 0.05) -> Found:
    """Accuracy on fresh examples on which the shortcut is wrong, two seeds."""
    without, memory = (mean(spurious, "final_worst", 2, private=private, core=core, steps=3000) for private in (0, 600))
    return at_least("accuracy where the shortcut is wrong, without private noise less with it", without - memory, 0.5)


memory_hides_rule.breaks("a true feature four times larger", core=0.2)


def fig_spurious(with_memory: Numbers, without: Numbers, by_core: Mapping[float, tuple[Numbers, Numbers]]) -> Picture:
    """Accuracy where the shortcut fails: over training, and against the size of the true feature."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.3))
    for runs, color, name in ((without, BLUE, "no memory"), (with_memory, ORANGE, "memory")):
        around(left, runs["step"][0], runs["worst"], color=color, label=f"{name}: fresh")
        mean = runs["minority_train"].mean(axis=0)
        left.plot(runs["step"][0], mean, color=color, ls="--", lw=1.2, label=f"{name}: training")
    left.set(xscale="log", xlabel="step", title="Accuracy where the shortcut fails", ylim=(-0.02, 1.02))
    left.legend(loc="upper left", fontsize=8)
    cores = sorted(by_core)
    for side, color, name in ((1, BLUE, "no memory"), (0, ORANGE, "memory")):
        stacked = np.stack([by_core[c][side]["final_worst"] for c in cores], axis=1)
        around(right, cores, stacked, color=color, marker="o", label=name)
    right.set(xscale="log", xlabel="size of the true feature", title="At the end", ylim=(-0.02, 1.02))
    right.set_xticks(cores, [f"{c:g}" for c in cores])
    right.minorticks_off()
    right.legend(loc="center right")
    return picture(
        figure,
        "All training examples are fitted. Where the shortcut fails, accuracy on fresh examples ends at "
        f"{said(with_memory['final_worst'])} with private noise to memorize by and at {said(without['final_worst'])} "
        f"without; with a true feature of size {cores[-1]:g} it is {said(by_core[cores[-1]][0]['final_worst'])} and "
        f"{said(by_core[cores[-1]][1]['final_worst'])}.",
    )


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


@effect("demo-near-duplicates", "The harm of a memorized mistake is local", functions=(f"{HERE}.near_duplicates",))
def local_harm(**settings: Any) -> list[Found]:
    """Error on copies of a wrong example and at a distance of 0.16 to 0.3 from any, three seeds."""
    runs = repeat(near_duplicates, 3, fresh=2000, **settings)
    return [
        at_least("error on copies of a wrong example", runs["copies"].mean(), 0.6),
        at_most("error at a distance of 0.16 to 0.3", float(np.nanmean(runs["error"][:, 6:8])), 0.05),
    ]


local_harm.breaks("a kernel too smooth to bend near one point", power=2.0, bandwidth=0.1)


def fig_distance(rough: Numbers, smooth: Numbers) -> Picture:
    """Test error against the distance to the nearest wrong label, for a rough and a smooth kernel."""
    edges = EDGES
    middle = (edges[:-1] + edges[1:]) / 2
    figure, ax = subplots(size=(6.0, 3.3))
    for runs, color, name in ((rough, BLUE, "Laplace kernel"), (smooth, ORANGE, "Gaussian kernel, width 0.1")):
        mean, sd = np.nanmean(runs["error"], axis=0), np.nanstd(runs["error"], axis=0, ddof=1)
        ax.fill_between(middle, np.maximum(mean - sd, 0), mean + sd, color=color, alpha=0.22, linewidth=0)
        ax.plot(middle, mean, color=color, marker="o", label=name)
        ax.plot([0.003], [runs["copies"].mean()], "s", color=color)
    ax.text(0.012, rough["copies"].mean(), "near-copies", va="center", fontsize=8)
    ax.set(xlabel="distance to the nearest wrong label", ylabel="test error", ylim=(-0.02, 1.02))
    ax.legend()
    return picture(
        figure,
        f"Laplace kernel: error {said(rough['copies'])} on near-copies of a wrong example, "
        f"{np.nanmean(rough['error'][:, 0]):.2f} within 0.02, {np.nanmean(rough['error'][:, 6:8]):.3f} beyond 0.16. "
        f"Gaussian kernel: {said(smooth['copies'])}, {np.nanmean(smooth['error'][:, 0]):.2f} and "
        f"{np.nanmean(smooth['error'][:, 6:8]):.2f}.",
    )


def plane(n: int, kernel: str) -> Picture:
    """The plane as the interpolator sees it, for the explorer: shaded where it answers the other way."""
    power, bandwidth = (1.0, 0.2) if kernel == "Laplace" else (2.0, 0.1)
    state = surface(seed=0, n=n, power=power, bandwidth=bandwidth)
    figure, ax = subplots(size=(4.6, 4.3))
    ax.contourf(state["grid"], state["grid"], state["answer"], levels=[-1e9, 0, 1e9], colors=[ORANGE, BLUE], alpha=0.25)
    x, y, wrong = state["x"], state["y"], state["wrong"]
    ax.scatter(x[~wrong, 0], x[~wrong, 1], s=5, c=np.where(y[~wrong] > 0, BLUE, ORANGE))
    ax.scatter(x[wrong, 0], x[wrong, 1], s=46, c=np.where(y[wrong] > 0, BLUE, ORANGE), marker="X", edgecolors="white")
    wave = np.linspace(0, 1, 101)
    ax.plot(wave, 0.5 + 0.2 * np.sin(2 * np.pi * wave), color=GREY, lw=1.2, ls="--")
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return picture(
        figure,
        f"{kernel} kernel, {n} points, 12 wrong labels (crosses): {state['share']:.1%} of the plane away from the "
        "true boundary gets the wrong answer.",
    )


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


@effect("demo-celebrity", "Repeated inputs shorten the wait for attention", functions=(f"{HERE}.celebrity",))
def repetition_helps(share: float = 0.5, given: bool = False) -> Found:
    """Steps to half the test loss, two seeds."""
    none, some = (mean(celebrity, "time", 2, share=s, given=given, steps=130) for s in (0.0, share))
    return at_least(f"steps to half the loss, no celebrities over a share of {share:g}", none / some, 1.25)


repetition_helps.breaks("attention given from the start", given=True)
repetition_helps.breaks("too much repetition", share=0.8)


def fig_celebrity(
    curves: Mapping[float, Numbers], times: Mapping[float, Numbers], given: Mapping[float, Numbers]
) -> Picture:
    """Test loss over training for some shares of celebrities, and the waiting time against the share."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    for share, color in zip(sorted(curves), (GREY, GREEN, BLUE, PURPLE), strict=False):
        steps = 5 * np.arange(curves[share]["loss"].shape[1])
        around(left, steps, curves[share]["loss"], color=color, label=f"{share:.0%}")
    left.set(xlabel="step", ylabel="test loss (no celebrities)", title="Share of celebrities", ylim=(0, 1.1))
    left.legend()
    for runs, color, name in ((times, BLUE, "attention learned"), (given, ORANGE, "attention given")):
        shares = sorted(runs)
        around(right, shares, by(runs, "time"), color=color, marker="o", label=name)
    right.set(xlabel="share of celebrities", ylabel="steps to half the loss", ylim=(0, None))
    right.legend()
    shares = sorted(times)
    best = min(shares, key=lambda s: times[s]["time"].mean())
    return picture(
        figure,
        f"Steps to half the test loss: {said(times[0.0]['time'], '.0f')} without celebrities, "
        f"{said(times[best]['time'], '.0f')} at a share of {best:g}, {said(times[shares[-1]]['time'], '.0f')} at "
        f"{shares[-1]:g}. With attention given it grows from {said(given[0.0]['time'], '.0f')} to "
        f"{said(given[max(given)]['time'], '.0f')}.",
    )


def nearest(queries: Array, candidates: Array) -> NDArray[np.intp]:
    """Index of the candidate with the largest cosine to each query."""
    return np.argmax(queries @ (candidates / np.linalg.norm(candidates, axis=1, keepdims=True)).T, axis=1)


@demonstration()
def episodic(*, seed: int, pairs: int = 200, d: int = 256, cue_noise: float = 0.0) -> Result:
    """Learn the pairs forwards, ask them forwards and backwards.

    Args:
        seed: of the pairs and the cues.
        pairs: number of pairs. d: dimension of either side.
        cue_noise: standard deviation of noise added to the cue, relative to the cue.

    Returns:
        Shares of right answers: ``forward`` and ``backward`` through the trained map, ``episodic`` (backwards, by
        stored episodes), ``transposed`` (backwards, through the transposed map); ``chance``.
    """
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, pairs, d))
    trained = np.linalg.lstsq(a, b, rcond=None)[0]
    asked_a, asked_b = (side + cue_noise * rng.normal(size=side.shape) for side in (a, b))
    right = np.arange(pairs)
    return {
        "forward": np.mean(nearest(asked_a @ trained, b) == right),
        "backward": np.mean(nearest(asked_b @ trained, a) == right),
        "episodic": np.mean(nearest(asked_b, b) == right),
        "transposed": np.mean(nearest(asked_b @ trained.T, a) == right),
        "chance": 1 / pairs,
    }


@effect("demo-episodic", "Stored episodes answer questions that training never asked", functions=(f"{HERE}.episodic",))
def episodes_reused(against: str = "backward") -> Found:
    """Right answers by stored episodes less those of the trained map, three seeds."""
    runs = repeat(episodic, 3)
    more = (runs["episodic"] - runs[against]).mean()
    return at_least(f"share of right answers, by episodes less {against} through the weights", more, 0.5)


episodes_reused.breaks("asked in the trained direction", against="forward")
episodes_reused.breaks("the same weights, transposed", against="transposed")


def fig_episodic(runs: Numbers) -> Picture:
    """Share of right answers in both directions, by three ways of asking."""
    figure, ax = subplots(size=(6.0, 2.9))
    keys = ("forward", "backward", "episodic", "transposed")
    means, sds = [runs[k].mean() for k in keys], [runs[k].std(ddof=1) for k in keys]
    ax.bar(range(4), means, yerr=sds, color=(GREY, ORANGE, BLUE, PURPLE), width=0.6)
    ax.set_xticks(
        range(4), ["forward,\ntrained map", "backward,\ntrained map", "backward,\nepisodes", "backward,\ntransposed"]
    )
    ax.set(ylabel="right answers", ylim=(0, 1.08))
    for at, height in enumerate(means):
        ax.text(at, height + 0.02, f"{height:.3f}", ha="center", fontsize=8)
    return picture(
        figure,
        f"Right answers: forward {said(runs['forward'])}; backward through the trained map "
        f"{said(runs['backward'], '.3f')} (chance {runs['chance'].mean():.3f}), by stored episodes "
        f"{said(runs['episodic'])}, through the transposed map {said(runs['transposed'])}.",
    )


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


@effect(
    "demo-irrelevant",
    "One example of a cluster has to be kept whole, irrelevant bits included",
    functions=(f"{HERE}.irrelevant",),
)
def forgetting_costs(per_cluster: int = 1) -> Found:
    """Accuracy with whole examples less with the best two fifths of their bits, three seeds."""
    two_fifths, whole = mean(irrelevant, "informed", 3, per_cluster=per_cluster, kept=(0.4, 1.0))
    return at_least("accuracy with whole examples less with the best two fifths", whole - two_fifths, 0.25)


forgetting_costs.breaks("four examples of each cluster", per_cluster=4)


def fig_irrelevant(runs: Mapping[int, Numbers], kept: Sequence[float]) -> Picture:
    """Accuracy against the share of each example kept, for one and for several examples a cluster."""
    counts = sorted(runs)
    figure, axes = subplots(1, len(counts), size=(8.4, 3.0), sharey=True)
    for ax, count in zip(axes, counts, strict=True):
        around(ax, kept, runs[count]["random"], color=ORANGE, label="arbitrary bits", marker="o")
        around(ax, kept, runs[count]["informed"], color=BLUE, label="bits that agree first", marker="s", ls="--")
        ax.axvline(runs[count]["relevant"].mean(), color=GREY, ls=":", lw=1.2)
        ax.set(xlabel="share of bits kept", title=f"{count} example{'s' * (count > 1)} a cluster", ylim=(0, 1.03))
    axes[0].set_ylabel("accuracy")
    axes[0].legend(loc="upper left")
    at = list(kept).index(0.4)
    return picture(
        figure,
        "Accuracy with the best 40% of the bits and with all: "
        + "; ".join(
            f"{said(runs[c]['informed'][:, at])} and {said(runs[c]['informed'][:, -1])} with {c} per cluster"
            for c in counts
        )
        + f". {runs[counts[0]]['relevant'].mean():.0%} of the bits are relevant.",
    )


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


@effect(
    "demo-size-bounds",
    "A bound that counts weights punishes width although the test error falls",
    functions=(
        f"{HERE}.size_bounds",
        f"{HERE}.occam",
    ),
)
def size_punished(subspace: int | None = None) -> list[Found]:
    """Bound and test error of 64 units against 4, two seeds."""
    small, large = (repeat(size_bounds, 2, width=width, subspace=subspace, epochs=12) for width in (4, 64))
    return [
        at_least("bound at 64 units over that at 4", large["bound"].mean() / small["bound"].mean(), 1.5),
        at_most("test error at 64 units over that at 4", large["test"].mean() / small["test"].mean(), 1),
    ]


size_punished.breaks("training in 60 random directions", subspace=60)


def fig_bounds(full: Mapping[int, Numbers], subspace: Mapping[int, Numbers]) -> Picture:
    """Test error and its bound against width, when all weights or 60 directions are trained."""
    figure, axes = subplots(1, 2, size=(8.4, 3.3), sharey=True)
    for ax, runs, title in ((axes[0], full, "Every weight written down"), (axes[1], subspace, "60 directions")):
        widths = sorted(runs)
        for key, color, label in (("bound", RED, "bound"), ("test", BLUE, "test error")):
            stacked = by(runs, key)
            around(ax, widths, stacked, color=color, marker="o", label=label)
        ax.axhline(1, color=GREY, ls=":", lw=1)
        ax.set(xscale="log", yscale="log", xlabel="hidden units", title=title, ylim=(0.02, 3))
        ax.set_xticks(widths, [str(w) for w in widths])
        ax.minorticks_off()
    axes[1].legend(loc="lower left")
    small, large = min(full), max(full)
    return picture(
        figure,
        f"All weights: from {small} to {large} units the bound rises from {said(full[small]['bound'])} to "
        f"{said(full[large]['bound'])} while the test error falls from {said(full[small]['test'], '.3f')} to "
        f"{said(full[large]['test'], '.3f')}. Sixty directions: bound {said(subspace[small]['bound'])} to "
        f"{said(subspace[large]['bound'])}, test error {said(subspace[small]['test'], '.3f')} to "
        f"{said(subspace[large]['test'], '.3f')}.",
    )


def distances(a: Array, b: Array) -> Array:
    """Squared distances between the rows of ``a`` and ``b``."""
    squares = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1) - 2 * a @ b.T
    return np.asarray(np.maximum(squares, 0.0))


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


def draw_range(ax: Any, x: Sequence[float], values: Array, **line: Any) -> None:
    """Median over seeds with a band from the smallest to the largest."""
    band(ax, x, np.median(values, axis=0), values.min(axis=0), values.max(axis=0), marker="o", **line)


def fig_handover(results: Numbers, *, similar: float = 1.0, pair: int = 2) -> Picture:
    """Error against the number of rare features combined, and against the width of the kernel for pairs.

    Lines are medians over seeds, bands go from the smallest to the largest.
    """
    numbers = list(range(results["linear"].shape[1]))
    figure, (left, right) = subplots(1, 2, size=(8.6, 3.6))
    kernel = results["kernel"][:, WIDTHS.index(similar)]
    for values, color, label in (
        (results["zero"], GREY, "predicting 0"),
        (kernel, PURPLE, f"Gaussian kernel, width {similar:g}"),
        (results["neighbour"], ORANGE, "nearest neighbour"),
        (results["linear"], BLUE, "minimum norm"),
    ):
        draw_range(left, numbers, values, color=color, label=label)
    left.set(yscale="log", xlabel="rare features combined", ylabel="test error", ylim=(2e-5, 10))
    left.set(title="Each of them seen once")
    left.set_xticks(numbers)
    left.legend(fontsize=8, loc="lower right")
    draw_range(right, WIDTHS, results["kernel"][:, :, pair], color=PURPLE)
    for key, color, label, at, side in (
        ("neighbour", ORANGE, "nearest neighbour", WIDTHS[-1], "right"),
        ("linear", BLUE, "minimum norm", WIDTHS[0], "left"),
    ):
        level = float(np.median(results[key][:, pair]))
        right.axhline(level, color=color, lw=1.4, ls="--")
        right.text(at, level * 1.15, label, color=color, fontsize=8, ha=side)
    right.set(xscale="log", yscale="log", xlabel="width of the kernel", title=f"{pair} rare features", ylim=(1e-3, 10))
    neighbour, narrow, linear, zero, wide = (
        float(np.median(values[:, pair]))
        for values in (results["neighbour"], kernel, results["linear"], results["zero"], results["kernel"][:, -1])
    )
    return picture(
        figure,
        f"Median error on fresh rows with {pair} rare features seen once each: predicting zero {zero:.2f}, Gaussian "
        f"kernel of width {similar:g} {narrow:.2f}, nearest neighbour {neighbour:.2f}, minimum norm {linear:.4f}. As "
        f"its width grows to {WIDTHS[-1]:g} the kernel's error falls to {wide:.4f}.",
    )
