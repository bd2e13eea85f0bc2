"""Drawings of the chapter on limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, Picture, picture, subplots
from companion.linear.switches import World, losses
from companion.runner.results import interval

BARS = (
    ("train", GREY, "training"),
    ("in_distribution", BLUE, "in distribution"),
    ("composition", ORANGE, "composition"),
)
ZERO = {"train": "zero_in", "in_distribution": "zero_in", "composition": "zero_composition"}  # what 1 on the axis is
SWITCHES = {
    "steep": "frequencies i⁻²",
    "independent": "independent features",
    "labels": "right labels",
    "linear": "linear target",
    "memorize": "minimum norm",
}


def averaged(world: World, seeds: Sequence[int]) -> dict[str, float]:
    """Losses of a world, averaged over draws; `*_share` and `*_sd`: mean and sd as shares of predicting 0."""
    every = [losses(world, seed=seed) for seed in seeds]
    mean = {key: float(np.mean([one[key] for one in every])) for key in every[0]}
    for key, zero in ZERO.items():
        shares = [one[key] / mean[zero] for one in every]
        spread = interval(shares)  # of one draw there is none: NaN
        mean |= {f"{key}_share": spread["mean"], f"{key}_sd": spread["sd"]}
    return mean


def switchboard(world: World, seeds: Sequence[int]) -> Picture:
    """The three losses of a world, as shares of what predicting 0 costs."""
    mean = averaged(world, seeds)
    figure, ax = subplots(size=(6.6, 2.3))
    for at, (key, color, _) in enumerate(BARS):
        share, sd = mean[f"{key}_share"], mean[f"{key}_sd"]
        ax.barh(-at, min(share, 1.05), 0.6, color=color, xerr=sd, ecolor=INK)
        end = (min(share + sd, 1.05), -at)
        ax.annotate(f"{mean[key]:.4f}", end, (4, 0), textcoords="offset points", va="center")
    ax.axvline(1, color=INK, lw=1, ls="--")
    ax.set_yticks([0, -1, -2], [name for _, _, name in BARS])
    ax.set(xlim=(0, 1.2), xlabel="loss, as a share of the loss of predicting 0")
    off = [text for key, text in SWITCHES.items() if not getattr(world, key)]
    ax.set(title="All hypotheses hold" if not off else "Off: " + ", ".join(off))
    return picture(
        figure,
        ("All hypotheses hold. " if not off else f"Switched off: {', '.join(off)}. ")
        + "; ".join(f"{name} loss {mean[key]:.4f}" for key, _, name in BARS)
        + ".",
    )


def one_at_a_time(table: Mapping[str, Mapping[str, float]]) -> Picture:
    """In-distribution and composition loss with one hypothesis switched off; shares of predicting 0."""
    figure, ax = subplots(size=(7.2, 3.2))
    x = np.arange(len(table))
    for shift, key, color, name in (
        (-0.2, "in_distribution", BLUE, "in distribution"),
        (0.2, "composition", ORANGE, "composition"),
    ):
        share, sd = (np.array([row[f"{key}_{part}"] for row in table.values()]) for part in ("share", "sd"))
        ax.bar(x + shift, share, 0.38, color=color, label=name, yerr=sd, ecolor=INK)
        for at, value, up in zip(x + shift, share, sd, strict=True):
            ax.annotate(f"{value:.3f}", (at, value + up), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    ax.set_xticks(x, list(table), fontsize=8.5)
    ax.set(ylabel="share of predicting 0", ylim=(0, 0.85))
    ax.legend()
    told = "; ".join(
        f"{name}: in distribution {row['in_distribution_share']:.3f}, composition {row['composition_share']:.3f}"
        for name, row in table.items()
    )
    return picture(figure, f"Losses as shares of predicting 0. {told.replace(chr(10), ' ')}.")


def split_credit(rows: Sequence[int], chance: Sequence[float], measured: Sequence[float]) -> Picture:
    """Probability that a pair which only occurs together cannot be told apart, against the joint rows."""
    figure, ax = subplots(size=(5.6, 2.9))
    ax.plot(rows, chance, color=INK, ls="--", lw=1.2, label=r"$2^{1-m}$")
    ax.plot(rows, measured, color=GREEN, marker="o", ls="none", label="all sign patterns")
    ax.set(xlabel="rows that hold the pair, m", ylabel="share not resolved", yscale="log")
    ax.legend()
    told = ", ".join(f"{m} rows {v:.3g}" for m, v in zip(rows, measured, strict=True))
    return picture(figure, f"Share of sign patterns that leave the pair unresolved: {told}.")
