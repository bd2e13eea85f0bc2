"""Ledger entries of the chapter on noise."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp

from book.shared.draws import EXACT, THEORY, TINY, certified, deviations, long_tail, slope_margin, within
from companion.claims import Entries
from companion.linear import feature_counts, inverse_gram_diagonal, level_one, min_norm, population_risk, sample_design
from companion.linear.theory import noise, risk

CLAIMS = Entries()
claim = CLAIMS.add
NOISE = "book/linear/noise"


@cache
def _noise_slopes() -> tuple[np.ndarray, float]:
    """Slope in n of noise risk over k/n at alpha = 2, one a seed, and the mean ratio."""
    sizes = (1000, 4000, 16_000)
    slopes, ratios = [], []
    for seed in range(5):
        values = []
        for n in sizes:
            model = long_tail(2.0, n)
            X = sample_design(n, model.p, seed=1000 * n + seed)
            k = (n * model.c / 10) ** 0.5  # n p_k = 10, without rounding k
            values.append(noise.noise_risk(X, model.p, 1.0) / (k / n))
        slopes.append(np.polyfit(np.log(sizes), np.log(values), 1)[0])
        ratios.append(np.mean(values))
    return np.array(slopes), float(np.mean(ratios))


@claim(
    "thm-paper-noisy",
    "Paper Theorems 1, 4 and 5: once-seen error near sigma, noise loss of order sigma^2 k/n",
    NOISE,
    source="paper (as summarised)",
    status="checked",
    breaks={"k/n times n^0.1": {"shift": 0.1}, "k/n times n^-0.1": {"shift": -0.1}},
    functions=(f"{THEORY}.noise.noise_risk",),
)
def paper_noise(shift: float = 0.0) -> float:
    slopes, _ = _noise_slopes()
    _, X, P = certified(2.0, 1000)
    features, _ = noise.once_seen_rows(X)
    excess = np.sqrt(inverse_gram_diagonal(X)[features[P[features] >= EXACT]].mean()) - 1
    return min(slope_margin(slopes, shift), within(excess, 0.1))


@claim(
    "thm-conditional-risk",
    "Risk given the design: bias plus sigma^2 times a weighted trace",
    NOISE,
    breaks={"leave out the bias": {"bias": False}, "leave out the noise": {"variance": False}},
    functions=("companion.linear.expected_population_risk", f"{THEORY}.noise.noise_risk"),
)
def conditional_risk(bias: bool = True, variance: bool = True) -> float:
    model, X, _ = certified(1.5)
    seen = np.flatnonzero(feature_counts(X))
    inverse = np.linalg.pinv(X.toarray()[:, seen], rcond=1e-10)
    xi = model.sigma * np.random.default_rng(0).normal(size=(X.shape[0], 2000))
    error = -model.beta[:, None] * np.ones((1, 2000))
    error[seen] += inverse @ ((X @ model.beta)[:, None] + xi)
    noiseless = population_risk(min_norm(X, X @ model.beta), model)
    expected = bias * noiseless + variance * noise.noise_risk(X, model.p, model.sigma)
    return within(deviations(model.p @ error**2, expected), 4)


@claim(
    "thm-once-seen",
    "A resolved once-seen feature errs with variance sigma^2 (1 + leverage of the rest of its row)",
    NOISE,
    breaks={"the noise of its own row only": {"rest": 0.0}, "unresolved features too": {"only_resolved": False}},
    functions=(f"{THEORY}.noise.rest_leverage",),
)
def once_seen(rest: float = 1.0, only_resolved: bool = True) -> float:
    _, X, P = certified(1.5, 300)
    variance = inverse_gram_diagonal(X)
    features, _ = noise.once_seen_rows(X)
    if only_resolved:
        features = features[P[features] >= EXACT]
    worst = max(abs(variance[i] - (1 + rest * noise.rest_leverage(X, int(i)))) for i in features[:40])
    return within(worst, 1e-7)


@claim(
    "prop-chain",
    "Along a chain of rows the noise variance grows as 1, 2, 3, ...",
    NOISE,
    breaks={"no growth": {"grows": False}},
    functions=(f"{THEORY}.noise.chain_variance",),
)
def chain(grows: bool = True) -> float:
    length = 6
    X = np.eye(length) + np.diag(np.random.default_rng(0).choice([-1.0, 1.0], length - 1), -1)
    expected = noise.chain_variance(length, 1.0) if grows else np.ones(length)
    return within(np.abs(inverse_gram_diagonal(X) - expected).max(), TINY)


@claim(
    "thm-noise-terms",
    "Noise of each feature between P_ii^2/n_i and an explicit bound by the rows without tail",
    NOISE,
    breaks={
        "1/n_i for unresolved features too": {"lower": "plain"},
        "forget the common part of the rows": {"leverages": 0.0},
    },
    functions=(f"{THEORY}.noise.common_leverage", "companion.linear.inverse_gram_diagonal"),
)
def noise_terms(lower: str = "projected", leverages: float = 1.0) -> float:
    """(a) and (b) on every feature of two designs, up to rounding; (c) over draws of what it averages over."""
    worst = 1.0
    for seed in range(2):
        model, X, P = certified(1.5, 1000, seed)
        k = int(np.sum(model.n * model.p >= 25))
        counts, variance = feature_counts(X), inverse_gram_diagonal(X)
        seen = counts > 0
        least = (P[seen] ** 2 if lower == "projected" else 1.0) / counts[seen]
        inverse, average = noise.common_leverage(X, model.p, k)
        slack: list[float] = [(variance[seen] / least).min(), (np.diag(inverse) / variance[:k]).min()]
        alone = np.flatnonzero(level_one(X, k))
        times = []
        for i in alone:
            rows = X[X[:, [i]].nonzero()[0]].toarray()
            rows = rows[np.count_nonzero(rows[:, k:], axis=1) == 1]
            rest = (rows[:, [i]] * rows[:, :k]).mean(axis=0)
            slack.append((1 / len(rows) + leverages * rest @ inverse @ rest) / variance[i])
            times.append(len(rows))
        worst = min(worst, 1 + (float(min(slack)) - 1) / TINY)
        bound = average + (1 + average) * float(np.sum(model.p[alone] / times))
        drawn = [
            float(model.p[:k] @ value[:k] + model.p[alone] @ value[alone])
            for value in (inverse_gram_diagonal(_redrawn(X, model.p, k, again)) for again in range(8))
        ]
        worst = min(worst, float((bound - np.mean(drawn)) / (np.std(drawn, ddof=1) / np.sqrt(8))) - 3)
    return min(worst, 1.0)


def _redrawn(X: Any, p: np.ndarray, k: int, seed: int) -> Any:
    """X with the rows without tail and the places of tail entries kept; tail signs and other rows' common parts new."""
    rng = np.random.default_rng(seed)
    common, tail = X[:, :k].toarray(), X[:, k:].copy()
    mixed = np.diff(tail.indptr) > 0
    fresh = rng.choice([-1.0, 1.0], (int(mixed.sum()), k)) * (rng.random((int(mixed.sum()), k)) < p[:k])
    common[mixed] = fresh
    tail.data = rng.choice([-1.0, 1.0], tail.nnz)
    return sp.hstack([sp.csr_array(common), tail], format="csr")


