"""Drawings of the networks' chapters: triples, Table 1, and the one-shot images one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, Picture, picture, subplots
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from companion.neural.tasks import Task, Triples

NAMES = {"sum": "Sum", "linear": "Linear", "2-layer": "2-layer", "cross-channel": "Cross-channel"}
COLOURS = {"sum": BLUE, "linear": GREEN, "2-layer": PURPLE, "cross-channel": ORANGE}


def triples(task: Task) -> Picture:
    """Three training triples, one with a one-shot glyph, and a test triple made of two glyphs."""
    from matplotlib.patches import Rectangle

    ordinary = np.setdiff1d(np.arange(len(task.train)), task.one_shot_rows)[:2]
    holder = task.one_shot_rows[1]
    shown: list[tuple[str, Triples, int]] = [
        ("training", task.train, int(ordinary[0])),
        ("training", task.train, int(ordinary[1])),
        ("training, one glyph", task.train, int(holder)),
        ("test, two glyphs", task.tests["composition"], 0),
    ]
    figure, axes = subplots(3, 4, size=(6.4, 5.0))
    for column, (title, source, row) in enumerate(shown):
        for channel in range(3):
            ax = axes[channel, column]
            ax.imshow(task.bank[source.index[row, channel]], cmap="gray", interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            for spine in ax.spines.values():
                spine.set_visible(False)
            if source.index[row, channel] >= len(task.bank) - len(task.glyphs):
                ax.add_patch(Rectangle((-0.5, -0.5), 28, 28, fill=False, ec=ORANGE, lw=3))
        axes[0, column].set_title(title, fontsize=9.5)
        axes[2, column].set_xlabel(" + ".join(map(str, source.labels[row])) + f" = {source.target[row]:g}")
    words = "; ".join(f"{t}: {' + '.join(map(str, s.labels[r]))} = {s.target[r]:g}" for t, s, r in shown)
    return picture(figure, f"Four triples of 28 by 28 images, one column each, glyphs framed in orange. {words}.")


def glyphs(task: Task) -> Picture:
    """The ten one-shot images with their labels."""
    figure, axes = subplots(1, 10, size=(7.2, 1.1))
    for label, (ax, image) in enumerate(zip(axes, task.glyphs, strict=True)):
        ax.imshow(image, cmap="gray", interpolation="nearest")
        ax.set(xticks=[], yticks=[], xlabel=str(label))
        ax.grid(False)
    return picture(figure, "The ten one-shot glyphs, white strokes on black, labelled 0 to 9 from left to right.")


def frequencies(zipf_exponent: float, train: int = 4000) -> Picture:
    """How many of the training triples hold each digit at least once, on average, under the Zipf law."""
    from companion.neural.tasks import zipf

    expected = train * (1 - (1 - zipf(zipf_exponent)) ** 3)
    figure, ax = subplots(size=(6.0, 2.8))
    ax.bar(range(10), expected, color=BLUE, alpha=0.75)
    ax.bar(10.3, 1, color=ORANGE)
    for x, height in enumerate(expected):
        ax.annotate(f"{height:,.0f}", (x, height), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    ax.annotate("1", (10.3, 1), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    ax.set(yscale="log", ylim=(0.7, 3 * train), ylabel="training triples", xlabel="digit")
    ax.set_xticks([*range(10), 10.3], [*map(str, range(10)), "a glyph"])
    return picture(
        figure,
        f"Of {train:,} training triples at Zipf exponent {zipf_exponent:g}, {expected[0]:,.0f} hold a 0, "
        f"{expected[4]:,.0f} a 4, {expected[9]:,.0f} a 9 (logarithmic axis), and one holds a given glyph.",
    )


def table1(result: Result) -> Picture:
    """Training, in-distribution and composition loss of every model and seed, without and with weight decay."""
    panels = (
        ("train", "training"),
        ("one_shot_train", "training, glyph triples"),
        ("in_distribution", "in distribution"),
        ("composition", "two glyphs (new pair)"),
    )
    decays = sorted({group["weight_decay"] for group in result.summary})
    models = [m for m in NAMES if result.where(model=m)]
    figure, axes = subplots(1, len(panels), size=(8.6, 3.2), sharey=True)
    for ax, (key, title) in zip(axes, panels, strict=True):
        for decay, marker, shift in zip(decays, "os", (-0.16, 0.16), strict=False):
            for x, model in enumerate(models):
                _seeds(ax, result, model, decay, key, x + shift, marker)
        ax.set(title=title, yscale="log")
        ax.set_xticks(range(len(models)), [NAMES[m] for m in models], rotation=40, ha="right")
    constant = float(np.mean([row["baseline_best_constant"] for row in result.rows]))
    digit = float(np.mean([row["baseline_reads_digit_best"] for row in result.rows]))
    for height, words, style in ((constant, "best\nconstant", "--"), (digit, "reads\nthe digit", ":")):
        axes[-1].axhline(height, color=GREY, lw=1, ls=style)
        above = height == max(constant, digit)
        axes[-1].annotate(
            words, (1.02, height), xycoords=("axes fraction", "data"), va="bottom" if above else "top", fontsize=8
        )
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter("")
    for decay, marker in zip(decays, "os", strict=False):
        axes[0].plot([], [], marker, color=INK, mfc="none" if decay else INK, ls="none", label=f"decay {decay:g}")
    axes[0].legend(loc="upper left")
    axes[0].set_ylabel("mean squared error")
    means = "; ".join(
        f"{NAMES[m]} {_mean(result, m, decays[0]):.2f} without decay, {_mean(result, m, decays[-1]):.2f} with"
        for m in models
    )
    return picture(
        figure,
        f"Losses on a logarithmic axis, one mark a seed, bars the mean. On two glyphs: {means}; "
        f"the best constant has {constant:.1f}.",
    )


def slope(result: Result, model: str, decay: float) -> float:
    """Least-squares slope of a glyph's signed error beside new digits on its label, over glyphs and seeds.

    0: every label is read; -1: all glyphs are taken for the same digit.
    """
    labels, errors = _errors(result, model, decay)
    return float(np.polyfit(labels, errors, 1)[0])


def one_shots(result: Result) -> Picture:
    """Left: signed error of each glyph beside new digits. Right: its square against the loss of its new pairs (Sum)."""
    from companion.neural.tasks import zipf

    decays = sorted({group["weight_decay"] for group in result.summary})
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.5))
    for model, shift in (("sum", -0.12), ("2-layer", 0.0), ("cross-channel", 0.12)):
        labels, errors = _errors(result, model, decays[0])
        left.plot(labels + shift, errors, "o", color=COLOURS[model], alpha=0.75, label=NAMES[model])
    digits = np.arange(10)
    average = float(zipf(result.settings["zipf_exponent"]) @ digits)
    left.plot(digits, average - digits, color=INK, lw=1, ls="--")
    left.annotate("taken for an\naverage digit", (7.2, -4.8), (4.2, -6.9), fontsize=8)
    left.set(xlabel="label of the glyph", ylabel="mean signed error beside new digits", title="No decay")
    left.set_xticks(digits)
    left.legend(loc="upper right")

    words = []
    for decay, color in zip(decays, (BLUE, RED), strict=False):
        rows = result.select(model="sum", weight_decay=decay)
        own = np.array([[row[f"new_{g}"] ** 2 for g in range(10)] for row in rows])
        pairs = np.array([[row[f"pairs_{g}"] for g in range(10)] for row in rows])
        right.plot(own.ravel(), pairs.ravel(), "o", color=color, alpha=0.7, label=f"decay {decay:g}")
        words.append(f"{np.corrcoef(own.ravel(), pairs.ravel())[0, 1]:.2f} at decay {decay:g}")
    top = max(line.get_xdata().max() for line in right.lines)
    right.plot([0, top], [0, top], color=INK, lw=1, ls="--")
    right.set(xlabel="square of that error", ylabel="loss on the glyph's new pairs", title="Sum")
    right.legend()
    return picture(
        figure,
        "Left: signed errors of the ten glyphs, one mark a glyph and seed, against their labels; the slope is "
        f"{slope(result, 'sum', decays[0]):.2f} for Sum, {slope(result, '2-layer', decays[0]):.2f} for 2-layer and "
        f"{slope(result, 'cross-channel', decays[0]):.2f} for Cross-channel, where -1 is taking all glyphs for one "
        f"digit. Right: for Sum, the loss on a glyph's pairs rises with its squared error, correlation "
        f"{', '.join(words)}.",
    )


def _errors(result: Result, model: str, decay: float) -> tuple[np.ndarray, np.ndarray]:
    rows = result.select(model=model, weight_decay=decay)
    errors = np.array([[row[f"new_{g}"] for g in range(10)] for row in rows])
    return np.tile(np.arange(10.0), len(rows)), errors.ravel()


def _seeds(ax: Axes, result: Result, model: str, decay: float, key: str, x: float, marker: str) -> None:
    values = [row[key] for row in result.select(model=model, weight_decay=decay)]
    color = COLOURS[model]
    face = "none" if decay else color
    ax.plot([x] * len(values), values, marker, color=color, mfc=face, ms=5, alpha=0.8)
    ax.plot([x - 0.13, x + 0.13], [np.mean(values)] * 2, color=color, lw=1.6)


def _mean(result: Result, model: str, decay: float, key: str = "composition") -> float:
    group: dict[str, Any] = result.one(model=model, weight_decay=decay)
    return float(group[key]["mean"])


def measured(result: Result) -> Picture:
    """Left: memorization score of an average glyph. Right: loss on pairs by how many of the two were in training."""
    from companion.neural.memory import score_by_run

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
