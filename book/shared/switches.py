"""A small world whose hypotheses can be switched off one by one, with exact losses throughout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from companion import _validate as check
from companion.linear.model import LongTailModel
from companion.linear.solve import min_norm, ridge

__all__ = ["World", "inseparable_pair", "losses", "mislabelled"]

N, D, SIGMA = 400, 2000, 0.05
LABEL_ERROR, WRONG_ROWS = 1.0, 0.1
RIDGE = 3.0  # n lam


@dataclass(frozen=True)
class World:
    """Which hypotheses hold. All True is the setting of the theorems.

    steep: frequencies fall as i^-2 (else i^-1). independent: tail features come independently (else in pairs,
    always together and with one relative sign). labels: all labels are right but for the noise (else a tenth
    of the rows is off by 1). linear: the target is linear (else every pair of tail features in a row adds a
    term of its own, plus or minus the product of the two). memorize: minimum norm (else ridge with n lam =
    3).
    """

    steep: bool = True
    independent: bool = True
    labels: bool = True
    linear: bool = True
    memorize: bool = True


def losses(world: World, *, seed: int) -> dict[str, float]:
    """Losses of one draw of a `World` with n = 400, d = 2,000, sigma = 0.05, coefficients +-i^-0.1.

    train: mean square error on the labels given. in_distribution: exact excess loss on a fresh row of the
    same law. composition: exact excess loss on two different seen tail features with independent signs.
    zero_in and zero_composition: the same two for the prediction 0.
    """
    rng = np.random.default_rng(check.integer("seed", seed, low=0))
    model = LongTailModel(N, D, 5.0, 2.0 if world.steep else 1.0, 0.1, SIGMA)
    sample = model.sample(seed=rng)
    first, second = _pairs(model)
    X = sample.X if world.independent else _joined(sample.X, first, second)
    beta, p = model.beta * rng.choice([-1.0, 1.0], D), model.p
    y = X @ beta + sample.noise
    if not world.linear:
        y = y + _interactions(X, model.k, rng)
    if not world.labels:
        wrong = rng.random(N) < WRONG_ROWS
        y = y + LABEL_ERROR * wrong * rng.choice([-1.0, 1.0], N)
    beta_hat = min_norm(X, y) if world.memorize else ridge(X, y, RIDGE / N)

    def inside(error: np.ndarray) -> float:
        if world.independent:
            return float(p @ error**2)
        single = np.ones(D, dtype=bool)
        single[first] = single[second] = False
        return float(p[single] @ error[single] ** 2 + p[first] @ (error[first] + error[second]) ** 2)

    seen = np.flatnonzero(np.bincount(X.indices, minlength=D)[model.k :]) + model.k
    extra_in, extra_out = (0.0, 0.0) if world.linear else (_pair_rate(p, model.k, world, first), 1.0)
    return {
        "train": float(np.mean((X @ beta_hat - y) ** 2)),
        "in_distribution": inside(beta_hat - beta) + extra_in,
        "composition": 2 * float(np.mean((beta_hat - beta)[seen] ** 2)) + extra_out,
        "zero_in": inside(beta) + extra_in,
        "zero_composition": 2 * float(np.mean(beta[seen] ** 2)) + extra_out,
    }


def inseparable_pair(rows: int, sign: int, beta: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Two features that only occur together, with one relative sign: design (rows, 2), noiseless labels."""
    rows, sign = check.positive_int("rows", rows), check.one_of("sign", sign, (1, -1))
    signs = np.where(np.arange(rows) % 2 == 0, 1.0, -1.0)
    X = np.column_stack([signs, sign * signs])
    return X, X @ check.vector("beta", beta, 2)


def mislabelled(X: np.ndarray, y: np.ndarray, row: int, error: float) -> np.ndarray:
    """How the minimum-norm solution moves, (d,), when the label of `row` is off by `error`."""
    y = check.vector("y", y)
    changed = y.copy()
    row = check.integer("row", row, low=0, high=changed.size - 1)
    changed[row] += check.number("error", error)
    moved: np.ndarray = min_norm(X, changed) - min_norm(X, y)
    return moved


def _pairs(model: LongTailModel) -> tuple[np.ndarray, np.ndarray]:
    first = np.arange(model.k, D - 1, 2)
    return first, first + 1


def _joined(X: sp.csr_array, first: np.ndarray, second: np.ndarray) -> sp.csr_array:
    """X with the second feature of each pair a copy of the first."""
    columns = sp.csc_array(X)
    source = np.arange(X.shape[1])
    source[second] = first
    return sp.csr_array(columns[:, source])


def _interactions(X: sp.csr_array, k: int, rng: np.random.Generator) -> np.ndarray:
    """Sum over the pairs of tail features in a row of a sign of the pair's own times their product."""
    out = np.zeros(X.shape[0])
    signs: dict[tuple[int, int], float] = {}
    for r in range(X.shape[0]):
        entries = slice(X.indptr[r], X.indptr[r + 1])
        index, value = X.indices[entries], X.data[entries]
        tail = np.flatnonzero(index >= k)
        for a in range(len(tail)):
            for b in range(a + 1, len(tail)):
                i, j = tail[a], tail[b]
                key = (int(index[i]), int(index[j]))
                if key not in signs:
                    signs[key] = float(rng.choice([-1.0, 1.0]))
                out[r] += signs[key] * value[i] * value[j]
    return out


def _pair_rate(p: np.ndarray, k: int, world: World, first: np.ndarray) -> float:
    """Mean square of the interaction term of a fresh row over its signs: no linear predictor can see it."""
    units = p[k:] if world.independent else p[first]
    across = float((units.sum() ** 2 - (units**2).sum()) / 2)
    # two joined pairs that meet have four products; the two members of a pair always meet
    return across if world.independent else 4 * across + float(units.sum())
