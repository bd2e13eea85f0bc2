"""The room of *How early may a network mix its images?*: what interaction costs, and the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from book.shared.style import BLUE, COMPOSITION, FRESH, GREY, ORANGE, Picture, picture, subplots
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
import itertools
from functools import partial

from book.shared import kernels
from book.shared.interaction import interaction_share, two_change_share
from book.shared.ledger import Found, at_most, claim
from book.shared.networks import factor, loss

#: model -> (label, where it stands on the axis): stages that each image passes alone, then the heads on vectors
PLACES = {
    "cross-channel": ("0", 0.0),
    "mix-1": ("1", 1.0),
    "mix-2": ("2", 2.0),
    "mix-3": ("3", 3.0),
    "mix-4": ("4", 4.0),
    "2-layer": ("2-layer", 5.6),
    "deepsets": ("DeepSets", 6.6),
    "attention": ("attention", 7.6),
    "linear": ("Linear", 8.6),
    "sum": ("Sum", 9.6),
}


HEADS = ("2-layer", "deepsets", "attention", "linear", "sum")


DEPTHS = ("cross-channel", "mix-1", "mix-2", "mix-3", "mix-4")


def values(result: Result, model: str, key: str = "composition") -> np.ndarray:
    """(seeds,) of one number of one model, in the order of the stored seeds."""
    return np.array([row[key] for row in result.select(model=model)])


def mean(result: Result, model: str, key: str = "composition") -> float:
    """Geometric mean of a loss of one model over seeds."""
    return loss(result, key, model=model)["mean"]


def fig_depth(result: Result) -> Picture:
    """Composition and in-distribution loss along the depth of first mixing, then for the heads on whole vectors."""
    models = [m for m in PLACES if result.where(model=m)]
    figure, ax = subplots(size=(8.2, 3.8))
    styles = (
        ("composition", "two glyphs", COMPOSITION, "o", -0.09),
        ("in_distribution", "three new digits", FRESH, "s", 0.09),
    )
    for key, label, color, marker, shift in styles:
        for model in models:
            seeds(ax, values(result, model, key), PLACES[model][1] + shift, color, marker)
        line = [m for m in DEPTHS if m in models]
        ax.plot(
            [PLACES[m][1] + shift for m in line],
            [mean(result, m, key) for m in line],
            color=color,
            lw=1.2,
            alpha=0.6,
        )
        ax.plot([], [], marker, color=color, label=label)
    flat = {"best constant": "baseline_best_constant", "reads the digit": "baseline_reads_digit_best"}
    heights = {words: loss(result, key)["mean"] for words, key in flat.items()}
    for words, style in (("best constant", "--"), ("reads the digit", ":")):
        ax.axhline(heights[words], color=GREY, lw=1, ls=style)
        side = {"best constant": (3, "bottom"), "reads the digit": (-3, "top")}[words]
        ax.annotate(
            words, (9.9, heights[words]), (0, side[0]), textcoords="offset points", ha="right", va=side[1], fontsize=8
        )
    ax.axvline(4.8, color=GREY, lw=0.8)
    ax.set(yscale="log", xlim=(-0.5, 10.1), ylabel="mean squared error")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_xticks([PLACES[m][1] for m in models], [PLACES[m][0] for m in models])
    for middle, words in ((2.0, "stages that each image passes alone"), (7.6, "heads on whole vectors")):
        ax.annotate(
            words, (middle, -0.13), xycoords=("data", "axes fraction"), ha="center", va="top", annotation_clip=False
        )
    ax.legend(loc="lower left")
    told = "; ".join(f"{PLACES[m][0]} {mean(result, m):.2g} ({mean(result, m, 'in_distribution'):.2g})" for m in models)
    constants = ", ".join(f"{words} {height:.1f}" for words, height in heights.items())
    return picture(
        figure,
        "Loss on two glyphs, and on three new digits in brackets, by how many of five stages each image passes alone, "
        "then by head; logarithmic axis, one mark for each seed, bars at the geometric mean: "
        f"{told}. Lines: {constants}.",
    )


def fig_interaction_shares(result: Result, share: Mapping[str, np.ndarray]) -> Picture:
    """Trained loss on two glyphs against the interaction share of the *untrained* network.

    `share`: model -> (initializations,) shares.
    """
    models = [m for m in PLACES if m in share and result.where(model=m)]
    figure, ax = subplots(size=(6.8, 3.6))
    for model in models:
        x, y, height = share[model], values(result, model), mean(result, model)
        color = BLUE if model in HEADS else ORANGE
        ax.errorbar(
            [x.mean()],
            [height],
            xerr=[[x.mean() - x.min()], [x.max() - x.mean()]],
            yerr=[[height - y.min()], [y.max() - height]],
            fmt="o",
            color=color,
            ms=5,
            elinewidth=1,
        )
    below = {"sum": (7, 5), "linear": (7, -13), "deepsets": (-46, -13), "2-layer": (5, -14), "attention": (-10, 10)}
    for model in models:
        name = PLACES[model][0] if model in HEADS else f"{PLACES[model][0]} alone"
        spot = (share[model].mean(), mean(result, model))
        ax.annotate(name, spot, below.get(model, (7, -11)), textcoords="offset points", fontsize=8)
    ax.set(yscale="log", xlabel="interaction share before training", ylabel="loss on two glyphs, trained")
    ax.set_xscale("symlog", linthresh=0.002)  # so that 0 has a place
    ax.set_xlim(-0.0005, 0.6)
    ax.set_xticks([0, 0.002, 0.01, 0.05, 0.2], ["0", "0.002", "0.01", "0.05", "0.2"])
    ax.set_yticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    ax.minorticks_off()
    told = "; ".join(f"{PLACES[m][0]} {share[m].mean():.2f} and {mean(result, m):.2g}" for m in models)
    return picture(
        figure,
        "Interaction share of the untrained network, mean over initializations, and loss on two glyphs of the trained "
        f"one, geometric mean over seeds, with ranges, both axes logarithmic but for the share 0: {told}.",
    )


def seeds(ax: Axes, of: np.ndarray, x: float, color: str, marker: str) -> None:
    ax.plot(np.full(len(of), x), of, marker, color=color, ms=4.5, alpha=0.75, mew=0)
    ax.plot([x - 0.16, x + 0.16], [factor(of)["mean"]] * 2, color=color, lw=1.8)


@claim(
    "prop-interaction-share",
    "The mean square of a double difference is four times the variance that the two slots make together",
    functions=("book.shared.interaction.interaction_share", "book.shared.interaction.double_difference"),
)
def interaction(factor: float = 4.0) -> Found:
    """The share against an exact analysis of variance, on random tables of three slots and their additive parts."""
    symbols, gaps = 3, []
    every = np.array(list(itertools.product(range(symbols), repeat=3)))
    here, there = (np.repeat(every, len(every), axis=0), np.tile(every, (len(every), 1)))
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=(symbols,) * 3)
        parts = decompose(values)
        both = np.mean([sum(p.var() for s, p in parts.items() if {c, d} <= s) for c, d in ((0, 1), (0, 2), (1, 2))])
        share = interaction_share(partial(look_up, values), here, there) * 4 / factor
        gaps.append(abs(share - both / values.var()))
        additive = np.sum([p for s, p in parts.items() if len(s) < 2], axis=0)
        gaps.append(interaction_share(partial(look_up, additive), here, there))
    return at_most("largest gap between the share and the analysis of variance", float(max(gaps)), 1e-8)


interaction.breaks("twice instead of four times", factor=2.0)


def look_up(table: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(n,): the entries of a cube of values at the tuples x."""
    found: np.ndarray = table[tuple(x.T)]
    return found


