"""Ledger entries of the chapter on guarantees without noise."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from book.shared.draws import EXACT, THEORY, TINY, certified, deviations, long_tail, slope_margin, within
from companion.claims import Entries
from companion.linear import LongTailModel, feature_counts, min_norm, peel, population_risk, sample_design
from companion.linear.theory import risk

CLAIMS = Entries()
claim = CLAIMS.add
FREE = "book/linear/noiseless"


@cache
def _slopes(b: float) -> np.ndarray:
    """Fitted log-log slope of the measured noiseless risk in n at alpha = 2, one a seed."""
    sizes = (50, 150, 500, 1500, 5000)
    out = []
    for seed in range(8):
        values = []
        for n in sizes:
            model = LongTailModel(n=n, d=50_000, s=5.0, alpha=2.0, beta_exponent=b, sigma=0.0)
            X = sample_design(n, model.p, seed=1000 * n + seed)
            values.append(population_risk(min_norm(X, X @ model.beta), model))
        out.append(np.polyfit(np.log(sizes), np.log(values), 1)[0])
    return np.array(out)


@claim(
    "thm-paper-noiseless",
    "Paper Theorems 2 and 3: noiseless loss falls as n^-(1-1/alpha) up to logarithms",
    FREE,
    source="paper (as summarised)",
    status="checked",
    breaks={"exponent larger by 0.1": {"shift": -0.1}, "exponent smaller by 0.1": {"shift": 0.1}},
    functions=("companion.linear.population_risk",),
)
def paper_rate(shift: float = 0.0) -> float:
    return slope_margin(_slopes(0.0), -(1 - 1 / 2.0) + shift)


@claim(
    "thm-risk-sandwich",
    "Noiseless risk of any design lies between the unseen floor and an explicit sum over components",
    FREE,
    breaks={
        "call every seen feature resolved": {"resolved": "all seen"},
        "a tenth of the component term": {"beyond": 0.1},
    },
    functions=(f"{THEORY}.risk.risk_sandwich",),
)
def sandwich(resolved: str = "certified", beyond: float = 1.0) -> float:
    worst = 1.0
    for alpha, seed in itertools.product((1.25, 1.5), range(3)):
        model, X, P = certified(alpha, 300, seed)
        known = {"certified": P >= EXACT, "all seen": P > 0, "peeled": peel(X)}[resolved]
        bounds = risk.risk_sandwich(X, model.p, model.beta, known)
        value = population_risk(min_norm(X, X @ model.beta), model)
        width = max(bounds.components - bounds.floor, 1e-15)
        top = bounds.floor + beyond * (bounds.components - bounds.floor)
        worst = min(worst, (value - bounds.floor) / width, (top - value) / width, bounds.crude / bounds.components - 1)
        noise_too = X @ model.beta + np.random.default_rng(seed).normal(size=X.shape[0])
        worst = min(worst, population_risk(min_norm(X, noise_too), model) / bounds.floor - 1)
    return worst


@cache
def _noiseless_draws(alpha: float, n: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Risk and realised floor of `draws` noiseless fits."""
    model = long_tail(alpha, n)
    values = []
    for seed in range(draws):
        X = sample_design(n, model.p, seed=seed)
        unseen = feature_counts(X) == 0
        value = population_risk(min_norm(X, X @ model.beta), model)
        values.append((value, float((model.p * model.beta**2)[unseen].sum())))
    value, floor = np.array(values).T
    return value, floor


@claim(
    "thm-risk-expectation",
    "Expected noiseless risk: the floor, plus unresolved features, plus failure of the common block",
    FREE,
    breaks={"drop the last two terms": {"terms": 0.0}, "a floor at half the rows": {"rows": 0.5}},
    functions=(f"{THEORY}.risk.expected_risk_bounds",),
)
def expectation(terms: float = 1.0, rows: float = 1.0) -> float:
    alpha, n, draws = 1.5, 200, 60
    model = long_tail(alpha, n)
    value, floor = _noiseless_draws(alpha, n, draws)
    k = risk.tightest_k(model.p, model.beta, n)
    bounds = risk.expected_risk_bounds(model.p, model.beta, n, k)
    expected = risk.unseen_floor(model.p, model.beta, int(rows * n))
    excess, slack = value - floor, terms * (bounds.unresolved + bounds.failure)
    error = 4 * excess.std(ddof=1) / np.sqrt(draws)
    return min(within(deviations(floor, expected), 4), float((slack - excess.mean() - error) / (slack + 1e-9)))


@claim(
    "lem-floor-law",
    "The unseen floor is an incomplete gamma function times n^-g, with an explicit error",
    FREE,
    breaks={
        "exponent off by 0.1": {"exponent": 0.1},
        "forget the factor 1/alpha": {"scale": 2.0},
        "complete gamma at finite d": {"tail": False},
    },
    functions=(f"{THEORY}.risk.floor_law", f"{THEORY}.risk.floor_law_error"),
)
def floor_law(exponent: float = 0.0, scale: float = 1.0, tail: bool = True) -> float:
    worst = 1.0
    for alpha, b, d, n in itertools.product((1.25, 2.0, 3.0), (-0.05, 0.0, 0.3), (30_000,), (1, 30, 1000, 100_000)):
        i = np.arange(1, d + 1, dtype=float)
        c = risk.frequency_scale(5.0, alpha, d)
        exact = risk.unseen_floor(np.minimum(1, c * i**-alpha), i**-b, n)
        law = risk.floor_law(n, c=c, alpha=alpha, b=b, d=d if tail else None)
        allowed = risk.floor_law_error(n, c=c, alpha=alpha, b=b)
        worst = min(worst, within(abs(exact - scale * law * float(n) ** exponent), allowed))
    return worst


@claim(
    "thm-sharp-law",
    "Sharp noiseless law: exponent and constant of the expected risk",
    FREE,
    breaks={
        "exponent larger by 0.1": {"shift": -0.1},
        "exponent smaller by 0.1": {"shift": 0.1},
        "constant off by a tenth": {"scale": 1.1},
    },
    functions=(f"{THEORY}.risk.floor_law",),
)
def sharp_law(shift: float = 0.0, scale: float = 1.0) -> float:
    g = risk.floor_exponent(2.0, 0.1)
    c = risk.frequency_scale(5.0, 2.0, 20_000)
    value, _ = _noiseless_draws(2.0, 2000, 20)
    law = scale * risk.floor_law(2000, c=c, alpha=2.0, b=0.1)
    return min(slope_margin(_slopes(0.1), -g + shift), within(abs(value.mean() / law - 1), 0.05))


@claim(
    "cor-free-composition",
    "Without noise any input on resolved features is predicted exactly",
    FREE,
    breaks={"inputs on all seen features": {"known": "seen"}},
    functions=("companion.linear.recoverability",),
)
def free_composition(known: str = "resolved") -> float:
    model, X, P = certified(1.5, 300)
    error = np.abs(min_norm(X, X @ model.beta) - model.beta)
    features = P >= EXACT if known == "resolved" else P > 0
    return within(error[features].sum(), TINY)  # the worst signs, all features at once
