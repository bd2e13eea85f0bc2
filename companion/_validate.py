"""The public door: each argument is converted once, and what comes back is what is used from there on.

A refusal is one clear line that names the argument, the value and what was expected. Nothing here returns what it was
given where that could be NumPy's own number, a mask, a tensor or a view: whole numbers come back as int, numbers as
float, arrays in plain storage.
"""

import math
from collections.abc import Iterable
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

LARGEST = 2**63 - 1  # what an array can count


def _shown(value: Any) -> str:
    """`value` on one line (arrays print on several), cut where it gets long."""
    try:
        text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    except ValueError:  # Python prints no whole number of more than 4,300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


def integer(name: str, value: Any, *, low: int | None = None, high: float | None = None) -> int:
    """`value` as an int in [low, high]; TypeError if not a whole number, ValueError if out of range.

    Without `high` it must fit 64 bits, as sizes do; infinity lets through any, as seeds are.
    """
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {_shown(value)} of type {type(value).__name__}")
    whole = int(value)
    top = LARGEST if high is None else high
    if whole > top or whole < (-LARGEST if low is None else low):
        high = None if top == math.inf else top if whole > top else high
        raise ValueError(f"{name} must be {_range(low, high)}, got {_shown(whole)}")
    return whole


def positive_int(name: str, value: Any) -> int:
    return integer(name, value, low=1)


def generator(seed: Any) -> np.random.Generator:
    """The random numbers of `seed`: a whole number of at least 0, several (a seed and its use), or a generator.

    Two uses within one run take two streams, (seed, 1) and (seed, 2); seed + 1 would be the next run's.
    """
    return seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed_words(seed))


def seed_words(seed: Any) -> tuple[int, ...]:
    """`seed` as whole numbers, one or several; TypeError or ValueError that names it otherwise."""
    words = seed if isinstance(seed, (tuple, list)) and seed else (seed,)
    return tuple(integer("seed", word, low=0, high=math.inf) for word in words)


def number(
    name: str, value: Any, *, low: float | None = None, high: float | None = None, open_low: bool = False
) -> float:
    """`value` as a finite float in [low, high], or (low, high] with `open_low`."""
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {_shown(value)} of type {type(value).__name__}")
    try:
        x = float(value)
    except OverflowError:
        x = math.inf
    too_low = low is not None and (x <= low if open_low else x < low)
    if not math.isfinite(x) or too_low or (high is not None and x > high):
        raise ValueError(f"{name} must be finite and {_range(low, high, open_low)}, got {_shown(value)}")
    return x


def positive(name: str, value: Any) -> float:
    return number(name, value, low=0, open_low=True)


def nonnegative(name: str, value: Any) -> float:
    return number(name, value, low=0)


def one_of(name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """The one of `allowed` that equals `value`, else a ValueError that lists them."""
    allowed = list(allowed)
    for known in allowed:
        if value is known or (np.isscalar(value) and value == known):  # an array compares with each in its own way
            return known
    raise ValueError(f"{name} must be one of {', '.join(map(str, allowed))}; got {_shown(value)}")


def device(value: Any = "auto") -> Any:
    """`value` as a torch.device that is here: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1" or a device."""
    import torch

    name = str(value)
    kind = one_of("device", name.partition(":")[0], ("auto", "cpu", "cuda"))
    here = torch.cuda.device_count() if kind != "cpu" and torch.cuda.is_available() else 0
    if kind == "cuda" and not here:
        raise ValueError(f"device must be one that is here, got {name!r}: torch sees no CUDA GPU")
    try:
        made = torch.device(("cuda" if here else "cpu") if name == "auto" else name)
    except RuntimeError:
        raise ValueError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}") from None
    if kind == "cuda" and (made.index or 0) >= here:
        raise ValueError(f"device must be one that is here, got {name!r}: torch sees {here} CUDA GPU(s)")
    return made


def path(name: str, value: Any) -> Path:
    """`value`, text or a path, as a Path with ~ expanded; ValueError for an empty text or the ~ of an unknown user."""
    if not isinstance(value, (str, Path)):
        raise TypeError(f"{name} must be a path, got {_shown(value)} of type {type(value).__name__}")
    try:
        if value != "":
            return Path(value).expanduser()
    except RuntimeError:  # no such user
        pass
    raise ValueError(f"{name} must be a path, with ~ only for a user of this machine; got {_shown(value)}")


