"""The room of *Who is right, and when*: its figures, and the check that removal removes composition."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D

from book.shared.ledger import Found, at_least, at_most, claim
from book.shared.page import carried
from book.shared.style import BLUE, GREY, INK, ORANGE, PURPLE, Picture, band, picture, subplots
from companion.experiments.protocols import nearest_vote
from companion.linear import LongTailModel, composition_risk, feature_counts, leverage, min_norm, population_risk
from companion.memorization import LongTailMixture, neighbour_order, squared_distances
from companion.runner.results import Result, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    figure, ax = subplots(size=(6.8, 4.4))
    ax.grid(False)
    for a, b in np.ndindex(value.shape):
        v, h = value[a, b], half[a, b]
        if np.isnan(v):
            ax.annotate("nothing\nmemorized", (b, a), ha="center", va="center", fontsize=8)
            continue
        bubble(ax, b, a + 0.14, {"mean": float(v), "low": float(v - h), "high": float(v + h)})
        ax.annotate(f"{v:+.1f} ± {h:.1f}".replace("-", "\u2212"), (b, a - 0.32), ha="center", va="center", fontsize=8.5)
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


def verdict(stats: dict[str, float]) -> str:
    """The one word that the interval of an effect carries."""
    return carried(stats, above="helps", below="hurts", open="open")


REFERENCE = {"score": "absolute", "rate": 0.7, "threshold": "fixed", "test": "like", "control": "random"}
NAMES = {"like": "test like training", "balanced": "balanced test", "free": "leak-free test"}
COLOURS = {"helps": BLUE, "hurts": ORANGE, "open": GREY}


def bubble(ax: Axes, x: float, y: float, stats: dict[str, float]) -> str:
    """An effect as a disc whose area grows with it, a ring where the interval holds 0; returns the verdict."""
    word = verdict(stats)
    size = 3.0 + 2.5 * abs(stats["mean"]) ** 0.5
    fill = "none" if word == "open" else COLOURS[word]
    ax.plot([x], [y], marker="o", ms=size, mfc=fill, mec=COLOURS[word], mew=1.2, ls="none")
    return word


def worlds_of(result: Result) -> list[tuple[float, float, str, str]]:
    """Exponent, wrong labels, test set, and the words for them; balanced classes need no balanced test."""
    flat, tail = result.settings["exponents"]
    noises = [(noise, "right labels" if noise == 0 else f"{noise:.0%} wrong") for noise in result.settings["noise"]]
    tests = ((flat, "balanced classes", "like"), (tail, "long tail", "like"), (tail, "long tail", "balanced"))
    return [(e, noise, test, f"{name}, {words}\n{NAMES[test]}") for e, name, test in tests for noise, words in noises]


def counted(result: Result, *, test: str, control: str, **keys: Any) -> dict[str, int]:
    """In how many protocols, over the groups with these keys, removal helps, hurts, or stays open."""
    effects = [g.get(f"{test}_{control}") for g in result.where(**keys)]
    words = [verdict(e) for e in effects if e and e["n"] > 1]
    return {word: words.count(word) for word in ("helps", "hurts", "open")}


def fig_protocols(result: Result) -> Picture:
    """Which protocols find that removal helps, hurts, or neither: every cell of a factorial, a panel a learner."""
    settings, worlds = result.settings, worlds_of(result)
    columns = [(s, t, r) for s in ("absolute", "fractional") for t in ("fixed", "null") for r in settings["rates"]]
    names = [f"{'abs.' if s == 'absolute' else 'frac.'} {t} {r:g}" for s, t, r in columns]
    figure, axes = subplots(2, len(settings["learners"]), size=(8.8, 6.6), sharex=True, sharey=True)
    said = []
    for (down, control), (across, learner) in itertools.product(
        enumerate(("random", "matched")), enumerate(settings["learners"])
    ):
        ax, words = axes[down, across], []
        for (row, (exponent, noise, test, _)), (column, (score, threshold, rate)) in itertools.product(
            enumerate(worlds), enumerate(columns)
        ):
            keys = {"learner": learner, "exponent": exponent, "noise": noise}
            stats = result.one(**keys, rate=rate, score=score, threshold=threshold).get(f"{test}_{control}")
            if stats and 2 * stats["n"] >= len(result.seeds):
                words.append(bubble(ax, column, row, stats))
            else:
                ax.annotate("–", (column, row), ha="center", va="center", color=GREY)
        ax.grid(False)
        third = len(settings["rates"])
        for at in (third, 2 * third, 3 * third):
            ax.axvline(at - 0.5, color=INK, lw=1.2 if at == 2 * third else 0.4)
        for edge in (1.5, 3.5):
            ax.axhline(edge, color=INK, lw=0.4)
        against = "random" if control == "random" else "the same labels"
        ax.set_title(f"{learner}, against {against}", fontsize=9)
        ax.set_yticks(range(len(worlds)), [words for *_, words in worlds], fontsize=7.5)
        ax.set(ylim=(len(worlds) - 0.5, -0.5), xlim=(-0.5, len(columns) - 0.5))
        ax.set_xticks(range(len(columns)), names, rotation=90, fontsize=7.5)
        ax.tick_params(length=0)
        counts = ", ".join(f"{word} in {words.count(word)}" for word in COLOURS)
        said.append(f"{learner} against {against}: {counts}")
    marks = [
        Line2D([], [], marker="o", ls="none", ms=3.0 + 2.5 * area**0.5, color=colour, label=label)
        for area, colour, label in (
            (1.0, BLUE, "helps by 1"),
            (10.0, BLUE, "by 10 points"),
            (10.0, ORANGE, "hurts by 10"),
        )
    ]
    marks.append(Line2D([], [], marker="o", ls="none", ms=6, mfc="none", mec=GREY, label="interval holds 0"))
    figure.legend(handles=marks, loc="outside upper center", ncols=4, fontsize=8)
    return picture(
        figure, f"Verdicts of the 95% intervals over {len(result.seeds)} data sets. " + "; ".join(said) + "."
    )


def turns(result: Result, **fixed: Any) -> list[tuple[str, int, int]]:
    """For each step: pairs of cells that differ in it alone, and how many of them contradict each other.

    A contradiction is "helps" in one cell and "hurts" in the other. A test is balanced or without leaks or neither, so
    it counts as two steps, each from the test like training. `fixed`: only cells with these values.
    """
    words = {}
    for group in result.where(**fixed):
        for test, control in itertools.product(NAMES, ("random", "matched")):
            if (stats := group.get(f"{test}_{control}")) and stats["n"] > 1:
                at = (*(group[key] for key in result.by), test == "balanced", test == "free", control)
                words[at] = verdict(stats)
    counts = []
    for i, axis in enumerate((*result.by, "balance", "leaks", "control")):
        alike = defaultdict(list)  # cells that are one but for this step
        for at, word in words.items():
            alike[at[:i] + at[i + 1 :]].append(word)
        pairs = [pair for several in alike.values() for pair in itertools.combinations(several, 2)]
        counts.append((axis, len(pairs), sum(set(pair) == {"helps", "hurts"} for pair in pairs)))
    return counts


def step(result: Result, **changes: Any) -> np.ndarray:
    """Effects in accuracy points, one a data set, of Feldman and Zhang's choices with these steps changed.

    Base: 5-NN, balanced classes, 20% wrong labels. NaN where nothing was removed.
    """
    at = {"learner": "5-NN", "exponent": 0.0, "noise": 0.2, **REFERENCE, **changes}
    key = f"{at.pop('test')}_{at.pop('control')}"
    rows = sorted(result.select(**at), key=lambda row: row["seed"])
    return np.array([row.get(key, np.nan) for row in rows], dtype=float)


STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Feldman and Zhang's choices", {}),
    ("rate 0.95", {"rate": 0.95}),
    ("threshold from the null", {"threshold": "null"}),
    ("leak-free test", {"test": "free"}),
    ("class-matched control", {"control": "matched"}),
    ("fractional score", {"score": "fractional"}),
    ("fractional score, null", {"score": "fractional", "threshold": "null"}),
    (
        "rate, threshold, test and score",
        {"rate": 0.95, "threshold": "null", "test": "free", "score": "fractional"},
    ),
    ("right labels", {"noise": 0.0}),
    ("another learner: 1-NN", {"learner": "1-NN"}),
)


def steps(result: Result) -> list[tuple[str, dict[str, float], dict[str, float]]]:
    """Each changed step: its name, the interval of its effect, and of the paired change against the first."""
    base = step(result)
    return [
        (name, interval(list(step(result, **changes))), interval(list(step(result, **changes) - base)))
        for name, changes in STEPS
    ]


PROTOCOLS = (("absolute", "fixed"), ("fractional", "null"))


def by_fit(result: Result) -> list[str]:
    """The learners of the decisive cell, those that fit their training set best first."""
    inside = {g["learner"]: g["inside"]["mean"] for g in result.where(score="absolute", threshold="fixed")}
    return sorted(inside, key=lambda name: -inside[name])


def fig_learners(result: Result) -> Picture:
    """The decisive cell, learner by learner: effect of removal by two protocols, in order of the fit."""
    figure, ax = subplots(size=(7.0, 4.0))
    names, said = by_fit(result), []
    for (score, threshold), colour, marker, shift in zip(
        PROTOCOLS, (ORANGE, BLUE), ("o", "s"), (-0.14, 0.14), strict=True
    ):
        label = f"{score} score, {'at least 0.25' if threshold == 'fixed' else 'null level'}"
        for at, name in enumerate(names):
            stats = result.one(learner=name, score=score, threshold=threshold)["like_random"]
            ax.plot([stats["low"], stats["high"]], [at + shift] * 2, color=colour, lw=2)
            ax.plot([stats["mean"]], [at + shift], color=colour, marker=marker, label=None if at else label, ls="none")
            said.append(f"{name}, {score}: {stats['mean']:+.1f}, {verdict(stats)}")
    inside = [result.one(learner=n, score="absolute", threshold="fixed")["inside"]["mean"] for n in names]
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(len(names)), [f"{n} ({i:.0%})" for n, i in zip(names, inside, strict=True)], fontsize=8.5)
    ax.set(xlabel="accuracy points against random images", ylim=(len(names) - 0.5, -0.5))
    ax.legend(fontsize=8)
    return picture(figure, "Balanced classes, 20% wrong labels, rate 0.7. " + "; ".join(said) + ".")


def vote_effects(k: int, *, noise: float = 0.3, worlds: int = 12, n: int = 500) -> list[float]:
    """Points gained by removing the exactly memorized points of a k-NN vote instead of random ones, world by world.

    The map's mixture at Zipf 1. Memorized: right with the point in the training set, wrong without it.
    """
    gains = []
    for seed in range(worlds):
        split = LongTailMixture(mislabelled=noise).sample(n, 1000, seed=seed)
        others = neighbour_order(split.X)
        itself = np.concatenate([np.arange(n)[:, None], others], axis=1)
        tested = np.argsort(squared_distances(split.X_test, split.X), axis=1, kind="stable")
        everyone = np.ones((1, n), dtype=bool)
        inside, outside = (nearest_vote(o, everyone, split.y, k)[0] == split.y for o in (itself, others))
        gone = inside & ~outside
        rng = np.random.default_rng((seed, 9))
        keep = ~np.stack([gone, *(rng.permutation(gone) for _ in range(4))])
        right = (nearest_vote(tested, keep, split.y, k) == split.y_test).mean(1)
        gains.append(100 * float(right[0] - right[1:].mean()))
    return gains


def fig_steps(result: Result) -> Picture:
    """One step of the protocol changed at a time: which one turns the sign?"""
    figure, ax = subplots(size=(7.2, 3.8))
    said = []
    for at, (name, effect, _) in enumerate(steps(result)):
        colour = COLOURS[verdict(effect)]
        ax.plot([effect["low"], effect["high"]], [at, at], color=colour, lw=2.5)
        ax.plot([effect["mean"]], [at], color=colour, marker="o")
        said.append(f"{name}: {effect['mean']:+.1f} ({effect['low']:+.1f} to {effect['high']:+.1f}), {verdict(effect)}")
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(len(STEPS)), [name for name, _ in STEPS], fontsize=8.5)
    ax.set(xlabel="accuracy points against the control", ylim=(len(STEPS) - 0.5, -0.5))
    return picture(figure, "Effect of removing the memorized, one step changed. " + "; ".join(said) + ".")


def fig_influential(result: Result) -> Picture:
    """The high-influence set removed: the effect on all test images, on the influenced ones and on the rest."""
    figure, ax = subplots(size=(7.0, 4.2))
    said, names = [], []
    for at, group in enumerate(result.summary):
        classes = "balanced" if group["exponent"] == 0 else "long tail"
        names.append(f"{group['learner']}, {classes}, {group['noise']:.0%} wrong")
        for part, marker, shift in (("all", "o", 0.0), ("influenced", "v", -0.2), ("rest", "s", 0.2)):
            stats = group[f"{part}_matched"]
            colour = COLOURS[verdict(stats)]
            ax.plot([stats["low"], stats["high"]], [at + shift] * 2, color=colour, lw=1.6)
            ax.plot([stats["mean"]], [at + shift], color=colour, marker=marker, ms=6 if part == "all" else 4.5)
            said.append(f"{names[-1]}, {part}: {stats['mean']:+.1f}")
    ax.axvline(0, color=INK, lw=0.8)
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.set(xlabel="accuracy points against random images of the same labels", ylim=(len(names) - 0.5, -0.5))
    shapes = (("v", "influenced test images"), ("o", "all"), ("s", "the rest"))
    marks = [Line2D([], [], marker=m, ls="none", color=INK, label=label) for m, label in shapes]
    figure.legend(handles=marks, loc="outside upper center", ncols=3, fontsize=8.5)
    return picture(figure, "Effect of removing the high-influence set. " + "; ".join(said) + ".")


REMOVED = (
    ("base", INK, "o", "nothing removed"),
    ("random", GREY, "s", "as many random rows"),
    ("matched", PURPLE, "D", "as many, once-seen ones matched"),
    ("without", ORANGE, "v", "memorized rows"),
)


def fig_composed(result: Result) -> Picture:
    """Both losses after what a protocol calls memorized is removed, and after its controls."""
    figure, axes = subplots(1, 2, size=(8.6, 7.4), sharey=True)
    groups, said = list(result.summary), []
    names = [f"{g['learner']}, rate {g['rate']:g}\n{g['score']}, {g['threshold']}" for g in groups]
    for ax, part, title in zip(axes, ("in", "composed"), ("in distribution", "composition"), strict=True):
        for shift, (kind, colour, marker, label) in zip((-0.27, -0.09, 0.09, 0.27), REMOVED, strict=True):
            for at, group in enumerate(groups):
                stats = group[f"{part}_{kind}"]
                ax.plot([max(stats["low"], 1e-3), stats["high"]], [at + shift] * 2, color=colour, lw=1.4)
                ax.plot([stats["mean"]], [at + shift], color=colour, marker=marker, ms=4.5, ls="none",
                        label=label if at == 0 else None)  # fmt: skip
                said.append(f"{names[at]} {title}, {label}: {stats['mean']:.2g}".replace("\n", " "))
        ax.set(xscale="log", title=title, xlabel="loss, share of the best constant's")
        ax.axvline(1, color=INK, lw=0.8, ls=":")
    axes[0].set_yticks(range(len(names)), names, fontsize=7.5)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, fontsize=8.5)
    return picture(figure, "Losses after removal. " + "; ".join(said) + ".")


@claim(
    "prop-composition-lost",
    "Removing the memorized rows of the linear model makes composition cost what predicting nothing costs",
    functions=("companion.linear.composition_risk", "companion.linear.leverage"),
)
def composition_lost(remove: str = "memorized", cost: float = 1.0) -> list[Found]:
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
        floor = cost * float(model.p[unseen] @ model.beta[unseen] ** 2)
        above = min(above, population_risk(beta, model) - floor)
    return [
        at_most("composition loss over what predicting 0 costs, largest distance from 1", worst, 1e-9),
        at_least("in-distribution loss less that of the features now unseen, least of six draws", above, -1e-9),
    ]


composition_lost.breaks("as many random rows", remove="random")
composition_lost.breaks("unseen features a tenth dearer", cost=1.1)


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
