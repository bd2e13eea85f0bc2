"""Ledger: Figure 1, where composition comes from, the block solver, and where it all stops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order

from companion.claims import Entries
from companion.linear import LongTailModel, components, inverse_gram_diagonal, kernels, min_norm, recoverability
from companion.linear.block_solver import block_min_norm, expected_branching
from companion.linear.reduce import back_substitute, peel_items
from companion.linear.switches import inseparable_pair, mislabelled
from companion.linear.symbols import symbol_task
from companion.linear.theory.noise import once_seen_rows

CLAIMS = Entries()
claim = CLAIMS.add
RESOLVED = 1 - 1e-8


@claim(
    "prop-proportional",
    "On resolved features the error is exactly proportional to the noise",
    "book/linear/figure1",
    breaks={"all seen features, not only the resolved": {"resolved_only": False}},
    functions=("companion.linear.min_norm", "companion.linear.recoverability"),
)
def proportional(*, resolved_only: bool = True, sigmas: tuple[float, float] = (0.02, 0.2)) -> float:
    """1 minus the relative deviation of the errors from proportionality, over resolved features.

    And no resolved once-seen feature has less variance than the noise, one alone in its row no more.
    """
    model = LongTailModel(n=300, d=3000, s=5.0, alpha=1.4, beta_exponent=0.1, sigma=1.0)
    sample = model.sample(seed=3)
    wanted = recoverability(sample.X) > (RESOLVED if resolved_only else 1e-8)
    low, high = sigmas
    errors = [
        (min_norm(sample.X, sample.X @ model.beta + sigma * sample.noise) - model.beta)[wanted] for sigma in sigmas
    ]
    gap = np.abs(errors[1] * low / high - errors[0]).max() / np.abs(errors[0]).max()
    X = sp.block_diag([sample.X, [[1.0]]], format="csr")  # and one feature alone in its only row
    features, _ = once_seen_rows(X)
    features = features[recoverability(X)[features] > RESOLVED]
    variance = inverse_gram_diagonal(X)
    gap = max(float(gap), 1 - float(variance[features].min()), abs(float(variance[-1]) - 1))
    return 1 - 1e6 * gap


def _tuples(seed: int, count: int, slots: int, symbols: int) -> np.ndarray:
    return np.unique(np.random.default_rng(seed).integers(0, symbols, (count, slots)), axis=0)


def _all(slots: int, symbols: int) -> np.ndarray:
    return np.stack(np.meshgrid(*[range(symbols)] * slots, indexing="ij"), -1).reshape(-1, slots)


def _additive(x: np.ndarray, seed: int) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(x.shape[1], 20))
    total: np.ndarray = values[np.arange(x.shape[1]), x].sum(axis=1)
    return total


@claim(
    "prop-row-space",
    "The additive kernel composes exactly what lies in the row space, whatever rho",
    "book/linear/composition",
    breaks={"symbols count in whatever slot they were seen": {"slot_free": True}},
    functions=("companion.linear.kernels.composable", "companion.linear.kernels.interpolate"),
)
def row_space(*, slot_free: bool = False) -> float:
    """1 minus 1e6 times the largest error where composition is promised; negative if too much is promised.

    Three slots, random training sets. `slot_free` promises every tuple of symbols seen in whatever slot.
    """
    every = _all(3, 4)
    worst, missed = 0.0, np.inf
    for seed in range(8):
        train = _tuples(seed, 9, 3, 4)
        inside = kernels.composable(train, every)
        if slot_free:
            inside = np.all(np.isin(every, np.unique(train)), axis=1)
        errors = np.max(
            [
                np.abs(
                    kernels.interpolate(train, _additive(train, g), every, kernel="additive", rho=rho)
                    - _additive(every, g)
                )
                for g in range(3)
                for rho in (0.0, 0.6)
            ],
            axis=0,
        )
        worst = max(worst, float(errors[inside].max()))
        missed = min(missed, float(errors[~inside].min())) if (~inside).any() else missed
    return min(1 - 1e6 * worst, missed / 1e-3)


@claim(
    "thm-connected",
    "Two slots: a pair composes exactly if its symbols are connected in the training graph",
    "book/linear/composition",
    breaks={"both symbols seen, connected or not": {"criterion": "both seen"}},
    functions=("companion.linear.kernels.composable_pairs",),
)
def connected(*, criterion: str = "one component") -> float:
    """1 if the graph criterion and the row space agree on every pair and paths add up to the target; else below 0."""
    every = _all(2, 6)
    wrong, gap = 0, 0.0
    for seed in range(40):
        train = _tuples(seed, 2 + seed % 12, 2, 6)
        allowed = kernels.composable_pairs(train, 6).ravel()
        gap = max(
            [gap, *(abs(_path_sum(train, pair, seed) - _additive(pair[None], seed)[0]) for pair in every[allowed])]
        )
        if criterion == "both seen":
            allowed = np.isin(every[:, 0], train[:, 0]) & np.isin(every[:, 1], train[:, 1])
        wrong += int((allowed != kernels.composable(train, every)).sum())
    return -wrong / (40 * len(every)) if wrong else 1 - 1e6 * gap


def _path_sum(train: np.ndarray, pair: np.ndarray, seed: int) -> float:
    """Training labels along a shortest path between the two symbols of a pair, signs alternating."""
    edges = sp.coo_array((np.ones(len(train)), (train[:, 0], 6 + train[:, 1])), shape=(12, 12))
    start, node = int(pair[0]), 6 + int(pair[1])
    before = breadth_first_order(edges, start, directed=False)[1]
    total, sign = 0.0, 1.0
    while node != start:
        step = sorted((node, int(before[node])))
        total += sign * _additive(np.array([[step[0], step[1] - 6]]), seed)[0]
        node, sign = int(before[node]), -sign
    return total


@claim(
    "prop-three-slots",
    "Three slots: every two slots connected, and still a tuple that is not determined",
    "book/linear/composition",
    breaks={"a fourth training tuple, (0, 0, 1)": {"extra": (0, 0, 1)}},
    functions=("companion.linear.kernels.composable",),
)
def three_slots(*, extra: tuple[int, int, int] | None = None) -> float:
    """Distance of the code of (1, 1, 1) from the row space; -1 unless all three pair graphs connect.

    And, on random training sets, -1 if a composable tuple has two slots that are not connected.
    """
    train = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], *([extra] if extra else [])])
    for c, d in ((0, 1), (0, 2), (1, 2)):
        if not kernels.composable_pairs(train[:, [c, d]], 2).all():
            return -1.0
    every = _all(3, 4)
    for seed in range(12):
        some = _tuples(seed, 6 + seed % 4, 3, 4)
        for pair in ([0, 1], [0, 2], [1, 2]):
            joined = kernels.composable_pairs(some[:, pair], 4)[tuple(every[:, pair].T)]
            if (kernels.composable(some, every) & ~joined).any():
                return -1.0
    U, u = kernels.one_hot(train, 2), kernels.one_hot(np.array([[1, 1, 1]]), 2)[0]
    return float(np.linalg.norm(u - np.linalg.pinv(U) @ U @ u)) - 1e-9


@claim(
    "prop-product",
    "The product kernel fits anything and adds up values of conjunctions it has seen",
    "book/linear/composition",
    source="published elsewhere",
    breaks={"a training tuple that occurs twice": {"repeated": True}},
    functions=("companion.linear.kernels.product_kernel", "companion.linear.kernels.conjunction_values"),
)
def product_expansion(*, repeated: bool = False) -> float:
    """Smallest slack of the four statements; 1 where a statement is met without loss.

    `repeated` drops the hypothesis that the training tuples differ.
    """
    train, test, rho = _tuples(1, 14, 3, 4), _tuples(2, 40, 3, 4), 0.35
    if repeated:
        train = np.concatenate([train, train[:1]])
    y = np.random.default_rng(0).normal(size=len(train))
    gram = kernels.product_kernel(train, train, rho=rho)
    eigenvalue = float(np.linalg.eigvalsh(gram)[0]) / (1 - rho) ** 3 - 1 + 1e-9
    if repeated:
        return eigenvalue
    parts = kernels.conjunction_values(train, y, test, rho=rho)
    f = kernels.interpolate(train, y, test, kernel="product", rho=rho)
    expansion = 1 - 1e6 * float(np.abs(np.sum(list(parts.values()), axis=0) - f).max())
    new = ~(test[:, None] == train[None]).all(-1).any(1)
    bound = rho * np.sqrt(len(train)) * np.linalg.norm(y) / (1 - rho) ** 3
    looked_up = kernels.interpolate(train, y, test[new], kernel="product", rho=0.0)
    return min(expansion, eigenvalue, 1 - float(np.abs(f[new]).max() / bound), 1 - 1e6 * float(np.abs(looked_up).max()))


@claim(
    "thm-star",
    "t memorized pieces put together keep the fraction rho^(t-1) under the product kernel",
    "book/linear/composition",
    breaks={
        "rho^t in place of rho^(t-1)": {"exponent_shift": 1},
        "two of the pieces also seen together": {"joint_row": True},
    },
    functions=("companion.linear.kernels.star_prediction",),
)
def star(*, exponent_shift: int = 0, joint_row: bool = False) -> float:
    """1 minus 1e6 times the largest deviation of the closed forms from the two kernels' predictions.

    `exponent_shift` moves the power of rho; `joint_row` adds a training tuple with two changes at once.
    """
    gap = 0.0
    for t in (1, 2, 3, 4):
        train, new = kernels.star_design(5, t)
        f = np.random.default_rng(t).normal(size=t + 1)
        y = f
        if joint_row and t > 2:
            both = train[:1].copy()
            both[0, :2] = 1
            train, y = np.concatenate([train, both]), np.r_[f, f[1] + f[2] - f[0]]
        for rho in (0.0, 0.2, 0.7, 0.95):
            stated = kernels.star_prediction(f[0], f[1:], rho=rho) * rho**exponent_shift
            found = kernels.interpolate(train, y, new, kernel="product", rho=rho)[0]
            added = kernels.interpolate(train, y, new, kernel="additive", rho=rho)[0]
            gap = max(gap, abs(stated - found), abs(f[1:].sum() - (t - 1) * f[0] - added))
    return 1 - 1e6 * gap


@claim(
    "thm-flat-limit",
    "As symbols become alike both kernels tend to one additive function, at first order",
    "book/linear/composition",
    breaks={"the constant is penalised": {"free_constant": False}},
    functions=("companion.linear.kernels.flat_limit",),
)
def flat(*, free_constant: bool = True) -> float:
    """1 minus ten times the deviation from 1 of the fitted order of convergence to the flat limit, both kernels.

    Checked on tuples inside and outside the row space. Without `free_constant` the limit compared with is the
    solution that penalises the constant as well.
    """
    orders = []
    for seed in range(4):
        train, test = _tuples(seed, 9, 3, 4), _tuples(seed + 50, 40, 3, 4)
        y = _additive(train, seed)
        limit = kernels.flat_limit(train, y, test)
        if not free_constant:
            limit = kernels.one_hot(test, 4) @ (np.linalg.pinv(kernels.one_hot(train, 4)) @ y)
        for kernel in kernels.KERNELS:
            gaps = [
                np.abs(kernels.interpolate(train, y, test, kernel=kernel, rho=1 - e) - limit).max()
                for e in (1e-2, 1e-3)
            ]
            if gaps[0] > 1e-9 or kernel == "product":  # the additive kernel may be there for every rho
                orders.append(np.log10(gaps[0] / gaps[1]))
    return 1 - 10 * float(np.abs(np.array(orders) - 1).max())


@claim(
    "prop-both-memorize",
    "Both kernels memorize a tuple with a once-seen symbol: leverage 1",
    "book/linear/composition",
    breaks={"tuples without a once-seen symbol": {"once": False}, "a ridge penalty of 0.1": {"ridge": 0.1}},
    functions=("companion.linear.kernels.additive_kernel", "companion.linear.kernels.product_kernel"),
)
def both_memorize(*, once: bool = True, ridge: float = 0.0) -> float:
    """1 minus 1e6 times the largest gap to 1 of the leverage of tuples that hold a symbol seen once.

    `once=False` looks at the other tuples; `ridge` at a penalised fit.
    """
    task = symbol_task(n=80, slots=2, symbols=30, exponent=1.0, seed=0)
    train = task.train
    rare = np.array([any((train[:, c] == row[c]).sum() == 1 for c in range(train.shape[1])) for row in train])
    wanted = rare if once else ~rare
    gap = 0.0
    for gram in (kernels.additive_kernel, kernels.product_kernel):
        K = gram(train, train, rho=0.4)
        hat = K @ np.linalg.pinv(K + ridge * np.eye(len(K)), rcond=1e-10, hermitian=True)
        gap = max(gap, float(np.abs(np.diag(hat)[wanted] - 1).max()))
    return 1 - 1e6 * gap


def _noisy_designs(count: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.random.Generator]]:
    """Small random designs with noisy labels, many rank-deficient, with repeated and empty columns."""
    rng = np.random.default_rng(0)
    for trial in range(count):
        n, d = rng.integers(1, 12), rng.integers(2, 14)
        X = rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0], size=(n, d))
        if trial % 3 == 0:
            X[:, 1] = X[:, 0]
        yield X, rng.normal(size=n), rng


@claim(
    "thm-block-solver",
    "Core, blocks and one repair give the minimum-norm solution, any core, any rank, noisy labels",
    "book/linear/scale",
    breaks={"without the repair of a free core": {"repair": False}},
    functions=("companion.linear.block_solver.block_min_norm",),
)
def blocks_exact(*, repair: bool = True) -> float:
    """1 minus 1e6 times the largest gap between the block solution, core chosen at random, and X^+ y."""
    gap = 0.0
    for X, y, rng in _noisy_designs(60):
        found = block_min_norm(X, y, core=rng.random(X.shape[1]) < 0.4, repair=repair).beta
        gap = max(gap, float(np.abs(found - np.linalg.pinv(X, rcond=1e-10) @ y).max()))
    return 1 - 1e6 * gap


@claim(
    "cor-core-pinned",
    "The core's system is non-singular exactly if every core feature is resolved",
    "book/linear/scale",
    breaks={"every seen feature, not only the core": {"all_columns": True}},
    functions=("companion.linear.block_solver.block_min_norm", "companion.linear.recoverability"),
)
def pinned_core(*, all_columns: bool = False) -> float:
    """1 minus the share of designs (times 1e3) where "no free direction" and "core resolved" disagree.

    `all_columns` asks for every seen feature to be resolved instead of the core.
    """
    wrong = 0
    for X, y, rng in _noisy_designs(60):
        core = rng.random(X.shape[1]) < 0.4
        seen = (X != 0).any(axis=0)
        certificate = np.diag(np.linalg.pinv(X, rcond=1e-10) @ X)
        asked = seen if all_columns else core & seen
        wrong += (block_min_norm(X, y, core=core).free == 0) != bool((certificate[asked] > RESOLVED).all())
    return 1 - 1e3 * wrong / 60


@claim(
    "prop-blocks",
    "A row's block holds at most 1/(1 - n sum of p^2 over the tail) rows on average",
    "book/linear/scale",
    breaks={"half the branching number": {"factor": 0.5}},
    functions=("companion.linear.block_solver.component_bound", "companion.linear.components"),
)
def small_blocks(*, factor: float = 1.0) -> float:
    """1 minus measured over bound: rows in a row's block, mean over rows and draws. `factor` scales nu."""
    model = LongTailModel(n=1500, d=15_000, s=5.0, alpha=1.7, beta_exponent=0.1, sigma=0.0, k=40)
    sizes = []
    for seed in range(4):
        T = model.sample(seed=seed).X[:, model.k :]
        rows = np.array([len(r) for r, _ in components(T)])
        sizes.append(((rows**2).sum() + (model.n - rows.sum())) / model.n)
    branching = expected_branching(model.p, model.n, model.k)
    bound = 1 / (1 - factor * branching)
    threshold = model.n * model.p[model.k - 1]
    most = threshold**2 * model.k / ((2 * model.alpha - 1) * model.n)
    return min(1 - float(np.mean(sizes)) / bound, 1 - factor * branching / most)


