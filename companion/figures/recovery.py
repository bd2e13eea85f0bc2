"""Drawings of the recovery chapter: how much is recovered along alpha, the sandwich, counts against masses in n."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, Picture, band, picture, subplots, whiskers
from companion.linear.model import LongTailModel
from companion.linear.theory import counts, density, recovery
from companion.runner.results import Result
from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, Picture, band, picture, subplots, whiskers

GRID = tuple(np.round(np.linspace(1.0, 3.0, 41), 3))


def _model(fixed: dict[str, Any], alpha: float) -> LongTailModel:
    return LongTailModel(fixed["n"], fixed["d"], fixed["s"], float(alpha), 0.0, 0.0)


def shares(result: Result) -> Picture:
    """Shares of the seen tail features: level one, peeled, resolved; formula for level one as a line."""
    groups = sorted(result.summary, key=lambda group: float(group["alpha"]))
    alphas = [group["alpha"] for group in groups]
    formula = []
    for alpha in GRID:
        model = _model(result.settings, alpha)
        formula.append(recovery.expected_level_one_share(model.p, model.k, model.n))
    figure, ax = subplots(size=(6.6, 3.4))
    ax.plot(GRID, formula, color=GREY, ls="--", lw=1.4, label="level one (formula)")
    kinds = (
        ("level_one", GREY, "level one"),
        ("peeled_given_common", GREEN, "peeled, common ones given"),
        ("resolved_tail", BLUE, "resolved ($P_{ii}=1$)"),
    )
    means: dict[str, list[float]] = {}
    for key, color, label in kinds:
        draws = [[row[key] / row["seen_tail"] for row in result.select(alpha=alpha)] for alpha in alphas]
        means[key] = [float(np.mean(values)) for values in draws]
        band(
            ax,
            alphas,
            means[key],
            [np.quantile(v, 0.05) for v in draws],
            [np.quantile(v, 0.95) for v in draws],
            color=color,
            label=label,
            marker="o",
            lw=0.9,
        )
    ax.set(xlabel=r"tail exponent $\alpha$", ylabel="share of the seen tail features", ylim=(0, 1.03))
    ax.legend(loc="lower right")
    words = "; ".join(
        f"at alpha = {alpha:g} level one {means['level_one'][j]:.2f}, peeled {means['peeled_given_common'][j]:.2f}, "
        f"resolved {means['resolved_tail'][j]:.2f}"
        for j, alpha in enumerate(alphas)
    )
    return picture(figure, f"Shares of seen tail features, means of {len(result.seeds)} draws: {words}.")


def sandwich_values(fixed: dict[str, Any], alpha: float) -> tuple[float, float, float]:
    """Lower and upper bound (common features pinned) and 1 - e^-Q, averaged over once-seen tail features."""
    model = _model(fixed, alpha)
    p, k, n = model.p, model.k, model.n
    weight = p[k:] * np.exp((n - 1) * np.log1p(-p[k:]))
    low = np.average(recovery.unresolved_once_seen_lower(p, n)[k:], weights=weight)
    high = np.average(recovery.unresolved_once_seen_upper(p, k, n, pinned=True), weights=weight)
    return float(low), float(high), 1 - math.exp(-density.cavity(p, n).Q)


def sandwich(result: Result) -> Picture:
    """P(once-seen tail feature unresolved): the two proved sums, the density equation, measured shares."""
    grid = [alpha for alpha in GRID if alpha >= 1.1]
    low, high, middle = np.array([sandwich_values(result.settings, alpha) for alpha in grid]).T
    figure, ax = subplots(size=(6.6, 3.4))
    ax.fill_between(grid, low, high, color=GREEN, alpha=0.15, linewidth=0)
    ax.plot(grid, low, color=GREEN, lw=1.2, label="proved: lower and upper sum")
    ax.plot(grid, high, color=GREEN, lw=1.2)
    ax.plot(grid, middle, color=INK, ls="--", lw=1.2, label=r"$1-e^{-Q}$ (next chapter)")
    words: list[str] = []
    for group in result.summary:
        if group["alpha"] < 1.1:
            continue
        m = group["once_seen_unresolved_share"]
        whiskers(ax, [group["alpha"]], [m], color=BLUE, label="measured, 95% interval" if not words else None)
        words.append(f"alpha {group['alpha']:g}: {m['mean']:.3f}")
    ax.set(xlabel=r"tail exponent $\alpha$", ylabel="unresolved share of once-seen", yscale="log", ylim=(2e-3, 3))
    ax.legend()
    at = sandwich_values(result.settings, 1.5)
    return picture(
        figure,
        f"Unresolved share of once-seen tail features along alpha, logarithmic. Measured: {', '.join(words)}. "
        f"At 1.5 the proved sums are {at[0]:.3f} and {at[1]:.3f}.",
    )


def rates(result: Result, alpha: float = 1.5) -> Picture:
    """Unresolved count share and unresolved mass against n with their leading orders; the paper's two terms."""
    groups = sorted(result.where(alpha=alpha), key=lambda group: float(group["n"]))
    sizes = [group["n"] for group in groups]
    lines = np.geomspace(min(sizes), 1e12, 40)
    table = np.array([_rate_lines(result.settings, alpha, n) for n in lines]).T
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


def _rate_lines(fixed: dict[str, Any], alpha: float, n: float) -> tuple[float, float, float, float]:
    B = density.blocks(alpha, fixed["s"], fixed["width"] * n, per_decade=1000)
    tail = n * B.p < 10
    mass = float(B.weights[tail] @ B.p[tail])
    M = counts.power_law_sum(alpha, B.c, n)
    return M / alpha, (1 - 1 / alpha) * M**2, (mass * math.log(fixed["width"] * n)) ** 2, 10 / n / mass


def _list(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
