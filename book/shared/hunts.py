"""Hunts: for a statement about every world of some kind, the world that comes closest to refuting it.

A world is a handful of small whole numbers, so that it can be stored, read and tried again. A *margin* says how far the
statement is from failing in a world; there are three kinds:

- ``slack``: an inequality; the margin may be 0 (the inequality is attained) but never negative;
- ``gap``: something that the statement keeps apart, as P_ii of an unresolved feature from 1; it may not even be 0;
- ``identity``: two ways to one number; the margin is minus their difference, and rounding may leave 1e-9.

Each hunt also has a *change* of its statement, a dropped hypothesis or a moved constant. The same search has to refute
the statement so changed, otherwise finding nothing would say nothing of the statement either.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from book.linear import formulas
from book.shared.evidence import ROUNDING
from book.shared.kernels import interpolate
from companion.linear import leave_one_out_residuals, ridge
from companion.linear.theory import risk_sandwich

World = dict[str, Any]


class Axis(NamedTuple):
    """Whole numbers from `low` to `high`, in an array of the given shape; the statement sees them times `unit`."""

    low: int
    high: int
    shape: tuple[int, ...] = ()
    unit: float = 1.0

    def draw(self, rng: np.random.Generator) -> Any:
        """At random; where 0 is allowed on both sides of it, half of the entries are 0."""
        drawn = rng.integers(self.low, self.high + 1, self.shape)
        return drawn * (rng.random(self.shape) < rng.uniform(0.2, 1)) if self.low < 0 < self.high else drawn

    def seen(self, numbers: Any) -> Any:
        """The numbers of a world as the statement sees them."""
        value = np.asarray(numbers) if self.unit == 1 else np.asarray(numbers) * self.unit
        return value if self.shape else value.item()


@dataclass(frozen=True)
class Hunt:
    """A statement to be hunted.

    Attributes
    ----------
    label, what: the statement, and its margin in words.
    kind: "slack", "gap" or "identity".
    space: the world's numbers.
    margin: of a world, as the statement sees it; infinity where the hypotheses do not hold.
    change, changed: a change of the statement, in words and as arguments of `margin`.
    """

    label: str
    what: str
    kind: str
    space: Mapping[str, Axis]
    margin: Callable[..., float]
    change: str
    changed: Mapping[str, Any]

    def measured(self, world: World, *, broken: bool = False) -> float:
        """The margin of the statement in `world`, or, if `broken`, of the changed statement."""
        seen = {name: axis.seen(world[name]) for name, axis in self.space.items()}
        return float(self.margin(**seen, **(self.changed if broken else {})))

    def refuted(self, margin: float) -> bool:
        """Whether a world with this margin refutes the statement."""
        return margin < (ROUNDING if self.kind == "gap" else -ROUNDING)


HUNTS: list[Hunt] = []


def hunt(
    label: str, what: str, kind: str, change: str, changed: Mapping[str, Any], **space: Axis
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Decorator that enters a margin."""

    def enter(margin: Callable[..., float]) -> Callable[..., float]:
        HUNTS.append(Hunt(label, what, kind, space, margin, change, changed))
        return margin

    return enter


def search(of: Hunt, *, worlds: int = 3000, seed: int = 0, broken: bool = False) -> tuple[World, float, int]:
    """The world with the smallest margin, the margin, and how many worlds were tried; ends early once refuted.

    From a start at random one or two numbers are changed at a time, and what is no worse is kept; where that has not
    helped for long, it starts anew.
    """
    rng = np.random.default_rng(seed)
    best: tuple[World, float] = ({}, math.inf)
    here: World = {}
    margin, stuck, tried = math.inf, 0, 0
    while tried < worlds and not of.refuted(best[1]):
        tried += 1
        fresh = not here or margin == math.inf or stuck > 150
        world = {name: axis.draw(rng) for name, axis in of.space.items()} if fresh else _moved(here, of.space, rng)
        found = of.measured(world, broken=broken)
        if fresh or found <= margin:
            stuck = 0 if fresh or found < margin else stuck + 1
            here, margin = world, found
        else:
            stuck += 1
        if found < best[1]:
            best = world, found
    return {name: np.asarray(value).tolist() for name, value in best[0].items()}, best[1], tried


def _moved(world: World, space: Mapping[str, Axis], rng: np.random.Generator) -> World:
    """The world with one or two of its numbers moved: by one, or to any value."""
    moved = {name: np.array(value) for name, value in world.items()}
    sizes = [moved[name].size for name in space]
    for _ in range(rng.integers(1, 3)):
        name = list(space)[rng.choice(len(sizes), p=np.array(sizes) / sum(sizes))]
        axis, cells = space[name], moved[name].reshape(-1)
        at = rng.integers(cells.size)
        step = cells[at] + rng.choice([-1, 1]) if rng.random() < 0.5 else rng.integers(axis.low, axis.high + 1)
        cells[at] = np.clip(step, axis.low, axis.high)
        moved[name] = cells.reshape(axis.shape)
    return moved


