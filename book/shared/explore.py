"""Explorers: a picture that moves with its parameters, in a notebook and in the static site.

`explorer(draw, alpha=[1.5, 2, 3])` shows `draw(alpha=1.5)` under a slider; two values, or words, are buttons. With a
kernel it is made of ipywidgets, draws when asked and remembers what it drew. While the book is built
(`COMPANION_BOOK_BUILD=1`) it draws every state once and is plain HTML: the controls, the first picture, and all
pictures in one compressed text, which book/_ext/explorer.js opens. The built page moves with no kernel behind it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared.style import in_book

if TYPE_CHECKING:
    from book.shared.style import Picture

Draw = Callable[..., "Picture"]

# What the layout needs in a notebook: a long label stands above its slider, whose track is never under 200 pixels
# (12 of padding at either end), and no readout is cut.
STYLE = (
    ".explorer .widget-hslider{display:flex;flex:1 1 16rem;flex-wrap:wrap;width:auto;height:auto}"
    ".explorer .widget-hslider{min-width:min(16rem,100%)}"
    ".explorer .widget-label{flex:0 0 auto;max-width:100%;white-space:normal;overflow:visible}"
    ".explorer .widget-label{height:auto;line-height:1.4;text-align:left}"
    ".explorer .slider-container{flex:1 1 224px;min-width:224px;padding:0 12px;overflow:visible}"
    ".explorer .widget-readout{flex:0 0 auto;width:auto;min-width:3.2rem;max-width:100%;overflow:visible}"
    ".explorer .widget-toggle-buttons{display:flex;flex-wrap:wrap;width:auto;height:auto;margin-right:2rem}"
    ".explorer .widget-toggle-button{width:auto;min-width:3rem;padding:0 0.8rem}"
)
STILL = "The explorer's first picture. It moves where this code runs, and on the book's page with JavaScript."
MOST_STATES = 60
MOST_BYTES = 1_500_000
MOST_BUTTONS = 4


def explorer(
    draw: Draw,
    *,
    labels: Mapping[str, str] | None = None,
    title: str | None = None,
    start: Mapping[str, Any] | None = None,
    **params: Sequence[Any],
) -> Any:
    """A picture with one control for each parameter: a slider, or a button for each of two values or of four words.

    Parameters
    ----------
    draw
        Called with one value for each parameter, by name; returns a `book.shared.style.Picture`, whose
        text alternative is what a screen reader hears at that state.
    labels
        What stands before a slider: `{"alpha": r"\\(\\alpha\\)"}`. The default is the parameter's name.
    title
        What the explorer shows, in a few words above it; the default names the parameters.
    start
        Where the sliders begin; the default is the first value of each.
    params
        The values of each parameter, in the order of the slider.

    Returns
    -------
    ipywidgets.VBox or Still
        In a notebook, widgets that draw on demand; while the book is built, HTML that holds every state.

    Raises
    ------
    ValueError
        No parameter, an empty or repeated list of values, a label or start of no parameter, a start that
        is not among the values, more than 60 states, or (while the book is built) more than 1.5 MB of them.
    TypeError
        `draw` is no function or returned something without an `svg` string; a parameter's values are no list.
    """
    if not callable(draw):
        raise TypeError(f"draw must be a function of the parameters, got {draw!r} of type {type(draw).__name__}")
    values = _checked(params)
    labels, start = _by_parameter("labels", labels, values), _by_parameter("start", start, values)
    for name, text in {"title": title, **{f"labels[{key!r}]": label for key, label in labels.items()}}.items():
        if not isinstance(text, str | None):
            raise TypeError(f"{name} must be a string, got {text!r} of type {type(text).__name__}")
    at = {}
    for name, allowed in values.items():
        first = start.get(name, allowed[0])
        if first not in allowed:
            raise ValueError(f"start[{name!r}] must be one of {allowed}; got {first!r}")
        at[name] = allowed.index(first)
    labels = {name: labels.get(name, _spoken(name)) for name in values}
    title = title or "Move " + " and ".join(map(_spoken, values))
    return (Still if in_book() else _widgets)(_Pages(draw), values, at, labels, title)


def number(value: Any) -> str:
    """How a value reads beside a slider: 10,000, 0.05, 1e-6 as 10⁻⁶, yes and no, None as none."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        x = float(value)
    except (TypeError, ValueError):
        return str(value)
    if isinstance(value, str):
        return value
    if not math.isfinite(x):
        return {math.inf: "∞", -math.inf: "−∞"}.get(x, "undefined")
    if x == 0 or 1e-3 <= abs(x) < 1e7:
        text = f"{x:,.0f}" if x == int(x) or abs(x) >= 1e4 else f"{x:,.4g}"
        return text.replace("-", "−")
    mantissa, exponent = f"{x:.3e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = "10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return (power if mantissa == "1" else f"{mantissa}·{power}").replace("-", "−")


