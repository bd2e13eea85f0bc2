"""Drawing of the chapter on the readings of the paper: one encoder or three, glyphs in their own or other channels."""

from __future__ import annotations

import numpy as np

from book.shared.style import GREY, INK, Picture, picture, subplots
from companion.figures.networks import COLOURS, NAMES
from companion.runner.results import Result

#: (encoders, key of the loss) -> what the reading says, in the order of the columns
READINGS = {
    ("shared", "composition"): "one encoder,\nown channels",
    ("shared", "composition_moved"): "one encoder,\nother channels",
    ("separate", "composition"): "three encoders,\nown channels",
    ("separate", "composition_moved"): "three encoders,\nother channels",
}


def losses(result: Result, model: str, reading: tuple[str, str]) -> np.ndarray:
    """(seeds,) losses on pairs of glyphs of one model under one reading, in the order of the stored seeds."""
    encoders, key = reading
    return np.array([row[key] for row in result.select(model=model, encoders=encoders)])


def lines(result: Result) -> dict[str, float]:
    """The two predictors without a network, means over seeds."""
    keys = {"best constant": "baseline_best_constant", "reads the digit": "baseline_reads_digit_best"}
    return {words: float(np.mean([row[key] for row in result.rows])) for words, key in keys.items()}


def readings(result: Result, paper: dict[str, float]) -> Picture:
    """Loss on pairs of glyphs under the four readings; `paper`: the paper's printed loss of each model."""
    models = [m for m in NAMES if result.where(model=m)]
    figure, axes = subplots(1, 4, size=(8.6, 3.3), sharey=True)
    for ax, (reading, words) in zip(axes, READINGS.items(), strict=True):
        for x, model in enumerate(models):
            values = losses(result, model, reading)
            ax.plot(np.full(len(values), x), values, "o", color=COLOURS[model], ms=5, alpha=0.8)
            ax.plot([x - 0.25, x + 0.25], [values.mean()] * 2, color=COLOURS[model], lw=1.8)
            if model in paper:
                ax.plot([x - 0.25, x + 0.25], [paper[model]] * 2, color=INK, lw=1.4, ls=":")
        for height in lines(result).values():
            ax.axhline(height, color=GREY, lw=1, ls="--")
        ax.set(title=words, yscale="log", xlim=(-0.6, len(models) - 0.4))
        ax.set_xticks(range(len(models)), [NAMES[m] for m in models], rotation=30, ha="right")
    for words, height in lines(result).items():
        above = words == "best constant"
        place = (1.02, height)
        axes[-1].annotate(
            words.replace(" ", "\n", 1),
            place,
            xycoords=("axes fraction", "data"),
            va="bottom" if above else "top",
            fontsize=8,
        )
    axes[0].set_ylabel("mean squared error, two glyphs")
    axes[0].yaxis.set_major_formatter("{x:g}")
    if paper:
        axes[0].annotate("paper", (len(models) - 1, paper[models[-1]]), (0, 3), textcoords="offset points", fontsize=8)
    told = "; ".join(
        f"{words.replace(chr(10), ' ')}: "
        + ", ".join(f"{NAMES[m]} {losses(result, m, reading).mean():.2f}" for m in models)
        for reading, words in READINGS.items()
    )
    flat = ", ".join(f"{words} {height:.1f}" for words, height in lines(result).items())
    return picture(
        figure,
        f"Loss on pairs of glyphs under four readings, one mark a seed, bars the mean, logarithmic axis. {told}. "
        f"Dashed: {flat}. Dotted: the paper's, {', '.join(f'{NAMES[m]} {v:.2f}' for m, v in paper.items())}.",
    )
