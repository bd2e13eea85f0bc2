"""The room of *What is recovered*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from book.linear import formulas
from book.shared import density
from book.shared.draws import design, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim, exactly
from book.shared.style import BLUE, GREEN, GREY, INK, Picture, band, picture, subplots, whiskers
from companion.linear import (
    LongTailModel,
    components,
    feature_counts,
    level_one,
    min_norm,
    peel,
    recoverability,
    resolved,
)
from companion.linear.theory import counts
from companion.runner.results import Result

GRID = tuple(np.round(np.linspace(1.0, 3.0, 41), 3))
RATE_SIZES = np.geomspace(1e8, 1e12, 9)
DRAWN = 20_000  # rows of the designs that are drawn beside them


@claim(
    "thm-any-interpolator",
    "Every interpolator is right on the closure",
    functions=("companion.linear.peel", "companion.linear.min_norm"),
)
def any_interpolator(alpha: float = 2.0, sigma: float = 0.0, everything_seen: bool = False) -> Found:
    """Three solutions of X b = y: the one of least norm, and two far from it."""
    model, X = long_tail(alpha), design(alpha, 0)
    rng = np.random.default_rng(7)
    y = X @ model.beta + sigma * rng.standard_normal(model.n)
    closure = feature_counts(X) > 0 if everything_seen else peel(X, model.k)
    base, error = min_norm(X, y), 0.0
    for step in (0.0, 1.0, 5.0):
        shift = rng.standard_normal(model.d)
        b = base + step * (shift - min_norm(X, X @ shift))  # what is added lies in the null space of X
        error = max(error, float(np.abs(b - model.beta)[closure].max()))
    return at_most(f"largest error on {closure.sum():,} peeled features, three interpolators", error, 1e-7)


any_interpolator.breaks("common features not pinned", alpha=1.0)
any_interpolator.breaks("noisy labels", sigma=0.05)
any_interpolator.breaks("all seen features instead of the closure", everything_seen=True)


@claim(
    "prop-level-one",
    "Expected number of tail features alone in some row",
    functions=("book.linear.formulas.expected_level_one",),
)
def level_one_formula(mates: bool = True) -> list[Found]:
    """The mean of 25 draws against the formula, at three tail exponents."""
    found = []
    for alpha in (1.25, 1.5, 2.0):
        model = long_tail(alpha)
        counted = np.array([level_one(design(alpha, seed), model.k).sum() for seed in range(25)])
        formula = formulas.expected_level_one if mates else lambda p, k, n: counts.expected_seen(p, n, k)
        expected = formula(model.p, model.k, model.n)
        error = (counted.mean() - expected) / (counted.std(ddof=1) / 5)
        what = f"alpha = {alpha}: {counted.mean():.2f} counted, {expected:.2f} by the formula; standard errors apart"
        found.append(between(what, error, -4, 4))
    return found


level_one_formula.breaks("mates forgotten (a_i = 1)", mates=False)


# a feature alone, and a pair met twice with opposite relative signs
ONE_CYCLE = sp.csr_array(np.array([[0.0, 1.0, 1.0], [0.0, 1.0, -1.0], [1.0, 0.0, 0.0]]))


@claim(
    "thm-forest",
    "Without cycles, peeling finds every resolved feature",
    functions=("companion.linear.peel", "companion.linear.recoverability"),
    blunt={"forests among 16 draws": "it says that there was something to look at"},
)
def forest(cycle: bool = False) -> list[Found]:
    """Where what peeling leaves is a forest with its rows: the feature nearest to resolved, K empty or not."""
    found = []
    for common in (False, True):
        draws = [(design(a, seed), common * long_tail(a).k) for a in (1.5, 2.0) for seed in range(8)]
        draws = [(X, k) for X, k in draws if forested(X, k)] if not cycle else [(ONE_CYCLE, int(common))] * 16
        gaps = [unpeeled_gap(X, k) for X, k in draws]
        what = "common features known" if common else "nothing known"
        found += [
            at_least(f"{what}: forests among 16 draws", len(gaps), 8),
            at_least(f"{what}: smallest 1 - P_ii of a feature left", min(gaps, default=math.nan), 1e-6),
        ]
    return found


forest.breaks("a pair met twice with opposite relative signs", cycle=True)


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


def _model(fixed: dict[str, Any], alpha: float) -> LongTailModel:
    return LongTailModel(fixed["n"], fixed["d"], fixed["s"], float(alpha), 0.0, 0.0)


def fig_shares(result: Result) -> Picture:
    """Shares of the seen tail features: level one, peeled, resolved; formula for level one as a line."""
    groups = sorted(result.summary, key=lambda group: float(group["alpha"]))
    alphas = [group["alpha"] for group in groups]
    formula = []
    for alpha in GRID:
        model = _model(result.settings, alpha)
        formula.append(formulas.expected_level_one_share(model.p, model.k, model.n))
    figure, ax = subplots(size=(6.6, 3.4))
    ax.plot(GRID, formula, color=GREY, ls="--", lw=1.4, label="level one (formula)")
    kinds = (
        ("level_one", GREY, "level one"),
        ("peeled_given_common", GREEN, "peeled, common ones given"),
        ("resolved_tail", BLUE, "resolved ($P_{ii}=1$)"),
    )
    means: dict[str, list[float]] = {}
    for key, color, label in kinds:
        draws = [[row[key] / row["seen_tail"] for row in result.select(alpha=alpha)] for alpha in alphas]
        means[key] = [float(np.mean(values)) for values in draws]
        band(
            ax,
            alphas,
            means[key],
            [np.quantile(v, 0.05) for v in draws],
            [np.quantile(v, 0.95) for v in draws],
            color=color,
            label=label,
            marker="o",
            lw=0.9,
        )
    ax.set(xlabel=r"tail exponent $\alpha$", ylabel="share of the seen tail features", ylim=(0, 1.03))
    ax.legend(loc="lower right")
    words = "; ".join(
        f"at alpha = {alpha:g} level one {means['level_one'][j]:.2f}, peeled {means['peeled_given_common'][j]:.2f}, "
        f"resolved {means['resolved_tail'][j]:.2f}"
        for j, alpha in enumerate(alphas)
    )
    return picture(figure, f"Shares of seen tail features, means of {len(result.seeds)} draws: {words}.")


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


@claim(
    "thm-sandwich",
    "A once-seen feature is unresolved with probability between two explicit sums",
    functions=("book.linear.formulas.unresolved_once_seen_lower", "book.linear.formulas.unresolved_once_seen_upper"),
)
def sandwich(lower_power: float = 1.0, upper_scale: float = 1.0) -> Found:
    """The unresolved share of once-seen tail features over 24 draws, at alpha = 1.5."""
    model = long_tail(1.5)
    share = once_seen(1.5)[0]
    tail = model.p[model.k :]
    weight = tail * np.exp((model.n - 1) * np.log1p(-tail))  # proportional to P(n_i = 1)
    low = np.average(formulas.unresolved_once_seen_lower(model.p, model.n)[model.k :], weights=weight)
    high = np.average(formulas.unresolved_once_seen_upper(model.p, model.k, model.n), weights=weight)
    error = 3 * share.std(ddof=1) / math.sqrt(len(share))
    what = "unresolved share of the once-seen (limits: the two sums, drawn in by three standard errors)"
    return between(what, share.mean(), low**lower_power + error, upper_scale * high - error)


sandwich.breaks("lower bound to the power 0.9", lower_power=0.9)
sandwich.breaks("three quarters of the upper bound", upper_scale=0.75)


def sandwich_values(fixed: dict[str, Any], alpha: float) -> tuple[float, float, float]:
    """Lower and upper bound (common features pinned) and 1 - e^-Q, averaged over once-seen tail features."""
    model = _model(fixed, alpha)
    p, k, n = model.p, model.k, model.n
    weight = p[k:] * np.exp((n - 1) * np.log1p(-p[k:]))
    low = np.average(formulas.unresolved_once_seen_lower(p, n)[k:], weights=weight)
    high = np.average(formulas.unresolved_once_seen_upper(p, k, n, pinned=True), weights=weight)
    return float(low), float(high), 1 - math.exp(-density.cavity(p, n).Q)


def fig_sandwich(result: Result) -> Picture:
    """P(once-seen tail feature unresolved): the two proved sums, the density equation, measured shares."""
    grid = [alpha for alpha in GRID if alpha >= 1.1]
    low, high, middle = np.array([sandwich_values(result.settings, alpha) for alpha in grid]).T
    figure, ax = subplots(size=(6.6, 3.4))
    ax.fill_between(grid, low, high, color=GREEN, alpha=0.15, linewidth=0)
    ax.plot(grid, low, color=GREEN, lw=1.2, label="proved: lower and upper sum")
    ax.plot(grid, high, color=GREEN, lw=1.2)
    ax.plot(grid, middle, color=INK, ls="--", lw=1.2, label=r"$1-e^{-Q}$ (next chapter)")
    words: list[str] = []
    for group in result.summary:
        if group["alpha"] < 1.1:
            continue
        m = group["once_seen_unresolved_share"]
        whiskers(ax, [group["alpha"]], [m], color=BLUE, label="measured, 95% interval" if not words else None)
        words.append(f"alpha {group['alpha']:g}: {m['mean']:.3f}")
    ax.set(xlabel=r"tail exponent $\alpha$", ylabel="unresolved share of once-seen", yscale="log", ylim=(2e-3, 3))
    ax.legend()
    at = sandwich_values(result.settings, 1.5)
    return picture(
        figure,
        f"Unresolved share of once-seen tail features along alpha, logarithmic. Measured: {', '.join(words)}. "
        f"At 1.5 the proved sums are {at[0]:.3f} and {at[1]:.3f}.",
    )


@claim(
    "lem-seen-twice",
    "Features seen oftener are unresolved with second-order probability",
    functions=("book.linear.formulas.seen_often_unresolved_bound",),
)
def seen_twice(order: float = 1.0) -> Found:
    """The unresolved share of tail features seen at least twice, in the draws that pin the common ones; alpha = 1.5."""
    model = long_tail(1.5)
    _, share, pinned = once_seen(1.5)
    bound = formulas.seen_often_unresolved_bound(model.p, model.k, model.n)
    return at_most("unresolved share of those seen at least twice", share[pinned].mean(), bound**order)


seen_twice.breaks("third order", order=2.0)


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


@claim(
    "prop-any-entries",
    "Peeling, forests, sandwich and the equation see which entries are non-zero, not their signs",
    functions=("companion.linear.resolved", "companion.linear.peel"),
    blunt={
        "on forests": "the break with a cycle is a quantity of its own",
        "(d) chance": "a union over both columns; all +1 shows that the constant cannot be that of signs",
    },
)
def any_entries(upper: float = 1.0, constant: dict[str, float] = LARGEST, cyclic: bool = False) -> list[Found]:
    """Four kinds of entries on the same twelve patterns, alpha = 1.5; rank failures of 4 x 2 designs, enumerated."""
    model, found = long_tail(1.5), []
    tail = model.p[model.k :]
    weight = tail * np.exp((model.n - 1) * np.log1p(-tail))
    low = np.average(formulas.unresolved_once_seen_lower(model.p, model.n)[model.k :], weights=weight)
    bound = formulas.unresolved_once_seen_upper(model.p, model.k, model.n, pinned=True)
    high = upper * np.average(bound, weights=weight)
    patterns, p = np.array(list(itertools.product((0, 1), repeat=8))).reshape(-1, 4, 2), np.array([0.8, 0.7])
    chance, failed = np.where(patterns, p, 1 - p).prod(axis=(1, 2)), {}
    for kind, draw in ENTRIES.items():
        counted, share, wrong = entry_draws(kind)
        found.append(exactly(f"{kind}, {counted.mean():.1f} resolved: on forests, resolved but not peeled", wrong, 0))
        error = 3 * share.std(ddof=1) / math.sqrt(len(share))
        what = f"{kind}: unresolved share of the once-seen (limits: the two sums and three standard errors)"
        found.append(between(what, share.mean(), low - error, high + error))
        rng = np.random.default_rng(1)
        filled = [patterns * draw(rng, patterns.size).reshape(patterns.shape) for _ in range(20)]
        failed[kind] = np.mean([chance @ (np.linalg.matrix_rank(A) < 2) for A in filled])
        stated = float(np.sum(np.maximum(1 - p, p * constant[kind]) ** 3))
        found.append(at_most(f"{kind}: (d) chance that two columns of four rows are dependent", failed[kind], stated))
    if cyclic:
        X = sp.csr_array(np.random.default_rng(0).normal(size=(2, 2)))
        found.append(
            exactly("a pair met twice, normal entries: resolved but not peeled", resolved(X).sum(), peel(X).sum())
        )
    return found


any_entries.breaks("the constant of random signs for every kind", constant=dict.fromkeys(ENTRIES, 0.5))
any_entries.breaks("half the upper sum", upper=0.5)
any_entries.breaks("a cycle", cyclic=True)


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


@claim(
    "thm-rate",
    "The unresolved share of seen features is M/alpha, of order n^-gamma, gamma = 1-1/alpha; their mass is gamma M^2",
    functions=("book.linear.formulas.unresolved_share_power_law", "book.linear.formulas.unresolved_mass_power_law"),
    teeth={"mean share of 8 draws (limits": 0.8, "mean mass of 8 draws (limits": 0.7},
)
def rate(exponent: Callable[[float], float] = lambda alpha: 1 - 1 / alpha, constant: float = 1.0) -> list[Found]:
    """Both proved bounds: slopes in log n, n = 1e8 to 1e12, and share of the leading order at 1e12; drawn designs."""
    found = []
    for alpha in (1.5, 2.0, 3.0):
        for times, what, (low, high, law) in zip((1, 2), ("share", "mass"), rate_bounds(alpha), strict=True):
            slopes, stated = [slope(RATE_SIZES, y) for y in (low, high)], -times * exponent(alpha)
            off = max(abs(s - stated) for s in slopes)
            name = f"alpha = {alpha}, {what}"
            found.append(at_most(f"{name}: slopes {slopes[0]:.3f} and {slopes[1]:.3f}, off by", off, 0.05))
            for y in (low, high):
                found.append(between(f"{name}: bound over law at n = 1e12", y[-1] / (constant * law[-1]), 0.9, 1.1))
    for what, values, (low, high, law) in zip(
        ("share", "mass"), drawn_shares(1.5), rate_bounds(1.5, drawn=True), strict=True
    ):
        mean, error = values.mean(), 3 * values.std(ddof=1) / math.sqrt(len(values))
        name = f"alpha = 1.5, n = {DRAWN:,}: mean {what} of {len(values)} draws"
        found.append(between(f"{name} (limits: bounds, three standard errors)", mean, low[0] - error, high[0] + error))
        found.append(between(f"{name} over law", mean / (constant * law[0]), 0.8, 1.2))
    return found


rate.breaks("exponent off by 0.1", exponent=lambda alpha: 1.1 - 1 / alpha)
rate.breaks("constants a third larger", constant=4 / 3)
rate.breaks("the paper's exponent read as a count", exponent=lambda alpha: min(1 / alpha, 2 - 2 / alpha))
