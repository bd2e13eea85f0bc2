"""Ledger entries of the chapters on structure and on pinning."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.stats import binom

from book.shared.draws import THEORY, long_tail
from companion.claims import Entries
from companion.linear import peel, recoverability, sample_design
from companion.linear.theory import counts, pinning

CLAIMS = Entries()
claim = CLAIMS.add
ALPHAS = (1.0, 1.25, 1.5, 2.0, 3.0)


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
        model = long_tail(alpha)
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
    breaks={
        "common features in 400 rows or more": {"common": 400.0},
        "three times the count that the power law allows": {"slack": 3.0},
    },
    functions=(f"{THEORY}.pinning.concentration_failure", f"{THEORY}.pinning.matrix_chernoff_bound"),
)
def no_concentration(*, common: float = 10.0, slack: float = 1.0) -> float:
    """The spectrum is not near 1 and the matrix Chernoff bound says nothing: smallest of the margins.

    Over alpha = 1.25, 1.5, 2: (a) the share of draws with ||G - 1|| > 1/2 is at least the stated probability less
    3 standard errors and the probability itself at least 1/4; (b) the Chernoff bound is at least 1 for every delta,
    here and, in a million rows, for the k up to which the power law's own condition holds.
    """
    margins = []
    rng = np.random.default_rng(1)
    draws = 40
    for alpha in (1.25, 1.5, 2.0):
        model = long_tail(alpha)
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
        n, p = 10**6, long_tail(alpha, d=30_000).p
        i = np.arange(1, len(p) + 1)
        first = int(np.argmax((n * p * (alpha + 1) <= slack * i * np.log(i)) & (p < 1))) + 1
        margins.append(pinning.matrix_chernoff_bound(p, first, n, 1.0) - 1)
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
