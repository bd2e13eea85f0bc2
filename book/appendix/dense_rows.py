"""The room of *When rows get fuller*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from book.linear import formulas
from book.shared import density
from book.shared.ledger import Found, at_most, claim
from book.shared.style import BLUE, GREEN, INK, ORANGE, Picture, picture, subplots, whiskers
from companion.linear import rank, resolved, sample_design
from companion.runner.results import Result


@claim(
    "prop-potential",
    "Solutions of Q = F(Q) are the stationary points of a potential",
    functions=("book.linear.formulas.potential", "book.shared.density.mass_map"),
)
def stationary(scale: float = 1.0, mates: float = 1.0) -> Found:
    """The derivative of the potential by differences, at twelve random sets of 400 frequencies."""
    rng, h, error = np.random.default_rng(9), 1e-5, 0.0
    for _ in range(12):
        p = rng.gamma(0.7, 3.0, 400)
        p *= rng.uniform(0.3, 4) / p.sum()
        n, Q = int(rng.integers(50, 1000)), float(rng.uniform(0.1, 2))
        centred = (formulas.potential(p, n, Q + h) - formulas.potential(p, n, Q - h)) / (2 * h)
        stated = n * math.exp(-Q) * (mates * density.mass_map(p, n, Q) - scale * Q)
        error = max(error, abs(centred - stated) / n)
    return at_most("largest error of the stated derivative, over n", error, 1e-5)


stationary.breaks("Q a hundredth larger in the derivative", scale=1.01)
stationary.breaks("F a hundredth larger in the derivative", mates=1.01)


@claim(
    "conj-rank",
    "Rank and certificate follow the maximizer of the potential",
    status="conjecture",
    functions=("book.linear.formulas.potential_maximizer", "book.linear.formulas.predicted_rank"),
)
def rank_potential(largest: bool = False) -> list[Found]:
    """640 equal frequencies of sum 4 and n = 800 rows: three solutions."""
    n, d = 800, 640
    p = np.full(d, 4 / d)
    Q = density.largest_fixed_point(p, n) if largest else formulas.potential_maximizer(p, n)
    X = sample_design(n, p, seed=0)
    told, rank_found = int(resolved(X).sum()), rank(X)
    predicted = d * -math.expm1(-n * p[0] * math.exp(-Q))
    stated = d - formulas.potential(p, n, Q) if largest else formulas.predicted_rank(p, n)
    return [
        at_most(f"{told} resolved, {predicted:.0f} predicted: relative error", abs(predicted / told - 1), 0.03),
        at_most(f"rank {rank_found}, {stated:.0f} predicted: error over d", abs(rank_found - stated) / d, 0.03),
    ]


rank_potential.breaks("the largest solution instead", largest=True)


@lru_cache(maxsize=2048)
def solutions(alpha: float, s: float, n: int = 1000, d: int = 10_000) -> dict[str, Any]:
    """Both curves at one setting, as numbers of resolved features and as z = P(a fresh row is wholly resolved).

    Peeling: the product form started from nothing resolved. Rank: the solution of Q = F(Q) with the largest
    potential. Also the number of solutions and the expected number of seen features.
    """
    B = formulas.blocks(alpha, s, d, exact=200, per_decade=60)
    found = formulas.fixed_points(B.p, n, B.weights, grid=300)
    highest = max(found, key=lambda Q: formulas.potential(B.p, n, Q, B.weights))
    peeling = density.cavity(B.p, n, weights=B.weights, tolerance=1e-8)
    stuck = B.p * (1 - peeling.unresolved) < 1e-12
    return {
        "blocks": B,
        "seen": peeling.seen,
        "peeled": peeling.resolved,
        "peeled_z": 0.0 if stuck.all() else float(np.exp(B.weights @ np.log1p(-B.p * peeling.unresolved))),
        "resolved": float(B.weights @ -np.expm1(-n * B.p * math.exp(-highest))),
        "resolved_z": math.exp(-highest),
    }


def fig_curves(alpha: float, s: float, n: int = 1000, d: int = 10_000) -> Picture:
    """The map of z against the diagonal, and the potential: where peeling ends and where rank goes."""
    found = solutions(alpha, s, n, d)
    B = found["blocks"]
    z = np.linspace(0.0, 1.0, 81)
    H = formulas.row_map(B.p, n, z, B.weights)
    Q = -np.log(np.maximum(z, 1e-9))
    Phi = np.array([formulas.potential(B.p, n, q, B.weights) for q in Q]) / n
    figure, (left, right) = subplots(1, 2, size=(8.0, 3.3))
    left.plot(z, z, color=INK, ls=":", lw=1)
    left.plot(z, H, color=BLUE)
    right.plot(z, Phi, color=BLUE)
    for at, color, label, marker in (
        (found["peeled_z"], ORANGE, "peeling ends", "o"),
        (found["resolved_z"], GREEN, "rank goes", "D"),
    ):
        size = 9 if marker == "o" else 5
        left.plot([at], [at], marker, color=color, ms=size, label=label, clip_on=False)
        right.plot([at], [np.interp(at, z, Phi)], marker, color=color, ms=size, clip_on=False)
    left.set(
        xlabel="$z$, P(a row is wholly resolved)",
        ylabel="$H(z)$",
        title=rf"$\alpha={alpha:g}$, $s={s:g}$",
        xlim=(0, 1),
        ylim=(0, 1),
    )
    left.legend(loc="upper left")
    right.set(xlabel="$z=e^{-Q}$", title=r"potential $\Phi/n$", xlim=(0, 1))
    return picture(
        figure,
        f"alpha = {alpha:g}, s = {s:g}, n = {n}. Peeling from nothing ends at z = {found['peeled_z']:.3f} with "
        f"{found['peeled']:.0f} of {found['seen']:.0f} seen features resolved; the largest potential is at z = "
        f"{found['resolved_z']:.3f}, with {found['resolved']:.0f}.",
    )


def fig_phases(result: Result) -> Picture:
    """Resolved share of the seen features along s: peeling (largest solution) and rank (maximizer), dots measured."""
    alphas = sorted({group["alpha"] for group in result.summary})
    n, d = result.settings["n"], result.settings["d"]
    grid = np.linspace(1, 20, 39)
    figure, axes = subplots(1, len(alphas), size=(8.6, 3.1), sharey=True)
    words = []
    for ax, alpha in zip(axes, alphas, strict=True):
        found = [solutions(alpha, float(s), n, d) for s in grid]
        ax.plot(grid, [f["resolved"] / f["seen"] for f in found], color=GREEN, label="rank (theory)")
        ax.plot(grid, [f["peeled"] / f["seen"] for f in found], color=ORANGE, ls="--", label="peeling (theory)")
        for group in result.where(alpha=alpha):
            seen = solutions(alpha, group["s"], n, d)["seen"]
            for key, color, mark in (("resolved", GREEN, "D"), ("peeled", ORANGE, "o")):
                shares = {part: group[key][part] / seen for part in ("mean", "low", "high")}
                whiskers(ax, [group["s"]], [shares], color=color, fmt=mark, ms=5, mfc=color if mark == "D" else "none")
        stop = next((s for s, f in zip(grid, found, strict=True) if f["peeled"] < 0.5 * f["resolved"]), math.nan)
        words.append(f"alpha = {alpha:g}: peeling from nothing gives up near s = {stop:.1f}")
        ax.set(xlabel="features a row, $s$", title=rf"$\alpha={alpha:g}$", ylim=(-0.03, 1.03))
    axes[0].set_ylabel("resolved share of the seen")
    axes[-1].legend(loc="center right", fontsize=8)
    return picture(figure, "Resolved share of the seen features along s. " + "; ".join(words) + ". Marks measured.")


def fig_phase_map(n: int = 1000, d: int = 10_000) -> Picture:
    """The (alpha, s) plane: resolved share by rank and by peeling, and where there are several solutions."""
    alphas, fullness = np.linspace(1.05, 3, 20), np.linspace(1, 20, 20)
    by_rank, peel = (np.empty((len(fullness), len(alphas))) for _ in range(2))
    for i, s in enumerate(fullness):
        for j, alpha in enumerate(alphas):
            found = solutions(round(float(alpha), 4), float(s), n, d)
            by_rank[i, j] = found["resolved"] / found["seen"]
            peel[i, j] = found["peeled"] / found["seen"]
    figure, axes = subplots(1, 2, size=(8.2, 3.5), sharey=True)
    mesh: Any = None
    for ax, share, title in zip(
        axes, (peel, by_rank), ("peeling, from nothing", "rank: every interpolator"), strict=True
    ):
        mesh = ax.contourf(alphas, fullness, share, levels=np.linspace(0, 1, 11), cmap="viridis")
        ax.set(title=title, xlabel=r"tail exponent $\alpha$")
        ax.grid(False)
    axes[0].set_ylabel("features a row, $s$")
    figure.colorbar(mesh, ax=axes, label="resolved share of the seen")
    at = {(name, i): values[i, 10] for name, values in (("peeling", peel), ("rank", by_rank)) for i in (4, 19)}
    return picture(
        figure,
        f"Two maps of the resolved share over alpha from 1.05 to 3 and s from 1 to 20 at n = {n}. At alpha = "
        f"{alphas[10]:.2f}: peeling {at['peeling', 4]:.2f} at s = 5 and {at['peeling', 19]:.2f} at s = 20; rank "
        f"{at['rank', 4]:.2f} and {at['rank', 19]:.2f}. Peeling has a sharp edge; rank fails near alpha = 1.",
    )
