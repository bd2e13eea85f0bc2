"""The room of *When memorizing is harmless, needed, or harmful*: checks and figures, in the order of the page.

The learners are in `memory_models` and `recall_models`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from book.landscape.memory_models import (
    EDGES,
    SHAPES,
    Array,
    corrupted,
    exceptions,
    near_duplicates,
    overfitting,
    spurious,
    surface,
)
from book.landscape.recall_models import WIDTHS, celebrity, episodic, irrelevant, size_bounds
from book.shared.ledger import Found, at_least, at_most, between
from book.shared.seeds import Numbers, around, by, effect, mean, repeat, said
from book.shared.style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Picture, band, picture, subplots

HERE = "book.landscape.memory_models"
RECALL = "book.landscape.recall_models"


@effect(
    "demo-overfitting",
    "Interpolated noise is benign, tempered or catastrophic by the spectrum",
    functions=(f"{HERE}.overfitting",),
)
def three_fates(weak: int = 20, growth: float = 0.5) -> list[Found]:
    """Excess error at 200 examples over that at 25, means of eight seeds, for each spectrum."""
    small, large = (
        {s: mean(overfitting, "excess", 8, shape=s, n=n, weak=weak, growth=growth) for s in SHAPES} for n in (25, 200)
    )
    benign, tempered, catastrophic = (large[shape] / small[shape] for shape in SHAPES)
    return [
        at_most("excess error at 200 examples over that at 25: benign", benign, 0.5),
        between("tempered", tempered, 0.5, 2),
        at_least("catastrophic", catastrophic, 2),
    ]


three_fates.breaks("one weak direction an example at every size", weak=1, growth=0.0)


def fig_fates(runs: Mapping[str, Mapping[int, Numbers]]) -> Picture:
    """Excess error of an interpolator of noise against the sample size, for three spectra."""
    figure, ax = subplots(size=(6.2, 3.6))
    words = []
    for shape, color, label in (
        ("exponential", RED, "catastrophic"),
        ("power", ORANGE, "tempered"),
        ("spiked", BLUE, "benign"),
    ):
        sizes = sorted(runs[shape])
        stacked = np.stack([runs[shape][n]["excess"] for n in sizes], axis=1)
        low, middle, high = np.quantile(stacked, (0.1, 0.5, 0.9), axis=0)
        ax.fill_between(sizes, low, high, color=color, alpha=0.22, linewidth=0)
        ax.plot(sizes, middle, color=color, marker="o")
        ax.text(sizes[-1] * 1.06, middle[-1], label, color=color, va="center", fontsize=9)
        words.append(f"{label} {middle[0]:.2f} at n = {sizes[0]} and {middle[-1]:.2f} at n = {sizes[-1]}")
    ax.axhline(1, color=GREY, ls=":", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="examples $n$", ylabel="excess error / noise variance")
    ax.set(xlim=(sizes[0] * 0.9, sizes[-1] * 2))
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.minorticks_off()
    return picture(figure, "Median excess error in units of the noise variance: " + "; ".join(words) + ".")


@effect(
    "demo-exceptions",
    "A separate memory for exceptions protects the rule",
    functions=(
        f"{HERE}.exceptions",
        f"{HERE}.l1_memory",
    ),
)
def exceptions_stored(key: str = "l1", slot: int | None = None) -> Found:
    """Error of the rule without a memory over that with one, four seeds."""
    runs = repeat(exceptions, 4, slot_counts=(10, 20))
    kept = runs[key] if slot is None else runs["slots"][:, slot]
    name = f"the {key} memory" if slot is None else f"{(10, 20)[slot]} slots"
    return at_least(f"error of the rule, no memory over {name}", runs["none"].mean() / kept.mean(), 100)


exceptions_stored.breaks("a memory under the l2 norm", key="l2")
exceptions_stored.breaks("half the slots", slot=0)


def fig_exceptions(runs: Numbers, counts: Sequence[int], true_count: int) -> Picture:
    """Error of the rule under four memories, and against the number of slots."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    names = (("none", GREY, "no\nmemory"), ("l2", ORANGE, "$\\ell_2$\nmemory"), ("l1", BLUE, "$\\ell_1$\nmemory"))
    for at, (key, color, _) in enumerate(names):
        left.plot(at + np.linspace(-0.12, 0.12, len(runs[key])), runs[key], "o", color=color)
    left.set_xticks(range(3), [name for _, _, name in names])
    left.set(yscale="log", ylabel="error of the rule", title="Where exceptions are stored", xlim=(-0.5, 2.5))
    low, middle, high = np.quantile(runs["slots"], (0.1, 0.5, 0.9), axis=0)
    right.fill_between(counts, low, high, color=GREEN, alpha=0.22, linewidth=0)
    right.plot(counts, middle, color=GREEN, marker="o")
    right.axvline(true_count, color=GREY, ls="--", lw=1)
    right.set(yscale="log", xlabel="slots for whole examples", title=f"{true_count} exceptions in 200 examples")
    return picture(
        figure,
        f"Squared error of the rule: {said(runs['none'], '.3f')} with no memory, {said(runs['l2'], '.3f')} with an l2 "
        f"memory, {said(runs['l1'], '.5f')} with an l1 memory. With slots the median falls from {middle[0]:.3f} "
        f"at none to {middle[-1]:.5f} at {counts[-1]}, with the drop at {true_count}, the number of exceptions.",
    )


