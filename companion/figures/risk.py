"""Drawings of the chapters on data and minimum norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from book.shared.style import (
    BLUE,
    CYCLE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    Picture,
    picture,
    subplots,
)
from companion.linear import LongTailModel, feature_counts, leverage
from companion.linear.theory.shrinkage import gradient_filter


def frequencies(n: int, d: int, s: float, alphas: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0)) -> Picture:
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
    parts = np.array([_row_parts(LongTailModel(n=n, d=d, s=s, alpha=a, beta_exponent=0.0, sigma=0.0)) for a in fine])
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


def _row_parts(model: LongTailModel) -> tuple[float, float, float, float]:
    tail = model.p[model.k :]
    never, once = tail @ (1 - tail) ** model.n, model.n * tail**2 @ (1 - tail) ** (model.n - 1)
    return float(model.p[: model.k].sum()), float(tail.sum() - never - once), float(once), float(never)


def descent_by_direction(X: Any, y: Any, share: float = 0.9, steps: int = 3000) -> Picture:
    """Error of gradient descent along singular directions, measured (dots) and in closed form (lines)."""
    n = X.shape[0]
    dense = X[:, np.flatnonzero(feature_counts(X))].toarray()
    U, s, Vt = np.linalg.svd(dense, full_matrices=False)
    lr = share * n / s[0] ** 2
    kept = np.flatnonzero(s > 1e-10 * s[0])
    wanted = np.geomspace(s[kept[0]], s[kept[-1]], 5)
    shown = np.unique([kept[np.argmin(np.abs(np.log(s[kept] / size)))] for size in wanted])
    goal = (U.T @ y)[kept] / s[kept]
    times = np.unique(np.geomspace(1, steps, 25).astype(int))
    measured, b = [], np.zeros(dense.shape[1])
    for step in range(1, steps + 1):
        b = b - lr * (2 / n) * (dense.T @ (dense @ b - y))
        if step in times:
            measured.append(np.abs(Vt[kept] @ b / goal - 1))
    line = np.geomspace(1, steps, 200).astype(int)
    figure, ax = subplots(size=(6.6, 3.4))
    for j, color in zip(shown, CYCLE, strict=False):
        left_over = [abs(1 - gradient_filter(s[[j]], n, lr=lr, steps=int(t))[0]) for t in line]
        ax.plot(line, left_over, color=color, label=rf"$s_j^2={float(f'{s[j] ** 2:.3g}'):g}$")
        ax.plot(times, np.array(measured)[:, np.flatnonzero(kept == j)[0]], "o", color=color, ms=3.5)
    ax.set(xscale="log", yscale="log", ylim=(1e-6, 2), xlabel="step", ylabel="share still to learn")
    ax.legend(title="direction", loc="lower left")
    slow = 1 - gradient_filter(s[[shown[-1]]], n, lr=lr, steps=steps)[0]
    alt = (
        f"Share of five singular directions still to learn against the step, measured points on closed-form lines. "
        f"The largest, squared singular value {s[0] ** 2:.0f}, is learned in a few steps; of the smallest, "
        f"{s[shown[-1]] ** 2:.2g}, {slow:.0%} is left after {steps:,} steps."
    )
    return picture(figure, alt)


def leverages(n: int, d: int, s: float, alphas: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0), *, seed: int) -> Picture:
    """Leverages of all rows, sorted, one curve an alpha: how much of each label its own prediction copies."""
    figure, ax = subplots(size=(6.6, 3.3))
    words = []
    for alpha, color in zip(alphas, CYCLE, strict=False):
        model = LongTailModel(n=n, d=d, s=s, alpha=alpha, beta_exponent=0.1, sigma=0.0)
        h = np.sort(leverage(model.sample(seed=seed).X))[::-1]
        ax.plot(np.arange(1, n + 1) / n, h, color=color, label=rf"$\alpha={alpha:g}$")
        words.append(f"{np.mean(h > 1 - 1e-9):.1%} at alpha {alpha:g}")
    ax.set(xlabel="share of the rows, most memorized first", ylabel=r"leverage $h_{rr}$", ylim=(-0.02, 1.05))
    ax.legend()
    return picture(figure, "Sorted leverages of all rows. The share of rows with leverage 1: " + ", ".join(words) + ".")