@claim(
    "thm-elimination",
    "Eliminate once-met columns, solve, substitute back, project: exact with noise, any rank",
    "book/linear/scale",
    breaks={"without the projection": {"project": False}, "peeling rows off noisy labels": {"rows_instead": True}},
    functions=("companion.linear.min_norm", "companion.linear.reduce.peel_items"),
)
def elimination(*, project: bool = True, rows_instead: bool = False) -> float:
    """1 minus 1e6 times the largest gap to X^+ y of: eliminate, solve, substitute back, project.

    `project=False` leaves out the last step; `rows_instead` peels rows off the *noisy* labels (a row with one
    open feature fixes it), which is exact for noiseless labels only.
    """
    gap = 0.0
    for X, y, _ in _noisy_designs(60):
        A = sp.csr_array(X)
        b = np.zeros(X.shape[1])
        peeled = peel_items(sp.csr_array(A.T) if rows_instead else A)
        if rows_instead:
            for features in peeled.by_round():
                for i in features:
                    r = peeled.check[i]
                    b[i] = (y[r] - X[r] @ b + X[r, i] * b[i]) / X[r, i]
            rest = peeled.rounds < 0
            b[rest] = np.linalg.pinv(X[:, rest], rcond=1e-10) @ (y - X @ b)
        else:
            kept = np.flatnonzero(peeled.rounds < 0)
            free = np.ones(X.shape[1], dtype=bool)
            free[peeled.check[peeled.rounds >= 0]] = False
            b[free] = np.linalg.pinv(X[kept][:, free], rcond=1e-10) @ y[kept]
            back_substitute(A, peeled, y, b)
        if project:
            b = np.linalg.pinv(X, rcond=1e-10) @ (X @ b)
        gap = max(gap, float(np.abs(b - np.linalg.pinv(X, rcond=1e-10) @ y).max()))
    return 1 - 1e6 * gap


