"""The room of *When memorization hurts*: wrong labels, bound pairs, targets that are no sums, and the switchboard."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import scipy.sparse as sp

from book.shared import kernels
from book.shared.additive import best_additive, product_share, xor_share
from book.shared.ledger import Found, at_least, at_most, claim, exactly
from book.shared.style import COMPOSITION, FRESH, GREEN, INK, TRAINING, Picture, picture, subplots
from book.shared.switches import World, inseparable_pair, losses, mislabelled
from companion import linear
from companion.linear import LongTailModel, min_norm
from companion.runner.results import interval

BARS = (
    ("train", TRAINING, "training"),
    ("in_distribution", FRESH, "in distribution"),
    ("composition", COMPOSITION, "composition"),
)
ZERO = {"train": "zero_in", "in_distribution": "zero_in", "composition": "zero_composition"}  # what 1 on the axis is
SWITCHES = {
    "steep": "frequencies i⁻²",
    "independent": "independent features",
    "labels": "right labels",
    "linear": "linear target",
    "memorize": "minimum norm",
}


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
    "prop-mislabel",
    "The label error of a once-seen feature is copied, whole, into every composition",
    functions=("book.shared.switches.mislabelled",),
)
def wrong_label(times_seen: int = 1, resolved: bool = True) -> list[Found]:
    """Six features of one random design, a label of theirs moved by 0.7: what each coefficient moves by."""
    model = LongTailModel(n=200, d=2000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=1)
    X, delta, own, other = sp.csc_array(sample.X), 0.7, 0.0, 0.0
    wanted = (np.diff(X.indptr) == times_seen) & (linear.resolved(sample.X) == resolved)
    for i in np.flatnonzero(wanted)[:6]:
        row, sign = int(X.indices[X.indptr[i]]), X.data[X.indptr[i]]
        moved = mislabelled(sample.X, sample.y, row, delta)
        untouched = linear.resolved(sample.X[np.delete(np.arange(model.n), row)])
        own = max(own, abs(moved[i] - sign * delta))
        other = max(other, float(np.abs(moved[untouched]).max()))
    return [
        at_most("largest distance of the feature's own change from the label's", own, 1e-6),
        at_most("largest change of a feature that other rows resolve", other, 1e-6),
    ]


wrong_label.breaks("features seen twice", times_seen=2)
wrong_label.breaks("features that are not resolved", resolved=False)


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


def unresolved_share(rows: int) -> float:
    """Share of the sign patterns of a pair that only occurs together, in `rows` rows, which leave it open."""
    patterns = product((-1.0, 1.0), repeat=2 * rows)
    designs = [np.array(signs).reshape(rows, 2) for signs in patterns]
    return float(np.mean([not linear.resolved(X).all() for X in designs]))


@claim(
    "prop-inseparable",
    "Two features that only come together share the credit: half the difference is the error",
    functions=("book.shared.switches.inseparable_pair", "companion.linear.min_norm"),
)
def inseparable(mixed_signs: bool = False, power: int = 1) -> list[Found]:
    """Twelve designs of 1, 2 or 4 joint rows and a third feature; all sign patterns of 1, 2 and 3 rows."""
    gap = 0.0
    for rows, sign, beta in product((1, 2, 4), (-1, 1), ((1.0, 0.3), (0.4, -2.0))):
        X, y = inseparable_pair(rows, sign, beta)
        if mixed_signs and rows > 1:
            X[0, 1] *= -1
            y = X @ np.asarray(beta)
        X = np.pad(X, ((0, 1), (0, 1)))  # a third feature, resolved by a row of its own, shares the first row
        X[[0, rows], 2] = 1.0
        y = np.r_[y, 0.0] + 0.7 * X[:, 2]
        stated = (beta[0] + sign * beta[1]) / 2
        gap = max(gap, float(np.abs(min_norm(X, y)[:2] - [stated, sign * stated]).max()))
    share = max(abs(unresolved_share(rows) - 2.0 ** (power - rows)) for rows in (1, 2, 3))
    return [
        at_most("largest error of the shared coefficients", gap, 1e-6),
        at_most("largest error of the probability 2^(1-m)", share, 1e-6),
    ]


inseparable.breaks("the relative sign takes both values", mixed_signs=True)
inseparable.breaks("half that probability", power=0)


def fig_inseparable(rows: Sequence[int], chance: Sequence[float], measured: Sequence[float]) -> Picture:
    """Probability that a pair which only occurs together cannot be told apart, against the joint rows."""
    figure, ax = subplots(size=(5.6, 2.9))
    ax.plot(rows, chance, color=INK, ls="--", lw=1.2, label=r"$2^{1-m}$")
    ax.plot(rows, measured, color=GREEN, marker="o", ls="none", label="all sign patterns")
    ax.set(xlabel="rows that hold the pair, m", ylabel="share not resolved", yscale="log")
    ax.legend()
    told = ", ".join(f"{m} rows {v:.3g}" for m, v in zip(rows, measured, strict=True))
    return picture(figure, f"Share of sign patterns that leave the pair unresolved: {told}.")


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


@claim(
    "prop-product-target",
    "Products: the best linear fit is 0, and no learner composes what it never saw together",
    functions=("companion.linear.min_norm",),
)
def product_target(positive: float = 0.5, joint_row: bool = False) -> list[Found]:
    """Both statements over all rows of four features; the learner of the second has the product as a feature."""
    rates = np.array([0.4, 0.3, 0.2, 0.1])
    values = np.array(list(product((-1.0, 0.0, 1.0), repeat=4)))
    sign = np.where(values > 0, positive, 1 - positive)
    weight = np.where(values == 0, 1 - rates, rates * sign).prod(axis=1)
    target = values[:, 0] * values[:, 1]
    best = np.linalg.solve(values.T @ (weight[:, None] * values), values.T @ (weight * target))
    rows = np.eye(4)
    if joint_row:
        rows = np.concatenate([rows, [[1.0, 1.0, 0.0, 0.0]]])
    both = values[(values[:, :2] != 0).all(axis=1)]
    loss = 0.0
    for c in (-1.0, 1.0):
        y = rows.sum(axis=1) + c * rows[:, 0] * rows[:, 1] + 0.3 * (-1.0) ** np.arange(len(rows))
        extended = [np.column_stack([x, x[:, 0] * x[:, 1]]) for x in (rows, both)]
        error = extended[1] @ min_norm(extended[0], y) - (both.sum(axis=1) + c * both[:, 0] * both[:, 1])
        loss += float(np.mean(error**2)) / 2
    return [
        at_most("largest coefficient of the best linear predictor", np.abs(best).max(), 1e-6),
        at_least("loss on rows that hold both, mean over the two targets", loss, 1),
    ]


product_target.breaks("signs that are not symmetric", positive=0.8)
product_target.breaks("one training row with both features", joint_row=True)


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


def averaged(world: World, seeds: Sequence[int]) -> dict[str, float]:
    """Losses of a world, averaged over draws; `*_share` and `*_sd`: mean and sd as shares of predicting 0."""
    every = [losses(world, seed=seed) for seed in seeds]
    mean = {key: float(np.mean([one[key] for one in every])) for key in every[0]}
    for key, zero in ZERO.items():
        shares = [one[key] / mean[zero] for one in every]
        spread = interval(shares)  # of one draw there is none: NaN
        mean |= {f"{key}_share": spread["mean"], f"{key}_sd": spread["sd"]}
    return mean


def fig_switchboard(world: World, seeds: Sequence[int]) -> Picture:
    """The three losses of a world, as shares of what predicting 0 costs."""
    mean = averaged(world, seeds)
    figure, ax = subplots(size=(6.6, 2.3))
    longest = 1.0
    for at, (key, color, _) in enumerate(BARS):
        share, sd = mean[f"{key}_share"], mean[f"{key}_sd"]
        end = share if np.isnan(sd) else share + sd
        ax.barh(-at, share, 0.6, color=color, xerr=sd, ecolor=INK)
        ax.annotate(f"{share:.3f}", (end, -at), (4, 0), textcoords="offset points", va="center")
        longest = max(longest, end)
    ax.axvline(1, color=INK, lw=1, ls="--")
    ax.set_yticks([0, -1, -2], [name for _, _, name in BARS])
    ax.set(xlim=(0, 1.2 * longest), xlabel="loss, as a share of the loss of predicting 0")
    off = [text for key, text in SWITCHES.items() if not getattr(world, key)]
    ax.set(title=textwrap.fill("All hypotheses hold" if not off else f"Off: {', '.join(off)}", 38))
    return picture(
        figure,
        ("All hypotheses hold. " if not off else f"Switched off: {', '.join(off)}. ")
        + "As shares of what predicting 0 costs: "
        + ", ".join(f"{name} {mean[f'{key}_share']:.3f}" for key, _, name in BARS)
        + ".",
    )


def fig_switches(table: Mapping[str, Mapping[str, float]]) -> Picture:
    """In-distribution and composition loss with one hypothesis switched off; shares of predicting 0."""
    figure, ax = subplots(size=(7.2, 3.2))
    x = np.arange(len(table))
    for shift, key, color, name in (
        (-0.2, "in_distribution", FRESH, "in distribution"),
        (0.2, "composition", COMPOSITION, "composition"),
    ):
        share, sd = (np.array([row[f"{key}_{part}"] for row in table.values()]) for part in ("share", "sd"))
        ax.bar(x + shift, share, 0.38, color=color, label=name, yerr=sd, ecolor=INK)
        for at, value, up in zip(x + shift, share, sd, strict=True):
            ax.annotate(f"{value:.3f}", (at, value + up), (0, 2), textcoords="offset points", ha="center", fontsize=8)
    ax.set_xticks(x, list(table), fontsize=8.5)
    ax.set(ylabel="share of predicting 0", ylim=(0, 0.85))
    ax.legend()
    told = "; ".join(
        f"{name}: in distribution {row['in_distribution_share']:.3f}, composition {row['composition_share']:.3f}"
        for name, row in table.items()
    )
    return picture(figure, f"Losses as shares of predicting 0. {told.replace(chr(10), ' ')}.")
