"""The cost of what was never seen: draws that show it, learners that pay it, tables and figures of its bounds."""

from __future__ import annotations

from functools import cache

import numpy as np

from book.linear import formulas
from book.shared.draws import design, filled, long_tail
from book.shared.style import CYCLE, FRESH, GREEN, INK, NEVER, ORANGE, PURPLE, Picture, band, picture, subplots
from companion.linear import LongTailModel, feature_counts, min_norm, population_risk, sample_design
from companion.runner.results import Result


@cache
def measured_slopes(b: float) -> np.ndarray:
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


@cache
def noiseless_draws(alpha: float, n: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Risk and realised floor of `draws` noiseless fits."""
    model = long_tail(alpha, n)
    values = []
    for seed in range(draws):
        X = sample_design(n, model.p, seed=seed)
        unseen = feature_counts(X) == 0
        values.append(
            (population_risk(min_norm(X, X @ model.beta), model), float((model.p * model.beta**2)[unseen].sum()))
        )
    value, floor = np.array(values).T
    return value, floor


@cache
def crowded_rows(n: int, k: int, draws: int = 400) -> tuple[float, float, formulas.ExpectedRisk]:
    """Mean risk above the floor, its standard error, and the bounds, where the bounds are nearly attained.

    Twenty features, each in half of the n rows, of which the first k count as common: hardly anything is resolved.
    """
    p, beta, excess = np.full(20, 0.5), np.ones(20), []
    for seed in range(draws):
        X = sample_design(n, p, seed=seed)
        error = min_norm(X, X @ beta) - beta
        excess.append(float(p @ error**2 - p[feature_counts(X) == 0].sum()))
    return float(np.mean(excess)), float(np.std(excess)) / draws**0.5, formulas.expected_risk_bounds(p, beta, n, k)


TRAINED = tuple(np.vstack([np.eye(5)[:seen], [[1.0, -1.0, 0, 0, 0]]]) for seen in (3, 4))


def _nearest(X: np.ndarray, y: np.ndarray, rows: np.ndarray, size: np.ndarray) -> np.ndarray:
    return np.asarray(y[((rows[:, None] - X) ** 2).sum(axis=2).argmin(axis=1)])


def _network(X: np.ndarray, y: np.ndarray, rows: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Least squares on forty random ReLU features: a learner that is not linear in the row."""
    inner = np.random.default_rng(0).normal(size=(6, 40))
    hidden = [np.maximum(0, np.c_[A, np.ones(len(A))] @ inner) for A in (X, rows)]
    return np.asarray(hidden[1] @ np.linalg.lstsq(hidden[0], y, rcond=None)[0])


LEARNERS = {  # of rows and labels, applied to fresh rows; the last argument is |beta|, which a learner may know
    "minimum norm": lambda X, y, rows, size: rows @ min_norm(X, y),
    "unseen ones filled with the mean of the once-seen": lambda X, y, rows, size: rows @ filled(min_norm(X, y), X),
    "unseen ones filled with the true sizes": lambda X, y, rows, size: (
        rows @ np.where(X.any(axis=0), min_norm(X, y), size)
    ),
    "nearest row": _nearest,
    "random features": _network,
}


GUESSES = 20


@cache
def guessing(alpha: float) -> tuple[float, ...]:
    """Floor and risks at Figure 1's size without noise, means of `GUESSES` draws, in the order of the page's table.

    Positive coefficients: the floor, the risk with unseen ones put to 0, what filling them leaves of their cost, the
    risk then. Random signs: the risk of both learners.
    """
    model, found = long_tail(alpha), []
    for seed in range(GUESSES):
        X, row = design(alpha, seed), []
        unseen = feature_counts(X) == 0
        for signs in (np.ones(model.d), np.random.default_rng(seed).choice([-1.0, 1.0], model.d)):
            b = min_norm(X, X @ (signs * model.beta))
            zero, guessed = (model.p * (c - signs * model.beta) ** 2 for c in (b, filled(b, X)))
            row += [zero[unseen].sum(), zero.sum(), guessed[unseen].sum(), guessed.sum()]
        found.append(row)
    floor, zero, left, guessed, _, random_zero, _, random_guessed = np.mean(found, axis=0)
    return float(floor), float(zero), float(left / floor), float(guessed), float(random_zero), float(random_guessed)


def explicit_rows(result: Result) -> list[tuple[float | str, ...]]:
    """At the paper's size: our explicit upper bound (best k), the summary's finite one (n p_k = 10; best k), measured.

    The summary's is p_{>k} + k ln^4 d / (n^2 p_{>k}), with constant 1.
    """
    rows: list[tuple[float | str, ...]] = []
    for alpha in (1.25, 1.5, 2.0, 3.0):
        model = long_tail(alpha)
        p, n, d = model.p, model.n, model.d
        ours = formulas.expected_risk_bounds(p, model.beta, n, formulas.tightest_k(p, model.beta, n)).upper
        k, tail = np.arange(1, d), np.cumsum(p[::-1])[::-1][1:]
        finite = tail + k * np.log(d) ** 4 / (n**2 * tail)
        nothing = float(p @ model.beta**2)  # the loss of b = 0
        shown = [
            f"{bound:.3g}" + " (vacuous)" * bool(bound >= nothing)
            for bound in (ours, finite[model.k - 1], finite.min())
        ]
        rows.append((alpha, *shown, f"{nothing:.3g}", f"{result.one(alpha=alpha)['risk']['mean']:.4f}"))
    return rows


def one_draw_rows(result: Result) -> list[tuple[float | str, ...]]:
    """For each alpha: the mean floor, its range at delta = 0.025 and what is left out, the stored floors and risks."""
    rows: list[tuple[float | str, ...]] = []
    for alpha in (1.5, 2.0, 3.0):
        model = long_tail(alpha)
        low, high, missed = formulas.unseen_floor_range(model.p, model.beta, model.n, model.k, 0.025)
        floors, risks = (np.array([row[key] for row in result.select(alpha=alpha)]) for key in ("floor", "risk"))
        rows.append(
            (
                alpha,
                f"{formulas.unseen_floor(model.p, model.beta, model.n):.4f}",
                f"{low:.4f} to {high:.4f}",
                f"{0.05 + missed:.3f}",
                f"{floors.min():.4f} to {floors.max():.4f}",
                f"{risks.mean():.4f}, {risks.std(ddof=1):.4f}",
            )
        )
        assert low <= floors.min() <= floors.max() <= high
    return rows


def fig_risk_sandwich(result: Result) -> Picture:
    """Both sources of error at the paper's size along alpha: noiseless risk between floor and bounds, and noise."""
    figure, ax = subplots(size=(6.6, 3.7))
    alphas = sorted({g["alpha"] for g in result.summary})
    curves = (
        ("crude", PURPLE, "largest $p$ times everything unresolved", 1.0),
        ("components", ORANGE, "component by component", 1.0),
        ("risk", FRESH, "risk without noise", 1.0),
        ("floor", NEVER, "never seen", 1.0),
        ("noise", GREEN, r"added by noise, $\sigma=0.05$", 0.05**2),
    )
    for key, color, name, scale in curves:
        cells = [result.one(alpha=a)[key] for a in alphas]
        mean, low, high = (scale * np.array([cell[part] for cell in cells]) for part in ("mean", "low", "high"))
        band(ax, alphas, mean, np.maximum(low, 1e-5), high, color=color, label=name, marker="o")
    ax.set(yscale="log", xlabel=r"tail exponent $\alpha$", ylabel="error, and bounds on it")
    ax.legend(fontsize=8)
    two = result.one(alpha=2.0)
    values = ", ".join(f"{name} {two[name]['mean']:.4f}" for name in ("floor", "risk", "components", "crude"))
    return picture(
        figure,
        "The risk without noise lies just above the cost of unseen features for alpha from 1.5 on. "
        f"At alpha 2: {values}; noise of 0.05 adds {0.05**2 * two['noise']['mean']:.5f}.",
    )


def fig_rate(result: Result) -> Picture:
    """Noiseless risk against n: measured with 95 % bands, the floor's law as lines; right, their ratio."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.6), width_ratios=(1.25, 1))
    d, s, b = (result.settings[key] for key in ("d", "s", "beta_exponent"))
    words = []
    for alpha, color in zip(result.settings["alphas"], CYCLE, strict=False):
        groups = sorted(result.where(alpha=alpha), key=lambda g: g["n"])
        sizes = [g["n"] for g in groups]
        mean, low, high = (np.array([g["risk"][key] for g in groups]) for key in ("mean", "low", "high"))
        c = formulas.frequency_scale(s, alpha, d)
        law = np.array([formulas.floor_law(n, c=c, alpha=alpha, b=b, d=d) for n in sizes])
        left.plot(sizes, law, color=color, lw=1.2)
        left.fill_between(sizes, low, high, color=color, alpha=0.25, linewidth=0)
        left.plot(sizes, mean, "o", color=color, label=rf"$\alpha={alpha:g}$")
        band(right, sizes, mean / law, low / law, high / law, color=color, marker="o")
        words.append(
            f"alpha {alpha:g}: from {mean[0]:.3g} to {mean[-1]:.3g}, {mean[-1] / law[-1]:.3f} times the law at the end"
        )
    left.set(xscale="log", yscale="log", xlabel="training rows $n$", ylabel="noiseless risk", title="Risk")
    left.legend()
    right.axhline(1, color=INK, lw=0.8, ls=":")
    right.set(xscale="log", xlabel="training rows $n$", title="Risk over law")
    span = f"{min(result.settings['sizes']):,} to {max(result.settings['sizes']):,}"
    return picture(figure, f"Noiseless risk falls as a power of n over n = {span}. " + "; ".join(words) + ".")
