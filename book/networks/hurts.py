"""The room of *When memorization hurts*: wrong labels, bound pairs, targets that are no sums, and the figures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from book.shared import kernels
from book.shared.additive import best_additive, product_share, xor_share
from book.shared.ledger import Found, at_least, at_most, claim, exactly
from book.shared.networks import COLOURS, NAMES
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
            rows = result.select(case=case, model=model)
            for key, face, shift in (("touched", COLOURS[model], -0.14), ("untouched", "none", 0.14)):
                values = [row[key] for row in rows]
                ax.plot([x + shift] * len(values), values, "o", color=COLOURS[model], mfc=face, ms=5, alpha=0.8)
                ax.plot([x + shift - 0.12, x + shift + 0.12], [np.mean(values)] * 2, color=COLOURS[model], lw=1.8)
            reached, others = (np.mean([row[key] for row in rows]) for key in ("touched", "untouched"))
            words.append(f"{NAMES[model]}, {FAULTS[case]}: {reached:.1f} and {others:.1f}".replace("\n", " "))
        ax.set(title=NAMES[model], yscale="symlog", ylim=(0, None))
        ax.set_yscale("symlog", linthresh=1.0)
        ax.set_yticks([0, 1, 3, 10, 30, 100], ["0", "1", "3", "10", "30", "100"])
        ax.minorticks_off()
        ax.set_xticks(range(len(cases)), [FAULTS[case] for case in cases])
    axes[0, 0].set_ylabel("mean squared error on pairs")
    axes[0, -1].plot([], [], "o", color=INK, label="pairs with the glyph")
    axes[0, -1].plot([], [], "o", color=INK, mfc="none", label="other pairs")
    axes[0, -1].legend(loc="lower right")
    return picture(
        figure,
        "Mean squared errors on new pairs, each seed a mark, bars at the mean, first on pairs that hold the glyph in "
        f"question (one of the two that were bound), then on all others: {'; '.join(words)}.",
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


def untrained(name: str) -> Callable[..., float]:
    """The prediction of an untrained network on three of seven random images, given by number."""
    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(7, 28, 28, generator=torch.Generator().manual_seed(4), dtype=torch.float64)

    def predict(*triple: int) -> float:
        with torch.no_grad():  # what inference mode makes, and the network keeps, could not be trained with
            return float(net(images[list(triple)][None])[0])

    return predict


@claim(
    "prop-passed-on",
    "An additive network that memorized a wrong label is wrong by the same amount on every pair with that glyph",
    functions=("companion.neural.models.build",),
)
def passed_on(name: str = "linear", counted: bool = True) -> Found:
    """The error on the pair less what the other errors and the wrong label make it; an untrained network."""
    predict = untrained(name)
    label = np.arange(1.0, 8.0)
    a, b, c, u, v, x, y = range(7)
    wrong = 6.0

    def error(*triple: int, stated: float = 0.0) -> float:
        return predict(*triple) - float(label[list(triple)].sum()) - stated

    known = error(a, u, v, stated=wrong) + error(x, b, y) - error(x, u, v) - error(x, u, y) + error(x, u, c)
    gap = abs(error(a, b, c) - known - (wrong if counted else 0.0))
    return at_most(f"{name}: gap in the identity", gap, 1e-10)


passed_on.breaks("images mixed at the pixels", name="cross-channel")
passed_on.breaks("a hidden layer after the vectors", name="2-layer")
passed_on.breaks("the wrong label kept to its triple", counted=False)


@claim(
    "prop-bound-pair",
    "Of two images that always come together only the sum is known; alone, they err by opposite amounts",
    functions=("book.shared.kernels.composable", "book.shared.kernels.interpolate"),
)
def bound_pair(alone: bool = False, together: bool = True, kernel: str = "additive", rho: float = 0.3) -> list[Found]:
    """Errors on both together and on each alone, and whether training sees value moved from one to the other.

    Digits are the symbols 0 to 3, of which training shows every triple; a and b are 4 and 5, together in one tuple.
    """
    digits, a, b = range(4), 4, 5
    train = np.array([*itertools.product(digits, repeat=3), *[(a, b, 2)] * together, *[(a, 0, 1)] * alone])
    value = np.random.default_rng(5).normal(size=6)
    y = value[train].sum(axis=1)
    places = ([[a], [b], digits], [[a], digits, digits], [digits, [b], digits])
    both, only_a, only_b = (np.array([*itertools.product(*symbols)]) for symbols in places)

    def errors(tuples: np.ndarray) -> np.ndarray:
        made = kernels.interpolate(train, y, tuples, kernel=kernel, rho=rho)
        gap: np.ndarray = made - value[tuples].sum(axis=1)
        return gap

    one, other = errors(only_a), errors(only_b)
    worst = max(np.ptp(one), np.ptp(other), abs(one[0] + other[0]), np.abs(errors(both)).max())
    free = kernels.composable(train, np.concatenate([only_a, only_b]))
    # any amount tau moved from one to the other leaves training as it is
    tau = 1.7
    moved = value + tau * (np.arange(6) == a) - tau * (np.arange(6) == b)
    return [
        at_most("error together, and on one alone less its opposite on the other", worst, 1e-6),
        at_least("size of the error on one alone", abs(one[0]), 1e-3),
        exactly("tuples with one of them that compose", int(free.sum()), 0),
        exactly("tuples with both that do not", int((~kernels.composable(train, both)).sum()), 0),
        at_most("what training sees of value moved between them", np.abs(moved[train].sum(axis=1) - y).max(), 1e-12),
    ]


bound_pair.breaks("one of them seen alone as well", alone=True)
bound_pair.breaks("never seen, neither together nor alone", together=False)
bound_pair.breaks("a memory of whole tuples", kernel="product")


def random_laws(seed: int) -> list[np.ndarray]:
    """Three random laws of the labels 0 to 9."""
    return list(np.random.default_rng(seed).dirichlet(np.ones(10), size=3))


def share_gap(target: str, formula: Callable[[list[np.ndarray]], float], *, dependent: bool) -> float:
    """Largest gap between a share from a formula and one from least squares, over random laws."""
    gaps = []
    for seed in range(3):
        laws = random_laws(seed)
        weight = np.einsum("a,b,c->abc", *laws)
        if dependent:  # the first two labels always differ, as those of two glyphs do
            weight = weight * (1 - np.eye(10))[:, :, None]
            weight /= weight.sum()
            laws = [weight.sum(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))]
        gaps.append(abs(best_additive(weight, target).share - formula(laws)))
    return max(gaps)


@claim(
    "prop-additive-share",
    "The share of a product's variance that a sum of parts can explain, for independent labels",
    functions=("book.shared.additive.product_share", "book.shared.additive.best_additive"),
)
def additive_share(dependent: bool = False, places: int = 3) -> Found:
    """The formula against least squares over all triples of labels, for three random laws."""
    gap = share_gap("product", lambda laws: product_share(laws[:places]), dependent=dependent)
    return at_most("largest gap between the formula and least squares", gap, 1e-8)


additive_share.breaks("labels that depend on each other", dependent=True)
additive_share.breaks("two of three labels", places=2)


@claim(
    "prop-xor-share",
    "A sum of parts explains an xor only as far as its bits are biased: nothing, if two labels have fair bits",
    functions=("book.shared.additive.xor_share", "book.shared.additive.best_additive"),
)
def xor_shares(dependent: bool = False, labels: int = 8) -> list[Found]:
    """The formula against least squares, and the share left where two labels are uniform."""
    some, fair = np.random.default_rng(7).dirichlet(np.ones(labels)), np.full(labels, 1 / labels)
    left = best_additive(np.einsum("a,b,c->abc", some, fair, fair), "xor").share
    return [
        at_most("largest gap to least squares", share_gap("xor", xor_share, dependent=dependent), 1e-8),
        at_most(f"share explained where two labels are uniform on {labels} values", abs(left), 1e-8),
    ]


xor_shares.breaks("labels that depend on each other", dependent=True)
xor_shares.breaks("bits that are not fair", labels=10)


@claim(
    "prop-four-corners",
    "An additive network's signed errors on four triples sum to the target's interaction: one of them has to pay",
    functions=("companion.neural.models.build",),
)
def four_corners(name: str = "sum", third: bool = True) -> Found:
    """The signed errors on four corners against the product's interaction; an untrained network."""
    predict = untrained(name)
    label = np.array([2.0, 7.0, 3.0, 5.0, 4.0, 9.0, 6.0])
    a, b, c, u, _, x, _ = range(7)

    def error(*triple: int) -> float:
        return predict(*triple) - float(label[list(triple)].prod())

    interaction = (label[a] - label[x]) * (label[b] - label[u]) * (label[c] if third else 1.0)
    gap = abs(error(a, b, c) - error(a, u, c) - error(x, b, c) + error(x, u, c) + interaction)
    return at_most(f"{name}: gap in the identity", gap, 1e-10)


four_corners.breaks("images mixed at the pixels", name="cross-channel")
four_corners.breaks("a hidden layer after the vectors", name="2-layer")
four_corners.breaks("the third label forgotten", third=False)
