"""Drawings of the chapter on Figure 2: loss on unseen '9's against how often '9' occurs in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from book.shared.style import GREY, Picture, picture, subplots, whiskers
from companion.figures.networks import COLOURS, NAMES
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COUNTS = ("nines_1", "nines_2", "nines_3")


def frequencies(result: Result) -> list[float]:
    """The probabilities of '9' in training, rising."""
    return sorted({float(group["nine"]) for group in result.summary})


def mean(result: Result, model: str, nine: float, key: str = "nines") -> float:
    """Mean over seeds of a loss."""
    return float(result.one(model=model, nine=nine)[key]["mean"])


def baseline(result: Result) -> float:
    """What the best constant costs on the test triples with '9's, mean over seeds."""
    return float(np.mean([row["baseline_nines"] for row in result.rows]))


def against_frequency(result: Result) -> Picture:
    """Loss on triples with unseen '9's (left) and in distribution (right) along the frequency of '9' in training."""
    often = frequencies(result)
    models = _models(result)
    figure, axes = subplots(1, 2, size=(8.4, 3.6), sharey=True)
    titles = (("nines", "At least one unseen '9'"), ("in_distribution", "Three new digits, as in training"))
    for ax, (key, title) in zip(axes, titles, strict=True):
        for place, model in enumerate(models):
            side = np.array(often) * 1.06 ** (place - (len(models) - 1) / 2)  # beside each other, not on top
            groups = [_within(result.one(model=model, nine=nine)[key]) for nine in often]
            whiskers(ax, side, groups, color=COLOURS[model], fmt="-", lw=1.4, label=NAMES[model])
            for x, nine in zip(side, often, strict=True):
                values = [row[key] for row in result.select(model=model, nine=nine)]
                ax.plot([x] * len(values), values, "o", color=COLOURS[model], ms=3.6, alpha=0.85, mew=0)
        ax.set(xscale="log", yscale="log", title=title, xlabel="probability of '9' in training")
        ax.set_xticks(often, [f"{nine:g}" for nine in often])
        ax.minorticks_off()
    constant = baseline(result)
    axes[0].axhline(constant, color=GREY, lw=1, ls="--")
    end = axes[0].get_xlim()[1]
    axes[0].annotate(
        "best constant", (end, constant), (0, 3), textcoords="offset points", ha="right", va="bottom", fontsize=8
    )
    axes[0].set_ylabel("mean squared error")
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[1].legend(loc="best")
    told = "; ".join(
        f"{NAMES[m]} {_run(result, m, often, 'nines')} (in distribution {_run(result, m, often, 'in_distribution')})"
        for m in models
    )
    return picture(
        figure,
        f"Loss on triples with unseen '9's at probabilities {', '.join(f'{nine:g}' for nine in often)} of '9' in "
        f"training, both axes logarithmic, bars 95% intervals, one mark a seed: {told}. "
        f"Best constant: {constant:.1f}.",
    )


def by_count(result: Result) -> Picture:
    """Loss against the number of '9's in the test triple, a panel a model, a line a frequency."""
    often, models = frequencies(result), _models(result)
    figure, axes = subplots(1, len(models), size=(8.6, 3.2), sharey=True, squeeze=False)
    for ax, model in zip(axes[0], models, strict=True):
        for place, nine in enumerate(often):
            _line(ax, result, model, nine, 0.35 + 0.65 * place / max(1, len(often) - 1))
        _name_lines(ax, result, model, often)
        ax.set(title=NAMES[model], yscale="log", xlim=(0.7, 3.9))
        ax.set_xticks([1, 2, 3])
    axes[0][0].set_ylabel("mean squared error")
    axes[0][0].yaxis.set_major_formatter("{x:g}")
    figure.supxlabel("number of '9's in the test triple", fontsize=10)
    ends = (often[0], often[-1])
    told = "; ".join(
        f"{NAMES[m]} " + " and ".join(f"{_counts(result, m, nine)} at {nine:g}" for nine in dict.fromkeys(ends))
        for m in models
    )
    return picture(
        figure,
        "Loss on test triples with one, two and three unseen '9's, means with 95% intervals, logarithmic axis, a line "
        f"for each probability of '9' in training: {told}.",
    )


def _line(ax: Axes, result: Result, model: str, nine: float, strength: float) -> None:
    groups = [_within(result.one(model=model, nine=nine)[key]) for key in COUNTS]
    whiskers(ax, [1, 2, 3], groups, color=COLOURS[model], fmt="o-", alpha=strength, ms=3.5, lw=1.4)


def _name_lines(ax: Axes, result: Result, model: str, often: list[float]) -> None:
    """Frequencies beside the ends of the lines, moved apart where two lines end together."""
    ends = sorted((mean(result, model, nine, COUNTS[-1]), nine) for nine in often)
    below = 0.0
    for height, nine in ends:
        below = max(height, 1.5 * below)
        ax.annotate(f"{nine:g}", (3, below), (6, 0), textcoords="offset points", va="center", fontsize=8)


def _within(group: dict[str, float]) -> dict[str, float]:
    """The interval cut off above 0, where a logarithmic axis ends."""
    return {**group, "low": max(group["low"], 0.3 * group["mean"])}


def _models(result: Result) -> list[str]:
    return [m for m in NAMES if result.where(model=m)]


def _run(result: Result, model: str, often: list[float], key: str) -> str:
    return ", ".join(_short(mean(result, model, nine, key)) for nine in often)


def _counts(result: Result, model: str, nine: float) -> str:
    return ", ".join(_short(mean(result, model, nine, key)) for key in COUNTS)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"
