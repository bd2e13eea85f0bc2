"""Drawings of the chapters on structure and pinning: a design as a score, tails in a row, the spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import binomtest

from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, Picture, band, picture, subplots, whiskers
from companion.linear.model import LongTailModel, sample_design
from companion.linear.structure import peeling_rounds
from companion.linear.theory import counts, pinning
from companion.runner.results import Result, interval


def score(X: Any, step: int, k: int = 0) -> Picture:
    """A small design after `step` rounds of peeling: one line a row, one dot an entry, columns are features.

    Grey: resolved earlier; orange: resolved in this round, with the rows that did it; blue: not resolved.
    """
    X = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
    n, d = X.shape
    rounds = peeling_rounds(X, k)
    known = (rounds >= 0) & (rounds < step)
    new = (rounds == step) & (step > 0)
    figure, ax = subplots(size=(6.8, 0.27 * n + 1.0))
    ax.grid(False)
    for i in np.flatnonzero(known | new):
        ax.axvspan(i + 0.62, i + 1.38, color=ORANGE if new[i] else GREY, alpha=0.14, linewidth=0)
    for r in range(n):
        entries = np.flatnonzero(X[r])
        if not len(entries):
            continue
        left = entries[~known[entries]]
        names = len(left) == 1 and bool(new[left[0]])
        ax.plot([entries[0] + 1, entries[-1] + 1], [r, r], color=ORANGE if names else GREY, lw=1.6 if names else 0.8)
        for i in entries:
            color = ORANGE if new[i] else GREY if known[i] else BLUE
            ax.plot([i + 1], [r], marker="o" if X[r, i] > 0 else "D", color=color, ms=6.5 if X[r, i] > 0 else 5.5)
    done = int((known | new).sum())
    ax.set(xlim=(0.4, d + 0.6), ylim=(n - 0.4, -0.6), yticks=[], xlabel="feature")
    ax.set_xticks(range(1, d + 1))
    ax.spines["left"].set_visible(False)
    ax.set_title(f"round {step}: {done} of {d} features resolved")
    fresh = ", ".join(str(i + 1) for i in np.flatnonzero(new)) or "none"
    return picture(
        figure,
        f"{n} rows of a design with {d} features after round {step} of peeling. Newly resolved: {fresh}. "
        f"Resolved so far: {done} of {d}.",
    )


def tails_a_row(result: Result) -> Picture:
    """Shares of rows with no, one, several tail features along alpha: exact lines, measured dots."""
    fixed = result.settings
    grid = np.linspace(1.0, 3.0, 41)
    lines = []
    for alpha in grid:
        model = LongTailModel(fixed["n"], fixed["d"], fixed["s"], float(alpha), 0.0, 0.0)
        none = counts.no_tail_probability(model.p, model.k)
        several = counts.several_tail_probability(model.p, model.k)
        lines.append((none, 1 - none - several, several))
    none, one, several = np.array(lines).T
    figure, ax = subplots(size=(6.4, 3.2))
    shown = ((none, BLUE, "no tail feature"), (one, GREEN, "one"), (several, ORANGE, "two or more"))
    for values, color, label in shown:
        ax.plot(grid, values, color=color)
        at, shift = {BLUE: (28, (-10, -16)), GREEN: (18, (4, 8)), ORANGE: (3, (8, 6))}[color]
        ax.annotate(label, (float(grid[at]), float(values[at])), shift, textcoords="offset points", color=color)
    for alpha in fixed["alphas"]:
        drawn = result.select(alpha=alpha)
        plain, single = (np.array([row[f"rows_{kind}_tail"] for row in drawn]) for kind in ("without", "with_one"))
        for number, color in ((plain, BLUE), (single, GREEN), (fixed["n"] - plain - single, ORANGE)):
            whiskers(ax, [alpha], [interval(number / fixed["n"])], color=color)
    ax.set(xlabel=r"tail exponent $\alpha$", ylabel="share of the rows", ylim=(0, 1.02))
    first, last = lines[0], lines[20]
    return picture(
        figure,
        "Share of rows by number of tail features along alpha from 1 to 3. No tail feature: "
        f"{first[0]:.2f} at 1, {last[0]:.2f} at 2. One: {first[1]:.2f} and {last[1]:.2f}. "
        f"Two or more: {first[2]:.2f} and {last[2]:.2f}. Dots: {len(result.seeds)} draws, on the lines; "
        "their intervals hardly show.",
    )


def spectrum_rows(
    alpha: float = 2.0,
    n: int = 1000,
    common: Sequence[float] = (2, 3, 5, 7, 10, 20, 40, 80),
    *,
    draws: int = 150,
    seed: int = 0,
) -> list[dict[str, float]]:
    """For each value of n p_k: extreme eigenvalues of the whitened Gram matrix, and how often rank A < k, with bounds.

    The eigenvalues use all n rows (the best case); A has the rows without tail features only.
    """
    model = LongTailModel(n, 10 * n, 5.0, alpha, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    rows = []
    for wanted in common:
        k = int((n * model.p >= wanted).sum())
        p, none = model.p[:k], counts.no_tail_probability(model.p, k)
        low: list[float] = []
        high: list[float] = []
        failed: list[bool] = []
        for _ in range(draws):
            A = sample_design(n, p, seed=rng).toarray()
            if len(low) < 30:
                scaled = A / np.sqrt(n * p)
                eigen = np.linalg.eigvalsh(scaled.T @ scaled)
                low.append(eigen[0])
                high.append(eigen[-1])
            plain = A[rng.random(n) < none]
            failed.append(np.linalg.matrix_rank(plain.T @ plain) < k)
        rows.append(
            {
                "common": wanted,
                "k": k,
                "lowest": float(np.mean(low)),
                "lowest_low": float(np.quantile(low, 0.1)),
                "lowest_high": float(np.quantile(low, 0.9)),
                "highest": float(np.mean(high)),
                "highest_low": float(np.quantile(high, 0.1)),
                "highest_high": float(np.quantile(high, 0.9)),
                "failed": float(np.mean(failed)),
                "bound": pinning.rank_failure_bound(model.p, k, n),
                "empty": pinning.empty_column_average(model.p, k, n),
                "chernoff": pinning.matrix_chernoff_bound(model.p, k, n, 1.0),
                "off_half": pinning.concentration_failure(model.p, k, n, 0.5),
            }
        )
    return rows


def _share_intervals(shares: np.ndarray, draws: int) -> list[dict[str, float]]:
    """Mean and exact (Clopper-Pearson) 95% interval of each share of `draws` draws."""
    out = []
    for share in shares:
        found = binomtest(round(share * draws), draws).proportion_ci(0.95)
        out.append({"mean": float(share), "low": float(found.low), "high": float(found.high)})
    return out


def spectrum(rows: Sequence[dict[str, float]], draws: int = 150) -> Picture:
    """Left: extreme eigenvalues against n p_k; right: probability that the common features are not pinned by A."""
    x = [row["common"] for row in rows]
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.4))
    for key, color, label in (("highest", ORANGE, "largest eigenvalue"), ("lowest", BLUE, "smallest eigenvalue")):
        band(left, x, column[key], column[f"{key}_low"], column[f"{key}_high"], color=color, label=label, marker="o")
    left.axhline(1, color=INK, ls=":", lw=1)
    left.set(xscale="log", xlabel=r"$n p_k$", title="Spectrum of the whitened Gram matrix", ylim=(0, None))
    left.legend()
    right.plot(x, column["chernoff"], color=PURPLE, ls="--", label="matrix Chernoff, no eigenvalue 0")
    right.plot(x, column["bound"], color=GREEN, label="our bound", lw=2.6, alpha=0.7)
    right.plot(x, column["empty"], color=INK, ls=":", lw=1.4, label="some column empty (exact)")
    shown = column["failed"] > 0
    count = _share_intervals(column["failed"][shown], draws)
    whiskers(right, np.array(x)[shown], count, color=BLUE, label="measured")
    right.axhline(1, color=INK, ls=":", lw=1)
    right.set(xscale="log", yscale="log", ylim=(1e-6, 3e4), xlabel=r"$n p_k$", title=r"P(rank $A<k$)")
    right.legend(loc="upper right", fontsize=8)
    for ax in (left, right):
        ax.set_xticks([2, 5, 10, 20, 40, 80], labels=["2", "5", "10", "20", "40", "80"])
        ax.minorticks_off()
    at = next(row for row in rows if row["common"] == 10)
    return picture(
        figure,
        f"Two panels against n p_k. Left: the smallest eigenvalue rises from {rows[0]['lowest']:.2f} at n p_k = "
        f"{rows[0]['common']:.0f} to {rows[-1]['lowest']:.2f} at {rows[-1]['common']:.0f}, the largest falls from "
        f"{rows[0]['highest']:.1f} to {rows[-1]['highest']:.2f}. Right, at n p_k = 10: matrix Chernoff "
        f"{at['chernoff']:.1f}, our bound {at['bound']:.1e}, exact probability of an empty column {at['empty']:.1e}, "
        f"measured {at['failed']:.3f} of {draws} draws.",
    )
