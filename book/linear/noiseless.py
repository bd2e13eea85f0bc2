"""The room of *Noiseless guarantees*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
from scipy.stats import binom

from book.linear import formulas
from book.shared.draws import THEORY, TINY, certified, design, deviations, filled, fitted_slope, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import CYCLE, FRESH, INK, NEVER, ORANGE, PURPLE, Picture, band, picture, subplots
from companion.linear import LongTailModel, feature_counts, min_norm, population_risk, resolved, sample_design
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
    teeth={"crude bound over": 0.7},
    blunt={"noisy labels": "noise adds to the floor; where the floor is attained is the next statement"},
)
def sandwich(certificate: bool = True, beyond: float = 1.0) -> list[Found]:
    """Six designs of 300 rows; `beyond` scales what the upper bound adds to the floor."""
    found, crude, noisy = [], [], []
    for alpha, seed in itertools.product((1.25, 1.5), range(3)):
        model, X, P = certified(alpha, 300, seed)
        bounds = risk.risk_sandwich(X, model.p, model.beta, resolved(X) if certificate else P > 0)
        value = population_risk(min_norm(X, X @ model.beta), model)
        top = bounds.floor + beyond * (bounds.components - bounds.floor)
        what = f"alpha = {alpha}, draw {seed}: risk (limits: floor, sum over components)"
        found.append(between(what, value, bounds.floor, top))
        crude.append(bounds.crude / bounds.components)
        labels = X @ model.beta + np.random.default_rng(seed).normal(size=X.shape[0])
        noisy.append(population_risk(min_norm(X, labels), model) / bounds.floor)
    p, beta = np.array([0.3, 0.3]), np.array([1.0, -1.0])  # a pair that cancels in its only row: nothing is learned
    bounds = risk.risk_sandwich([[1.0, 1.0]], p, beta, [False, False])
    value, top = float(p @ (min_norm([[1.0, 1.0]], [0.0]) - beta) ** 2), bounds.floor + beyond * bounds.components
    found.append(between("a pair that cancels: risk (limits: floor, sum over components)", value, 0, top + TINY))
    found.append(at_least("least of crude bound over sum over components", min(crude), 1))
    return [*found, at_least("least of risk with noisy labels over floor", min(noisy), 1)]


sandwich.breaks("call every seen feature resolved", certificate=False)
sandwich.breaks("nine tenths of the component term", beyond=0.9)


@claim(
    "thm-floor-any-learner",
    "Averaged over the signs of beta, every learner pays for what it never saw",
    functions=("companion.linear.min_norm",),
    blunt={"nearest row": "it also pays for what it saw", "random features": "they also pay for what they saw"},
)
def every_learner(averaged: bool = True, floor: float = 1.0) -> list[Found]:
    """Five learners on two training sets, over every sign of beta and every fresh row: exact, nothing drawn twice."""
    p, size = np.array([0.7, 0.5, 0.3, 0.2, 0.1]), np.array([1.0, 0.9, 0.9, 0.8, 0.8])
    fresh = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=5)))
    chance = np.where(fresh == 0, 1 - p, p / 2).prod(axis=1)
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=5))) if averaged else np.ones((1, 5))
    least, silent = dict.fromkeys(LEARNERS, np.inf), 0.0
    for X in TRAINED:
        unseen = ~X.any(axis=0)
        paid = floor * float(p[unseen] @ size[unseen] ** 2)
        for name, learner in LEARNERS.items():
            losses = [chance @ (learner(X, X @ (s * size), fresh, size) - fresh @ (s * size)) ** 2 for s in signs]
            least[name] = min(least[name], float(np.mean(losses)) / paid)
        fitted = LEARNERS["minimum norm"]
        exact = [chance @ (fitted(X, X @ (s * size), fresh, size) - fresh @ (s * size)) ** 2 for s in signs]
        silent = max(silent, abs(float(np.mean(exact)) / paid - 1))
    return [
        *(at_least(f"least of mean loss over floor: {name}", value, 1 - TINY) for name, value in least.items()),
        at_most("minimum norm, all seen features resolved: largest of |mean loss over floor - 1|", silent, TINY),
    ]


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

every_learner.breaks("one beta, all of it positive", averaged=False)
every_learner.breaks("the floor 1% higher", floor=1.01)

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


def fig_risk_sandwich(result: Result) -> Picture:
    """Noiseless risk at the paper's size along alpha, between its floor and two upper bounds."""
    figure, ax = subplots(size=(6.6, 3.5))
    alphas = sorted({g["alpha"] for g in result.summary})
    curves = (
        ("crude", PURPLE, "largest $p$ times everything unresolved"),
        ("components", ORANGE, "component by component"),
        ("risk", FRESH, "risk"),
        ("floor", NEVER, "never seen"),
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


@claim(
    "thm-risk-expectation",
    "Expected noiseless risk: the floor, plus unresolved features, plus failure of the common block",
    functions=(
        "book.linear.formulas.expected_risk_bounds",
        "book.linear.formulas.unseen_floor",
        "book.linear.formulas.tightest_k",
    ),
    blunt={"alpha = 1.5: mean risk": "the bound is far above at this size; in the next cases it is nearly attained"},
)
def expectation(unresolved: float = 1.0, failure: float = 1.0, rows: float = 1.0) -> list[Found]:
    """Sixty draws at alpha = 1.5, and two models of few rows in which one of the two upper terms is nearly attained."""
    alpha, n, draws = 1.5, 200, 60
    model = long_tail(alpha, n)
    value, floor = noiseless_draws(alpha, n, draws)
    expected = formulas.unseen_floor(model.p, model.beta, int(rows * n))
    bounds = formulas.expected_risk_bounds(model.p, model.beta, n, formulas.tightest_k(model.p, model.beta, n))
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
    functions=(
        "book.linear.formulas.floor_law",
        "book.linear.formulas.floor_law_error",
        "book.linear.formulas.unseen_floor",
    ),
)
def floor_law(exponent: float = 0.0, scale: float = 1.0, finite: bool = True) -> Found:
    """The exact sum against the law, as a share of the error allowed, over 36 settings at d = 30,000."""
    worst, d = 0.0, 30_000
    i = np.arange(1, d + 1, dtype=float)
    for alpha, b, n in itertools.product((1.25, 2.0, 3.0), (-0.05, 0.0, 0.3), (1, 30, 1000, 100_000)):
        c = formulas.frequency_scale(5.0, alpha, d)
        exact = formulas.unseen_floor(np.minimum(1, c * i**-alpha), i**-b, n)
        law = scale * formulas.floor_law(n, c=c, alpha=alpha, b=b, d=d if finite else None) * float(n) ** exponent
        worst = max(worst, abs(exact - law) / formulas.floor_law_error(n, c=c, alpha=alpha, b=b))
    return at_most("largest error of the law, as a share of the error stated", worst, 1)


