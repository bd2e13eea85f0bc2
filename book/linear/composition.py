"""The room of *Composition*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order

from book.shared import kernels
from book.shared.ledger import Found, at_least, at_most, between, claim, exactly
from book.shared.style import BLUE, COMPOSITION, FRESH, GREY, INK, ORANGE, Picture, picture, subplots
from book.shared.symbols import SymbolTask, symbol_losses, symbol_task

KERNELS = "book.shared.kernels"


def tuples(seed: int, count: int, slots: int, symbols: int) -> np.ndarray:
    return np.unique(np.random.default_rng(seed).integers(0, symbols, (count, slots)), axis=0)


def all_tuples(slots: int, symbols: int) -> np.ndarray:
    return np.stack(np.meshgrid(*[range(symbols)] * slots, indexing="ij"), -1).reshape(-1, slots)


def additive(x: np.ndarray, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(x.shape[1], 20))
    total: np.ndarray = values[np.arange(x.shape[1]), x].sum(axis=1)
    return total


@claim(
    "prop-row-space",
    "The additive kernel composes exactly what lies in the row space, whatever rho",
    functions=(f"{KERNELS}.composable", f"{KERNELS}.interpolate"),
)
def row_space(slot_free: bool = False, left_out: int = 0) -> list[Found]:
    """Eight training sets of three slots, three targets, two rho; every one of the 64 tuples."""
    every, worst, missed = all_tuples(3, 4), 0.0, []
    for seed in range(8):
        train = tuples(seed, 9, 3, 4)
        inside = kernels.composable(train, every)
        if slot_free:  # every tuple of symbols seen, in whatever slot
            inside = np.all(np.isin(every, np.unique(train)), axis=1)
        inside[np.flatnonzero(inside)[:left_out]] = False
        errors = np.max(
            [
                np.abs(
                    kernels.interpolate(train, additive(train, g), every, kernel="additive", rho=rho)
                    - additive(every, g)
                )
                for g in range(3)
                for rho in (0.0, 0.6)
            ],
            axis=0,
        )
        worst = max(worst, float(errors[inside].max()))
        missed += list(errors[~inside])
    return [
        at_most("largest error on tuples in the row space", worst, 1e-6),
        at_least("least error on the others, worst of three targets", min(missed, default=np.inf), 1e-6),
    ]


row_space.breaks("symbols count in whatever slot they were seen", slot_free=True)
row_space.breaks("one tuple of the row space left out", left_out=1)


@claim(
    "thm-connected",
    "Two slots: a pair composes exactly if its symbols are connected in the training graph",
    functions=(f"{KERNELS}.composable_pairs", f"{KERNELS}.composable"),
)
def connected(both_seen: bool = False, flip: int = -1) -> list[Found]:
    """Forty training sets of six symbols: graph against row space on every pair, and path sums against the target."""
    every, wrong, gap = all_tuples(2, 6), 0, 0.0
    for seed in range(40):
        train = tuples(seed, 2 + seed % 12, 2, 6)
        allowed = kernels.composable_pairs(train, 6).ravel()
        gap = max(
            [gap, *(abs(path_sum(train, pair, seed, flip) - additive(pair[None], seed)[0]) for pair in every[allowed])]
        )
        if both_seen:
            allowed = np.isin(every[:, 0], train[:, 0]) & np.isin(every[:, 1], train[:, 1])
        wrong += int((allowed != kernels.composable(train, every)).sum())
    return [
        exactly(f"pairs of {40 * len(every):,} on which graph and row space disagree", wrong, 0),
        at_most("largest error of a sum along a path", gap, 1e-6),
    ]


connected.breaks("both symbols seen, connected or not", both_seen=True)
connected.breaks("signs that do not alternate", flip=1)


def path_sum(train: np.ndarray, pair: np.ndarray, seed: int, flip: int) -> float:
    """Training labels along a shortest path between the two symbols of a pair, each sign `flip` times the last."""
    edges = sp.coo_array((np.ones(len(train)), (train[:, 0], 6 + train[:, 1])), shape=(12, 12))
    start, node = int(pair[0]), 6 + int(pair[1])
    before = breadth_first_order(edges, start, directed=False)[1]
    total, sign = 0.0, 1.0
    while node != start:
        step = sorted((node, int(before[node])))
        total += sign * additive(np.array([[step[0], step[1] - 6]]), seed)[0]
        node, sign = int(before[node]), flip * sign
    return total


@claim(
    "prop-three-slots",
    "Three slots: every two slots connected, and still a tuple that is not determined",
    functions=(f"{KERNELS}.composable", f"{KERNELS}.composable_pairs"),
)
def three_slots(extra: tuple[tuple[int, int, int], ...] = (), fewer: int = 0, converse: bool = False) -> list[Found]:
    """The example; and twelve random training sets, on every tuple."""
    train, slots = np.array([(0, 0, 0), (0, 1, 1), (1, 0, 1), *extra][fewer:]), ([0, 1], [0, 2], [1, 2])
    open_pairs = sum(int((~kernels.composable_pairs(train[:, pair], 2)).sum()) for pair in slots)
    every, wrong = all_tuples(3, 4), 0
    for seed in range(12):
        some = tuples(seed, 6 + seed % 4, 3, 4)
        for pair in slots:
            joined = kernels.composable_pairs(some[:, pair], 4)[tuple(every[:, pair].T)]
            known = kernels.composable(some, every)
            wrong += int((joined & ~known if converse else known & ~joined).sum())
    U, u = kernels.one_hot(train, 2), kernels.one_hot(np.array([[1, 1, 1]]), 2)[0]
    outside = float(np.linalg.norm(u - np.linalg.pinv(U) @ U @ u))
    return [
        exactly("pairs of the example not connected", open_pairs, 0),
        exactly("tuples determined with two slots not connected, random sets", wrong, 0),
        at_least("distance of (1, 1, 1) from the row space", outside, 1e-9),
    ]


three_slots.breaks("a fourth training tuple, (0, 0, 1)", extra=((0, 0, 1),))
three_slots.breaks("a training tuple fewer", fewer=1)
three_slots.breaks("connected slots taken to determine a tuple", converse=True)


@claim(
    "prop-product",
    "The product kernel fits anything and adds up values of conjunctions it has seen",
    source="published elsewhere",
    functions=(f"{KERNELS}.product_kernel", f"{KERNELS}.conjunction_values"),
    teeth={"2. least eigenvalue": 0.6},
    blunt={"4. largest answer": "the bound is for the worst labels; random ones are far from it"},
)
def product_expansion(repeated: bool = False, own: float = 1.0, off: float = 0.0) -> list[Found]:
    """Random labels on 14 tuples of three slots at rho = 0.35; `repeated` has one of the tuples twice."""
    train, test, rho = tuples(1, 14, 3, 4), tuples(2, 40, 3, 4), 0.35
    if repeated:
        train = np.concatenate([train, train[:1]])
    y = np.random.default_rng(0).normal(size=len(train))
    gram = kernels.product_kernel(train, train, rho=rho)
    eigenvalue = at_least(
        "2. least eigenvalue over (1 - rho)^C", np.linalg.eigvalsh(gram)[0] / (1 - rho) ** 3, 1 - 1e-9
    )
    if repeated:  # there is no interpolator
        return [eigenvalue]
    parts = kernels.conjunction_values(train, y, test, rho=own * rho)
    f = kernels.interpolate(train, y, test, kernel="product", rho=rho)
    new = ~(test[:, None] == train[None]).all(-1).any(1)
    bound = rho * np.sqrt(len(train)) * np.linalg.norm(y) / (1 - rho) ** 3
    looked_up = kernels.interpolate(train, y, test[new], kernel="product", rho=off)
    return [
        eigenvalue,
        at_most(
            "3. error of the sum over conjunctions",
            np.abs(np.sum(list(parts.values()), axis=0) - f).max(),
            1e-6,
        ),
        at_most("4. largest answer to a new tuple (limit: the bound)", np.abs(f[new]).max(), bound),
        at_most("4. the same at rho = 0", np.abs(looked_up).max(), 1e-6),
    ]


product_expansion.breaks("a training tuple that occurs twice", repeated=True)
product_expansion.breaks("rho a tenth larger in the values", own=1.1)
product_expansion.breaks("rho = 0.1 taken as 0", off=0.1)


@claim(
    "thm-star",
    "t memorized pieces put together keep the fraction rho^(t-1) under the product kernel",
    functions=(f"{KERNELS}.star_prediction", f"{KERNELS}.star_design"),
)
def star(exponent_shift: int = 0, joint_row: bool = False, times: int = 1) -> list[Found]:
    """One to four changes, four rho; `joint_row` adds a training tuple with two changes at once."""
    product_gap, additive_gap = 0.0, 0.0
    for t in (1, 2, 3, 4):
        train, new = kernels.star_design(5, t)
        y = f = np.random.default_rng(t).normal(size=t + 1)
        if joint_row and t > 2:
            both = train[:1].copy()
            both[0, :2] = 1
            train, y = np.concatenate([train, both]), np.r_[f, f[1] + f[2] - f[0]]
        for rho in (0.0, 0.2, 0.7, 0.95):
            stated = kernels.star_prediction(f[0], f[1:], rho=rho) * rho**exponent_shift
            found, added = (kernels.interpolate(train, y, new, kernel=k, rho=rho)[0] for k in ("product", "additive"))
            product_gap = max(product_gap, abs(stated - found))
            additive_gap = max(additive_gap, abs(f[1:].sum() - (t - times) * f[0] - added))
    return [
        at_most("largest error of the closed form, product kernel", product_gap, 1e-6),
        at_most("largest error of the additive kernel", additive_gap, 1e-6),
    ]


star.breaks("rho^t in place of rho^(t-1)", exponent_shift=1)
star.breaks("t times the base taken off by the additive kernel", times=0)
star.breaks("two of the pieces also seen together", joint_row=True)


@claim(
    "thm-flat-limit",
    "As symbols become alike both kernels tend to one additive function, at first order",
    functions=(f"{KERNELS}.flat_limit",),
)
def flat(free_constant: bool = True, order: float = 1.0) -> list[Found]:
    """The order of convergence from 1 - rho = 0.01 to 0.001: both kernels, four training sets, 40 tuples each."""
    orders = []
    for seed in range(4):
        train, test = tuples(seed, 9, 3, 4), tuples(seed + 50, 40, 3, 4)
        y = additive(train, seed)
        limit = kernels.flat_limit(train, y, test)
        if not free_constant:  # the solution that penalises the constant as well
            limit = kernels.one_hot(test, 4) @ (np.linalg.pinv(kernels.one_hot(train, 4)) @ y)
        for kernel in kernels.KERNELS:
            gaps = [
                np.abs(kernels.interpolate(train, y, test, kernel=kernel, rho=1 - e) - limit).max()
                for e in (1e-2, 1e-3)
            ]
            if gaps[0] > 1e-9 or kernel == "product":  # the additive kernel may be there for every rho
                orders.append(np.log10(gaps[0] / gaps[1]))
    return [
        between(f"{which} order of convergence", of(orders), 0.9 * order, 1.1 * order)
        for which, of in (("least", min), ("largest", max))
    ]


flat.breaks("the constant is penalised", free_constant=False)
flat.breaks("second order", order=2.0)


@claim(
    "prop-both-memorize",
    "Both kernels memorize a tuple with a once-seen symbol: leverage 1",
    functions=(f"{KERNELS}.additive_kernel", f"{KERNELS}.product_kernel"),
)
def both_memorize(once: bool = True, ridge: float = 0.0) -> list[Found]:
    """Tuples that hold a symbol seen once (or the others), in 80 long-tailed tuples of two slots at rho = 0.4."""
    train = symbol_task(n=80, slots=2, symbols=30, exponent=1.0, seed=0).train
    rare = np.array([any((train[:, c] == row[c]).sum() == 1 for c in range(2)) for row in train])
    found = []
    for name, gram in (("additive", kernels.additive_kernel), ("product", kernels.product_kernel)):
        K = gram(train, train, rho=0.4)
        hat = K @ np.linalg.pinv(K + ridge * np.eye(len(K)), rcond=1e-10, hermitian=True)
        gap = np.abs(np.diag(hat)[rare == once] - 1).max()
        found.append(at_most(f"{name} kernel: largest distance of a leverage from 1", gap, 1e-6))
    return found


both_memorize.breaks("tuples without a once-seen symbol", once=False)
both_memorize.breaks("a ridge penalty of 0.1", ridge=0.1)


def fig_training_graph(train: np.ndarray, symbols: int) -> Picture:
    """Two slots: the training pairs as a graph, and the table of pairs that follow from them."""
    from matplotlib.colors import to_rgb

    allowed = kernels.composable_pairs(train, symbols)
    seen = np.zeros((symbols, symbols), dtype=bool)
    seen[train[:, 0], train[:, 1]] = True
    figure, (left, right) = subplots(1, 2, size=(7.4, 3.2))
    for a, b in train:
        left.plot([0, 1], [-a, -b], color=GREY, lw=1.4)
    for slot in (0, 1):
        left.scatter([slot] * symbols, -np.arange(symbols), s=120, color=BLUE, zorder=3)
        for a in range(symbols):
            left.annotate("abcdefghij"[a], (slot, -a), color="white", ha="center", va="center_baseline", zorder=4)
    left.set(title="Training pairs", xlim=(-0.3, 1.3), xticks=[0, 1], xticklabels=["slot 1", "slot 2"], yticks=[])
    left.grid(False)
    colour = np.zeros((symbols, symbols, 4))
    colour[..., :3] = to_rgb(BLUE)
    colour[..., 3] = np.where(seen, 1.0, np.where(allowed, 0.25, 0.0))
    right.imshow(colour)
    for a in range(symbols):
        for b in range(symbols):
            mark = "seen" if seen[a, b] else "new" if allowed[a, b] else "?"
            ink = "white" if seen[a, b] else INK
            right.annotate(mark, (b, a), ha="center", va="center", fontsize=8, color=ink)
    names = list("abcdefghij"[:symbols])
    right.set(title="What follows from them", xlabel="slot 2", ylabel="slot 1")
    right.set_xticks(range(symbols), names)
    right.set_yticks(range(symbols), names)
    right.grid(False)
    new, open_ = int((allowed & ~seen).sum()), int((~allowed).sum())
    return picture(
        figure,
        f"A graph of {len(train)} training pairs of {symbols} symbols in two slots, and the table of all "
        f"{symbols * symbols} pairs: {int(seen.sum())} seen, {new} new ones determined, {open_} not.",
    )


def fig_similarity(rows: Sequence[Mapping[str, float]], additive: Mapping[str, float]) -> Picture:
    """Along rho: composition loss of both kernels, and the share of the truth that the product kernel keeps.

    `rows` hold rho, pairs, fresh, slope (means) with pairs_sd, fresh_sd, slope_sd over draws.
    """
    rho = np.array([row["rho"] for row in rows])
    figure, (left, right) = subplots(1, 2, size=(8.0, 3.3))
    for key, color, label in (
        ("pairs", COMPOSITION, "product, pairs seen once"),
        ("fresh", FRESH, "product, fresh tuples"),
    ):
        mean, sd = (np.array([row[name] for row in rows]) for name in (key, f"{key}_sd"))
        left.fill_between(rho, mean - sd, mean + sd, color=color, alpha=0.22, lw=0)
        left.plot(rho, mean, color=color, label=label, marker="o", ms=3)
    for key, color, label in (
        ("fresh", FRESH, "additive, fresh tuples"),
        ("pairs", COMPOSITION, "additive, pairs seen once"),
    ):
        level, spread = additive[key], additive[f"{key}_sd"]
        left.axhspan(level - spread, level + spread, color=color, alpha=0.1, lw=0)
        left.axhline(level, color=color, ls=":", label=label)
    left.set(title="Loss (train: 0 everywhere)", xlabel=r"similarity $\rho$", ylabel="mean square error")
    left.legend(fontsize=8)
    mean, sd = (np.array([row[name] for row in rows]) for name in ("slope", "slope_sd"))
    right.fill_between(rho, mean - sd, mean + sd, color=ORANGE, alpha=0.22, lw=0)
    right.plot(rho, mean, color=ORANGE, marker="o", ms=3, label="long-tailed data")
    for t, ls in ((2, "-"), (3, "--"), (4, ":")):
        right.plot(rho, rho ** (t - 1), color=INK, lw=1.2, ls=ls, label=rf"$\rho^{{{t - 1}}}$ (star, {t} changes)")
    right.set(title="Share of the truth that is kept", xlabel=r"similarity $\rho$", ylabel="slope")
    right.legend(fontsize=8)
    first, last = rows[0], rows[-1]
    return picture(
        figure,
        f"Loss on new pairs of symbols seen once falls from {first['pairs']:.2f} at rho {first['rho']:g} to "
        f"{last['pairs']:.4f} at rho {last['rho']:g}; additive kernel {additive['pairs']:.1e}. The slope of "
        f"prediction against truth rises from {first['slope']:.2f} to {last['slope']:.2f}.",
    )


def fig_predictions(task: SymbolTask, *, rho: float, ridge: float) -> Picture:
    """New pairs of once-seen symbols: what both kernels predict against the truth."""
    figure, axes = subplots(1, 2, size=(7.6, 3.5), sharex=True, sharey=True)
    told = []
    for ax, kernel, color in zip(axes, kernels.KERNELS, (BLUE, ORANGE), strict=True):
        loss = symbol_losses(task, kernel=kernel, rho=rho, ridge=ridge)
        f = kernels.interpolate(
            task.train, task.target(task.train), task.pairs[:50], kernel=kernel, rho=rho, ridge=ridge
        )
        ax.plot([-4, 4], [-4, 4], color=INK, lw=1, ls="--")
        ax.scatter(task.target(task.pairs[:50]), f, s=12, color=color, alpha=0.7, lw=0)
        title = f"{kernel}: pairs {loss['pairs']:.3f}, train {loss['train']:.3f}"
        ax.set(title=title, xlabel="truth", xlim=(-4, 4), ylim=(-4, 4))
        told.append(f"{kernel} kernel: loss on new pairs {loss['pairs']:.3f}, on training {loss['train']:.3f}")
    axes[0].set(ylabel="prediction")
    return picture(figure, f"Similarity {rho:g}, ridge {ridge:g}. " + "; ".join(told) + ".")
