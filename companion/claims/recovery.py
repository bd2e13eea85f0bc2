"""Ledger entries of the chapter on recovery."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from companion.claims import Entries
from companion.claims.draws import THEORY, design, long_tail
from companion.linear import components, feature_counts, level_one, min_norm, peel, recoverability
from companion.linear.theory import counts, density, recovery

CLAIMS = Entries()
claim = CLAIMS.add


@claim(
    "thm-any-interpolator",
    "Every interpolator is right on the closure",
    "book/linear/recovery",
    breaks={
        "common features not pinned (alpha = 1)": {"alpha": 1.0},
        "noisy labels": {"sigma": 0.05},
        "all seen features instead of the closure": {"beyond": True},
    },
    functions=("companion.linear.peel", "companion.linear.min_norm"),
)
def any_interpolator(*, alpha: float = 2.0, sigma: float = 0.0, beyond: bool = False) -> float:
    """1 - (largest error on the closure)/1e-7, over the minimum-norm solution and two other interpolators."""
    model = long_tail(alpha)
    X = design(alpha, 0)
    rng = np.random.default_rng(7)
    y = X @ model.beta + sigma * rng.standard_normal(model.n)
    base = min_norm(X, y)
    found = peel(X, model.k) if not beyond else feature_counts(X) > 0
    worst = 0.0
    for step in (0.0, 1.0, 5.0):
        shift = rng.standard_normal(model.d)
        b = base + step * (shift - min_norm(X, X @ shift))
        worst = max(worst, float(np.abs(b - model.beta)[found].max()))
    return 1 - worst / 1e-7


@claim(
    "prop-level-one",
    "Expected number of tail features alone in some row",
    "book/linear/recovery",
    breaks={"mates forgotten (a_i = 1)": {"mates": False}},
    functions=(f"{THEORY}.recovery.expected_level_one",),
)
def level_one_formula(*, mates: bool = True) -> float:
    """1 - |z|/4 for the mean number of level-one features against the formula, worst over alpha."""
    worst = 0.0
    for alpha in (1.25, 1.5, 2.0):
        model = long_tail(alpha)
        measured = np.array([level_one(design(alpha, seed), model.k).sum() for seed in range(25)])
        expected = recovery.expected_level_one(model.p, model.k, model.n)
        if not mates:
            expected = counts.expected_seen(model.p, model.n, model.k)
        worst = max(worst, abs(measured.mean() - expected) / (measured.std(ddof=1) / 5))
    return 1 - worst / 4


@claim(
    "thm-forest",
    "Without cycles, peeling finds every resolved feature",
    "book/linear/recovery",
    breaks={"a pair met twice with opposite relative signs": {"cycle": True}},
    functions=("companion.linear.peel", "companion.linear.recoverability"),
)
def forest(*, cycle: bool = False) -> float:
    """Smallest 1 - P_ii over seen unpeeled features when what is left is a forest; the break adds a cycle."""
    if cycle:
        X = sp.csr_array(np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
        return _unpeeled_gap(X, 0, need_forest=False)
    gaps = [_unpeeled_gap(design(alpha, seed), 0, need_forest=True) for alpha in (1.5, 2.0) for seed in range(8)]
    found = [gap for gap in gaps if not math.isnan(gap)]
    return min(found) if len(found) >= 8 else -1.0


def _unpeeled_gap(X: sp.csr_array, k: int, *, need_forest: bool) -> float:
    left = (feature_counts(X) > 0) & ~peel(X, k)
    if not left.any() or (need_forest and not is_forest(X, left)):
        return math.nan
    return float((1 - recoverability(X))[left].min() - 1e-6)


def is_forest(X: sp.csr_array, features: np.ndarray) -> bool:
    """Whether the graph of rows and the given features has no cycle."""
    graph = X[:, np.flatnonzero(features)]
    return all(len(rows) + len(columns) - 1 == graph[rows][:, columns].nnz for rows, columns in components(graph))


@lru_cache(maxsize=8)
def _once_seen(alpha: float, draws: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per draw: share unresolved among once-seen and among oftener-seen tail features; P(pinned) indicator."""
    model = long_tail(alpha)
    once_share, often_share, is_pinned = [], [], []
    tail = np.arange(model.d) >= model.k
    for seed in range(draws):
        X = design(alpha, 100 + seed)
        probe = np.random.default_rng(seed).standard_normal(model.d)
        missed = np.abs(min_norm(X, X @ probe) - probe) > 1e-7
        count = feature_counts(X)
        once_share.append(missed[(count == 1) & tail].mean())
        often_share.append(missed[(count > 1) & tail].mean())
        is_pinned.append(not missed[: model.k].any())
    return np.array(once_share), np.array(often_share), np.array(is_pinned)