@effect(
    "demo-corrupted",
    "A network remembers wrong labels and learns the rule from the right ones",
    functions=(f"{HERE}.corrupted",),
)
def rule_and_noise(decay: float = 3.0) -> list[Found]:
    """What 250 steps end with, two seeds."""
    runs = repeat(corrupted, 2, decay=decay, steps=250)
    return [
        at_least("share of wrong labels answered as given", runs["final_given"].mean(), 0.9),
        at_least("share of unseen pairs answered right", runs["final_test"].mean(), 0.8),
    ]


rule_and_noise.breaks("no weight decay", decay=0.0)
rule_and_noise.breaks("too much weight decay", decay=10.0)


def fig_corrupted(by_decay: Mapping[float, Numbers], course: float) -> Picture:
    """Answers after training against weight decay, and the course of training at one weight decay."""
    decays = sorted(by_decay)
    figure, (left, right) = subplots(1, 2, size=(8.6, 3.5), sharey=True)
    kinds = (
        ("test", BLUE, "-", "pairs never seen"),
        ("given", ORANGE, "--", "wrong labels, as given"),
        ("corrected", GREEN, ":", "wrong labels, answered truly"),
    )
    at = range(len(decays))
    for key, color, ls, label in kinds:
        around(left, at, np.stack([by_decay[d][key][:, -1] for d in decays], axis=1), color=color, ls=ls, label=label)
        around(right, by_decay[course]["step"][0], by_decay[course][key], color=color, ls=ls, label=label)
    left.set_xticks(at, [f"{d:g}" for d in decays])
    left.set(xlabel="weight decay", ylabel="share of answers", title="At the end", ylim=(-0.02, 1.02))
    right.set(xscale="log", xlabel="step", title=f"In training, weight decay {course:g}")
    left.legend(fontsize=8, loc="center left", bbox_to_anchor=(0.0, 0.28))
    return picture(
        figure,
        "Right on unseen pairs, wrong labels as given, wrong labels answered truly, by weight decay: "
        + "; ".join(
            f"{d:g}: " + ", ".join(f"{by_decay[d][key][:, -1].mean():.2f}" for key, *_ in kinds) for d in decays
        )
        + ".",
    )


@effect(
    "demo-spurious",
    "With a shortcut at hand, memorizing the rest replaces learning the rule",
    functions=(f"{HERE}.spurious",),
)
def memory_hides_rule(core: float = 0.05) -> Found:
    """Accuracy on fresh examples on which the shortcut is wrong, two seeds."""
    without, memory = (mean(spurious, "final_worst", 2, private=private, core=core, steps=3000) for private in (0, 600))
    return at_least("accuracy where the shortcut is wrong, without private noise less with it", without - memory, 0.5)


