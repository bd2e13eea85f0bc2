"""Explorables that compute in the page: a cell `live("receipts")` makes a place for one.

Their code is book/live/. In the built page the place is filled with a first picture, and moves by itself; in a notebook
the same code is a widget.
"""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from book.shared.style import in_book

SOURCE = Path(__file__).resolve().parents[1] / "live"
STYLE = SOURCE.parent / "_static" / "live.css"
SHARED = ("frame", "trainer", "speaker")  # modules that are no explorable
WORKERS = {"symbol": ("trainer",), "ask": ("speaker",)}
IMPORT = re.compile(r'^import \{ ([^}]*) \} from "([^"]+)";$', re.M)


class Live:
    """A place for an explorable; shows itself in the book, and names the page elsewhere."""

    def __init__(self, name: str, state: dict[str, Any]) -> None:
        self.name, self.state = name, state

    def _repr_html_(self) -> str:
        if in_book():
            state = html.escape(json.dumps(self.state), quote=True)
            return f'<div class="live" data-live="{self.name}" data-state="{state}"></div>'
        return f"<p>The explorable <em>{self.name}</em> runs on the book's page of this chapter.</p>"

    def __repr__(self) -> str:
        return f"Live: {self.name}"


def names() -> list[str]:
    """The explorables there are."""
    return sorted(path.stem for path in SOURCE.glob("*.js") if path.stem not in SHARED)


def live(name: str, **state: Any) -> Any:
    """The explorable `name`, beginning at `state` (what is left out begins as its module says).

    While the book is built it is a place in the page; elsewhere a widget, or, without anywidget, the page's name.

    Raises
    ------
    ValueError
        There is no explorable of this name.
    """
    if name not in names():
        raise ValueError(f"name must be one of the explorables {names()}, got {name!r}")
    if in_book():
        return Live(name, state)
    try:
        import anywidget
        import traitlets
    except ImportError:
        return Live(name, state)

    class Explorable(anywidget.AnyWidget):
        _esm = module(name)
        _css = STYLE.read_text(encoding="utf-8")
        start = traitlets.Dict().tag(sync=True)
        state = traitlets.Dict().tag(sync=True)
        shared = traitlets.Bool(False).tag(sync=True)

    shown = Explorable(start=state, state=state)
    shown.add_class("live")
    return shown


def module(name: str) -> str:
    """An explorable as one ES module that exports `render`, of its file and those that this imports.

    A notebook's widget may import nothing by a relative path. Each imported file becomes a function that returns what
    others import of it; our modules import by name, one line each, and export where they declare.
    """
    joined = _joined(SOURCE / f"{name}.js")
    given = {}
    for worker in WORKERS.get(name, ()):
        given[worker] = re.sub(r"^export ", "", _joined(SOURCE / f"{worker}.js"), flags=re.M)
    if name == "symbol":
        given["digits"] = digits()
    return f"{joined}\nObject.assign(resources, {json.dumps(given)});" if given else joined


def _joined(entry: Path) -> str:
    code: dict[Path, str] = {}  # in the order in which they must run
    wanted: dict[Path, set[str]] = {}

    def read(path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        for taken, where in IMPORT.findall(text):
            other = (path.parent / where).resolve()
            wanted.setdefault(other, set()).update(taken.split(", "))
            if other not in code:
                read(other)
        code[path] = IMPORT.sub(lambda found: f"const {{ {found[1]} }} = {_called(path.parent / found[2])};", text)

    read(entry)
    body = code.pop(entry)
    parts = [
        f"const {_called(path)} = (() => {{\n{re.sub(r'^export ', '', text, flags=re.M)}\n"
        f"return {{ {', '.join(sorted(wanted[path]))} }};\n}})();"
        for path, text in code.items()
    ]
    return "\n".join([*parts, body])


def _called(path: Path) -> str:
    return f"the_{path.stem}"


def digits(count: int = 1500) -> str:
    """Digits that come with scikit-learn, 8 by 8: for each its label and 64 pixels of 4 bits, in base 64."""
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = np.minimum(found.data[:count].astype(np.uint8), 15)  # 17 grey levels in 4 bits: the two brightest are one
    packed = [found.target[:count, None].astype(np.uint8), pixels[:, ::2] << 4 | pixels[:, 1::2]]
    return base64.b64encode(np.hstack(packed).tobytes()).decode("ascii")
