"""Ledger entries of the chapters on the data model and on the minimum norm."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np

from book.shared.draws import EXACT, THEORY, TINY, certified, deviations, long_tail, within
from companion.claims import Entries
from companion.linear import feature_counts, gradient_descent, leave_one_out_residuals, leverage, min_norm, rank
from companion.linear.theory import noise, risk, shrinkage

CLAIMS = Entries()
claim = CLAIMS.add
DATA, NORM = "book/linear/data", "book/linear/minimum-norm"


# --- the data model ---------------------------------------------------------------------------------------


@claim(
    "prop-exact-risk",
    "The population risk is the p-weighted squared error of the coefficients",
    DATA,
    breaks={"one sign for the whole row": {"one_sign": True}},
    functions=("companion.linear.population_risk",),
)
def exact_risk(one_sign: bool = False) -> float:
    """All supports and signs of three features, with a law of the support under which features are dependent."""
    supports = np.array(list(itertools.product((0, 1), repeat=3)))
    law, error = np.random.default_rng(0).dirichlet(np.ones(8)), np.array([0.7, -1.3, 2.0])
    mean = 0.0
    for support, weight in zip(supports, law, strict=True):
        signs = [(1, 1, 1), (-1, -1, -1)] if one_sign else list(itertools.product((1, -1), repeat=3))
        mean += weight * np.mean([(support * sign @ error) ** 2 for sign in signs])
    return within(abs(mean - law @ supports @ error**2), 1e-12)


@claim(
    "prop-sparsity",
    "E|x|^2 falls short of s by the mass that the cut at 1 takes off",
    DATA,
    breaks={"forget the cut": {"cut": False}},
    functions=(f"{THEORY}.risk.clipped_mass",),
)
def sparsity(cut: bool = True) -> float:
    worst = 0.0
    for alpha in (1.0, 1.5, 2.0, 3.0):
        model = long_tail(alpha, 1000)
        taken = risk.clipped_mass(5.0, alpha, model.d) if cut else 0.0
        worst = max(worst, abs(model.row_mass - (5.0 - taken)))
    return within(worst, 1e-9)


@claim(
    "prop-good-turing",
    "Once-seen weight over n has the mean of the unseen floor at n - 1 rows",
    DATA,
    source="published elsewhere",
    breaks={"count features seen twice": {"occurrences": 2}},
    functions=(f"{THEORY}.risk.once_seen_mass",),
)
def good_turing(occurrences: int = 1) -> float:
    p, weights, n = long_tail(1.5, 100).p, long_tail(1.5, 100).beta ** 2, 100
    rng = np.random.default_rng(0)
    values = [weights[rng.binomial(n, p) == occurrences].sum() / n for _ in range(1000)]
    return within(deviations(values, risk.once_seen_mass(p, weights, n)), 4)


# --- minimum norm -----------------------------------------------------------------------------------------


@claim(
    "thm-gradient-descent",
    "Gradient descent from zero learns each singular direction geometrically and ends at the minimum norm",
    NORM,
    source="published elsewhere",
    breaks={"a step above n / s_max^2": {"share": 1.005}, "a start off the row space": {"start": 1.0}},
    functions=("companion.linear.gradient_descent", f"{THEORY}.shrinkage.gradient_filter"),
)
def descent(share: float = 0.9, start: float = 0.0) -> float:
    rng = np.random.default_rng(1)
    X, y = rng.integers(-1, 2, (20, 60)).astype(float), rng.normal(size=20)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    lr, steps = share * 20 / s[0] ** 2, 60
    closed = Vt.T @ (shrinkage.gradient_filter(s, 20, lr=lr, steps=steps) / s * (U.T @ y))
    path = np.abs(gradient_descent(X, y, steps, lr) - closed).max() / np.abs(closed).max()
    b0 = start * np.ones(60)
    end = b0 + gradient_descent(X, y - X @ b0, 2_000, lr)
    return min(within(path, TINY), within(np.abs(end - min_norm(X, y)).max(), 1e-6))


@claim(
    "thm-certificate",
    "P_ii = 1 exactly when every interpolator has the right coefficient",
    NORM,
    breaks={"call P_ii >= 1/2 resolved": {"threshold": 0.5}},
    functions=("companion.linear.recoverability",),
)
def certificate(threshold: float = EXACT) -> float:
    model, X, P = certified(1.25)
    dense = X.toarray()
    null = np.eye(model.d)[:, P > 0] - np.linalg.pinv(dense, rcond=1e-10) @ dense[:, P > 0]
    other = model.beta + null @ np.random.default_rng(0).normal(size=null.shape[1])
    fits = np.abs(dense @ (other - model.beta)).max()
    resolved = threshold <= P
    moved = np.abs(other - model.beta)
    agrees = max(fits, moved[resolved].max())
    differs = float(moved[(P > 0) & ~resolved].min())
    labels = np.random.default_rng(1).normal(size=X.shape[0])
    unseen = feature_counts(X) == 0
    zero = ((P == 0) == unseen).all() and ((min_norm(X, labels) == 0) == unseen).all()
    return min(within(agrees, 1e-7), differs / 1e-7 - 1, 1.0 if zero else -1.0)


@claim(
    "thm-memorized-row",
    "h_rr = 1 exactly when the row is fitted whatever its label; once-seen features force it",
    NORM,
    breaks={"call h_rr >= 0.8 memorized": {"threshold": 0.8}},
    functions=("companion.linear.leverage",),
)
def memorized_row(threshold: float = EXACT) -> float:
    _, X, _ = certified(1.25)
    h, rng = leverage(X), np.random.default_rng(0)
    labels = rng.normal(size=(X.shape[0], 20))
    residual = np.sqrt(np.mean([(y - X @ min_norm(X, y)) ** 2 for y in labels.T], axis=0))
    flagged = h >= threshold
    once = np.unique(noise.once_seen_rows(X)[1])
    return min(
        within(residual[flagged].max(), 1e-7),
        1.0 if residual[~flagged].min() > 1e-6 else -1.0,
        1.0 if flagged[once].all() else -1.0,
    )


@claim(
    "prop-budget",
    "P_ii and h_rr both sum to the rank",
    NORM,
    breaks={"full rank instead of the rank": {"of_rank": False}},
    functions=("companion.linear.recoverability", "companion.linear.leverage"),
)
def budget(of_rank: bool = True) -> float:
    worst = 0.0
    for alpha in (1.1, 1.5, 2.0):
        _, X, P = certified(alpha)
        seen = feature_counts(X) > 0
        expected = np.linalg.matrix_rank(X.toarray()[:, seen]) if of_rank else min(X.shape[0], seen.sum())
        worst = max(worst, abs(P.sum() - expected), abs(leverage(X).sum() - expected))
    return within(worst, 1e-6)


@cache
def _refits() -> tuple[Any, np.ndarray, np.ndarray]:
    """A noisy sample and its held-out residuals, by fitting it again without each row."""
    model, X, _ = certified(1.25, 60)
    y = X @ model.beta + np.random.default_rng(0).normal(size=60)
    rows = np.arange(60)
    return X, y, np.array([y[r] - (X[[r]] @ min_norm(X[rows != r], y[rows != r]))[0] for r in rows])


@claim(
    "thm-leave-one-out",
    "Leave-one-out residuals of the minimum norm from one pseudo-inverse, any rank",
    NORM,
    breaks={
        "the ordinary formula for memorized rows too": {"formula": "one formula"},
        "training residuals instead": {"formula": "no division"},
    },
    functions=("companion.linear.leave_one_out_residuals",),
)
def left_out(formula: str = "both") -> float:
    X, y, refits = _refits()
    residual, h = y - X @ min_norm(X, y), leverage(X)
    given = {
        "both": leave_one_out_residuals(X, y),
        "one formula": residual / np.maximum(1 - h, 1e-15),
        "no division": residual,
    }[formula]
    return within(np.abs(given - refits).max(), 1e-6)


@claim(
    "prop-train-error",
    "The expected training error is sigma^2 (1 - rank/n): noise is not interpolated",
    NORM,
    breaks={
        "suppose everything is interpolated": {"degrees": "interpolation"},
        "half the seen features as degrees of freedom": {"degrees": "seen features"},
    },
    functions=(f"{THEORY}.noise.expected_train_error",),
)
def train_error(degrees: str = "rank") -> float:
    model, X, _ = certified(1.25)
    seen = feature_counts(X) > 0
    used = {"rank": rank(X), "interpolation": X.shape[0], "seen features": int(seen.sum()) // 2}[degrees]
    dense = X.toarray()[:, seen]
    hat = dense @ np.linalg.pinv(dense, rcond=1e-10)
    xi = model.sigma * np.random.default_rng(0).normal(size=(X.shape[0], 4000))
    values = np.mean((xi - hat @ xi) ** 2, axis=0)
    return within(deviations(values, noise.expected_train_error(X.shape[0], used, model.sigma)), 4)
