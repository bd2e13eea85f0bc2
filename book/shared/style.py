"""One look for every figure, drawn as inline SVG that follows the page's light or dark mode."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared import phone, svg
from companion._validate import positive, positive_int, vector

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Hues of Okabe and Ito, set to a lightness that keeps 3:1 contrast on white and on the dark theme.
BLUE, ORANGE, GREEN, PURPLE, RED, GREY = "#2f7fd0", "#d07a00", "#159a72", "#a567c7", "#d4505b", "#7d858f"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)
# What colours mean, on every page: losses, kinds of features, architectures. A figure says these names where it shows
# one of these things; the plain hues above are for what has no name here. Explorables have the same names as CSS
# variables, `var(--companion-once)`, in book/_static/live.css, with a lighter tone for the dark theme.
TRAINING, FRESH, COMPOSITION = GREEN, BLUE, RED
COMMON, ONCE, NEVER = "#1b8fb0", ORANGE, GREY
SUM, LINEAR, TWO_LAYER, CROSS_CHANNEL = "#6a6fd8", PURPLE, "#c45a9a", "#9c7740"
HELPS, HURTS = BLUE, ORANGE  # an effect above and below zero
PALETTE = {
    "training": TRAINING,
    "fresh": FRESH,
    "composition": COMPOSITION,
    "common": COMMON,
    "once": ONCE,
    "never": NEVER,
    "sum": SUM,
    "linear": LINEAR,
    "two-layer": TWO_LAYER,
    "cross-channel": CROSS_CHANNEL,
    "helps": HELPS,
    "hurts": HURTS,
}
INK = svg.INK  # text and axes: the page's own text colour

_RC = {
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.size": 10,
    "font.family": "sans-serif",
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.15,
    "grid.linewidth": 0.8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "companion",
    "path.simplify": True,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), INK
    ),
}


@dataclass(frozen=True)
class Picture:
    """An inline SVG with its text alternative; shows itself in a notebook and in the book.

    `phone` is the same figure laid out for a narrow column, where it was drawn (see `book.shared.phone`).
    """

    svg: str
    alt: str
    phone: str = ""

    @property
    def html(self) -> str:
        """Both drawings, of which the book's style sheet shows the one that fits."""
        return self.svg + self.phone

    def _repr_html_(self) -> str:
        return f'<div class="companion-figure">{self.html}</div>'

    def __repr__(self) -> str:
        return f"Picture: {self.alt}"


@contextmanager
def house() -> Iterator[None]:
    """The house style, for the block only: nothing global changes."""
    import matplotlib as mpl
    from cycler import cycler

    with mpl.rc_context({**_RC, "axes.prop_cycle": cycler(color=CYCLE)}):
        yield


def subplots(
    nrows: int = 1, ncols: int = 1, *, size: tuple[float, float] = (6.4, 3.4), **kwargs: Any
) -> tuple[Figure, Any]:
    """A figure and its axes in the house style; `size` in inches. Free of pyplot, so nothing needs closing."""
    from matplotlib.figure import Figure

    nrows = positive_int("nrows", nrows)
    ncols = positive_int("ncols", ncols)
    width, height = (positive("size", side) for side in vector("size", size, 2).tolist())
    with house():
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(nrows, ncols, **kwargs)


def band(
    ax: Axes,
    x: Sequence[float],
    mean: Any,
    low: Any,
    high: Any,
    *,
    color: str,
    label: str | None = None,
    **line: Any,
) -> None:
    """A line with its interval as a band; x, mean, low, high of one shape (m,)."""
    at, shapes = np.asarray(x, float), [np.shape(value) for value in (x, mean, low, high)]
    if len(set(shapes)) > 1 or at.ndim != 1:
        raise ValueError(f"x, mean, low and high must be vectors of one length, got shapes {shapes}")
    ax.fill_between(at, np.asarray(low, float), np.asarray(high, float), color=color, alpha=0.22, linewidth=0)
    ax.plot(at, mean, color=color, label=label, **line)


def whiskers(
    ax: Axes,
    x: Any,
    values: Sequence[Mapping[str, float]],
    *,
    color: str,
    label: str | None = None,
    fmt: str = "o",
    **mark: Any,
) -> None:
    """Means as marks with their intervals as whiskers; `values`, one for each x, hold mean, low and high."""
    if len(x) != len(values):
        raise ValueError(f"x and values must have one length, got {len(x)} and {len(values)}")
    mean, low, high = (np.array([v[part] for v in values], float) for part in ("mean", "low", "high"))
    ax.errorbar(x, mean, (mean - low, high - mean), fmt=fmt, color=color, label=label, elinewidth=1.1, **mark)


def picture(figure: Figure, alt: str, *, flow: bool = False) -> Picture:
    """`figure` as a Picture. `alt` says in words, with the numbers, what is seen: it is not optional.

    While the book is built (`COMPANION_BOOK_BUILD=1`) a wide figure is laid out a second time, in place, for phones:
    see `book.shared.phone`, for `flow` too. Two charts beside each other, or two by two, are lettered (a), (b), ... for
    the caption, which then holds wherever they stand.
    """
    if not isinstance(alt, str) or len(alt.strip()) < 10:
        raise ValueError(f"alt must say in words what the figure shows, got {alt!r}")
    if not hasattr(figure, "savefig"):
        raise TypeError(f"figure must be a matplotlib Figure, got {figure!r} of type {type(figure).__name__}")
    _restyle(figure)
    _letter(figure)
    wide = _drawn(figure, alt)
    if not in_book():
        return Picture(wide, alt)
    with house():
        narrow = phone.fit(figure, flow=flow)
    return Picture(wide, alt) if narrow is None else pair(wide, _drawn(figure, alt), alt)


def in_book() -> bool:
    """Whether the book is being built: then explorers draw all states, and wide figures are drawn for phones too."""
    return os.environ.get("COMPANION_BOOK_BUILD") == "1"


def pair(wide: str, narrow: str, alt: str) -> Picture:
    """Two drawings of one figure, marked so that the book's style sheet shows the one that fits."""
    narrow = narrow.replace("<svg ", '<svg class="phone" ', 1)
    return Picture(wide.replace("<svg ", '<svg class="wide" ', 1), alt, narrow)


def _drawn(figure: Figure, alt: str) -> str:
    with house():
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return svg.inline(buffer.getvalue(), alt, PALETTE)


def _letter(figure: Figure) -> None:
    """A letter before the title of each of two panels, or of two by two; twins share theirs."""
    panels = {phone.place(ax): ax for ax in reversed(figure.axes) if ax.get_subplotspec() is not None}
    if (len(panels), len({row for row, _ in panels})) not in ((2, 1), (4, 2)) or not all(
        map(phone.is_chart, figure.axes)
    ):
        return
    for letter, (_, ax) in zip("abcd", sorted(panels.items()), strict=False):
        title = ax._left_title if ax.get_title("left") or not ax.get_title() else ax.title  # type: ignore[attr-defined]
        title.set_text(f"({letter}) {title.get_text()}".rstrip())


def _restyle(figure: Figure) -> None:
    """Give the house's ink to what was drawn outside its context: legends, annotations, titles."""
    from matplotlib.colors import to_hex
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    for legend in figure.findobj(Legend):
        legend.set_frame_on(False)
    for text in figure.findobj(Text):
        if to_hex(text.get_color()) == "#000000":
            text.set_color(INK)
