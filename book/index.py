"""The room of the front page: the long-tailed matrix, and what the linear model loses as one-off examples go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from book.shared.style import COMMON, COMPOSITION, FRESH, INK, ONCE, TRAINING, Picture, band, house, picture, subplots
from companion.linear import LongTailModel, resolved
from companion.runner.results import Result, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


@dataclass(frozen=True)
class Drawn:
    """A small training set as a matrix: its dots, how often each column occurs, two odd rows and what they hold."""

    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray
    odd: tuple[int, int]
    rare: tuple[int, int]


def matrix(seed: int = 18) -> Drawn:
    """A draw of the model, and two once-seen features of it in rows that lie far apart, each told by its row."""
    X = LongTailModel(n=34, d=100, s=3.0, alpha=1.4, beta_exponent=0.1, sigma=0.0).sample(seed=seed).X.tocoo()
    counts = np.bincount(X.col, minlength=X.shape[1])
    told = resolved(X)
    single = [(row, column) for row, column in zip(X.row, X.col, strict=True) if counts[column] == 1 and told[column]]
    right = [pair for pair in single if pair[1] > X.shape[1] // 3]
    one = min(right)
    two = max(right, key=lambda pair: (pair[0] - one[0]) * (abs(pair[1] - one[1]) > 12))
    return Drawn(X.row, X.col, counts, (int(one[0]), int(two[0])), (int(one[1]), int(two[1])))


def fig_matrix(seed: int = 18) -> Picture:
    """The long tail, and a basket that was never seen, put together from two rows that came once."""
    drawn = matrix(seed)
    figure, ax = subplots(size=(8.6, 4.1))
    draw_matrix(ax, drawn)
    seen, once = int((drawn.counts > 0).sum()), int((drawn.counts == 1).sum())
    return picture(
        figure,
        f"A matrix of {drawn.rows.max() + 1} receipts and {len(drawn.counts)} goods, from common to rare, with a "
        f"dot where a receipt holds a good. The columns on the left are dense. Of the {seen} goods that occur, {once} "
        f"occur once: single dots, far to the right. Two receipts are lit, rows {drawn.odd[0] + 1} and "
        f"{drawn.odd[1] + 1}; each holds a good that no other row holds. From these two dots, lines lead down to a "
        "basket below the matrix which holds both goods and was never seen.",
    )


def draw_matrix(ax: Axes, drawn: Drawn, *, dot: float = 26.0, size: float = 9.5) -> None:
    """Dots, the two odd rows lit, and what flows from them into the basket; `dot` in points², `size` of letters."""
    wide, basket = len(drawn.counts), drawn.rows.max() + 6
    often = drawn.counts[drawn.columns] > 1
    for mask, colour in ((often, COMMON), (~often, ONCE)):
        ax.scatter(drawn.columns[mask], drawn.rows[mask], s=dot, color=colour, linewidth=0, alpha=0.9)
    for row in drawn.odd:
        ax.add_patch(Rectangle((-1.2, row - 0.55), wide + 1.4, 1.1, color=ONCE, alpha=0.2, linewidth=0))
    ax.add_patch(
        FancyBboxPatch(
            (-0.6, basket - 0.9), wide + 0.2, 1.8, boxstyle="round,pad=0.3", fc="none", ec=COMPOSITION, lw=1.4
        )
    )
    for row, column in zip(drawn.odd, drawn.rare, strict=True):
        way = {"arrowstyle": "-|>", "color": COMPOSITION, "lw": 2, "shrinkA": 5, "shrinkB": 5, "mutation_scale": 12}
        ax.annotate("", (column, basket), (column, row), arrowprops=way)
        ax.scatter([column], [row], s=2.6 * dot, color=ONCE, linewidth=0, zorder=4)
        ax.scatter([column], [basket], s=3.2 * dot, color=COMPOSITION, linewidth=0, zorder=4)
    words = {"fontsize": size, "va": "center"}
    ax.text(0, -2.2, "common goods", color=COMMON, **words)
    ax.text(wide - 1, -2.2, "goods seen once, or never", color=ONCE, ha="right", **words)
    ax.text(0.4, basket, "a new basket", color=COMPOSITION, **words)
    ax.set(xlim=(-1.6, wide + 0.6), ylim=(basket + 1.3, -3.2))
    ax.set_axis_off()


def draw_card(path: Path, title: str, *, size: tuple[int, int]) -> None:
    """The picture of a shared link, of so many pixels, on white: a chat may be dark."""
    with house():
        figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100)
        draw_matrix(figure.add_axes((0.04, 0.03, 0.92, 0.72)), matrix(), dot=52, size=16)
        figure.text(0.045, 0.885, title, fontsize=36, weight="bold", color=INK, va="center")
        about = "What a learner can do with things it saw only once"
        figure.text(0.045, 0.795, about, fontsize=18, color=INK, va="center")
        figure.savefig(path, metadata={"Software": None}, facecolor="white")
