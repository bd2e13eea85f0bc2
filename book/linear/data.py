"""The room of *The model and its learner*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import numpy as np

from book.linear import formulas
from book.shared.draws import EXACT, THEORY, TINY, certified, deviations, long_tail
from book.shared.ledger import Found, at_least, at_most, claim, exactly
from book.shared.style import COMMON, CYCLE, INK, NEVER, ONCE, PURPLE, Picture, picture, subplots
from companion import _validate as check
from companion.linear import (
    LongTailModel,
    feature_counts,
    gradient_descent,
    leave_one_out_residuals,
    leverage,
    min_norm,
    population_risk,
    rank,
    theory,
)
from companion.linear.theory import gradient_shrinkage


def clipped_mass(s: float, alpha: float, d: int) -> float:
    """What the cut at 1 takes off the sparsity: ``s - E|x|^2 = sum_i max(0, c i^-alpha - 1)``.

    Source: ours, :prf:ref:`prop-sparsity`.
    """
    s, alpha, d = check.positive("s", s), check.positive("alpha", alpha), check.positive_int("d", d)
    c = formulas.frequency_scale(s, alpha, d)
    cut = np.arange(1, min(d, int(c ** (1 / alpha)) + 1) + 1, dtype=float)
    return float(np.sum(np.maximum(0.0, c * cut**-alpha - 1)))


@claim(
    "prop-sparsity",
    "E|x|^2 falls short of s by the mass that the cut at 1 takes off",
    functions=("book.linear.data.clipped_mass",),
)
def sparsity(cut: bool = True) -> Found:
    """The sum of the frequencies against s less the shortfall, at four tail exponents."""
    error = 0.0
    for alpha in (1.0, 1.5, 2.0, 3.0):
        model = long_tail(alpha)
        taken = clipped_mass(model.s, alpha, model.d) if cut else 0.0
        error = max(error, abs(model.row_mass - (model.s - taken)))
    return at_most("largest error of the expected number of features, four alpha", error, 1e-9)


sparsity.breaks("the cut forgotten", cut=False)


@claim(
    "prop-good-turing",
    "Once-seen weight over n has the mean of the unseen floor at n - 1 rows",
    source="published elsewhere",
    functions=("book.linear.formulas.once_seen_mass",),
)
def good_turing(occurrences: int = 1) -> Found:
    """The mean over 1,000 draws of the counts, weighted by beta^2, against the sum."""
    model, rng = long_tail(1.5, 100), np.random.default_rng(0)
    p, weights, n = model.p, model.beta**2, model.n
    values = [weights[rng.binomial(n, p) == occurrences].sum() / n for _ in range(1000)]
    stated = formulas.once_seen_mass(p, weights, n)
    what = f"once-seen weight over n {np.mean(values):.4f}, stated {stated:.4f}; standard errors apart"
    return at_most(what, deviations(values, stated), 4)


good_turing.breaks("features seen twice counted", occurrences=2)


@claim(
    "prop-exact-risk",
    "The population risk is the p-weighted squared error of the coefficients",
    functions=("companion.linear.population_risk",),
)
def exact_risk(one_sign: bool = False) -> list[Found]:
    """All supports and signs of three features: under the model, and where features like to occur together."""
    model = LongTailModel(n=1, d=3, s=1.4, alpha=1.0, beta_exponent=0.5, sigma=0.0)
    error = np.array([0.7, -1.3, 2.0])
    supports = np.array(list(itertools.product((0, 1), repeat=3)))
    independent = np.where(supports, model.p, 1 - model.p).prod(axis=1)
    dependent = np.random.default_rng(0).dirichlet(np.ones(8))
    signs = [(1, 1, 1), (-1, -1, -1)] if one_sign else list(itertools.product((1, -1), repeat=3))
    given = np.mean([(supports * sign @ error) ** 2 for sign in signs], axis=0)  # the support
    stated = population_risk(model.beta + error, model), dependent @ supports @ error**2
    return [
        at_most("error of the formula, independent features", abs(independent @ given - stated[0]), 1e-12),
        at_most("error of the formula, dependent features", abs(dependent @ given - stated[1]), 1e-12),
    ]


exact_risk.breaks("one sign for the whole row", one_sign=True)


def fig_frequencies(n: int, d: int, s: float, alphas: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0)) -> Picture:
    """Left: p_i against i, with the levels n p_i = 10 and 1. Right: what a fresh row is made of, along alpha."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.3), width_ratios=(1.1, 1))
    models = [LongTailModel(n=n, d=d, s=s, alpha=a, beta_exponent=0.0, sigma=0.0) for a in alphas]
    i = np.arange(1, d + 1)
    for model, color in zip(models, CYCLE, strict=False):
        left.plot(i, model.p, color=color, label=rf"$\alpha={model.alpha:g}$")
    for level, name in ((10 / n, r"$np_i=10$"), (1 / n, r"$np_i=1$")):
        left.axhline(level, color=INK, lw=0.8, ls=":")
        left.annotate(name, (d, level), (0, 2), textcoords="offset points", ha="right", fontsize=8)
    left.set(
        xscale="log",
        yscale="log",
        ylim=(1e-7, 1.6),
        xlabel="feature $i$",
        ylabel="frequency $p_i$",
        title="Frequencies",
    )
    left.legend(loc="lower left")

    fine = np.linspace(1, 3, 41)
    parts = np.array([row_parts(LongTailModel(n=n, d=d, s=s, alpha=a, beta_exponent=0.0, sigma=0.0)) for a in fine])
    names = ("common", "tail, seen twice or more", "tail, seen once", "tail, never seen")
    right.stackplot(fine, parts.T, colors=(COMMON, PURPLE, ONCE, NEVER), alpha=0.75, labels=names, linewidth=0)
    right.axhline(s, color=INK, lw=0.8, ls=":")
    right.set(xlabel=r"tail exponent $\alpha$", ylabel="features in a fresh row", title=r"$E\,|x|^2$ and its parts")
    right.legend()
    first, last = parts[0], parts[-1]
    alt = (
        f"Left: frequencies fall as straight lines in log-log scale, cut at 1; n = {n:,}, d = {d:,}. Right: the "
        f"expected number of features in a fresh row falls from {first.sum():.2f} at alpha 1 to {last.sum():.2f} at "
        f"alpha 3; the part never seen in training falls from {first[3]:.2f} to {last[3]:.4f}."
    )
    return picture(figure, alt)


