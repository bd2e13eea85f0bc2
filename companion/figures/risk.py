"""Drawings of the chapters on data, minimum norm, noiseless guarantees, noise and turning memorization off."""

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
    PURPLE,
    RED,
    Picture,
    band,
    picture,
    subplots,
    whiskers,
)
from companion.linear import LongTailModel, feature_counts, leverage, ridge
from companion.linear.theory.noise import diagonal_noise_law, once_seen_rows
from companion.linear.theory.risk import floor_law, frequency_scale
from companion.linear.theory.shrinkage import forgetting, gradient_filter, ridge_shrinkage
from companion.runner.results import Result

ONCE = r"$n_i=1$"


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


def rate(result: Result) -> Picture:
    """Noiseless risk against n: measured with 95 % bands, the floor's law as lines; right, their ratio."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.6), width_ratios=(1.25, 1))
    d, s, b = (result.settings[key] for key in ("d", "s", "beta_exponent"))
    words = []
    for alpha, color in zip(result.settings["alphas"], CYCLE, strict=False):
        groups = sorted(result.where(alpha=alpha), key=lambda g: g["n"])
        sizes = [g["n"] for g in groups]
        mean, low, high = (np.array([g["risk"][key] for g in groups]) for key in ("mean", "low", "high"))
        c = frequency_scale(s, alpha, d)
        law = np.array([floor_law(n, c=c, alpha=alpha, b=b, d=d) for n in sizes])
        left.plot(sizes, law, color=color, lw=1.2)
        left.fill_between(sizes, low, high, color=color, alpha=0.25, linewidth=0)
        left.plot(sizes, mean, "o", color=color, label=rf"$\alpha={alpha:g}$")
        band(right, sizes, mean / law, low / law, high / law, color=color, marker="o")
        words.append(
            f"alpha {alpha:g}: from {mean[0]:.3g} to {mean[-1]:.3g}, {mean[-1] / law[-1]:.3f} times the law at the end"
        )
    left.set(xscale="log", yscale="log", xlabel="training rows $n$", ylabel="noiseless risk", title="Risk")
    left.legend()
    right.axhline(1, color=INK, lw=0.8, ls=":")
    right.set(xscale="log", xlabel="training rows $n$", title="Risk over law")
    span = f"{min(result.settings['sizes']):,} to {max(result.settings['sizes']):,}"
    return picture(figure, f"Noiseless risk falls as a power of n over n = {span}. " + "; ".join(words) + ".")


def sandwich(result: Result) -> Picture:
    """Noiseless risk at the paper's size along alpha, between its floor and two upper bounds."""
    figure, ax = subplots(size=(6.6, 3.5))
    alphas = sorted({g["alpha"] for g in result.summary})
    curves = (
        ("crude", PURPLE, "largest $p$ times everything unresolved"),
        ("components", ORANGE, "component by component"),
        ("risk", BLUE, "risk"),
        ("floor", GREY, "never seen"),
    )
    for key, color, name in curves:
        mean, low, high = (np.array([result.one(alpha=a)[key][x] for a in alphas]) for x in ("mean", "low", "high"))
        band(ax, alphas, mean, np.maximum(low, 1e-4), high, color=color, label=name, marker="o")
    ax.set(yscale="log", xlabel=r"tail exponent $\alpha$", ylabel="noiseless risk and bounds")
    ax.legend()
    two = result.one(alpha=2.0)
    values = ", ".join(f"{name} {two[name]['mean']:.4f}" for name in ("floor", "risk", "components", "crude"))
    return picture(
        figure, f"The risk lies just above the cost of unseen features for alpha from 1.5 on. At alpha 2: {values}."
    )


