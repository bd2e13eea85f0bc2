"""Drawings of the chapters on composition and on scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, Picture, band, picture, subplots
from companion.linear import kernels
from companion.linear.symbols import SymbolTask, symbol_losses

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training_graph(train: np.ndarray, symbols: int) -> Picture:
    """Two slots: the training pairs as a graph, and the table of pairs that follow from them."""
    from matplotlib.colors import to_rgb

    allowed = kernels.composable_pairs(train, symbols)
    seen = np.zeros((symbols, symbols), dtype=bool)
    seen[train[:, 0], train[:, 1]] = True
    figure, (left, right) = subplots(1, 2, size=(7.4, 3.2))
    for a, b in train:
        left.plot([0, 1], [-a, -b], color=GREY, lw=1.4)
    for slot in (0, 1):
        left.scatter([slot] * symbols, -np.arange(symbols), s=120, color=BLUE, zorder=3)
        for a in range(symbols):
            left.annotate("abcdefghij"[a], (slot, -a), color="white", ha="center", va="center_baseline", zorder=4)
    left.set(title="Training pairs", xlim=(-0.3, 1.3), xticks=[0, 1], xticklabels=["slot 1", "slot 2"], yticks=[])
    left.grid(False)
    colour = np.zeros((symbols, symbols, 4))
    colour[..., :3] = to_rgb(BLUE)
    colour[..., 3] = np.where(seen, 1.0, np.where(allowed, 0.25, 0.0))
    right.imshow(colour)
    for a in range(symbols):
        for b in range(symbols):
            mark = "seen" if seen[a, b] else "new" if allowed[a, b] else "?"
            ink = "white" if seen[a, b] else INK
            right.annotate(mark, (b, a), ha="center", va="center", fontsize=8, color=ink)
    names = list("abcdefghij"[:symbols])
    right.set(title="What follows from them", xlabel="slot 2", ylabel="slot 1")
    right.set_xticks(range(symbols), names)
    right.set_yticks(range(symbols), names)
    right.grid(False)
    new, open_ = int((allowed & ~seen).sum()), int((~allowed).sum())
    return picture(
        figure,
        f"A graph of {len(train)} training pairs of {symbols} symbols in two slots, and the table of all "
        f"{symbols * symbols} pairs: {int(seen.sum())} seen, {new} new ones determined, {open_} not.",
    )


def similarity_sweep(rows: Sequence[Mapping[str, float]], additive: Mapping[str, float]) -> Picture:
    """Along rho: composition loss of both kernels, and the share of the truth that the product kernel keeps.

    `rows` hold rho, pairs, fresh, slope (means) with pairs_sd, fresh_sd, slope_sd over draws.
    """
    rho = np.array([row["rho"] for row in rows])
    figure, (left, right) = subplots(1, 2, size=(8.0, 3.3))
    for key, color, label in (
        ("pairs", ORANGE, "product, pairs seen once"),
        ("fresh", BLUE, "product, fresh tuples"),
    ):
        mean, sd = (np.array([row[name] for row in rows]) for name in (key, f"{key}_sd"))
        left.fill_between(rho, mean - sd, mean + sd, color=color, alpha=0.22, lw=0)
        left.plot(rho, mean, color=color, label=label, marker="o", ms=3)
    for key, color, label in (
        ("fresh", BLUE, "additive, fresh tuples"),
        ("pairs", ORANGE, "additive, pairs seen once"),
    ):
        level, spread = additive[key], additive[f"{key}_sd"]
        left.axhspan(level - spread, level + spread, color=color, alpha=0.1, lw=0)
        left.axhline(level, color=color, ls=":", label=label)
    left.set(title="Loss (train: 0 everywhere)", xlabel=r"similarity $\rho$", ylabel="mean square error")
    left.legend(fontsize=8)
    mean, sd = (np.array([row[name] for row in rows]) for name in ("slope", "slope_sd"))
    right.fill_between(rho, mean - sd, mean + sd, color=ORANGE, alpha=0.22, lw=0)
    right.plot(rho, mean, color=ORANGE, marker="o", ms=3, label="long-tailed data")
    for t, ls in ((2, "-"), (3, "--"), (4, ":")):
        right.plot(rho, rho ** (t - 1), color=INK, lw=1.2, ls=ls, label=rf"$\rho^{{{t - 1}}}$ (star, {t} changes)")
    right.set(title="Share of the truth that is kept", xlabel=r"similarity $\rho$", ylabel="slope")
    right.legend(fontsize=8)
    first, last = rows[0], rows[-1]
    return picture(
        figure,
        f"Loss on new pairs of symbols seen once falls from {first['pairs']:.2f} at rho {first['rho']:g} to "
        f"{last['pairs']:.4f} at rho {last['rho']:g}; additive kernel {additive['pairs']:.1e}. The slope of "
        f"prediction against truth rises from {first['slope']:.2f} to {last['slope']:.2f}.",
    )


def predictions(task: SymbolTask, *, rho: float, ridge: float) -> Picture:
    """New pairs of once-seen symbols: what both kernels predict against the truth."""
    figure, axes = subplots(1, 2, size=(7.6, 3.5), sharex=True, sharey=True)
    told = []
    for ax, kernel, color in zip(axes, kernels.KERNELS, (BLUE, ORANGE), strict=True):
        loss = symbol_losses(task, kernel=kernel, rho=rho, ridge=ridge)
        f = kernels.interpolate(
            task.train, task.target(task.train), task.pairs[:50], kernel=kernel, rho=rho, ridge=ridge
        )
        ax.plot([-4, 4], [-4, 4], color=INK, lw=1, ls="--")
        ax.scatter(task.target(task.pairs[:50]), f, s=12, color=color, alpha=0.7, lw=0)
        title = f"{kernel}: pairs {loss['pairs']:.3f}, train {loss['train']:.3f}"
        ax.set(title=title, xlabel="truth", xlim=(-4, 4), ylim=(-4, 4))
        told.append(f"{kernel} kernel: loss on new pairs {loss['pairs']:.3f}, on training {loss['train']:.3f}")
    axes[0].set(ylabel="prediction")
    return picture(figure, f"Similarity {rho:g}, ridge {ridge:g}. " + "; ".join(told) + ".")


def solve_times(groups: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> Picture:
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


def recovered_map(table: RecoveredMap) -> Picture:
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


def recovered_at(
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