@claim(
    "thm-sandwich",
    "A once-seen feature is unresolved with probability between two explicit sums",
    "book/linear/recovery",
    breaks={
        "lower bound to the power 0.9": {"lower_power": 0.9},
        "three quarters of the upper bound": {"upper_scale": 0.75},
    },
    functions=(f"{THEORY}.recovery.unresolved_once_seen_lower", f"{THEORY}.recovery.unresolved_once_seen_upper"),
)
def sandwich(*, lower_power: float = 1.0, upper_scale: float = 1.0) -> float:
    """Slack of both sides in units of 3 standard errors, less 1; alpha = 1.5, where the sides are .21 and .30."""
    model = long_tail(1.5)
    share = _once_seen(1.5)[0]
    tail = model.p[model.k :]
    weight = tail * np.exp((model.n - 1) * np.log1p(-tail))  # proportional to P(n_i = 1)
    low = np.average(recovery.unresolved_once_seen_lower(model.p, model.n)[model.k :], weights=weight)
    high = np.average(recovery.unresolved_once_seen_upper(model.p, model.k, model.n), weights=weight)
    error = 3 * share.std(ddof=1) / math.sqrt(len(share))
    return float(min(share.mean() - low**lower_power, upper_scale * high - share.mean()) / error - 1)


@claim(
    "lem-seen-twice",
    "Features seen oftener are unresolved with second-order probability",
    "book/linear/recovery",
    breaks={"third order": {"order": 2.0}},
    functions=(f"{THEORY}.recovery.seen_often_unresolved_bound",),
)
def seen_twice(*, order: float = 1.0) -> float:
    """1 - measured/bound for tail features seen at least twice, common ones pinned; alpha = 1.5."""
    model = long_tail(1.5)
    _, share, ok = _once_seen(1.5)
    bound = recovery.seen_often_unresolved_bound(model.p, model.k, model.n)
    return float(1 - share[ok].mean() / bound**order)


@claim(
    "lem-power-sum",
    "The power-law sum is a gamma function, with its error",
    "book/linear/recovery",
    breaks={"exponent off by 0.01": {"exponent_shift": 0.01}, "d taken as infinite": {"forget_d": True}},
    functions=(f"{THEORY}.counts.power_law_sum", f"{THEORY}.counts.power_law_sum_error"),
)
def power_sum(*, exponent_shift: float = 0.0, forget_d: bool = False) -> float:
    """1 - |exact sum - integral|/(stated error), worst over alpha, n and d."""
    worst = 0.0
    for alpha, m, d in itertools.product((1.25, 1.5, 2.0, 3.0), (1e2, 1e4, 1e6), (1e5, 1e6)):
        B = density.blocks(alpha, 5.0, d)
        exact = float((B.weights * B.p) @ np.exp(-m * B.p))
        stated = counts.power_law_sum(alpha, B.c, m, math.inf if forget_d else d) * m**exponent_shift
        worst = max(worst, abs(exact - stated) / counts.power_law_sum_error(alpha, B.c, m))
    return 1 - worst


RATE_SIZES = np.geomspace(1e8, 1e12, 9)