def noise_terms(result: Result) -> Picture:
    """Left: noise loss over sigma^2 along alpha, against k/n and the diagonal. Right: error of once-seen features."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.5), width_ratios=(1.25, 1))
    alphas = [a for a in sorted({g["alpha"] for g in result.summary}) if a > 1]
    for key, color, name in (
        ("noise", BLUE, "noise loss"),
        ("diagonal", GREEN, r"$\sum p_i/n_i$"),
        ("k_over_n", ORANGE, "$k/n$"),
    ):
        mean, low, high = _series(result, alphas, key)
        band(left, alphas, mean, low, high, color=color, label=name, marker="o")
    n, d, s = (result.settings[key] for key in ("n", "d", "s"))
    law = [diagonal_noise_law(n, c=frequency_scale(s, a, d), alpha=a) for a in alphas]
    left.plot(alphas, law, color=INK, ls="--", lw=1.2, label="law of the diagonal")
    left.set(yscale="log", xlabel=r"tail exponent $\alpha$", ylabel=r"loss over $\sigma^2$", title="In distribution")
    left.legend()
    for key, color, name in (
        ("once_exact", BLUE, "exact given the design"),
        ("once_drawn", RED, "one draw of the noise"),
    ):
        mean, low, high = _series(result, alphas, key)
        band(right, alphas, mean, low, high, color=color, label=name, marker="o")
    right.axhline(1, color=INK, lw=0.8, ls=":")
    right.set(xlabel=r"tail exponent $\alpha$", ylabel=r"rms error over $\sigma$", title="Resolved, once-seen")
    right.legend()
    two = result.one(alpha=2.0)
    alt = (
        f"Noise loss over sigma squared along alpha, above the diagonal sum, above k/n: at alpha 2 "
        f"{two['noise']['mean']:.4f}, {two['diagonal']['mean']:.4f} and {two['k_over_n']['mean']:.4f}. Right: error of "
        f"once-seen resolved features over sigma, {two['once_exact']['mean']:.3f} at alpha 2, "
        f"{result.one(alpha=1.25)['once_exact']['mean']:.2f} at alpha 1.25."
    )
    return picture(figure, alt)


def joint(result: Result, sigma: float, n_lam: float | None = None) -> Picture:
    """Training loss, in-distribution risk, composition loss and measured memorization against n lam.

    n_lam: one of the stored values above 0, where the four curves are read off.
    """
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.7), width_ratios=(1.35, 1))
    ridge_path = [g for g in result.where(sigma=sigma, path="ridge") if g["n_lam"] > 0]
    x = [g["n_lam"] for g in ridge_path]
    for key, color, name in (
        ("composition", RED, "two once-seen features"),
        ("population", BLUE, "in distribution"),
        ("train", GREEN, "training"),
    ):
        mean, low, high = (np.array([g[key][part] for g in ridge_path]) for part in ("mean", "low", "high"))
        band(left, x, mean, np.maximum(low, 1e-7), high, color=color, label=name)
        stopped = result.where(sigma=sigma, path="descent")
        whiskers(left, [g["n_lam"] for g in stopped], [g[key] for g in stopped], color=color, fmt="x", ms=5)
    model = LongTailModel(
        n=result.settings["n"],
        d=result.settings["d"],
        s=result.settings["s"],
        alpha=result.settings["alphas"][0],
        beta_exponent=result.settings["beta_exponent"],
        sigma=sigma,
    )
    theory = [forgetting(model.p, model.beta, model.n, z, t=result.settings["t"]) for z in x]
    left.plot(x, [f.composition for f in theory], color=INK, ls="--", lw=1.1, label="closed form")
    left.plot(x, [f.train for f in theory], color=INK, ls="--", lw=1.1)
    left.set(xscale="log", yscale="log", xlabel=r"$n\lambda$", ylabel="loss", ylim=(1e-6, 2), title="Losses")
    left.legend(loc="lower right")
    mean, low, high = (np.array([g["memorization"][part] for g in ridge_path]) for part in ("mean", "low", "high"))
    band(right, x, mean, low, high, color=PURPLE, label="ridge")
    stopped = result.where(sigma=sigma, path="descent")
    at, measured = [g["n_lam"] for g in stopped], [g["memorization"] for g in stopped]
    whiskers(right, at, measured, color=PURPLE, fmt="x", ms=5, label="early stopping")
    right.plot(x, [ridge_shrinkage(1, z) for z in x], color=INK, ls="--", lw=1.1, label=r"$1/(1+n\lambda)$")
    right.set(xscale="log", xlabel=r"$n\lambda$", ylim=(0, 1.05), title="Memorization, measured")
    right.legend()
    to = 1.0 if n_lam is None else n_lam
    base, one = (result.one(sigma=sigma, path="ridge", n_lam=value) for value in (0.0, to))
    if n_lam is not None:
        for ax, keys in ((left, ("composition", "population", "train")), (right, ("memorization",))):
            ax.axvline(n_lam, color=INK, lw=0.8, ls=":")
            for key in keys:
                ax.plot([n_lam], [one[key]["mean"]], "o", color=INK, ms=5, zorder=4)
                spot, side = (n_lam, one[key]["mean"]), 6 if n_lam < 10 else -6
                align = "left" if side > 0 else "right"
                text = f"{one[key]['mean']:.3g}"
                ax.annotate(text, spot, (side, 5), textcoords="offset points", ha=align, fontsize=9)
    words = "; ".join(
        f"{name} {base[key]['mean']:.2g} to {one[key]['mean']:.2g}"
        for key, name in (("train", "training"), ("population", "in distribution"), ("composition", "composition"))
    )
    kept = [group["memorization"]["mean"] for group in (base, one)]
    alt = (
        f"From the minimum norm to n lam = {to:g} the losses go: {words}; measured memorization of rows with a "
        f"once-seen feature goes from {kept[0]:.2f} to {kept[1]:.2f}. Crosses of early stopping lie near the curves "
        f"of ridge."
    )
    return picture(figure, alt)


def shrunk_draw(model: LongTailModel, X: Any, y: Any, n_lam: float) -> Picture:
    """One draw at one n lam: coefficients kept against how often a feature was seen, and the three losses."""
    b, n_i = ridge(X, y, n_lam / model.n), feature_counts(X)
    seen = np.flatnonzero(n_i)
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.2), width_ratios=(1.4, 1))
    left.plot(n_i[seen], (b / model.beta)[seen], "o", color=BLUE, ms=4, alpha=0.6, label="features")
    grid = np.geomspace(1, model.n, 60)
    left.plot(grid, ridge_shrinkage(grid, n_lam), color=INK, ls="--", lw=1.2, label=r"$n_i/(n_i+n\lambda)$")
    left.axhline(0, color=GREY, lw=0.6)
    left.set(xscale="log", ylim=(-0.15, 1.35), xlabel="times seen $n_i$", ylabel=r"$\hat\beta_i/\beta^*_i$")
    left.legend(loc="lower right")
    features, _ = once_seen_rows(X)
    error = b - model.beta
    losses = (
        ("training", float(np.mean((X @ b - y) ** 2)), GREEN),
        ("in distribution", float(model.p @ error**2), BLUE),
        ("two once-seen", 2 * float(np.mean(error[features] ** 2)), RED),
    )
    for at, (_, value, color) in enumerate(losses):
        right.barh(at, value, color=color)
        right.annotate(f"{value:.4f}", (value, at), (3, 0), textcoords="offset points", va="center", fontsize=9)
    right.set(yticks=range(3), yticklabels=[name for name, _, _ in losses], xlim=(0, 1.0), xlabel="loss")
    kept = float(np.mean((b / model.beta)[features]))
    alt = (
        f"n lam = {n_lam:g}: once-seen features keep {kept:.0%} of their coefficient on average. Losses: "
        + ", ".join(f"{name} {value:.4f}" for name, value, _ in losses)
        + "."
    )
    return picture(figure, alt)


def _series(result: Result, alphas: list[float], key: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cells = [result.one(alpha=a)[key] for a in alphas]
    mean, low, high = (np.array([c[part] for c in cells]) for part in ("mean", "low", "high"))
    return mean, np.maximum(low, 1e-6), high
