"""The room of *The essay, claim by claim*: transfer, depth, norms, and what is simple for which learner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from book.landscape.memory_models import distances
from book.landscape.recall_models import combinations
from book.landscape.simple_models import INPUTS, complexity
from book.shared import network
from book.shared.seeds import Numbers, Result, demonstration
from book.shared.style import BLUE, COMPOSITION, FRESH, GREY, ORANGE, TRAINING, Picture, picture, subplots, whiskers
from companion.experiments.language import sums_world
from companion.linear import LongTailModel, feature_counts, min_norm, ridge
from companion.runner.results import interval

Array = NDArray[np.float64]
FEW = (10, 20, 40, 80, 160)
READ = {"trained": ("trained on other tasks", BLUE), "untrained": ("the same before training", GREY),
        "inputs": ("the inputs themselves", ORANGE)}  # fmt: skip
DEPTHS = (1, 2, 4, 8)
DECAYS = (0.0, 0.1, 0.3, 1.0, 3.0)
LEARNERS = {
    "number": "additive, a number, squared error",
    "squares": "additive, a score for each total, squared error",
    "entropy": "additive, a score for each total, cross-entropy",
    "similar": "by similarity, a number, squared error",
}


def over(values: Any) -> dict[str, float]:
    """Mean and 95% interval over seeds."""
    return interval([float(value) for value in np.ravel(values)])


@demonstration()
def transfer(*, seed: int, related: bool = True, tasks: int = 16, few: tuple[int, ...] = FEW, d: int = 30) -> Result:
    """A network learns `tasks` signs of linear maps of three directions of the input; then comes one task more.

    The new one is a sign of the same three directions (`related`) or of three others. A ridge read-out learns it from
    `few` examples. Returns its accuracy on fresh inputs, an array over `few`, from each of `READ`; "old": the
    network's own on the first of its tasks.
    """
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.normal(size=(d, 6)))[0]
    used, new = frame[:, :3], frame[:, :3] if related else frame[:, 3:]
    x, old, task = rng.normal(size=(1500, d)), rng.normal(size=(3, tasks)), rng.normal(size=3)
    layers = network.initial([d, 64, tasks], rng=rng)
    before = [layers[0][0].copy(), layers[0][1].copy()]
    for _ in network.train(layers, x, np.sign(x @ used @ old), rng=rng, epochs=25, batch=50, lr=0.003, adam=True):
        pass
    shown, fresh = rng.normal(size=(max(few), d)), rng.normal(size=(2000, d))
    given: dict[str, Callable[[Array], Array]] = {
        "trained": lambda z: np.maximum(z @ layers[0][0] + layers[0][1], 0),
        "untrained": lambda z: np.maximum(z @ before[0] + before[1], 0),
        "inputs": lambda z: z,
    }
    found: Result = {"old": np.mean(np.sign(network.output(layers, fresh)[:, 0]) == np.sign(fresh @ used @ old[:, 0]))}
    for name, read in given.items():
        right = []
        for count in few:
            seen, asked = read(shown[:count]), read(fresh)
            middle, size = seen.mean(0), seen.std()
            seen, asked = ((values - middle) / size for values in (seen, asked))
            answer = np.sign(shown[:count] @ new @ task)
            weights = seen.T @ np.linalg.solve(seen @ seen.T + 0.1 * count * np.eye(count), answer - answer.mean())
            right.append(np.mean(np.sign(asked @ weights + answer.mean()) == np.sign(fresh @ new @ task)))
        found[name] = np.array(right)
    return found


def fig_transfer(same: Numbers, other: Numbers) -> Picture:
    """Accuracy on a new task against the number of its examples, by what the read-out is given."""
    figure, axes = subplots(1, 2, size=(8.2, 3.4), sharey=True)
    words = []
    for ax, runs, title in zip(
        axes, (same, other), ("The new task uses the old directions", "It uses others"), strict=True
    ):
        for key, (label, color) in READ.items():
            stats = [over(runs[key][:, i]) for i in range(len(FEW))]
            whiskers(ax, range(len(FEW)), stats, color=color, label=label, fmt="-o", capsize=2)
            words.append(f"{title}, {label}: " + ", ".join(f"{s['mean']:.2f}" for s in stats))
        ax.axhline(0.5, color=GREY, linestyle=":", linewidth=1)
        ax.set_xticks(range(len(FEW)), [str(count) for count in FEW])
        ax.set(title=title, xlabel="examples of the new task")
    axes[0].set_ylabel("right on fresh inputs")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return picture(figure, f"Accuracy with {', '.join(map(str, FEW))} examples: {'; '.join(words)}.")


@demonstration(activation=("relu", "tanh"))
def depth(*, seed: int, hidden: int = 2, count: int = 500, weight: float = 1.4, activation: str = "relu") -> Result:
    """Random networks 5-40-...-40-1 with `hidden` hidden layers: what functions of five bits they compute.

    Weights and biases as in :func:`book.landscape.simple_models.tables`. Returns the mean Lempel-Ziv complexity of the
    truth tables, "all" and "balanced" (12 to 20 ones of 32), and the share that is "constant".
    """
    rng = np.random.default_rng(seed)
    state = np.broadcast_to(INPUTS, (count, *INPUTS.shape)).astype(np.float32)
    for layer, size in enumerate((*[40] * hidden, 1)):
        if layer:
            state = np.maximum(state, 0) if activation == "relu" else np.tanh(state)
        w = rng.normal(scale=weight / np.sqrt(state.shape[-1]), size=(count, state.shape[-1], size))
        state = state @ w.astype(np.float32) + rng.normal(scale=0.3, size=(count, 1, size)).astype(np.float32)
    truth = state[:, :, 0] > 0
    ones, words = truth.sum(1), np.array([complexity(table) for table in truth])
    return {
        "all": words.mean(),
        "balanced": words[(ones >= 12) & (ones <= 20)].mean(),
        "constant": np.mean((ones == 0) | (ones == 32)),
    }


@demonstration()
def norms(*, seed: int, decay: float = 0.0, errors: bool = False) -> Result:
    """The linear model with weight decay `decay` / n: norm of the solution, and what it is worth.

    400 rows, 4,000 features of a long tail. With `errors`, the value of every feature that is seen once is zero, and
    what its row says of it is wrong by as much as a true value would be. Returns "norm", and mean squared errors in
    "training", on fresh "pairs" of once-seen features, and on rows with "common" features only.
    """
    rng = np.random.default_rng(seed)
    model = LongTailModel(n=400, d=4000, s=5.0, alpha=2.0, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=rng)
    once = np.flatnonzero(feature_counts(sample.X) == 1)
    once = once[once >= model.k]
    truth = model.beta.copy()
    if errors:
        truth[once] = 0.0  # the labels stay as they are
    beta = min_norm(sample.X, sample.y) if decay == 0 else ridge(sample.X, sample.y, decay / model.n)
    rows = {name: combinations(model, once, count, 200, rng) for name, count in (("common", 0), ("pairs", 2))}
    return {
        "norm": np.linalg.norm(beta),
        "training": np.mean((sample.X @ beta - sample.y) ** 2),
        **{name: np.mean((z @ (beta - truth)) ** 2) for name, z in rows.items()},
    }


@demonstration()
def objectives(*, seed: int, width: float = 1.0) -> Result:
    """The text of prices, learned by four learners that differ in architecture or in objective (`LEARNERS`).

    Three add up what each good contributes: to one number, or to a score for each total of which the largest is said.
    The fourth says a number by similarity to sentences, a Gaussian kernel of `width`. Squared errors are interpolated
    with the smallest norm; cross-entropy has no smallest fit, and gets 300 steps of L-BFGS from zero. Returns, for each
    learner, the shares of right totals: memorized, rule, one rare good, two rare goods.
    """
    from scipy.optimize import minimize

    world = sums_world((seed, 22))
    goods = len(np.unique(world.text[:, :2]))
    totals = world.words - goods
    seen, total = bags(world.text, goods), world.text[:, 2] - goods
    named = np.eye(totals)[total]

    def loss(flat: Array) -> tuple[float, Array]:
        scores = seen @ flat.reshape(goods, totals)
        scores -= scores.max(1, keepdims=True)
        chance = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        return float(-np.log(chance[named > 0]).mean()), (seen.T @ (chance - named)).ravel() / len(seen)

    entropy = minimize(loss, np.zeros(goods * totals), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    near = np.exp(-distances(seen, seen) / (2 * width**2))
    alike = np.linalg.solve(near + 1e-9 * np.eye(len(seen)), total - total.mean())
    each, scored = min_norm(seen, total.astype(float)), np.linalg.pinv(seen) @ named
    said: dict[str, Callable[[Array], Array]] = {
        "number": lambda z: np.round(z @ each),
        "squares": lambda z: (z @ scored).argmax(1),
        "entropy": lambda z: (z @ entropy.reshape(goods, totals)).argmax(1),
        "similar": lambda z: np.round(np.exp(-distances(z, seen) / (2 * width**2)) @ alike + total.mean()),
    }
    asked = [world.asked[kind] for kind in ("memorized", "rule", "one", "two")]
    return {
        name: np.array([np.mean(answer(bags(pairs, goods)) == pairs[:, 2] - goods) for pairs in asked])
        for name, answer in said.items()
    }


def bags(sentences: NDArray[np.intp], goods: int) -> Array:
    """How often each good stands in the first two places: (sentences, goods)."""
    return np.eye(goods)[sentences[:, 0]] + np.eye(goods)[sentences[:, 1]]


def fig_norms(runs: Mapping[float, Numbers], wrong: Mapping[float, Numbers]) -> Picture:
    """Error on pairs of once-seen features against the norm of the solution, at each weight decay."""
    figure, axes = subplots(1, 2, size=(8.2, 3.4), sharex=True)
    words = []
    titles = ("Rare features are true", "Rare features are errors")
    for ax, found, title in zip(axes, (runs, wrong), titles, strict=True):
        at: Sequence[float] = [float(found[decay]["norm"].mean()) for decay in found]
        for key, color in (("training", TRAINING), ("common", FRESH), ("pairs", COMPOSITION)):
            stats = [over(found[decay][key]) for decay in found]
            whiskers(ax, at, stats, color=color, label=key, fmt="-o", capsize=2)
            words.append(f"{title}, {key}: " + ", ".join(f"{s['mean']:.2g}" for s in stats))
        ax.set(title=title, xlabel="norm of the solution")
    axes[0].set_ylabel("mean squared error")
    axes[0].legend(loc="upper right")
    return picture(figure, f"Errors from weight decay 0 (largest norm) on: {'; '.join(words)}.")
