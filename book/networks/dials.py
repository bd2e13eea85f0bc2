"""The room of *What forgetting does to scores and to pairs*: scores from the stored rows, and the figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import t as student

from book.shared.networks import COLOURS, NAMES, factor, loss
from book.shared.style import COMPOSITION, FRESH, GREY, INK, ONCE, TRAINING, Picture, picture, subplots
from companion.neural.tasks import ONE_SHOTS
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The colours of the linear twin: training, in distribution, composition; and the one-shots' own triples.
CURVES = {
    "train": ("training", TRAINING),
    "in_distribution": ("in distribution", FRESH),
    "one_shot_train": ("training, glyph triples", ONCE),
    "composition": ("two glyphs", COMPOSITION),
}


def correct_and_kept(rows: Sequence[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Which glyph triples were predicted correctly and which glyphs were in training, both (t, 10) bool.

    `rows` are those of one cell; t is the number of runs. The shapes are what
    `companion.memorization.memorization_scores` takes.
    """
    seeds = sorted({row["seed"] for row in rows})
    correct, included = np.zeros((2, len(seeds), ONE_SHOTS), dtype=bool)
    for row in rows:
        if row["kind"] == "glyph":
            correct[seeds.index(row["seed"]), row["item"]] = row["correct"] > 0.5
            included[seeds.index(row["seed"]), row["item"]] = row["kept"] == 1
    return correct, included


def score_by_run(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """(t,) the memorization score of an average glyph, estimated from each run alone; runs are independent.

    Every run keeps the same number of glyphs, so the mean over runs is unbiased for the mean score of the ten.
    """
    correct, included = correct_and_kept(rows)
    inside, outside = ((correct & part).sum(axis=1) / part.sum(axis=1) for part in (included, ~included))
    return np.asarray(inside - outside)


def fig_measured(result: Result) -> Picture:
    """Left: memorization score of an average glyph. Right: loss on pairs by how many of the two were in training."""
    cells = sorted({(g["model"], g["weight_decay"]) for g in result.summary}, key=lambda c: (c[0] != "sum", c[1]))
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.3), width_ratios=(1, 1.3))
    words = []
    for x, (model, decay) in enumerate(cells):
        scores = score_by_run(result.select(model=model, weight_decay=decay))
        color, face = COLOURS[model], "none" if decay else COLOURS[model]
        values, runs = np.unique(scores.round(6), return_counts=True)  # few: each run keeps five glyphs
        left.scatter(np.full(len(values), x), values, 420 * runs / len(scores), edgecolors=color, facecolors=face)
        left.plot([x - 0.32, x + 0.32], [scores.mean()] * 2, color=INK, lw=2)
        groups = [result.one(model=model, weight_decay=decay, kind="pair", kept=k)["square"] for k in (0, 1, 2)]
        mean, low, high = (np.array([g[key] for g in groups]) for key in ("mean", "low", "high"))
        low = np.maximum(low, 0)  # a squared error is never below
        right.errorbar(
            np.arange(3) + 0.05 * (x - 1.5),
            mean,
            yerr=[mean - low, high - mean],
            color=color,
            marker="s" if decay else "o",
            mfc=face,
            ls="--" if decay else "-",
            capsize=3,
            label=f"{NAMES[model]}, decay {decay:g}",
        )
        words.append(
            f"{NAMES[model]} at decay {decay:g}: score {scores.mean():.2f}, "
            f"pairs {mean[0]:.1f}, {mean[1]:.1f}, {mean[2]:.1f}"
        )
    left.axhline(0, color=GREY, lw=0.8)
    left.set_xticks(range(len(cells)), [f"{NAMES[m]}\n{d:g}".replace("-", "-\n") for m, d in cells], fontsize=8)
    left.set(ylabel="memorization score", ylim=(-0.45, 1.15), xlim=(-0.5, len(cells) - 0.5))
    right.set(xlabel="glyphs of the pair that were in training", ylabel="mean squared error", ylim=(0, None))
    right.set_xticks([0, 1, 2])
    right.legend(fontsize=8)
    return picture(
        figure,
        "Memorization score of an average glyph, and loss on pairs with none, one and both glyphs in training. "
        f"{'; '.join(words)}.",
    )


