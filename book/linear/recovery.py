"""The room of *What is recovered*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.stats import binom

from book.linear import formulas
from book.linear.rows import (
    SHARP,
    SMALL,
    crowded,
    failures,
    few_plain_rows_bound,
    no_tail_bounds,
    rank_failure_given_rows,
    several_tail_bound,
    several_tail_probability,
)
from book.linear.unresolved import (
    DRAWN,
    ENTRIES,
    LARGEST,
    RATE_SIZES,
    drawn_shares,
    entry_draws,
    forested,
    once_seen,
    peeled_in_order,
    rate_bounds,
    sandwich_values,
    slope,
    unpeeled_gap,
)
from book.shared.draws import design, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim, exactly
from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, Picture, band, picture, subplots, whiskers
from companion.linear import (
    LongTailModel,
    feature_counts,
    level_one,
    min_norm,
    peel,
    recoverability,
    resolved,
    sample_design,
    theory,
)
from companion.runner.results import Result, interval

GRID = tuple(np.round(np.linspace(1.0, 3.0, 41), 3))


@claim(
    "lem-peeling",
    "Peeling is sound and its result does not depend on the order",
    functions=("companion.linear.peel",),
)
def closure(drop: int = 1, again: bool = True) -> list[Found]:
    """Forty designs, with nothing known and with three known features in the row space; three orders of the rows."""
    rng = np.random.default_rng(0)
    orders = smaller = 0
    worst = 0.0
    for _, k in itertools.product(range(40), (0, 3)):
        X = sample_design(14, np.linspace(0.5, 0.04, 22), seed=rng).toarray()
        X = np.vstack([np.eye(22)[:k], X])
        sets = [peeled_in_order(X != 0, rng.permutation(len(X)), drop, k, again) for _ in range(3)]
        orders += any((s != (peel(X, k) if drop == 1 else sets[0])).any() for s in sets)
        smaller += (peel(X[:-1], k) & ~sets[0]).any() or (sets[0] & ~peel(X, k + 1)).any()
        worst = max(worst, float((1 - recoverability(X))[sets[0]].max(initial=0)))
    return [
        exactly("(a) designs of 80 where an order ends elsewhere", orders, 0),
        exactly("(b) designs of 80 where knowing one more feature or seeing one more row loses one", smaller, 0),
        at_most("(c) largest 1 - P_ii of a peeled feature", worst, 1e-8),
    ]


closure.breaks("a row may name two unresolved features at once", drop=2)
closure.breaks("each row looked at once only", again=False)


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
    told = feature_counts(X) > 0 if everything_seen else peel(X, model.k)
    base, error = min_norm(X, y), 0.0
    for step in (0.0, 1.0, 5.0):
        shift = rng.standard_normal(model.d)
        b = base + step * (shift - min_norm(X, X @ shift))  # what is added lies in the null space of X
        error = max(error, float(np.abs(b - model.beta)[told].max()))
    return at_most(f"largest error on {told.sum():,} peeled features, three interpolators", error, 1e-7)


any_interpolator.breaks("common features not pinned", alpha=1.0)
any_interpolator.breaks("noisy labels", sigma=0.05)
any_interpolator.breaks("all seen features instead of the closure", everything_seen=True)


@claim(
    "thm-pinned",
    "Common features are pinned without concentration",
    functions=("book.linear.rows.rank_failure_given_rows", "book.linear.formulas.rank_failure_bound"),
    blunt={"(a) 20 plain rows": "four columns share their failures here; the next case has one column that can fail"},
)
def pinned(signs: bool = True, lost_rows: bool = True, scale: float = 1.0) -> list[Found]:
    """Rank failures of drawn matrices and three standard errors, against both bounds; in (b) 3 rows of 10 are lost."""
    found = []
    for p, rows, n, draws in ((SMALL, 20, 24, 20_000), (SHARP, 40, 60, 40_000)):
        k, lost = len(p), 0.3
        given = rank_failure_given_rows(np.array(p), k, rows)
        averaged = formulas.rank_failure_bound(np.array([*p, lost if lost_rows else 0.0]), k, n)
        for what, bound, (share, error) in (
            (f"(a) {rows} plain rows", given, failures(p, rows, draws, 3, signs=signs)),
            (f"(b) {n} rows", averaged, failures(p, n, draws, 4, tail=lost, signs=signs)),
        ):
            found.append(
                at_most(f"{what}, p = {p}: share of rank failures, upper end", share + 3 * error, scale * bound)
            )
    return found


pinned.breaks("signs that are always +", signs=False)
pinned.breaks("rows with tail features counted as plain", lost_rows=False)
pinned.breaks("bounds times 0.9", scale=0.9)


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
        formula = formulas.expected_level_one if mates else lambda p, k, n: theory.expected_seen(p, n, k)
        expected = formula(model.p, model.k, model.n)
        error = (counted.mean() - expected) / (counted.std(ddof=1) / 5)
        what = f"alpha = {alpha}: {counted.mean():.2f} counted, {expected:.2f} by the formula; standard errors apart"
        found.append(between(what, error, -4, 4))
    return found


level_one_formula.breaks("mates forgotten (a_i = 1)", mates=False)


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


def fig_sandwich(result: Result) -> Picture:
    """P(once-seen tail feature unresolved): the two proved sums, the density equation, measured shares."""
    grid = [alpha for alpha in GRID if alpha >= 1.1]
    low, high, middle = np.array([sandwich_values(_model(result.settings, alpha)) for alpha in grid]).T
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
    at = sandwich_values(_model(result.settings, 1.5))
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


@claim(
    "lem-row-counts",
    "Most rows hold at most one tail feature, with explicit constants",
    functions=(
        "book.linear.rows.no_tail_bounds",
        "book.linear.rows.several_tail_bound",
        "book.linear.rows.few_plain_rows_bound",
    ),
)
def row_counts(
    upper_scale: float = 1.0, lower_scale: float = 1.0, pair_scale: float = 1.0, chernoff_scale: float = 1.0
) -> list[Found]:
    """The exact probabilities against the bounds, five alpha and three k, in units of what the bounds neglect."""
    upper, lower, union, pairs, chernoff = [], [], [], [], []
    for alpha, common in itertools.product((1.0, 1.25, 1.5, 2.0, 3.0), (5.0, 10.0, 30.0)):
        model = long_tail(alpha)
        p, n, k = model.p, model.n, int((model.n * model.p >= common).sum())
        mass, squares, none = float(p[k:].sum()), float(p[k:] @ p[k:]), theory.no_tail_probability(p, k)
        upper.append((upper_scale * math.log(no_tail_bounds(p, k)[1]) - math.log(none)) / squares)
        lower.append((math.log(none) + lower_scale * mass / (1 - p[k])) / squares)
        union += [(none - (1 - lower_scale * mass)) / mass**2] * (mass < 1)
        pairs.append(pair_scale * several_tail_bound(p, k) / several_tail_probability(p, k))
        for delta in (0.1, 0.3, 0.6):
            exact = binom.logcdf(math.floor((1 - delta) * n * none), n, none)
            chernoff.append(exact / (chernoff_scale * math.log(few_plain_rows_bound(n, none, delta))))
    return [
        at_least("(a) least of -p_{>k} - ln pi_0, over sum p_i^2", min(upper), 0),
        at_least("(a) least of ln pi_0 + p_{>k}/(1 - p_{k+1}), over sum p_i^2", min(lower), 0),
        at_least("(a) least of pi_0 - (1 - p_{>k}), over p_{>k}^2", min(union), 0),
        at_least("(b) least of expected pairs over P(T >= 2)", min(pairs), 1),
        at_least("(c) least of ln P(N_0 <= (1 - delta) n pi_0) over -delta^2 n pi_0/2", min(chernoff), 1),
    ]


row_counts.breaks("upper bound exp(-1.05 p_{>k})", upper_scale=1.05)
row_counts.breaks("lower bounds at nine tenths of p_{>k}", lower_scale=0.9)
row_counts.breaks("half the expected pairs", pair_scale=0.5)
row_counts.breaks("Chernoff's exponent doubled", chernoff_scale=2.0)


def fig_tails(result: Result) -> Picture:
    """Shares of rows with no, one, several tail features along alpha: exact lines, measured dots."""
    fixed = result.settings
    grid = np.linspace(1.0, 3.0, 41)
    lines = []
    for alpha in grid:
        model = LongTailModel(fixed["n"], fixed["d"], fixed["s"], float(alpha), 0.0, 0.0)
        none = theory.no_tail_probability(model.p, model.k)
        several = several_tail_probability(model.p, model.k)
        lines.append((none, 1 - none - several, several))
    none, one, several = np.array(lines).T
    figure, ax = subplots(size=(6.4, 3.2))
    shown = ((none, BLUE, "no tail feature"), (one, GREEN, "one"), (several, ORANGE, "two or more"))
    for values, color, label in shown:
        ax.plot(grid, values, color=color)
        at, shift = {BLUE: (28, (-10, -16)), GREEN: (18, (4, 8)), ORANGE: (3, (8, 6))}[color]
        ax.annotate(label, (float(grid[at]), float(values[at])), shift, textcoords="offset points", color=color)
    for alpha in fixed["alphas"]:
        drawn = result.select(alpha=alpha)
        plain, single = (np.array([row[f"rows_{kind}_tail"] for row in drawn]) for kind in ("without", "with_one"))
        for number, color in ((plain, BLUE), (single, GREEN), (fixed["n"] - plain - single, ORANGE)):
            whiskers(ax, [alpha], [interval(number / fixed["n"])], color=color)
    ax.set(xlabel=r"tail exponent $\alpha$", ylabel="share of the rows", ylim=(0, 1.02))
    first, last = lines[0], lines[20]
    return picture(
        figure,
        "Share of rows by number of tail features along alpha from 1 to 3. No tail feature: "
        f"{first[0]:.2f} at 1, {last[0]:.2f} at 2. One: {first[1]:.2f} and {last[1]:.2f}. "
        f"Two or more: {first[2]:.2f} and {last[2]:.2f}. Dots: {len(result.seeds)} draws, on the lines; "
        "their intervals hardly show.",
    )


@claim(
    "cor-one-tail-feature",
    "Rows with two tail features grow in number below alpha = 2, vanish above, and stay as many at 2",
    functions=("book.linear.formulas.blocks",),
)
def where_two_comes_from(exponent: float = 0.0, scale: float = 1.0, power: float = 2.0) -> list[Found]:
    """Exact expected counts at n = 10^8 over the law, and their slope in log n from 10^6 on; one draw at n = 20,000."""
    found = []
    for alpha in (1.5, 2.0, 2.5):
        (few, _), (many, law) = crowded(alpha, 1e6), crowded(alpha, 1e8)
        stated = scale * law * (alpha - 1) ** (2 - power)
        found.append(between(f"alpha = {alpha}: rows over law at n = 1e8", many / stated, 0.96, 1.04))
        slope, law_slope = math.log(many / few) / math.log(100), 2 / alpha - 1 + exponent
        found.append(between(f"alpha = {alpha}: slope in log n", slope, law_slope - 0.02, law_slope + 0.02))
    tail = np.flatnonzero(20_000 * long_tail(1.5, 20_000).p < 10)
    counted = [int((np.diff(design(1.5, seed, 20_000)[:, tail].indptr) > 1).sum()) for seed in range(5)]
    expected = scale * crowded(1.5, 20_000)[0]
    error = (float(np.mean(counted)) - expected) / math.sqrt(expected / 5)
    found.append(between(f"alpha = 1.5: {np.mean(counted):.0f} counted in 5 draws; standard errors off", error, -4, 4))
    return found


where_two_comes_from.breaks("exponent off by 0.05", exponent=0.05)
where_two_comes_from.breaks("constant off by a tenth", scale=1.1)
where_two_comes_from.breaks("alpha - 1 in place of its square", power=1.0)


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