@lru_cache(maxsize=8)
def rate_bounds(alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Along RATE_SIZES: proved lower and upper bound and law (3, sizes) of the unresolved share of the seen, and
    the same of the unresolved probability mass.

    d is 1000 times the number of seen features, n p_k = 3 ln n; the pinning term is left out of the upper bound
    (it is below 1e-9 there).
    """
    rows = []
    for n in RATE_SIZES:
        d = 1000 * n ** (1 / alpha) + 1e6
        B = density.blocks(alpha, 5.0, d, per_decade=1500)
        weights, p = B.weights, np.minimum(B.p, 0.9)
        tail = n * p < 3 * math.log(n)
        once = n * weights * p * np.exp((n - 1) * np.log1p(-p))
        seen = float(weights @ -np.expm1(-n * p))
        lower = -math.expm1(-float(np.sum(once[tail]) / n))
        alone = math.exp(-float(weights[tail] @ p[tail]) - float(weights[tail] @ p[tail] ** 2))
        mates = float((weights[tail] * p[tail]) @ np.exp(-(n - 2) * p[tail] * alone))
        often = mates**2 + float(p[tail][0]) * mates
        upper = (float(once[tail].sum()) * mates + (seen - float(once[tail].sum())) * often) / seen
        law = recovery.unresolved_share_power_law(alpha, B.c, n), recovery.unresolved_mass_power_law(alpha, B.c, n)
        mass_once, mass_seen = (float((number * p)[tail].sum()) for number in (once, -weights * np.expm1(-n * p)))
        mass = mass_once * lower, mass_once * mates + (mass_seen - mass_once) * often
        rows.append(((float(once[tail].sum()) * lower / seen, upper, law[0]), (*mass, law[1])))
    share, weighed = np.moveaxis(np.array(rows), 0, -1)
    return share, weighed


def slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


@claim(
    "thm-rate",
    "The unresolved share of seen features is M/alpha, of order n^-gamma, gamma = 1-1/alpha; their mass is gamma M^2",
    "book/linear/recovery",
    breaks={
        "exponent off by 0.1": {"exponent": lambda alpha: 1.1 - 1 / alpha},
        "the paper's exponent read as a count": {"exponent": lambda alpha: min(1 / alpha, 2 - 2 / alpha)},
    },
    functions=(f"{THEORY}.recovery.unresolved_share_power_law", f"{THEORY}.recovery.unresolved_mass_power_law"),
)
def rate(*, exponent: Callable[[float], float] = lambda alpha: 1 - 1 / alpha) -> float:
    """0.05 less the distance of the fitted slopes of both bounds from -exponent; the constant within 10%.

    For the share of the seen features and, with twice the exponent, for their mass.
    """
    margins = []
    for alpha in (1.5, 2.0, 3.0):
        for times, (low, high, line) in enumerate(rate_bounds(alpha), start=1):
            margins += [1 - abs(slope(RATE_SIZES, y) + times * exponent(alpha)) / 0.05 for y in (low, high)]
            margins += [1 - abs(y[-1] / line[-1] - 1) / 0.1 for y in (low, high)]
    return float(min(margins))


@claim(
    "cor-count",
    "The paper's fraction cannot be a share of the count for 1 < alpha < 2",
    "book/linear/recovery",
    source="paper (as summarised)",
    status="differs",
    breaks={"alpha = 2.5": {"alphas": (2.5,)}, "growth faster by 0.1": {"shift": 0.1}, "slower": {"shift": -0.1}},
    functions=(f"{THEORY}.recovery.paper_rate",),
)
def paper_count(*, alphas: tuple[float, ...] = (1.25, 1.5), shift: float = 0.0) -> float:
    """How (our lower bound)/(the paper's rate read as a share of the count) grows, n p_k = 3 ln n, d = 10 n.

    Smallest of: its slope in log n, which has to be positive; 0.05 less the distance of the slope, without the
    logarithms that are known, from min(2/alpha - 1, gamma) + shift, over 0.05.
    """
    margins = []
    for alpha in alphas:
        low, claimed = rate_bounds(alpha)[0][0], []
        for n in RATE_SIZES:
            B = density.blocks(alpha, 5.0, 10 * n, per_decade=1500)
            tail = n * B.p < 3 * math.log(n)
            mass = float(B.weights[tail] @ B.p[tail])
            claimed.append(max(3 * math.log(n) / n / mass, mass**2 * math.log(10 * n) ** 2))
        gamma = 1 - 1 / alpha
        logs = np.log(RATE_SIZES) ** (2 * gamma) * np.log(10 * RATE_SIZES) ** 2  # of p_{>k}^2 ln^2 d
        growth = slope(RATE_SIZES, low / np.array(claimed) * logs)
        margins.append(1 - abs(growth - min(2 / alpha - 1, gamma) - shift) / 0.05)
        margins.append(slope(RATE_SIZES, low / np.array(claimed)))
    return float(min(margins))
