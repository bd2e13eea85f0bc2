"""The room of *Fitting anything, and why simple wins*: checks and figures, in the order of the page.

The learners are in `fit_models` and `simple_models`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from book.landscape.fit_models import COUNTS, capacity, features, least_norm, random_labels, sample, truth
from book.landscape.simple_models import (
    DRAWS,
    complexity,
    linear_first,
    many_tasks,
    parameter_function,
    race,
    random_functions,
    representation,
    shortcut,
    signal_or_noise,
)
from book.shared.ledger import Found, at_least, at_most
from book.shared.seeds import Numbers, around, by, effect, mean, repeat, said
from book.shared.style import BLUE, FRESH, GREEN, GREY, ORANGE, PURPLE, TRAINING, Picture, band, picture, subplots

FIT, HERE = "book.landscape.fit_models", "book.landscape.simple_models"


@effect(
    "demo-polynomial",
    "A polynomial with as many coefficients as points predicts badly",
    functions=(f"{FIT}.capacity",),
)
def polynomial_explodes(n: int = 15) -> Found:
    """Degree 14 against degree 3 on n points."""
    cubic, high = np.median(repeat(capacity, 20, counts=(4, 15), n=n)["test"], axis=0)
    return at_least(
        f"test error of degree 14 over that of degree 3, {n} points, medians of 20 samples", high / cubic, 100
    )


polynomial_explodes.breaks("200 points instead of 15", n=200)


@effect(
    "demo-double-descent",
    "Far beyond the number of points, the smallest-norm interpolator predicts well again",
    functions=(f"{FIT}.capacity",),
)
def second_descent(decay: float = 1.0) -> list[Found]:
    """400 features against 15, and against a fifth of what predicting zero costs, 0.5."""
    threshold, wide = np.median(repeat(capacity, 20, counts=(15, 400), decay=decay)["test"], axis=0)
    return [
        at_least("test error at 15 features over that at 400, medians of 20 samples", threshold / wide, 10),
        at_most("test error at 400 features", wide, 0.1),
    ]


second_descent.breaks("a norm without a taste for smoothness", decay=0.0)


def draw_fits(ax: Any, fits: Mapping[str, tuple[int, str]], decay: float) -> None:
    """A sample of 15 points, the truth and fits to it: label -> number of features and colour."""
    (x, y), grid = sample(15, 0.2, seed=0), np.linspace(-1, 1, 401)
    ax.plot(grid, truth(grid), color=GREY, ls=":", lw=1.4, label="truth")
    ax.plot(x, y, "o", color=GREY, label="data")
    for label, (count, color) in fits.items():
        fitted = features(grid, count, decay) @ least_norm(features(x, count, decay), y)
        ax.plot(grid, np.clip(fitted, -4, 4), color=color, label=label)
    ax.set(xlim=(-1, 1), ylim=(-4, 2.2), xlabel="$x$")


def draw_errors(ax: Any, runs: Mapping[str, tuple[Numbers, str]]) -> None:
    """Test error against the number of features, medians and the middle 80 %: label -> runs over COUNTS and colour."""
    for label, (run, color) in runs.items():
        low, middle, high = np.quantile(run["test"], (0.1, 0.5, 0.9), axis=0)
        band(ax, COUNTS, middle, low, high, color=color, label=label)
    ax.axvline(15, color=GREY, ls="--", lw=1)
    ax.set(xscale="log", yscale="log", ylim=(5e-3, 3e4), xlabel="features", ylabel="test error", title="Test error")


def fig_polynomial(smooth: Numbers, flat: Numbers) -> Picture:
    """One data set fitted three ways, and the error against the number of features for two norms.

    ``smooth`` and ``flat`` are runs of :func:`~book.landscape.fit_models.capacity` at decay 1 and 0 over ``COUNTS``.
    Lines are medians and bands the middle 80 % of the seeds: the error near the threshold has no useful mean.
    """
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.5))
    draw_fits(left, {"degree 3": (4, BLUE), "degree 14": (15, ORANGE), "400 features": (400, GREEN)}, 1.0)
    left.legend(ncols=2, loc="lower center")
    left.set(title="One sample of 15 points")
    draw_errors(right, {"norm prefers smooth": (smooth, GREEN), "norm is indifferent": (flat, PURPLE)})
    right.axhline(0.5, color=GREY, ls=":", lw=1)
    right.text(0.9, 0.62, "predicting 0", fontsize=8)
    right.legend()
    at = {count: float(np.median(smooth["test"][:, COUNTS.index(count)])) for count in (4, 15, 400)}
    last = float(np.median(flat["test"][:, -1]))
    return picture(
        figure,
        "Left: 15 noisy points of a sine wave, followed closely by a cubic and by a 400-feature interpolator, and "
        f"missed wildly by a polynomial of degree 14. Right: median test error {at[4]:.3f} at 4 features, "
        f"{at[15]:.0f} at 15, and {at[400]:.3f} at 400 when the norm prefers smooth functions, {last:.2f} when not.",
    )


@functools.cache
def _errors(decay: float) -> Numbers:
    return repeat(capacity, 15, counts=COUNTS, decay=decay)


def descent(features: int, decay: float) -> Picture:
    """For the explorer: the fit with this many features under this norm, and where it stands among test errors."""
    figure, (left, right) = subplots(1, 2, size=(8.0, 3.2))
    draw_fits(left, {"fit": (features, BLUE)}, decay)
    left.set(title=f"{features} features")
    runs = _errors(decay)
    draw_errors(right, {"test error": (runs, GREEN)})
    middle = np.median(runs["test"], axis=0)
    here = middle[COUNTS.index(features)]
    right.plot([features], [here], "o", color=ORANGE, ms=8)
    return picture(
        figure,
        f"With {features} features and smoothness weight {decay:g} the median test error is {here:.3g}; "
        f"the curve peaks at {middle.max():.3g} near 15 features, the number of points.",
    )


@effect(
    "demo-random-labels",
    "A network that generalizes from true labels also fits coin flips",
    functions=(f"{FIT}.random_labels",),
)
def coin_flips_are_fitted(width: int = 128) -> list[Found]:
    """The same network on true labels and on coin flips, three seeds."""
    real, coin = (repeat(random_labels, 3, share=share, width=width) for share in (0.0, 1.0))
    return [
        at_least("share of coin flips that is fitted", coin["train"].mean(), 0.99),
        at_least("accuracy on fresh data, true labels less coin flips", (real["test"] - coin["test"]).mean(), 0.2),
    ]


coin_flips_are_fitted.breaks("four hidden units a layer", width=4)


def fig_labels(runs: Mapping[float, Numbers]) -> Picture:
    """Training and test accuracy, and epochs needed, against the share of random labels (the keys)."""
    shares = sorted(runs)
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.2))
    for key, color, label in (("train", TRAINING, "labels it was given"), ("test", FRESH, "fresh, true labels")):
        around(left, shares, by(runs, key), color=color, label=label)
    left.axhline(0.5, color=GREY, ls=":", lw=1)
    left.set(xlabel="share of random labels", title="Accuracy", ylim=(0.3, 1.03))
    left.legend(loc="lower left")
    around(right, shares, by(runs, "epochs"), color=ORANGE)
    right.set(xlabel="share of random labels", title="Epochs to fit every label", ylim=(0, None))
    first, last = runs[shares[0]], runs[shares[-1]]
    return picture(
        figure,
        f"Training accuracy is {runs[shares[-1]]['train'].mean():.2f} at every share of random labels. Accuracy on "
        f"fresh true labels falls from {said(first['test'])} to {said(last['test'])}; the epochs needed go from "
        f"{said(first['epochs'], '.1f')} to {said(last['epochs'], '.1f')}.",
    )


@effect(
    "demo-parameter-function",
    "Random weights compute simpler functions than coin flips do",
    functions=(f"{HERE}.parameter_function", f"{HERE}.complexity"),
)
def simple_functions(**settings: Any) -> Found:
    """Mean complexity of 2,000 draws under two seeds, against 32 coin flips."""
    coin = mean(parameter_function, "mean_complexity", 2, count=2000, activation="coin")
    drawn = mean(parameter_function, "mean_complexity", 2, count=2000, **settings)
    return at_least(f"complexity of coin flips, {coin:.1f}, less that of the network's function", coin - drawn, 8)


simple_functions.breaks("large weights in a tanh network", activation="tanh", weight=20.0)
simple_functions.breaks("coin flips instead of a network", activation="coin")


def fig_functions(*, seed: int = 0, count: int = 10_000) -> Picture:
    """Complexity of the functions that random weights compute, and how often the commonest ones come up."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.4))
    bins = np.arange(4, 56, 2.5)
    words = []
    for label, (settings, color) in DRAWS.items():
        found, times = random_functions(seed=seed, count=count, **settings)
        score = np.array([complexity(table) for table in found])
        left.hist(score, bins=bins, weights=times / count, histtype="step", lw=1.8, color=color, label=label)
        levels = np.unique(score)
        top = [times[score == level].max() / count for level in levels]
        right.plot(levels, top, "o", ms=3.5, color=color)
        words.append(f"{label}: mean complexity {np.average(score, weights=times):.1f}, commonest {max(top):.2g}")
    left.set(xlabel="complexity", ylabel="share of draws", title="What a draw computes")
    left.legend(fontsize=8, loc="upper left")
    right.axhline(1 / count, color=GREY, ls=":", lw=1)
    right.text(6, 1.15 / count, "drawn once", fontsize=8)
    right.set(xlabel="complexity", yscale="log", title="Commonest function of each complexity")
    return picture(figure, f"Share of {count} random draws by complexity of the function computed. {'; '.join(words)}.")


