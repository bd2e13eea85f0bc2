"""Kernels on tuples of symbols: where composition comes from.

An input has C slots, each holding one symbol. Both kernels are built from the same similarity of two symbols,
kappa(a, a) = 1 and kappa(a, b) = rho, and differ only in how slots are put together: summed or multiplied.
Both fit the training set exactly; only one of them composes. See :prf:ref:`thm-connected`,
:prf:ref:`thm-flat-limit` and :prf:ref:`thm-star`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from companion import _validate as check

__all__ = [
    "additive_kernel",
    "composable",
    "composable_pairs",
    "conjunction_values",
    "flat_limit",
    "interpolate",
    "one_hot",
    "product_kernel",
    "star_design",
    "star_prediction",
]

CUT_OFF = 1e-10  # relative size below which a singular value of an integer matrix counts as zero
KERNELS = ("additive", "product")


def additive_kernel(a: Any, b: Any, *, rho: float) -> np.ndarray:
    """Sum over slots of the symbols' similarity: ``sum_c kappa(a_c, b_c)``.

    Parameters
    ----------
    a, b: symbols as whole numbers, shapes (n, C) and (m, C).
    rho: similarity of two different symbols, in [0, 1).

    Returns
    -------
    (n, m) float64, entries between ``rho C`` and ``C``.

    Source: ours; the rows of :prf:ref:`prop-row-space` are its feature map.
    """
    a, b, rho = _pair(a, b, rho)
    return rho * a.shape[1] + (1 - rho) * _matches(a, b)


def product_kernel(a: Any, b: Any, *, rho: float) -> np.ndarray:
    """Product over slots of the symbols' similarity: ``prod_c kappa(a_c, b_c) = rho^(slots that differ)``.

    Shapes and arguments as in `additive_kernel`; entries in [0, 1]. ``rho = 0`` is a lookup table.
    Source: ours, :prf:ref:`prop-product`; an instance of the kernels of Lippl and Stachenfeld (2025).
    """
    a, b, rho = _pair(a, b, rho)
    differ = a.shape[1] - _matches(a, b)
    return np.power(rho, differ)


def interpolate(train: Any, y: Any, test: Any, *, kernel: str, rho: float, ridge: float = 0.0) -> np.ndarray:
    """Predictions on `test` of the minimum-norm interpolator (or kernel ridge) of `kernel`.

    Parameters
    ----------
    train, test: symbols, shapes (n, C) and (m, C).
    y: labels, shape (n,).
    kernel: "additive" or "product".
    rho: similarity of two different symbols, in [0, 1).
    ridge: weight of ``ridge * |f|^2`` against the *sum* of squared errors; 0 for the interpolator.

    Returns
    -------
    (m,) float64.
    """
    kernel = check.one_of("kernel", kernel, KERNELS)
    train, test = _symbols("train", train), _symbols("test", test)
    _same_slots(train, test)
    y = check.vector("y", y, len(train))
    ridge = check.nonnegative("ridge", ridge)
    gram = additive_kernel if kernel == "additive" else product_kernel
    K = gram(train, train, rho=rho)
    if ridge > 0:
        weights = np.linalg.solve(K + ridge * np.eye(len(K)), y)
    else:
        weights = np.linalg.pinv(K, rcond=CUT_OFF, hermitian=True) @ y
    return gram(test, train, rho=rho) @ weights


def one_hot(x: Any, symbols: int) -> np.ndarray:
    """One-hot code of every slot, side by side: shape (n, C) -> (n, C * symbols), C ones in each row."""
    x = _symbols("x", x)
    symbols = check.positive_int("symbols", symbols)
    if x.size and x.max() >= symbols:
        raise ValueError(f"x must hold symbols below {symbols}, got {x.max()}")
    return np.eye(symbols)[x].reshape(len(x), -1)


def flat_limit(train: Any, y: Any, test: Any) -> np.ndarray:
    """The limit rho -> 1 of both interpolators: ``b + sum_c g_c``, least ``|g|^2`` among those that fit, b
    free.

    Shapes as in `interpolate`. Needs labels that some additive function fits exactly.
    Source: ours, :prf:ref:`thm-flat-limit`.

    Raises
    ------
    ValueError: no additive function fits `y`.
    """
    train, test = _symbols("train", train), _symbols("test", test)
    _same_slots(train, test)
    y = check.vector("y", y, len(train))
    symbols = int(max(train.max(), test.max())) + 1
    U = one_hot(train, symbols)
    # With b free, g sees differences of rows only: the row mean is taken out of both sides.
    g = np.linalg.pinv(U - U.mean(axis=0), rcond=CUT_OFF) @ (y - y.mean())
    b = (y - U @ g).mean()
    if not np.allclose(U @ g + b, y, atol=1e-8 * max(1.0, float(np.abs(y).max()))):
        raise ValueError("y must be a sum of one value a slot on the training set; no additive function fits it")
    return one_hot(test, symbols) @ g + b


def composable(train: Any, test: Any) -> np.ndarray:
    """Which new tuples the additive interpolator predicts right for *every* additive target.

    True where the tuple's one-hot code lies in the row space of the training codes
    (:prf:ref:`prop-row-space`); any number of slots. Shapes (n, C), (m, C) -> bool (m,).
    """
    train, test = _symbols("train", train), _symbols("test", test)
    _same_slots(train, test)
    symbols = int(max(train.max(), test.max())) + 1
    U, V = one_hot(train, symbols), one_hot(test, symbols)
    _, sizes, rows = np.linalg.svd(U, full_matrices=False)
    basis = rows[sizes > CUT_OFF * sizes[0]]
    return np.linalg.norm(V - V @ basis.T @ basis, axis=1) < 1e-6


def composable_pairs(train: Any, symbols: int) -> np.ndarray:
    """For two slots: the pairs joined by a path of the training graph, bool (symbols, symbols).

    Nodes are (slot, symbol), edges the training pairs; entry (a, b) is True when symbol a of slot 0 and
    symbol b of slot 1 lie in one component (:prf:ref:`thm-connected`). Costs what a graph search costs, no
    linear algebra.
    """
    train = _symbols("train", train)
    symbols = check.positive_int("symbols", symbols)
    if train.shape[1] != 2:
        raise ValueError(f"train must have 2 slots, got {train.shape[1]}")
    if train.max() >= symbols:
        raise ValueError(f"train must hold symbols below {symbols}, got {train.max()}")
    size = 2 * symbols
    graph = coo_array((np.ones(len(train)), (train[:, 0], symbols + train[:, 1])), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    return label[:symbols, None] == label[None, symbols:]


def conjunction_values(train: Any, y: Any, test: Any, *, rho: float) -> dict[tuple[int, ...], np.ndarray]:
    """The product interpolator's prediction on `test`, split by the conjunction of slots that carries it.

    Keys are sets of slots S (sorted tuples, the empty one included); values, shape (m,), are
    ``rho^(C-|S|) (1-rho)^|S| sum_r weight_r [x_S = x_{r,S}]``: zero where training never showed that
    conjunction. They sum to the prediction (:prf:ref:`prop-product`).
    """
    train, test = _symbols("train", train), _symbols("test", test)
    _same_slots(train, test)
    rho = check.number("rho", rho, low=0, high=1)
    weights = np.linalg.solve(product_kernel(train, train, rho=rho), check.vector("y", y, len(train)))
    slots = train.shape[1]
    same = test[:, None, :] == train[None, :, :]
    parts = {}
    for mask in range(2**slots):
        chosen = tuple(c for c in range(slots) if mask >> c & 1)
        size = rho ** (slots - len(chosen)) * (1 - rho) ** len(chosen)
        parts[chosen] = size * same[:, :, list(chosen)].all(axis=2) @ weights
    return parts


def star_design(slots: int, changed: int) -> tuple[np.ndarray, np.ndarray]:
    """The smallest data set on composition: a background tuple and `changed` tuples that differ from it in
    one slot.

    Returns the training symbols, shape (changed + 1, slots), background first, and the new tuple, shape
    (1, slots), that carries all the changes at once.
    """
    slots = check.positive_int("slots", slots)
    changed = check.integer("changed", changed, low=1, high=slots)
    train = np.zeros((changed + 1, slots), dtype=np.int64)
    train[np.arange(1, changed + 1), np.arange(changed)] = 1
    new = np.zeros((1, slots), dtype=np.int64)
    new[0, :changed] = 1
    return train, new


def star_prediction(background: float, singles: Sequence[float] | np.ndarray, *, rho: float) -> float:
    """The product interpolator on the new tuple of `star_design`, in closed form (:prf:ref:`thm-star`).

    ``rho^(t-1) sum_i f_i - (t-1) rho^t f_0`` for labels f_0 (background) and f_1..f_t (one change each).
    """
    values = check.vector("singles", singles)
    rho = check.number("rho", rho, low=0, high=1)
    t = len(values)
    if t == 0:
        raise ValueError("singles must hold at least one label, got none")
    background = check.number("background", background)
    return float(rho ** (t - 1) * values.sum() - (t - 1) * rho**t * background)


def _pair(a: Any, b: Any, rho: float) -> tuple[np.ndarray, np.ndarray, float]:
    a, b = _symbols("a", a), _symbols("b", b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a and b must have the same number of slots, got {a.shape[1]} and {b.shape[1]}")
    rho = check.number("rho", rho, low=0, high=1)
    if rho == 1:
        raise ValueError("rho must be below 1: at 1 all symbols look alike; use flat_limit for the limit")
    return a, b, rho


def _same_slots(train: np.ndarray, test: np.ndarray) -> None:
    if train.shape[1] != test.shape[1]:
        got = f"{train.shape[1]} and {test.shape[1]}"
        raise ValueError(f"train and test must have the same number of slots, got {got}")


def _symbols(name: str, value: Any) -> np.ndarray:
    x = check.array(name, value)
    if x.ndim != 2 or x.size == 0:
        raise ValueError(f"{name} must be tuples of symbols, shape (n, slots) and not empty; got shape {x.shape}")
    x = check.wholes(name, x, "symbols as whole numbers")
    if x.min() < 0:
        raise ValueError(f"{name} must hold symbols of at least 0, got {x.min()}")
    return x


def _matches(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    total = np.zeros((len(a), len(b)))
    for slot in range(a.shape[1]):
        total += a[:, None, slot] == b[None, :, slot]
    return total
