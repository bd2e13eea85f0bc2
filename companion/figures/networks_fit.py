"""Drawing of Table 1's runs one by one: how well the glyphs were memorized against how well they compose."""

from __future__ import annotations

import numpy as np

from book.shared.style import GREY, INK, Picture, picture, subplots
from companion.figures.networks import COLOURS, NAMES
from companion.runner.results import Result


def fit_and_compose(result: Result) -> Picture:
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
