"""Ledger entries of the chapters on structure, pinning, recovery and the density equation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.stats import binom

from companion.claims import Entries
from companion.linear.model import LongTailModel, sample_design
from companion.linear.solve import min_norm
from companion.linear.structure import components, feature_counts, level_one, peel, recoverability
from companion.linear.theory import counts, density, pinning, recovery

CLAIMS = Entries()
claim = CLAIMS.add
THEORY = "companion.linear.theory"
ALPHAS = (1.0, 1.25, 1.5, 2.0, 3.0)


@lru_cache(maxsize=32)
def _model(alpha: float, n: int = 1000, d: int = 10_000, s: float = 5.0) -> LongTailModel:
    return LongTailModel(n=n, d=d, s=s, alpha=alpha, beta_exponent=0.1, sigma=0.0)


@lru_cache(maxsize=256)
def _draw(alpha: float, seed: int, n: int = 1000) -> sp.csr_array:
    return _model(alpha, n, 10 * n).sample(seed=seed).X


# Structure ------------------------------------------------------------------------------------------------------


@claim(
    "lem-row-counts",
    "Most rows hold at most one tail feature, with explicit constants",
    "book/linear/structure",
    breaks={
        "upper bound exp(-1.05 p_{>k})": {"upper_scale": 1.05},
        "half the expected pairs": {"pair_scale": 0.5},
        "Chernoff exponent doubled": {"chernoff_scale": 2.0},
    },
    functions=(
        f"{THEORY}.counts.no_tail_bounds",
        f"{THEORY}.counts.several_tail_bound",
        f"{THEORY}.counts.few_plain_rows_bound",
    ),
)
def row_counts(*, upper_scale: float = 1.0, pair_scale: float = 1.0, chernoff_scale: float = 1.0) -> float:
    """Smallest slack of the bounds on tail counts, in units of what they neglect; scales other than 1 break them.

    The bounds on log pi_0 neglect second order, so their slack is divided by sum p_i^2 (by p_{>k}^2 for 1 - p_{>k});
    the bound on two or more neglects third order; Chernoff's is compared in the exponent.
    """
    slack = []
    for alpha, common in itertools.product(ALPHAS, (5.0, 10.0, 30.0)):
        model = _model(alpha)
        k = int((model.n * model.p >= common).sum())
        tail = model.p[k:]
        mass, squares = float(tail.sum()), float(tail @ tail)
        log_none = math.log(counts.no_tail_probability(model.p, k))
        high = math.log(counts.no_tail_bounds(model.p, k)[1]) * upper_scale
        slack += [(high - log_none) / squares, (log_none + mass / (1 - tail[0])) / squares]
        if mass < 1:
            slack.append((math.exp(log_none) - (1 - mass)) / mass**2)
        pairs = pair_scale * counts.several_tail_bound(model.p, k)
        slack.append((pairs / counts.several_tail_probability(model.p, k) - 1) / mass)
        none = math.exp(log_none)
        for delta in (0.1, 0.3, 0.6):
            exact = binom.logcdf(math.floor((1 - delta) * model.n * none), model.n, none)
            bound = chernoff_scale * math.log(counts.few_plain_rows_bound(model.n, none, delta))
            slack.append((bound - exact) / -bound)
    return float(min(slack))


@claim(
    "lem-peeling",
    "Peeling is sound and its result does not depend on the order",
    "book/linear/structure",
    breaks={"a row may name two unresolved features at once": {"drop": 2}},
    functions=("companion.linear.peel",),
)
def closure(*, drop: int = 1) -> float:
    """Peeling is sound (P_ii = 1) and does not depend on the order; drop = 2 lets a row name two features."""
    worst = 0.0
    rng = np.random.default_rng(0)
    for _ in range(40):
        X = sample_design(14, np.linspace(0.5, 0.04, 22), seed=rng)
        certificate = recoverability(X)
        sets = [_peel_in_order(X.toarray() != 0, rng.permutation(14), drop) for _ in range(3)]
        if any((s != sets[0]).any() for s in sets) or (drop == 1 and (sets[0] != peel(X, 0)).any()):
            return -1.0
        if sets[0].any():
            worst = max(worst, float(1 - certificate[sets[0]].min()))
    return 1 - worst / 1e-8


def _peel_in_order(full: np.ndarray, order: np.ndarray, drop: int) -> np.ndarray:
    """Peel by looking at rows in the given order until nothing changes."""
    known = np.zeros(full.shape[1], dtype=bool)
    changed = True
    while changed:
        changed = False
        for row in order:
            left = np.flatnonzero(full[row] & ~known)
            if 0 < len(left) <= drop:
                known[left] = True
                changed = True
    return known


# Pinning --------------------------------------------------------------------------------------------------------


@claim(
    "prop-no-concentration",
    "At n p_k = 10 the spectrum does not concentrate and matrix Chernoff is vacuous",
    "book/linear/pinned",
    breaks={"common features in 400 rows or more": {"common": 400.0}},
    functions=(f"{THEORY}.pinning.concentration_failure", f"{THEORY}.pinning.matrix_chernoff_bound"),
)
def no_concentration(*, common: float = 10.0) -> float:
    """The spectrum is not near 1 and the matrix Chernoff bound says nothing: smallest of the margins.

    Over alpha = 1.25, 1.5, 2: (a) the share of draws with ||G - 1|| > 1/2 is at least the stated probability less
    3 standard errors and the probability itself at least 1/4; (b) the Chernoff bound is at least 1 for every delta.
    """
    margins = []
    rng = np.random.default_rng(1)
    draws = 40
    for alpha in (1.25, 1.5, 2.0):
        model = _model(alpha)
        k = int((model.n * model.p >= common).sum())
        if k == 0:
            return -1.0
        least = pinning.concentration_failure(model.p, k, model.n, 0.5)
        off = 0
        for _ in range(draws):
            A = sample_design(model.n, model.p[:k], seed=rng).toarray() / np.sqrt(model.n * model.p[:k])
            off += np.abs(np.linalg.eigvalsh(A.T @ A) - 1).max() > 0.5
        noise = 3 * math.sqrt(least * (1 - least) / draws)
        margins += [off / draws - least + noise, 4 * least - 1]
        margins += [pinning.matrix_chernoff_bound(model.p, k, model.n, delta) - 1 for delta in (0.5, 0.9, 1.0)]
    return float(min(margins))


@claim(
    "lem-odlyzko",
    "A vector with independent entries rarely lies in a fixed subspace",
    "book/linear/pinned",
    source="published elsewhere",
    breaks={"exponent N - m + 1": {"exponent_shift": 1}, "entries that are all equal": {"independent": False}},
    functions=(f"{THEORY}.pinning.value_probability",),
)
def odlyzko(*, exponent_shift: int = 0, independent: bool = True) -> float:
    """1 - (largest excess of P(c in V)/rho^(N - m) over 1)/1e-6, subspaces of R^6, all 3^6 vectors counted."""
    size = 6
    vectors = np.array(list(itertools.product((-1, 0, 1), repeat=size)))
    rng = np.random.default_rng(2)
    worst = 0.0
    for p, m in itertools.product((0.3, 0.6, 0.9, 1.0), (1, 2, 3, 4)):
        weight = np.where(vectors == 0, 1 - p, p / 2).prod(axis=1)
        if not independent:
            weight = np.where((vectors == vectors[:, :1]).all(axis=1), np.where(vectors[:, 0] == 0, 1 - p, p / 2), 0)
        rho = float(pinning.value_probability(np.array([p]))[0])
        for _ in range(6):
            basis = np.linalg.qr(np.hstack([np.ones((size, 1)), rng.integers(-1, 2, (size, m - 1))]))[0]
            outside = vectors - vectors @ basis @ basis.T
            inside = float(weight[np.abs(outside).max(axis=1) < 1e-9].sum())
            worst = max(worst, inside / rho ** (size - m + exponent_shift))
    return 1 - (worst - 1) / 1e-6  # the lemma is attained, so all its slack is rounding


SMALL = np.array([0.5, 0.35, 0.3, 0.25])


def _rank_failures(rows: int, draws: int, seed: int, tail: float = 0.0) -> np.ndarray:
    """bool (draws,): A fails to have rank 4, for independent designs; a row is lost with probability tail."""
    rng = np.random.default_rng(seed)
    A = rng.integers(0, 2, (draws, rows, 4)) * 2 - 1
    A = A * (rng.random(A.shape) < SMALL) * (rng.random((draws, rows, 1)) >= tail)
    return np.abs(np.linalg.det(np.einsum("rni,rnj->rij", A, A).astype(float))) < 0.5


@claim(
    "thm-pinned",
    "Common features are pinned without concentration",
    "book/linear/pinned",
    breaks={
        "signs that are always +": {"signs": False},
        "rows with tail features counted as plain": {"lost_rows": False},
    },
    functions=(f"{THEORY}.pinning.rank_failure_given_rows", f"{THEORY}.pinning.rank_failure_bound"),
)
def pinned(*, signs: bool = True, lost_rows: bool = True) -> float:
    """1 - upper end of measured failure/bound, given the rows and averaged over them."""
    if not signs:
        # two features in every row, signs always +: rank 1, whatever the bound says
        return 1 - 1.0 / pinning.rank_failure_given_rows(np.array([1.0, 1.0]), 2, 20)
    draws = 20_000
    given = _upper(_rank_failures(20, draws, 3).mean(), draws) / pinning.rank_failure_given_rows(SMALL, 4, 20)
    tail = 0.3
    p = np.append(SMALL, tail if lost_rows else 0.0)
    if not lost_rows:
        measured = _rank_failures(24, draws, 4, tail).mean()
        return 1 - measured / pinning.rank_failure_given_rows(SMALL, 4, 24)
    averaged = _upper(_rank_failures(24, draws, 4, tail).mean(), draws) / pinning.rank_failure_bound(p, 4, 24)
    return float(1 - max(given, averaged))


def _upper(share: float, draws: int) -> float:
    return share + 3 * math.sqrt(share * (1 - share) / draws)


@claim(
    "cor-pinned",
    "min(p_k, ln 2) >= ln(k/delta)/(N_0 - k + 1) pins with probability 1 - delta",
    "book/linear/pinned",
    breaks={"half that frequency": {"scale": 0.5}},
    functions=(f"{THEORY}.pinning.pinning_frequency",),
)
def pinning_suffices(*, scale: float = 1.0) -> float:
    """1 - bound/delta at the frequency that the corollary asks for (times scale)."""
    worst = 0.0
    for k, rows, delta in itertools.product((2, 10, 50), (200, 1000), (0.1, 1e-3)):
        need = pinning.pinning_frequency(k, rows, delta)
        worst = max(worst, pinning.rank_failure_given_rows(np.full(k, scale * need), k, rows) / delta)
    return 1 - worst


@claim(
    "prop-empty-column",
    "Empty columns already make the rank fail: the bound is sharp",
    "book/linear/pinned",
    breaks={"square root of the probability": {"power": 0.5}},
    functions=(f"{THEORY}.pinning.empty_column_probability",),
)
def empty_column(*, power: float = 1.0) -> float:
    """Measured failure over the probability of an empty column, less 3 standard errors, less 1; below the bound."""
    draws = 20_000
    margins = []
    for rows in (12, 20):
        measured = _rank_failures(rows, draws, 5 + rows).mean()
        least = pinning.empty_column_probability(SMALL, 4, rows) ** power
        margins.append((measured + 3 * math.sqrt(measured / draws)) / least - 1)
        margins.append(pinning.rank_failure_given_rows(SMALL, 4, rows) / least - 1)
    return float(min(margins))


# Recovery -------------------------------------------------------------------------------------------------------


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
    model = _model(alpha)
    X = _draw(alpha, 0)
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
        model = _model(alpha)
        measured = np.array([level_one(_draw(alpha, seed), model.k).sum() for seed in range(25)])
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
    gaps = [_unpeeled_gap(_draw(alpha, seed), 0, need_forest=True) for alpha in (1.5, 2.0) for seed in range(8)]
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
    model = _model(alpha)
    once_share, often_share, is_pinned = [], [], []
    tail = np.arange(model.d) >= model.k
    for seed in range(draws):
        X = _draw(alpha, 100 + seed)
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
    model = _model(1.5)
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
    model = _model(1.5)
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
def rate_bounds(alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Proved lower and upper bound on the unresolved share of the seen, and M/alpha, along RATE_SIZES.

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
        rows.append((float(once[tail].sum()) * lower / seen, upper, recovery.unresolved_share_power_law(alpha, B.c, n)))
    low, high, rate = np.array(rows).T
    return low, high, rate


def slope(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


@claim(
    "thm-rate",
    "The unresolved share of seen features is M/alpha, of order n^-(1-1/alpha)",
    "book/linear/recovery",
    breaks={
        "exponent off by 0.1": {"exponent": lambda alpha: 1.1 - 1 / alpha},
        "the paper's exponent read as a count": {"exponent": lambda alpha: min(1 / alpha, 2 - 2 / alpha)},
    },
    functions=(f"{THEORY}.recovery.unresolved_share_power_law", f"{THEORY}.recovery.unresolved_mass_power_law"),
)
def rate(*, exponent: Callable[[float], float] = lambda alpha: 1 - 1 / alpha) -> float:
    """0.05 less the distance of the fitted slopes of both bounds from -exponent; the constant within 10%."""
    margins = []
    for alpha in (1.5, 2.0, 3.0):
        low, high, line = rate_bounds(alpha)
        margins += [1 - abs(slope(RATE_SIZES, y) + exponent(alpha)) / 0.05 for y in (low, high)]
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
        low, claimed = rate_bounds(alpha)[0], []
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


# One equation ---------------------------------------------------------------------------------------------------


@claim(
    "lem-leave-one-out",
    "A once-seen feature is resolved iff the rest of its row is, without that row",
    "book/linear/one-equation",
    breaks={"features seen twice": {"occurrences": 2}},
    functions=("companion.linear.peel", "companion.linear.recoverability"),
)
def leave_one_out(*, occurrences: int = 1) -> float:
    """1 if i and the rest of its row, without it, always agree, in peeling and in rank; else -(share that do not)."""
    rng = np.random.default_rng(8)
    disagree, outcomes = [], set()
    for _ in range(20):
        X = sample_design(14, np.linspace(0.35, 0.02, 20), seed=rng)
        full, peeled, resolved = X.toarray(), peel(X, 0), recoverability(X) > 1 - 1e-8
        for i in np.flatnonzero(feature_counts(X) == occurrences):
            r = np.flatnonzero(full[:, i])[0]
            others = np.delete(full, r, axis=0)
            rest = full[r].copy()
            rest[i] = 0
            disagree.append(bool(peeled[i]) != bool(peel(others, 0)[rest != 0].all()))
            spanned = np.linalg.matrix_rank(np.vstack([others, rest])) == np.linalg.matrix_rank(others)
            disagree.append(bool(resolved[i]) != bool(spanned))
            outcomes.add(bool(peeled[i]))
    return -1.0 if len(outcomes) < 2 else float(-np.mean(disagree) if any(disagree) else 1.0)


@claim(
    "prop-fixed-point",
    "Q = F(Q) has one solution when sum p < e; its potential",
    "book/linear/one-equation",
    breaks={"800 equal frequencies of sum 4": {"mass": 4.0}},
    functions=(f"{THEORY}.density.mass_map", f"{THEORY}.density.fixed_points", f"{THEORY}.density.potential"),
)
def one_solution(*, mass: float | None = None) -> float:
    """Uniqueness below sum p = e, F monotone, both iterations agree, Phi' = n e^-Q (F - Q)."""
    rng = np.random.default_rng(9)
    margins = []
    for _ in range(12):
        lam = rng.gamma(0.7, 3.0, 400)
        p = lam / lam.sum() * (rng.uniform(0.3, 2.7) if mass is None else mass)
        p = np.sort(p)[::-1]
        n = int(rng.integers(50, 1000))
        if mass is not None:
            p, n = np.full(800, mass / 800), 1000
        found = density.fixed_points(p, n, grid=400)
        margins.append(1.0 if len(found) == 1 else -1.0)
        margins.append(1 - abs(density.largest_fixed_point(p, n) - density.smallest_fixed_point(p, n)) / 1e-6)
        Q, h = float(rng.uniform(0.1, 2)), 1e-5
        centred = (density.potential(p, n, Q + h) - density.potential(p, n, Q - h)) / (2 * h)
        stated = n * math.exp(-Q) * (density.mass_map(p, n, Q) - Q)
        margins.append(1 - abs(centred - stated) / (1e-5 * n))
        steepest = max(
            (density.mass_map(p, n, q + h) - density.mass_map(p, n, q)) / h for q in np.linspace(0, p.sum(), 60)
        )
        margins.append(1 + 1e-6 - steepest / density.map_slope_bound(p))
    return float(min(margins))


