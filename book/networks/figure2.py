"""The room of *Figure 2*: the law of the count of nines, and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from book.shared.style import GREY, Picture, picture, subplots, whiskers
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
import itertools

from book.shared.ledger import Found, at_most, claim
from book.shared.networks import COLOURS, NAMES, loss

COUNTS = ("nines_1", "nines_2", "nines_3")


def frequencies(result: Result) -> list[float]:
    """The probabilities of '9' in training, rising."""
    return sorted({float(group["nine"]) for group in result.summary})


def mean(result: Result, model: str, nine: float, key: str = "nines") -> float:
    """Geometric mean over seeds of a loss."""
    return loss(result, key, model=model, nine=nine)["mean"]


def baseline(result: Result) -> float:
    """What the best constant costs on the test triples with '9's, geometric mean over seeds."""
    return loss(result, "baseline_nines")["mean"]


def fig_figure2(result: Result) -> Picture:
    """Loss on triples with unseen '9's (left) and in distribution (right) along the frequency of '9' in training."""
    often = frequencies(result)
    models = _models(result)
    figure, axes = subplots(1, 2, size=(8.4, 3.6), sharey=True)
    titles = (("nines", "At least one unseen '9'"), ("in_distribution", "Three new digits, as in training"))
    for ax, (key, title) in zip(axes, titles, strict=True):
        for place, model in enumerate(models):
            side = np.array(often) * 1.06 ** (place - (len(models) - 1) / 2)  # beside each other, not on top
            groups = [loss(result, key, model=model, nine=nine) for nine in often]
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
        f"training, both axes logarithmic, geometric means with 95% intervals, one mark for each seed: {told}. "
        f"Best constant: {constant:.1f}.",
    )


def fig_by_count(result: Result) -> Picture:
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
        "Loss on test triples with one, two and three unseen '9's, geometric means with 95% intervals, logarithmic "
        f"axis, a line for each probability of '9' in training: {told}.",
    )


def _line(ax: Axes, result: Result, model: str, nine: float, strength: float) -> None:
    groups = [loss(result, key, model=model, nine=nine) for key in COUNTS]
    whiskers(ax, [1, 2, 3], groups, color=COLOURS[model], fmt="o-", alpha=strength, ms=3.5, lw=1.4)


def _name_lines(ax: Axes, result: Result, model: str, often: list[float]) -> None:
    """Frequencies beside the ends of the lines, moved apart where two lines end together."""
    ends = sorted((mean(result, model, nine, COUNTS[-1]), nine) for nine in often)
    below = 0.0
    for height, nine in ends:
        below = max(height, 1.5 * below)
        ax.annotate(f"{nine:g}", (3, below), (6, 0), textcoords="offset points", va="center", fontsize=8)


def _models(result: Result) -> list[str]:
    return [m for m in NAMES if result.where(model=m)]


def _run(result: Result, model: str, often: list[float], key: str) -> str:
    return ", ".join(_short(mean(result, model, nine, key)) for nine in often)


def _counts(result: Result, model: str, nine: float) -> str:
    return ", ".join(_short(mean(result, model, nine, key)) for key in COUNTS)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


@claim(
    "prop-count",
    "For a Sum network the loss is a quadratic in the number of '9's, curved by how wrong a '9' is on average",
    functions=("companion.neural.models.build",),
)
def count(name: str = "sum", systematic: bool = True) -> Found:
    """The losses by count over all triples against the formula, for an untrained network on seven images."""
    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(7, 28, 28, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    images[:3, 8:20] += 1.0  # the '9's differ from the rest, so that their mean error does
    label = np.array([9, 9, 9, 0, 1, 3, 4])
    nines, others = range(3), range(3, 7)

    def value(index: np.ndarray) -> np.ndarray:
        with torch.no_grad():  # what inference mode makes, and the network keeps, could not be trained with
            made: np.ndarray = net(images[torch.from_numpy(index)]).numpy()
        return made

    alone = value(np.repeat(np.arange(7)[:, None], 3, axis=1)) / 3 - label  # the error of one image
    b, v, b0, v0 = alone[:3].mean(), alone[:3].var(), alone[3:].mean(), alone[3:].var()
    gaps = []
    for k in (0, 1, 2, 3):
        places = itertools.combinations(range(3), k)
        index = np.array(
            [t for at in places for t in itertools.product(*[nines if c in at else others for c in range(3)])]
        )
        measured = float(np.mean((value(index) - label[index].sum(axis=1)) ** 2))
        slope = k * b + (3 - k) * b0 if systematic else 0.0
        gaps.append(abs(measured - slope**2 - k * v - (3 - k) * v0) / measured)
    return at_most(f"{name}: largest relative gap between the loss by count and the formula", max(gaps), 1e-8)


count.breaks("a read-out of its own for each channel", name="linear")
count.breaks("images mixed at the pixels", name="cross-channel")
count.breaks("the curvature forgotten", systematic=False)
