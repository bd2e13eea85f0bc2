"""Claims of the chapters on Figure 2, the readings and mixing: what additive networks and their twins must do."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np

from companion.claims import Entries
from companion.interaction import interaction_share, two_change_share
from companion.linear import kernels

CLAIMS = Entries()
claim = CLAIMS.add


@claim(
    "prop-count",
    "For a Sum network the loss is a quadratic in the number of '9's, curved by how wrong a '9' is on average",
    "book/networks/figure2",
    breaks={
        "a read-out of its own for each channel": {"name": "linear"},
        "images mixed at the pixels": {"name": "cross-channel"},
        "the curvature forgotten": {"systematic": False},
    },
    functions=("companion.neural.models.build",),
)
def count(name: str = "sum", *, systematic: bool = True) -> float:
    """1 minus the largest relative gap between the losses by count, over all triples, and the formula."""
    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(7, 28, 28, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    images[:3, 8:20] += 1.0  # the '9's differ from the rest, so that their mean error does
    label = np.array([9, 9, 9, 0, 1, 3, 4])
    nines, others = range(3), range(3, 7)

    def value(index: np.ndarray) -> np.ndarray:
        with torch.no_grad():  # what inference mode makes, and the network keeps, could not be trained with
            made: np.ndarray = net(images[torch.from_numpy(index)]).numpy()
        return made

    alone = value(np.repeat(np.arange(7)[:, None], 3, axis=1)) / 3 - label  # the error of one image
    b, v, b0, v0 = alone[:3].mean(), alone[:3].var(), alone[3:].mean(), alone[3:].var()
    gaps = []
    for k in (0, 1, 2, 3):
        places = itertools.combinations(range(3), k)
        index = np.array(
            [t for at in places for t in itertools.product(*[nines if c in at else others for c in range(3)])]
        )
        measured = float(np.mean((value(index) - label[index].sum(axis=1)) ** 2))
        slope = k * b + (3 - k) * b0 if systematic else 0.0
        gaps.append(abs(measured - slope**2 - k * v - (3 - k) * v0) / measured)
    return 1 - 1e8 * max(gaps)


def _counts(x: np.ndarray, symbols: int) -> np.ndarray:
    """(n, symbols): how often each symbol occurs in a tuple, in whatever slot."""
    counted: np.ndarray = kernels.one_hot(x, symbols).reshape(len(x), -1, symbols).sum(axis=1)
    return counted


@claim(
    "prop-shared-code",
    "With shared weights the counts of the symbols decide what composes, and no slot matters",
    "book/networks/readings",
    breaks={"weights of its own for each slot": {"shared": False}},
    functions=("companion.linear.kernels.composable", "companion.linear.kernels.interpolate"),
)
def shared_code(*, shared: bool = True, rho: float = 0.3) -> float:
    """1 minus 1e6 times the largest error where composition is promised; negative if too little is promised.

    Promised: tuples whose counts are in the row space of the training counts, and all their rearrangements.
    """
    symbols, slots, worst, missed = 5, 3, 0.0, np.inf
    every = np.array(list(itertools.product(range(symbols), repeat=slots)))
    for seed in range(6):
        rng = np.random.default_rng(seed)
        train = np.unique(rng.integers(0, symbols, (6, slots)), axis=0)
        value = rng.normal(size=symbols)
        truth = value[every].sum(axis=1)
        code, new = _counts(train, symbols), _counts(every, symbols)
        basis = np.linalg.svd(code, full_matrices=False)[2][: np.linalg.matrix_rank(code)]
        promised = np.linalg.norm(new - new @ basis.T @ basis, axis=1) < 1e-9
        if not promised[kernels.composable(train, every)].all():
            return -1.0  # sharing may not lose what separate weights compose
        if shared:
            gram = rho * slots**2 + (1 - rho) * code @ code.T
            weights = np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ value[train].sum(axis=1)
            made = (rho * slots**2 + (1 - rho) * new @ code.T) @ weights
        else:
            made = kernels.interpolate(train, value[train].sum(axis=1), every, kernel="additive", rho=rho)
        worst = max(worst, float(np.abs(made - truth)[promised].max()))
        if not promised.all():
            missed = min(missed, float(np.abs(made - truth)[~promised].max()))
        for order in itertools.permutations(range(slots)):
            place = every[:, order] @ symbols ** np.arange(slots - 1, -1, -1)
            worst = max(worst, float(np.abs(made[place] - made).max()))
    return min(1 - 1e6 * worst, missed)


@claim(
    "prop-strangers",
    "With weights of its own for each slot, symbols that a slot never showed are all read alike there",
    "book/networks/readings",
    breaks={"weights shared by the slots": {"shared": True}},
    functions=("companion.linear.kernels.interpolate",),
)
def strangers(*, shared: bool = False, rho: float = 0.3) -> float:
    """1 minus 1e6 times the spread of predictions over symbols new to a slot, and of the floor's violation."""
    symbols, rng = 8, np.random.default_rng(0)
    train = np.unique(np.column_stack([rng.integers(0, 3, (12, 2)), rng.integers(3, symbols, 12)]), axis=0)
    value = rng.normal(size=symbols)
    new = np.array([[a, 0, 3] for a in range(3, symbols)])  # slot 0 has met symbols 0 to 2 only
    y = value[train].sum(axis=1)
    if shared:
        gram, cross = (rho * 9 + (1 - rho) * _counts(x, symbols) @ _counts(train, symbols).T for x in (train, new))
        made = cross @ np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ y
    else:
        made = kernels.interpolate(train, y, new, kernel="additive", rho=rho)
    truth = value[new].sum(axis=1)
    floor = float(truth.var() - np.mean((made - truth) ** 2))
    return 1 - 1e6 * max(float(np.ptp(made)), floor)