def unresolved_share(rows: int) -> float:
    """Share of the sign patterns of a pair that only occurs together, in `rows` rows, which leave it open."""
    patterns = product((-1.0, 1.0), repeat=2 * rows)
    designs = [np.array(signs).reshape(rows, 2) for signs in patterns]
    certificates = [np.diag(np.linalg.pinv(X, rcond=1e-10) @ X).min() for X in designs]
    return float(np.mean(np.array(certificates) < RESOLVED))


@claim(
    "prop-inseparable",
    "Two features that only come together share the credit: half the difference is the error",
    "book/limits/limits",
    breaks={"the relative sign takes both values": {"mixed_signs": True}},
    functions=("companion.linear.switches.inseparable_pair", "companion.linear.min_norm"),
)
def inseparable(*, mixed_signs: bool = False) -> float:
    """1 minus 1e6 times the largest deviation from the stated coefficients and probability.

    `mixed_signs` flips one sign, so that the product of signs takes both values.
    """
    gap = 0.0
    for rows, sign, beta in product((1, 2, 4), (-1, 1), ((1.0, 0.3), (0.4, -2.0))):
        X, y = inseparable_pair(rows, sign, beta)
        if mixed_signs and rows > 1:
            X[0, 1] *= -1
            y = X @ np.asarray(beta)
        # a third feature, resolved by a row of its own, shares the first row
        X = np.pad(X, ((0, 1), (0, 1)))
        X[[0, rows], 2] = 1.0
        y = np.r_[y, 0.0] + 0.7 * X[:, 2]
        stated = (beta[0] + sign * beta[1]) / 2
        gap = max(gap, float(np.abs(min_norm(X, y)[:2] - [stated, sign * stated]).max()))
    share = max(abs(unresolved_share(rows) - 2.0 ** (1 - rows)) for rows in (1, 2, 3))
    return 1 - 1e6 * max(gap, share)


