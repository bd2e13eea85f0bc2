"""The room of *Table 1*: triples, what additivity and symmetry force, and what the stored runs say of weight decay."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from book.shared.ledger import Found, at_most, claim
from book.shared.networks import COLOURS, NAMES, effect, factor, loss, ratios, switched
from book.shared.page import interval
from book.shared.style import BLUE, COMMON, GREEN, GREY, INK, ONCE, ORANGE, PURPLE, RED, Picture, picture, subplots
from companion.experiments import experiment
from companion.experiments.table1 import PAPER
from companion.runner import results
from companion.runner.results import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from companion.neural.tasks import Task, Triples

SPLIT = ("sum", "linear", "2-layer")
#: Single pairs of runs on the way to settings that can decide, Sum on real images, no record kept: width, triples,
#: epochs, batch, peak learning rate, images that digits come from, draw, and the loss on pairs at decay 0 and 0.5.
PILOTS = (
    (16, 32_000, 30, 64, 1e-3, 60_000, 1, 1.47, 5.66),
    (16, 16_000, 30, 64, 3e-3, 60_000, 0, 0.53, 0.91),
    (16, 16_000, 30, 64, 3e-3, 60_000, 1, 1.68, 4.61),
    (16, 16_000, 30, 32, 3e-3, 60_000, 0, 1.16, 2.50),
    (16, 8_000, 30, 16, 3e-3, 60_000, 0, 1.36, 8.33),
    (16, 8_000, 30, 16, 3e-3, 60_000, 1, 4.18, 8.67),
    (16, 8_000, 30, 16, 3e-3, 60_000, 2, 0.96, 13.3),
    (8, 8_000, 30, 16, 3e-3, 60_000, 1, 1.59, 7.22),
    (16, 4_000, 30, 16, 3e-3, 60_000, 1, 1.11, 3.30),
    (8, 4_000, 30, 16, 3e-3, 60_000, 0, 0.56, 4.39),
    (8, 4_000, 30, 16, 3e-3, 60_000, 4, 11.5, 9.3),
    (8, 4_000, 80, 16, 3e-3, 60_000, 1, 1.59, 3.76),
    (8, 4_000, 30, 16, 3e-3, 7_500, 50, 3.67, 5.34),
    (8, 4_000, 30, 16, 6e-3, 7_500, 50, 4.08, 7.50),
)


def fig_triples(task: Task) -> Picture:
    """Three training triples, one with a one-shot glyph, and a test triple made of two glyphs."""
    from matplotlib.patches import Rectangle

    ordinary = np.setdiff1d(np.arange(len(task.train)), task.one_shot_rows)[:2]
    holder = task.one_shot_rows[1]
    shown: list[tuple[str, Triples, int]] = [
        ("training", task.train, int(ordinary[0])),
        ("training", task.train, int(ordinary[1])),
        ("training, one glyph", task.train, int(holder)),
        ("test, two glyphs", task.tests["composition"], 0),
    ]
    figure, axes = subplots(3, 4, size=(6.4, 5.0))
    for column, (title, source, row) in enumerate(shown):
        for channel in range(3):
            ax = axes[channel, column]
            ax.imshow(task.bank[source.index[row, channel]], cmap="gray", interpolation="nearest")
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
            for spine in ax.spines.values():
                spine.set_visible(False)
            if source.index[row, channel] >= len(task.bank) - len(task.glyphs):
                ax.add_patch(Rectangle((-0.5, -0.5), 28, 28, fill=False, ec=ONCE, lw=3))
        axes[0, column].set_title(title, fontsize=9.5)
        axes[2, column].set_xlabel(" + ".join(map(str, source.labels[row])) + f" = {source.target[row]:g}")
    words = "; ".join(f"{t}: {' + '.join(map(str, s.labels[r]))} = {s.target[r]:g}" for t, s, r in shown)
    return picture(figure, f"Four triples of 28 by 28 images, one column each, glyphs framed in orange. {words}.")


@claim(
    "prop-pair-error",
    "An additive network's error on a new pair is a signed sum of its errors on triples seen apart",
    functions=("companion.neural.models.build",),
)
def pair_error(name: str = "linear", digits_counted: bool = True) -> Found:
    """The error on a new pair less that sum, for an untrained network, random images and labels from 1 to 7."""
    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(7, 28, 28, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value = torch.arange(1.0, 8.0, dtype=torch.float64)
    a, b, c, u, v, x, y = range(7)

    def error(*triple: int) -> float:
        with torch.inference_mode():
            return float(net(images[list(triple)][None])[0] - value[list(triple)].sum())

    once = error(a, u, v) + error(x, b, y)
    digits = error(x, u, y) + error(x, u, v) - error(x, u, c)
    gap = abs(error(a, b, c) - once + (digits if digits_counted else 0.0))
    return at_most(f"{name}: error on the pair less the signed sum of the others", gap, 1e-10)


pair_error.breaks("images mixed at the pixels", name="cross-channel")
pair_error.breaks("a hidden layer after the vectors", name="2-layer")
pair_error.breaks("the digits' errors forgotten", digits_counted=False)


@claim(
    "prop-order",
    "With one shared encoder and a symmetric head, the channel of an image does not matter",
    functions=("companion.neural.models.build",),
)
def order_blind(name: str = "sum") -> Found:
    """How far an untrained network's predictions on the six orders of three random images lie apart."""
    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(4, 3, 28, 28, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.inference_mode():
        values = np.array([net(images[:, list(order)]).numpy() for order in itertools.permutations(range(3))])
    return at_most(f"{name}: largest spread over six orders", float(np.ptp(values, axis=0).max()), 1e-10)


order_blind.breaks("a head that reads the vectors side by side", name="linear")
order_blind.breaks("images mixed at the pixels", name="cross-channel")


@dataclass(frozen=True)
class Evidence:
    """What weight decay does to the loss on pairs of one model at one setting.

    `of`: its factor over paired draws, as `book.shared.networks.factor` gives it; `dose`: see
    `companion.neural.study.dose`.
    """

    source: str
    model: str
    decay: float
    dose: float
    of: dict[str, float]

    @property
    def word(self) -> str:
        return effect(self.of)

    @property
    def said(self) -> str:
        """The factor with its interval: "3.8 (3.0 to 4.7)"."""
        return interval(self.of, ".1f")


def evidence(source: str | None = None) -> list[Evidence]:
    """Every stored comparison, or those of one source, of a run with decay and the same run without."""
    from companion.neural.study import dose

    found = []
    for name, words, more in (
        ("surrogate", "small networks", {}),
        ("measured", "ResNet, half the glyphs", {"kind": "pair", "kept": 2}),
        ("table1", "ResNet, Table 1", {}),
        ("fullsize", "ResNet, the paper's size", {"epoch": "last"}),
    ):
        if source not in (None, words) or not results.path(name, "cpu").is_file():
            continue
        stored, settings = results.load(name, "cpu"), experiment(name).presets["cpu"]
        if "epoch" in more:
            more = {"epoch": settings.epochs}
        for model in NAMES:
            for decay in sorted({row["weight_decay"] for row in stored.select(model=model, **more)} - {0.0}):
                at, off = ({"model": model, "weight_decay": wd, **more} for wd in (decay, 0.0))
                pairs = ratios(stored, "square" if name == "measured" else "composition", at, off)
                if len(pairs):
                    found.append(Evidence(words, model, decay, dose(settings, decay), factor(pairs)))
    return found


def verdict(model: str, source: str = "small networks") -> Evidence | None:
    """What decay 0.5, the paper's, does to a model's loss on pairs; None if no such run is stored.

    Every page that speaks of it asks here.
    """
    return next((e for e in evidence(source) if (e.model, e.decay) == (model, 0.5)), None)


def fig_dose() -> Picture:
    """The factor that decay puts on the loss on pairs, against the dose: stored runs of Sum, and the single pilots."""
    from companion.neural.study import dose

    known = [e for e in evidence() if e.model == "sum"]
    figure, ax = subplots(size=(7.2, 4.2))
    for colour, source in zip(
        (BLUE, GREEN, GREY, ORANGE, PURPLE, RED), dict.fromkeys(e.source for e in known), strict=False
    ):
        some = [e for e in known if e.source == source]
        x, mean = [e.dose for e in some], np.array([e.of["mean"] for e in some])
        ends = np.array([[e.of["low"], e.of["high"]] for e in some]).T
        if np.isfinite(ends).all():
            ax.errorbar(x, mean, abs(ends - mean), fmt="o-", color=colour, capsize=3, lw=1.2, label=source)
        else:
            ax.plot(x, mean, "s", color=colour, label=f"{source}, one draw")
    trials = [(dose(_Trial(t[1], t[3], t[4]), 0.5), t[8] / t[7]) for t in PILOTS]
    ax.plot(*zip(*trials, strict=True), "x", color=INK, ms=5, label="pilots, one draw each")
    printed = PAPER["sum"][1][0] / PAPER["sum"][0][0]
    ax.axhline(printed, color=GREY, ls="--", lw=1)
    ax.annotate(
        "the paper's Sum; its dose is not known", (0.04, printed), (0, 3), textcoords="offset points", fontsize=8
    )
    ax.axhline(1, color=GREY, lw=1)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="learning rate × decay × steps of an epoch",
        ylabel="pairs: loss with decay / without",
    )
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
    # below the axes: inside, the marks of six sources leave no room on a phone
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, fontsize=8)
    told = "; ".join(f"{e.source}, dose {e.dose:.2g}: {e.said}" for e in known)
    return picture(
        figure,
        f"Two logarithmic axes: the factor that weight decay puts on Sum's loss on pairs, against the dose. {told}. "
        f"The {len(trials)} pilots lie between {min(r for _, r in trials):.1f} and {max(r for _, r in trials):.1f}; "
        f"the paper has {printed:.0f}.",
    )


