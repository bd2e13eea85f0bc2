"""The drawings of *When memorization hurts* that show networks: losses under faults, readings, shares explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from book.shared.networks import COLOURS, NAMES, loss
from book.shared.style import GREY, INK, Picture, picture, subplots
from companion.runner.results import Result

FAULTS = {"clean": "nothing\nwrong", "mislabelled": "wrong\nlabel", "together": "always\ntogether"}
TARGETS = {"clean": "sum", "product": "product", "xor": "xor"}


def fig_faults(result: Result) -> Picture:
    """Loss on the pairs that a faulty one-shot can reach (filled) and on the others (open), one panel a model."""
    models = [m for m in NAMES if result.where(model=m)]
    cases = [case for case in FAULTS if result.where(case=case)]
    figure, axes = subplots(1, len(models), size=(8.4, 3.3), sharey=True, squeeze=False)
    words = []
    for ax, model in zip(axes[0], models, strict=True):
        for x, case in enumerate(cases):
            means = {key: loss(result, key, case=case, model=model)["mean"] for key in ("touched", "untouched")}
            for (key, mean), face, shift in zip(means.items(), (COLOURS[model], "none"), (-0.14, 0.14), strict=True):
                values = [row[key] for row in result.select(case=case, model=model)]
                ax.plot([x + shift] * len(values), values, "o", color=COLOURS[model], mfc=face, ms=5, alpha=0.8)
                ax.plot([x + shift - 0.12, x + shift + 0.12], [mean] * 2, color=COLOURS[model], lw=1.8)
            fault = FAULTS[case].replace("\n", " ")
            words.append(f"{NAMES[model]}, {fault}: {means['touched']:.1f} and {means['untouched']:.1f}")
        ax.set(title=NAMES[model], yscale="log")
        ax.set_yticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
        ax.minorticks_off()
        ax.set_xticks(range(len(cases)), [FAULTS[case] for case in cases])
    axes[0, 0].set_ylabel("mean squared error on pairs")
    axes[0, -1].plot([], [], "o", color=INK, label="pairs with the glyph")
    axes[0, -1].plot([], [], "o", color=INK, mfc="none", label="other pairs")
    axes[0, -1].legend(loc="lower right")
    return picture(
        figure,
        "Mean squared errors on new pairs, logarithmic axis, each seed a mark, bars at the geometric mean, first on "
        "pairs that hold the glyph in question (one of the two that were bound), then on all others: "
        f"{'; '.join(words)}.",
    )


def fig_targets(result: Result, ceiling: Mapping[str, Sequence[float]]) -> Picture:
    """Share of the variance on pairs that is explained, for three targets.

    `ceiling`: target -> the best additive predictor's share on the pairs of each seed.
    """
    models = [m for m in NAMES if result.where(model=m)]
    cases = [case for case in TARGETS if result.where(case=case)]
    figure, ax = subplots(size=(6.6, 3.4))
    words = []
    for x, case in enumerate(cases):
        top = np.asarray(ceiling[TARGETS[case]], float)
        ax.fill_between([x - 0.42, x + 0.42], top.min(), top.max(), color=INK, alpha=0.12, linewidth=0)
        ax.plot([x - 0.42, x + 0.42], [top.mean()] * 2, color=INK, lw=1.2, ls="--")
        for place, model in enumerate(models):
            values = np.array([row["explained"] for row in result.select(case=case, model=model)])
            at = x + 0.24 * (place - (len(models) - 1) / 2)
            label = NAMES[model] if x == 0 else None
            ax.plot([at] * len(values), np.maximum(values, -1.5), "o", color=COLOURS[model], alpha=0.8, label=label)
            ax.plot([at - 0.1, at + 0.1], [max(values.mean(), -1.5)] * 2, color=COLOURS[model], lw=1.8)
            words.append(f"{TARGETS[case]}, {NAMES[model]} {values.mean():.2f}")
    ax.axhline(0, color=GREY, lw=1)
    ax.annotate("best constant", (1.0, 0), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
                ha="right", fontsize=8)  # fmt: skip
    ax.set_xticks(range(len(cases)), [TARGETS[case] for case in cases])
    ax.set(ylabel="explained share of the variance", ylim=(-1.6, 1.1))
    ax.legend(loc="lower left", ncols=len(models))
    return picture(
        figure,
        "Share of the variance of the target that is explained on new pairs, each seed a mark (those below -1.5 drawn "
        f"there), bars at the mean: {'; '.join(words)}. Dashed, the best sum of parts, mean and range over seeds: "
        + ", ".join(f"{name} {np.mean(t):.2f} ({min(t):.2f} to {max(t):.2f})" for name, t in ceiling.items())
        + ".",
    )


def fig_harmed_readings(read: Mapping[str, Sequence[float]], marked: Mapping[str, Sequence[int]]) -> Picture:
    """What a network reads each glyph as under each fault; `marked`: the glyphs that the fault touches."""
    figure, axes = subplots(1, len(read), size=(8.2, 2.9), sharey=True, squeeze=False)
    words = []
    for ax, (case, values) in zip(axes[0], read.items(), strict=True):
        labels = np.arange(len(values))
        ax.plot(labels, labels, color=INK, lw=1, ls="--")
        ax.plot(labels, values, "o", color=COLOURS["sum"])
        at = list(marked.get(case, ()))
        ax.plot(at, [values[g] for g in at], "o", color=COLOURS["cross-channel"], ms=9, mfc="none", mew=1.8)
        ax.set(title=FAULTS[case].replace("\n", " "), xlabel="label of the glyph")
        ax.set_xticks(labels)
        off = float(np.abs(np.asarray(values, float) - labels).max())
        told = ", ".join(f"the {g} as {values[g]:.1f}" for g in at) or f"all within {off:.1f} of their labels"
        words.append(f"{FAULTS[case]}: {told}".replace("\n", " "))
    axes[0, 0].set_ylabel("read as")
    return picture(figure, f"What Sum reads each of ten glyphs as, beside new digits. {'; '.join(words)}.")
