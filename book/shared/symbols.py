"""Long-tailed tuples of symbols: the smallest twin of "stack three images, predict the sum"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from book.shared.kernels import composable, interpolate
from companion import _validate as check

__all__ = ["SymbolTask", "symbol_losses", "symbol_task"]


@dataclass(frozen=True)
class SymbolTask:
    """Training tuples, fresh ones of the same law, and new pairs of symbols that training showed once.

    `train` (at most n, C), no tuple twice, `fresh` (m, C), none of them in `train`, and `pairs` (q, C) hold
    symbols; `value` (symbols,) is what each is worth.
    A pair tuple has two symbols, in slots 0 and 1, that each occur once in that slot of the training set,
    never together; the other slots hold symbol 0, the commonest.
    """

    value: np.ndarray
    train: np.ndarray
    fresh: np.ndarray
    pairs: np.ndarray

    def target(self, x: np.ndarray) -> np.ndarray:
        """The sum of the symbols' values, shape (len(x),)."""
        total: np.ndarray = self.value[x].sum(axis=1)
        return total


def symbol_task(*, n: int, slots: int, symbols: int, exponent: float, seed: int) -> SymbolTask:
    """Draw a task: symbols are Zipf with this `exponent`, independent in each slot; values standard normal.

    Keeps the pairs that an additive learner can work out at all (:prf:ref:`prop-row-space`), so that what is
    left to explain is the learner, not the data.

    Raises
    ------
    ValueError
        No such pair in this draw (too few or too many rows for the number of symbols).
    """
    n = check.positive_int("n", n)
    slots = check.integer("slots", slots, low=2)
    symbols = check.positive_int("symbols", symbols)
    exponent = check.nonnegative("exponent", exponent)
    seed = check.integer("seed", seed, low=0)
    rng = np.random.default_rng(seed)
    p = np.arange(1, symbols + 1.0) ** -exponent
    value = rng.standard_normal(symbols)
    train = np.unique(rng.choice(symbols, size=(n, slots), p=p / p.sum()), axis=0)
    fresh = rng.choice(symbols, size=(500, slots), p=p / p.sum())
    fresh = fresh[~(fresh[:, None, :] == train[None, :, :]).all(axis=2).any(axis=1)]
    once = [np.flatnonzero(np.bincount(train[:, c], minlength=symbols) == 1) for c in (0, 1)]
    first, second = (a.ravel() for a in np.meshgrid(*once, indexing="ij"))
    pairs = np.zeros((first.size, slots), dtype=train.dtype)
    pairs[:, 0], pairs[:, 1] = first, second
    met = {(int(a), int(b)) for a, b in train[:, :2]}
    pairs = pairs[[(int(a), int(b)) not in met for a, b in pairs[:, :2]]]
    if len(pairs):
        pairs = pairs[composable(train, pairs)]
    if not len(pairs):
        raise ValueError(f"no new pair of once-seen symbols at n={n}, symbols={symbols}, seed={seed}")
    return SymbolTask(value, train, fresh, pairs)


def symbol_losses(task: SymbolTask, *, kernel: str, rho: float, ridge: float = 0.0) -> dict[str, float]:
    """Mean square errors of a kernel fit on training, fresh and pair tuples, and how much of the truth it
    keeps.

    Keys: train, fresh, pairs, and slope: the least-squares slope of prediction against truth over the pairs.
    `kernel`, `rho`, `ridge` as in `book.shared.kernels.interpolate`.
    """
    y = task.target(task.train)
    sets = {"train": task.train, "fresh": task.fresh, "pairs": task.pairs}
    tuples = np.concatenate(list(sets.values()))
    every = interpolate(task.train, y, tuples, kernel=kernel, rho=rho, ridge=ridge)
    cuts = np.cumsum([len(x) for x in sets.values()])[:-1]
    fits = dict(zip(sets, np.split(every, cuts), strict=True))
    out = {name: float(np.mean((fits[name] - task.target(x)) ** 2)) for name, x in sets.items()}
    truth = task.target(task.pairs)
    centred = truth - truth.mean()
    out["slope"] = float(centred @ fits["pairs"] / (centred @ centred))
    return out
