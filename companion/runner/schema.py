"""What a file of ours must look like before anything in it is believed."""

import json
import math
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAMES = {str: "a string", int: "a whole number", float: "a finite number", dict: "an object", list: "a list"}

_REPETITION = {"code": str, "runs": int, "of": int, "date": str}
FORMAT = 1
RESULT = {
    "format": FORMAT,
    "experiment": str,
    "preset": str,
    "settings": dict,
    "seeds": [int],
    "by": [str],
    "rows": [dict],
    "digest": str,
    "provenance": {
        "device": str,
        "versions": {str: str},
        "code": str,
        "date": str,
        "seconds": float,
        "repeated?": _REPETITION,
        "kept?": {"seeds": int, "code": str, "repeated": _REPETITION},
    },
}
PIECE = {"rows": [dict], "seconds": float, "digest": str, "versions": {str: str}, "device": str}


def parse(file: Path, kind: Any) -> Any:
    """The contents of a JSON file of the shape `kind`; ValueError names the file, the field and what was expected.

    A shape is a type (`float` takes whole numbers too, none of them takes a boolean), a number that must be there,
    `[shape]` for a list, `{str: shape}` for an object, or an object's fields by name, "name?" where it may be absent.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON, nested too deeply
        raise ValueError(f"{file} cannot be read: it is no JSON ({' '.join(str(error).split())})") from None
    if told := next(_faults(data, kind, ""), None):
        raise ValueError(f"{file} cannot be read: {told}")
    return data


def _faults(value: Any, kind: Any, where: str) -> Iterator[str]:
    """Where `value` is not of the shape `kind`."""
    outer = kind if isinstance(kind, type) else type(kind)
    if not _is(value, outer) or (outer is int and kind not in (int, value)):
        wanted = f"{kind}" if isinstance(kind, int) else _NAMES[outer]
        yield f"{where or 'it'} must be {wanted}, got {reprlib.repr(value)}"
    elif isinstance(kind, list):
        for i, entry in enumerate(value):
            yield from _faults(entry, kind[0], f"{where}[{i}]")
    elif isinstance(kind, dict):
        for field, inner in (dict.fromkeys(value, kind[str]) if str in kind else kind).items():
            name = field.rstrip("?")
            place = f"{where}.{name}".lstrip(".")
            if name in value:
                yield from _faults(value[name], inner, place)
            elif name == field:
                yield f"{place} is missing"


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)
