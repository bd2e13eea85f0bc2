"""Drawings of the chapters on removal and on real scores: the map, images, three test sets, galleries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from book.shared.style import BLUE, CYCLE, GREEN, GREY, INK, ORANGE, Picture, band, house, picture, subplots
from companion.runner.results import Result


def effect_map(result: Result, key: str = "memorized_effect") -> Picture:
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


def removal_parts(result: Result, clusters: int, exponent: float) -> Picture:
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
        at = [q for q in noises if _has(result.one(clusters=clusters, exponent=exponent, noise=q), f"{name}_effect")]
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


def _has(group: dict[str, Any], key: str) -> bool:
    return bool(group.get(key)) and group[key]["n"] > 1


def image_effects(result: Result) -> Picture:
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


def three_tests(removal: Result, composition: Result, alpha: float = 2.0) -> Picture:
    """One act, three questions: the same removal judged on a noisy flat world, on a long tail, and on composition."""
    flat = removal.one(clusters=removal.settings["tails"][0][0], exponent=0.0, noise=0.2)
    tail = removal.one(clusters=1500, exponent=1.0, noise=0.0)
    linear = composition.one(alpha=alpha)
    rows = [
        ("average, no tail,\n20% wrong labels", 100 * flat["accuracy"]["mean"], flat["memorized_control"]["mean"],
         flat["memorized"]["mean"]),
        ("average, long tail,\nright labels", 100 * tail["accuracy"]["mean"], tail["memorized_control"]["mean"],
         tail["memorized"]["mean"]),
        ("linear model,\nin distribution", *_explained(linear, "in")),
        ("linear model,\ncomposition", *_explained(linear, "composed")),
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


def _explained(group: dict[str, Any], name: str) -> tuple[float, float, float]:
    base, without, random = (100 * (1 - group[f"{name}_{k}"]["mean"]) for k in ("base", "memorized", "random"))
    return base, random - base, without - base


def histogram(result: Result) -> Picture:
    """How many training points have which score."""
    bins = [r for r in result.rows if r["kind"] == "bin"]
    summary = next(r for r in result.rows if r["kind"] == "summary")
    theta = result.settings["theta_mem"]
    figure, ax = subplots(size=(6.4, 3.0))
    width = bins[1]["edge"] - bins[0]["edge"]
    counts = [b["count"] for b in bins]
    colours = [ORANGE if b["edge"] >= theta - 1e-9 else BLUE for b in bins]
    ax.bar([b["edge"] + width / 2 for b in bins], np.maximum(counts, 0.8), 0.9 * width, color=colours)
    ax.axvline(summary["null_999"], color=GREY, ls=":", lw=1.4)
    ax.annotate("null, 99.9%", (summary["null_999"], max(counts)), (4, -6), textcoords="offset points", fontsize=8)
    ax.set(yscale="log", xlabel="memorization score (negative ones at 0)", ylabel="training images", ylim=(0.7, None))
    return picture(
        figure,
        f"Histogram of {summary['n']:,} memorization scores, logarithmic counts: {counts[0]:,} below {width:.2f}, "
        f"{summary['memorized']:,} at least {theta:g}, {counts[-1]:,} at least {bins[-1]['edge']:.2f}. "
        f"The 99.9% level of the null is {summary['null_999']:.2f}.",
    )


def gallery(images: Sequence[np.ndarray], captions: Sequence[str], what: str, *, columns: int = 6) -> Picture:
    """Small grey images in a grid with a caption each; `what` opens the text alternative."""
    lines = -(-len(images) // columns)
    aspect = images[0].shape[1] / images[0].shape[0]
    cell = min(1.15 * aspect, 7.4 / columns)
    figure, axes = subplots(lines, columns, size=(cell * columns, (cell / aspect + 0.42) * lines))
    for ax in np.atleast_1d(axes).flat:
        ax.set_axis_off()
    with house():
        for ax, image, caption in zip(np.atleast_1d(axes).flat, images, captions, strict=False):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            ax.set_title(caption, fontsize=8, loc="center", pad=3)
    spoken = "; ".join(c.replace("\n", ", ") for c in captions)
    return picture(figure, f"{what}: {spoken}.", flow=True)


def pixels(picture_text: str) -> np.ndarray:
    """A stored coarse picture (196 hexadecimal greys) as a 14 x 14 array in [0, 1]."""
    return np.array([int(c, 16) for c in picture_text]).reshape(14, 14) / 15


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures of one height with a gap between them."""
    return np.concatenate([left, np.zeros((len(left), max(1, len(left) // 7))), right], axis=1)


def agreement(scores: Sequence[np.ndarray], names: Sequence[str]) -> Picture:
    """Scores from two disjoint halves of the models, one dot a training point."""
    a, b = scores
    correlation = float(np.corrcoef(a, b)[0, 1])
    figure, ax = subplots(size=(4.2, 3.8))
    ax.plot([-0.2, 1], [-0.2, 1], color=GREY, lw=1)
    ax.plot(a, b, color=CYCLE[0], marker="o", ms=3, ls="none", alpha=0.45)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.annotate(f"correlation {correlation:.2f}", (0.0, 0.95), color=GREEN)
    return picture(figure, f"Scores of {len(a)} points from {names[0]} and {names[1]}: correlation {correlation:.2f}.")