@dataclass(frozen=True)
class _Trial:
    """As much of a pilot's settings as its dose needs."""

    triples: int
    batch: int
    lr: float


def fig_table1(result: Result) -> Picture:
    """Training, in-distribution and composition loss of every model and seed, without and with weight decay."""
    panels = (
        ("train", "training"),
        ("one_shot_train", "training, glyph triples"),
        ("in_distribution", "in distribution"),
        ("composition", "two glyphs (new pair)"),
    )
    decays = switched(result)
    models = [m for m in NAMES if result.where(model=m)]
    figure, axes = subplots(1, len(panels), size=(8.6, 3.2), sharey=True)
    for ax, (key, title) in zip(axes, panels, strict=True):
        for decay, marker, shift in zip(decays, "os", (-0.16, 0.16), strict=False):
            for x, model in enumerate(models):
                seeds(ax, result, model, decay, key, x + shift, marker)
        ax.set(title=title, yscale="log")
        ax.set_xticks(range(len(models)), [NAMES[m] for m in models], rotation=40, ha="right")
    constant = float(np.mean([row["baseline_best_constant"] for row in result.rows]))
    digit = float(np.mean([row["baseline_reads_digit_best"] for row in result.rows]))
    for height, words, style in ((constant, "best\nconstant", "--"), (digit, "reads\nthe digit", ":")):
        axes[-1].axhline(height, color=GREY, lw=1, ls=style)
        above = height == max(constant, digit)
        axes[-1].annotate(
            words, (1.02, height), xycoords=("axes fraction", "data"), va="bottom" if above else "top", fontsize=8
        )
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].yaxis.set_minor_formatter("")
    for decay, marker in zip(decays, "os", strict=False):
        axes[0].plot([], [], marker, color=INK, mfc="none" if decay else INK, ls="none", label=f"decay {decay:g}")
    axes[0].legend(loc="upper left")
    axes[0].set_ylabel("mean squared error")
    means = "; ".join(
        f"{NAMES[m]} {found[0]:.2f} without decay, {found[1]:.2f} with"
        for m in models
        for found in [[loss(result, "composition", model=m, weight_decay=wd)["mean"] for wd in decays]]
    )
    return picture(
        figure,
        f"Losses on a logarithmic axis, one mark for each seed, bars at the geometric mean. On two glyphs: {means}; "
        f"the best constant has {constant:.1f}.",
    )


