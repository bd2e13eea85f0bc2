"""Ledger entries of the chapter on the density equation."""

from __future__ import annotations

import itertools
import math

import numpy as np

from book.shared.draws import THEORY, design, long_tail
from companion.claims import Entries
from companion.linear import feature_counts, min_norm, peel, recoverability, sample_design
from companion.linear.theory import counts, density

CLAIMS = Entries()
claim = CLAIMS.add


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
        model = long_tail(alpha)
        measured = np.array([peel(design(alpha, seed), 0).sum() for seed in range(16)])
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
