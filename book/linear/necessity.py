"""The room of *Is memorization needed?*: checks and breaks of its statements, and its figures."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.neighbors import KNeighborsRegressor

from book.linear import formulas
from book.shared.draws import TINY, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, RED, Picture, picture, subplots
from companion.linear import (
    feature_counts,
    gradient_descent,
    largest_step,
    leave_one_out_residuals,
    min_norm,
    resolved,
    ridge,
    sample_design,
    theory,
)
from companion.runner.results import interval

Fit = Callable[[np.ndarray], np.ndarray]  # takes rows (m, d), gives predictions (m,)
Learner = Callable[[np.ndarray, np.ndarray], Fit]


def by_coefficients(solve: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Learner:
    """The learner whose prediction is linear, with the coefficients that `solve(X, y)` gives."""

    def learn(X: np.ndarray, y: np.ndarray) -> Fit:
        b = solve(X, y)
        return lambda Z: Z @ b

    return learn


def dialled(n_lam: float) -> Learner:
    """Ridge at the product n lam; the minimum norm at 0."""
    return by_coefficients(lambda X, y: ridge(X, y, n_lam / len(y)))


def stopped(steps: int) -> Learner:
    """Gradient descent from zero, stopped; the step is half the largest stable one."""
    return by_coefficients(lambda X, y: gradient_descent(X, y, steps, 0.5 * largest_step(X)))


def forest(X: np.ndarray, y: np.ndarray) -> Fit:
    return RandomForestRegressor(8, bootstrap=False, max_features=0.3, random_state=0).fit(X, y).predict


def neighbour(X: np.ndarray, y: np.ndarray) -> Fit:
    """The label of the row that agrees in most entries, for its number of them: cosine distance."""
    return KNeighborsRegressor(1, metric="cosine", algorithm="brute").fit(X, y).predict


def modest(X: np.ndarray, y: np.ndarray) -> Fit:
    """The minimum norm, but on a row of the training set it says what it would have said without that row."""
    b, held_out = min_norm(X, y), y - leave_one_out_residuals(X, y)
    known = {row.tobytes(): value for row, value in zip(X, held_out, strict=True)}
    return lambda Z: np.array([known.get(row.tobytes(), row @ b) for row in Z])


def kernel(X: np.ndarray, y: np.ndarray) -> Fit:
    return KernelRidge(kernel="rbf", gamma=0.1, alpha=1e-3).fit(X, y).predict


LEARNERS: dict[str, tuple[Learner, str]] = {
    "minimum norm": (dialled(0.0), BLUE),
    "ridge, nλ = 0.3": (dialled(0.3), BLUE),
    "ridge, nλ = 1": (dialled(1.0), BLUE),
    "ridge, nλ = 10": (dialled(10.0), BLUE),
    "descent, 30 steps": (stopped(30), GREEN),
    "descent, 300 steps": (stopped(300), GREEN),
    "Gaussian kernel": (kernel, PURPLE),
    "random forest": (forest, ORANGE),
    "nearest neighbour": (neighbour, RED),
    "modest": (modest, GREY),
}


class Asked(NamedTuple):
    """What a learner does with two once-seen features, averaged over the signs of their coefficients."""

    self_influence: float  # of the two rows on themselves, mean
    influence: float  # of each row on the composed row, mean
    loss: float  # on the composed row
    bound: float  # the sum of (1 - influence)^2 tau^2
    own_bound: float  # the same with the self-influences
    held_out: float  # loss on the composed row of the learner that saw neither row
    variance: float  # tau^2 of the one plus tau^2 of the other


def ask(learner: Learner, X: np.ndarray, beta: np.ndarray, features: np.ndarray, rows: np.ndarray) -> Asked:
    """Train on all four signs of two coefficients, with and without each row, and compare on the composed row.

    X: (n, d) dense; features, rows: two once-seen features and the rows that hold them. All else is held fixed, so the
    average over the four is exact. The influence is the leave-one-out one: with the row minus without it.
    """
    z = np.zeros((1, X.shape[1]))
    z[0, features] = X[rows, features] * (1.0, -1.0)
    at, size = np.vstack([z, X[rows]]), np.abs(beta[features])
    direction = np.array([z[0, features], X[rows, features]]) / size  # on the composed row, on the own row

    def told(sign: tuple[int, int], without: list[int]) -> np.ndarray:
        truth = beta.copy()
        truth[features] = sign * size
        return learner(np.delete(X, without, 0), np.delete(X @ truth, without))(at)

    first, second = (int(r) for r in rows)
    left = {(0, s): told((1, s), [first]) for s in (1, -1)} | {(1, s): told((s, 1), [second]) for s in (1, -1)}
    neither, signs = told((1, 1), [first, second])[0], ((1, 1), (1, -1), (-1, 1), (-1, -1))
    moved, loss, held = np.zeros((2, 2)), 0.0, 0.0
    for sign in signs:
        prediction, truth = told(sign, []), float(z[0, features] @ (sign * size))
        for which in (0, 1):
            change = prediction - left[which, sign[1 - which]]
            moved[:, which] += change[[0, 1 + which]] * direction[:, which] * sign[which] / 4
        loss, held = loss + (prediction[0] - truth) ** 2 / 4, held + (neither - truth) ** 2 / 4
    composed, own = moved
    bound, own_bound = (float(((1 - share) ** 2) @ size**2) for share in (composed, own))
    return Asked(float(own.mean()), float(composed.mean()), loss, bound, own_bound, held, float(size @ size))


@lru_cache(maxsize=8)
def seen(seed: int, n: int = 100, alpha: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A draw with random signs of beta: the seen columns (n, d), their beta, the once-seen features and their rows."""
    model = long_tail(alpha, n)
    X = sample_design(n, model.p, seed=seed)
    used = feature_counts(X) > 0
    beta = model.beta[used] * np.random.default_rng(seed).choice([-1.0, 1.0], int(used.sum()))
    features, rows = theory.once_seen_rows(X[:, used])
    return X[:, used].toarray(), beta, features, rows