def seeds(ax: Axes, result: Result, model: str, decay: float, key: str, x: float, marker: str) -> None:
    values = [row[key] for row in result.select(model=model, weight_decay=decay)]
    color = COLOURS[model]
    face = "none" if decay else color
    ax.plot([x] * len(values), values, marker, color=color, mfc=face, ms=5, alpha=0.8)
    ax.plot([x - 0.13, x + 0.13], [factor(values)["mean"]] * 2, color=color, lw=1.6)


def fig_fit_and_compose(result: Result) -> Picture:
    """One mark a training run: loss on the glyphs' training triples against loss on their new pairs."""
    decays = switched(result)
    rows = [row for row in result.rows if row["weight_decay"] in decays]
    figure, ax = subplots(size=(6.2, 4.0))
    for model, name in NAMES.items():
        for decay in decays:
            runs = result.select(model=model, weight_decay=decay)
            x, y = ([row[key] for row in runs] for key in ("one_shot_train", "composition"))
            ax.plot(x, y, "o", color=COLOURS[model], mfc="none" if decay else COLOURS[model], ms=7)
        ax.plot([], [], "o", color=COLOURS[model], label=name)
    ends = np.array([row["one_shot_train"] for row in rows])
    line = np.geomspace(0.8 * ends.min(), 1.3 * ends.max(), 50)
    ax.plot(line, 2 * line, "--", color=GREY, lw=1)
    ax.annotate("twice the loss of one", (line[10], 2 * line[10]), (6, -12), textcoords="offset points", fontsize=8)
    constant = float(np.mean([row["baseline_best_constant"] for row in result.rows]))
    ax.axhline(constant, color=GREY, lw=1, ls=":")
    ax.annotate("best constant", (line[0], constant), (0, 3), textcoords="offset points", fontsize=8)
    ax.plot([], [], "o", color=INK, mfc="none", label=f"decay {decays[-1]:g} (open)")
    ax.set(xscale="log", yscale="log", xlabel="loss on the glyphs' training triples", ylabel="loss on new pairs")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="lower right")
    split = [row for row in rows if row["model"] != "cross-channel"]
    crossed = [row for row in rows if row["model"] == "cross-channel"]
    best, worst = (pick(split, key=lambda row: row["one_shot_train"]) for pick in (min, max))
    return picture(
        figure,
        "Two logarithmic axes, one mark for each run: loss on the glyphs' training triples against loss on their new "
        f"pairs. Split models rise along the line of twice the loss, from {best['one_shot_train']:.2f} and "
        f"{best['composition']:.2f} to {worst['one_shot_train']:.2f} and {worst['composition']:.2f}; cross-channel "
        f"runs lie between {min(r['composition'] for r in crossed):.0f} and "
        f"{max(r['composition'] for r in crossed):.0f}; the best constant has {constant:.0f}.",
    )


def fig_frequencies(zipf_exponent: float, train: int = 4000) -> Picture:
    """How many of the training triples hold each digit at least once, on average, under the Zipf law."""
    from companion.neural.tasks import zipf

    expected = train * (1 - (1 - zipf(zipf_exponent)) ** 3)
    figure, ax = subplots(size=(6.0, 2.8))
    ax.bar(range(10), expected, color=COMMON, alpha=0.75)
    ax.bar(10.3, 1, color=ONCE)
    for x, height in enumerate(expected):
        ax.annotate(f"{height:,.0f}", (x, height), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    ax.annotate("1", (10.3, 1), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    ax.set(yscale="log", ylim=(0.7, 3 * train), ylabel="training triples", xlabel="digit")
    ax.set_xticks([*range(10), 10.3], [*map(str, range(10)), "a glyph"])
    return picture(
        figure,
        f"Of {train:,} training triples at Zipf exponent {zipf_exponent:g}, {expected[0]:,.0f} hold a 0, "
        f"{expected[4]:,.0f} a 4, {expected[9]:,.0f} a 9 (logarithmic axis), and one holds a given glyph.",
    )
