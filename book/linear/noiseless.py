"""The room of *Noiseless guarantees*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from book.shared.draws import EXACT, THEORY, TINY, certified, deviations, fitted_slope, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import BLUE, CYCLE, GREY, INK, ORANGE, PURPLE, Picture, band, picture, subplots
from companion.linear import LongTailModel, feature_counts, min_norm, population_risk, sample_design
from companion.linear.theory import risk
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


@claim(
    "thm-paper-noiseless",
    "Paper Theorems 2 and 3: noiseless loss falls as n^-(1-1/alpha) up to logarithms",
    source="paper (as summarised)",
    status="checked",
    functions=("companion.linear.population_risk",),
)
def paper_rate(shift: float = 0.0) -> Found:
    """The slope of log risk in log n, n = 50 to 5,000, at alpha = 2 and b = 0: mean of eight fits."""
    return fitted_slope("slope of log risk in log n at alpha = 2", measured_slopes(0.0), -(1 - 1 / 2.0) + shift)


paper_rate.breaks("exponent larger by 0.1", shift=-0.1)
paper_rate.breaks("exponent smaller by 0.1", shift=0.1)


@claim(
    "thm-risk-sandwich",
    "Noiseless risk of any design lies between the unseen floor and an explicit sum over components",
    functions=(f"{THEORY}.risk.risk_sandwich",),
)
def sandwich(certificate: bool = True, beyond: float = 1.0) -> list[Found]:
    """Six designs of 300 rows; `beyond` scales what the upper bound adds to the floor."""
    found, crude, noisy = [], [], []
    for alpha, seed in itertools.product((1.25, 1.5), range(3)):
        model, X, P = certified(alpha, 300, seed)
        bounds = risk.risk_sandwich(X, model.p, model.beta, P >= EXACT if certificate else P > 0)
        value = population_risk(min_norm(X, X @ model.beta), model)
        top = bounds.floor + beyond * (bounds.components - bounds.floor)
        what = f"alpha = {alpha}, draw {seed}: risk (limits: floor, sum over components)"
        found.append(between(what, value, bounds.floor, top))
        crude.append(bounds.crude / bounds.components)
        labels = X @ model.beta + np.random.default_rng(seed).normal(size=X.shape[0])
        noisy.append(population_risk(min_norm(X, labels), model) / bounds.floor)
    found.append(at_least("least of crude bound over sum over components", min(crude), 1))
    return [*found, at_least("least of risk with noisy labels over floor", min(noisy), 1)]


sandwich.breaks("call every seen feature resolved", certificate=False)
sandwich.breaks("a tenth of the component term", beyond=0.1)


def fig_risk_sandwich(result: Result) -> Picture:
    """Noiseless risk at the paper's size along alpha, between its floor and two upper bounds."""
    figure, ax = subplots(size=(6.6, 3.5))
    alphas = sorted({g["alpha"] for g in result.summary})
    curves = (
        ("crude", PURPLE, "largest $p$ times everything unresolved"),
        ("components", ORANGE, "component by component"),
        ("risk", BLUE, "risk"),
        ("floor", GREY, "never seen"),
    )
    for key, color, name in curves:
        mean, low, high = (np.array([result.one(alpha=a)[key][x] for a in alphas]) for x in ("mean", "low", "high"))
        band(ax, alphas, mean, np.maximum(low, 1e-4), high, color=color, label=name, marker="o")
    ax.set(yscale="log", xlabel=r"tail exponent $\alpha$", ylabel="noiseless risk and bounds")
    ax.legend()
    two = result.one(alpha=2.0)
    values = ", ".join(f"{name} {two[name]['mean']:.4f}" for name in ("floor", "risk", "components", "crude"))
    return picture(
        figure, f"The risk lies just above the cost of unseen features for alpha from 1.5 on. At alpha 2: {values}."
    )


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
def crowded_rows(n: int, k: int, draws: int = 400) -> tuple[float, float, risk.ExpectedRisk]:
    """Mean risk above the floor, its standard error, and the bounds, where the bounds are nearly attained.

    Twenty features, each in half of the n rows, of which the first k count as common: hardly anything is resolved.
    """
    p, beta, excess = np.full(20, 0.5), np.ones(20), []
    for seed in range(draws):
        X = sample_design(n, p, seed=seed)
        error = min_norm(X, X @ beta) - beta
        excess.append(float(p @ error**2 - p[feature_counts(X) == 0].sum()))
    return float(np.mean(excess)), float(np.std(excess)) / draws**0.5, risk.expected_risk_bounds(p, beta, n, k)


