"""The room of *Memorization, measured*: scores from the stored rows, and the figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared.style import GREY, INK, Picture, picture, subplots
from companion.neural.tasks import ONE_SHOTS
from companion.runner.results import Result

if TYPE_CHECKING:
    pass
from book.shared.networks import COLOURS, NAMES


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