def fig_dials(decay: Result, epochs: Result, model: str = "sum") -> Picture:
    """Four losses of one model along weight decay (left) and along training without decay (right)."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.9), sharey=True)
    decays = values_of(decay, "weight_decay", model=model)
    along(left, decay, {"model": model}, "weight_decay", decays, range(len(decays)))
    left.set_xticks(range(len(decays)), [f"{wd:g}" for wd in decays])
    passed = values_of(epochs, "epoch", model=model, weight_decay=0.0)
    along(right, epochs, {"model": model, "weight_decay": 0.0}, "epoch", passed, passed)
    left.set(xlabel="weight decay", ylabel="mean squared error", yscale="log", title="After training")
    right.set(xlabel="epochs", title="Along training, no decay")
    left.yaxis.set_major_formatter("{x:g}")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    words = words_of(decay, *({"model": model, "weight_decay": wd} for wd in (decays[0], decays[-1])))
    trained = words_of(epochs, *({"model": model, "weight_decay": 0.0, "epoch": e} for e in (passed[0], passed[-1])))
    return picture(
        figure,
        f"Losses of {NAMES[model]} on a logarithmic axis, geometric means with 95% intervals, each seed a mark. From "
        f"decay {decays[0]:g} to {decays[-1]:g}: {words}. From epoch {passed[0]} to {passed[-1]}: {trained}.",
    )


def fig_training(epochs: Result) -> Picture:
    """The same four losses along training, a panel for each model and weight decay."""
    cells = sorted({(g["model"], g["weight_decay"]) for g in epochs.summary}, key=lambda c: (c[0] != "sum", *c))
    figure, axes = subplots(1, len(cells), size=(max(4.4, 2.25 * len(cells)), 3.4), sharey=True, squeeze=False)
    words = []
    for ax, (model, wd) in zip(axes[0], cells, strict=True):
        keys = {"model": model, "weight_decay": wd}
        passed = values_of(epochs, "epoch", **keys)
        along(ax, epochs, keys, "epoch", passed, passed)
        ax.set(title=f"{NAMES[model]}, decay {wd:g}", xlabel="epochs", yscale="log")
        ends = (f"{CURVES[key][0]} {loss(epochs, key, **keys, epoch=passed[-1])['mean']:.2g}" for key in CURVES)
        words.append(f"{NAMES[model]}, decay {wd:g}: " + ", ".join(ends))
    axes[0, 0].set_ylabel("mean squared error")
    axes[0, 0].yaxis.set_major_formatter("{x:g}")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return picture(
        figure,
        "Losses along training on a logarithmic axis, geometric means with 95% intervals and one mark for each seed; "
        f"at the end: {'; '.join(words)}.",
    )


def fig_course(rows: Sequence[Mapping[str, Any]]) -> Picture:
    """One training run: the four losses after each measured epoch."""
    figure, ax = subplots(size=(6.4, 3.3))
    for key, (name, color) in CURVES.items():
        ax.plot([r["epoch"] for r in rows], [r[key] for r in rows], "-o", color=color, label=name)
    ax.set(yscale="log", xlabel="epochs", ylabel="mean squared error")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")
    words = ", ".join(f"{CURVES[k][0]} {rows[0][k]:.2g} to {rows[-1][k]:.2g}" for k in CURVES)
    return picture(figure, f"Losses along one training run, epoch {rows[0]['epoch']} to {rows[-1]['epoch']}: {words}.")


def base(result: Result) -> dict[str, Any]:
    """The cell of the experiment `dials` in which no dial is turned but the dose of decay."""
    return {key: result.settings[key] for key in ("hidden", "epochs", "triples")}


def drawn(result: Result, key: str, hidden: int, dose: float) -> np.ndarray:
    """(draws, initializations, orders) logarithms of a loss, from the experiment `spread`."""
    shape = [
        len(values) for values in (result.seeds, *(values_of_rows(result, n) for n in ("initialization", "order")))
    ]
    logs = np.full(shape, np.nan)
    for row in result.select(hidden=hidden, dose=dose):
        logs[result.seeds.index(row["seed"]), row["initialization"], row["order"]] = math.log(row[key])
    return logs


def dosed(result: Result, key: str, hidden: int) -> dict[float, dict[str, float]]:
    """What each dose multiplies a loss by, against the same draws and starts without decay: dose -> factor.

    The draw is the unit; its starts are averaged (logarithms).
    """
    none = drawn(result, key, hidden, 0.0)
    doses = [dose for dose in values_of(result, "dose", hidden=hidden) if dose > 0]
    return {d: factor(np.exp((drawn(result, key, hidden, d) - none).mean((1, 2)))) for d in doses}


SOURCES = ("glyphs", "initialization", "order", "both")


def components(logs: np.ndarray) -> np.ndarray:
    """(4,) variances of a value that a draw, an initialization, an order and both together share: unbiased.

    `logs`: (draws, initializations, orders), with initializations and orders anew in each draw. From the mean squares
    of the analysis of variance, so that a small one can come out below 0.

    >>> steps = np.array([0.0, 1.0, 2.0])
    >>> components(np.array([[steps, steps], [steps, steps]]).swapaxes(1, 2))  # the initialization alone matters
    array([-0.33333333,  1.        ,  0.        ,  0.        ])
    """
    draws, first, second = logs.shape
    of_draw = logs.mean((1, 2), keepdims=True)
    of_first, of_second = logs.mean(2, keepdims=True) - of_draw, logs.mean(1, keepdims=True) - of_draw
    rest = ((logs - of_draw - of_first - of_second) ** 2).sum() / (draws * (first - 1) * (second - 1))
    one = second * (of_first**2).sum() / (draws * (first - 1))
    two = first * (of_second**2).sum() / (draws * (second - 1))
    between = first * second * float(np.var(of_draw, ddof=1))
    return np.array(
        [(between - one - two + rest) / (first * second), (one - rest) / second, (two - rest) / first, rest]
    )


def shares(logs: np.ndarray) -> list[dict[str, float]]:
    """Each of `SOURCES`: its share of the variance of one training, with a 95% interval (jackknife over draws)."""
    draws = len(logs)
    parts = [components(logs), *(components(np.delete(logs, draw, axis=0)) for draw in range(draws))]
    found, *without = (part / part.sum() for part in parts)
    wide = student.ppf(0.975, draws - 1) * math.sqrt(draws - 1) * np.std(without, axis=0)
    return [{"mean": float(m), "low": float(m - w), "high": float(m + w)} for m, w in zip(found, wide, strict=True)]


def cumulative(result: Result, dose: float) -> float:
    """All the decay of a training at this dose: learning rate times decay, added up over its steps."""
    from companion.neural.train import Recipe, learning_rate

    recipe = Recipe(result.settings["epochs"], result.settings["batch"], result.settings["lr"])
    steps = recipe.epochs * math.ceil(result.settings["triples"] / recipe.batch)
    rates = sum(learning_rate(step, steps, recipe) for step in range(steps))
    return dose * recipe.epochs * rates / steps / recipe.lr


def doubled(result: Result, dial: str, key: str) -> dict[str, float]:
    """What doubling a dial multiplies a loss by, without decay: the slope of its logarithm, draw by draw."""
    others = {name: value for name, value in base(result).items() if name != dial} | {"start": 0, "dose": 0.0}
    slopes = []
    for seed in result.seeds:
        rows = result.select(**others, seed=seed)
        at, loss = (np.array([row[name] for row in rows], float) for name in (dial, key))
        slopes.append(np.polyfit(np.log2(at), np.log(loss), 1)[0])
    return factor(np.exp(slopes))


def fig_doses(result: Result, spread: Result) -> Picture:
    """Left: the memorization score against the dose. Right: what the dose does to the losses, at two widths."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.6))
    cell = base(result) | {"start": 0}
    doses = values_of(result, "dose", **cell)
    scores = {cumulative(result, dose): result.one(**cell, dose=dose)["mem"] for dose in doses}
    fine = np.linspace(0, max(scores), 200)
    mean, low, high = (np.array([s[part] for s in scores.values()], float) for part in ("mean", "low", "high"))
    left.errorbar(list(scores), mean, [mean - low, high - mean], fmt="o", color=ONCE, capsize=3, label="small networks")
    left.plot(fine, mean[0] / (1 + fine), "--", color=INK, lw=1.2, label="score without decay / (1 + x)")
    left.set(xlabel="all the decay of a training, x", ylabel="memorization score", ylim=(-0.3, 1.3))
    left.set_xscale("symlog", linthresh=0.3, linscale=0.5)
    left.set_xlim(-0.03, 1.3 * max(scores))
    left.set_xticks([0, *(10.0**k for k in range(3) if 10**k < max(scores))])
    told = []
    for key in ("composition", "one_shot_train", "in_distribution"):
        name, color = CURVES[key]
        for hidden, line in zip(values_of(spread, "hidden"), ("o-", "s:"), strict=True):
            factors = dosed(spread, key, hidden)
            right.plot(list(factors), [f["mean"] for f in factors.values()], line, color=color)
            right.fill_between(
                list(factors), *([f[end] for f in factors.values()] for end in ("low", "high")), color=color, alpha=0.12
            )
            told.append(f"{name}, width {hidden}: " + ", ".join(f"{f['mean']:.3g}" for f in factors.values()))
        right.plot([], [], color=color, label=name)
    for hidden, line in zip(values_of(spread, "hidden"), ("o-", "s:"), strict=True):
        right.plot([], [], line, color=INK, label=f"width {hidden}")
    right.axhline(1, color=INK, lw=0.8)
    right.set(xlabel="dose of decay", ylabel="loss with decay / without", yscale="log")
    right.set_xscale("log")
    for axis in (left.xaxis, right.xaxis, right.yaxis):
        axis.set_major_formatter("{x:g}")
    for ax in (left, right):
        ax.legend(fontsize=8)
    return picture(
        figure,
        "Left: memorization score of a glyph against all the decay x of a training, dashed its start over 1 + x: "
        + ", ".join(f"{s['mean']:.2f} at {x:.2g}" for x, s in scores.items())
        + f". Right: losses with decay over losses without, doses {', '.join(f'{d:g}' for d in factors)}. "
        + "; ".join(told)
        + ".",
    )


