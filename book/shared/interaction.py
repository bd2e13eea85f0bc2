"""How far a function of several slots is from being additive: the share of its variance that is interaction."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from companion import _validate as check

__all__ = ["double_difference", "interaction_share", "two_change_share"]

Function = Callable[[np.ndarray], Any]


def double_difference(f: Function, here: Any, there: Any, slots: tuple[int, int]) -> np.ndarray:
    """What exchanging two slots changes beyond the sum of exchanging each: ``f(x) - f(x^c) - f(x^d) + f(x^cd)``.

    Parameters
    ----------
    f: function of an array of tuples, shape (n, C), with n values.
    here, there: tuples, shape (n, C); x^c is a row of `here` with slot c taken from `there`.
    slots: the two slots c and d.

    Returns
    -------
    (n,) float64; zero for every additive f.
    """
    here, there = _tuples(here, there)
    c, d = chosen = check.wholes("slots", slots).tolist() if np.shape(slots) == (2,) else (0, 0)
    if c == d or not all(0 <= s < here.shape[1] for s in chosen):
        raise ValueError(f"slots must be two different slots below {here.shape[1]}, got {slots!r}")
    corners = [_exchange(here, there, chosen) for chosen in ((), (c,), (d,), (c, d))]
    one, two, three, four = np.split(_values(f, np.concatenate(corners)), 4)
    difference: np.ndarray = one - two - three + four
    return difference


def interaction_share(f: Function, here: Any, there: Any) -> float:
    """Share of the variance of f that two slots make together, averaged over the pairs of slots; in [0, 1] on average.

    The mean square of `double_difference`, over four times the variance of f (:prf:ref:`prop-interaction-share`).
    0 for an additive f, about 1 for one that hashes its input.

    Parameters
    ----------
    f: function of an array of tuples, shape (n, C), with n values.
    here, there: independent draws of tuples with independent slots, shape (n, C), C >= 2.

    Raises
    ------
    ValueError
        f is constant on the tuples given: a share of nothing.
    """
    here, there = _tuples(here, there)
    everything = range(here.shape[1])
    spread = _values(f, np.concatenate([here, there])).reshape(2, -1)
    variance = float(np.mean((spread[0] - spread[1]) ** 2)) / 2
    if variance == 0:
        raise ValueError("f must vary over the tuples given, got the same value on all")
    pairs = itertools.combinations(everything, 2)
    return float(np.mean([np.mean(double_difference(f, here, there, pair) ** 2) for pair in pairs]) / (4 * variance))


def two_change_share(one_change: float, two_changes: float) -> float:
    """Share w of the truth that a kernel interpolator keeps of two changes that it saw one at a time.

    ``w = A (1 - B) / (1 + B - 2 A^2)`` for a kernel that is 1 on equal tuples, ``one_change`` = A and
    ``two_changes`` = B on tuples that differ in one and in two slots (:prf:ref:`prop-kept`).

    Raises
    ------
    ValueError
        The kernel matrix of the three training tuples is not positive definite.
    """
    a, b = check.number("one_change", one_change), check.number("two_changes", two_changes)
    if not (b < 1 and 1 + b > 2 * a * a):
        raise ValueError(f"a kernel with {a:g} after one change and {b:g} after two is not positive definite")
    return a * (1 - b) / (1 + b - 2 * a * a)


def _exchange(here: np.ndarray, there: np.ndarray, slots: tuple[int, ...]) -> np.ndarray:
    made = here.copy()
    made[:, list(slots)] = there[:, list(slots)]
    return made


def _values(f: Function, tuples: np.ndarray) -> np.ndarray:
    values = check.reals("f", f(tuples))
    if values.shape != (len(tuples),):
        raise ValueError(f"f must return one value a tuple, shape ({len(tuples)},); got {values.shape}")
    return values


def _tuples(here: Any, there: Any) -> tuple[np.ndarray, np.ndarray]:
    here, there = check.array("here", here), check.array("there", there)
    if here.ndim != 2 or here.shape != there.shape or here.shape[1] < 2 or not len(here):
        raise ValueError(f"here and there must have one shape (n, C) with C >= 2, got {here.shape} and {there.shape}")
    return here, there