@claim(
    "prop-mislabel",
    "The label error of a once-seen feature is copied, whole, into every composition",
    "book/limits/limits",
    breaks={"features seen twice": {"times_seen": 2}, "features that are not resolved": {"resolved": False}},
    functions=("companion.linear.switches.mislabelled",),
)
def wrong_label(*, times_seen: int = 1, resolved: bool = True) -> float:
    """1 minus 1e6 times the largest deviation from "x_ri delta for feature i, nothing for the others".

    Over all features that occur `times_seen` times and are resolved (or not) in one random design.
    """
    model = LongTailModel(n=200, d=2000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=1)
    X, delta, gap = sp.csc_array(sample.X), 0.7, 0.0
    certificate = recoverability(sample.X)
    counts = np.diff(X.indptr)
    for i in np.flatnonzero((counts == times_seen) & ((certificate > RESOLVED) == resolved))[:6]:
        row, sign = int(X.indices[X.indptr[i]]), X.data[X.indptr[i]]
        moved = mislabelled(sample.X, sample.y, row, delta)
        others = np.delete(np.arange(model.n), row)
        untouched = recoverability(sample.X[others]) > RESOLVED
        gap = max(gap, abs(moved[i] - sign * delta), float(np.abs(moved[untouched]).max()))
    return 1 - 1e6 * gap


@claim(
    "prop-product-target",
    "Products: the best linear fit is 0, and no learner composes what it never saw together",
    "book/limits/limits",
    breaks={
        "signs that are not symmetric": {"positive": 0.8},
        "one training row with both features": {"joint_row": True},
    },
    functions=("companion.linear.min_norm",),
)
def product_target(*, positive: float = 0.5, joint_row: bool = False) -> float:
    """Smallest slack of the two statements, by enumeration of all rows of four features.

    `positive` is the probability of a plus sign; `joint_row` adds a training row that holds both features,
    for a learner that has their product as a feature.
    """
    rates = np.array([0.4, 0.3, 0.2, 0.1])
    values = np.array(list(product((-1.0, 0.0, 1.0), repeat=4)))
    sign = np.where(values > 0, positive, 1 - positive)
    weight = np.where(values == 0, 1 - rates, rates * sign).prod(axis=1)
    target = values[:, 0] * values[:, 1]
    best = np.linalg.solve(values.T @ (weight[:, None] * values), values.T @ (weight * target))
    linear = 1 - 1e6 * float(np.abs(best).max())

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
    return min(linear, loss - 1)
