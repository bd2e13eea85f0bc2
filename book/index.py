"""The room of the front page: what the linear model loses as its one-off examples are forgotten, in one figure."""

from __future__ import annotations

import numpy as np

from book.shared.style import COMPOSITION, FRESH, TRAINING, Picture, band, picture, subplots
from companion.runner.results import Result, Row

CURVES = (
    ("composition", COMPOSITION, "two rare features,\nnever together before"),
    ("population", FRESH, "fresh data"),
    ("train", TRAINING, "training data"),
)
STRONGEST = 10.0  # n times lambda; beyond it the ridge shrinks common features too, and everything grows


def groups(result: Result, *, alpha: float = 2.0, sigma: float = 0.05) -> list[Row]:
    """The ridge path of the experiment `forgetting`, from minimum norm (all memorized) to `STRONGEST`."""
    path = result.where(alpha=alpha, sigma=sigma, path="ridge")
    return sorted((group for group in path if group["n_lam"] <= STRONGEST), key=lambda group: group["n_lam"])


def ends(result: Result) -> tuple[Row, Row, Row]:
    """The ridge path where all is memorized, where half is, and at its strongest penalty."""
    path = groups(result)
    return path[0], min(path, key=lambda group: abs(group["memorization"]["mean"] - 0.5)), path[-1]


def halfway(result: Result) -> dict[str, float]:
    """What each loss is multiplied by when half is forgotten, by the names of `CURVES`."""
    first, half, _ = ends(result)
    return {key: half[key]["mean"] / first[key]["mean"] for key, _, _ in CURVES}


def fig_claim(result: Result) -> Picture:
    """Three losses against the memorization score of the rows that hold a once-seen feature."""
    path = groups(result)
    score = [group["memorization"]["mean"] for group in path]
    figure, ax = subplots(size=(7.4, 3.7))
    for key, color, label in CURVES:
        mean, sd = (np.array([group[key][stat] for group in path]) for stat in ("mean", "sd"))
        band(ax, score, mean, np.maximum(mean - sd, 0), mean + sd, color=color, marker="o", ms=3.5)
        lift = {"population": 6, "train": -7}.get(key, 0)
        ax.annotate(label, (score[-1], mean[-1]), (8, lift), textcoords="offset points", va="center", color=color)
    ax.set(
        xlabel="memorization score of the one-off examples, by leaving each one out",
        ylabel="mean squared error",
        xlim=(1.03, -0.22),
    )
    ax.set_ylim(bottom=-0.02)
    ax.set_xticks([1, 0.8, 0.6, 0.4, 0.2], ["1\nmemorized", "0.8", "0.6", "0.4", "0.2\nforgotten"])
    return picture(figure, _alt(result))


def _losses(group: Row) -> str:
    loss = {key: f"{group[key]['mean']:.3f}" for key, _, _ in CURVES}
    return (
        f"At a memorization score of {group['memorization']['mean']:.2f} the error is {loss['train']} on "
        f"training data, {loss['population']} on fresh data and {loss['composition']} on two rare features."
    )


def _alt(result: Result) -> str:
    return "As one-off examples are forgotten. " + " ".join(_losses(group) for group in ends(result))
