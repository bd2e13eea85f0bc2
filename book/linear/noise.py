"""The room of *Noise*: checks and breaks of its statements, and its figure."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import digamma, gamma

from book.linear import formulas
from book.shared.draws import THEORY, TINY, certified, deviations, fitted_slope, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import BLUE, GREEN, INK, ORANGE, RED, Picture, band, picture, subplots
from companion import _validate as check
from companion.linear import (
    expected_population_risk,
    feature_counts,
    inverse_gram_diagonal,
    level_one,
    min_norm,
    population_risk,
    resolved,
    sample_design,
)
from companion.linear.theory import noise
from companion.runner.results import Result


def rest_leverage(X: Any, feature: int) -> float:
    """``q = v^T (X_{-r}^T X_{-r})^+ v`` for a once-seen feature: v is the rest of its row r.

    If the feature is resolved, the variance of its coefficient is exactly ``sigma^2 (1 + q)``.
    Source: ours, :prf:ref:`thm-once-seen`.

    Raises
    ------
    ValueError: the feature does not occur in exactly one row.
    """
    X = sp.csr_array(check.design("X", X))
    feature = check.integer("feature", feature, low=0, high=X.shape[1] - 1)
    rows = sp.csc_array(X)[:, [feature]].indices
    if rows.size != 1:
        raise ValueError(f"feature must occur in exactly one row, but feature {feature} occurs in {rows.size}")
    others = np.delete(np.arange(X.shape[0]), rows[0])
    v = X[[int(rows[0])]].toarray()[0]
    v[feature] = 0
    used = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) > 0)
    weights = np.linalg.lstsq(X[others][:, used].toarray().T, v[used], rcond=1e-10)[0]
    return float(weights @ weights)


def noise_constant(alpha: float) -> float:
    """``(1/alpha) Gamma(1 - 1/alpha) (psi(1) - psi(1/alpha))``, the constant of `diagonal_noise_law`."""
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    return float(gamma(1 - 1 / alpha) * (digamma(1) - digamma(1 / alpha)) / alpha)


def diagonal_noise_law(n: int, *, c: float, alpha: float) -> float:
    """The power law of `diagonal_noise`: ``noise_constant(alpha) c^(1/alpha) n^-(1-1/alpha)``, d infinite.

    Source: ours, :prf:ref:`prop-noise-law`.
    """
    n, c = check.positive_int("n", n), check.positive("c", c)
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    return noise_constant(alpha) * c ** (1 / alpha) * float(n) ** -(1 - 1 / alpha)


def noise_to_floor(alpha: float, sigma: float) -> float:
    """Limit of (diagonal noise risk)/(unseen floor) for ``beta_i = 1``: ``sigma^2 (psi(1) - psi(1/alpha))``.

    Source: ours, :prf:ref:`prop-noise-law`: the two fall at the same rate, so neither ever wins.
    """
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    return check.nonnegative("sigma", sigma) ** 2 * float(digamma(1) - digamma(1 / alpha))


def chain_variance(length: int, sigma: float) -> np.ndarray:
    """Noise variance along a chain of rows (1), (1, 2), (2, 3), ...: ``sigma^2 (1, 2, ..., length)``.

    Source: ours, :prf:ref:`prop-chain`.
    """
    steps = np.arange(1, check.positive_int("length", length) + 1, dtype=float)
    return check.nonnegative("sigma", sigma) ** 2 * steps


def composition_bounds(t: int, leverage: float, sigma: float) -> dict[str, float]:
    """Bounds on the noise of t once-seen features, each alone among tail features in its own row.

    `leverage` is the largest ``v^T (A^T A)^{-1} v`` over their rows. Keys: "random" (independent signs),
    "fixed" (signs fixed before the noise), "adversarial" (signs chosen after it).
    Source: ours, :prf:ref:`thm-composition-noise`.
    """
    t, q = check.positive_int("t", t), check.nonnegative("leverage", leverage)
    scale = check.nonnegative("sigma", sigma) ** 2 * t
    return {"random": scale * (1 + q), "fixed": scale * (1 + t * q), "adversarial": scale * t * (1 + q)}


@cache
def slopes_over_k() -> np.ndarray:
    """Slope in n of (noise part of the risk)/(k/n) at alpha = 2 and sigma = 1, one a seed."""
    sizes, slopes = (1000, 4000, 16_000), []
    for seed in range(5):
        values = []
        for n in sizes:
            model = long_tail(2.0, n)
            X = sample_design(n, model.p, seed=1000 * n + seed)
            k = (n * model.c / 10) ** 0.5  # n p_k = 10, without rounding k
            values.append(formulas.noise_risk(X, model.p, 1.0) / (k / n))
        slopes.append(np.polyfit(np.log(sizes), np.log(values), 1)[0])
    return np.array(slopes)


@claim(
    "thm-paper-noisy",
    "Paper Theorems 1, 4 and 5: once-seen error near sigma; sigma^2 k/n is the noise part, not the whole loss",
    source="paper (as summarised)",
    status="checked",
    functions=("book.linear.formulas.noise_risk", f"{THEORY}.noise.once_seen_rows"),
)
def paper_noise(shift: float = 0.0, once: float = 1.0, whole: bool = True) -> list[Found]:
    """All at alpha = 2: the noise part of the risk over k/n along n, once-seen features, and the whole loss."""
    model, X, _ = certified(2.0, 1000)
    quiet = whole * population_risk(min_norm(X, X @ model.beta), model)
    losses = [quiet + formulas.noise_risk(X, model.p, sigma) for sigma in (0.0125, 0.05)]
    features, _ = noise.once_seen_rows(X)
    error = np.sqrt(inverse_gram_diagonal(X)[features[resolved(X)[features]]].mean())
    return [
        fitted_slope("slope in n of the noise part of the risk over k/n", slopes_over_k(), shift),
        between("rms error of resolved once-seen features over sigma", once * error, 1.0, 1.1),
        at_most(
            "whole loss at sigma = 0.05 over that at 0.0125 (16 if it were of order sigma^2 k/n)",
            losses[1] / losses[0],
            2,
        ),
    ]


paper_noise.breaks("k/n times n^0.1", shift=0.1)
paper_noise.breaks("k/n times n^-0.1", shift=-0.1)
paper_noise.breaks("once-seen error a tenth larger", once=1.1)
paper_noise.breaks("the noise part read as the whole loss", whole=False)


@claim(
    "thm-conditional-risk",
    "Risk given the design: bias plus sigma^2 times a weighted trace",
    functions=("companion.linear.expected_population_risk", "book.linear.formulas.noise_risk"),
)
def conditional_risk(bias: bool = True, variance: bool = True) -> Found:
    """The mean risk of 2,000 draws of the noise on one design at alpha = 1.5."""
    model, X, _ = certified(1.5)
    seen = np.flatnonzero(feature_counts(X))
    inverse = np.linalg.pinv(X.toarray()[:, seen], rcond=1e-10)
    xi = model.sigma * np.random.default_rng(0).normal(size=(X.shape[0], 2000))
    error = -model.beta[:, None] * np.ones((1, 2000))
    error[seen] += inverse @ ((X @ model.beta)[:, None] + xi)
    stated = expected_population_risk(X, model)
    stated -= 0 if bias else population_risk(min_norm(X, X @ model.beta), model)
    stated -= 0 if variance else formulas.noise_risk(X, model.p, model.sigma)
    return at_most("standard errors between the mean risk and the two sums", deviations(model.p @ error**2, stated), 4)


conditional_risk.breaks("leave out the bias", bias=False)
conditional_risk.breaks("leave out the noise", variance=False)


@claim(
    "thm-once-seen",
    "A resolved once-seen feature errs with variance sigma^2 (1 + leverage of the rest of its row)",
    functions=("book.linear.noise.rest_leverage",),
)
def once_seen(rest: float = 1.0, only_resolved: bool = True) -> Found:
    """Forty once-seen features of one design at alpha = 1.5."""
    _, X, _ = certified(1.5, 300)
    variance = inverse_gram_diagonal(X)
    features, _ = noise.once_seen_rows(X)
    features = features[resolved(X)[features] | (not only_resolved)][:40]
    worst = max(abs(variance[i] - (1 + rest * rest_leverage(X, int(i)))) for i in features)
    return at_most(f"largest error of 1 + q on {features.size} once-seen features", worst, 1e-7)


once_seen.breaks("the noise of its own row only", rest=0.0)
once_seen.breaks("unresolved features too", only_resolved=False)


@claim(
    "prop-chain",
    "Along a chain of rows the noise variance grows as 1, 2, 3, ...",
    functions=("book.linear.noise.chain_variance",),
)
def chain(grows: bool = True) -> Found:
    """A chain of six rows with random signs."""
    length = 6
    X = np.eye(length) + np.diag(np.random.default_rng(0).choice([-1.0, 1.0], length - 1), -1)
    expected = chain_variance(length, 1.0) if grows else np.ones(length)
    return at_most("largest error of the variances", np.abs(inverse_gram_diagonal(X) - expected).max(), TINY)


chain.breaks("no growth", grows=False)


def fig_chain(length: int = 4) -> Picture:
    """The chain along which noise travels: rows (squares) and features (circles), with the variance of each feature."""
    variance = chain_variance(length, 1.0)
    figure, ax = subplots(size=(7.2, 1.9))
    ax.grid(False)
    for i in range(length):
        ax.plot([2 * i, 2 * i + 1], [0, 0], color=INK, lw=1.2, zorder=1)
        if i:
            ax.plot([2 * i - 1, 2 * i], [0, 0], color=INK, lw=1.2, zorder=1)
        ax.plot(2 * i, 0, "s", color=ORANGE, ms=15, zorder=2)
        ax.plot(2 * i + 1, 0, "o", color=BLUE, ms=17, zorder=2)
        ax.annotate(f"row {i + 1}", (2 * i, 0), (0, -22), textcoords="offset points", ha="center", fontsize=9)
        ax.annotate(f"feature {i + 1}", (2 * i + 1, 0), (0, 13), textcoords="offset points", ha="center", fontsize=9)
        ax.annotate(
            rf"${variance[i]:.0f}\,\sigma^2$", (2 * i + 1, 0), (0, -22), textcoords="offset points", ha="center"
        )
    ax.set(xlim=(-0.7, 2 * length - 0.3), ylim=(-1, 1), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    told = ", ".join(f"{value:.0f}" for value in variance)
    return picture(figure, f"A chain of {length} rows and features; variances over sigma squared along it: {told}.")


def fig_noise(result: Result) -> Picture:
    """Left: noise loss over sigma^2 along alpha, against k/n and the diagonal. Right: error of once-seen features."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.5), width_ratios=(1.25, 1))
    alphas = [a for a in sorted({g["alpha"] for g in result.summary}) if a > 1]
    for ax, key, color, name in (
        (left, "noise", BLUE, "noise loss"),
        (left, "diagonal", GREEN, r"$\sum p_i/n_i$"),
        (left, "k_over_n", ORANGE, "$k/n$"),
        (right, "once_exact", BLUE, "exact given the design"),
        (right, "once_drawn", RED, "one draw of the noise"),
    ):
        cells = [result.one(alpha=a)[key] for a in alphas]
        mean, low, high = (np.array([c[part] for c in cells]) for part in ("mean", "low", "high"))
        band(ax, alphas, mean, np.maximum(low, 1e-6), high, color=color, label=name, marker="o")
    n, d, s = (result.settings[key] for key in ("n", "d", "s"))
    law = [diagonal_noise_law(n, c=formulas.frequency_scale(s, a, d), alpha=a) for a in alphas]
    left.plot(alphas, law, color=INK, ls="--", lw=1.2, label="law of the diagonal")
    left.set(yscale="log", xlabel=r"tail exponent $\alpha$", ylabel=r"loss over $\sigma^2$", title="In distribution")
    left.legend()
    right.axhline(1, color=INK, lw=0.8, ls=":")
    right.set(xlabel=r"tail exponent $\alpha$", ylabel=r"rms error over $\sigma$", title="Resolved, once-seen")
    right.legend()
    two = result.one(alpha=2.0)
    alt = (
        f"Noise loss over sigma squared along alpha, above the diagonal sum, above k/n: at alpha 2 "
        f"{two['noise']['mean']:.4f}, {two['diagonal']['mean']:.4f} and {two['k_over_n']['mean']:.4f}. Right: error of "
        f"once-seen resolved features over sigma, {two['once_exact']['mean']:.3f} at alpha 2, "
        f"{result.one(alpha=1.25)['once_exact']['mean']:.2f} at alpha 1.25."
    )
    return picture(figure, alt)


