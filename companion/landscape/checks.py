"""What every demonstration asks of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from companion import _validate
from companion._validate import generator

__all__ = ["generator", "several", "sizes"]

T = TypeVar("T")


def several(name: str, values: Any, door: Callable[..., T], **limits: float) -> tuple[T, ...]:
    """Each of `values`, a sequence of at least one, through `door`; TypeError or ValueError that names it otherwise."""
    if not isinstance(values, (Sequence, np.ndarray)) or isinstance(values, str):
        raise TypeError(f"{name} must be a sequence of numbers, got {values!r} of type {type(values).__name__}")
    if len(values) == 0:
        raise ValueError(f"{name} must hold at least one number, got none")
    return tuple(door(name, value, **limits) for value in values)


def sizes(**values: Any) -> tuple[int, ...]:
    """`values` as whole numbers; TypeError or ValueError that names the first that is none of at least 1."""
    return tuple(_validate.positive_int(name, value) for name, value in values.items())