@claim(
    "prop-interaction-share",
    "The mean square of a double difference is four times the variance that the two slots make together",
    "book/networks/mixing",
    breaks={"twice instead of four times": {"factor": 2.0}},
    functions=("companion.interaction.interaction_share", "companion.interaction.double_difference"),
)
def interaction(*, factor: float = 4.0) -> float:
    """1 minus 1e8 times the gap to an exact decomposition of variance, on tables of three slots."""
    symbols, gaps = 3, []
    every = np.array(list(itertools.product(range(symbols), repeat=3)))
    here, there = (np.repeat(every, len(every), axis=0), np.tile(every, (len(every), 1)))
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=(symbols,) * 3)
        parts = _decompose(values)
        both = np.mean([sum(p.var() for s, p in parts.items() if {c, d} <= s) for c, d in ((0, 1), (0, 2), (1, 2))])
        share = interaction_share(partial(_look_up, values), here, there) * 4 / factor
        gaps.append(abs(share - both / values.var()))
        additive = np.sum([p for s, p in parts.items() if len(s) < 2], axis=0)
        gaps.append(interaction_share(partial(_look_up, additive), here, there))
    return 1 - 1e8 * float(max(gaps))


def _look_up(table: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(n,): the entries of a cube of values at the tuples x."""
    found: np.ndarray = table[tuple(x.T)]
    return found


def _decompose(values: np.ndarray) -> dict[frozenset[int], np.ndarray]:
    """The analysis of variance of a cube of values: set of slots -> its component, spread over the cube."""
    parts: dict[frozenset[int], np.ndarray] = {}
    for size in range(4):
        for chosen in itertools.combinations(range(3), size):
            outside = tuple(c for c in range(3) if c not in chosen)
            mean = np.broadcast_to(values.mean(axis=outside, keepdims=True), values.shape)
            below = [p for s, p in parts.items() if s < set(chosen)]
            parts[frozenset(chosen)] = mean - sum(below, np.zeros(values.shape))
    return parts


@claim(
    "prop-kept",
    "What an interpolator loses of two changes is set by the interaction of a random function with its kernel",
    "book/networks/mixing",
    breaks={
        "keeps what one change keeps, whatever the kernel": {"formula": "one change"},
        "the interaction alone": {"formula": "interaction"},
    },
    functions=("companion.interaction.two_change_share", "companion.linear.kernels.star_design"),
)
def kept(*, formula: str = "both") -> float:
    """1 minus 1e8 times the gap between interpolation on the star and the formula, over mixtures of both kernels."""
    gaps = []
    labels = np.array([0.7, -1.1, 2.3])
    for slots, rho, theta in itertools.product((2, 3, 5), (0.1, 0.5, 0.9), (0.0, 0.4, 1.0)):
        train, new = kernels.star_design(slots, 2)
        tuples = np.concatenate([train, new])
        K = theta * kernels.additive_kernel(tuples, tuples, rho=rho) / slots
        K = K + (1 - theta) * kernels.product_kernel(tuples, tuples, rho=rho)
        one, two = float(K[0, 1]), float(K[1, 2])
        weights = np.linalg.solve(K[:3, :3], K[:3, 3])
        drawn = np.array([1.0, -1.0, -1.0, 1.0])
        share = float(drawn @ K @ drawn) / 4
        lost = {
            "both": (1 + one) * share / (share + 2 * one * (1 - one)),
            "one change": 1 - one,
            "interaction": share,
        }[formula]
        w = 1 - lost
        gaps.append(abs(labels @ weights - w * labels[1:].sum() - (two - 2 * one * w) * labels[0]))
        if formula == "both":
            gaps.append(abs(w - two_change_share(one, two)))
    return 1 - 1e8 * max(gaps)
