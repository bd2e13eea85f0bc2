"""The room of *The data model*: checks and breaks of its statements, and its figure."""

from __future__ import annotations

import itertools

import numpy as np

from book.linear import formulas
from book.shared.draws import deviations, long_tail
from book.shared.ledger import Found, at_most, claim
from book.shared.style import BLUE, CYCLE, GREEN, GREY, INK, ORANGE, Picture, picture, subplots
from companion import _validate as check
from companion.linear import LongTailModel, population_risk


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
    right.stackplot(fine, parts.T, colors=(GREEN, BLUE, ORANGE, GREY), alpha=0.75, labels=names, linewidth=0)
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
