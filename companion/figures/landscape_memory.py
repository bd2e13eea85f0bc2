"""Drawings of the chapter on when memorizing is harmless, needed or harmful. Bands: one standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from book.shared.style import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Picture, picture, subplots
from companion.figures.landscape import around, said
from companion.landscape import near_duplicates
from companion.landscape.seeds import Numbers


def fates(runs: Mapping[str, Mapping[int, Numbers]]) -> Picture:
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


def exceptions(runs: Numbers, counts: Sequence[int], true_count: int) -> Picture:
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


def spurious(with_memory: Numbers, without: Numbers, by_core: Mapping[float, tuple[Numbers, Numbers]]) -> Picture:
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


def distance(rough: Numbers, smooth: Numbers) -> Picture:
    """Test error against the distance to the nearest wrong label, for a rough and a smooth kernel."""
    edges = near_duplicates.EDGES
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
    state = near_duplicates.surface(seed=0, n=n, power=power, bandwidth=bandwidth)
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


def celebrity(
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
        around(right, shares, np.stack([runs[s]["time"] for s in shares], axis=1), color=color, marker="o", label=name)
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


def episodic(runs: Numbers) -> Picture:
    """Share of right answers in both directions, by three ways of asking."""
    figure, ax = subplots(size=(6.0, 2.9))
    keys = ("forward", "backward", "episodic", "transposed")
    means, sds = [runs[k].mean() for k in keys], [runs[k].std(ddof=1) for k in keys]
    ax.bar(range(4), means, yerr=sds, color=(GREY, ORANGE, BLUE, PURPLE), width=0.6)
    ax.set_xticks(
        range(4), ["forward,\ntrained map", "backward,\ntrained map", "backward,\nepisodes", "backward,\ntransposed"]
    )
    ax.set(ylabel="right answers", ylim=(0, 1.08))
    for at, mean in enumerate(means):
        ax.text(at, mean + 0.02, f"{mean:.3f}", ha="center", fontsize=8)
    return picture(
        figure,
        f"Right answers: forward {said(runs['forward'])}; backward through the trained map "
        f"{said(runs['backward'], '.3f')} (chance {runs['chance'].mean():.3f}), by stored episodes "
        f"{said(runs['episodic'])}, through the transposed map {said(runs['transposed'])}.",
    )


def irrelevant(runs: Mapping[int, Numbers], kept: Sequence[float]) -> Picture:
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


def bounds(full: Mapping[int, Numbers], subspace: Mapping[int, Numbers]) -> Picture:
    """Test error and its bound against width, when all weights or 60 directions are trained."""
    figure, axes = subplots(1, 2, size=(8.4, 3.3), sharey=True)
    for ax, runs, title in ((axes[0], full, "Every weight written down"), (axes[1], subspace, "60 directions")):
        widths = sorted(runs)
        for key, color, label in (("bound", RED, "bound"), ("test", BLUE, "test error")):
            stacked = np.stack([runs[w][key] for w in widths], axis=1)
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


def corrupted(by_decay: Mapping[float, Numbers], course: float) -> Picture:
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