@effect(
    "demo-linear-first", "Early in training a network is nearly a linear model", functions=(f"{HERE}.linear_first",)
)
def linear_phase(linear: float = 0.8) -> Found:
    """How much less of the output a linear map explains at the end than after half an epoch, two seeds."""
    r2 = mean(linear_first, "r2", 2, linear=linear, epochs=8)
    return at_least("share of the output that is linear, after half an epoch less at the end", r2[4] - r2[-1], 0.3)


linear_phase.breaks("no linear part in the labels", linear=0.0)


def fig_linear(runs: Numbers) -> Picture:
    """Accuracy on two groups of test points, and how linear the network is, against training time."""
    at = runs["epoch"][0]
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.3))
    for key, color, label in (
        ("easy", BLUE, "where a linear model is right"),
        ("hard", ORANGE, "where it is wrong"),
        ("accuracy", GREY, "all points"),
    ):
        around(left, at, runs[key], color=color, label=label)
    left.axhline(runs["linear_accuracy"].mean(), color=GREY, ls=":", lw=1)
    left.set_xscale("symlog", linthresh=1)
    left.set(xlabel="epochs", title="Accuracy of the network", ylim=(0, 1.02), xlim=(0, 20))
    left.set_xticks([0, 0.5, 1, 2, 5, 10, 20], ["0", ".5", "1", "2", "5", "10", "20"])
    left.legend(loc="lower right")
    around(right, at, runs["r2"], color=GREEN)
    right.set_xscale("symlog", linthresh=1)
    right.set(xlabel="epochs", title="Share of its output that is linear", ylim=(0, 1.02), xlim=(0, 20))
    right.set_xticks([0, 0.5, 1, 2, 5, 10, 20], ["0", ".5", "1", "2", "5", "10", "20"])
    half = int(np.flatnonzero(at == 0.5)[0])
    return picture(
        figure,
        f"After half an epoch the network is right on {runs['easy'][:, half].mean():.2f} of the points a linear model "
        f"gets right and on {runs['hard'][:, half].mean():.2f} of the others, and {runs['r2'][:, half].mean():.2f} of "
        f"its output is linear; at the end these are {runs['easy'][:, -1].mean():.2f}, "
        f"{runs['hard'][:, -1].mean():.2f} and {runs['r2'][:, -1].mean():.2f}.",
    )


