"""The room of *Real scores*: a histogram, galleries of images, and the agreement of two halves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from book.shared.style import BLUE, CYCLE, GREEN, GREY, ORANGE, Picture, house, picture, subplots
from companion.runner.results import Result


def gallery(images: Sequence[np.ndarray], captions: Sequence[str], what: str, *, columns: int = 6) -> Picture:
    """Small grey images in a grid with a caption each; `what` opens the text alternative."""
    lines = -(-len(images) // columns)
    aspect = images[0].shape[1] / images[0].shape[0]
    cell = min(1.15 * aspect, 7.4 / columns)
    figure, axes = subplots(lines, columns, size=(cell * columns, (cell / aspect + 0.42) * lines))
    for ax in np.atleast_1d(axes).flat:
        ax.set_axis_off()
    with house():
        for ax, image, caption in zip(np.atleast_1d(axes).flat, images, captions, strict=False):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            ax.set_title(caption, fontsize=8, loc="center", pad=3)
    spoken = "; ".join(c.replace("\n", ", ") for c in captions)
    return picture(figure, f"{what}: {spoken}.", flow=True)


def fig_agreement(scores: Sequence[np.ndarray], names: Sequence[str]) -> Picture:
    """Scores from two disjoint halves of the models, one dot a training point."""
    a, b = scores
    correlation = float(np.corrcoef(a, b)[0, 1])
    figure, ax = subplots(size=(4.2, 3.8))
    ax.plot([-0.2, 1], [-0.2, 1], color=GREY, lw=1)
    ax.plot(a, b, color=CYCLE[0], marker="o", ms=3, ls="none", alpha=0.45)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.annotate(f"correlation {correlation:.2f}", (0.0, 0.95), color=GREEN)
    return picture(figure, f"Scores of {len(a)} points from {names[0]} and {names[1]}: correlation {correlation:.2f}.")


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures of one height with a gap between them."""
    return np.concatenate([left, np.zeros((len(left), max(1, len(left) // 7))), right], axis=1)


def pixels(picture_text: str) -> np.ndarray:
    """A stored coarse picture (196 hexadecimal greys) as a 14 x 14 array in [0, 1]."""
    return np.array([int(c, 16) for c in picture_text]).reshape(14, 14) / 15


def fig_histogram(result: Result) -> Picture:
    """How many training points have which score."""
    bins = [r for r in result.rows if r["kind"] == "bin"]
    summary = next(r for r in result.rows if r["kind"] == "summary")
    theta = result.settings["theta_mem"]
    figure, ax = subplots(size=(6.4, 3.0))
    width = bins[1]["edge"] - bins[0]["edge"]
    counts = [b["count"] for b in bins]
    colours = [ORANGE if b["edge"] >= theta - 1e-9 else BLUE for b in bins]
    ax.bar([b["edge"] + width / 2 for b in bins], np.maximum(counts, 0.8), 0.9 * width, color=colours)
    ax.axvline(summary["null_999"], color=GREY, ls=":", lw=1.4)
    ax.annotate("null, 99.9%", (summary["null_999"], max(counts)), (4, -6), textcoords="offset points", fontsize=8)
    ax.set(yscale="log", xlabel="memorization score (negative ones at 0)", ylabel="training images", ylim=(0.7, None))
    return picture(
        figure,
        f"Histogram of {summary['n']:,} memorization scores, logarithmic counts: {counts[0]:,} below {width:.2f}, "
        f"{summary['memorized']:,} at least {theta:g}, {counts[-1]:,} at least {bins[-1]['edge']:.2f}. "
        f"The 99.9% level of the null is {summary['null_999']:.2f}.",
    )