memory_hides_rule.breaks("a true feature four times larger", core=0.2)


def fig_spurious(with_memory: Numbers, without: Numbers, by_core: Mapping[float, tuple[Numbers, Numbers]]) -> Picture:
    """Accuracy where the shortcut fails: over training, and against the size of the true feature."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.3))
    for runs, color, name in ((without, BLUE, "no memory"), (with_memory, ORANGE, "memory")):
        around(left, runs["step"][0], runs["worst"], color=color, label=f"{name}: fresh")
        mean = runs["minority_train"].mean(axis=0)
        left.plot(runs["step"][0], mean, color=color, ls="--", lw=1.2, label=f"{name}: training")
    left.set(xscale="log", xlabel="step", title="Accuracy where the shortcut fails", ylim=(-0.02, 1.02))
    left.legend(loc="upper left", fontsize=8)
    cores = sorted(by_core)
    for side, color, name in ((1, BLUE, "no memory"), (0, ORANGE, "memory")):
        stacked = np.stack([by_core[c][side]["final_worst"] for c in cores], axis=1)
        around(right, cores, stacked, color=color, marker="o", label=name)
    right.set(xscale="log", xlabel="size of the true feature", title="At the end", ylim=(-0.02, 1.02))
    right.set_xticks(cores, [f"{c:g}" for c in cores])
    right.minorticks_off()
    right.legend(loc="center right")
    return picture(
        figure,
        "All training examples are fitted. Where the shortcut fails, accuracy on fresh examples ends at "
        f"{said(with_memory['final_worst'])} with private noise to memorize by and at {said(without['final_worst'])} "
        f"without; with a true feature of size {cores[-1]:g} it is {said(by_core[cores[-1]][0]['final_worst'])} and "
        f"{said(by_core[cores[-1]][1]['final_worst'])}.",
    )


@effect("demo-near-duplicates", "The harm of a memorized mistake is local", functions=(f"{HERE}.near_duplicates",))
def local_harm(**settings: Any) -> list[Found]:
    """Error on copies of a wrong example and at a distance of 0.16 to 0.3 from any, three seeds."""
    runs = repeat(near_duplicates, 3, fresh=2000, **settings)
    return [
        at_least("error on copies of a wrong example", runs["copies"].mean(), 0.6),
        at_most("error at a distance of 0.16 to 0.3", float(np.nanmean(runs["error"][:, 6:8])), 0.05),
    ]


local_harm.breaks("a Gaussian kernel of bandwidth 0.1", power=2.0, bandwidth=0.1)


def fig_distance(rough: Numbers, smooth: Numbers) -> Picture:
    """Test error against the distance to the nearest wrong label, for a rough and a smooth kernel."""
    edges = EDGES
    middle = (edges[:-1] + edges[1:]) / 2
    figure, ax = subplots(size=(6.0, 3.3))
    for runs, color, name in ((rough, BLUE, "Laplace kernel"), (smooth, ORANGE, "Gaussian kernel, width 0.1")):
        mean, sd = np.nanmean(runs["error"], axis=0), np.nanstd(runs["error"], axis=0, ddof=1)
        ax.fill_between(middle, np.maximum(mean - sd, 0), mean + sd, color=color, alpha=0.22, linewidth=0)
        ax.plot(middle, mean, color=color, marker="o", label=name)
        ax.plot([0.003], [runs["copies"].mean()], "s", color=color)
    ax.text(0.012, rough["copies"].mean(), "near-copies", va="center", fontsize=8)
    ax.set(xlabel="distance to the nearest wrong label", ylabel="test error", ylim=(-0.02, 1.02))
    ax.legend()
    return picture(
        figure,
        f"Laplace kernel: error {said(rough['copies'])} on near-copies of a wrong example, "
        f"{np.nanmean(rough['error'][:, 0]):.2f} within 0.02, {np.nanmean(rough['error'][:, 6:8]):.3f} beyond 0.16. "
        f"Gaussian kernel: {said(smooth['copies'])}, {np.nanmean(smooth['error'][:, 0]):.2f} and "
        f"{np.nanmean(smooth['error'][:, 6:8]):.2f}.",
    )


def plane(n: int, kernel: str) -> Picture:
    """The plane as the interpolator sees it, for the explorer: shaded where it answers the other way."""
    power, bandwidth = (1.0, 0.2) if kernel == "Laplace" else (2.0, 0.1)
    state = surface(seed=0, n=n, power=power, bandwidth=bandwidth)
    figure, ax = subplots(size=(4.6, 4.3))
    ax.contourf(state["grid"], state["grid"], state["answer"], levels=[-1e9, 0, 1e9], colors=[ORANGE, BLUE], alpha=0.25)
    x, y, wrong = state["x"], state["y"], state["wrong"]
    ax.scatter(x[~wrong, 0], x[~wrong, 1], s=5, c=np.where(y[~wrong] > 0, BLUE, ORANGE))
    ax.scatter(x[wrong, 0], x[wrong, 1], s=46, c=np.where(y[wrong] > 0, BLUE, ORANGE), marker="X", edgecolors="white")
    wave = np.linspace(0, 1, 101)
    ax.plot(wave, 0.5 + 0.2 * np.sin(2 * np.pi * wave), color=GREY, lw=1.2, ls="--")
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], aspect="equal")
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return picture(
        figure,
        f"{kernel} kernel, {n} points, 12 wrong labels (crosses): {state['share']:.1%} of the plane away from the "
        "true boundary gets the wrong answer.",
    )


@effect("demo-celebrity", "Repeated inputs shorten the wait for attention", functions=(f"{RECALL}.celebrity",))
def repetition_helps(share: float = 0.5, given: bool = False) -> Found:
    """Steps to half the test loss, two seeds."""
    none, some = (mean(celebrity, "time", 2, share=s, given=given, steps=130) for s in (0.0, share))
    return at_least(f"steps to half the loss, no celebrities over a share of {share:g}", none / some, 1.25)


repetition_helps.breaks("attention given from the start", given=True)
repetition_helps.breaks("too much repetition", share=0.8)


def fig_celebrity(
    curves: Mapping[float, Numbers], times: Mapping[float, Numbers], given: Mapping[float, Numbers]
) -> Picture:
    """Test loss over training for some shares of celebrities, and the waiting time against the share."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    for share, color in zip(sorted(curves), (GREY, GREEN, BLUE, PURPLE), strict=False):
        steps = 5 * np.arange(curves[share]["loss"].shape[1])
        around(left, steps, curves[share]["loss"], color=color, label=f"{share:.0%}")
    left.set(xlabel="step", ylabel="test loss (no celebrities)", title="Share of celebrities", ylim=(0, 1.1))
    left.legend()
    for runs, color, name in ((times, BLUE, "attention learned"), (given, ORANGE, "attention given")):
        shares = sorted(runs)
        around(right, shares, by(runs, "time"), color=color, marker="o", label=name)
    right.set(xlabel="share of celebrities", ylabel="steps to half the loss", ylim=(0, None))
    right.legend()
    shares = sorted(times)
    best = min(shares, key=lambda s: times[s]["time"].mean())
    return picture(
        figure,
        f"Steps to half the test loss: {said(times[0.0]['time'], '.0f')} without celebrities, "
        f"{said(times[best]['time'], '.0f')} at a share of {best:g}, {said(times[shares[-1]]['time'], '.0f')} at "
        f"{shares[-1]:g}. With attention given it grows from {said(given[0.0]['time'], '.0f')} to "
        f"{said(given[max(given)]['time'], '.0f')}.",
    )