@effect(
    "demo-race",
    "The pathway that serves more contexts takes the work",
    functions=(f"{HERE}.race", f"{HERE}.shared_strength"),
)
def race_won(**settings: Any) -> Found:
    """Where the shared pathway ends, four seeds."""
    return at_least("final strength of the shared pathway", mean(race, "final", 4, **settings), 0.8)


race_won.breaks("one context only", contexts=1)
race_won.breaks("private pathways start 16 times stronger", head_start=16.0)


def fig_race(runs: Mapping[int, Numbers]) -> Picture:
    """Strength of shared and private pathways over training, and at the end, by number of contexts."""
    figure, (left, right) = subplots(1, 2, size=(8.4, 3.3))
    for contexts, color in ((1, GREY), (2, ORANGE), (4, BLUE)):
        steps = 10 * np.arange(runs[contexts]["shared"].shape[1])
        around(left, steps, runs[contexts]["shared"], color=color, label=f"{contexts} context{'s' * (contexts > 1)}")
        left.plot(steps, runs[contexts]["private"].mean(axis=0), color=color, ls="--", lw=1.2)
    left.set(xlabel="step", title="Shared (solid) and private (dashed)", xlim=(0, 300), ylim=(-0.02, 1.18))
    left.legend(loc="upper right", ncols=3, fontsize=8)
    counts = sorted(runs)
    around(right, counts, by(runs, "final"), color=BLUE, label="shared, trained")
    predicted = [runs[m]["predicted"].mean() for m in counts]
    right.plot(counts, predicted, "o", color=BLUE, mfc="none", label="shared, predicted")
    tested = [m for m in counts if m > 1]
    around(
        right,
        tested,
        by({m: runs[m] for m in tested}, "held_out"),
        color=ORANGE,
        label="error on held-out items",
    )
    right.set(xlabel="contexts", title="End of the race", ylim=(-0.02, 1.02), xticks=counts)
    right.legend(loc="center right")
    return picture(
        figure,
        "Shared pathway's final strength: "
        + ", ".join(f"{said(runs[m]['final'])} with {m} context{'s' * (m > 1)}" for m in counts)
        + ". Error on held-out items: "
        + ", ".join(f"{said(runs[m]['held_out'], '.3f')} with {m}" for m in tested)
        + ".",
    )