def _range(low: float | None, high: float | None, open_low: bool = False) -> str:
    if low is None and high is None:
        return "any value"
    if low is None:
        return f"at most {high}"
    if high is None:
        return f"greater than {low}" if open_low else f"at least {low}"
    return f"in {'(' if open_low else '['}{low}, {high}]"


def array(name: str, value: Any) -> np.ndarray:
    """`value` as an array of any kind in plain storage, none of it masked or missing; a copy only where needed.

    Tensors leave their graph and device. Objects that are all booleans or all numbers, as in a data frame of several
    types, become such an array. Other byte orders and backward views, which torch does not take, are copied.
    """
    if sp.issparse(value):
        raise TypeError(f"{name} must be a dense array, got a sparse {type(value).__name__}")
    parts = value if isinstance(value, (list, tuple)) else (value,)
    masked = sum(np.ma.count_masked(part) for part in parts if isinstance(part, np.ma.MaskedArray))
    if masked:
        raise ValueError(f"{name} must not be masked, got {masked} masked value(s)")
    try:
        made = np.asarray(value.numpy(force=True) if hasattr(type(value), "detach") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must be a rectangular array ({str(error).splitlines()[0]})") from None
    if made.dtype.kind not in "biufc":  # NumPy writes a NaN among strings as the string "nan": look at what was given
        made = _unboxed(name, made, np.asarray(value, dtype=object))
    if not made.dtype.isnative or any(step < 0 or step % made.itemsize for step in made.strides):
        made = made.astype(made.dtype.newbyteorder("="), order="C")
    return made


def _unboxed(name: str, made: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Objects as the plain numbers that they all are, if so; ValueError at the first that is missing."""
    entries = given.ravel().tolist()
    for kind, dtype in ((np.bool_, bool), (Integral, np.int64), (Real, np.float64)):
        if made.dtype == object and entries and all(isinstance(entry, (bool, np.bool_, kind)) for entry in entries):
            try:
                return made.astype(dtype)
            except OverflowError:  # beyond 64 bits: still good as labels
                return made
    for at, entry in np.ndenumerate(given):
        if at and _missing(entry):
            raise ValueError(f"{name} must hold no missing value, got {_shown(entry)} at {list(at)}")
    return made


def _missing(entry: Any) -> bool:
    """None, NaN and NaT (not equal to themselves), and pandas' NA (which does not say)."""
    try:
        return entry is None or bool(entry != entry)
    except (TypeError, ValueError) as error:
        return isinstance(error, TypeError)


def reals(name: str, value: Any, *, finite: bool = True) -> np.ndarray:
    """`value` as a float64 array of any shape."""
    made = array(name, value)
    _real(name, made.dtype)
    if made.dtype != np.float64:
        with np.errstate(over="ignore"):  # an extended number beyond float64 becomes infinite
            made = made.astype(np.float64)
    if finite:
        _finite(name, made)
    return made


def wholes(name: str, value: Any, what: str = "whole numbers") -> np.ndarray:
    """`value` as an int64 array of any shape."""
    made = array(name, value)
    if made.size and made.dtype.kind not in "ui":
        raise TypeError(f"{name} must hold {what}, got dtype {made.dtype}")
    if made.size and made.max() > LARGEST:
        raise ValueError(f"{name} must hold {what} of at most {LARGEST}, got {made.max()}")
    return made.astype(np.int64, copy=False)


def vector(name: str, value: Any, size: int | None = None) -> np.ndarray:
    """`value` as a finite float64 vector, shape (size,); a new array only where a conversion needs one."""
    made = reals(name, value)
    if made.ndim != 1:
        raise ValueError(f"{name} must be a vector, shape (n,); got shape {made.shape}")
    if size is not None and made.size != size:
        raise ValueError(f"{name} must have length {size}, got {made.size}")
    return made


def frequencies(p: Any) -> np.ndarray:
    """`p` as a non-empty float vector (d,) of probabilities; ValueError that names p otherwise."""
    p = vector("p", p)
    if p.size == 0:
        raise ValueError("p must hold at least one frequency, got an empty vector")
    if p.min() < 0 or p.max() > 1:
        raise ValueError(f"p must hold probabilities in [0, 1], got values in [{p.min()}, {p.max()}]")
    return p


def split(p: Any, k: Any, *, low: int = 0, left: int = 0) -> tuple[np.ndarray, int]:
    """Frequencies (d,) and the number k of common ones, at least `low`, with at least `left` after them."""
    p = frequencies(p)
    return p, integer("k", k, low=low, high=p.size - left)


def mask(name: str, value: Any, size: int) -> np.ndarray:
    """`value` as a bool array (size,)."""
    made = array(name, value)
    if made.dtype != bool or made.shape != (size,):
        raise ValueError(f"{name} must be a bool mask of shape ({size},); got {made.dtype} of shape {made.shape}")
    return made


def columns(name: str, value: Any, d: int) -> np.ndarray:
    """Column numbers of a set of features given as numbers or as a boolean mask (d,); never empty."""
    made = array(name, value)
    if made.dtype == bool:
        made = np.flatnonzero(mask(name, made, d))
    if made.ndim != 1 or made.size == 0:
        raise ValueError(f"{name} must be a non-empty list of column numbers, got shape {made.shape}")
    made = wholes(name, made)
    if made.min() < 0 or made.max() >= d:
        raise ValueError(f"{name} must be in [0, {d - 1}], got {made.min()} to {made.max()}")
    values, times = np.unique(made, return_counts=True)
    if values.size != made.size:
        raise ValueError(f"{name} must not repeat a column number, got {values[times > 1][0]} twice or more")
    return made


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
    made = _filled(name, _matrix(name, value))
    if columns is not None and made.shape[1] != columns:
        raise ValueError(f"{name} must have {columns} columns, got {made.shape[1]}")
    return made


def design(name: str, value: Any) -> Any:
    """`value` as a finite 2-d float64 array or canonical CSR array (n, d), never changing the caller's data."""
    if not sp.issparse(value):
        return _matrix(name, value)
    if value.ndim != 2:
        raise ValueError(f"{name} must be a matrix, shape (n, d); got shape {value.shape}")
    _real(name, value.dtype)
    with np.errstate(over="ignore"):
        value = value.astype(np.float64, copy=False)
    csr = sp.csr_array(value)  # after the conversion: it adds duplicates up, and small integers would wrap
    if not csr.has_canonical_format:  # sums duplicate entries, sorts indices; both work in place
        csr = csr.copy()
        csr.sum_duplicates()
    if csr.nnz and not csr.data.all():
        csr = csr.copy()
        csr.eliminate_zeros()
    _finite(name, csr.data)
    return csr


def of_parts(kind: Any, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, shape: tuple[int, ...]) -> Any:
    """A sparse array of parts that are known to fit.

    The checks of scipy's constructor take longer than any step of a solve with a thousand rows, and there are a dozen.
    """
    made = kind.__new__(kind)
    made.data, made.indices, made.indptr, made._shape = data, indices, indptr, shape
    return made


def sparse_design(name: str, value: Any) -> sp.csr_array:
    """`design` as a canonical CSR array with at least one row and one column."""
    made = _filled(name, design(name, value))
    return made if sp.issparse(made) else sp.csr_array(made)


def _matrix(name: str, value: Any) -> np.ndarray:
    made = reals(name, value)
    if made.ndim != 2:
        raise ValueError(f"{name} must be a matrix, shape (n, d); got shape {made.shape}")
    return made


def _filled(name: str, made: Any) -> Any:
    if 0 in made.shape:
        raise ValueError(f"{name} must have at least one row and one column, got shape {made.shape}")
    return made


def _real(name: str, dtype: np.dtype) -> None:
    if dtype.kind not in "buif":
        raise TypeError(f"{name} must hold real numbers, got dtype {dtype}")


def _finite(name: str, made: np.ndarray) -> None:
    if not np.isfinite(made).all():
        bad = int(made.size - np.isfinite(made).sum())
        raise ValueError(f"{name} must be finite, got {bad} NaN or infinite value(s)")
