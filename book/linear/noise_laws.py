"""What label noise does to coefficients: exact variances, bounds, the law of the diagonal, and figures of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import digamma, gamma

from book.linear import formulas
from book.shared.draws import long_tail
from book.shared.style import BLUE, GREEN, INK, ORANGE, RED, Picture, band, picture, subplots
from companion import _validate as check
from companion.linear import inverse_gram_diagonal, level_one, sample_design, theory
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


@cache
def diagonal(alpha: float, n: int) -> float:
    return formulas.diagonal_noise(long_tail(alpha, n, d=10_000).p, n)


def own_rows(X: sp.csr_array, i: int, k: int) -> np.ndarray:
    """The rows in which i is the only feature after the first k, dense."""
    rows = X[X[:, [i]].nonzero()[0]].toarray()
    return np.asarray(rows[np.count_nonzero(rows[:, k:], axis=1) == 1])


def mean_of_terms(X: sp.csr_array, p: np.ndarray, k: int, tau: float, draws: int) -> tuple[float, float, float]:
    """Sum of p_i [G^+]_ii over common and level-1 features: mean over draws, its standard error, and bound (c)."""
    _, average = theory.common_leverage(X, p, k)
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
