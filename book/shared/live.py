"""Explorables that compute in the page: a cell `live("receipts")` makes a place for one.

Their code is book/live/. In the built page the place is filled with a first picture, and moves by itself; in a notebook
it names the page.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from book.shared.style import in_book

SOURCE = Path(__file__).resolve().parents[1] / "live"


class Live:
    """A place for an explorable; shows itself in the book and in a notebook."""

    def __init__(self, name: str, state: dict[str, Any]) -> None:
        self.name, self.state = name, state

    def _repr_html_(self) -> str:
        if in_book():
            state = html.escape(json.dumps(self.state), quote=True)
            return f'<div class="live" data-live="{self.name}" data-state="{state}"></div>'
        return f"<p>The explorable <em>{self.name}</em> runs on the book's page of this chapter.</p>"

    def __repr__(self) -> str:
        return f"Live: {self.name}"


def live(name: str, **state: Any) -> Any:
    """A place for the explorable `name`, beginning at `state` (what is left out begins as its module says).

    Raises
    ------
    ValueError
        There is no explorable of this name.
    """
    known = sorted(path.stem for path in SOURCE.glob("*.js") if path.stem not in ("frame", "trainer", "speaker"))
    if name not in known:
        raise ValueError(f"name must be one of the explorables {known}, got {name!r}")
    return Live(name, state)