floor_law.breaks("exponent off by 0.1", exponent=0.1)
floor_law.breaks("forget the factor 1/alpha", scale=2.0)
floor_law.breaks("complete gamma at finite d", finite=False)


@claim(
    "thm-sharp-law",
    "Sharp noiseless law: exponent and constant of the expected risk",
    functions=("book.linear.formulas.floor_law", "book.linear.formulas.floor_exponent"),
)
def sharp_law(shift: float = 0.0, scale: float = 1.0) -> list[Found]:
    """Slope over n = 50 to 5,000, and the mean of 20 draws at n = 2,000 over the law, at alpha = 2 and b = 0.1."""
    c = formulas.frequency_scale(5.0, 2.0, 20_000)
    law = scale * formulas.floor_law(2000, c=c, alpha=2.0, b=0.1)
    ratio = noiseless_draws(2.0, 2000, 20)[0].mean() / law
    return [
        fitted_slope("slope of log risk in log n", measured_slopes(0.1), -formulas.floor_exponent(2.0, 0.1) + shift),
        between("mean risk over the law at n = 2,000", ratio, 0.95, 1.05),
    ]


sharp_law.breaks("exponent larger by 0.1", shift=-0.1)
sharp_law.breaks("exponent smaller by 0.1", shift=0.1)
sharp_law.breaks("constant off by a tenth", scale=1.1)


