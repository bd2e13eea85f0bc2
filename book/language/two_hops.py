"""The room of *Two memories in one answer*: its figures and what their intervals say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from book.language.facts import by_world, values
from book.shared.style import (
    BLUE,
    COMMON,
    COMPOSITION,
    GREEN,
    GREY,
    ONCE,
    PURPLE,
    RED,
    TRAINING,
    Picture,
    picture,
    subplots,
    whiskers,
)
from companion.experiments.language import BRIDGES, World
from companion.neural import language as neural
from companion.runner.results import Result, interval

WAYS = {"two questions": GREEN, "written": BLUE, "direct": RED}
TOLD = {"never": "never told", "once": "told once", "often": "told 20 times", "used": "told 20 times,\nin compositions"}
GUESS = 1 / 12  # capitals are spread evenly over twelve names
PAIRS = {
    "memorized": ("memorized: the one sentence", TRAINING),
    "rule": ("two common goods", COMMON),
    "one": ("one rare good", ONCE),
    "two": ("two rare goods", COMPOSITION),
    "swapped": ("two rare goods, places swapped", PURPLE),
}


def fig_ways(stored: Result, layers: int, decay: float) -> Picture:
    """Compositions of two facts, by how often the second was told and how the model is asked."""
    figure, ax = subplots(size=(7.4, 3.7))
    words = []
    for i, (way, color) in enumerate(WAYS.items()):
        stats = [stored.one(part="hops", layers=layers, decay=decay, shown=bridge)[way] for bridge in BRIDGES]
        at = np.arange(len(BRIDGES)) + 0.26 * (i - 1)
        ax.bar(at, [s["mean"] for s in stats], width=0.24, color=color, alpha=0.55, label=way)
        whiskers(ax, at, stats, color=color, fmt="none", capsize=2)
        words.append(f"{way} " + ", ".join(f"{s['mean']:.2f}" for s in stats))
    ax.axhline(GUESS, color=GREY, linestyle=":", linewidth=1)
    ax.set_xticks(range(len(BRIDGES)), [TOLD[bridge] for bridge in BRIDGES])
    ax.set(ylabel="share right", ylim=(0, 1.05), xlabel="the capital of the country was")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return picture(figure, "Right answers to the capital of the country of a person, where the capital was told never, "
                           f"once, often, or often and used in compositions: {'; '.join(words)}.")  # fmt: skip


def verdict(stats: Mapping[str, float], known: float) -> str:
    """What the interval of a composition says, beside the share `known` in which both facts are known one by one.

    "free": its lower end is at least 0.9 of that; "nothing": its upper end is below guessing plus
    0.1; "partly" where it is above guessing, else "open".
    """
    if stats["low"] >= 0.9 * known > 1.8 * GUESS:
        return "free"
    if stats["high"] < GUESS + 0.1:
        return "nothing"
    return "partly" if stats["low"] > GUESS else "open"


def mirror_world(seed: Any, both: int = 60, one: int = 30) -> World:
    """Persons with a title each: `both` of the pairs told in both orders, `one` forwards only, `one` backwards only.

    Sentences: "PERSON is TITLE" (word 0) and "TITLE borne-by PERSON" (word 1), each told once. Asked: "person",
    "title", and which orders are told, "forwards" and "backwards".
    """
    rng = np.random.default_rng(seed)
    pairs = both + 2 * one
    person, title = 2 + rng.permutation(pairs), 2 + pairs + rng.permutation(pairs)
    forwards, backwards = np.arange(pairs) < both + one, (np.arange(pairs) < both) | (np.arange(pairs) >= both + one)
    told = [np.c_[person, np.full(pairs, 0), title][forwards], np.c_[title, np.full(pairs, 1), person][backwards]]
    asked = {"person": person, "title": title, "forwards": forwards, "backwards": backwards}
    return World(np.concatenate(told), 2 + 2 * pairs, asked)


def mirrored(seed: int = 0, worlds: int = 10, both: int = 60) -> list[tuple[str, dict[str, float], dict[str, float]]]:
    """For each way in which pairs were told: its name, and right answers asked forwards and backwards, over worlds."""
    made = [mirror_world((seed, j), both) for j in range(worlds)]
    recipe = neural.Recipe(width=32, layers=2, weight_decay=1.0, batch=16, epochs=60)
    models = neural.train(np.stack([w.text for w in made]), made[0].words, recipe, seed=seed)
    person, title = (np.stack([w.asked[key] for w in made]) for key in ("person", "title"))
    asked = [(0, person, title), (1, title, person)]
    right = [models.write(np.stack([said, np.full_like(said, w)], -1))[..., 0] == wanted for w, said, wanted in asked]
    forwards, backwards = made[0].asked["forwards"], made[0].asked["backwards"]
    found = []
    for name, pairs in (("both ways", forwards & backwards), ("forwards", ~backwards), ("backwards", ~forwards)):
        if pairs.any():
            there, back = (interval([float(world[pairs].mean()) for world in way]) for way in right)
            found.append((name, there, back))
    return found


def fig_scores(measured: Result) -> Picture:
    """Compositions of each once-seen fact against its memorization score, along training; means in five bins."""
    figure, ax = subplots(size=(6.8, 3.7))
    rows = measured.select(part="scores")
    words = []
    for way, color in WAYS.items():
        words.append(f"{way} " + against_score(ax, rows, "mem", way, color, way))
    ax.set(xlabel="memorization score of the person's country", ylabel="compositions right", ylim=(-0.03, 1.05))
    ax.legend(loc="upper left")
    return picture(
        figure, f"Compositions against the memorization score, means in bins of rising score: {'; '.join(words)}."
    )


def against_score(ax: Any, rows: Sequence[Mapping[str, Any]], score: str, way: str, color: str, label: str) -> str:
    """Dots, larger for more pairs at one place, and a line of means in bins of the score, which are told in words.

    A place is drawn once, so that the picture stays light; a row stands for its "pairs", or for one.
    """
    x, y, pairs = values(rows, score), values(rows, way), np.array([row.get("pairs", 1) for row in rows])
    spots, at = np.unique(np.round(np.column_stack([x, y]), 6), axis=0, return_inverse=True)
    size = np.bincount(at, pairs)
    ax.scatter(*spots.T, s=60 * size / size.max() + 1, color=color, alpha=0.3, linewidths=0)
    middle, means = binned(x, y, pairs)
    ax.plot(middle, means, "-o", color=color, label=label)
    return ", ".join(f"{m:.2f}" for m in means)


def binned(x: np.ndarray, y: np.ndarray, pairs: np.ndarray) -> Any:
    """Mean of x and of y in the bins of x that hold at least five pairs."""
    place = np.digitize(x, (-1, 0.2, 0.4, 0.6, 0.8, 0.95, 1.01))
    bins = [place == b for b in np.unique(place)]
    kept = [b for b in bins if pairs[b].sum() >= 5]
    return tuple([np.average(of[b], weights=pairs[b]) for b in kept] for of in (x, y))


def fig_sums(measured: Result) -> Picture:
    """Right totals by kind of pair, against weight decay."""
    figure, ax = subplots(size=(6.8, 3.7))
    decays = sorted(group["decay"] for group in measured.where(part="sums"))
    words = []
    for key, (label, color) in PAIRS.items():
        stats = [measured.one(part="sums", decay=decay)[key] for decay in decays]
        whiskers(ax, range(len(decays)), stats, color=color, label=label, fmt="-o", capsize=2)
        words.append(f"{label} " + ", ".join(f"{s['mean']:.2f}" for s in stats))
    ax.axhline(measured.one(part="sums", decay=decays[0])["constant"]["mean"], color=PURPLE, linestyle=":", linewidth=1)
    ax.set_xticks(range(len(decays)), [f"{decay:g}" for decay in decays])
    ax.set(xlabel="weight decay", ylabel="totals right", ylim=(0, 1.05))
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
    return picture(figure, f"Totals right at weight decay {', '.join(f'{d:g}' for d in decays)}: {'; '.join(words)}.")


def fig_both(measured: Result) -> Picture:
    """Compositions against the weaker of two memorization scores: two hops by how the capital was told, and prices."""
    kinds = ("once", "often", "used")
    panels = [({"part": "hops", "shown": kind}, WAYS, f"Capital {TOLD[kind]}".replace("\n", " ")) for kind in kinds]
    prices = {0.0: ("prices, no decay", GREY), 3.0: ("prices, decay 3", PURPLE)}
    figure, axes = subplots(2, 2, size=(8.4, 6.2), sharex=True, sharey=True)
    words = []

    def draw(ax: Any, rows: Sequence[Mapping[str, Any]], way: str, label: str, color: str) -> None:
        words.append(f"{ax.get_title()}, {label} " + against_score(ax, rows, "weaker", way, color, label))

    for ax, (chosen, ways, title) in zip(axes.flat, panels, strict=False):
        ax.set_title(title)
        for way, color in ways.items():
            draw(ax, measured.select(lacking="", **chosen), way, way, color)
    axes.flat[3].set_title("Two rare goods")
    for decay, (label, color) in prices.items():
        if rows := measured.select(part="sums", lacking="", decay=decay):
            draw(axes.flat[3], rows, "total", label, color)
    for ax in axes.flat:
        ax.set_ylim(-0.03, 1.05)
    for ax in axes[1]:
        ax.set_xlabel("weaker of the two scores")
    for ax in axes[:, 0]:
        ax.set_ylabel("compositions right")
    axes.flat[0].legend(loc="upper left")
    axes.flat[3].legend(loc="upper left")
    return picture(figure, f"Compositions against the weaker score, means in bins of rising score: {'; '.join(words)}.")


def at_both(measured: Result, way: str, low: float, high: float, **chosen: Any) -> dict[str, float]:
    """A composition over pairs whose weaker score lies in [low, high], each world averaged first: mean, interval."""
    return by_world([row for row in measured.select(lacking="", **chosen) if low <= row["weaker"] <= high], way)


def at_scores(measured: Result, way: str, low: float, high: float) -> dict[str, float]:
    """A composition, averaged over the facts whose score lies in [low, high], world by world: mean and interval."""
    return by_world([row for row in measured.select(part="scores") if low <= row["mem"] <= high], way)
