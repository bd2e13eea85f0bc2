"""The room of *The lemma as an algorithm*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from book.shared.block_solver import block_min_norm, component_bound, expected_branching
from book.shared.ledger import Found, at_most, claim, exactly
from book.shared.style import BLUE, GREEN, ORANGE, Picture, band, picture, subplots
from companion.linear import LongTailModel, components, resolved
from companion.linear.reduce import back_substitute, peel_items

if TYPE_CHECKING:
    pass


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