@claim(
    "thm-one-draw",
    "One training set: its unseen floor is within Bernstein's bounds, and its risk follows the law",
    functions=("book.linear.formulas.unseen_floor_range",),
    blunt={"share of draws": "features of unequal cost are farther from the bound than equal ones are"},
)
def one_draw(deviation: float = 1.0, power: float = 0.5, cost_scale: float = 1.0) -> list[Found]:
    """100,000 equal features, by the binomial law; 1,000 draws of long tails; the spread, n = 1,000 to 64,000."""
    found, many, rare = [], 100_000, 0.05
    p = np.full(many, 1 - rare)  # and one row: each is unseen with chance `rare`
    low, high, _ = (value / p[0] for value in formulas.unseen_floor_range(p, 1.0, 1, 0, 1e-12))
    low, high = (many * rare + deviation * (limit - many * rare) for limit in (low, high))
    tails = binom.logcdf(np.ceil(low) - 1, many, rare), binom.logsf(np.floor(high), many, rare)
    for side, tail in zip("ab", tails, strict=True):
        found.append(at_most(f"({side}) equal features: log10 of the chance, delta = 1e-12", tail / np.log(10), -12))
    for alpha in (1.5, 2.0):
        model, rng = long_tail(alpha, 1000, d=3000), np.random.default_rng(0)
        low, high, missed = formulas.unseen_floor_range(model.p, model.beta, model.n, model.k, 0.1)
        absent, cost = (1 - model.p) ** model.n, model.p * model.beta**2
        floors = (rng.random((1000, model.d)) < absent) @ cost
        found.append(at_most(f"(a) alpha = {alpha}: share of draws below the range", np.mean(floors < low), 0.1))
        what = f"(b) alpha = {alpha}: share of draws above the range"
        found.append(at_most(what, np.mean(floors > high), 0.1 + missed))
        spread = []
        for n in (1000, 64_000):
            large = long_tail(alpha, n)
            cost, absent = large.p * large.beta**2, (1 - large.p) ** n
            spread.append(np.sqrt(cost**2 @ (absent * (1 - absent))) / (cost @ absent))
        slope = np.log(spread[1] / spread[0]) / np.log(64)
        stated = -power / alpha
        found.append(between(f"(d) alpha = {alpha}: slope of sd over mean", slope, stated - 0.02, stated + 0.02))
    value, floor = noiseless_draws(2.0, 2000, 20)
    found.append(at_least("(c) least of risk less floor, 20 draws", float((value - cost_scale * floor).min()), -TINY))
    return found


one_draw.breaks("nine tenths of the deviations", deviation=0.9)
one_draw.breaks("a floor 1% higher", cost_scale=1.01)
one_draw.breaks("a spread that falls as n^(-1/alpha)", power=1.0)


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


@claim(
    "cor-free-composition",
    "Without noise any input on resolved features is predicted exactly",
    functions=("companion.linear.resolved",),
)
def free_composition(known: str = "resolved") -> Found:
    """All resolved features of a design of 300 rows in one input, each with the sign of its error."""
    model, X, P = certified(1.5, 300)
    error = np.abs(min_norm(X, X @ model.beta) - model.beta)
    features = resolved(X) if known == "resolved" else P > 0
    return at_most(f"error on one input of all {features.sum()} features, worst signs", error[features].sum(), TINY)


free_composition.breaks("inputs on all seen features", known="seen")
