"""Random parameters, simple functions: the parameter-function map is biased.

Valle-Perez, Camargo and Louis (2019) draw the weights of a network at random and ask which Boolean function
comes out. There are 2^32 functions of five bits, and a fair draw would almost never repeat one; the network
repeats the simple ones all the time. Complexity is the number of words in a Lempel-Ziv (1976) parsing of the
32 outputs, read in both directions and scaled as in their paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, sizes

BITS = 5
INPUTS = np.array([[2.0 * (code >> bit & 1) - 1.0 for bit in range(BITS)] for code in range(2**BITS)])


def words(text: str) -> int:
    """Number of words in the Lempel-Ziv (1976) parsing of ``text``."""
    count, start, length = 1, 1, 1
    while start + length <= len(text):
        if text[start : start + length] in text[: start + length - 1]:
            length += 1
        else:
            count, start, length = count + 1, start + length, 1
    return count + (length > 1)


def complexity(table: NDArray[np.bool_]) -> float:
    """Scaled Lempel-Ziv complexity of a truth table (32,), averaged over both reading directions.

    A constant table scores log2(32) = 5 by convention, a typical random table about 38.
    """
    text = "".join("1" if value else "0" for value in table)
    if table.all() or not table.any():
        return float(np.log2(len(text)))
    return float(np.log2(len(text)) * (words(text) + words(text[::-1])) / 2)


def tables(
    count: int, *, rng: np.random.Generator, width: int, weight: float, bias: float, activation: str
) -> NDArray[np.bool_]:
    """Truth tables (count, 32) of ``count`` random networks 5-width-width-1.

    Weights have standard deviation ``weight / sqrt(inputs)``, biases ``bias``; ``activation`` is "relu",
    "tanh" or "coin", the last meaning 32 fair coin flips and no network at all.
    """
    if activation == "coin":
        return rng.integers(0, 2, size=(count, len(INPUTS))).astype(bool)
    state = np.broadcast_to(INPUTS, (count, *INPUTS.shape))
    for depth, size in enumerate((width, width, 1)):
        fan_in = state.shape[-1]
        w = rng.normal(scale=weight / np.sqrt(fan_in), size=(count, fan_in, size)).astype(np.float32)
        b = rng.normal(scale=bias, size=(count, 1, size)).astype(np.float32)
        state = state.astype(np.float32) @ w + b
        if depth < 2:
            state = np.maximum(state, 0) if activation == "relu" else np.tanh(state)
    return state[:, :, 0] > 0


def run(
    *,
    seed: int,
    count: int = 10_000,
    width: int = 40,
    weight: float = 1.4,
    bias: float = 0.3,
    activation: str = "relu",
) -> dict[str, Any]:
    """Draw networks, count the functions they compute and measure how complex those are.

    Returns:
        ``distinct`` functions found; ``constant``: share of draws that are constant; ``top``: share taken by
        the ten most frequent functions that are not constant; ``mean_complexity`` of a draw and of a
        ``balanced`` draw (12 to 20 ones; NaN if there is none), where constants play no part;
        ``correlation`` between log-frequency and complexity over functions drawn at least twice (NaN if
        fewer than ten).
    """
    found = _draw(seed, count, width, weight, bias, activation)
    codes, index, times = _functions(found)
    scores = np.array([complexity(found[i]) for i in index])
    ones = found[index].sum(axis=1)
    constant = (ones == 0) | (ones == 32)
    balanced = (ones >= 12) & (ones <= 20)
    often = times >= 2
    varied = often.sum() >= 10 and np.ptp(times[often]) > 0
    return {
        "distinct": len(codes),
        "constant": times[constant].sum() / len(found),
        "top": np.sort(times[~constant])[-10:].sum() / len(found),
        "mean_complexity": np.average(scores, weights=times),
        "balanced": np.average(scores[balanced], weights=times[balanced]) if balanced.any() else np.nan,
        "correlation": np.corrcoef(np.log(times[often]), scores[often])[0, 1] if varied else np.nan,
    }


def cloud(
    *,
    seed: int,
    count: int = 10_000,
    width: int = 40,
    weight: float = 1.4,
    bias: float = 0.3,
    activation: str = "relu",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Complexity and number of draws of every function found, for the scatter plot: two arrays."""
    found = _draw(seed, count, width, weight, bias, activation)
    _, index, times = _functions(found)
    return np.array([complexity(found[i]) for i in index]), times.astype(float)


def _draw(seed: int, count: int, width: int, weight: float, bias: float, activation: str) -> NDArray[np.bool_]:
    """Truth tables (count, 32), drawn a thousand networks at a time: that bounds the memory."""
    count, width = sizes(count=count, width=width)
    weight = _validate.nonnegative("weight", weight)
    bias = _validate.nonnegative("bias", bias)
    activation = _validate.one_of("activation", activation, ("relu", "tanh", "coin"))
    rng = generator(seed)
    parts = [min(1000, count - done) for done in range(0, count, 1000)]
    return np.concatenate(
        [tables(part, rng=rng, width=width, weight=weight, bias=bias, activation=activation) for part in parts]
    )


def _functions(found: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]:
    """The different functions among truth tables (count, 32): code, row where it first occurs, how often it does."""
    codes = found @ (1 << np.arange(32, dtype=np.int64))
    return np.unique(codes, return_index=True, return_counts=True)
