"""What the functions of this area ask of their arguments, beside the checks that all areas share."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from companion._validate import design, integer


def generator(seed: Any) -> np.random.Generator:
    """The random numbers of `seed`, a whole number of at least 0, or of several: a seed and what it is used for.

    Two uses within one run take two streams, (seed, 1) and (seed, 2); seed + 1 would be the next run's.
    """
    return np.random.default_rng(seed_words(seed))


def seed_words(seed: Any) -> tuple[int, ...]:
    """`seed` as whole numbers, one or several; TypeError or ValueError that names it otherwise."""
    if isinstance(seed, (tuple, list)) and seed:
        return tuple(integer("seed", word, low=0) for word in seed)
    return (integer("seed", seed, low=0),)


def bool_matrix(name: str, value: Any) -> np.ndarray:
    """`value` as a non-empty bool array of two axes."""
    array = array_of(name, value)
    if array.dtype != bool:
        raise TypeError(f"{name} must hold booleans, got dtype {array.dtype}")
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{name} must be a non-empty matrix, one row a model and one column a point; got shape {array.shape}"
        )
    return array


def mask(name: str, value: Any, size: int) -> np.ndarray:
    """`value` as a bool array (size,)."""
    array = array_of(name, value)
    if array.dtype != bool or array.shape != (size,):
        raise ValueError(f"{name} must be a bool mask of shape ({size},); got {array.dtype} of shape {array.shape}")
    return array


def numbers(name: str, value: Any, *, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """`value` as a float array of any shape whose entries are NaN (unknown) or finite and in [low, high]."""
    array = array_of(name, value)
    if array.dtype.kind not in "buif":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    array = array if array.dtype.kind == "f" else array.astype(float)
    wrong = np.isinf(array) | (array < low) | (array > high)
    if wrong.any():
        expected = "finite numbers or NaN" if np.isinf([low, high]).all() else f"numbers in [{low:g}, {high:g}] or NaN"
        raise ValueError(f"{name} must hold {expected}, got {array[wrong].flat[0]:g}")
    return array


def labels(name: str, value: Any, size: int, of: str = "X") -> np.ndarray:
    """`value` as a vector (size,) of labels of any kind, none of them NaN: one a row of the argument `of`."""
    array = array_of(name, value)
    if array.shape != (size,):
        raise ValueError(f"{name} must hold one label a row of {of}, shape ({size},); got shape {array.shape}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} must hold labels, got {int(np.isnan(array).sum())} NaN")
    return array


def class_numbers(name: str, value: Any, classes: int | None = None) -> np.ndarray:
    """`value` as a vector of class numbers 0, 1, ..., below `classes` if that is given; at least one of them."""
    array = array_of(name, value)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be a vector of at least one class number; got shape {array.shape}")
    if array.dtype.kind not in "ui":
        raise TypeError(f"{name} must hold class numbers 0, 1, ...; got dtype {array.dtype}")
    if array.min() < 0 or (classes is not None and array.max() >= classes):
        wrong = array.min() if array.min() < 0 else array.max()
        expected = "0, 1, ..." if classes is None else f"in [0, {classes - 1}]"
        raise ValueError(f"{name} must hold class numbers {expected}; got {wrong}")
    return array


def dense_design(name: str, value: Any, columns: int | None = None) -> np.ndarray:
    """`value` as a finite float matrix with a row and a column, with this many columns if that is known."""
    if sp.issparse(value):
        raise TypeError(f"{name} must be a dense array, got a sparse {type(value).__name__}")
    array: np.ndarray = design(name, value)
    if 0 in array.shape:
        raise ValueError(f"{name} must have at least one row and one column, got shape {array.shape}")
    if columns is not None and array.shape[1] != columns:
        raise ValueError(f"{name} must have {columns} columns, got {array.shape[1]}")
    return array


def array_of(name: str, value: Any) -> np.ndarray:
    """`value` as an array; ValueError that names it if its rows are of different lengths."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array ({str(error).splitlines()[0]})") from None
