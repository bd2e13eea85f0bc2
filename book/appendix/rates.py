"""The room of *Rates*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from book.linear import formulas
from book.linear.unresolved import DRAWN, RATE_SIZES, drawn_shares, rate_bounds, slope
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import BLUE, GREY, INK, ORANGE, PURPLE, Picture, picture, subplots, whiskers
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@claim(
    "lem-power-sum",
    "Sums over a power law are gamma functions, with an explicit error",
    functions=("book.linear.formulas.gamma_law", "book.linear.formulas.power_law_sum_error"),
    teeth={"(c) 1 - (1 - p)^n": 0.99},
)
def power_sum(exponent_shift: float = 0.0, forget_d: bool = False) -> list[Found]:
    """Exact sums less their integrals, as a share of the stated errors, over alpha, theta, d, powers and a."""
    worst = {1.0: 0.0, 2.0: 0.0, 3.0: 0.0}
    cut = 0.0
    i = np.arange(1, 100_001, dtype=float)
    for alpha, theta, d in itertools.product((1.25, 2.0, 3.0), (1.0, 1e2, 1e4), (30_000, 100_000)):
        q, end = 2.5 * i[:d] ** -alpha, math.inf if forget_d else float(d)
        for power, a in itertools.product(worst, (-0.1, 0.0, 0.6)):
            exact = float(q**power * i[:d] ** -a @ np.exp(-theta * q))
            law, error = formulas.gamma_law(theta, c=2.5, alpha=alpha, power=power, a=a, d=end)
            worst[power] = max(worst[power], abs(exact - law * theta**exponent_shift) / error)
        p = np.minimum(q, 1)
        stated = formulas.power_law_sum(alpha, 2.5, theta, end) * theta**exponent_shift
        gap = abs(float(p @ np.exp(-theta * p)) - stated)
        cut = max(cut, gap / formulas.power_law_sum_error(alpha, 2.5, theta))
    p, n = np.linspace(0.001, 1, 1000), np.array([[1], [2], [10], [100]])
    lost = (1 - (1 - p) ** n * np.exp(n * p)) / (n * p**2)
    shares = [
        at_most(f"(b) largest error at power {power:g}, as a share of the one stated", value, 1)
        for power, value in worst.items()
    ]
    return [
        *shares,
        at_most("(b) largest error, p cut at 1, as a share of the one stated", cut, 1),
        between("(c) 1 - (1 - p)^n e^(np) over n p^2, largest", float(lost.max()), 0, 1),
    ]


power_sum.breaks("exponent off by 0.01", exponent_shift=0.01)
power_sum.breaks("d taken as infinite", forget_d=True)


@claim(
    "cor-count",
    "The paper's fraction cannot be a share of the count for 1 < alpha < 2",
    source="paper (as summarised)",
    status="differs",
    functions=("companion.linear.peel",),
    teeth={"(limit: our bound)": 0.8},
)
def paper_count(alphas: tuple[float, ...] = (1.25, 1.5), shift: float = 0.0) -> list[Found]:
    """How (our lower bound)/(the paper's rate read as a share of the count) grows; n p_k = 3 ln n, d = 10 n."""
    found = []
    for alpha in alphas:
        low, claimed = rate_bounds(alpha)[0][0], []
        for n in RATE_SIZES:
            B = formulas.blocks(alpha, 5.0, 10 * n, per_decade=1500)
            tail = n * B.p < 3 * math.log(n)
            mass = float(B.weights[tail] @ B.p[tail])
            claimed.append(max(3 * math.log(n) / n / mass, mass**2 * math.log(10 * n) ** 2))
        gamma = 1 - 1 / alpha
        logs = np.log(RATE_SIZES) ** (2 * gamma) * np.log(10 * RATE_SIZES) ** 2  # of p_{>k}^2 ln^2 d
        ratio = low / np.array(claimed)
        growth, stated = slope(RATE_SIZES, ratio * logs), min(2 / alpha - 1, gamma) + shift
        found.append(at_least(f"alpha = {alpha}: exponent of n in the quotient", slope(RATE_SIZES, ratio), 0.01))
        what = f"alpha = {alpha}: the same without its logarithms"
        found.append(between(what, growth, stated - 0.05, stated + 0.05))
        values, bound = drawn_shares(alpha)[0], rate_bounds(alpha, drawn=True)[0][0, 0]
        what = f"alpha = {alpha}: share in {len(values)} designs of {DRAWN:,} rows (limit: our bound)"
        found.append(at_least(what, values.mean() + 3 * values.std(ddof=1) / math.sqrt(len(values)), bound))
    return found


paper_count.breaks("alpha = 2.5 and 3", alphas=(2.5, 3.0))
paper_count.breaks("growth faster by 0.1", shift=0.1)
paper_count.breaks("growth slower by 0.1", shift=-0.1)


def fig_rates(result: Result, alpha: float = 1.5) -> Picture:
    """Unresolved count share and unresolved mass against n with their leading orders; the paper's two terms."""
    groups = sorted(result.where(alpha=alpha), key=lambda group: float(group["n"]))
    sizes = [group["n"] for group in groups]
    lines = np.geomspace(min(sizes), 1e12, 40)
    table = np.array([rate_lines(result.settings, alpha, n) for n in lines]).T
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.5), sharex=True)
    left.plot(lines, table[0], color=BLUE, label=r"$M/\alpha$ (theorem)")
    right.plot(lines, table[1], color=BLUE, label=r"$\gamma M^2$ (theorem)")
    for ax in (left, right):
        ax.plot(lines, table[2], color=ORANGE, ls="--", label=r"$p_{>k}^2\ln^2 d$")
        ax.plot(lines, table[3], color=PURPLE, ls=":", label=r"$p_k/p_{>k}$")
        ax.set(xscale="log", yscale="log", xlabel="rows $n$", ylim=(1e-8, 1e3))
        ax.axhline(1, color=GREY, lw=0.8)
    for ax, key, title in (
        (left, "missed_share", "as a share of the seen features"),
        (right, "missed_mass", "as probability mass"),
    ):
        whiskers(ax, sizes, [group[key] for group in groups], color=INK, label="measured, 95% interval")
        ax.set_title(f"Seen but unresolved, {title}", fontsize=9.5)
        ax.legend(fontsize=8)
    share, mass = ([group[key]["mean"] for group in groups] for key in ("missed_share", "missed_mass"))
    return picture(
        figure,
        f"Two logarithmic panels against n at alpha = {alpha:g}. Measured share of seen features left unresolved: "
        f"{_list(share)} at n = {_list(sizes)}; mass: {_list(mass)}. At n = 10^12 the lines are: M/alpha "
        f"{table[0][-1]:.1e}, gamma M^2 {table[1][-1]:.1e}, the paper's {table[2][-1]:.1e} and {table[3][-1]:.1e}.",
    )