@claim(
    "thm-density",
    "Peeling and certificate both follow the unique solution in the sparse limit",
    "book/linear/one-equation",
    breaks={
        "no feedback (Q = M)": {"feedback": False},
        "several solutions (equal frequencies of sum 4)": {"several": True},
    },
    functions=(f"{THEORY}.density.largest_fixed_point", f"{THEORY}.density.smallest_fixed_point"),
)
def tree_limit(*, several: bool = False, feedback: bool = True) -> float:
    """1 - (largest distance of measured from stated shares)/0.03, peeled and resolved.

    Shares of the once-seen features (stated: e^-Q) and of all features of a kind (1 - exp(-n p_j e^-Q)).
    n = 1500 rows, frequencies of three kinds with n p_j at most 10 and sum 2; `several` takes equal ones of sum 4.
    """
    n = 1500
    p = np.full(1200, 4 / 1200) if several else np.repeat([10.0, 2.0, 0.5], [80, 500, 2400]) / n
    Q = density.largest_fixed_point(p, n) if feedback else counts.unseen_mass(p, n)
    groups = [p == one for one in np.unique(p)]
    counted = np.zeros((1 + len(groups), 3))  # how many, peeled, resolved: once-seen features, then each kind
    for seed in range(2):
        X = sample_design(n, p, seed=seed)
        probe = np.random.default_rng(seed).standard_normal(len(p))
        found = np.stack([np.ones(len(p)), peel(X, 0), np.abs(min_norm(X, X @ probe) - probe) < 1e-7])
        counted += [found[:, group].sum(axis=1) for group in (feature_counts(X) == 1, *groups)]
    stated = np.append(math.exp(-Q), -np.expm1(-n * np.unique(p) * math.exp(-Q)))
    return float(1 - np.abs(counted[:, 1:] / counted[:, :1] - stated[:, None]).max() / 0.03)