@claim(
    "thm-noise-terms",
    "Noise of each feature between P_ii^2/n_i and an explicit bound by the rows without tail",
    functions=(f"{THEORY}.noise.common_leverage", "companion.linear.inverse_gram_diagonal"),
    teeth={"(b) least of the bound over [G+]_jj": 0.8, "(c) mean of 8 draws": 0.6},
)
def noise_terms(projected: bool = True, leverages: float = 1.0, tau: float = 1.0) -> list[Found]:
    """(a) and (b) on every feature of two designs at alpha = 1.5; (c) there, and where it is an equality."""
    lowest, common, alone, means = [], [], [], []
    for seed in range(2):
        model, X, P = certified(1.5, 1000, seed)
        k = int(np.sum(model.n * model.p >= 25))
        counts, variance = feature_counts(X), inverse_gram_diagonal(X)
        seen = counts > 0
        lowest.append((variance[seen] * counts[seen] / (P[seen] ** 2 if projected else 1)).min())
        inverse, _ = noise.common_leverage(X, model.p, k)
        common.append((np.diag(inverse) / variance[:k]).min())
        for i in np.flatnonzero(level_one(X, k)):
            rows = own_rows(X, int(i), k)
            rest = (rows[:, [i]] * rows[:, :k]).mean(axis=0)
            alone.append((1 / len(rows) + leverages * rest @ inverse @ rest) / variance[i])
        means.append(mean_of_terms(X, model.p, k, tau, 8))
    p = np.r_[np.full(8, 0.3), np.full(100, 0.02)]
    X = sp.block_array([[sp.csr_array((40, 8)), None], [None, sp.eye_array(100)]], format="csr")
    X = redrawn(X, p, 8, 0, np.arange(140) < 40)  # forty rows without tail, then a hundred with one tail feature each
    mean, error, bound = mean_of_terms(X, p, 8, tau, 40)
    return [
        at_least("(a) least of [G+]_ii over its lower bound", min(lowest), 1 - TINY),
        at_least("(b) least of the bound over [G+]_jj, common features", min(common), 1 - TINY),
        at_least("(b) least of the bound over [G+]_ii, level 1", min(alone), 1 - TINY),
        *(at_most("(c) mean of 8 draws, plus three standard errors", m + 3 * e, b) for m, e, b in means),
        at_most("(c) one tail feature a row: mean of 40 draws, less three standard errors", mean - 3 * error, bound),
    ]


