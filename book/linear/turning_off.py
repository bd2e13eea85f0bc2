"""The room of *Turning memorization off*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from book.linear import formulas
from book.linear.formulas import once_seen_mass, vector_like
from book.shared.draws import THEORY, TINY, certified, design, filled, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import COMPOSITION, FRESH, INK, PURPLE, TRAINING, Picture, band, picture, subplots, whiskers
from companion import _validate as check
from companion._validate import frequencies
from companion.linear import LongTailModel, feature_counts, gradient_descent, min_norm, ridge, sample_design, theory
from companion.runner.results import Result


def matching_penalty(n: int, *, lr: float, steps: int) -> float:
    """The ``n lam`` that shrinks an isolated once-seen feature as `steps` of gradient descent do.

    ``n lam = 1 / ((1 - 2 lr/n)^-steps - 1)``, about ``n / (2 lr steps)`` while that is large.
    """
    n, lr = check.positive_int("n", n), check.number("lr", lr, low=0, open_low=True, high=n / 2)
    steps = check.positive_int("steps", steps)
    return 0.0 if 2 * lr == n else 1 / math.expm1(-steps * math.log1p(-2 * lr / n))


@dataclass(frozen=True)
class Forgetting:
    """What shrinking every once-seen coefficient by ``1/(1 + n lam)`` adds, in expectation over the draw."""

    train: float  # to the mean squared training residual
    population: float  # to the in-distribution risk
    composition: float  # to the loss on t composed once-seen features, on average over such features


def forgetting(p: Any, beta: Any, n: int, n_lam: float, t: int) -> Forgetting:
    """Costs of forgetting the once-seen features, if each is the only thing its row gets wrong.

    train: ``z^2 sum_i beta_i^2 p_i (1-p_i)^(n-1)``, z = n lam/(1 + n lam); population: the same with one more
    factor ``n p_i``; composition: ``t z^2`` times the mean of beta_i^2 over once-seen features, NaN if there are none.
    Source: ours, :prf:ref:`prop-forgetting`.
    """
    p = frequencies(p)
    beta = vector_like("beta", beta, p)
    n, t = check.positive_int("n", n), check.positive_int("t", t)
    z2 = (1 - float(theory.ridge_shrinkage(1, n_lam))) ** 2
    train, once = once_seen_mass(p, beta**2, n), once_seen_mass(p, 1.0, n)
    return Forgetting(
        train=z2 * train,
        population=z2 * n * once_seen_mass(p, p * beta**2, n),
        composition=z2 * t * train / once if once else math.nan,
    )


@claim(
    "thm-ridge-once-seen",
    "Ridge shrinks a once-seen coefficient by 1/(1 + n lam (1 + q)) on average over its sign",
    functions=("companion.linear.ridge", "book.linear.formulas.ridge_once_seen"),
)
def ridge_once_seen(rest: float = 1.0, lam_held: bool = False) -> list[Found]:
    """Fifteen once-seen features of one design at n lam = 0.7, each with both signs of its entry."""
    model, X, _ = certified(1.5)
    y, n, n_lam = X @ model.beta, model.n, 0.7
    features, rows = theory.once_seen_rows(X)
    formula, average = 0.0, 0.0
    for i, r in list(zip(features, rows, strict=True))[:15]:
        strength = n_lam * (n - 1) / n if lam_held else n_lam  # the other rows' fit at lam, or at n lam
        closed, q = formulas.ridge_once_seen(X, y, int(i), strength)
        formula = max(formula, abs(ridge(X, y, n_lam / n)[i] - closed))
        flipped = X.copy()
        flipped[r, i] = -X[r, i]
        both = [ridge(design, design @ model.beta, n_lam / n)[i] for design in (X, flipped)]
        average = max(average, abs(np.mean(both) - model.beta[i] / (1 + n_lam * (1 + rest * q))))
    return [
        at_most("largest error of the closed form", formula, 1e-7),
        at_most("largest error of the mean over the sign", average, 1e-7),
    ]


ridge_once_seen.breaks("forget q", rest=0.0)
ridge_once_seen.breaks("hold lam instead of n lam when the row is left out", lam_held=True)


@claim(
    "prop-isolated",
    "An isolated feature under ridge and under early stopping, in closed form",
    functions=(
        f"{THEORY}.ridge_shrinkage",
        f"{THEORY}.gradient_shrinkage",
        "book.linear.turning_off.matching_penalty",
    ),
)
def isolated(per_row: bool = True, double: bool = True, penalty: float = 1.0) -> list[Found]:
    """Four isolated features, seen 1, 2, 5 and 20 times."""
    counts = np.array([1, 2, 5, 20])
    n, beta = int(counts.sum()), np.array([1.0, -2.0, 0.5, 3.0])
    X = np.repeat(np.eye(4), counts, axis=0)
    n_lam, lr, steps = 0.8, 0.3, 17
    factor = theory.ridge_shrinkage(counts, n_lam if per_row else n_lam / n)
    learned = theory.gradient_shrinkage(counts, n, lr=lr if double else lr / 2, steps=steps)
    once = theory.ridge_shrinkage(1, penalty * matching_penalty(n, lr=lr, steps=steps))
    stopped = theory.gradient_shrinkage(1, n, lr=lr, steps=steps)
    return [
        at_most("largest error for ridge", np.abs(ridge(X, X @ beta, n_lam / n) - factor * beta).max(), TINY),
        at_most(
            "largest error for stopping", np.abs(gradient_descent(X, X @ beta, steps, lr) - learned * beta).max(), TINY
        ),
        at_most("share kept at the matching penalty, ridge less stopping", abs(once - stopped), TINY),
    ]


isolated.breaks("lam instead of n lam", per_row=False)
isolated.breaks("half the step", double=False)
isolated.breaks("a penalty a tenth larger", penalty=1.1)


@claim(
    "prop-measured-memorization",
    "Self-influence is one minus residual over held-out residual: memorization, measured",
    functions=("book.linear.formulas.ridge_leverage",),
    teeth={"least of h (1 + n lam)": 0.99},
)
def measured_memorization(lam_held: bool = False, rest: float = 1.0) -> list[Found]:
    """Every row of one design with noise is left out once, at n lam = 0.7."""
    model, X, _ = certified(1.5, 100)
    y, n, n_lam = X @ model.beta + np.random.default_rng(0).normal(size=100), 100, 0.7
    residual, h = y - X @ ridge(X, y, n_lam / n), formulas.ridge_leverage(X, n_lam)
    lam = n_lam / n if lam_held else n_lam / (n - 1)
    keep = [np.arange(n) != r for r in range(n)]
    left = np.array([y[r] - (X[[r]] @ ridge(X[keep[r]], y[keep[r]], lam))[0] for r in range(n)])
    features, rows = theory.once_seen_rows(X)
    q = rest * np.array([formulas.ridge_once_seen(X, y, int(i), n_lam)[1] for i in features])
    once = (1 + n_lam * q) / (1 + n_lam * (1 + q))
    return [
        at_most("largest error of residual = (1 - h) held-out residual", np.abs(residual - (1 - h) * left).max(), 1e-8),
        at_most("largest error of h, rows with a once-seen feature", np.abs(h[rows] - once).max(), 1e-8),
        at_least("least of h (1 + n lam) on these rows", h[rows].min() * (1 + n_lam), 1 - TINY),
    ]


measured_memorization.breaks("hold lam instead of n lam when a row is left out", lam_held=True)
measured_memorization.breaks("forget q", rest=0.0)


@claim(
    "prop-forgetting",
    "What forgetting once-seen features costs in training, in distribution and in composition",
    functions=("book.linear.turning_off.forgetting",),
)
def forgotten(
    per_row: bool = True, train: float = 1.0, population: float = 1.0, t: int = 2, b: float = 0.1
) -> list[Found]:
    """Exact identity of the residuals; the three costs to 15 % of their measured means at alpha = 2, n lam = 1."""
    n, n_lam, draws = 4000, 1.0, 10
    model = long_tail(2.0, n)
    expected = forgetting(model.p, model.beta, n, n_lam, t=2)
    sums, worst = np.zeros(4), 0.0
    for seed in range(draws):
        X = sample_design(n, model.p, seed=seed)
        y = X @ model.beta
        fit = ridge(X, y, n_lam / n)
        features, rows = theory.once_seen_rows(X)
        residual, own = (y - X @ fit)[rows], np.asarray(X[rows, features])
        worst = max(worst, np.abs(residual - own * (n_lam if per_row else n_lam / n) * fit[features]).max())
        error = (fit - model.beta)[features]
        sums += [residual @ residual / n, model.p[features] @ error**2, error @ error, features.size]
    large = long_tail(2.0, 1000, d=1_000_000)
    far = forgetting(large.p, large.beta, 100_000, n_lam, t=2)
    ratios = (
        ("training", sums[0] / draws / (train * expected.train)),
        ("in distribution", sums[1] / draws / (population * expected.population)),
        ("composition", t * sums[2] / sums[3] / expected.composition),
    )
    limit = far.population / far.train / formulas.floor_exponent(2.0, b)
    return [
        at_most("(a) largest error of the residual", worst, TINY),
        *(between(f"(b) {name}: measured over closed form", ratio, 0.85, 1.15) for name, ratio in ratios),
        between("(c) ratio of the first two over its limit, n = 100,000", limit, 0.99, 1.01),
    ]


forgotten.breaks("lam instead of n lam", per_row=False)
forgotten.breaks("a fifth dearer in training", train=1.2)
forgotten.breaks("the exponent of equal coefficients", b=0.0)
forgotten.breaks("as dear in distribution as in training", population=1 / 0.6)
forgotten.breaks("three features instead of two", t=3)


PRICED = 200  # draws: a few of them, where a frequent feature is not resolved, carry much of the smallest risk


@cache
def drawn_prices(n_lam: float = 1.0, sigma: float = 0.0) -> dict[tuple[str, str], np.ndarray]:
    """For two betas and two learners, (draws, 4): in-distribution risk at 0 and n_lam, composition loss (t = 2)."""
    model = long_tail(2.0)
    found: dict[tuple[str, str], list[list[float]]] = {}
    for seed in range(PRICED):
        X = design(2.0, seed)
        once = feature_counts(X) == 1
        once[: model.k] = False
        for case, signs in (
            ("all positive", np.ones(model.d)),
            ("random signs", np.random.default_rng(seed).choice([-1.0, 1.0], model.d)),
        ):
            beta = signs * model.beta
            y = X @ beta + sigma * np.random.default_rng([seed, 1]).normal(size=model.n)
            fits = [min_norm(X, y), ridge(X, y, n_lam / model.n)]
            for name, learned in (("put to 0", fits), ("filled", [filled(b, X) for b in fits])):
                squares = [(b - beta) ** 2 for b in learned]
                losses = [model.p @ e for e in squares] + [2 * e[once].mean() for e in squares]
                found.setdefault((case, name), []).append(losses)
    return {case: np.array(losses) for case, losses in found.items()}


def prices(n_lam: float = 1.0, sigma: float = 0.0) -> dict[tuple[str, str], tuple[float, ...]]:
    """Means of `drawn_prices`."""
    return {case: tuple(losses.mean(axis=0)) for case, losses in drawn_prices(n_lam, sigma).items()}


def dearer(case: tuple[str, str], n_lam: float = 1.0, sigma: float = 0.0) -> dict[str, float]:
    """How many times the in-distribution risk at n_lam is that of the minimum norm.

    mean, low, high: the quotient of the two expected risks, with a 95% interval; median: of the quotients of single
    draws.
    """
    before, after = drawn_prices(n_lam, sigma)[case].T[:2]
    quotient = after.mean() / before.mean()
    half = 1.97 * np.std(after - quotient * before, ddof=1) / before.mean() / math.sqrt(len(before))
    typical = float(np.median(after / before))
    return {"mean": quotient, "low": quotient - half, "high": quotient + half, "median": typical}


@cache
def demanded(n_lam: float = 1.0, draws: int = 20) -> dict[str, float]:
    """Random signs, alpha = 2, no noise: what :prf:ref:`thm-self-influence` (c) demands of two once-seen features.

    kept: mean self-influence of their rows; bound and loss: on two composed ones, means over features and draws.
    """
    model, found = long_tail(2.0), []
    for seed in range(draws):
        X = design(2.0, seed)
        beta = np.random.default_rng(seed).choice([-1.0, 1.0], model.d) * model.beta
        features, rows = theory.once_seen_rows(X)
        h = formulas.ridge_leverage(X, n_lam)[rows]
        error = (ridge(X, X @ beta, n_lam / model.n) - beta)[features]
        found.append((h.mean(), 2 * np.mean((1 - h) ** 2 * beta[features] ** 2), 2 * np.mean(error**2)))
    kept, bound, loss = np.mean(found, axis=0)
    return {"kept": float(kept), "bound": float(bound), "loss": float(loss)}


def fig_joint(result: Result, sigma: float, n_lam: float | None = None) -> Picture:
    """Training loss, in-distribution risk, composition loss and measured memorization against n lam.

    n_lam: one of the stored values above 0, where the four curves are read off.
    """
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.7), width_ratios=(1.35, 1))
    ridge_path = [g for g in result.where(sigma=sigma, path="ridge") if g["n_lam"] > 0]
    x = [g["n_lam"] for g in ridge_path]
    for key, color, name in (
        ("composition", COMPOSITION, "two once-seen features"),
        ("population", FRESH, "in distribution"),
        ("train", TRAINING, "training"),
    ):
        mean, low, high = (np.array([g[key][part] for g in ridge_path]) for part in ("mean", "low", "high"))
        band(left, x, mean, np.maximum(low, 1e-7), high, color=color, label=name)
        stopped = result.where(sigma=sigma, path="descent")
        whiskers(left, [g["n_lam"] for g in stopped], [g[key] for g in stopped], color=color, fmt="x", ms=5)
    model = LongTailModel(
        n=result.settings["n"],
        d=result.settings["d"],
        s=result.settings["s"],
        alpha=result.settings["alphas"][0],
        beta_exponent=result.settings["beta_exponent"],
        sigma=sigma,
    )
    closed = [forgetting(model.p, model.beta, model.n, z, t=result.settings["t"]) for z in x]
    left.plot(x, [f.composition for f in closed], color=INK, ls="--", lw=1.1, label="closed form")
    left.plot(x, [f.train for f in closed], color=INK, ls="--", lw=1.1)
    left.set(xscale="log", yscale="log", xlabel=r"$n\lambda$", ylabel="loss", ylim=(1e-6, 2), title="Losses")
    left.legend(loc="lower right")
    mean, low, high = (np.array([g["memorization"][part] for g in ridge_path]) for part in ("mean", "low", "high"))
    band(right, x, mean, low, high, color=PURPLE, label="ridge")
    stopped = result.where(sigma=sigma, path="descent")
    at, measured = [g["n_lam"] for g in stopped], [g["memorization"] for g in stopped]
    whiskers(right, at, measured, color=PURPLE, fmt="x", ms=5, label="early stopping")
    right.plot(x, [theory.ridge_shrinkage(1, z) for z in x], color=INK, ls="--", lw=1.1, label=r"$1/(1+n\lambda)$")
    right.set(xscale="log", xlabel=r"$n\lambda$", ylim=(0, 1.05), title="Memorization, measured")
    right.legend()
    to = 1.0 if n_lam is None else n_lam
    base, one = (result.one(sigma=sigma, path="ridge", n_lam=value) for value in (0.0, to))
    if n_lam is not None:
        for ax, keys in ((left, ("composition", "population", "train")), (right, ("memorization",))):
            ax.axvline(n_lam, color=INK, lw=0.8, ls=":")
            for key in keys:
                ax.plot([n_lam], [one[key]["mean"]], "o", color=INK, ms=5, zorder=4)
                spot, side = (n_lam, one[key]["mean"]), 6 if n_lam < 10 else -6
                align = "left" if side > 0 else "right"
                text = f"{one[key]['mean']:.3g}"
                ax.annotate(text, spot, (side, 5), textcoords="offset points", ha=align, fontsize=9)
    words = "; ".join(
        f"{name} {base[key]['mean']:.2g} to {one[key]['mean']:.2g}"
        for key, name in (("train", "training"), ("population", "in distribution"), ("composition", "composition"))
    )
    kept = [group["memorization"]["mean"] for group in (base, one)]
    alt = (
        f"From the minimum norm to n lam = {to:g} the losses go: {words}; measured memorization of rows with a "
        f"once-seen feature goes from {kept[0]:.2f} to {kept[1]:.2f}. Crosses of early stopping lie near the curves "
        f"of ridge."
    )
    return picture(figure, alt)
