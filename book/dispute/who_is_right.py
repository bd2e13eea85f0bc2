"""The room of *Who is right, and when*: its figures, and the check that removal removes composition."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from book.shared.ledger import Found, at_least, at_most, claim
from book.shared.style import BLUE, GREY, INK, ORANGE, Picture, band, picture, subplots
from companion.linear import LongTailModel, composition_risk, feature_counts, leverage, min_norm, population_risk
from companion.runner.results import Result


def fig_removal_map(result: Result, key: str = "memorized_effect") -> Picture:
    """The sign of removal along tail weight and label noise: accuracy points against a random control."""
    tails = [tuple(t) for t in result.settings["tails"]]
    noises = result.settings["noise"]
    value = np.full((len(tails), len(noises)), np.nan)
    half = value.copy()
    for (a, (clusters, exponent)), (b, noise) in ((x, y) for x in enumerate(tails) for y in enumerate(noises)):
        group = result.one(clusters=clusters, exponent=exponent, noise=noise).get(key)
        if group and group["n"]:
            value[a, b], half[a, b] = group["mean"], (group["high"] - group["low"]) / 2
    figure, ax = subplots(size=(6.8, 4.2))
    ax.grid(False)
    top = np.nanmax(np.abs(value))
    for a, b in np.ndindex(value.shape):
        v = value[a, b]
        if np.isnan(v):
            ax.annotate("nothing\nmemorized", (b, a), ha="center", va="center", fontsize=8)
            continue
        colour = BLUE if v > 0 else ORANGE
        ax.fill([b - 0.49, b + 0.49, b + 0.49, b - 0.49], [a - 0.49, a - 0.49, a + 0.49, a + 0.49], color=colour,
                alpha=0.12 + 0.6 * (abs(v) / top) ** 0.5, linewidth=0)  # fmt: skip
        ax.annotate(
            f"{v:+.1f}".replace("-", "−"),
            (b, a),
            (0, 5),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=11,
        )
        ax.annotate(f"± {half[a, b]:.1f}", (b, a), (0, -8), textcoords="offset points", ha="center", va="center",
                    fontsize=8)  # fmt: skip
    ax.set_xticks(range(len(noises)), [f"{q:.0%}" for q in noises])
    ax.set_yticks(range(len(tails)), ["no tail\n(30 groups)" if e == 0 else f"Zipf {e:g}" for _, e in tails])
    ax.set(xlabel="share of wrong labels in training", xlim=(-0.5, len(noises) - 0.5), ylim=(-0.5, len(tails) - 0.5))
    ax.set_ylabel("tail of the world, heavier upwards")
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    a, b = divmod(int(np.nanargmin(value)), len(noises))
    c, d = divmod(int(np.nanargmax(value)), len(noises))
    return picture(
        figure,
        f"Map of {value.size} worlds. Removing the memorized points instead of as many random ones changes accuracy by "
        f"{value[a, b]:+.1f} points at the worst (tail {tails[a][1]:g}, {noises[b]:.0%} wrong labels) and "
        f"{value[c, d]:+.1f} at best (tail {tails[c][1]:g}, {noises[d]:.0%}). It hurts in {int((value < 0).sum())} "
        f"worlds, those with a tail and few wrong labels, and helps in {int((value > 0).sum())}.",
    )


def fig_removal_parts(result: Result, clusters: int, exponent: float) -> Picture:
    """One tail: effect of removing all memorized points, only the wrong labels, only the points alone in a cluster."""
    noises = result.settings["noise"]
    figure, ax = subplots(size=(6.6, 3.5))
    said = []
    parts = (
        ("wrong", BLUE, "only wrong labels"),
        ("memorized", INK, "all memorized"),
        ("alone", ORANGE, "only clean singletons"),
    )
    for name, color, label in parts:
        at = [q for q in noises if has(result.one(clusters=clusters, exponent=exponent, noise=q), f"{name}_effect")]
        groups = [result.one(clusters=clusters, exponent=exponent, noise=q)[f"{name}_effect"] for q in at]
        mean, low, high = ([g[k] for g in groups] for k in ("mean", "low", "high"))
        band(ax, [100 * q for q in at], mean, low, high, color=color, label=label, marker="o")
        said.append(f"{label}: {mean[0]:+.1f} at {at[0]:.0%} wrong labels, {mean[-1]:+.1f} at {at[-1]:.0%}")
    ax.axhline(0, color=GREY, lw=1)
    ax.set(xlabel="wrong labels in training, %", ylabel="accuracy points against random")
    ax.legend()
    return picture(
        figure, f"Effect of removal at tail exponent {exponent:g}, with 95% intervals. " + "; ".join(said) + "."
    )


def has(group: dict[str, Any], key: str) -> bool:
    return bool(group.get(key)) and group[key]["n"] > 1


def fig_image_removal(result: Result) -> Picture:
    """MNIST: effect of removal on a test set like the training set and on a balanced one."""
    groups = result.summary
    figure, ax = subplots(size=(6.8, 3.4))
    names = [
        ("balanced" if g["exponent"] == 0 else f"long-tailed (Zipf {g['exponent']:g})")
        + f"\n{g['noise']:.0%} wrong labels"
        for g in groups
    ]
    said = []
    for key, color, shift, label in (
        ("like_effect", BLUE, -0.2, "test like training"),
        ("balanced_effect", ORANGE, 0.2, "balanced test"),
    ):
        mean = np.array([g[key]["mean"] for g in groups])
        high = np.array([g[key]["high"] for g in groups])
        x = np.arange(len(groups)) + shift
        ax.bar(x, mean, 0.38, color=color, alpha=0.85, label=label)
        ax.errorbar(x, mean, high - mean, color=INK, ls="none", capsize=3, lw=1)
        said += [f"{n.replace(chr(10), ', ')}, {label}: {m:+.1f}" for n, m in zip(names, mean, strict=True)]
    ax.axhline(0, color=INK, lw=0.8)
    ax.set_xticks(range(len(groups)), names, fontsize=8.5)
    ax.set(ylabel="accuracy points against random")
    ax.legend(loc="lower left")
    return picture(figure, "Removing memorized MNIST images, with 95% intervals. " + "; ".join(said) + ".")


@claim(
    "prop-composition-lost",
    "Removing the memorized rows of the linear model makes composition cost what predicting nothing costs",
    functions=("companion.linear.composition_risk", "companion.linear.leverage"),
)
def composition_lost(remove: str = "memorized") -> list[Found]:
    """After removing the rows of leverage 1: composition of once-seen features costs what predicting 0 costs.

    And the in-distribution loss is at least that of the features then unseen.
    """
    worst, above = 0.0, np.inf
    for alpha, seed in itertools.product((1.5, 2.0, 3.0), range(2)):
        model = LongTailModel(n=400, d=4000, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
        sample = model.sample(seed=seed)
        h = leverage(sample.X)
        once = feature_counts(sample.X) == 1
        gone = h > 1 - 1e-8
        if remove == "random":
            gone = np.random.default_rng(seed).permutation(gone)
        beta = min_norm(sample.X[~gone], sample.y[~gone])
        nothing = composition_risk(np.zeros(model.d), model, once, 2)
        worst = max(worst, abs(composition_risk(beta, model, once, 2) / nothing - 1))
        unseen = feature_counts(sample.X[~gone]) == 0
        floor = float(model.p[unseen] @ model.beta[unseen] ** 2)
        above = min(above, population_risk(beta, model) - floor)
    return [
        at_most("composition loss over what predicting 0 costs, largest distance from 1", worst, 1e-9),
        at_least("in-distribution loss less that of the features now unseen, least of six draws", above, -1e-9),
    ]


composition_lost.breaks("as many random rows", remove="random")


def fig_three_tests(removal: Result, composition: Result, alpha: float = 2.0) -> Picture:
    """One act, three questions: the same removal judged on a noisy flat world, on a long tail, and on composition."""
    flat = removal.one(clusters=removal.settings["tails"][0][0], exponent=0.0, noise=0.2)
    tail = removal.one(clusters=1500, exponent=1.0, noise=0.0)
    linear = composition.one(alpha=alpha)
    rows = [
        ("average, no tail,\n20% wrong labels", 100 * flat["accuracy"]["mean"], flat["memorized_control"]["mean"],
         flat["memorized"]["mean"]),
        ("average, long tail,\nright labels", 100 * tail["accuracy"]["mean"], tail["memorized_control"]["mean"],
         tail["memorized"]["mean"]),
        ("linear model,\nin distribution", *explained(linear, "in")),
        ("linear model,\ncomposition", *explained(linear, "composed")),
    ]  # fmt: skip
    figure, ax = subplots(size=(7.0, 3.6))
    said = []
    for k, (name, base, control, gain) in enumerate(reversed(rows)):
        for shift, value, color, label in (
            (0.26, base, GREY, "everything kept"),
            (0, base + control, BLUE, "as many random points removed"),
            (-0.26, base + gain, ORANGE, "memorized points removed"),
        ):
            ax.barh(k + shift, value, 0.24, color=color, label=label if k == 0 else None)
            at = (max(value, 0), k + shift)
            ax.annotate(f"{value:.1f}", at, (3, 0), textcoords="offset points", va="center", fontsize=8)
        said.append(
            f"{name.replace(chr(10), ' ')}: {base:.1f} kept, {base + control:.1f} random, {base + gain:.1f} memorized"
        )
    ax.set_yticks(range(len(rows)), [r[0] for r in reversed(rows)], fontsize=9)
    ax.set(xlabel="accuracy, or share of the signal explained, %", xlim=(0, 112))
    figure.legend(loc="outside upper center", ncols=3, columnspacing=1.0, handlelength=1.0)
    return picture(figure, "The same removal under four test sets, in percent. " + "; ".join(reversed(said)) + ".")


def explained(group: dict[str, Any], name: str) -> tuple[float, float, float]:
    base, without, random = (100 * (1 - group[f"{name}_{k}"]["mean"]) for k in ("base", "memorized", "random"))
    return base, random - base, without - base