def row_parts(model: LongTailModel) -> tuple[float, float, float, float]:
    tail = model.p[model.k :]
    never, once = tail @ (1 - tail) ** model.n, model.n * tail**2 @ (1 - tail) ** (model.n - 1)
    return float(model.p[: model.k].sum()), float(tail.sum() - never - once), float(once), float(never)


def expected_train_error(n: int, rank: int, sigma: float) -> float:
    """Mean squared training residual, ``sigma^2 (1 - rank/n)``. Source: ours, :prf:ref:`prop-train-error`."""
    n = check.positive_int("n", n)
    return check.nonnegative("sigma", sigma) ** 2 * (1 - check.integer("rank", rank, low=0, high=n) / n)


@claim(
    "thm-gradient-descent",
    "Gradient descent from zero learns each singular direction geometrically and ends at the minimum norm",
    source="published elsewhere",
    functions=("companion.linear.gradient_descent", f"{THEORY}.gradient_shrinkage"),
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


descent.breaks("a step half a per cent above n / mu_1^2", share=1.005)
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
    once = np.unique(theory.once_seen_rows(X)[1])
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
    functions=("book.linear.data.expected_train_error",),
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
        ax.plot(line, left_over, color=color, label=rf"$\mu_j^2={float(f'{s[j] ** 2:.3g}'):g}$")
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
