"""Checks at the public door: one clear error that names the argument, the value and what was expected."""

from __future__ import annotations

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
import scipy.sparse as sp


def _shown(value: Any) -> str:
    """`value` on one line (arrays print on several), cut where it gets long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def integer(name: str, value: Any, *, low: int | None = None, high: int | None = None) -> int:
    """`value` as an int in [low, high]; TypeError if not a whole number, ValueError if out of range."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {_shown(value)} of type {type(value).__name__}")
    whole = int(value)
    if (low is not None and whole < low) or (high is not None and whole > high):
        raise ValueError(f"{name} must be {_range(low, high)}, got {whole}")
    return whole


def positive_int(name: str, value: Any) -> int:
    return integer(name, value, low=1)


def number(
    name: str, value: Any, *, low: float | None = None, high: float | None = None, open_low: bool = False
) -> float:
    """`value` as a finite float in [low, high], or (low, high] with `open_low`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {_shown(value)} of type {type(value).__name__}")
    x = float(value)
    too_low = low is not None and (x <= low if open_low else x < low)
    if not math.isfinite(x) or too_low or (high is not None and x > high):
        raise ValueError(f"{name} must be finite and {_range(low, high, open_low)}, got {_shown(value)}")
    return x


def positive(name: str, value: Any) -> float:
    return number(name, value, low=0, open_low=True)


def nonnegative(name: str, value: Any) -> float:
    return number(name, value, low=0)


def one_of(name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """`value` if it is one of `allowed`, else a ValueError that lists them."""
    allowed = list(allowed)
    if isinstance(value, np.ndarray) or value not in allowed:  # an array compares with each in its own way
        raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {_shown(value)}")
    return value


def _range(low: float | None, high: float | None, open_low: bool = False) -> str:
    if low is None and high is None:
        return "any value"
    if low is None:
        return f"at most {high}"
    if high is None:
        return f"greater than {low}" if open_low else f"at least {low}"
    return f"in {'(' if open_low else '['}{low}, {high}]"


def vector(name: str, value: Any, size: int | None = None) -> np.ndarray:
    """`value` as a finite float64 vector, shape (size,); a new array only where a conversion needs one."""
    array = _numeric(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name} must be a vector, shape (n,); got shape {array.shape}")
    if size is not None and array.size != size:
        raise ValueError(f"{name} must have length {size}, got {array.size}")
    _finite(name, array)
    return array.astype(np.float64, copy=False)


def design(name: str, value: Any) -> Any:
    """`value` as a finite 2-d float64 array or canonical CSR array (n, d), never changing the caller's data."""
    if sp.issparse(value):
        if value.ndim != 2:
            raise ValueError(f"{name} must be a matrix, shape (n, d); got shape {value.shape}")
        _real(name, value.dtype)
        csr = sp.csr_array(value, dtype=np.float64)
        if not csr.has_canonical_format:  # sums duplicate entries, sorts indices; both work in place
            csr = csr.copy()
            csr.sum_duplicates()
        if csr.nnz and not csr.data.all():
            csr = csr.copy()
            csr.eliminate_zeros()
        _finite(name, csr.data)
        return csr
    array = _numeric(name, value)
    if array.ndim != 2:
        raise ValueError(f"{name} must be a matrix, shape (n, d); got shape {array.shape}")
    _finite(name, array)
    return array.astype(np.float64, copy=False)


def sparse_design(name: str, value: Any) -> sp.csr_array:
    """`design` as a canonical CSR array with at least one row and one column."""
    csr = sp.csr_array(design(name, value))
    if 0 in csr.shape:
        raise ValueError(f"{name} must have at least one row and one column, got shape {csr.shape}")
    return csr


def _numeric(name: str, value: Any) -> np.ndarray:
    if sp.issparse(value):
        raise TypeError(f"{name} must be a dense array, got a sparse {type(value).__name__}")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers ({error})") from None
    _real(name, array.dtype)
    return array


def _real(name: str, dtype: np.dtype) -> None:
    if dtype.kind not in "buif":
        raise TypeError(f"{name} must hold real numbers, got dtype {dtype}")


def _finite(name: str, array: np.ndarray) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise ValueError(f"{name} must be finite, got {bad} NaN or infinite value(s)")
