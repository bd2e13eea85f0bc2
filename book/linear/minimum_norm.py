"""The room of *Memorization as minimum norm*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from book.shared.draws import EXACT, THEORY, TINY, certified, deviations
from book.shared.ledger import Found, at_least, at_most, claim, exactly
from book.shared.style import CYCLE, Picture, picture, subplots
from companion import _validate as check
from companion.linear import (
    LongTailModel,
    feature_counts,
    gradient_descent,
    leave_one_out_residuals,
    leverage,
    min_norm,
    rank,
)
from companion.linear.theory import noise
from companion.linear.theory.shrinkage import gradient_shrinkage


def expected_train_error(n: int, rank: int, sigma: float) -> float:
    """Mean squared training residual, ``sigma^2 (1 - rank/n)``. Source: ours, :prf:ref:`prop-train-error`."""
    n = check.positive_int("n", n)
    return check.nonnegative("sigma", sigma) ** 2 * (1 - check.integer("rank", rank, low=0, high=n) / n)


@claim(
    "thm-gradient-descent",
    "Gradient descent from zero learns each singular direction geometrically and ends at the minimum norm",
    source="published elsewhere",
    functions=("companion.linear.gradient_descent", f"{THEORY}.shrinkage.gradient_shrinkage"),
)
def descent(share: float = 0.9, start: float = 0.0, late: int = 0) -> list[Found]:
    """A random design of 20 rows: 60 steps against the closed form, 2,000 against the minimum norm."""
    rng = np.random.default_rng(1)
    X, y = rng.integers(-1, 2, (20, 60)).astype(float), rng.normal(size=20)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    lr, b0 = share * 20 / s[0] ** 2, np.full(60, start)
    closed = Vt.T @ (gradient_shrinkage(s**2, 20, lr=lr, steps=60 + late) / s * (U.T @ y))
    path = np.abs(gradient_descent(X, y, 60, lr) - closed).max() / np.abs(closed).max()
    end = b0 + gradient_descent(X, y - X @ b0, 2_000, lr)
    return [
        at_most("relative error of the closed form after 60 steps", path, TINY),
        at_most("distance from the minimum norm after 2,000 steps", np.abs(end - min_norm(X, y)).max(), 1e-6),
    ]


descent.breaks("a step half a per cent above n / s_1^2", share=1.005)
descent.breaks("a start off the row space", start=1.0)
descent.breaks("61 steps in the closed form", late=1)


@claim(
    "thm-certificate",
    "P_ii = 1 exactly when every interpolator has the right coefficient",
    functions=("companion.linear.recoverability",),
    blunt={"residuals of the second": "that it interpolates is how it was made, not what is stated"},
)
def certificate(threshold: float = EXACT, missed: int = 0, times: int = 0) -> list[Found]:
    """A random second interpolator: where its coefficients are those of beta, and where not; alpha = 1.25."""
    model, X, P = certified(1.25)
    dense, unseen = X.toarray(), feature_counts(X) <= times
    null = np.eye(model.d)[:, ~unseen] - np.linalg.pinv(dense, rcond=1e-10) @ dense[:, ~unseen]
    other = model.beta + null @ np.random.default_rng(0).normal(size=null.shape[1])
    moved, resolved = np.abs(other - model.beta), threshold <= P
    resolved[np.flatnonzero(resolved)[:missed]] = False
    fitted = min_norm(X, np.random.default_rng(1).normal(size=model.n))
    return [
        at_most("residuals of the second interpolator", np.abs(dense @ (other - model.beta)).max(), 1e-7),
        at_most(f"its largest error on {resolved.sum()} resolved features", moved[resolved].max(), 1e-7),
        at_least("its smallest error on a seen one that is not", moved[~unseen & ~resolved].min(), 1e-7),
        exactly("features that only one of P_ii = 0 and unseen tells", ((P == 0) != unseen).sum(), 0),
        exactly("features that only one of a fit of 0 and unseen tells", ((fitted == 0) != unseen).sum(), 0),
    ]


certificate.breaks("P_ii >= 1/2 called resolved", threshold=0.5)
certificate.breaks("one resolved feature called unresolved", missed=1)
certificate.breaks("features seen once called unseen", times=1)


@claim(
    "thm-memorized-row",
    "h_rr = 1 exactly when the row is fitted whatever its label; once-seen features force it",
    functions=("companion.linear.leverage",),
)
def memorized_row(threshold: float = EXACT, missed: int = 0) -> list[Found]:
    """Twenty sets of random labels: the root mean square residual of each row; alpha = 1.25."""
    X = certified(1.25)[1]
    flagged, dense = leverage(X) >= threshold, X.toarray()[:, feature_counts(X) > 0]
    labels = np.random.default_rng(0).normal(size=(20, len(flagged)))
    residual = np.sqrt(np.mean([(y - X @ min_norm(X, y)) ** 2 for y in labels], axis=0))
    once = np.unique(noise.once_seen_rows(X)[1])
    flagged[once[:missed]] = False
    tenth = np.arange(0, len(flagged), 10)
    spanned = np.array([np.linalg.matrix_rank(np.delete(dense, r, axis=0)) == rank(X) for r in tenth])
    differ = int((spanned == flagged[tenth]).sum())
    return [
        at_most(f"largest residual of {flagged.sum()} memorized rows", residual[flagged].max(), 1e-7),
        at_least("smallest residual of the others", residual[~flagged].min(), 1e-6),
        exactly("rows with a once-seen feature that are not memorized", (~flagged[once]).sum(), 0),
        exactly(
            "of every tenth row, those memorized and spanned by the others, or neither",
            differ,
            0,
        ),
    ]


memorized_row.breaks("h_rr >= 0.8 called memorized", threshold=0.8)
memorized_row.breaks("a row with a once-seen feature called forgotten", missed=1)


@claim(
    "prop-budget",
    "P_ii and h_rr both sum to the rank",
    functions=("companion.linear.recoverability", "companion.linear.leverage"),
)
def budget(of_rank: bool = True) -> list[Found]:
    """Both sums against the rank, at three tail exponents."""
    found = []
    for alpha in (1.1, 1.5, 2.0):
        _, X, P = certified(alpha)
        seen = feature_counts(X) > 0
        expected = np.linalg.matrix_rank(X.toarray()[:, seen]) if of_rank else min(X.shape[0], seen.sum())
        error = max(abs(P.sum() - expected), abs(leverage(X).sum() - expected))
        found.append(at_most(f"alpha = {alpha}: error of both sums against {expected}", error, 1e-6))
    return found


budget.breaks("full rank instead of the rank", of_rank=False)


@claim(
    "thm-leave-one-out",
    "Leave-one-out residuals of the minimum norm from one pseudo-inverse, any rank",
    functions=("companion.linear.leave_one_out_residuals",),
)
def left_out(formula: str = "both") -> Found:
    """The formula against sixty refits of a noisy sample, each without one row."""
    X, y, refits = refitted()
    residual, h = y - X @ min_norm(X, y), leverage(X)
    given = {
        "both": leave_one_out_residuals(X, y),
        "one formula": residual / np.maximum(1 - h, 1e-15),
        "no division": residual,
    }[formula]
    what = f"largest difference from 60 refits, {(h > EXACT).sum()} rows memorized"
    return at_most(what, np.abs(given - refits).max(), 1e-6)


left_out.breaks("the ordinary formula for memorized rows too", formula="one formula")
left_out.breaks("training residuals instead", formula="no division")


@cache
def refitted() -> tuple[Any, np.ndarray, np.ndarray]:
    """A noisy sample and its held-out residuals, by fitting it again without each row."""
    model, X, _ = certified(1.25, 60)
    y = X @ model.beta + np.random.default_rng(0).normal(size=60)
    rows = np.arange(60)
    return X, y, np.array([y[r] - (X[[r]] @ min_norm(X[rows != r], y[rows != r]))[0] for r in rows])


@claim(
    "prop-train-error",
    "The expected training error is sigma^2 (1 - rank/n): noise is not interpolated",
    functions=("book.linear.minimum_norm.expected_train_error",),
)
def train_error(degrees: str = "rank") -> Found:
    """The mean over 4,000 draws of the noise against the formula; alpha = 1.25."""
    model, X, _ = certified(1.25)
    seen = feature_counts(X) > 0
    used = {"rank": rank(X), "interpolation": model.n, "seen features": int(seen.sum()) // 2}[degrees]
    dense = X.toarray()[:, seen]
    hat = dense @ np.linalg.pinv(dense, rcond=1e-10)
    xi = model.sigma * np.random.default_rng(0).normal(size=(model.n, 4000))
    values = np.mean((xi - hat @ xi) ** 2, axis=0)
    stated = expected_train_error(model.n, used, model.sigma)
    what = f"training error {values.mean():.3g}, stated {stated:.3g}; standard errors apart"
    return at_most(what, deviations(values, stated), 4)


train_error.breaks("everything interpolated", degrees="interpolation")
train_error.breaks("half the seen features as degrees of freedom", degrees="seen features")


def fig_descent(X: Any, y: Any, share: float = 0.9, steps: int = 3000) -> Picture:
    """Error of gradient descent along singular directions, measured (dots) and in closed form (lines)."""
    n = X.shape[0]
    dense = X[:, np.flatnonzero(feature_counts(X))].toarray()
    U, s, Vt = np.linalg.svd(dense, full_matrices=False)
    lr = share * n / s[0] ** 2
    kept = np.flatnonzero(s > 1e-10 * s[0])
    wanted = np.geomspace(s[kept[0]], s[kept[-1]], 5)
    shown = np.unique([kept[np.argmin(np.abs(np.log(s[kept] / size)))] for size in wanted])
    goal = (U.T @ y)[kept] / s[kept]
    times = np.unique(np.geomspace(1, steps, 25).astype(int))
    measured, b = [], np.zeros(dense.shape[1])
    for step in range(1, steps + 1):
        b = b - lr * (2 / n) * (dense.T @ (dense @ b - y))
        if step in times:
            measured.append(np.abs(Vt[kept] @ b / goal - 1))
    line = np.geomspace(1, steps, 200).astype(int)
    figure, ax = subplots(size=(6.6, 3.4))
    for j, color in zip(shown, CYCLE, strict=False):
        left_over = [abs(1 - gradient_shrinkage(s[[j]] ** 2, n, lr=lr, steps=int(t))[0]) for t in line]
        ax.plot(line, left_over, color=color, label=rf"$s_j^2={float(f'{s[j] ** 2:.3g}'):g}$")
        ax.plot(times, np.array(measured)[:, np.flatnonzero(kept == j)[0]], "o", color=color, ms=3.5)
    ax.set(xscale="log", yscale="log", ylim=(1e-6, 2), xlabel="step", ylabel="share still to learn")
    ax.legend(title="direction", loc="lower left")
    slow = 1 - gradient_shrinkage(s[[shown[-1]]] ** 2, n, lr=lr, steps=steps)[0]
    alt = (
        f"Share of five singular directions still to learn against the step, measured points on closed-form lines. "
        f"The largest, squared singular value {s[0] ** 2:.0f}, is learned in a few steps; of the smallest, "
        f"{s[shown[-1]] ** 2:.2g}, {slow:.0%} is left after {steps:,} steps."
    )
    return picture(figure, alt)


def fig_leverages(n: int, d: int, s: float, alphas: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0), *, seed: int) -> Picture:
    """Leverages of all rows, sorted, one curve an alpha: how much of each label its own prediction copies."""
    figure, ax = subplots(size=(6.6, 3.3))
    words = []
    for alpha, color in zip(alphas, CYCLE, strict=False):
        model = LongTailModel(n=n, d=d, s=s, alpha=alpha, beta_exponent=0.1, sigma=0.0)
        h = np.sort(leverage(model.sample(seed=seed).X))[::-1]
        ax.plot(np.arange(1, n + 1) / n, h, color=color, label=rf"$\alpha={alpha:g}$")
        words.append(f"{np.mean(h > 1 - 1e-9):.1%} at alpha {alpha:g}")
    ax.set(xlabel="share of the rows, most memorized first", ylabel=r"leverage $h_{rr}$", ylim=(-0.02, 1.05))
    ax.legend()
    return picture(figure, "Sorted leverages of all rows. The share of rows with leverage 1: " + ", ".join(words) + ".")