# What several margins use


def _null(X: np.ndarray) -> np.ndarray:
    """An orthonormal basis (d, d - rank) of the null space of X."""
    _, s, Vt = np.linalg.svd(X.astype(float))
    return Vt[int(np.sum(s > 1e-9 * max(s.max(initial=0), 1))) :].T


def _pinv(X: np.ndarray) -> np.ndarray:
    return np.linalg.pinv(X.astype(float), rcond=1e-10)


def _closure(X: np.ndarray, known: np.ndarray, drop: int = 1) -> np.ndarray:
    """Peeling from a mask of known features; with drop = 2 a row may name two at once, which is wrong."""
    known = known.copy()
    while True:
        told = [(row != 0) & ~known for row in X]
        told = [new for new in told if 1 <= new.sum() <= drop]
        if not told:
            return known
        for new in told:
            known |= new


def _unresolved(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """P_ii of every feature, and which are seen and not resolved."""
    P = 1 - (_null(X) ** 2).sum(axis=1)
    return P, ~_resolved(P) & X.any(axis=0)


def _resolved(P: np.ndarray) -> np.ndarray:
    """Which of these P_ii are 1: as exact as `companion.linear.resolved`, for designs of a few short rows.

    1 - P_ii, the squared distance of e_i from the row space, is a ratio of two Gram determinants of independent rows.
    They are whole numbers, and by Hadamard the lower one is at most the product of the squared lengths of the rows: for
    five signs in five rows 1 - P_ii is 0 or at least 5^-5, far from rounding.
    """
    return P > 1 - ROUNDING


def _once(X: np.ndarray) -> Iterator[tuple[int, int]]:
    """Once-seen features with their rows."""
    for i in np.flatnonzero((X != 0).sum(axis=0) == 1):
        yield int(i), int(np.flatnonzero(X[:, i])[0])


@functools.cache
def _all_designs(n: int, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every sign design of n rows and d features, how often each feature occurs, and its projection."""
    X = np.array(list(itertools.product((0, 1, -1), repeat=n * d)), float).reshape(-1, n, d)
    return X, (X != 0).sum(axis=1), np.linalg.pinv(X, rcond=1e-10) @ X


def _law(n: int, p: np.ndarray) -> np.ndarray:
    """The probability of each of them."""
    counts = _all_designs(n, len(p))[1]
    return np.prod((p / 2) ** counts * (1 - p) ** (n - counts), axis=1)


SIGNS = Axis(-1, 1, (5, 5))
FEW = Axis(-1, 1, (4, 4))


def share(*shape: int, high: int = 99) -> Axis:
    """Shares in hundredths."""
    return Axis(1, high, shape, 0.01)


# Designs


@hunt("thm-certificate", "1 less the largest P_ii of an unresolved feature", "gap",
      "P_ii >= 1/2 called resolved", {"resolved_from": 0.5}, X=SIGNS)  # fmt: skip
def certificate(X: np.ndarray, resolved_from: float = 1.0) -> float:
    P, unresolved = _unresolved(X)
    return min((resolved_from - P[unresolved]).tolist(), default=math.inf)


@hunt("thm-memorized-row", "1 less the largest leverage of a row that the others span", "gap",
      "h_rr >= 0.8 called memorized", {"memorized_from": 0.8}, X=SIGNS)  # fmt: skip
def memorized_row(X: np.ndarray, memorized_from: float = 1.0) -> float:
    h, spanned = _unresolved(X.T)
    return min((memorized_from - h[spanned]).tolist(), default=math.inf)


@hunt("prop-budget", "difference between sums of P_ii, of h_rr and the rank", "identity",
      "full rank instead of the rank", {"of_rank": False}, X=SIGNS)  # fmt: skip
def budget(X: np.ndarray, of_rank: bool = True) -> float:
    seen = int(X.any(axis=0).sum())
    rank = int(np.linalg.matrix_rank(X)) if of_rank else min(len(X), seen)
    inverse = _pinv(X)
    return -max(abs(np.trace(inverse @ X) - rank), abs(np.trace(X @ inverse) - rank))


@hunt("thm-leave-one-out", "difference between the formula and fits without each row", "identity",
      "training residuals instead", {"formula": False}, X=FEW, y=Axis(-3, 3, (4,)))  # fmt: skip
def left_out(X: np.ndarray, y: np.ndarray, formula: bool = True) -> float:
    rows = np.arange(len(y))
    refits = [y[r] - X[r] @ _pinv(X[rows != r]) @ y[rows != r] for r in rows]
    told = leave_one_out_residuals(X.astype(float), y.astype(float)) if formula else y - X @ _pinv(X) @ y
    return -float(np.abs(told - refits).max())


@hunt("lem-peeling", "1 less P_ii of a peeled feature", "identity",
      "a row may name two features at once", {"drop": 2}, X=SIGNS)  # fmt: skip
def peeling(X: np.ndarray, drop: int = 1) -> float:
    peeled = _closure(X, np.zeros(X.shape[1], bool), drop)
    return -float((1 - _unresolved(X)[0])[peeled].max(initial=0))


@hunt("thm-any-interpolator", "error of an interpolator on the closure of pinned features", "identity",
      "features that are taken as known without being pinned", {"pinned": False},
      X=SIGNS, known=Axis(0, 1, (5,)))  # fmt: skip
def any_interpolator(X: np.ndarray, known: np.ndarray, pinned: bool = True) -> float:
    P, _ = _unresolved(X)
    K = known == 1
    if pinned and not _resolved(P[K]).all():
        return math.inf
    return -float((1 - P)[_closure(X, K)].max(initial=0))


@hunt("thm-forest", "1 less the largest P_ii of an unpeeled feature of a forest", "gap",
      "cycles allowed", {"cycles": True}, X=SIGNS)  # fmt: skip
def forest(X: np.ndarray, cycles: bool = False) -> float:
    U = X.any(axis=0) & ~_closure(X, np.zeros(X.shape[1], bool))
    part = X[:, U][X[:, U].any(axis=1)] != 0
    parts = _components(part)
    if not cycles and part.sum() != sum(part.shape) - parts:
        return math.inf
    return min((1 - _unresolved(X)[0][U]).tolist(), default=math.inf)


def _components(filled: np.ndarray) -> int:
    """Components of the bipartite graph of rows and columns, none of them empty."""
    name = np.arange(filled.shape[0])
    for column in filled.T:
        name[np.isin(name, name[column])] = name[column].min()
    return np.unique(name).size


@hunt("thm-once-seen", "difference between the variance and 1 + q", "identity",
      "the noise of its own row only", {"rest": 0.0}, X=SIGNS)  # fmt: skip
def once_seen(X: np.ndarray, rest: float = 1.0) -> float:
    P, _ = _unresolved(X)
    worst, variance = 0.0, (_pinv(X) ** 2).sum(axis=1)
    for i, r in _once(X):
        if _resolved(P[i]):
            others, v = np.delete(X, r, axis=0), X[r] * (np.arange(X.shape[1]) != i)
            worst = max(worst, abs(variance[i] - 1 - rest * float(v @ _pinv(others.T @ others) @ v)))
    return -worst


@hunt("thm-noise-terms", "[G+]_ii n_i / P_ii^2, less 1, smallest over seen features", "slack",
      "1/n_i for unresolved features too", {"projected": False}, X=SIGNS)  # fmt: skip
def noise_terms(X: np.ndarray, projected: bool = True) -> float:
    P, _ = _unresolved(X)
    seen = X.any(axis=0)
    worth = (_pinv(X) ** 2).sum(axis=1)[seen] * (X != 0).sum(axis=0)[seen]
    return min((worth / (P[seen] ** 2 if projected else 1) - 1).tolist(), default=math.inf)


@hunt("thm-composition-noise", "share of bound (a) that the noise of two features leaves", "slack",
      "forget the common parts", {"common": 0.0}, A=Axis(-1, 1, (3, 2)), v=Axis(-1, 1, (2, 2)))  # fmt: skip
def composition_noise(A: np.ndarray, v: np.ndarray, common: float = 1.0) -> float:
    if np.linalg.matrix_rank(A) < 2:
        return math.inf
    inverse, w = np.linalg.inv(A.T @ A), v.sum(axis=0)
    q = max(float(row @ inverse @ row) for row in v)
    bound = 2 * (1 + common * 2 * q)
    return (bound - 2 - float(w @ inverse @ w)) / bound


@hunt("thm-ridge-once-seen", "difference of ridge's coefficient from the closed form", "identity",
      "forget q", {"rest": 0.0}, X=FEW, y=Axis(-3, 3, (4,)), n_lam=Axis(1, 50, (), 0.1))  # fmt: skip
def ridge_once_seen(X: np.ndarray, y: np.ndarray, n_lam: float, rest: float = 1.0) -> float:
    b, worst = ridge(X.astype(float), y.astype(float), n_lam / len(y)), 0.0
    for i, r in _once(X):
        others, v = np.delete(X, r, axis=0), X[r] * (np.arange(X.shape[1]) != i)
        M = others.T @ others + n_lam * np.eye(X.shape[1])
        without, q = np.linalg.solve(M, others.T @ np.delete(y, r)), float(v @ np.linalg.solve(M, v))
        worst = max(worst, abs(b[i] - X[r, i] * (y[r] - v @ without) / (1 + n_lam * (1 + rest * q))))
    return -worst


@hunt("prop-measured-memorization", "memorization of a row with a once-seen feature over 1/(1 + n lambda), less 1",
      "slack", "a bound 2% higher", {"factor": 1.02}, X=FEW, n_lam=Axis(1, 50, (), 0.1))  # fmt: skip
def measured(X: np.ndarray, n_lam: float, factor: float = 1.0) -> float:
    K = X @ X.T
    h = np.diag(K @ np.linalg.inv(K + n_lam * np.eye(len(K))))
    return min((h[r] * (1 + n_lam) - factor for _, r in _once(X)), default=math.inf)


@hunt("prop-mislabel", "how far a resolved coefficient moves otherwise than stated", "identity",
      "features that are not resolved", {"resolved": False}, X=SIGNS)  # fmt: skip
def mislabel(X: np.ndarray, resolved: bool = True) -> float:
    P, _ = _unresolved(X)
    inverse, worst = _pinv(X), 0.0
    for i, r in _once(X):
        if not resolved or _resolved(P[i]):
            elsewhere = _resolved(_unresolved(np.delete(X, r, axis=0))[0])
            worst = max(worst, abs(inverse[i, r] - X[r, i]), np.abs(inverse[elsewhere, r]).max(initial=0))
    return -worst


@hunt("thm-elimination", "distance of the projected solution from the minimum norm", "identity",
      "without the projection", {"project": False}, X=FEW, y=Axis(-3, 3, (4,)))  # fmt: skip
def elimination(X: np.ndarray, y: np.ndarray, project: bool = True) -> float:
    kept: list[int] = []
    for i in range(X.shape[1]):
        kept += [i] if np.linalg.matrix_rank(X[:, [*kept, i]]) > len(kept) else []
    b, U = np.zeros(X.shape[1]), ~_closure(X, np.zeros(X.shape[1], bool))
    b[kept] = _pinv(X[:, kept]) @ y
    if project:
        b[U] = _pinv(X[:, U]) @ X[:, U] @ b[U]
    return -float(np.abs(b - _pinv(X) @ y).max())


@hunt("thm-risk-sandwich", "share of the component term that the risk leaves", "slack",
      "nine tenths of the component term", {"beyond": 0.9},
      X=FEW, p=share(4), beta=Axis(-3, 3, (4,)))  # fmt: skip
def risk_bounds(X: np.ndarray, p: np.ndarray, beta: np.ndarray, beyond: float = 1.0) -> float:
    P, _ = _unresolved(X)
    bounds = risk_sandwich(X.astype(float), p, beta.astype(float), _resolved(P))
    room = bounds.components - bounds.floor
    risk = float(p @ (beta - _pinv(X) @ X @ beta) ** 2)
    return (bounds.floor + beyond * room - risk) / room if room > 0 else math.inf


@hunt("thm-necessity", "loss of ridge less (1 - influence)^2, for a coefficient of -1 or 1", "slack",
      "a bound two per cent larger", {"factor": 1.02},
      X=FEW, beta=Axis(-2, 2, (4,)), z=Axis(-1, 1, (4,)), n_lam=Axis(1, 50, (), 0.1))  # fmt: skip
def necessity(X: np.ndarray, beta: np.ndarray, z: np.ndarray, n_lam: float, factor: float = 1.0) -> float:
    K = X @ X.T + n_lam * np.eye(len(X))
    found = []
    for i, r in _once(X):
        if z[i] == 0:
            continue
        loss = influence = 0.0
        for sign in (-1, 1):
            truth = np.where(np.arange(len(beta)) == i, sign, beta)
            y, rows = X @ truth, np.arange(len(X)) != r
            told = z @ X.T @ np.linalg.solve(K, y)
            without = z @ X[rows].T @ np.linalg.solve(K[np.ix_(rows, rows)], y[rows])
            loss += (told - z @ truth) ** 2 / 2
            influence += (told - without) * z[i] * sign / 2
        found.append(loss - factor * (1 - influence) ** 2)
    return min(found, default=math.inf)


@hunt("prop-influence-function", "difference of the influence function from 1 - h times a refit", "identity",
      "the factor 1 - h left out", {"factor": False},
      X=FEW, y=Axis(-3, 3, (4,)), z=Axis(-1, 1, (4,)), n_lam=Axis(1, 50, (), 0.1))  # fmt: skip
def first_order(X: np.ndarray, y: np.ndarray, z: np.ndarray, n_lam: float, factor: bool = True) -> float:
    A = X.T @ X + n_lam * np.eye(X.shape[1])
    b, worst = np.linalg.solve(A, X.T @ y), 0.0
    for r, row in enumerate(X):
        reach = np.linalg.solve(A, row)
        without = np.linalg.solve(A - np.outer(row, row), X.T @ y - row * y[r])
        share = 1 - row @ reach if factor else 1.0
        worst = max(worst, abs(z @ reach * (y[r] - row @ b) - share * (z @ (b - without))))
    return -worst


@hunt("thm-self-influence", "self-influence less the learned share of a once-seen coefficient", "slack",
      "a method that learns weak directions first", {"backwards": True}, X=FEW, n_lam=Axis(1, 50, (), 0.1))  # fmt: skip
def self_influence(X: np.ndarray, n_lam: float, backwards: bool = False) -> float:
    k, u = np.linalg.eigh(X @ X.T)
    k, u = k[k > 1e-9], u[:, k > 1e-9]
    psi = n_lam / (k + n_lam) if backwards else k / (k + n_lam)
    h, learned = ((u**2) @ psi), ((u**2) @ (psi / k))
    return min((h[r] - learned[r] for _, r in _once(X)), default=math.inf)


# Tuples of symbols

PAIRS = np.array(list(itertools.product(range(3), repeat=2)))
TRIPLES = np.array(list(itertools.product(range(2), repeat=3)))


def _distance(tuples: np.ndarray, train: np.ndarray) -> np.ndarray:
    """How far the one-hot code of each tuple is from the span of those of the training tuples."""
    code = np.concatenate([np.eye(int(tuples.max()) + 1)[slot] for slot in tuples.T], axis=1)
    found: np.ndarray = np.linalg.norm(code @ _null(code[train]), axis=1)
    return found


def _linked(tuples: np.ndarray, train: np.ndarray, c: int, d: int) -> np.ndarray:
    """Whether the symbols of two slots are connected in the graph of the training tuples."""
    size = int(tuples.max()) + 1
    joined = np.eye(2 * size, dtype=bool)
    for a, b in tuples[train][:, [c, d]]:
        joined[a, size + b] = joined[size + b, a] = True
    for _ in range(2 * size):
        joined = (joined.astype(int) @ joined.astype(int)) > 0
    return joined[tuples[:, c], size + tuples[:, d]]


@hunt("thm-connected", "distance from the row space of a pair that is not connected", "gap",
      "both symbols seen, connected or not", {"both_seen": True}, train=Axis(0, 1, (9,)))  # fmt: skip
def connected(train: np.ndarray, both_seen: bool = False) -> float:
    used = train == 1
    if not used.any():
        return math.inf
    away, told = _distance(PAIRS, used), _linked(PAIRS, used, 0, 1)
    if both_seen:
        told = np.isin(PAIRS[:, 0], PAIRS[used, 0]) & np.isin(PAIRS[:, 1], PAIRS[used, 1])
    if (away[told] > ROUNDING).any():
        return -float(away[told].max())
    return float(away[~told].min(initial=math.inf))


@hunt("prop-three-slots", "distance from the row space of a tuple with unconnected slots", "gap",
      "connected slots taken to determine a tuple", {"converse": True}, train=Axis(0, 1, (8,)))  # fmt: skip
def three_slots(train: np.ndarray, converse: bool = False) -> float:
    used = train == 1
    if not used.any():
        return math.inf
    away = _distance(TRIPLES, used)
    told = np.all([_linked(TRIPLES, used, c, d) for c, d in ((0, 1), (0, 2), (1, 2))], axis=0)
    if converse and (away[told] > ROUNDING).any():
        return -float(away[told].max())
    return float(away[~told].min(initial=math.inf))


@hunt("thm-star", "difference of the product kernel from the closed form, three changes", "identity",
      "rho^t in place of rho^(t-1)", {"shift": 1}, f=Axis(-3, 3, (4,)), rho=share(high=90))  # fmt: skip
def star(f: np.ndarray, rho: float, shift: int = 0) -> float:
    train = np.concatenate([np.zeros((1, 3), int), np.eye(3, dtype=int)])
    told = interpolate(train, f.astype(float), np.ones((1, 3), int), kernel="product", rho=rho)[0]
    return -abs(told - rho ** (2 + shift) * f[1:].sum() + 2 * rho**3 * f[0])


@hunt("prop-product", "share of the bound that a prediction on a new pair leaves", "slack",
      "nine tenths of the bound", {"factor": 0.9},
      train=Axis(0, 1, (9,)), y=Axis(-3, 3, (9,)), rho=share(high=60))  # fmt: skip
def product_bound(train: np.ndarray, y: np.ndarray, rho: float, factor: float = 1.0) -> float:
    used = train == 1
    size = float(np.linalg.norm(y[used]))
    if not used.any() or used.all() or size == 0:
        return math.inf
    told = np.abs(interpolate(PAIRS[used], y[used].astype(float), PAIRS[~used], kernel="product", rho=rho)).max()
    return factor - float(told) * (1 - rho) ** 2 / (rho * math.sqrt(used.sum()) * size)


@hunt("prop-four-corners", "four squared errors less D^2/4, as a share of them", "slack",
      "D^2/3 for D^2/4", {"over": 3}, e=Axis(-9, 9, (4,)))  # fmt: skip
def four_corners(e: np.ndarray, over: int = 4) -> float:
    total = float(e @ e)
    return 1 - float(e @ [1, -1, -1, 1]) ** 2 / over / total if total else math.inf


@hunt("prop-interaction-share", "difference of double differences from four times the shares", "identity",
      "twice instead of four times", {"times": 2}, f=Axis(-3, 3, (2, 2, 2)))  # fmt: skip
def interaction_share(f: np.ndarray, times: int = 4) -> float:
    double = f - f[::-1]
    double = double - double[:, ::-1]
    sign = np.array([1, -1])
    pair = np.mean(f * sign[:, None, None] * sign[:, None])
    triple = np.mean(f * sign[:, None, None] * sign[:, None] * sign)
    # the copy differs in both slots one time in four, else the double difference is 0
    return -abs(float(np.mean(double**2) / 4 - times * (pair**2 + triple**2)))


# Frequencies: every design of a few rows, with its probability


@hunt("prop-exact-risk", "difference of the mean over all rows from the weighted sum", "identity",
      "one sign for the whole row", {"one_sign": True}, p=share(3), error=Axis(-3, 3, (3,)))  # fmt: skip
def exact_risk(p: np.ndarray, error: np.ndarray, one_sign: bool = False) -> float:
    X, law = _all_designs(1, 3)[0][:, 0], _law(1, p)
    rows = np.abs(X) if one_sign else X
    return -abs(float(law @ (rows @ error) ** 2) - float(p @ error**2))


@hunt("lem-row-counts", "least relative slack of (a) and (b)", "slack",
      "upper bound exp(-1.05 p_{>k})", {"upper": 1.05}, p=share(4))  # fmt: skip
def row_counts(p: np.ndarray, upper: float = 1.0) -> float:
    total, none = p.sum(), np.prod(1 - p)
    pairs = (total**2 - p @ p) / 2
    two = 1 - none * (1 + np.sum(p / (1 - p)))
    least = max(1 - total, math.exp(-total / (1 - p.max())))
    return float(min(math.exp(-upper * total) / none - 1, none / least - 1, pairs / two - 1, total**2 / 2 / pairs - 1))


@hunt("thm-sandwich", "least relative slack of both bounds for three features", "slack",
      "lower bound to the power 0.9", {"power": 0.9}, p=share(3), n=Axis(2, 3))  # fmt: skip
def sandwich(p: np.ndarray, n: int, power: float = 1.0) -> float:
    p = np.sort(p)[::-1]
    _, counts, P = _all_designs(n, 3)
    law, found = _law(n, p), []
    low, high = formulas.unresolved_once_seen_lower(p, n), formulas.unresolved_once_seen_upper(p, 0, n)
    for i in range(3):
        once = counts[:, i] == 1
        chance = law[once & ~_resolved(P[:, i, i])].sum() / law[once].sum()
        found += [1 - low[i] ** power / chance, 1 - chance / high[i]]
    return float(min(found))


@hunt("lem-seen-twice", "least relative slack of the bound for three features", "slack",
      "third order", {"order": 3}, p=share(3), n=Axis(2, 3))  # fmt: skip
def seen_twice(p: np.ndarray, n: int, order: int = 2) -> float:
    p = np.sort(p)[::-1]
    _, counts, P = _all_designs(n, 3)
    law, bound = _law(n, p), formulas.seen_often_unresolved_bound(p, 0, n)
    bound = bound ** (order / 2)
    often = counts >= 2
    chance = [law[often[:, i] & ~_resolved(P[:, i, i])].sum() / law[often[:, i]].sum() for i in range(3)]
    return 1 - max(chance) / bound


@hunt("thm-pinned", "share of bound (a) that the chance of rank A < 2 leaves", "slack",
      "half of the bound", {"scale": 0.5}, p=share(2), n=Axis(2, 4))  # fmt: skip
def pinned(p: np.ndarray, n: int, scale: float = 1.0) -> float:
    rank = np.einsum("rii->r", _all_designs(n, 2)[2])
    chance, rho = _law(n, p)[rank < 1.5].sum(), np.maximum(1 - p, p / 2)
    return float(scale - chance / np.sum(rho ** (n - 1)))


@hunt("prop-empty-column", "chance of rank A < 2 over that of an empty column, less 1", "slack",
      "square root of the probability", {"power": 0.5}, p=share(2), n=Axis(2, 4))  # fmt: skip
def empty_column(p: np.ndarray, n: int, power: float = 1.0) -> float:
    rank = np.einsum("rii->r", _all_designs(n, 2)[2])
    return float(_law(n, p)[rank < 1.5].sum() / (1 - np.prod(1 - (1 - p) ** n)) ** power - 1)


@hunt("lem-odlyzko", "share of the bound that the chance of a subspace of R^4 leaves, fair signs", "slack",
      "exponent N - m + 1", {"shift": 1}, V=Axis(-2, 2, (2, 4)))  # fmt: skip
def odlyzko(V: np.ndarray, shift: int = 0) -> float:
    signs = np.array(list(itertools.product((-1, 1), repeat=4)))
    outside = np.abs(signs @ _null(V)).max(axis=1, initial=0)
    rank = int(np.linalg.matrix_rank(V))
    return 1 - float(np.mean(outside < ROUNDING)) / 0.5 ** (4 - rank + shift)


@functools.cache
def _alone(n: int) -> np.ndarray:
    """How many features are alone in some row, for every design of three features."""
    X = _all_designs(n, 3)[0] != 0
    return (X & (X.sum(axis=2, keepdims=True) == 1)).any(axis=1).sum(axis=1)


@hunt("prop-level-one", "difference of the mean over all designs from the sum", "identity",
      "mates forgotten (a_i = 1)", {"mates": False}, p=share(3), n=Axis(1, 3))  # fmt: skip
def level_one(p: np.ndarray, n: int, mates: bool = True) -> float:
    chance = [p[i] * (np.prod(1 - np.delete(p, i)) if mates else 1) for i in range(3)]
    return -abs(float(_law(n, p) @ _alone(n)) - sum(1 - (1 - c) ** n for c in chance))


@hunt("thm-risk-expectation", "least relative slack of both bounds for three features, nothing common", "slack",
      "a floor at half the rows", {"rows": 0.5}, p=share(3), beta=Axis(-3, 3, (3,)), n=Axis(1, 3))  # fmt: skip
def expected_risk(p: np.ndarray, beta: np.ndarray, n: int, rows: float = 1.0) -> float:
    order = np.argsort(-p)
    p, beta = p[order], beta[order].astype(float)
    if not beta.all():
        return math.inf
    left = beta - _all_designs(n, 3)[2] @ beta
    risk, bounds = float(_law(n, p) @ (left**2 @ p)), formulas.expected_risk_bounds(p, beta, n, 0)
    floor = float(p * beta**2 @ (1 - p) ** (rows * n))
    return min(1 - floor / risk, 1 - risk / bounds.upper)


# Sums, and what is measured


@hunt("lem-power-sum", "share of the allowed error of (b) that is left", "slack",
      "exponent off by 0.1", {"shift": 0.1},
      alpha=Axis(105, 300, (), 0.01), c=Axis(1, 50, (), 0.1), m=Axis(1, 5000), d=Axis(1, 3000))  # fmt: skip
def power_sum(alpha: float, c: float, m: int, d: int, shift: float = 0.0) -> float:
    p = np.minimum(1, c * np.arange(1, d + 1) ** -alpha)
    law = formulas.power_law_sum(alpha, c, m, d) * m**shift
    return 1 - abs(float(p @ np.exp(-m * p)) - law) / formulas.power_law_sum_error(alpha, c, m)


@hunt("lem-floor-law", "share of the allowed error that is left", "slack",
      "exponent off by 0.1", {"shift": 0.1},
      alpha=Axis(101, 300, (), 0.01), b=Axis(0, 40, (), 0.01), c=Axis(1, 50, (), 0.1), n=Axis(1, 5000),
      d=Axis(1, 3000))  # fmt: skip
def floor_law(alpha: float, b: float, c: float, n: int, d: int, shift: float = 0.0) -> float:
    i = np.arange(1, d + 1)
    p = np.minimum(1, c * i**-alpha)
    exact = float(p * i ** (-2 * b) @ (1 - p) ** n)
    law = formulas.floor_law(n, c=c, alpha=alpha, b=b, d=d) * n**shift
    return 1 - abs(exact - law) / formulas.floor_law_error(n, c=c, alpha=alpha, b=b)


@hunt("prop-fixed-point", "1 less the slope of the map over the bound of (b)", "slack",
      "a hundredth less than the bound", {"factor": 0.99}, p=share(3), n=Axis(1, 200), Q=share(high=400))  # fmt: skip
def slope(p: np.ndarray, n: int, Q: float, factor: float = 1.0) -> float:
    rate = n * p * math.exp(-Q)
    return factor - math.e * float(p @ (rate * np.exp(-rate))) / p.sum()


@hunt("prop-no-concentration", "the matrix Chernoff bound less 1", "slack",
      "twice as many rows", {"rows": 2.0}, p=share(3), delta=share(), n=Axis(1, 400))  # fmt: skip
def chernoff(p: np.ndarray, delta: float, n: int, rows: float = 1.0) -> float:
    if n > rows * math.log(3) * np.sum(1 / p):
        return math.inf
    base = -delta - (1 - delta) * math.log(1 - delta)
    return 3 * math.exp(base * n / np.sum(1 / p)) - 1


@hunt("thm-variance", "share of the bound that the mean squared error leaves", "slack",
      "1/4 in the place of 1/2", {"constant": 0.25},
      t=Axis(1, 60), r=share(), a=share(high=100), b=Axis(0, 100, (), 0.01))  # fmt: skip
def variance(t: int, r: float, a: float, b: float, constant: float = 0.5) -> float:
    N = np.arange(t + 1)
    law = stats.binom.pmf(N, t, r)
    inside = slice(1, t)
    error = law[[0, -1]].sum() * (a - b) ** 2
    error += law[inside] @ (a * (1 - a) / N[inside] + b * (1 - b) / (t - N[inside]))
    return float(1 - error * (t + 1) * r * (1 - r) / constant)


@hunt("prop-cluster-law", "least slack of both bounds", "slack",
      "bounds to the power c", {"shift": 0}, n=Axis(2, 30), m=Axis(1, 29), c=Axis(1, 12))  # fmt: skip
def cluster_law(n: int, m: int, c: int, shift: int = 1) -> float:
    if m > n - 1 or c > n:
        return math.inf
    value = math.prod(max(1 - m / (n - 1 - j), 0) for j in range(c - 1))
    return min((1 - m / n) ** (c - shift) - value, value - max(1 - m / (n - c + 1), 0) ** (c - shift))


@hunt("lem-fractional", "1/(1 - eps) less the ratio of two scores that the fractional score reverses", "gap",
      "eps/2 for eps", {"half": 0.5}, a=share(2, high=100), b=share(2, high=100))  # fmt: skip
def fractional(a: np.ndarray, b: np.ndarray, half: float = 1.0) -> float:
    s, q = a - b, (a - b) / a
    if (s <= 0).any() or (s[0] - s[1]) * (q[0] - q[1]) > -ROUNDING:
        return math.inf
    return float(1 / (1 - half * (1 - a.min())) - s.max() / s.min())


@hunt("prop-null", "level less the chance of a p-value at most that, smallest over levels", "slack",
      "only strictly larger scores count", {"strict": True}, t=Axis(2, 10), N=Axis(1, 9), a=share())  # fmt: skip
def null_law(t: int, N: int, a: float, strict: bool = False) -> float:
    if t <= N:
        return math.inf
    p_values, law = [], []
    for R in range(t + 1):
        B = np.arange(max(0, R + N - t), min(R, N) + 1)
        p_values += stats.hypergeom.sf(B - (0 if strict else 1), t, R, N).tolist()
        law += (stats.binom.pmf(R, t, a) * stats.hypergeom.pmf(B, t, R, N)).tolist()
    p, weight = np.array(p_values), np.array(law)
    return float(min(level - weight[p <= level + 1e-12].sum() for level in p))


# Statements that are not hunted, and why

NOT_HUNTED = {
    "it speaks of a limit, which no single world can refute": (
        "cor-one-tail-feature", "thm-rate", "cor-count", "thm-density", "conj-density", "conj-rank", "prop-lambert",
        "thm-paper-noiseless", "thm-sharp-law", "thm-paper-noisy", "prop-noise-law", "prop-blocks", "thm-flat-limit",
        "lem-pinning-rate",
    ),
    "an identity of two functions, term by term": ("prop-potential",),
    "an equality of expectations, linear in the numbers of the world: no world is closer than another": (
        "prop-sparsity", "prop-good-turing", "prop-train-error", "thm-conditional-risk", "prop-marginals",
        "thm-price", "prop-one-step-up", "prop-unbiased", "prop-leak", "prop-forgetting", "prop-additive-share",
        "prop-xor-share", "prop-product-target", "thm-topics", "prop-size",
    ),
    "it follows from the certificate, term by term, in every world where that is hunted": (
        "cor-free-composition", "prop-composition-lost", "prop-inseparable", "cor-pinned", "prop-any-entries",
        "lem-leave-one-out", "cor-core-pinned", "thm-block-solver", "prop-proportional", "prop-chain",
        "prop-isolated", "prop-leverage-score", "cor-composed", "prop-both-memorize", "prop-row-space",
        "prop-shared-code", "prop-strangers", "prop-bound-pair", "prop-kept",
    ),
    "its worlds are learners, or long draws of data, which no small list of numbers describes": (
        "thm-gradient-descent", "thm-floor-any-learner", "thm-one-draw", "prop-readable", "prop-modest", "prop-dual",
        "prop-sign-label", "prop-max-margin", "prop-pair-error", "prop-order", "prop-count", "prop-passed-on",
    ),
}  # fmt: skip


def why_not(label: str) -> str | None:
    """Why the statement has no hunt; None if it has one."""
    if any(one.label == label for one in HUNTS):
        return None
    if label.startswith("demo-"):
        return "a demonstration says what happens in the worlds that it shows, and claims nothing of others"
    reasons = (reason for reason, labels in NOT_HUNTED.items() if label in labels)
    return next(reasons, "no search has been written for it")