@claim(
    "thm-risk-expectation",
    "Expected noiseless risk: the floor, plus unresolved features, plus failure of the common block",
    functions=(f"{THEORY}.risk.expected_risk_bounds", f"{THEORY}.risk.unseen_floor", f"{THEORY}.risk.tightest_k"),
)
def expectation(unresolved: float = 1.0, failure: float = 1.0, rows: float = 1.0) -> list[Found]:
    """Sixty draws at alpha = 1.5, and two models of few rows in which one of the two upper terms is nearly attained."""
    alpha, n, draws = 1.5, 200, 60
    model = long_tail(alpha, n)
    value, floor = noiseless_draws(alpha, n, draws)
    expected = risk.unseen_floor(model.p, model.beta, int(rows * n))
    bounds = risk.expected_risk_bounds(model.p, model.beta, n, risk.tightest_k(model.p, model.beta, n))
    excess, error = (value - floor).mean(), 4 * (value - floor).std(ddof=1) / np.sqrt(draws)
    slack = unresolved * bounds.unresolved + failure * bounds.failure
    found = [
        at_most("mean cost of unseen features, standard errors from the floor", deviations(floor, expected), 4),
        at_most("alpha = 1.5: mean risk above the floor, plus four standard errors", excess + error, slack),
    ]
    for n, k in ((1, 0), (2, 0), (1, 19), (2, 19)):
        mean, error, bounds = crowded_rows(n, k)
        slack = unresolved * bounds.unresolved + failure * bounds.failure
        what = f"n = {n}, d = 20, k = {k}: mean risk above the floor, less four standard errors"
        found.append(at_most(what, mean - 4 * error, slack))
    return found


expectation.breaks("four fifths of the term of unresolved features", unresolved=0.8)
expectation.breaks("four fifths of the term of failure", failure=0.8)
expectation.breaks("a floor at half the rows", rows=0.5)


@claim(
    "lem-floor-law",
    "The unseen floor is an incomplete gamma function times n^-g, with an explicit error",
    functions=(f"{THEORY}.risk.floor_law", f"{THEORY}.risk.floor_law_error", f"{THEORY}.risk.unseen_floor"),
)
def floor_law(exponent: float = 0.0, scale: float = 1.0, finite: bool = True) -> Found:
    """The exact sum against the law, as a share of the error allowed, over 36 settings at d = 30,000."""
    worst, d = 0.0, 30_000
    i = np.arange(1, d + 1, dtype=float)
    for alpha, b, n in itertools.product((1.25, 2.0, 3.0), (-0.05, 0.0, 0.3), (1, 30, 1000, 100_000)):
        c = risk.frequency_scale(5.0, alpha, d)
        exact = risk.unseen_floor(np.minimum(1, c * i**-alpha), i**-b, n)
        law = scale * risk.floor_law(n, c=c, alpha=alpha, b=b, d=d if finite else None) * float(n) ** exponent
        worst = max(worst, abs(exact - law) / risk.floor_law_error(n, c=c, alpha=alpha, b=b))
    return at_most("largest error of the law, as a share of the error stated", worst, 1)


floor_law.breaks("exponent off by 0.1", exponent=0.1)
floor_law.breaks("forget the factor 1/alpha", scale=2.0)
floor_law.breaks("complete gamma at finite d", finite=False)


@claim(
    "thm-sharp-law",
    "Sharp noiseless law: exponent and constant of the expected risk",
    functions=(f"{THEORY}.risk.floor_law", f"{THEORY}.risk.floor_exponent"),
)
def sharp_law(shift: float = 0.0, scale: float = 1.0) -> list[Found]:
    """Slope over n = 50 to 5,000, and the mean of 20 draws at n = 2,000 over the law, at alpha = 2 and b = 0.1."""
    c = risk.frequency_scale(5.0, 2.0, 20_000)
    law = scale * risk.floor_law(2000, c=c, alpha=2.0, b=0.1)
    ratio = noiseless_draws(2.0, 2000, 20)[0].mean() / law
    return [
        fitted_slope("slope of log risk in log n", measured_slopes(0.1), -risk.floor_exponent(2.0, 0.1) + shift),
        between("mean risk over the law at n = 2,000", ratio, 0.95, 1.05),
    ]


sharp_law.breaks("exponent larger by 0.1", shift=-0.1)
sharp_law.breaks("exponent smaller by 0.1", shift=0.1)
sharp_law.breaks("constant off by a tenth", scale=1.1)


def fig_rate(result: Result) -> Picture:
    """Noiseless risk against n: measured with 95 % bands, the floor's law as lines; right, their ratio."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.6), width_ratios=(1.25, 1))
    d, s, b = (result.settings[key] for key in ("d", "s", "beta_exponent"))
    words = []
    for alpha, color in zip(result.settings["alphas"], CYCLE, strict=False):
        groups = sorted(result.where(alpha=alpha), key=lambda g: g["n"])
        sizes = [g["n"] for g in groups]
        mean, low, high = (np.array([g["risk"][key] for g in groups]) for key in ("mean", "low", "high"))
        c = risk.frequency_scale(s, alpha, d)
        law = np.array([risk.floor_law(n, c=c, alpha=alpha, b=b, d=d) for n in sizes])
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


@claim(
    "cor-free-composition",
    "Without noise any input on resolved features is predicted exactly",
    functions=("companion.linear.recoverability",),
)
def free_composition(known: str = "resolved") -> Found:
    """All resolved features of a design of 300 rows in one input, each with the sign of its error."""
    model, X, P = certified(1.5, 300)
    error = np.abs(min_norm(X, X @ model.beta) - model.beta)
    features = P >= EXACT if known == "resolved" else P > 0
    return at_most(f"error on one input of all {features.sum()} features, worst signs", error[features].sum(), TINY)


free_composition.breaks("inputs on all seen features", known="seen")