def decompose(values: np.ndarray) -> dict[frozenset[int], np.ndarray]:
    """The analysis of variance of a cube of values: set of slots -> its component, spread over the cube."""
    parts: dict[frozenset[int], np.ndarray] = {}
    for size in range(4):
        for chosen in itertools.combinations(range(3), size):
            outside = tuple(c for c in range(3) if c not in chosen)
            mean = np.broadcast_to(values.mean(axis=outside, keepdims=True), values.shape)
            below = [p for s, p in parts.items() if s < set(chosen)]
            parts[frozenset(chosen)] = mean - sum(below, np.zeros(values.shape))
    return parts


@claim(
    "prop-kept",
    "What an interpolator loses of two changes is set by the interaction of a random function with its kernel",
    functions=("book.shared.interaction.two_change_share", "book.shared.kernels.star_design"),
)
def kept(formula: str = "both") -> Found:
    """Interpolation on the star against the formula, over mixtures of the additive and the product kernel."""
    gaps = []
    labels = np.array([0.7, -1.1, 2.3])
    for slots, rho, theta in itertools.product((2, 3, 5), (0.1, 0.5, 0.9), (0.0, 0.4, 1.0)):
        train, new = kernels.star_design(slots, 2)
        tuples = np.concatenate([train, new])
        K = theta * kernels.additive_kernel(tuples, tuples, rho=rho) / slots
        K = K + (1 - theta) * kernels.product_kernel(tuples, tuples, rho=rho)
        one, two = float(K[0, 1]), float(K[1, 2])
        weights = np.linalg.solve(K[:3, :3], K[:3, 3])
        drawn = np.array([1.0, -1.0, -1.0, 1.0])
        share = float(drawn @ K @ drawn) / 4
        lost = {
            "both": (1 + one) * share / (share + 2 * one * (1 - one)),
            "one change": 1 - one,
            "interaction": share,
        }[formula]
        w = 1 - lost
        gaps.append(abs(labels @ weights - w * labels[1:].sum() - (two - 2 * one * w) * labels[0]))
        if formula == "both":
            gaps.append(abs(w - two_change_share(one, two)))
    return at_most("largest gap between interpolation and the formula", max(gaps), 1e-8)


kept.breaks("keeps what one change keeps, whatever the kernel", formula="one change")
kept.breaks("the interaction alone", formula="interaction")
