"""The room of *Scale*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from book.shared.block_solver import block_min_norm, component_bound, expected_branching
from book.shared.ledger import Found, at_most, claim, exactly
from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, Picture, band, picture, subplots
from companion.linear import LongTailModel, components, resolved
from companion.linear.reduce import back_substitute, peel_items

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pinv(X: np.ndarray) -> np.ndarray:
    return np.linalg.pinv(X, rcond=1e-10)


def noisy_designs(count: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.random.Generator]]:
    """Small random designs with noisy labels, many rank-deficient, with repeated and empty columns."""
    rng = np.random.default_rng(0)
    for trial in range(count):
        n, d = rng.integers(1, 12), rng.integers(2, 14)
        X = rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0], size=(n, d))
        if trial % 3 == 0:
            X[:, 1] = X[:, 0]
        yield X, rng.normal(size=n), rng


@claim(
    "thm-block-solver",
    "Core, blocks and one repair give the minimum-norm solution, any core, any rank, noisy labels",
    functions=("book.shared.block_solver.block_min_norm",),
)
def blocks_exact(repair: bool = True) -> Found:
    """Sixty small designs, each with a core chosen at random."""
    gap = 0.0
    for X, y, rng in noisy_designs(60):
        found = block_min_norm(X, y, core=rng.random(X.shape[1]) < 0.4, repair=repair).beta
        gap = max(gap, float(np.abs(found - pinv(X) @ y).max()))
    return at_most("largest difference from X^+ y, 60 designs", gap, 1e-6)


blocks_exact.breaks("without the repair of a free core", repair=False)


@claim(
    "cor-core-pinned",
    "The core's system is non-singular exactly if every core feature is resolved",
    functions=("book.shared.block_solver.block_min_norm", "companion.linear.resolved"),
)
def pinned_core(all_columns: bool = False) -> Found:
    """On sixty small designs, whether the core has no free direction, and whether it is resolved."""
    wrong = 0
    for X, y, rng in noisy_designs(60):
        core = rng.random(X.shape[1]) < 0.4
        seen = (X != 0).any(axis=0)
        asked = seen if all_columns else core & seen
        wrong += (block_min_norm(X, y, core=core).free == 0) != bool(resolved(X)[asked].all())
    return exactly("designs of 60 on which the two disagree", wrong, 0)


pinned_core.breaks("every seen feature, not only the core", all_columns=True)


@claim(
    "prop-blocks",
    "A row's block holds at most 1/(1 - n sum of p^2 over the tail) rows on average",
    functions=(
        "book.shared.block_solver.expected_branching",
        "book.shared.block_solver.component_bound",
        "companion.linear.components",
    ),
    teeth={"branching number (limit": 0.95},
)
def small_blocks(factor: float = 1.0) -> list[Found]:
    """Rows in a row's block, mean over rows and four draws; `factor` scales the branching number."""
    model = LongTailModel(n=1500, d=15_000, s=5.0, alpha=1.7, beta_exponent=0.1, sigma=0.0, k=40)
    sizes = []
    for seed in range(4):
        rows = np.array([len(r) for r, _ in components(model.sample(seed=seed).X[:, model.k :])])
        sizes.append(((rows**2).sum() + (model.n - rows.sum())) / model.n)
    branching = factor * expected_branching(model.p, model.n, model.k)
    threshold = model.n * model.p[model.k - 1]
    most = threshold**2 * model.k / ((2 * model.alpha - 1) * model.n)
    bound = component_bound(model.p, model.n, model.k) if factor == 1 else 1 / (1 - branching)
    return [
        at_most("rows in a row's block, mean", float(np.mean(sizes)), bound),
        at_most("branching number (limit: its closed form)", branching, most),
    ]


small_blocks.breaks("half the branching number", factor=0.5)


@claim(
    "thm-elimination",
    "Eliminate once-met columns, solve, substitute back, project: exact with noise, any rank",
    functions=("companion.linear.reduce.peel_items", "companion.linear.reduce.back_substitute"),
)
def elimination(project: bool = True) -> Found:
    """Sixty small designs with noisy labels."""
    gap = 0.0
    for X, y, _ in noisy_designs(60):
        A, b = sp.csr_array(X), np.zeros(X.shape[1])
        peeled = peel_items(A)
        kept = np.flatnonzero(peeled.rounds < 0)
        free = np.ones(X.shape[1], dtype=bool)
        free[peeled.check[peeled.rounds >= 0]] = False
        b[free] = pinv(X[kept][:, free]) @ y[kept]
        back_substitute(A, peeled, y, b)
        if project:
            b = pinv(X) @ (X @ b)
        gap = max(gap, float(np.abs(b - pinv(X) @ y).max()))
    return at_most("largest difference from X^+ y, 60 designs", gap, 1e-6)


elimination.breaks("without the projection", project=False)


@elimination.breaks("peeling rows off noisy labels")
def rows_instead() -> Found:
    """A row with one open feature fixes it: exact for noiseless labels only."""
    gap = 0.0
    for X, y, _ in noisy_designs(60):
        b, peeled = np.zeros(X.shape[1]), peel_items(sp.csr_array(X.T))
        for i in (feature for features in peeled.by_round() for feature in features):
            r = peeled.check[i]
            b[i] = (y[r] - X[r] @ b + X[r, i] * b[i]) / X[r, i]
        rest = peeled.rounds < 0
        b[rest] = pinv(X[:, rest]) @ (y - X @ b)
        gap = max(gap, float(np.abs(pinv(X) @ (X @ b) - pinv(X) @ y).max()))
    return at_most("largest difference from X^+ y, 60 designs", gap, 1e-6)


def fig_scale(groups: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> Picture:
    """CPU seconds against n for each solver (keys of `labels`), one panel for each alpha; means, bands one sd."""
    alphas = sorted({g["alpha"] for g in groups})
    figure, axes = subplots(1, len(alphas), size=(8.0, 3.4), sharey=True, squeeze=False)
    for ax, alpha in zip(axes[0], alphas, strict=True):
        chosen = sorted((g for g in groups if g["alpha"] == alpha), key=lambda g: g["n"])
        for color, (key, label) in zip((BLUE, ORANGE, GREEN), labels.items(), strict=False):
            mean, sd = (np.array([g[key][part] for g in chosen], float) for part in ("mean", "sd"))
            low = np.maximum(mean - sd, mean / 4)  # the axis is logarithmic
            band(ax, [g["n"] for g in chosen], mean, low, mean + sd, color=color, marker="o", label=label)
        ax.set(xscale="log", yscale="log", xlabel="training rows n", title=rf"$\alpha={alpha:g}$")
    axes[0][0].set(ylabel="CPU seconds")
    axes[0][0].legend()
    last = max(groups, key=lambda g: (g["n"], g["alpha"]))
    told = ", ".join(f"{label} {last[key]['mean']:.3g} s" for key, label in labels.items())
    where = f"at n {last['n']:,} and alpha {last['alpha']:g}"
    return picture(figure, f"CPU time to solve against n; {where}: {told}.")


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
        ax.clabel(lines, fmt=lambda v: f"{v:.3g}", fontsize=8)
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
