"""The room of *Compositional structure*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import binom

from book.linear import formulas
from book.linear.formulas import below_one
from book.shared.draws import design, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim, exactly
from book.shared.style import BLUE, GREEN, GREY, ORANGE, Picture, picture, subplots, whiskers
from companion import _validate as check
from companion.linear import LongTailModel, peel, peeling_rounds, recoverability, sample_design
from companion.linear.theory import counts
from companion.linear.theory.checks import split
from companion.runner.results import Result, interval


def no_tail_bounds(p: np.ndarray, k: int) -> tuple[float, float]:
    """Lower and upper bound on pi_0 from the tail mass alone, :prf:ref:`lem-row-counts` (a).

    Raises
    ------
    ValueError: p_{k+1} = 1, where no such bound holds.
    """
    p, k = split(p, k)
    first = float(below_one(p, k).max(initial=0.0))
    mass = counts.tail_mass(p, k)
    return max(1 - mass, math.exp(-mass / (1 - first))), math.exp(-mass)


def several_tail_probability(p: np.ndarray, k: int) -> float:
    """P(a row holds two tail features or more), exactly; ValueError unless p_{k+1} < 1."""
    p, k = split(p, k)
    tail = below_one(p, k)
    none = counts.no_tail_probability(p, k)
    return max(0.0, 1 - none * (1 + float(np.sum(tail / (1 - tail)))))


def several_tail_bound(p: np.ndarray, k: int) -> float:
    """The expected number of pairs of tail features in a row, :prf:ref:`lem-row-counts` (b)."""
    p, k = split(p, k)
    tail = p[k:]
    return float(tail.sum() ** 2 - np.sum(tail**2)) / 2


def few_plain_rows_bound(n: int, none: float, delta: float) -> float:
    """Bound on P(N_0 <= (1 - delta) n pi_0), N_0 ~ Bin(n, pi_0), :prf:ref:`lem-row-counts` (c)."""
    n, none = check.integer("n", n, low=0), check.number("none", none, low=0, high=1)
    return math.exp(-(check.number("delta", delta, low=0, high=1) ** 2) * n * none / 2)


def rank_failure_given_rows(p: np.ndarray, k: int, rows: int) -> float:
    """Bound on P(rank A < k | N_0 = rows), :prf:ref:`thm-pinned` (a); at least 1 when rows < k."""
    p, k = split(p, k, low=1)
    return float(np.sum(formulas.value_probability(p[:k]) ** (check.integer("rows", rows, low=0) - k + 1)))


@claim(
    "lem-row-counts",
    "Most rows hold at most one tail feature, with explicit constants",
    functions=(
        "book.linear.structure.no_tail_bounds",
        "book.linear.structure.several_tail_bound",
        "book.linear.structure.few_plain_rows_bound",
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
        mass, squares, none = float(p[k:].sum()), float(p[k:] @ p[k:]), counts.no_tail_probability(p, k)
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


@cache
def crowded(alpha: float, n: float, common: float = 10.0) -> tuple[float, float]:
    """Expected rows of n that hold two tail features or more, at d = 10 n and n p_k = `common`; and the law."""
    B = formulas.blocks(alpha, 5.0, 10 * n, exact=5000, per_decade=1000)
    tail = n * B.p < common
    p, count = B.p[tail], B.weights[tail]
    none = math.exp(float(count @ np.log1p(-p)))
    several = 1 - none * (1 + float(count @ (p / (1 - p))))
    c = formulas.frequency_scale(5.0, alpha)
    return n * several, common ** (2 - 2 / alpha) * c ** (2 / alpha) * n ** (2 / alpha - 1) / (2 * (alpha - 1) ** 2)


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


def failures(
    p: Sequence[float], rows: int, draws: int, seed: int, *, tail: float = 0.0, signs: bool = True
) -> tuple[float, float]:
    """Share of draws in which A has not full rank, and its standard error; a row is lost with probability `tail`."""
    rng = np.random.default_rng(seed)
    A = (rng.integers(0, 2, (draws, rows, len(p))) * 2 - 1 if signs else 1) * (rng.random((draws, rows, len(p))) < p)
    A = (A * (rng.random((draws, rows, 1)) >= tail)).astype(float)
    share = float(np.mean(np.abs(np.linalg.det(A.swapaxes(1, 2) @ A)) < 0.5))  # an integer, 0 if the rank fails
    return share, math.sqrt(share * (1 - share) / draws)


SMALL = (0.5, 0.35, 0.3, 0.25)
SHARP = (1.0, 1.0, 0.06)  # hardly anything but an empty third column makes the rank fail: the bound is nearly attained


@claim(
    "thm-pinned",
    "Common features are pinned without concentration",
    functions=("book.linear.structure.rank_failure_given_rows", "book.linear.formulas.rank_failure_bound"),
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


def fig_peeling(X: Any, step: int, k: int = 0) -> Picture:
    """A small design after `step` rounds of peeling: one line a row, one dot an entry, columns are features.

    Grey: resolved earlier; orange: resolved in this round, with the rows that did it; blue: not resolved.
    """
    X = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
    n, d = X.shape
    rounds = peeling_rounds(X, k)
    known = (rounds >= 0) & (rounds < step)
    new = (rounds == step) & (step > 0)
    figure, ax = subplots(size=(6.8, 0.27 * n + 1.0))
    ax.grid(False)
    for i in np.flatnonzero(known | new):
        ax.axvspan(i + 0.62, i + 1.38, color=ORANGE if new[i] else GREY, alpha=0.14, linewidth=0)
    for r in range(n):
        entries = np.flatnonzero(X[r])
        if not len(entries):
            continue
        left = entries[~known[entries]]
        names = len(left) == 1 and bool(new[left[0]])
        ax.plot([entries[0] + 1, entries[-1] + 1], [r, r], color=ORANGE if names else GREY, lw=1.6 if names else 0.8)
        for i in entries:
            color = ORANGE if new[i] else GREY if known[i] else BLUE
            ax.plot([i + 1], [r], marker="o" if X[r, i] > 0 else "D", color=color, ms=6.5 if X[r, i] > 0 else 5.5)
    done = int((known | new).sum())
    ax.set(xlim=(0.4, d + 0.6), ylim=(n - 0.4, -0.6), yticks=[], xlabel="feature")
    ax.set_xticks(range(1, d + 1))
    ax.spines["left"].set_visible(False)
    ax.set_title(f"round {step}: {done} of {d} features resolved")
    fresh = ", ".join(str(i + 1) for i in np.flatnonzero(new)) or "none"
    return picture(
        figure,
        f"{n} rows of a design with {d} features after round {step} of peeling. Newly resolved: {fresh}. "
        f"Resolved so far: {done} of {d}.",
    )


def fig_tails(result: Result) -> Picture:
    """Shares of rows with no, one, several tail features along alpha: exact lines, measured dots."""
    fixed = result.settings
    grid = np.linspace(1.0, 3.0, 41)
    lines = []
    for alpha in grid:
        model = LongTailModel(fixed["n"], fixed["d"], fixed["s"], float(alpha), 0.0, 0.0)
        none = counts.no_tail_probability(model.p, model.k)
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