def race_state(contexts: int, head_start: float) -> Picture:
    """One race, for the explorer."""
    runs = repeat(race, 3, contexts=contexts, head_start=head_start)
    steps = 10 * np.arange(runs["shared"].shape[1])
    figure, ax = subplots(size=(5.6, 3.0))
    around(ax, steps, runs["shared"], color=BLUE, label="shared")
    around(ax, steps, runs["private"], color=ORANGE, label="private")
    ax.axhline(runs["predicted"].mean(), color=BLUE, ls=":", lw=1.2)
    ax.set(xlabel="step", ylabel="strength", xlim=(0, 400), ylim=(-0.02, 1.05))
    ax.legend(loc="center right")
    held = runs["held_out"].mean()
    tail = "" if np.isnan(held) else f", and the error on held-out items is {held:.2f}"
    return picture(
        figure,
        f"{contexts} contexts, private pathways starting {head_start:g} times as strong: the shared pathway ends at "
        f"{said(runs['final'])} (predicted {runs['predicted'].mean():.2f}){tail}.",
    )


@effect(
    "demo-shared-signal",
    "A shared signal is learned before random labels of the same size",
    functions=(f"{HERE}.signal_or_noise",),
)
def signal_first(deep: bool = True) -> Found:
    """Steps to half the loss, three seeds."""
    ratio = mean(signal_or_noise, "ratio", 3, deep=deep)
    return at_least("steps to half the loss, random table over rule", ratio, 2)


signal_first.breaks("a single layer", deep=False)


def fig_signal(deep: Numbers, shallow: Numbers) -> Picture:
    """Loss on a rule and on a random table, in a two-layer and in a one-layer linear network."""
    figure, axes = subplots(1, 2, size=(8.4, 3.1), sharey=True)
    for ax, runs, title, upto in ((axes[0], deep, "Two layers", 200), (axes[1], shallow, "One layer", 60)):
        steps = np.arange(runs["rule"].shape[1])
        around(ax, steps[:upto], runs["rule"][:, :upto], color=BLUE, label="shared rule")
        around(ax, steps[:upto], runs["table"][:, :upto], color=ORANGE, label="random table", ls="--")
        ax.set(xlabel="step", title=title, ylim=(0, 1.03))
        ax.legend()
    axes[0].set_ylabel("loss, relative to the start")
    return picture(
        figure,
        f"Steps to half the loss. Two layers: rule {said(deep['rule_time'], '.0f')}, table "
        f"{said(deep['table_time'], '.0f')}. One layer: {said(shallow['rule_time'], '.0f')} for both.",
    )


@effect("demo-many-tasks", "Tasks that share a feature are learned faster together", functions=(f"{HERE}.many_tasks",))
def tasks_help(shared: bool = True) -> Found:
    """Steps to half the loss, three seeds."""
    one, many = (mean(many_tasks, "time", 3, tasks=tasks, shared=shared) for tasks in (1, 16))
    return at_least("steps to half the loss, one task over sixteen", one / many, 2)


tasks_help.breaks("tasks without a common feature", shared=False)


def fig_tasks(shared: Mapping[int, Numbers], apart: Mapping[int, Numbers]) -> Picture:
    """Steps to half the loss against the number of tasks, with and without a common feature."""
    counts = sorted(shared)
    figure, ax = subplots(size=(5.8, 3.3))
    for runs, color, label in ((apart, ORANGE, "each its own feature"), (shared, BLUE, "one common feature")):
        around(ax, counts, by(runs, "time"), color=color, label=label, marker="o")
    start = shared[counts[0]]["time"].mean()
    ax.plot(counts, start / np.sqrt(counts), color=GREY, ls=":", lw=1.2)
    ax.text(counts[-1], start / np.sqrt(counts[-1]) * 0.86, r"$T^{-1/2}$", ha="right", fontsize=9)
    ax.set(xscale="log", yscale="log", xlabel="tasks $T$", ylabel="steps to half the loss")
    ax.set_xticks(counts, [str(t) for t in counts])
    ax.set_yticks([50, 100, 200, 300], ["50", "100", "200", "300"])
    ax.minorticks_off()
    ax.legend()
    return picture(
        figure,
        f"Steps to half the loss fall from {start:.0f} with one task to {shared[counts[-1]]['time'].mean():.0f} with "
        f"{counts[-1]} that share a feature, and stay at {apart[counts[-1]]['time'].mean():.0f} when they do not.",
    )


