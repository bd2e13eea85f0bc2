"""What the functions of this area ask of their arguments, beside the checks that all areas share."""

from typing import Any

import numpy as np

from companion._validate import array, reals, wholes


def bool_matrix(name: str, value: Any) -> np.ndarray:
    """`value` as a non-empty bool array of two axes."""
    made = array(name, value)
    if made.dtype != bool:
        raise TypeError(f"{name} must hold booleans, got dtype {made.dtype}")
    if made.ndim != 2 or 0 in made.shape:
        raise ValueError(
            f"{name} must be a non-empty matrix, one row a model and one column a point; got shape {made.shape}"
        )
    return made


def numbers(name: str, value: Any, *, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """`value` as a float64 array of any shape whose entries are NaN (unknown) or finite and in [low, high]."""
    made = reals(name, value, finite=False)
    wrong = np.isinf(made) | (made < low) | (made > high)
    if wrong.any():
        expected = "finite numbers or NaN" if np.isinf([low, high]).all() else f"numbers in [{low:g}, {high:g}] or NaN"
        raise ValueError(f"{name} must hold {expected}, got {made[wrong].flat[0]:g}")
    return made


def labels(name: str, value: Any, size: int, of: str = "X") -> np.ndarray:
    """`value` as a vector (size,) of labels of any kind, none of them missing: one a row of the argument `of`."""
    made = array(name, value)
    if made.shape != (size,):
        raise ValueError(f"{name} must hold one label a row of {of}, shape ({size},); got shape {made.shape}")
    if made.dtype.kind in "fc" and np.isnan(made).any():
        raise ValueError(f"{name} must hold labels, got {int(np.isnan(made).sum())} NaN")
    return made


def class_numbers(name: str, value: Any, classes: int | None = None) -> np.ndarray:
    """`value` as an int64 vector of class numbers 0, 1, ..., below `classes` if that is given; at least one of them."""
    made = array(name, value)
    if made.ndim != 1 or made.size == 0:
        raise ValueError(f"{name} must be a vector of at least one class number; got shape {made.shape}")
    made = wholes(name, made, "class numbers 0, 1, ...")
    if made.min() < 0 or (classes is not None and made.max() >= classes):
        wrong = made.min() if made.min() < 0 else made.max()
        expected = "0, 1, ..." if classes is None else f"in [0, {classes - 1}]"
        raise ValueError(f"{name} must hold class numbers {expected}; got {wrong}")
    return made


def dense_design(name: str, value: Any, columns: int | None = None) -> np.ndarray:
    """`value` as a finite float matrix with a row and a column, with this many columns if that is known."""
    made = reals(name, value)
    if made.ndim != 2:
        raise ValueError(f"{name} must be a matrix, shape (n, d); got shape {made.shape}")
    if 0 in made.shape:
        raise ValueError(f"{name} must have at least one row and one column, got shape {made.shape}")
    if columns is not None and made.shape[1] != columns:
        raise ValueError(f"{name} must have {columns} columns, got {made.shape[1]}")
    return made
