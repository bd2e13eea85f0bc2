"""Ledger entries of the chapter on turning memorization off."""

from __future__ import annotations

import numpy as np

from book.shared.draws import THEORY, TINY, certified, long_tail, within
from companion.claims import Entries
from companion.linear import gradient_descent, ridge, sample_design
from companion.linear.theory import noise, risk, shrinkage

CLAIMS = Entries()
claim = CLAIMS.add
OFF = "book/linear/turning-off"


@claim(
    "thm-ridge-once-seen",
    "Ridge shrinks a once-seen coefficient by 1/(1 + n lam (1 + q)) on average over its sign",
    OFF,
    breaks={"forget q": {"rest": 0.0}, "hold lam instead of n lam when the row is left out": {"rows_kept": True}},
    functions=(f"{THEORY}.shrinkage.ridge_once_seen",),
)
def ridge_once_seen(rest: float = 1.0, rows_kept: bool = False) -> float:
    model, X, _ = certified(1.5)
    y, n, n_lam = X @ model.beta, model.n, 0.7
    features, rows = noise.once_seen_rows(X)
    worst = 0.0
    for i, r in list(zip(features, rows, strict=True))[:15]:
        strength = n_lam * (n - 1) / n if rows_kept else n_lam  # the other rows' fit at lam, or at n lam
        closed, q = shrinkage.ridge_once_seen(X, y, int(i), strength)
        worst = max(worst, abs(ridge(X, y, n_lam / n)[i] - closed))
        flipped = X.copy()
        flipped[r, i] = -X[r, i]
        both = [ridge(design, design @ model.beta, n_lam / n)[i] for design in (X, flipped)]
        worst = max(worst, abs(np.mean(both) - model.beta[i] / (1 + n_lam * (1 + rest * q))))
    return within(worst, 1e-7)


@claim(
    "prop-isolated",
    "An isolated feature under ridge and under early stopping, in closed form",
    OFF,
    breaks={"lam instead of n lam": {"per_row": False}, "half the step": {"double": False}},
    functions=(f"{THEORY}.shrinkage.ridge_shrinkage", f"{THEORY}.shrinkage.gradient_shrinkage"),
)
def isolated(per_row: bool = True, double: bool = True) -> float:
    counts = np.array([1, 2, 5, 20])
    n, beta = int(counts.sum()), np.array([1.0, -2.0, 0.5, 3.0])
    X = np.repeat(np.eye(4), counts, axis=0)
    n_lam, lr, steps = 0.8, 0.3, 17
    factor = shrinkage.ridge_shrinkage(counts, n_lam if per_row else n_lam / n)
    learned = shrinkage.gradient_shrinkage(counts, n, lr=lr if double else lr / 2, steps=steps)
    once = shrinkage.ridge_shrinkage(1, shrinkage.matching_penalty(n, lr=lr, steps=steps))
    worst = max(
        np.abs(ridge(X, X @ beta, n_lam / n) - factor * beta).max(),
        np.abs(gradient_descent(X, X @ beta, steps, lr) - learned * beta).max(),
        abs(once - shrinkage.gradient_shrinkage(1, n, lr=lr, steps=steps)),
    )
    return within(worst, TINY)


@claim(
    "prop-forgetting",
    "What forgetting once-seen features costs in training, in distribution and in composition",
    OFF,
    breaks={
        "lam instead of n lam": {"per_row": False},
        "as dear in distribution as in training": {"population": 1 / 0.6},
        "three features instead of two": {"t": 3},
    },
    functions=(f"{THEORY}.shrinkage.forgetting",),
)
def forgotten(per_row: bool = True, population: float = 1.0, t: int = 2) -> float:
    """Exact identity of the residuals; the three costs to 15 % of their measured means at alpha = 2."""
    n, n_lam, draws = 4000, 1.0, 10
    model = long_tail(2.0, n)
    expected = shrinkage.forgetting(model.p, model.beta, n, n_lam, t=2)
    sums, worst = np.zeros(4), 0.0
    for seed in range(draws):
        X = sample_design(n, model.p, seed=seed)
        y = X @ model.beta
        b = ridge(X, y, n_lam / n)
        features, rows = noise.once_seen_rows(X)
        residual, own = (y - X @ b)[rows], np.asarray(X[rows, features])
        worst = max(worst, np.abs(residual - own * (n_lam if per_row else n_lam / n) * b[features]).max())
        error = (b - model.beta)[features]
        sums += [residual @ residual / n, model.p[features] @ error**2, error @ error, features.size]
    train, in_distribution = sums[:2] / draws
    composition = t * sums[2] / sums[3]
    far = shrinkage.forgetting(*_frequencies_and_sizes(1_000_000), 100_000, n_lam, t=2)
    return min(
        within(abs(far.population / far.train / risk.floor_exponent(2.0, 0.1) - 1), 0.01),
        within(worst, TINY),
        within(abs(train / expected.train - 1), 0.15),
        within(abs(in_distribution / (population * expected.population) - 1), 0.15),
        within(abs(composition / expected.composition - 1), 0.15),
    )


def _frequencies_and_sizes(d: int) -> tuple[np.ndarray, np.ndarray]:
    model = long_tail(2.0, 1000, d=d)
    return model.p, model.beta


@claim(
    "prop-measured-memorization",
    "Self-influence is one minus residual over held-out residual: memorization, measured",
    OFF,
    breaks={"hold lam instead of n lam when a row is left out": {"held": "lam"}},
    functions=(f"{THEORY}.shrinkage.ridge_leverage",),
)
def measured_memorization(held: str = "n lam") -> float:
    model, X, _ = certified(1.5, 100)
    y, n, n_lam = X @ model.beta + np.random.default_rng(0).normal(size=100), 100, 0.7
    residual, h = y - X @ ridge(X, y, n_lam / n), shrinkage.ridge_leverage(X, n_lam)
    lam = n_lam / (n - 1) if held == "n lam" else n_lam / n
    keep = [np.arange(n) != r for r in range(n)]
    left = np.array([y[r] - (X[[r]] @ ridge(X[keep[r]], y[keep[r]], lam))[0] for r in range(n)])
    features, rows = noise.once_seen_rows(X)
    q = np.array([shrinkage.ridge_once_seen(X, y, int(i), n_lam)[1] for i in features])
    once = np.abs(h[rows] - (1 + n_lam * q) / (1 + n_lam * (1 + q))).max()
    least = float(h[rows].min()) * (1 + n_lam) - 1 + TINY  # h >= 1/(1 + n lam)
    return min(within(max(np.abs(residual - (1 - h) * left).max(), once), 1e-8), least / TINY)