noise_terms.breaks("1/n_i for unresolved features too", projected=False)
noise_terms.breaks("forget the common part of the rows", leverages=0.0)
noise_terms.breaks("nine tenths of tau", tau=0.9)


def own_rows(X: sp.csr_array, i: int, k: int) -> np.ndarray:
    """The rows in which i is the only feature after the first k, dense."""
    rows = X[X[:, [i]].nonzero()[0]].toarray()
    return np.asarray(rows[np.count_nonzero(rows[:, k:], axis=1) == 1])


def mean_of_terms(X: sp.csr_array, p: np.ndarray, k: int, tau: float, draws: int) -> tuple[float, float, float]:
    """Sum of p_i [G^+]_ii over common and level-1 features: mean over draws, its standard error, and bound (c)."""
    _, average = noise.common_leverage(X, p, k)
    alone = np.flatnonzero(level_one(X, k))
    times = [len(own_rows(X, int(i), k)) for i in alone]
    summed = np.r_[np.arange(k), alone]
    drawn = [inverse_gram_diagonal(redrawn(X, p, k, seed))[summed] @ p[summed] for seed in range(draws)]
    bound = tau * average + (1 + tau * average) * float(np.sum(p[alone] / times))
    return float(np.mean(drawn)), float(np.std(drawn, ddof=1)) / draws**0.5, bound