class _Pages:
    """The HTML of each state, drawn once."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._seen: dict[tuple[str, ...], str] = {}

    def __call__(self, **values: Any) -> str:
        key = tuple(number(value) for value in values.values())
        if key not in self._seen:
            picture = self._draw(**values)
            svg = getattr(picture, "svg", None)
            if not isinstance(svg, str):
                got = type(picture).__name__
                raise TypeError(f"draw must return a Picture (see book.shared.style.picture); got {got}")
            words = html.escape(str(getattr(picture, "alt", "")), quote=False)
            told = f'<details class="explorer-words"><summary>In words</summary><p>{words}</p></details>'
            both = svg + getattr(picture, "phone", "")
            self._seen[key] = f'<div class="explorer-state">{both}{told if words else ""}</div>'
        return self._seen[key]


def _checked(params: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    if not params:
        raise ValueError("explorer needs a parameter, as in explorer(draw, alpha=[1.5, 2.0]); got none")
    for name, given in params.items():
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(f"{name} must be a list of values, got {given!r} of type {type(given).__name__}")
    values = {name: [v.item() if isinstance(v, np.generic) else v for v in given] for name, given in params.items()}
    for name, allowed in values.items():
        if not allowed:
            raise ValueError(f"{name} must hold at least one value; got none")
        read = [number(value) for value in allowed]
        if len(set(read)) < len(read):
            raise ValueError(f"{name} must hold values that read differently; got {read}")
    states = math.prod(len(allowed) for allowed in values.values())
    if states > MOST_STATES:
        counts = " x ".join(str(len(allowed)) for allowed in values.values())
        raise ValueError(f"an explorer holds at most {MOST_STATES} states; got {counts} = {states}")
    return values


def _by_parameter(name: str, given: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping | None):
        raise TypeError(f"{name} must map parameters to values, got {given!r} of type {type(given).__name__}")
    unknown = [key for key in given or {} if key not in values]
    if unknown:
        raise ValueError(f"{name} names {unknown[0]!r}, which is not among the parameters {list(values)}")
    return dict(given or {})


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def _buttons(allowed: Sequence[Any]) -> bool:
    """Whether a parameter has a button for each value: two states, or a few that have no order."""
    return len(allowed) <= (MOST_BUTTONS if all(isinstance(value, str) for value in allowed) else 2)


class Still:
    """Every state of an explorer as HTML that moves in the built page, and stands at its first picture elsewhere."""

    def __init__(
        self, pages: _Pages, values: Mapping[str, list[Any]], at: dict[str, int], labels: dict[str, str], title: str
    ) -> None:
        drawn = [pages(**dict(zip(values, each, strict=True))) for each in itertools.product(*values.values())]
        size = sum(len(page.encode()) for page in drawn)
        if size > MOST_BYTES:
            raise ValueError(
                f"an explorer holds at most {MOST_BYTES:,} bytes; got {size:,} in {len(drawn)} states, "
                f"about {size // len(drawn):,} bytes each"
            )
        self.values, self.at, self.labels, self.title = values, at, labels, title
        self.states = base64.b64encode(zlib.compress(json.dumps(drawn).encode(), 9)).decode("ascii")
        self.first = pages(**{name: values[name][index] for name, index in at.items()})

    def _control(self, name: str) -> str:
        read, at = [number(value) for value in self.values[name]], self.at[name]
        label = html.escape(self.labels[name], quote=False)
        says, spoken = html.escape(json.dumps(read), quote=True), html.escape(_spoken(name), quote=True)
        if not _buttons(self.values[name]):
            return (
                f'<label class="live-range"><span class="mathjax_process">{label}</span><output>{read[at]}</output>'
                f'<input type="range" min="0" max="{len(read) - 1}" value="{at}" data-says="{says}" '
                f'aria-label="{spoken}" aria-valuetext="{html.escape(read[at], quote=True)}" disabled></label>'
            )
        group = hashlib.sha256(f"{self.title} {name}".encode()).hexdigest()[:8]
        options = "".join(
            f'<label><input type="radio" name="explorer-{group}" value="{index}"{" checked" * (index == at)} disabled>'
            f"<span>{html.escape(text)}</span></label>"
            for index, text in enumerate(read)
        )
        legend = f'<legend class="mathjax_process">{label}</legend>'
        return f'<fieldset class="live-choice" data-says="{says}">{legend}{options}</fieldset>'

    def _repr_html_(self) -> str:
        controls = "".join(map(self._control, self.values))
        return (
            f'<div class="explorer" role="group" aria-label="{html.escape(self.title, quote=True)}">'
            f'<p class="explorer-title">{html.escape(self.title)}</p><div class="explorer-controls">{controls}</div>'
            f'<div class="explorer-picture" aria-live="polite">{self.first}</div><p class="explorer-note">{STILL}</p>'
            f'<script type="text/plain" class="explorer-states">{self.states}</script></div>'
        )

    def __repr__(self) -> str:
        return f"Explorer: {self.title}"


def _control(name: str, allowed: list[Any], index: int, label: str) -> Any:
    import ipywidgets as widgets

    kind = widgets.ToggleButtons if _buttons(allowed) else widgets.SelectionSlider
    return kind(
        options=[number(value) for value in allowed],
        index=index,
        description=label,
        tooltip=_spoken(name),
        style={"description_width": "initial"},
    )


def _widgets(
    pages: _Pages, values: Mapping[str, list[Any]], at: dict[str, int], labels: dict[str, str], title: str
) -> Any:
    import ipywidgets as widgets

    moved = {name: _control(name, values[name], at[name], labels[name]) for name in values}

    def now() -> str:
        return pages(**{name: values[name][control.index] for name, control in moved.items()})

    shown = widgets.HTML(now())

    def redraw(_change: Any) -> None:
        shown.value = now()

    for control in moved.values():
        control.observe(redraw, "index")
    controls = widgets.Box(list(moved.values()))
    controls.add_class("explorer-controls")
    controls.layout.flex_flow = "row wrap"
    shown.add_class("explorer-picture")
    head = f'<style>{STYLE}</style><p class="explorer-title">{html.escape(title)}</p>'
    frame = widgets.VBox([widgets.HTML(head), controls, shown])
    frame.add_class("explorer")
    return frame
