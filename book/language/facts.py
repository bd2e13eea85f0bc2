"""The room of *By heart and by rule*: a tiny world's words, its live runs and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from book.shared.style import (
    BLUE,
    COMMON,
    GREEN,
    GREY,
    NEVER,
    ONCE,
    ORANGE,
    PURPLE,
    RED,
    Picture,
    picture,
    subplots,
    whiskers,
)
from companion.experiments import language
from companion.runner.results import Result, interval, summarise

TOLD = {
    "often": ("told 10 to 60 times", COMMON),
    "few": ("2 to 9 times", GREEN),
    "once": ("once", ONCE),
    "never": ("never", NEVER),
}
CHANGES = dict(zip(language.RIDDLES, (GREY, PURPLE, BLUE, RED, ORANGE, GREEN), strict=True))


def live(*cells: Mapping[str, Any], seed: int = 1000, worlds: int = 10, **settings: Any) -> Result:
    """Cells of the experiment, run here with a seed that no stored run has; a cell names its part and its dials."""
    from companion.runner.experiment import Resources, settings_dict

    given, rows = language.Settings(worlds=worlds, **settings), []
    for dials in cells:
        cell = {"width": 16, "layers": 1, "decay": 0.0, "share": 0.0, **dials}
        rows += [{**cell, "seed": seed, **row} for row in language.run(given, cell, seed, Resources())]
    by = language.EXPERIMENT.by
    return Result("language", "live", settings_dict(given), [seed], by, rows, summarise(rows, by), {})


def values(rows: Sequence[Mapping[str, Any]], key: str, **chosen: Any) -> np.ndarray:
    """One number of each row that agrees with `chosen`."""
    return np.array([row[key] for row in rows if all(row[k] == v for k, v in chosen.items())])


def spread(found: Any, fmt: str = ".2f") -> str:
    """Mean with its 95% interval for a sentence; shares and differences of shares stay within what they can be."""
    stats = found if isinstance(found, Mapping) else interval([float(v) for v in np.ravel(found)])
    least = 0.0 if stats["mean"] >= 0 else -1.0
    return f"{stats['mean']:{fmt}} ({max(stats['low'], least):{fmt}} to {min(stats['high'], 1.0):{fmt}})"


def over_worlds(found: Result, key: str, **chosen: Any) -> dict[str, float]:
    """Mean and interval of a number over worlds, each world's own rows averaged first."""
    return by_world(found.select(**chosen), key)


def by_world(rows: Sequence[Mapping[str, Any]], key: str) -> dict[str, float]:
    """The same for some rows; a row that stands for several "pairs" counts as many times."""
    worlds = [[row for row in rows if row["world"] == world] for world in sorted({row["world"] for row in rows})]
    return interval([float(np.average(values(w, key), weights=[r.get("pairs", 1) for r in w])) for w in worlds])


def difference(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    """The difference of two independent means with its 95% interval (Welch), from their mean, sd and n."""
    from scipy.stats import t

    errors = np.array([s["sd"] ** 2 / s["n"] for s in (one, other)])
    mean, error = one["mean"] - other["mean"], float(np.sqrt(errors.sum()))
    free = (
        errors.sum() ** 2 / sum(e**2 / (s["n"] - 1) for e, s in zip(errors, (one, other), strict=True)) if error else 1
    )
    half = float(t.ppf(0.975, free)) * error if error else 0.0
    return {"mean": mean, "low": mean - half, "high": mean + half}


def fig_growth(stored: Result) -> Picture:
    """Recall by how often a fact was told, and agreement on new pairs, against the width of the model."""
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.6), sharey=True)
    widths = sorted(group["width"] for group in stored.where(part="facts"))
    at = range(len(widths))
    words = []
    for key, (label, color) in TOLD.items():
        stats = [stored.one(part="facts", width=width)[key] for width in widths]
        whiskers(left, at, stats, color=color, label=label, fmt="-o", capsize=2)
        words.append(f"{label} {stats[0]['mean']:.2f} to {stats[-1]['mean']:.2f}")
    for part, label, color, mark in (
        ("facts", "rule in the text", ORANGE, "o"),
        ("shuffled", "number shuffled", GREY, "s"),
    ):
        found = [w for w in widths if any(g["width"] == w for g in stored.where(part=part))]
        stats = [stored.one(part=part, width=width)["agreement"] for width in found]
        place = [widths.index(width) for width in found]
        whiskers(right, place, stats, color=color, label=label, fmt=f"-{mark}", capsize=2)
        words.append(f"agreement, {label}: " + ", ".join(f"{s['mean']:.2f}" for s in stats))
    right.axhline(0.5, color=GREY, linestyle=":", linewidth=1)
    left.set(title="Facts: right answers", ylabel="share right", ylim=(-0.03, 1.05))
    right.set(title="Grammar: new pairs")
    for ax in (left, right):
        ax.set_xticks(at, [str(w) for w in widths])
        ax.set_xlabel("width of the model")
        ax.legend(loc="center right" if ax is left else "lower right")
    return picture(figure, f"Shares of right answers from width {widths[0]} to {widths[-1]}: {'; '.join(words)}.")


def fig_influence(measured: Result) -> Picture:
    """The largest influence of a sentence on each answer, against that with the masks dealt out anew."""
    figure, axes = subplots(1, 2, size=(8.2, 3.2), sharex=True)
    bins, words = np.linspace(-0.02, 1.02, 40), []
    for ax, (kind, name) in zip(axes, (("fact", "Facts"), ("rule", "Agreement")), strict=True):
        rows = measured.select(part="influence", shown=kind)
        for key, label, color in (("top", "as measured", BLUE), ("null", "masks dealt anew", GREY)):
            ax.hist(values(rows, key), bins=bins, color=color, alpha=0.75, label=label)
        ax.set(title=name, xlabel="largest influence of one sentence")
        words.append(f"{name}: {values(rows, 'top').mean():.2f} measured, {values(rows, 'null').mean():.2f} by chance")
    axes[0].set_ylabel("questions")
    axes[0].legend(loc="upper center")
    return picture(figure, f"Histograms over questions of the largest influence; means: {'; '.join(words)}.")


def fig_riddle(measured: Result) -> Picture:
    """How often the riddle's answer is given to an altered riddle, against its share of the text."""
    figure, axes = subplots(1, 2, size=(8.4, 4.1), sharey=True)
    words = []
    rules = (("riddle first", "Easy rule: repeat the first word"), ("riddle sum", "Harder rule: add two words"))
    for ax, (part, title) in zip(axes, rules, strict=True):
        shares = sorted({group["share"] for group in measured.where(part=part)})
        for shift, (kind, color) in enumerate(CHANGES.items()):
            if kind == "as told":
                continue
            stats = [measured.one(part=part, share=share, shown=kind)["riddle"] for share in shares]
            whiskers(
                ax, np.arange(len(shares)) + 0.06 * (shift - 3), stats, color=color, label=kind, fmt="-o", capsize=2
            )
            words.append(f"{title}, {kind}: {stats[-1]['mean']:.2f}")
        ax.set_xticks(range(len(shares)), [f"{share:.0%}" for share in shares])
        ax.set(title=title, xlabel="share of the text", ylim=(-0.05, 1.05))
    axes[0].set_ylabel("answers that are the riddle's")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return picture(
        figure, f"Share of altered riddles given the riddle's answer, at the largest share: {'; '.join(words)}."
    )