def redrawn(X: sp.csr_array, p: np.ndarray, k: int, seed: int, rows: np.ndarray | None = None) -> sp.csr_array:
    """X with new signs of tail entries and new common parts of `rows` (of all rows with a tail entry unless given)."""
    rng = np.random.default_rng(seed)
    common, tail = X[:, :k].toarray(), X[:, k:].copy()
    rows = np.diff(tail.indptr) > 0 if rows is None else rows
    shape = (int(rows.sum()), k)
    common[rows] = rng.choice([-1.0, 1.0], shape) * (rng.random(shape) < p[:k])
    tail.data = rng.choice([-1.0, 1.0], tail.nnz)
    return sp.hstack([sp.csr_array(common), tail], format="csr")


@cache
def diagonal(alpha: float, n: int) -> float:
    return formulas.diagonal_noise(long_tail(alpha, n, d=10_000).p, n)


@claim(
    "prop-noise-law",
    "The diagonal noise falls at the rate of the unseen floor; their ratio is sigma^2 (psi(1) - psi(1/alpha))",
    functions=(
        "book.linear.formulas.diagonal_noise",
        "book.linear.noise.diagonal_noise_law",
        "book.linear.noise.noise_to_floor",
    ),
)
def noise_law(exponent: float = 0.0, constant: str = "digamma", scale: float = 1.0) -> list[Found]:
    """The sum against 100 draws of the counts, its law, and the unseen mass, at alpha = 2 and n = 2,000."""
    alpha, n = 2.0, 2000
    model = long_tail(alpha, n, d=10_000)
    law = diagonal_noise_law(n, c=model.c, alpha=alpha) * float(n) ** exponent
    if constant == "floor":
        law = formulas.floor_law(n, c=model.c, alpha=alpha, b=0.0)
    counts = np.random.default_rng(0).binomial(n, model.p, size=(100, model.d))
    drawn = np.sum(np.divide(model.p, counts, out=np.zeros(counts.shape), where=counts > 0), axis=1)
    exact = scale * diagonal(alpha, n)
    ratio = exact / formulas.unseen_floor(model.p, 1.0, n) / noise_to_floor(alpha, 1.0)
    return [
        at_most("standard errors between the drawn mean and the sum", deviations(drawn, exact), 4),
        between("diagonal noise over its law", exact / law, 0.98, 1.02),
        between("diagonal noise over unseen mass, over the limit of this ratio", ratio, 0.99, 1.01),
    ]


