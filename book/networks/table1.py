"""The room of *Table 1*: its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared.style import GREY, INK, Picture, picture, subplots
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

from book.shared.networks import COLOURS, NAMES


def fig_table1(result: Result) -> Picture:
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
                seeds(ax, result, model, decay, key, x + shift, marker)
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
        f"{NAMES[m]} {mean(result, m, decays[0]):.2f} without decay, {mean(result, m, decays[-1]):.2f} with"
        for m in models
    )
    return picture(
        figure,
        f"Losses on a logarithmic axis, one mark a seed, bars the mean. On two glyphs: {means}; "
        f"the best constant has {constant:.1f}.",
    )


def seeds(ax: Axes, result: Result, model: str, decay: float, key: str, x: float, marker: str) -> None:
    values = [row[key] for row in result.select(model=model, weight_decay=decay)]
    color = COLOURS[model]
    face = "none" if decay else color
    ax.plot([x] * len(values), values, marker, color=color, mfc=face, ms=5, alpha=0.8)
    ax.plot([x - 0.13, x + 0.13], [np.mean(values)] * 2, color=color, lw=1.6)


def mean(result: Result, model: str, decay: float, key: str = "composition") -> float:
    group: dict[str, Any] = result.one(model=model, weight_decay=decay)
    return float(group[key]["mean"])


def fig_fit_and_compose(result: Result) -> Picture:
    """One mark a training run: loss on the glyphs' training triples against loss on their new pairs."""
    decays = sorted({group["weight_decay"] for group in result.summary})
    figure, ax = subplots(size=(6.2, 4.0))
    for model, name in NAMES.items():
        for decay in decays:
            runs = result.select(model=model, weight_decay=decay)
            x, y = ([row[key] for row in runs] for key in ("one_shot_train", "composition"))
            ax.plot(x, y, "o", color=COLOURS[model], mfc="none" if decay else COLOURS[model], ms=7)
        ax.plot([], [], "o", color=COLOURS[model], label=name)
    ends = np.array([row["one_shot_train"] for row in result.rows])
    line = np.geomspace(0.8 * ends.min(), 1.3 * ends.max(), 50)
    ax.plot(line, 2 * line, "--", color=GREY, lw=1)
    ax.annotate("twice the loss of one", (line[10], 2 * line[10]), (6, -12), textcoords="offset points", fontsize=8)
    constant = float(np.mean([row["baseline_best_constant"] for row in result.rows]))
    ax.axhline(constant, color=GREY, lw=1, ls=":")
    ax.annotate("best constant", (line[0], constant), (0, 3), textcoords="offset points", fontsize=8)
    ax.plot([], [], "o", color=INK, mfc="none", label=f"decay {decays[-1]:g} (open)")
    ax.set(xscale="log", yscale="log", xlabel="loss on the glyphs' training triples", ylabel="loss on new pairs")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="lower right")
    split = [row for row in result.rows if row["model"] != "cross-channel"]
    crossed = [row for row in result.rows if row["model"] == "cross-channel"]
    best, worst = (pick(split, key=lambda row: row["one_shot_train"]) for pick in (min, max))
    return picture(
        figure,
        "Two logarithmic axes, one mark a training run: loss on the glyphs' training triples against loss on their new "
        f"pairs. Split models rise along the line of twice the loss, from {best['one_shot_train']:.2f} and "
        f"{best['composition']:.2f} to {worst['one_shot_train']:.2f} and {worst['composition']:.2f}; cross-channel "
        f"runs lie between {min(r['composition'] for r in crossed):.0f} and "
        f"{max(r['composition'] for r in crossed):.0f} whatever their fit; the best constant has {constant:.0f}.",
    )
