"""What stands beside a claim's check: certified numbers and nearest worlds, as ``tests/evidence.py`` left them.

Neither needs a library of its own to be shown: two files in ``book/reference`` hold what was found.
"""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

ROUNDING = 1e-9  # a margin below this is 0
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


def nearest(label: str) -> dict[str, Any] | None:
    """The world that came closest to refuting the statement `label`, with its margin; None where it was not hunted."""
    found: dict[str, Any] | None = stored("nearest")["hunts"].get(label)
    return found


def margin_words(found: dict[str, Any]) -> str:
    """The margin of a nearest world in a line."""
    if found["kind"] == "identity":
        size = max(-found["margin"], 1e-16)
        return f"{found['what']}: below {10.0 ** math.ceil(math.log10(size)):.0e} in every world tried"
    if abs(found["margin"]) < ROUNDING:
        return f"{found['what']}: 0, attained"
    return f"{found['what']}: {found['margin']:.2g}"


def change_words(found: dict[str, Any]) -> str:
    """What the same search does to the changed statement, and what z3 says, in sentences."""
    after = found["changed_after"]
    said = f"Changed ({found['change']}), the same search refutes it in the {_ordinal(after)} world."
    if found["none_among"]:
        said += f" Among the worlds of this kind, {found['none_among']}, z3 proves that none refutes it."
    return said


def _ordinal(n: int) -> str:
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n:,}{ending}"