@effect(
    "demo-episodic",
    "Stored episodes answer a question that training never asked",
    functions=(f"{RECALL}.episodic",),
)
def episodes_reused(against: str = "representation", **settings: Any) -> Found:
    """Right answers from stored episodes less those from the trained representation, four seeds."""
    runs = repeat(episodic, 4, **settings)
    more = (runs["episodes"] - runs[against]).mean()
    return at_least(f"share of right answers, from episodes less from the {against} at the same examples", more, 0.25)


episodes_reused.breaks("asked the question of training", against="first")
episodes_reused.breaks("thirty times as many units", width=128)


def fig_episodic(runs: Mapping[int, Numbers]) -> Picture:
    """Right answers to a question asked after training, from representations of several widths and from episodes."""
    widths = sorted(runs)
    at = range(len(widths))
    figure, ax = subplots(size=(6.0, 3.1))
    lines = (
        ("first", GREY, "first question, from the representation"),
        ("episodes", BLUE, "second question, from stored episodes"),
        ("representation", ORANGE, "second question, from the representation"),
    )
    for key, color, label in lines:
        around(ax, at, np.stack([runs[w][key] for w in widths], axis=1), color=color, label=label)
    ax.axhline(0.5, color=GREY, ls=":", lw=1)
    ax.set_xticks(at, [str(w) for w in widths])
    ax.set(xlabel="hidden units", ylabel="right answers", ylim=(0.4, 1.02))
    ax.legend(fontsize=8, loc="lower right")
    return picture(
        figure,
        "Right answers by width of the network: "
        + "; ".join(
            f"{label} " + ", ".join(f"{runs[w][key].mean():.2f} at {w}" for w in widths) for key, _, label in lines
        )
        + ". Chance is 0.5.",
    )