@effect(
    "demo-representation",
    "A simple feature fills more of the representation even when both are learned",
    functions=(f"{HERE}.representation",),
)
def simple_fills_more(control: bool = False) -> list[Found]:
    """Shares of the hidden variance at the end, and whether the complex output is learned, three seeds."""
    runs = repeat(representation, 3, control=control)
    return [
        at_least("share of the hidden variance, simple less complex feature", runs["gap"].mean(), 0.04),
        at_least("accuracy of the complex output, worst seed", runs["complex_right"][:, -1].min(), 0.99),
    ]


simple_fills_more.breaks("two equally complex features", control=True)


def fig_representation(main: Numbers, control: Numbers) -> Picture:
    """Share of the hidden layer's variance that each output's feature fills, over training."""
    figure, axes = subplots(1, 2, size=(8.4, 3.1), sharey=True)
    epochs = np.arange(main["simple"].shape[1])
    for ax, runs, names, title in (
        (axes[0], main, ("one bit", "exclusive-or"), "Simple against complex"),
        (axes[1], control, ("exclusive-or", "exclusive-or"), "Control: both complex"),
    ):
        around(ax, epochs, runs["simple"], color=BLUE, label=names[0])
        around(ax, epochs, runs["complex"], color=ORANGE, label=names[1], ls="--")
        learned = float(np.argmax(runs["complex_right"].mean(axis=0) > 0.995))
        ax.axvline(learned, color=GREY, ls=":", lw=1.2)
        ax.set(xlabel="epochs", title=title, ylim=(0, 0.2))
        ax.legend(loc="upper left")
    axes[0].set_ylabel("share of hidden variance")
    return picture(
        figure,
        f"At the end the simple feature fills {said(main['simple'][:, -1], '.3f')} of the hidden variance and the "
        f"exclusive-or {said(main['complex'][:, -1], '.3f')}, with both outputs right. With two exclusive-ors: "
        f"{said(control['simple'][:, -1], '.3f')} and {said(control['complex'][:, -1], '.3f')}.",
    )


@effect(
    "demo-shortcut", "Of two sufficient features a network uses the simpler one alone", functions=(f"{HERE}.shortcut",)
)
def simple_alone(simple: bool = True) -> Found:
    """What shuffling either coordinate costs, three seeds."""
    runs = repeat(shortcut, 3, simple=simple)
    more = (runs["slab_shuffled"] - runs["linear_shuffled"]).mean()
    return at_least("accuracy with the slabs shuffled less with the linear coordinate shuffled", more, 0.3)


simple_alone.breaks("no simple feature", simple=False)


def fig_shortcut(both: Numbers, slabs: Numbers) -> Picture:
    """Accuracy with each feature shuffled, for networks that could use both or only the complex one."""
    figure, axes = subplots(1, 2, size=(8.0, 2.8), sharey=True)
    keys = ("plain", "slab_shuffled", "linear_shuffled")
    for ax, runs, title in ((axes[0], both, "Both features predict"), (axes[1], slabs, "Only the slabs predict")):
        means, sds = [runs[k].mean() for k in keys], [runs[k].std(ddof=1) for k in keys]
        ax.bar(range(3), means, yerr=sds, color=(GREY, GREEN, ORANGE), width=0.6, error_kw={"lw": 1.2})
        ax.axhline(0.5, color=GREY, ls=":", lw=1)
        ax.set_xticks(range(3), ["untouched", "slabs\nshuffled", "linear\nshuffled"])
        ax.set(title=title, ylim=(0, 1.05))
    axes[0].set_ylabel("test accuracy")
    return picture(
        figure,
        f"Both features: accuracy {said(both['plain'])}, {said(both['slab_shuffled'])} with the slabs shuffled, "
        f"{said(both['linear_shuffled'])} with the linear coordinate shuffled. Slabs alone: {said(slabs['plain'])}, "
        f"{said(slabs['slab_shuffled'])} and {said(slabs['linear_shuffled'])}.",
    )