def rate_lines(fixed: dict[str, Any], alpha: float, n: float) -> tuple[float, float, float, float]:
    """Leading orders of the unresolved share of the seen and of their mass; the two terms of the paper's fraction."""
    B = formulas.blocks(alpha, fixed["s"], fixed["width"] * n, per_decade=1000)
    tail = n * B.p < 10
    mass = float(B.weights[tail] @ B.p[tail])
    M = formulas.power_law_sum(alpha, B.c, n)
    return M / alpha, (1 - 1 / alpha) * M**2, (mass * math.log(fixed["width"] * n)) ** 2, 10 / n / mass


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)


@dataclass(frozen=True)
class RecoveredMap:
    """Shares of the seen features that are recovered, over (alpha, n).

    share: (sizes, alphas). bite: for each alpha the n from which the paper's second term is below 1 (NaN where
    never).
    """

    alphas: np.ndarray
    sizes: np.ndarray
    share: np.ndarray
    bite: np.ndarray

    def draw(self, ax: Axes) -> Any:
        """The phase diagram on `ax`; returns what a colour bar needs."""
        missing = np.log10(1 - self.share)
        drawn = ax.contourf(self.alphas, self.sizes, missing, levels=np.linspace(-7, 0, 15), extend="min")
        levels = [0.5, 0.9, 0.99, 0.999]
        lines = ax.contour(self.alphas, self.sizes, self.share, levels=levels, colors="white", linewidths=1)
        ax.clabel(lines, fmt=lambda v: f"{v:.3g}", fontsize=8, colors="0.1")  # the map is bright where they lie
        ax.plot(self.alphas, self.bite, color=ORANGE, lw=2, ls="--", label=r"$p_{>k}^2\ln^2 d=1$")
        ax.set(yscale="log", ylim=(self.sizes[0], self.sizes[-1]))
        ax.set(xlabel=r"tail exponent $\alpha$", ylabel="training rows n")
        ax.grid(False)
        ax.legend(loc="upper right", labelcolor="white")
        return drawn


def fig_phase_alpha_n(table: RecoveredMap) -> Picture:
    """The phase diagram alone."""
    figure, ax = subplots(size=(6.6, 4.0))
    figure.colorbar(table.draw(ax), ax=ax, label="share not recovered, power of ten")
    alphas, sizes, share = table.alphas, table.sizes, table.share
    corner = [f"{share[i, j]:.2f}" for i in (0, -1) for j in (0, -1)]
    return picture(
        figure,
        f"Share of seen features recovered: at n {sizes[0]:.0e} it is {corner[0]} at alpha {alphas[0]:g} and "
        f"{corner[1]} at alpha {alphas[-1]:g}; at n {sizes[-1]:.0e} {corner[2]} and {corner[3]}.",
    )


def fig_recovered_at(
    table: RecoveredMap, curves: Mapping[str, Sequence[float]], sizes: Sequence[float], *, alpha: float, n: float
) -> Picture:
    """The phase diagram with a point at (alpha, n), and the cut through it along n.

    `curves`, along `sizes`: the share not recovered by the equation, its leading order, the paper's two terms.
    """
    figure, (left, ax) = subplots(1, 2, size=(8.6, 3.7), width_ratios=(1, 1.25))
    table.draw(left)
    left.plot([alpha], [n], "o", color=ORANGE, mec="white", mew=1.6, ms=10, clip_on=False, zorder=5)
    styles = ((BLUE, "-"), (BLUE, ":"), (ORANGE, "--"), (GREY, "--"))
    for (label, values), (color, ls) in zip(curves.items(), styles, strict=True):
        ax.plot(sizes, values, color=color, ls=ls, label=label)
    ax.axhline(1, color=INK, lw=0.8)
    ax.set(xscale="log", yscale="log", ylim=(1e-6, 1e3), xlabel="training rows n", ylabel="share not recovered")
    ax.legend(fontsize=8)
    log = {name: float(np.interp(np.log(n), np.log(sizes), np.log(values))) for name, values in curves.items()}
    here = {name: float(np.exp(value)) for name, value in log.items() if not np.isnan(value)}
    ax.axvline(n, color=INK, lw=0.8, ls=":")
    ax.plot([n] * len(here), list(here.values()), "o", color=INK, ms=4, zorder=4)
    ax.set_title(rf"$\alpha={alpha:g}$: {next(iter(here.values())):.2g} of the seen not recovered", fontsize=10)
    told = "; ".join(f"{name.replace('$', '')} {value:.2g}" for name, value in here.items())
    return picture(
        figure, f"The phase diagram with a point at alpha {alpha:g}, n {n:.0e}. Not recovered there: {told}."
    )