@claim(
    "prop-lambert",
    "For a power law the equation is Q = M e^(gamma Q), solved by Lambert's W",
    "book/linear/one-equation",
    breaks={"gamma 20% larger": {"gamma_scale": 1.2}},
    functions=(f"{THEORY}.density.lambert_rate",),
)
def lambert(*, gamma_scale: float = 1.0) -> float:
    """1 - |Q - M(n e^-Q)|/(stated error), and Lambert's solution within 0.5% of Q; worst over alpha and n."""
    worst = 0.0
    for alpha, n in itertools.product((1.5, 2.0, 3.0), (1e4, 1e6, 1e8)):
        d = 1e14
        B = density.blocks(alpha, 2.5, d, per_decade=1000)
        Q = density.smallest_fixed_point(B.p, n, B.weights)
        m = n * math.exp(-gamma_scale * Q)
        gap = abs(Q - counts.power_law_sum(alpha, B.c, m, d))
        worst = max(worst, gap / counts.power_law_sum_error(alpha, B.c, n * math.exp(-Q)))
        solved = density.lambert_rate(counts.power_law_sum(alpha, B.c, n), gamma_scale * (1 - 1 / alpha))
        worst = max(worst, abs(solved / Q - 1) / 0.005)
    return 1 - worst


@claim(
    "conj-density",
    "The product form holds at finite n and for alpha down to 1",
    "book/linear/one-equation",
    status="conjecture",
    breaks={"no feedback (Q = M)": {"feedback": False}},
    functions=(f"{THEORY}.density.cavity",),
)
def finite_size(*, feedback: bool = True) -> float:
    """1 - (relative distance of predicted from measured resolved features)/1.5%, worst over alpha; k = 0."""
    worst = 0.0
    for alpha in (1.0, 1.25, 1.5, 2.0):
        model = _model(alpha)
        measured = np.array([peel(_draw(alpha, seed), 0).sum() for seed in range(16)])
        solution = density.cavity(model.p, model.n)
        predicted = solution.resolved
        if not feedback:
            predicted = float(np.sum(-np.expm1(-model.n * model.p * math.exp(-counts.unseen_mass(model.p, model.n)))))
        spread = measured.std(ddof=1) / 2
        worst = max(worst, (abs(predicted - measured.mean()) - spread) / (0.015 * measured.mean()))
    return 1 - worst


@claim(
    "conj-rank",
    "Rank and certificate follow the maximizer of the potential",
    "book/linear/one-equation",
    status="conjecture",
    breaks={"the largest solution instead": {"largest": True}},
    functions=(f"{THEORY}.density.potential_maximizer", f"{THEORY}.density.predicted_rank"),
)
def rank_potential(*, largest: bool = False) -> float:
    """1 - (relative distance of predicted from measured resolved features, and rank)/3%.

    640 equal frequencies of sum 4 and n = 800 rows: three solutions.
    """
    n, d = 800, 640
    p = np.full(d, 4 / d)
    Q = density.largest_fixed_point(p, n) if largest else density.potential_maximizer(p, n)
    certificate = recoverability(sample_design(n, p, seed=0))
    resolved = int((certificate > 1 - 1e-8).sum())
    predicted = d * -math.expm1(-n * p[0] * math.exp(-Q))
    rank_gap = 0.0 if largest else abs(float(certificate.sum()) - density.predicted_rank(p, n)) / d
    return 1 - max(abs(predicted - resolved) / resolved, rank_gap) / 0.03
