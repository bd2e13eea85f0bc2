"""What stands beside a claim's check: certified numbers and nearest worlds, as ``tests/evidence.py`` left them.

Neither needs a library of its own to be shown: two files in ``book/reference`` hold what was found.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "reference"


@functools.cache
def stored(name: str) -> dict[str, Any]:
    """The file ``book/reference/NAME.json``."""
    data: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return data


def certified(label: str) -> list[dict[str, Any]]:
    """Printed values with their enclosures that are examples of the statement `label`; none for most."""
    return [value for value in stored("certified")["values"] if value["label"] == label]


def words(value: dict[str, Any]) -> str:
    """A certified value in a line: as it is printed, and how wide its enclosure is."""
    if value["low"] is None:
        return f"{value['what']}: {value['shown']} ({value['how']})"
    width = value["high"] - value["low"]
    proved = "exactly this" if width == 0 else f"enclosed to {width:.0e}"
    return f"{value['what']}: {value['shown']} ({proved})"
