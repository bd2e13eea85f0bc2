"""The same figure for a phone: panels under each other, letters as large as on a wide page.

A picture that is scaled down to a phone's column has letters of six pixels. So the book draws each wide figure twice,
and the page's style sheet shows the drawing that fits. Nothing is computed again: the axes move to another grid.
"""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import SubplotSpec
    from matplotlib.legend import Legend
    from matplotlib.text import Text

WIDTH = 4.2  # inches: in a column of 350 pixels a letter of 9 points is then 10 pixels high
PANEL = (2.3, 3.3)  # inches: the least and the greatest height of a panel
OVERLAP = 0.1  # inches: labels of several lines may reach so far into one another, and still not touch
MOST_STACKED = 6  # more panels than this keep their grid
MOST_PICTURES = 6  # a grid of pictures with more columns is folded: its right half goes below its left half


def fit(figure: Figure, *, flow: bool = False) -> str | None:
    """Lay `figure` out again within `WIDTH`, in place.

    `flow`: the panels are items of a list, and fewer of them stand in a line.

    Returns the shape of the grid that was stacked, such as `"1x2"`, `""` if the panels stand as they stood, and None,
    with nothing changed, if the figure is narrow enough.
    """
    width, height = figure.get_size_inches()
    if width <= 1.1 * WIDTH:
        return None
    panels = [ax for ax in figure.axes if ax.get_subplotspec() is not None]
    rows, columns = _spec(panels[0]).get_gridspec().get_geometry() if panels else (1, 1)
    stacked = ""
    if flow:
        kept = max(1, int(columns * WIDTH / width))
        lines = -(-len(panels) // kept)
        _regrid(figure, panels, lines, kept)
        figure.set_size_inches(WIDTH, height / rows * lines)
    elif columns > 1 and rows * columns <= MOST_STACKED and all(map(is_chart, panels)):
        stacked = f"{rows}x{columns}"
        _show_labels(panels)
        _regrid(figure, panels, rows * columns, 1)
        least, most = PANEL
        figure.set_size_inches(WIDTH, rows * columns * min(max(height / rows, least), most))
    elif columns > MOST_PICTURES and not any(map(is_chart, panels)):
        _fold(figure, panels, rows, columns)
        figure.set_size_inches(WIDTH, 2 * height)
    else:
        figure.set_size_inches(WIDTH, height)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(h_pad=0.1)  # type: ignore[call-arg]  # constrained layout, which `subplots` asks for
    figure.draw_without_rendering()
    for legend in list(figure.legends):
        _narrow(legend, figure)
    for ax in figure.axes:
        box = ax.get_window_extent()
        center = (box.x0 + box.x1) / 2 / figure.dpi
        _wrap(ax._left_title, 0.98 * WIDTH - box.x0 / figure.dpi, figure)  # type: ignore[attr-defined]
        for text in (ax.title, ax.xaxis.label):  # as far as the nearer edge of the figure, to both sides
            _wrap(text, 1.96 * min(center, WIDTH - center), figure)
        _wrap(ax.yaxis.label, 1.05 * box.height / figure.dpi, figure)
        _wrap_ticks(ax)
    return stacked


def is_chart(ax: Axes) -> bool:
    """Whether the panel has axes that are read; a picture has none."""
    return ax.axison and bool(ax.xaxis.get_ticklocs().size or ax.yaxis.get_ticklocs().size)


def _spec(ax: Axes) -> SubplotSpec:
    spec = ax.get_subplotspec()
    assert spec is not None, "only panels of a grid are asked"
    return spec


def place(ax: Axes) -> tuple[int, int]:
    spec = _spec(ax)
    return spec.rowspan.start, spec.colspan.start


def _regrid(figure: Figure, panels: list[Axes], rows: int, columns: int) -> None:
    """Put the panels, line by line as they stood, into a grid of another shape; twins stay together."""
    from matplotlib.gridspec import GridSpec

    places = sorted({place(ax) for ax in panels})
    grid = GridSpec(rows, columns, figure=figure)
    cells = {place: grid[number // columns, number % columns] for number, place in enumerate(places)}
    for ax, cell in [(ax, cells[place(ax)]) for ax in panels]:
        ax.set_subplotspec(cell)


def _fold(figure: Figure, panels: list[Axes], rows: int, columns: int) -> None:
    """The right half of the columns, whole, below the left half."""
    from matplotlib.gridspec import GridSpec

    half = -(-columns // 2)
    grid = GridSpec(2 * rows, half, figure=figure)
    for ax, (row, column) in [(ax, place(ax)) for ax in panels]:
        ax.set_subplotspec(grid[row + rows * (column // half), column % half])


def _show_labels(panels: list[Axes]) -> None:
    """Tick labels and axis labels that a neighbour lent, on each panel itself."""
    at = {place(ax): ax for ax in reversed(panels)}
    last = max(row for row, _ in at)
    for (row, column), ax in at.items():
        first, lowest = at.get((row, 0), ax), at.get((last, column), ax)
        if ax.get_shared_y_axes().joined(ax, first):
            ax.yaxis.set_tick_params(which="both", labelleft=True)
            ax.set_ylabel(ax.get_ylabel() or first.get_ylabel())
        if ax.get_shared_x_axes().joined(ax, lowest):
            ax.xaxis.set_tick_params(which="both", labelbottom=True)
            ax.set_xlabel(ax.get_xlabel() or lowest.get_xlabel())


def _narrow(legend: Legend, figure: Figure) -> None:
    """Draw a figure's legend again in as many columns as fit."""
    columns = legend._ncols  # type: ignore[attr-defined]
    fits = int(columns * WIDTH / (legend.get_window_extent().width / figure.dpi))
    if fits < columns:
        labels = [text.get_text() for text in legend.texts]
        place = f"outside {'upper' if legend._outside_loc == 'upper' else 'lower'} center"  # type: ignore[attr-defined]
        handles = [handle for handle in legend.legend_handles if handle is not None]
        legend.remove()
        figure.legend(handles, labels, loc=place, ncols=max(1, fits), frameon=False)


def _wrap_ticks(ax: Axes) -> None:
    """Break words under the horizontal axis where neighbours would touch."""
    labels = [label for label in ax.get_xticklabels() if label.get_text()]
    if not any(letter.isalpha() and letter.isascii() for label in labels for letter in label.get_text().split("$")[0]):
        return
    dpi = labels[0].get_figure().dpi  # type: ignore[union-attr]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0 + box.x1)
    if all(left.x1 - right.x0 < OVERLAP * dpi for left, right in pairwise(boxes)):
        return
    room = 0.95 * min((right.x0 + right.x1 - left.x0 - left.x1) / 2 / dpi for left, right in pairwise(boxes))
    widest = max(box.width for box in boxes) / dpi
    lines = [label.get_text().split("\n") for label in labels]
    fits = max(4, int(max(len(line) for own in lines for line in own) * room / widest))
    texts = ["\n".join("\n".join(textwrap.wrap(line, fits, break_long_words=False)) for line in own) for own in lines]
    ax.set_xticks([label.get_position()[0] for label in labels], texts)
    if any(len(line) > fits for text in texts for line in text.split("\n")):  # a word alone is too long
        ax.tick_params(axis="x", rotation=40)


def _wrap(text: Text, room: float, figure: Figure) -> None:
    """Break a text that is longer than `room` inches, at blanks outside formulas."""
    words = text.get_text()
    box = text.get_window_extent()
    length = (box.height if text.get_rotation() == 90 else box.width) / figure.dpi
    if not words or "\n" in words or length <= room:
        return
    glued = "".join("\0" if letter == " " and inside else letter for letter, inside in _marked(words))
    lines = textwrap.wrap(glued, max(8, int(len(words) * room / length)), break_long_words=False)
    text.set_text("\n".join(lines).replace("\0", " "))


def _marked(words: str) -> list[tuple[str, bool]]:
    """Each letter with whether it stands inside a formula."""
    parts = words.split("$")
    return [(letter, bool(i % 2)) for i, part in enumerate(parts) for letter in ("$" + part if i else part)]
