"""Claims of the chapter on harmful memorization: wrong labels, bound pairs, and targets that are no sums."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from companion.additive import best_additive, product_share, xor_share
from companion.claims import Entries
from companion.linear import kernels

CLAIMS = Entries()
claim = CLAIMS.add
HURTS = "book/networks/hurts"


def _untrained(name: str) -> Callable[..., float]:
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
    HURTS,
    breaks={
        "images mixed at the pixels": {"name": "cross-channel"},
        "a hidden layer after the vectors": {"name": "2-layer"},
        "the wrong label kept to its triple": {"passed_on": False},
    },
    functions=("companion.neural.models.build",),
)
def passed_on(name: str = "linear", *, passed_on: bool = True) -> float:
    """1 minus 1e10 times the gap in the identity, for an untrained network and random images."""
    predict = _untrained(name)
    label = np.arange(1.0, 8.0)
    a, b, c, u, v, x, y = range(7)
    wrong = 6.0

    def error(*triple: int, stated: float = 0.0) -> float:
        return predict(*triple) - float(label[list(triple)].sum()) - stated

    known = error(a, u, v, stated=wrong) + error(x, b, y) - error(x, u, v) - error(x, u, y) + error(x, u, c)
    return 1 - 1e10 * abs(error(a, b, c) - known - (wrong if passed_on else 0.0))


@claim(
    "prop-bound-pair",
    "Of two images that always come together only the sum is known; alone, they err by opposite amounts",
    HURTS,
    breaks={
        "one of them seen alone as well": {"alone": True},
        "a memory of whole tuples": {"kernel": "product"},
    },
    functions=("companion.linear.kernels.composable", "companion.linear.kernels.interpolate"),
)
def bound_pair(*, alone: bool = False, kernel: str = "additive", rho: float = 0.3) -> float:
    """The size of the error on one alone, or a negative number if one of the three parts of the statement fails.

    Digits are the symbols 0 to 3, of which training shows every triple; a and b are 4 and 5, together in one tuple.
    """
    digits, a, b = range(4), 4, 5
    train = np.array([*itertools.product(digits, repeat=3), (a, b, 2), *([(a, 0, 1)] if alone else [])])
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
    free = not kernels.composable(train, np.concatenate([only_a, only_b])).any()
    tied = bool(kernels.composable(train, both).all())
    # any amount tau moved from one to the other leaves training as it is
    tau = 1.7
    moved = value + tau * (np.arange(6) == a) - tau * (np.arange(6) == b)
    unseen = float(np.abs(moved[train].sum(axis=1) - y).max())
    holds = free and tied and worst < 1e-6 and unseen < 1e-12
    return float(abs(one[0])) if holds else -1.0


def _laws(seed: int) -> list[np.ndarray]:
    """Three random laws of the labels 0 to 9."""
    return list(np.random.default_rng(seed).dirichlet(np.ones(10), size=3))


def _share_gap(target: str, formula: Callable[[list[np.ndarray]], float], *, dependent: bool) -> float:
    """Largest gap between a share from a formula and one from least squares, over random laws."""
    gaps = []
    for seed in range(3):
        laws = _laws(seed)
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
    HURTS,
    breaks={"labels that depend on each other": {"dependent": True}, "two of three labels": {"places": 2}},
    functions=("companion.additive.product_share", "companion.additive.best_additive"),
)
def additive_share(*, dependent: bool = False, places: int = 3) -> float:
    """1 minus 1e8 times the largest gap between the formula and least squares over all triples of labels."""
    return 1 - 1e8 * _share_gap("product", lambda laws: product_share(laws[:places]), dependent=dependent)


@claim(
    "prop-xor-share",
    "A sum of parts explains an xor only as far as its bits are biased: nothing, if two labels have fair bits",
    HURTS,
    breaks={"labels that depend on each other": {"dependent": True}, "bits that are not fair": {"labels": 10}},
    functions=("companion.additive.xor_share", "companion.additive.best_additive"),
)
def xor_shares(*, dependent: bool = False, labels: int = 8) -> float:
    """1 minus 1e8 times the largest gap to least squares, and of the share left where two labels are uniform."""
    some, fair = np.random.default_rng(7).dirichlet(np.ones(labels)), np.full(labels, 1 / labels)
    left = best_additive(np.einsum("a,b,c->abc", some, fair, fair), "xor").share
    return 1 - 1e8 * max(_share_gap("xor", xor_share, dependent=dependent), abs(left))


@claim(
    "prop-four-corners",
    "An additive network's signed errors on four triples sum to the target's interaction: one of them has to pay",
    HURTS,
    breaks={
        "images mixed at the pixels": {"name": "cross-channel"},
        "a hidden layer after the vectors": {"name": "2-layer"},
        "the third label forgotten": {"third": False},
    },
    functions=("companion.neural.models.build", "companion.interaction.double_difference"),
)
def four_corners(name: str = "sum", *, third: bool = True) -> float:
    """1 minus 1e10 times the gap in the identity for a product, an untrained network and random images."""
    predict = _untrained(name)
    label = np.array([2.0, 7.0, 3.0, 5.0, 4.0, 9.0, 6.0])
    a, b, c, u, _, x, _ = range(7)

    def error(*triple: int) -> float:
        return predict(*triple) - float(label[list(triple)].prod())

    interaction = (label[a] - label[x]) * (label[b] - label[u]) * (label[c] if third else 1.0)
    return 1 - 1e10 * abs(error(a, b, c) - error(a, u, c) - error(x, b, c) + error(x, u, c) + interaction)