@effect(
    "demo-irrelevant",
    "One example of a cluster has to be kept whole, irrelevant bits included",
    functions=(f"{RECALL}.irrelevant",),
)
def forgetting_costs(per_cluster: int = 1) -> Found:
    """Accuracy with whole examples less with the best two fifths of their bits, three seeds."""
    two_fifths, whole = mean(irrelevant, "informed", 3, per_cluster=per_cluster, kept=(0.4, 1.0))
    return at_least("accuracy with whole examples less with the best two fifths", whole - two_fifths, 0.25)


forgetting_costs.breaks("four examples of each cluster", per_cluster=4)


def fig_irrelevant(runs: Mapping[int, Numbers], kept: Sequence[float]) -> Picture:
    """Accuracy against the share of each example kept, for one and for several examples a cluster."""
    counts = sorted(runs)
    figure, axes = subplots(1, len(counts), size=(8.4, 3.0), sharey=True)
    for ax, count in zip(axes, counts, strict=True):
        around(ax, kept, runs[count]["random"], color=ORANGE, label="arbitrary bits", marker="o")
        around(ax, kept, runs[count]["informed"], color=BLUE, label="bits that agree first", marker="s", ls="--")
        ax.axvline(runs[count]["relevant"].mean(), color=GREY, ls=":", lw=1.2)
        ax.set(xlabel="share of bits kept", title=f"{count} example{'s' * (count > 1)} a cluster", ylim=(0, 1.03))
    axes[0].set_ylabel("accuracy")
    axes[0].legend(loc="upper left")
    at = list(kept).index(0.4)
    return picture(
        figure,
        "Accuracy with the best 40% of the bits and with all: "
        + "; ".join(
            f"{said(runs[c]['informed'][:, at])} and {said(runs[c]['informed'][:, -1])} with {c} per cluster"
            for c in counts
        )
        + f". {runs[counts[0]]['relevant'].mean():.0%} of the bits are relevant.",
    )


@effect(
    "demo-size-bounds",
    "A bound that counts weights punishes width although the test error falls",
    functions=(
        f"{RECALL}.size_bounds",
        f"{RECALL}.occam",
    ),
)
def size_punished(subspace: int | None = None) -> list[Found]:
    """Bound and test error of 64 units against 4, two seeds."""
    small, large = (repeat(size_bounds, 2, width=width, subspace=subspace, epochs=12) for width in (4, 64))
    return [
        at_least("bound at 64 units over that at 4", large["bound"].mean() / small["bound"].mean(), 1.5),
        at_most("test error at 64 units over that at 4", large["test"].mean() / small["test"].mean(), 1),
    ]


size_punished.breaks("training in 60 random directions", subspace=60)


