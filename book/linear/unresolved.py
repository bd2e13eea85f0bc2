"""What peeling and rank leave open: in draws of the design, and between the two proved sums."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from book.linear import formulas
from book.shared import density
from book.shared.draws import design, long_tail
from companion.linear import LongTailModel, components, feature_counts, peel, recoverability, resolved

RATE_SIZES = np.geomspace(1e8, 1e12, 9)


DRAWN = 20_000  # rows of the designs that are drawn beside them


def peeled_in_order(full: np.ndarray, order: np.ndarray, drop: int, k: int, again: bool) -> np.ndarray:
    """Peel by looking at rows in the given order, `again` and again; a row may name `drop` features."""
    known = np.arange(full.shape[1]) < k
    changed = True
    while changed:
        changed = False
        for row in order:
            left = np.flatnonzero(full[row] & ~known)
            if 0 < len(left) <= drop:
                known[left] = True
                changed = again
    return known


def unpeeled(X: sp.csr_array, k: int) -> np.ndarray:
    return (feature_counts(X) > 0) & ~peel(X, k)


def unpeeled_gap(X: sp.csr_array, k: int) -> float:
    return float((1 - recoverability(X))[unpeeled(X, k)].min())


def forested(X: sp.csr_array, k: int) -> bool:
    """Whether peeling leaves some seen features, and the graph of rows and these features has no cycle."""
    left = unpeeled(X, k)
    if not left.any():
        return False
    graph = X[:, np.flatnonzero(left)]
    return all(len(r) + len(c) - 1 == graph[r][:, c].nnz for r, c in components(graph))


@lru_cache(maxsize=8)
def once_seen(alpha: float, draws: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per draw: share unresolved among once-seen and among oftener-seen tail features; P(pinned) indicator."""
    model = long_tail(alpha)
    once_share, often_share, is_pinned = [], [], []
    tail = np.arange(model.d) >= model.k
    for seed in range(draws):
        X = design(alpha, 100 + seed)
        missed = ~resolved(X)
        count = feature_counts(X)
        once_share.append(missed[(count == 1) & tail].mean())
        often_share.append(missed[(count > 1) & tail].mean())
        is_pinned.append(not missed[: model.k].any())
    return np.array(once_share), np.array(often_share), np.array(is_pinned)


def sandwich_values(model: LongTailModel) -> tuple[float, float, float]:
    """Lower and upper sum (common features pinned) and 1 - e^-Q, averaged over once-seen tail features."""
    p, k, n = model.p, model.k, model.n
    weight = p[k:] * np.exp((n - 1) * np.log1p(-p[k:]))
    low = np.average(formulas.unresolved_once_seen_lower(p, n)[k:], weights=weight)
    high = np.average(formulas.unresolved_once_seen_upper(p, k, n, pinned=True), weights=weight)
    return float(low), float(high), 1 - math.exp(-density.cavity(p, n).Q)


ENTRIES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "random signs": lambda rng, size: rng.choice([-1.0, 1.0], size),
    "all +1": lambda rng, size: np.ones(size),
    "counts": lambda rng, size: 1.0 + rng.poisson(1.0, size),
    "normal": lambda rng, size: rng.normal(size=size),
}


LARGEST = {"random signs": 0.5, "all +1": 1.0, "counts": math.exp(-1), "normal": 0.0}  # chance of their likeliest value


@lru_cache(maxsize=8)
def entry_draws(kind: str, alpha: float = 1.5, draws: int = 12) -> tuple[np.ndarray, np.ndarray, int]:
    """Designs with other entries in the places of the signs: resolved features, unresolved share of the once-seen.

    Third: over the draws in which K is pinned and peeling leaves a forest, features on which the two disagree.
    """
    model, counted, share, wrong = long_tail(alpha), [], [], 0
    for seed in range(draws):
        X = design(alpha, seed).copy()
        X.data = ENTRIES[kind](np.random.default_rng(seed), X.nnz)
        known = resolved(X)
        once = feature_counts(X) == 1
        once[: model.k] = False
        counted.append(known.sum())
        share.append(1 - known[once].mean())
        if known[: model.k].all() and forested(X, model.k):
            wrong += int((known != peel(X, model.k)).sum())
    return np.array(counted), np.array(share), wrong


@lru_cache(maxsize=8)
def rate_bounds(alpha: float, drawn: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Proved lower and upper bound and law (3, sizes) of the unresolved share of the seen, and the same of the mass.

    Along RATE_SIZES, with d 1000 times the number of seen features; or at `DRAWN` alone, with d = 10 n as in the draws.
    n p_k = 3 ln n; the pinning term is left out of the upper bound (it is below 1e-9 along RATE_SIZES).
    """
    rows = []
    for n in (DRAWN,) if drawn else RATE_SIZES:
        d = 10.0 * n if drawn else 1000 * n ** (1 / alpha) + 1e6
        B = formulas.blocks(alpha, 5.0, d, per_decade=1500)
        weights, p = B.weights, np.minimum(B.p, 0.9)
        tail = n * p < 3 * math.log(n)
        once = n * weights * p * np.exp((n - 1) * np.log1p(-p))
        seen = float(weights @ -np.expm1(-n * p))
        lower = -math.expm1(-float(np.sum(once[tail]) / n))
        alone = math.exp(-float(weights[tail] @ p[tail]) - float(weights[tail] @ p[tail] ** 2))
        mates = float((weights[tail] * p[tail]) @ np.exp(-(n - 2) * p[tail] * alone))
        often = mates**2 + float(p[tail][0]) * mates
        upper = (float(once[tail].sum()) * mates + (seen - float(once[tail].sum())) * often) / seen
        law = formulas.unresolved_share_power_law(alpha, B.c, n), formulas.unresolved_mass_power_law(alpha, B.c, n)
        mass_once, mass_seen = (float((number * p)[tail].sum()) for number in (once, -weights * np.expm1(-n * p)))
        mass = mass_once * lower, mass_once * mates + (mass_seen - mass_once) * often
        rows.append(((float(once[tail].sum()) * lower / seen, upper, law[0]), (*mass, law[1])))
    share, weighed = np.moveaxis(np.array(rows), 0, -1)
    return share, weighed


@lru_cache(maxsize=8)
def drawn_shares(alpha: float, draws: int = 8) -> np.ndarray:
    """(2, draws): share of the seen features, and probability mass, that peeling leaves in designs of `DRAWN` rows.

    The common features, n p_k >= 3 ln n, are given.
    """
    model, rows = long_tail(alpha, DRAWN), []
    for seed in range(draws):
        X = model.sample(seed=seed).X
        left = unpeeled(X, int((model.n * model.p >= 3 * math.log(model.n)).sum()))
        rows.append((left.sum() / (feature_counts(X) > 0).sum(), model.p[left].sum()))
    return np.array(rows).T


def slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
