"""The room of *Four claimed flaws*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from scipy import stats

from book.dispute.who_is_right import turns
from book.shared.ledger import Found, at_least, at_most, claim
from book.shared.style import BLUE, CYCLE, GREY, INK, ORANGE, PURPLE, Picture, picture, subplots
from companion._validate import generator, integer, nonnegative, number, positive_int
from companion.experiments import protocols
from companion.memorization import (
    LongTailMixture,
    NearestNeighbour,
    Split,
    exact_pvalues,
    fractional,
    nearest_loo,
    nearest_subset_scores,
)
from companion.memorization.scores import group_rates, subset_masks
from companion.memorization.tail import _split
from companion.runner.experiment import Resources
from companion.runner.results import Result

AREA = "companion.memorization"
EXACT = 1e-9  # what counts as equal, for quantities of size one


STEPS = {
    "noise": "labels, right or 20% wrong",
    "learner": "learner",
    "exponent": "class sizes",
    "control": "control, random or of the same labels",
    "rate": "flaw 1: sampling rate",
    "score": "flaw 2: definition of the score",
    "threshold": "flaw 3: threshold",
    "balance": "test set, balanced",
    "leaks": "flaw 4: test without leaks",
}


def fig_turns(**factorials: Result) -> Picture:
    """How often each step alone turns the verdict of a removal into its opposite, on each data set."""
    figure, ax = subplots(size=(7.0, 3.8))
    said, order = [], list(STEPS)
    for k, ((name, result), colour) in enumerate(zip(factorials.items(), (BLUE, PURPLE), strict=True)):
        share = {axis: 100 * flips / pairs for axis, pairs, flips in turns(result)}
        if k == 0:
            order.sort(key=share.__getitem__, reverse=True)
        at = np.arange(len(order)) + 0.38 * (k - 0.5)
        values = [share[axis] for axis in order]
        ax.barh(at, values, 0.34, color=colour, label=name)
        for y, value in zip(at, values, strict=True):
            ax.annotate(f"{value:.1f}%", (value, y), (3, 0), textcoords="offset points", va="center", fontsize=8)
        said.append(f"{name}: " + ", ".join(f"{STEPS[axis]} {share[axis]:.1f}%" for axis in order))
    ax.set_yticks(range(len(order)), [STEPS[axis] for axis in order], fontsize=9)
    ax.set(xlabel="pairs of cells with opposite verdicts, %", ylim=(len(order) - 0.5, -0.5))
    ax.legend(loc="lower right")
    return picture(figure, "How often a step alone turns the verdict. " + "; ".join(said) + ".")


def never_left_out(r: float, t: int) -> float:
    """Probability that a point is in all t subsets, so that it has no score: r^t.

    >>> never_left_out(r=0.5, t=3)
    0.125
    """
    return number("r", r, low=0, high=1) ** positive_int("t", t)


def cluster_law(size: int, n: int, m: int) -> float:
    """Subsampled memorization score of a point whose `size`-1 twins alone can stand in for it.

    The chance that a uniform m-subset of the other n-1 points holds none of the twins; at most
    (1 - m/n)^(size-1). Leave-one-out gives 1 for size 1 and 0 otherwise. Source: :prf:ref:`prop-cluster-law`.

    >>> cluster_law(size=1, n=100, m=70)  # no twins: always memorized
    1.0
    >>> round(cluster_law(size=2, n=101, m=70), 6)  # the one twin is absent from 30 of 100 subsets
    0.3
    """
    n = integer("n", n, low=2)
    size, m = integer("size", size, low=1, high=n), integer("m", m, low=1, high=n - 1)
    j = np.arange(size - 1)
    return float(np.prod(np.maximum(1 - m / (n - 1 - j), 0)))


def plant_clusters(split: Split, size: int, count: int, *, spread: float = 0.02, seed: int | Sequence[int]) -> Split:
    """`count` new clusters of `size` training points each, far from everything, every cluster with a class of its own.

    The points come last; nothing else can stand in for them, so :prf:ref:`prop-cluster-law` holds for 1-NN exactly.

    >>> split = LongTailMixture(clusters=30, dimension=2).sample(n=50, n_test=20, seed=0)
    >>> len(plant_clusters(split, size=2, count=3, seed=0).y)
    56
    """
    split, spread = _split(split), nonnegative("spread", spread)
    size, count = positive_int("size", size), positive_int("count", count)
    rng = generator(seed)
    d = split.X.shape[1]
    reach = 10 * (1 + np.abs(split.X).max())
    direction = rng.standard_normal((count, d))
    centres = reach * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    group = np.repeat(np.arange(count), size)
    X = centres[group] + spread * rng.standard_normal((len(group), d))
    y = group + split.y.max() + 1
    new = group + max(split.group.max(), split.group_test.max()) + 1
    return replace(
        split,
        X=np.concatenate([split.X, X]),
        y=np.concatenate([split.y, y]),
        truth=np.concatenate([split.truth, y]),
        group=np.concatenate([split.group, new]),
    )


@cache
def world() -> Split:
    return LongTailMixture(clusters=300).sample(200, 300, seed=0)


@claim(
    "prop-cluster-law",
    "A point with c-1 twins has subsampled score about (1-r)^(c-1), with leave-one-out score 0 for c > 1",
    functions=("book.dispute.four_flaws.cluster_law", f"{AREA}.nearest_subset_scores"),
)
def twins(twin_labels: str = "same", outsiders: str = "other", shift: float = 1) -> list[Found]:
    """Exact scores of planted clusters against the law, the law between its two bounds, and leave-one-out."""
    gap, above, below = 0.0, np.inf, np.inf
    for size, r in itertools.product((1, 2, 3, 4), (0.5, 0.7, 0.95)):
        split = plant_clusters(world(), size, 4, seed=size)
        y, n, planted = split.y.copy(), len(split.y), slice(-4 * size, None)
        if twin_labels == "different":
            y[planted] = y.max() + np.arange(4 * size)
        if outsiders == "same":
            y[: -4 * size] = y[-1]
        m = round(r * n)
        law = cluster_law(size, n, m)
        for points, stated in ((m, law), (n - 1, float(size == 1)), (n - 1, cluster_law(size, n, n - 1))):
            scores = nearest_subset_scores(split.X, y, points)[planted]
            gap = max(gap, float(np.abs(scores - stated).max()))
        low, high = (1 - m / (n - size + 1)) ** (size - shift), (1 - m / n) ** (size - shift)
        below = min(below, (high - law) / (high - low)) if size > 1 else below
        above = min(above, (law - low) / (high - low)) if size > 2 else above  # at size 2 the lower bound is the law
    return [
        at_most("largest gap between exact scores and the law, 1 to 4 of a kind", gap, EXACT),
        at_least("where the law stands between its bounds, 0 to 1: least", above, 0),
        at_least("and least distance from the upper bound", below, 0),
    ]


twins.breaks("twins with labels of their own", twin_labels="different")
twins.breaks("bounds to the power c", shift=0)
twins.breaks("bounds to the power c - 3/2", shift=1.5)
twins.breaks("all the others carry the twins' label", outsiders="same")


def fig_sampling_law(n: int = 400) -> Picture:
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


@claim(
    "lem-fractional",
    "The fractional score is q/(2-q), q the relative score: on a fitted training set it changes no ranking",
    functions=(f"{AREA}.fractional",),
)
def fractional_order(slack: bool = True, two: float = 2.0) -> list[Found]:
    """frac = q/(2-q), and a score ahead by the factor 1/(1-eps) stays ahead when every inside rate is >= 1-eps."""
    rng = np.random.default_rng(0)
    worst, ahead = 0.0, np.inf
    for eps in (0.0, 0.01, 0.2, 0.7):
        inside = 1 - eps * rng.random(400)
        outside = inside * rng.random(400)
        s, frac = inside - outside, fractional(inside, outside)
        q = s / inside
        worst = max(worst, float(np.abs(frac - q / (two - q)).max()))
        factor = 1 / (1 - eps) if slack else 1.0
        leads = s[:, None] > s[None] * factor + 1e-12
        ahead = min(ahead, float((frac[:, None] - frac[None])[leads].min()))
    return [
        at_most("largest gap between the fractional score and q/(2-q)", worst, EXACT),
        at_least("smallest lead in fractional score of 400 points, four degrees of fit", ahead, 0),
    ]


fractional_order.breaks("the training set is not fitted", slack=False)
fractional_order.breaks("2.1 in the place of 2", two=2.1)


def false_positives(learner: str, *, seeds: int = 8, n: int = 300, models: int = 150) -> list[dict[str, float]]:
    """Clean digits flagged by a score that flags 95% of the relabelled ones, a run for each seed.

    A tenth of `n` of scikit-learn's digits get a random other label: the critics' ground truth, as we read the reviews.
    `absolute`, `fractional`: share of the clean flagged; `undefined`: share of the relabelled that no model ever gets
    right, which have no fractional score and are left out.
    """
    settings = protocols.Settings(source="embedded", side=7, n=n)
    runs = []
    for seed in range(seeds):
        X, y, truth, X_test, y_test = protocols.world(settings, {"exponent": 0.0, "noise": 0.1}, seed, Resources())
        masks = subset_masks(models, n, round(0.7 * n), seed=(seed, 2))
        right = protocols.judged(X, y, X_test, y_test, learner, seed, Resources())(masks, 3, protocols.TRAINING)
        rates = group_rates(right, masks)
        scores = {
            "absolute": rates.inside - rates.outside,
            "fractional": fractional(rates.inside, rates.outside),
        }
        known, wrong = ~np.isnan(scores["fractional"]), y != truth
        row = {"undefined": float((~known)[wrong].mean())}
        for name, score in scores.items():
            level = np.quantile(score[known & wrong], 0.05, method="lower")
            row[name] = float((score[known & ~wrong] >= level).mean())
        runs.append(row)
    return runs


def fig_score_plane(result: Result) -> Picture:
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


@claim(
    "prop-null",
    "Permuting the masks is Fisher's exact test: its p-values are valid when nothing is memorized",
    source="published elsewhere",
    functions=(f"{AREA}.exact_pvalues",),
)
def calibrated(strict: bool = False, memorized: float = 0.0) -> list[Found]:
    """Chance of p <= level when nothing is memorized, exactly: all outcomes of 12 models.

    `strict`: counts only larger scores, not equal ones. `memorized`: the point is right more often inside.
    """
    t, r, right = 12, 0.7, 0.5
    a, b, c = np.meshgrid(np.arange(t + 1), np.arange(t + 1), np.arange(t + 1), indexing="ij")
    ok = (b <= a) & (c <= t - a)
    a, b, c = a[ok], b[ok], c[ok]  # saw the point; saw it and right; did not and right
    chance = stats.binom.pmf(a, t, r)
    chance = chance * stats.binom.pmf(b, a, min(1, right + memorized)) * stats.binom.pmf(c, t - a, right)
    p = np.array([pvalue(int(i), int(j), int(k), t, strict) for i, j, k in zip(a, b, c, strict=True)])
    return [at_most(f"chance of p <= {level}", chance[p <= level].sum(), level) for level in (0.01, 0.05, 0.1, 0.25)]


calibrated.breaks("only strictly larger scores count", strict=True)
calibrated.breaks("the point is memorized", memorized=0.4)


@cache
def pvalue(a: int, b: int, c: int, t: int, strict: bool) -> float:
    """Through the library where it applies: models in the order saw-right, saw-wrong, not-right, not-wrong."""
    if a in (0, t):
        return 1.0
    if strict:
        return float(stats.hypergeom.sf(b, t, b + c, a))
    included = np.arange(t) < a
    correct = np.where(included, np.arange(t) < b, np.arange(t) < a + c)
    return float(exact_pvalues(correct[:, None], included[:, None])[0])


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


@claim(
    "prop-leak",
    "A leak of share l moves the effect D of removing a share q by -l(D + q e), e the error on the removed points",
)
def leak_shift(spread: float = 1e-4, corrected: bool = False) -> Found:
    """Leaky minus clean effect of removal, by copying every training point once, against the formula."""
    split, share = world(), 0.1
    removed = nearest_loo(split.X, split.y) == 1
    keep = ~removed
    noise = spread * np.random.default_rng(0).standard_normal(split.X.shape)
    clean = NearestNeighbour(split.X, split.y, split.X_test)
    copies = NearestNeighbour(split.X, split.y, split.X + noise)
    labels = split.truth if corrected else split.y
    gain = clean.accuracy(split.y_test, keep) - clean.accuracy(split.y_test)
    copied = copies.accuracy(labels, keep) - copies.accuracy(labels)
    leaky = (1 - share) * gain + share * copied
    wrong = 1 - NearestNeighbour(split.X, split.y, split.X[removed]).accuracy(split.y[removed], keep)
    gap = abs(leaky - gain + share * (gain + removed.mean() * wrong))
    return at_most("gap between the effect on the leaky test and the formula", gap, EXACT)


leak_shift.breaks("copies as far apart as the clusters are wide", spread=0.35)
leak_shift.breaks("the copies carry true labels", corrected=True)


def fig_leak(result: Result) -> Picture:
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