def fig_bounds(full: Mapping[int, Numbers], subspace: Mapping[int, Numbers]) -> Picture:
    """Test error and its bound against width, when all weights or 60 directions are trained."""
    figure, axes = subplots(1, 2, size=(8.4, 3.3), sharey=True)
    for ax, runs, title in ((axes[0], full, "Every weight written down"), (axes[1], subspace, "60 directions")):
        widths = sorted(runs)
        for key, color, label in (("bound", RED, "bound"), ("test", BLUE, "test error")):
            stacked = by(runs, key)
            around(ax, widths, stacked, color=color, marker="o", label=label)
        ax.axhline(1, color=GREY, ls=":", lw=1)
        ax.set(xscale="log", yscale="log", xlabel="hidden units", title=title, ylim=(0.02, 3))
        ax.set_xticks(widths, [str(w) for w in widths])
        ax.minorticks_off()
    axes[1].legend(loc="lower left")
    small, large = min(full), max(full)
    return picture(
        figure,
        f"All weights: from {small} to {large} units the bound rises from {said(full[small]['bound'])} to "
        f"{said(full[large]['bound'])} while the test error falls from {said(full[small]['test'], '.3f')} to "
        f"{said(full[large]['test'], '.3f')}. Sixty directions: bound {said(subspace[small]['bound'])} to "
        f"{said(subspace[large]['bound'])}, test error {said(subspace[small]['test'], '.3f')} to "
        f"{said(subspace[large]['test'], '.3f')}.",
    )


def draw_range(ax: Any, x: Sequence[float], values: Array, **line: Any) -> None:
    """Median over seeds with a band from the smallest to the largest."""
    band(ax, x, np.median(values, axis=0), values.min(axis=0), values.max(axis=0), marker="o", **line)


def fig_handover(results: Numbers, *, similar: float = 1.0, pair: int = 2) -> Picture:
    """Error against the number of rare features combined, and against the width of the kernel for pairs.

    Lines are medians over seeds, bands go from the smallest to the largest.
    """
    numbers = list(range(results["linear"].shape[1]))
    figure, (left, right) = subplots(1, 2, size=(8.6, 3.6))
    kernel = results["kernel"][:, WIDTHS.index(similar)]
    for values, color, label in (
        (results["zero"], GREY, "predicting 0"),
        (kernel, PURPLE, f"Gaussian kernel, width {similar:g}"),
        (results["neighbour"], ORANGE, "nearest neighbour"),
        (results["linear"], BLUE, "minimum norm"),
    ):
        draw_range(left, numbers, values, color=color, label=label)
    left.set(yscale="log", xlabel="rare features combined", ylabel="test error", ylim=(2e-5, 10))
    left.set(title="Each of them seen once")
    left.set_xticks(numbers)
    left.legend(fontsize=8, loc="lower right")
    draw_range(right, WIDTHS, results["kernel"][:, :, pair], color=PURPLE)
    for key, color, label, at, side in (
        ("neighbour", ORANGE, "nearest neighbour", WIDTHS[-1], "right"),
        ("linear", BLUE, "minimum norm", WIDTHS[0], "left"),
    ):
        level = float(np.median(results[key][:, pair]))
        right.axhline(level, color=color, lw=1.4, ls="--")
        right.text(at, level * 1.15, label, color=color, fontsize=8, ha=side)
    right.set(xscale="log", yscale="log", xlabel="width of the kernel", title=f"{pair} rare features", ylim=(1e-3, 10))
    neighbour, narrow, linear, zero, wide = (
        float(np.median(values[:, pair]))
        for values in (results["neighbour"], kernel, results["linear"], results["zero"], results["kernel"][:, -1])
    )
    return picture(
        figure,
        f"Median error on fresh rows with {pair} rare features seen once each: predicting zero {zero:.2f}, Gaussian "
        f"kernel of width {similar:g} {narrow:.2f}, nearest neighbour {neighbour:.2f}, minimum norm {linear:.4f}. As "
        f"its width grows to {WIDTHS[-1]:g} the kernel's error falls to {wide:.4f}.",
    )
