"""Drawings of the one-equation chapter: the map and its potential, prediction against measurement, phases."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, Picture, picture, subplots, whiskers
from companion.linear.theory import density
from companion.runner.results import Result


@lru_cache(maxsize=2048)
def solutions(alpha: float, s: float, n: int = 1000, d: int = 10_000) -> dict[str, Any]:
    """Both curves at one setting, as numbers of resolved features and as z = P(a fresh row is wholly resolved).

    Peeling: the product form started from nothing resolved. Rank: the solution of Q = F(Q) with the largest
    potential. Also the number of solutions and the expected number of seen features.
    """
    B = density.blocks(alpha, s, d, exact=200, per_decade=60)
    found = density.fixed_points(B.p, n, B.weights, grid=300)
    rank = max(found, key=lambda Q: density.potential(B.p, n, Q, B.weights))
    peeling = density.cavity(B.p, n, weights=B.weights, tolerance=1e-8)
    stuck = B.p * (1 - peeling.unresolved) < 1e-12
    return {
        "blocks": B,
        "seen": peeling.seen,
        "peeled": peeling.resolved,
        "peeled_z": 0.0 if stuck.all() else float(np.exp(B.weights @ np.log1p(-B.p * peeling.unresolved))),
        "resolved": float(B.weights @ -np.expm1(-n * B.p * math.exp(-rank))),
        "resolved_z": math.exp(-rank),
    }


def curves(alpha: float, s: float, n: int = 1000, d: int = 10_000) -> Picture:
    """The map of z against the diagonal, and the potential: where peeling ends and where rank goes."""
    found = solutions(alpha, s, n, d)
    B = found["blocks"]
    z = np.linspace(0.0, 1.0, 81)
    H = density.row_map(B.p, n, z, B.weights)
    Q = -np.log(np.maximum(z, 1e-9))
    Phi = np.array([density.potential(B.p, n, q, B.weights) for q in Q]) / n
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


def accuracy_rows(result: Result) -> list[dict[str, float]]:
    """Measured against predicted resolved features and unresolved mass, one row for each alpha and n.

    `low` and `high` bound the 95% interval of the measured mean.
    """
    rows = []
    for group in sorted(result.summary, key=lambda g: (float(g["alpha"]), int(g["n"]))):
        n, alpha = group["n"], group["alpha"]
        B = density.blocks(alpha, result.settings["s"], result.settings["width"] * n)
        predicted = density.cavity(B.p, n, weights=B.weights)
        peeled, mass = group["peeled"], group["unresolved_mass"]
        rows.append(
            {
                "alpha": alpha,
                "n": n,
                "draws": peeled["n"],
                "predicted": predicted.resolved,
                "measured": peeled["mean"],
                "sd": peeled["sd"],
                "low": peeled["low"],
                "high": peeled["high"],
                "Q": predicted.Q,
                "mass": mass["mean"],
                "mass_low": mass["low"],
                "mass_high": mass["high"],
            }
        )
    return rows


def accuracy(rows: list[dict[str, float]]) -> Picture:
    """Measured over predicted: peeled features (left) and unresolved mass (right), against n, with 95% intervals."""
    figure, axes = subplots(1, 2, size=(8.4, 3.4), sharey=True)
    alphas = sorted({row["alpha"] for row in rows})
    panels = (
        ("number of resolved features", "predicted", ("measured", "low", "high")),
        ("mass left unresolved", "Q", ("mass", "mass_low", "mass_high")),
    )
    for ax, (title, against, (mean, low, high)) in zip(axes, panels, strict=True):
        for j, alpha in enumerate(alphas):
            mine = [row for row in rows if row["alpha"] == alpha]
            x = np.array([row["n"] for row in mine]) * 1.12 ** (j - len(alphas) / 2)
            y, lo, hi = (np.array([row[key] / row[against] for row in mine]) for key in (mean, low, high))
            ax.errorbar(x, y, (y - lo, hi - y), fmt="o", lw=1.1, ms=4, label=rf"$\alpha={alpha:g}$")
        ax.axhspan(0.98, 1.02, color=GREY, alpha=0.12, linewidth=0)
        ax.axhline(1, color=INK, lw=0.8)
        ax.set(xscale="log", xlabel="rows $n$ ($d=10n$)", title=title, ylim=(0.93, 1.1))
    axes[0].set_ylabel("measured / predicted")
    axes[0].legend(ncols=3, fontsize=8)
    worst = max(rows, key=lambda row: abs(row["measured"] / row["predicted"] - 1))
    mass = max(rows, key=lambda row: abs(row["mass"] / row["Q"] - 1))
    return picture(
        figure,
        f"Measured over predicted for alpha from {alphas[0]:g} to {alphas[-1]:g} and n from 10^3 to 10^6, all near 1. "
        f"Number of resolved features: farthest {worst['measured'] / worst['predicted']:.3f} at alpha = "
        f"{worst['alpha']:g}, n = {worst['n']:g}. Unresolved mass: farthest {mass['mass'] / mass['Q']:.3f} at alpha = "
        f"{mass['alpha']:g}, n = {mass['n']:g}.",
    )


def phases(result: Result) -> Picture:
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


def phase_map(n: int = 1000, d: int = 10_000) -> Picture:
    """The (alpha, s) plane: resolved share by rank and by peeling, and where there are several solutions."""
    alphas, fullness = np.linspace(1.05, 3, 20), np.linspace(1, 20, 20)
    rank, peel = (np.empty((len(fullness), len(alphas))) for _ in range(2))
    for i, s in enumerate(fullness):
        for j, alpha in enumerate(alphas):
            found = solutions(round(float(alpha), 4), float(s), n, d)
            rank[i, j] = found["resolved"] / found["seen"]
            peel[i, j] = found["peeled"] / found["seen"]
    figure, axes = subplots(1, 2, size=(8.2, 3.5), sharey=True)
    mesh: Any = None
    for ax, share, title in zip(axes, (peel, rank), ("peeling, from nothing", "rank: every interpolator"), strict=True):
        mesh = ax.contourf(alphas, fullness, share, levels=np.linspace(0, 1, 11), cmap="viridis")
        ax.set(title=title, xlabel=r"tail exponent $\alpha$")
        ax.grid(False)
    axes[0].set_ylabel("features a row, $s$")
    figure.colorbar(mesh, ax=axes, label="resolved share of the seen")
    at = {(name, i): values[i, 10] for name, values in (("peeling", peel), ("rank", rank)) for i in (4, 19)}
    return picture(
        figure,
        f"Two maps of the resolved share over alpha from 1.05 to 3 and s from 1 to 20 at n = {n}. At alpha = "
        f"{alphas[10]:.2f}: peeling {at['peeling', 4]:.2f} at s = 5 and {at['peeling', 19]:.2f} at s = 20; rank "
        f"{at['rank', 4]:.2f} and {at['rank', 19]:.2f}. Peeling has a sharp edge; rank fails near alpha = 1.",
    )
