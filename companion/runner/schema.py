"""What a file of ours must look like before anything in it is believed."""

import json
import math
from pathlib import Path
from typing import Any

_NAMES = {str: "a string", int: "a whole number", float: "a finite number", dict: "an object", type(None): "null"}

STATISTICS = {name: (float, type(None)) for name in ("mean", "sd", "low", "high")} | {"n": int}
_REPETITION = {"code": str, "runs": int, "of": int, "date": str}
RESULT = {
    "format": int,
    "experiment": str,
    "preset": str,
    "settings": dict,
    "seeds": [int],
    "by": [str],
    "rows": [dict],
    "summary": [dict],
    "digest?": str,
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

    A shape is a type (`float` takes whole numbers too, none of them takes a boolean), a tuple of alternatives,
    `[shape]` for a list, `{str: shape}` for an object, or an object's fields by name, "name?" where it may be absent.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        told = differs(data, kind)
    except RecursionError:
        told = "it is nested too deeply"
    except ValueError as error:  # no UTF-8, no JSON
        told = f"it is no JSON ({' '.join(str(error).split())})"
    if told:
        raise ValueError(f"{file} cannot be read: {told}")
    return data


def differs(value: Any, kind: Any, where: str = "") -> str | None:
    """Where `value` is not of the shape `kind`, None if it is."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            return _wrong(value, "a list", where)
        told = (differs(entry, kind[0], f"{where}[{i}]") for i, entry in enumerate(value))
        return next(filter(None, told), None)
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return _wrong(value, "an object", where)
        if str in kind:
            told = (differs(entry, kind[str], f"{where}.{key}") for key, entry in value.items())
            return next(filter(None, told), None)
        for field, inner in kind.items():
            name = field.rstrip("?")
            if name in value:
                if found := differs(value[name], inner, f"{where}.{name}".lstrip(".")):
                    return found
            elif name == field:
                return f"{where}.{name}".lstrip(".") + " is missing"
        return None
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if any(_is(value, k) for k in kinds):
        return None
    return _wrong(value, " or ".join(_NAMES[k] for k in kinds), where)


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)


def _wrong(value: Any, wanted: str, where: str) -> str:
    text = repr(value)
    return f"{where or 'it'} must be {wanted}, got {text if len(text) <= 60 else text[:57] + '...'}"