noise_law.breaks("exponent off by 0.1", exponent=0.1)
noise_law.breaks("the sum a tenth larger", scale=1.1)
noise_law.breaks("the floor's own constant", constant="floor")


@claim(
    "thm-composition-noise",
    "Composing t once-seen features costs sigma^2 t, up to leverage, unless signs are chosen after the noise",
    functions=(f"{THEORY}.noise.composition_noise", "book.linear.noise.composition_bounds"),
    teeth={"(b) random signs": 0.9, "(c) signs chosen after": 0.6},
)
def composed_noise(common: float = 1.0, chosen_after: bool = False) -> list[Found]:
    """Ten once-seen features of one design at alpha = 2, in units of sigma^2; the adversary over 400 draws of noise."""
    model, X, _ = certified(2.0, 1000)
    inverse, _ = noise.common_leverage(X, model.p, model.k)
    features, rows = noise.once_seen_rows(X)
    alone = level_one(X, model.k)[features]
    features, rows, t = features[alone][:10], rows[alone][:10], 10
    used = np.flatnonzero(feature_counts(X) > 0)
    rest = X[rows].toarray()[:, : model.k]
    w = np.zeros(model.d)
    w[: model.k] = np.asarray(X[rows, features]) @ rest
    others = np.delete(np.arange(model.n), rows)
    u = np.linalg.lstsq(X[others][:, used].toarray().T, w[used], rcond=1e-10)[0]
    bounds = composition_bounds(t, float(np.einsum("tj,jl,tl->t", rest, inverse, rest).max()), 1.0)
    fixed = noise.composition_noise(X, features, 1.0, signs=np.ones(t))
    at = np.searchsorted(used, features)
    readers = np.linalg.lstsq(X[:, used].toarray().T, np.eye(used.size)[:, at], rcond=1e-10)[0]
    xi = np.random.default_rng(0).normal(size=(model.n, 400))
    after = float(np.mean(np.abs(readers.T @ xi).sum(axis=0) ** 2))
    return [
        at_most("(a) error of t + w'(X'X)^+ w on signs fixed before", abs(fixed - (t + common * u @ u)), 1e-7),
        at_most("(a) its bound, signs fixed before", after if chosen_after else fixed, bounds["fixed"] * (1 + TINY)),
        at_most("(b) random signs", noise.composition_noise(X, features, 1.0), bounds["random"] * (1 + TINY)),
        at_most("(c) signs chosen after the noise", after, bounds["adversarial"]),
    ]


composed_noise.breaks("forget the common parts", common=0.0)
composed_noise.breaks("signs chosen after the noise", chosen_after=True)