def values_of(result: Result, name: str, **keys: Any) -> list[Any]:
    """The values that `name` takes in the summary groups with these keys, rising."""
    return sorted({group[name] for group in result.where(**keys)})


def values_of_rows(result: Result, name: str) -> list[Any]:
    """The values that `name` takes in the rows, rising."""
    return sorted({row[name] for row in result.rows})


def along(ax: Axes, result: Result, keys: Mapping[str, Any], name: str, at: Sequence[Any], x: Sequence[float]) -> None:
    place = dict(zip(at, x, strict=True))
    for key, (label, color) in CURVES.items():
        groups = [loss(result, key, **keys, **{name: value}) for value in at]
        seeds = [(place[row[name]], row[key]) for row in result.select(**keys)]
        mean, low, high = (np.array([g[part] for g in groups]) for part in ("mean", "low", "high"))
        ax.fill_between(list(x), low, high, color=color, alpha=0.16, linewidth=0)
        ax.plot(list(x), mean, color=color, label=label)
        ax.plot(*zip(*seeds, strict=True), "o", color=color, ms=3.2, alpha=0.75)


def words_of(result: Result, first: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    ends = ((loss(result, key, **cell)["mean"] for cell in (first, last)) for key in CURVES)
    return ", ".join(f"{CURVES[key][0]} {a:.2g} to {b:.2g}" for key, (a, b) in zip(CURVES, ends, strict=True))