def pairs(seed: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pairs of once-seen features of the draw `seed`, from different rows."""
    _, _, features, rows = seen(seed)
    rng, chosen = np.random.default_rng(seed), list[tuple[np.ndarray, np.ndarray]]()
    while len(chosen) < count:
        pick = rng.choice(features.size, 2, replace=False)
        if rows[pick[0]] != rows[pick[1]]:
            chosen.append((features[pick], rows[pick]))
    return chosen


@lru_cache(maxsize=64)
def answers(name: str, draws: int = 8, count: int = 1) -> tuple[Asked, ...]:
    """`ask` for `count` pairs of each of `draws` training sets."""
    found = []
    for seed in range(draws):
        X, beta, *_ = seen(seed)
        found += [ask(LEARNERS[name][0], X, beta, *pair) for pair in pairs(seed, count)]
    return tuple(found)


def table_learners(tables: int = 20_000) -> tuple[np.ndarray, ...]:
    """Random randomised learners: each value of the coefficient has a chance, and gives one of two predictions.

    Values (tables, 3), their chances (tables, 3) and predictions (tables, 3, 2), the two equally likely. The first
    half are near the truth, the others anything.
    """
    rng = np.random.default_rng(0)
    value, chance = rng.normal(1, 1, (tables, 3)), rng.dirichlet(np.ones(3), tables)
    near = np.where(np.arange(tables) % 2 == 0, 1.0, 0.0)[:, None, None]
    predicted = near * value[:, :, None] * rng.uniform(0, 1.2, (tables, 1, 1)) + rng.normal(0, 0.3, (tables, 3, 2))
    return value, chance, predicted


def table_ratios(second_moment: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Loss of each random learner and the bound on it; also of the best learner for its influence, appended."""
    value, chance, predicted = table_learners()
    mean = (chance * value).sum(1, keepdims=True)
    variance = (chance * (value - mean) ** 2).sum(1)
    best = (mean + np.linspace(-0.5, 0.9, len(value))[:, None] * (value - mean))[:, :, None].repeat(2, 2)
    losses, bounds = [], []
    for told in (predicted, best):
        influence = (chance * told.mean(2) * (value - mean)).sum(1) / variance
        losses.append((chance[:, :, None] * (told - value[:, :, None]) ** 2).sum((1, 2)) / 2)
        tau2 = (chance * value**2).sum(1) if second_moment else variance
        bounds.append((1 - influence) ** 2 * tau2)
    return np.array(losses), np.array(bounds)


def alone(n_lam: float = 1.0, times: int = 1) -> tuple[float, float]:
    """Ridge on a feature alone in each of its rows, fair sign: leave-one-out influence of one row, and loss on it."""
    X = np.ones((times, 1))
    plus, minus = (ridge(X, X @ [sign], n_lam / times)[0] for sign in (1.0, -1.0))
    left = [0.0, 0.0]  # of one row nothing is left to learn from
    if times > 1:
        left = [ridge(X[1:], X[1:] @ [sign], n_lam / (times - 1))[0] for sign in (1.0, -1.0)]
    return (plus - left[0] - minus + left[1]) / 2, ((plus - 1) ** 2 + (minus + 1) ** 2) / 2


@claim("thm-necessity", "No influence, no composition: a once-seen feature costs every learner (1 - influence)^2 tau^2")
def necessity(factor: float = 1.0, power: float = 2.0, second_moment: bool = False, times: int = 1) -> list[Found]:
    """20,000 random learners with three values of the coefficient; the best for their influence; ridge."""
    losses, bounds = table_ratios(second_moment)
    influence, loss = alone(times=times)
    return [
        at_least(
            "(a) least loss over bound, 20,000 random learners", (losses[0] / (factor * bounds[0])).min(), 1 - TINY
        ),
        between("(c) the same, learners as in (c)", (losses[1] / (factor * bounds[1])).min(), 1 - TINY, 1 + TINY),
        at_least("(a) loss over bound, ridge, isolated", loss / (factor * (1 - influence) ** power), 1 - TINY),
    ]


necessity.breaks("a bound two per cent larger", factor=1.02)
necessity.breaks("the share itself for its square", power=1.0)
necessity.breaks("the second moment for the variance: a learner may know the mean", second_moment=True)
necessity.breaks("a feature seen twice", times=2)


def pair_ratio(tables: int = 20_000) -> float:
    """Least of loss over bound for random learners of two coefficients with three values each, in one row or in two."""
    rng = np.random.default_rng(3)
    value, chance = rng.normal(0, 1, (2, tables, 3)), rng.dirichlet(np.ones(3), (2, tables))
    mean = (value * chance).sum(2, keepdims=True)
    joint = chance[0][:, :, None] * chance[1][:, None]
    first, second = (value - mean)[0][:, :, None], (value - mean)[1][:, None]
    truth = value[0][:, :, None] - value[1][:, None]
    told = truth * rng.uniform(0, 1, (tables, 1, 1)) + rng.normal(0, 0.1, truth.shape)
    row = value[0][:, :, None] + value[1][:, None]  # what a learner sees if both are in one row
    told[::2] = (rng.uniform(-1, 1, (tables, 1, 1)) * row + rng.uniform(-1, 1, (tables, 1, 1)) * np.tanh(row))[::2]
    variance = [(joint * u**2).sum((1, 2)) for u in (first, second)]
    missing = [v - (joint * told * u).sum((1, 2)) for v, u in zip(variance, (first, -second), strict=True)]
    bound = sum(m**2 / v for m, v in zip(missing, variance, strict=True))
    return float(((joint * (told - truth) ** 2).sum((1, 2)) / bound).min())


@claim(
    "cor-composed",
    "Compositions of once-seen features cost every learner the sum of their prices",
    blunt={"mean loss over mean bound": "random learners attain the bound; these lose more, by what else they miss"},
)
def composed(
    names: tuple[str, ...] = tuple(name for name in LEARNERS if name != "minimum norm"),
    factor: float = 1.0,
    own: bool = False,
) -> list[Found]:
    """20,000 random learners of a pair; nine learners, 8 pairs from 8 training sets, all four signs of the pair."""
    found = [at_least("random learners: least loss over bound", pair_ratio() / factor, 1 - TINY)]
    for name in names:
        asked = answers(name)
        loss = np.array([a.loss for a in asked])
        bound = np.array([a.own_bound if own else a.bound for a in asked])
        found.append(at_least(f"{name}: mean loss over mean bound", loss.mean() / (factor * bound.mean()), 1 - TINY))
    held = min(a.held_out / (factor * a.variance) for a in answers("ridge, nλ = 1"))
    return [*found, at_least("least loss over variances, trained without both rows", held, 1 - TINY)]


composed.breaks("five per cent more", names=("ridge, nλ = 10",), factor=1.05)
composed.breaks("self-influence for the influence on the composed row", names=("modest",), own=True)


@claim("prop-readable", "A model that composes well has the label in it: someone can read it out")
def readable(factor: float = 1.0, threshold: bool = False) -> list[Found]:
    """20,000 trained models with 4 possible states, each state with its chances under the two signs, tau = 1."""
    rng = np.random.default_rng(1)
    state = rng.dirichlet(np.full(4, 0.3), (20_000, 2))  # chance of each state under + and under -
    forgets = rng.uniform(0, 1, (200, 1))  # with this chance the state is the same for both signs
    erased = np.stack(
        [np.hstack([1 - forgets, 0 * forgets, forgets]), np.hstack([0 * forgets, 1 - forgets, forgets])], 1
    )
    ratios = []
    for channel in (state, erased):
        plus, minus = channel[:, 0] / 2, channel[:, 1] / 2
        told = (plus - minus) / np.maximum(plus + minus, 1e-300)  # the prediction with the least loss
        if threshold:
            told = np.minimum(told, -1e-9)  # a careful pessimist
        loss = (plus * (told - 1) ** 2 + minus * (told + 1) ** 2).sum(1)
        error = (np.where(told > 0, minus, plus) if threshold else np.minimum(plus, minus)).sum(1)
        ratios.append(loss / (2 * factor * np.maximum(error, 1e-300)))
    return [
        at_least("least loss over 2 eps tau^2, random models", ratios[0].min(), 1 - TINY),
        between("the same, models that forget the row now and then", ratios[1].min(), 1 - TINY, 1 + TINY),
    ]


readable.breaks("a twentieth more", factor=1.05)
readable.breaks("a reader who looks at nothing but the sign of the prediction", threshold=True)


@claim("prop-modest", "Self-influence alone proves nothing: a learner may hide what it knows at its training rows")
def hides(name: str = "modest", only_resolved: bool = True) -> list[Found]:
    """The modest learner on pairs whose features are both resolved, or both not."""
    found: list[Asked] = []
    for seed in range(2):
        X, beta, features, rows = seen(seed)
        told = resolved(X)[features] == only_resolved
        chosen = np.flatnonzero(told)[:4]
        for pick in (chosen[:2], chosen[2:]):
            if rows[pick[0]] != rows[pick[1]]:
                found.append(ask(LEARNERS[name][0], X, beta, features[pick], rows[pick]))
    return [
        at_most("largest self-influence", max(abs(a.self_influence) for a in found), TINY),
        at_most("largest loss on two resolved features", max(a.loss for a in found), TINY),
    ]


hides.breaks("the minimum norm itself", name="minimum norm")
hides.breaks("features that are not resolved", only_resolved=False)


Filter = Callable[[np.ndarray], np.ndarray]


def penalised(n_lam: float) -> Filter:
    return lambda k: k / (k + n_lam)


def descended(steps: int, top: float) -> Filter:
    return lambda k: 1 - (1 - k / top) ** steps


def steep(step: float) -> Filter:
    return lambda k: (k >= step).astype(float)


def filters(top: float) -> dict[str, Filter]:
    """Share of each direction of X that a method has learned, by its squared singular value k <= top; 1 is all."""
    return {
        **{f"ridge, nλ = {n_lam}": penalised(n_lam) for n_lam in (0.1, 1.0, 10.0)},
        **{f"descent, {steps} steps": descended(steps, top) for steps in (3, 30, 300)},
        "principal components": steep(1.2),
        "minimum norm": np.ones_like,
    }


def own_and_self(X: np.ndarray, rows: np.ndarray, learned: Filter) -> tuple[np.ndarray, np.ndarray]:
    """For once-seen features, one in each row of `rows`: share of the coefficient learned, and self-influence."""
    k, vectors = np.linalg.eigh(X @ X.T)
    share = np.where(k > 1e-9, learned(np.maximum(k, 1e-9)), 0.0)
    weight = vectors[rows] ** 2
    return weight @ (share / np.maximum(k, 1e-9)), weight @ share


def coefficient_ratio(tables: int = 20_000) -> np.ndarray:
    """Learners with coefficients: loss on the row with a fresh sign, over (1 - h)^2 tau^2 / 2; the first is the best.

    Fair sign, tau = 1; the feature's own coefficient and the rest of the row answer to the sign at random, with noise.
    """
    rng = np.random.default_rng(2)
    own, rest, noise_own, noise_rest = rng.normal(0.5, 0.7, (4, tables))
    own[0], rest[0], noise_own[0], noise_rest[0] = 0.7, -0.3, 0.0, 0.0
    loss = (1 - own) ** 2 + noise_own**2 + rest**2 + noise_rest**2
    return loss / ((1 - own - rest) ** 2 / 2)


@claim(
    "thm-self-influence",
    "For learners with one coefficient a feature, low self-influence is enough",
    functions=("book.linear.formulas.ridge_once_seen", "book.linear.formulas.ridge_leverage"),
    teeth={"the same, the best of them": 0.99, "(c) least loss over bound": 0.8},
    blunt={"both against the closed forms": "it compares two computations, with no constant to move"},
)
def self_influence(half: float = 0.5, backwards: bool = False, factor: float = 1.0) -> list[Found]:
    """Random learners with coefficients; filters and steps on five designs; two methods on 8 pairs."""
    ratio = coefficient_ratio() * 0.5 / half
    least, off = 1.0, 0.0
    for seed in range(5):
        X, beta, features, rows = seen(seed)
        top = float(np.linalg.norm(X, 2) ** 2)
        chosen: dict[str, Filter] = {"weak directions only": lambda k: (k < 1.2).astype(float)}
        for learned in (chosen if backwards else filters(top)).values():
            own, whole = own_and_self(X, rows, learned)
            least = min(least, float((whole - own).min()))
        if not backwards:  # every filter that does not decrease is a mixture of steps at the squared singular values
            for step in np.linalg.eigvalsh(X @ X.T):
                own, whole = own_and_self(X, rows, steep(step))
                least = min(least, float((whole - own).min()))
        own, whole = own_and_self(X, rows, filters(top)["ridge, nλ = 1.0"])
        q = np.array([formulas.ridge_once_seen(X, X @ beta, int(i), 1.0)[1] for i in features[:5]])
        off = max(off, float(np.abs(own[:5] - 1 / (2 + q)).max()))
        off = max(off, float(np.abs(whole - formulas.ridge_leverage(X, 1.0)[rows]).max()))
    asked = [a for name in ("ridge, nλ = 1", "ridge, nλ = 10", "descent, 30 steps") for a in answers(name)]
    return [
        at_least("(a) least loss over bound, random learners", ratio.min(), 1 - TINY),
        at_most("(a) the same, the best of them", ratio[0], 1 + TINY),
        at_least("(b) least self-influence minus share of the coefficient learned", least, -TINY),
        at_most("(b) both against the closed forms of ridge, largest difference", off, TINY),
        at_least("(c) least loss over bound on a pair", min(a.loss / (factor * a.own_bound) for a in asked), 1 - TINY),
        between("(c) the same, isolated ridge", alone()[1] / (factor * (1 - alone()[0]) ** 2), 1 - TINY, 1 + TINY),
    ]


self_influence.breaks("the whole for the half in (a)", half=1.0)
self_influence.breaks("a method that learns weak directions first", backwards=True)
self_influence.breaks("two per cent more", factor=1.02)


def learner_rows() -> list[tuple[Any, ...]]:
    """For the page: learner, self-influence, influence, loss, bound, loss without both rows; intervals over pairs."""
    shown = ("self_influence", "influence", "loss", "bound", "held_out")
    return [(name, *(interval([getattr(a, key) for a in answers(name)]) for key in shown)) for name in LEARNERS]


def fig_necessity() -> Picture:
    """Loss on two composed features against self-influence, and against the influence on the composed row."""
    figure, axes = subplots(1, 2, size=(8.4, 3.8), sharey=True)
    grid, words = np.linspace(0, 1, 101), []
    for ax, key, title in zip(axes, ("self_influence", "influence"), ("its own row", "the composed row"), strict=True):
        ax.fill_between(grid, 0, (1 - grid) ** 2, color=GREY, alpha=0.18, linewidth=0)
        ax.plot(grid, (1 - grid) ** 2, color=INK, lw=1.2, label="(1 − influence)²")
        ax.set(xlabel=f"influence of a once-seen row on {title}", xlim=(-0.04, 1.04), ylim=(0, 2.6))
        for name, (_, color) in LEARNERS.items():
            mean = Asked(*np.mean(answers(name), axis=0).tolist())
            x, loss = getattr(mean, key), mean.loss / mean.variance
            shown = min(loss, 2.5)
            ax.plot([x], [shown], marker="^" if loss > shown else "o", color=color, ls="", ms=6)
            if key == "influence":
                words.append(f"{name}: {mean.self_influence:.2f}, {x:.2f}, loss {loss:.2f}")
            elif name in OFFSETS:
                ax.annotate(name, (x, shown), OFFSETS[name], textcoords="offset points", color=color, fontsize=8)
    axes[0].set_ylabel("loss on the pair, share of its variance")
    axes[1].legend(loc="upper right")
    return picture(
        figure,
        "Loss on two composed once-seen features, as a share of the variance of their coefficients, for ten learners: "
        "self-influence, influence on the composed row, loss. " + "; ".join(words) + ".",
    )


OFFSETS = {
    "modest": (8, -3),
    "nearest neighbour": (-92, -3),
    "random forest": (-76, -3),
    "Gaussian kernel": (-84, 6),
    "ridge, nλ = 1": (-22, -14),
    "ridge, nλ = 10": (8, 4),
    "minimum norm": (-74, -2),
}