@cache
def _diagonal(alpha: float, n: int) -> float:
    return noise.diagonal_noise(long_tail(alpha, n, d=10_000).p, n)


@claim(
    "prop-noise-law",
    "The diagonal noise falls at the rate of the unseen floor; their ratio is sigma^2 (psi(1) - psi(1/alpha))",
    NOISE,
    breaks={"exponent off by 0.1": {"exponent": 0.1}, "the floor's own constant": {"constant": "floor"}},
    functions=(f"{THEORY}.noise.diagonal_noise", f"{THEORY}.noise.diagonal_noise_law"),
)
def noise_law(exponent: float = 0.0, constant: str = "digamma") -> float:
    alpha, n = 2.0, 2000
    model = long_tail(alpha, n, d=10_000)
    law = noise.diagonal_noise_law(n, c=model.c, alpha=alpha) * float(n) ** exponent
    if constant == "floor":
        law = risk.floor_law(n, c=model.c, alpha=alpha, b=0.0)
    counts = np.random.default_rng(0).binomial(n, model.p, size=(100, model.d))
    drawn = np.sum(np.divide(model.p, counts, out=np.zeros(counts.shape), where=counts > 0), axis=1)
    exact = _diagonal(alpha, n)
    ratio = exact / risk.unseen_floor(model.p, 1.0, n) / noise.noise_to_floor(alpha, 1.0)
    return min(within(deviations(drawn, exact), 4), within(abs(exact / law - 1), 0.02), within(abs(ratio - 1), 0.01))


@claim(
    "thm-composition-noise",
    "Composing t once-seen features costs sigma^2 t, up to leverage, unless signs are chosen after the noise",
    NOISE,
    breaks={"forget the common parts": {"common": 0.0}, "signs chosen after the noise": {"signs": "after"}},
    functions=(f"{THEORY}.noise.composition_noise", f"{THEORY}.noise.composition_bounds"),
)
def composed_noise(common: float = 1.0, signs: str = "fixed") -> float:
    model, X, _ = certified(2.0, 1000)
    inverse, _ = noise.common_leverage(X, model.p, model.k)
    features, rows = noise.once_seen_rows(X)
    alone = level_one(X, model.k)[features]
    features, rows, t = features[alone][:10], rows[alone][:10], 10
    own = np.asarray(X[rows, features])
    w = own @ X[rows].toarray()[:, : model.k]
    others = np.delete(np.arange(1000), rows)
    used = np.flatnonzero(feature_counts(X) > 0)
    w_full = np.zeros(model.d)
    w_full[: model.k] = w
    u = np.linalg.lstsq(X[others][:, used].toarray().T, w_full[used], rcond=1e-10)[0]
    exact = noise.composition_noise(X, features, 1.0, signs=np.ones(t))
    rest = X[rows].toarray()[:, : model.k]
    bounds = noise.composition_bounds(t, float(np.einsum("tj,jl,tl->t", rest, inverse, rest).max()), 1.0)
    random = noise.composition_noise(X, features, 1.0)
    at = np.searchsorted(used, features)
    readers = np.linalg.lstsq(X[:, used].toarray().T, np.eye(used.size)[:, at], rcond=1e-10)[0]
    xi = np.random.default_rng(0).normal(size=(1000, 400))
    adversarial = float(np.mean(np.abs(readers.T @ xi).sum(axis=0) ** 2))
    worst = adversarial if signs == "after" else exact
    return min(
        within(abs(exact - (t + common * u @ u)), 1e-7),
        1 - random / bounds["random"] + TINY,
        1 - worst / bounds["fixed"] + TINY,
        1 - adversarial / bounds["adversarial"],
    )
