"""Drawings of the chapters on measuring memorization and on the claimed flaws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from book.shared.style import BLUE, CYCLE, GREY, INK, ORANGE, Picture, picture, subplots
from companion.memorization.loo import nearest_subset_scores
from companion.memorization.mixtures import LongTailMixture, plant_clusters
from companion.memorization.tail import expected_count, expected_mass, price, zipf
from companion.memorization.variance import cluster_law, exact_error, quoted_bound, variance_bound
from companion.runner.results import Result


def tail_price(exponents: Sequence[float], n: int = 1000, points: int = 1000) -> Picture:
    """What nobody can know, and what not fitting the points seen once costs, along the weight of the tail."""
    unseen, once, twice, tau, count = (np.zeros(len(exponents)) for _ in range(5))
    for k, a in enumerate(exponents):
        p = zipf(points, a)
        unseen[k], once[k], twice[k] = (expected_mass(p, n, times) for times in (0, 1, 2))
        tau[k], count[k] = price(p, n, 1), expected_count(p, n, 1)
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.2))
    left.plot(exponents, unseen, color=GREY, label="never seen")
    left.plot(exponents, once, color=ORANGE, label="seen once")
    left.plot(exponents, twice, color=BLUE, label="seen twice")
    left.plot(exponents, tau * count, color=INK, ls="none", marker="o", ms=4, mfc="none", label=r"$\tau_1\times$ count")
    left.set(title="Share of the test mass", xlabel="Zipf exponent of the frequencies", ylim=(0, None))
    left.legend()
    right.plot(exponents, n * tau, color=ORANGE)
    right.axhline(1, color=GREY, ls="--", lw=1.2)
    right.annotate("one test point in n", (exponents[-1], 1), (0, -12), textcoords="offset points", ha="right")
    right.set(title=r"$n\,\tau_1$: price of one misfit", xlabel="Zipf exponent of the frequencies", ylim=(0, 1.1))
    return picture(
        figure,
        f"Two panels along the Zipf exponent, {n} draws of {points} points. Left: the mass of points never seen falls "
        f"from {unseen[0]:.3f} to {unseen[-1]:.3f}, of those seen once from {once[0]:.3f} to {once[-1]:.3f}, of "
        f"those seen twice from {twice[0]:.3f} to {twice[-1]:.3f}; circles, price times count, lie on the "
        f"once-seen line. Right: the price of one misfitted singleton in units of 1/n, from {n * tau[0]:.2f} to "
        f"{n * tau[-1]:.2f}.",
    )


def score_error(rates: Sequence[float], models: Sequence[int], simulated: dict[tuple[float, int], float]) -> Picture:
    """Worst root mean squared error of a score against the number of models: exact, our bound, the quoted one."""
    figure, axes = subplots(1, len(rates), size=(8.2, 3.2), sharey=True)
    said, ratio = [], 1.0
    for ax, r in zip(np.atleast_1d(axes), rates, strict=True):
        grid = [(a, b) for a in (0.5, 0.75, 1.0) for b in (0.0, 0.25, 0.5)]
        worst = [max(exact_error(a, b, r, t) for a, b in grid) ** 0.5 for t in models]
        ratio = max(ratio, *(variance_bound(r, t) ** 0.5 / w for t, w in zip(models, worst, strict=True)))
        ax.plot(models, worst, color=BLUE, label="worst point, exact")
        ax.plot(models, [variance_bound(r, t) ** 0.5 for t in models], color=ORANGE, label="our bound")
        ax.plot(models, [quoted_bound(r, t) ** 0.5 for t in models], color=GREY, label="bound as quoted")
        dots = [(t, e) for (rate, t), e in simulated.items() if rate == r]
        ax.plot(*zip(*dots, strict=True), color=INK, ls="none", marker="o", mfc="none", label="drawn")
        ax.set(xscale="log", yscale="log", title=f"subsets of {r:.0%}", xlabel="models trained, t")
        said.append(f"at rate {r:g} from {worst[0]:.2f} at {models[0]} models to {worst[-1]:.3f} at {models[-1]}")
    np.atleast_1d(axes)[0].set_ylabel("root mean squared error")
    np.atleast_1d(axes)[0].legend()
    return picture(
        figure,
        "Error of a memorization score against the number of models, logarithmic axes. The worst exact error falls "
        + "; ".join(said)
        + f". Dots are simulations. Our bound lies above by at most a factor {ratio:.2f}, the quoted one above that.",
    )


def sampling_law(n: int = 400) -> Picture:
    """Score of a point with twins against the sampling rate: the law, and 1-NN on planted clusters."""
    rates = np.linspace(0.02, 0.98, 49)
    world = LongTailMixture(clusters=600).sample(n, 1, seed=0)
    figure, ax = subplots(size=(6.4, 3.6))
    said = []
    for size, color in zip((1, 2, 3, 4), CYCLE, strict=False):
        planted = plant_clusters(world, size, 3, seed=size)
        total = len(planted.y)
        ax.plot(rates, [cluster_law(size, total, round(r * total)) for r in rates], color=color)
        dots = rates[4::8]
        exact = [nearest_subset_scores(planted.X, planted.y, round(r * total))[-1] for r in dots]
        ax.plot(dots, exact, color=color, ls="none", marker="o")
        at = {1: 0.85, 4: 0.14}.get(size, 0.33)
        height = (
            0.12 if size == 4 else cluster_law(size, total, round(at * total))
        )  # the last one stands below its curve
        name = "alone" if size == 1 else f"{size} of a kind"
        ax.annotate(name, (at, height), (5, 4), textcoords="offset points", color=color)
        said.append(f"{cluster_law(size, total, round(0.7 * total)):.2f} for {size}")
    ax.axhline(0.25, color=GREY, ls="--", lw=1.2)
    ax.annotate("threshold 0.25", (0.02, 0.25), (0, 3), textcoords="offset points")
    for r in (0.7, 0.95):
        ax.axvline(r, color=GREY, ls=":", lw=1.2)
    ax.set(xlabel="share of the training set in each subset, r", ylabel="memorization score", ylim=(0, 1.08))
    return picture(
        figure,
        "Score of a point against the sampling rate, by how many points of its kind are in training. Alone: 1 at every "
        f"rate. Otherwise it falls with the rate; at 0.7 it is {', '.join(said)}. Dots, exact scores of nearest "
        "neighbours on planted clusters, lie on the lines. Two of a kind are above the threshold 0.25 at rate 0.7 and "
        "below it at 0.95.",
    )


def score_plane(result: Result) -> Picture:
    """Kinds of planted points in the plane of the two rates, with level lines of both scores."""
    rate = 0.7
    decays = sorted({row["decay"] for row in result.rows})
    names = ["ordinary", "boundary", "copies 3", "copies 2", "copies 1", "wrong"]
    figure, axes = subplots(1, len(decays), size=(8.2, 3.9), sharey=True)
    said = []
    outside = np.linspace(0, 1, 101)
    for ax, decay in zip(axes, decays, strict=True):
        ax.plot(outside, np.where(outside + 0.25 <= 1, outside + 0.25, np.nan), color=GREY, lw=1.2)
        line = outside * 1.6 / 0.4  # (in - out)/(in + out) = 0.6
        ax.plot(outside, np.where(line <= 1, line, np.nan), color=GREY, lw=1.2, ls="--")
        ax.annotate("absolute 0.25", (0.55, 0.80), (-2, 4), textcoords="offset points", rotation=38, fontsize=8)
        ax.annotate("fractional 0.6", (0.12, 0.48), (-16, 0), textcoords="offset points", rotation=68, fontsize=8)
        for name, color in zip(names, CYCLE, strict=True):
            group = result.one(rate=rate, decay=decay, kind=name)
            x, y = group["outside"]["mean"], group["inside"]["mean"]
            ax.plot([x], [y], color=color, marker="o", ms=7, ls="none", label=name)
            said.append(f"{name} ({x:.2f}, {y:.2f})" + (f" with decay {decay:g}" if decay else ""))
        ax.set(
            title=f"weight decay {decay:g}" if decay else "no weight decay",
            xlabel="right without the point",
            xlim=(-0.04, 1.04),
            ylim=(-0.04, 1.06),
        )
    axes[0].set_ylabel("right with the point")
    axes[1].legend(loc="lower right")
    return picture(
        figure,
        "Planted kinds of training points in the plane (right without the point, right with it): "
        + ", ".join(said)
        + ".",
    )


def null_threshold_curve(accuracy: float, models: Sequence[int] = (20, 50, 100, 200, 400, 1000, 2000, 4000)) -> Picture:
    """The score that an unmemorized point exceeds once in a thousand, against the number of models."""
    figure, ax = subplots(size=(6.4, 3.3))
    said = []
    for r, color in ((0.7, BLUE), (0.95, ORANGE)):
        levels = [null_level(accuracy, r, t) for t in models]
        ax.plot(models, levels, color=color, marker="o")
        ax.annotate(f"subsets of {r:.0%}", (models[3], levels[3]), (6, 6), textcoords="offset points", color=color)
        said.append(f"rate {r:g}: {levels[1]:.2f} at 50 models, {levels[6]:.2f} at 2,000")
    ax.axhline(0.25, color=GREY, ls="--", lw=1.2)
    ax.annotate("0.25", (models[0], 0.25), (0, 3), textcoords="offset points")
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="models trained, t", ylabel="99.9% level of the null")
    return picture(
        figure,
        f"Score exceeded once in a thousand by points that are right {accuracy:.0%} of the time with or without being "
        f"in training. {'; '.join(said)}. The fixed threshold is 0.25.",
    )


def null_level(
    accuracy: float, r: float, t: int, *, level: float = 0.999, draws: int = 200_000, seed: int = 0
) -> float:
    """Quantile of the score of a point that is not memorized, from that many draws of its two counts."""
    rng = np.random.default_rng(seed)
    n_in = rng.binomial(t, r, draws)
    n_in = n_in[(n_in > 0) & (n_in < t)]
    score = rng.binomial(n_in, accuracy) / n_in - rng.binomial(t - n_in, accuracy) / (t - n_in)
    return float(np.quantile(score, level))


def leak_arrows(result: Result) -> Picture:
    """Clean and leaky effect of removing the memorized points in every world of the map that has some."""
    groups = [g for g in result.summary if g.get("memorized_effect", {}).get("n")]
    groups.sort(key=lambda g: g["memorized_effect"]["mean"])
    figure, ax = subplots(size=(6.6, 0.19 * len(groups) + 1.2))
    for k, g in enumerate(groups):
        clean, leaky = g["memorized_effect"]["mean"], g["memorized_leaky_effect"]["mean"]
        ax.plot([clean, leaky], [k, k], color=GREY, lw=1.2)
        ax.plot([clean], [k], color=BLUE, marker="o", ls="none", label="clean test" if k == 0 else None)
        ax.plot([leaky], [k], color=ORANGE, marker="D", ls="none", label="10% leaked" if k == 0 else None)
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(len(groups)), [world_name(g) for g in groups], fontsize=8)
    ax.set(xlabel="accuracy points: memorized removed, minus as many random ones")
    ax.legend(loc="lower right")
    shifts = [g["memorized_leaky_effect"]["mean"] - g["memorized_effect"]["mean"] for g in groups]
    return picture(
        figure,
        f"Effect of removing memorized points in {len(groups)} worlds, clean test against a test with 10% leaked "
        f"points. The leak moves the effect by {max(shifts):+.1f} to {min(shifts):+.1f} points.",
    )


def world_name(cell: dict) -> str:
    """A cell of the removal map in words."""
    tail = "no tail" if cell["exponent"] == 0 else f"Zipf {cell['exponent']:g}"
    return f"{tail}, {cell['noise']:.0%} wrong"
