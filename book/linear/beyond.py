"""The room of *Beyond the model*: topics, least l1 and maximal margin; checks, breaks and figures."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog, lsq_linear

from book.linear import formulas
from book.shared.draws import TINY, deviations, long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import BLUE, GREEN, GREY, INK, ORANGE, Picture, picture, subplots, whiskers
from companion.linear import components, feature_counts, level_one, min_norm, resolved, sample_design, theory
from companion.runner.results import interval


class Topics(NamedTuple):
    """`size` features a topic. Topic b is on with probability on[b], and each of its features then with within[b]."""

    on: np.ndarray
    within: np.ndarray
    size: int

    @property
    def p(self) -> np.ndarray:
        """Frequency of each feature, topic by topic, shape (topics * size,)."""
        return np.repeat(self.on * self.within, self.size)


@lru_cache(maxsize=16)
def zipf_topics(share: float, topics: int = 300, size: int = 4, alpha: float = 2.0, s: float = 5.0) -> Topics:
    """Topics whose features have power-law frequencies q_b that do not depend on `share`, the chance within a topic.

    A topic with q_b > share is on in every row. So at share 0 all features are independent.
    """
    law = np.arange(1, topics + 1) ** -alpha
    q = np.minimum(0.9, s / (size * law.sum()) * law)
    within = np.maximum(q, share)
    return Topics(q / within, within, size)


def draw(topics: Topics, n: int, seed: int) -> np.ndarray:
    """A design of n rows, dense (n, topics * size), entries 0, 1 and -1 with fair independent signs."""
    rng = np.random.default_rng(seed)
    shape = (n, topics.on.size, topics.size)
    held = (rng.random(shape[:2]) < topics.on)[:, :, None] & (rng.random(shape) < topics.within[:, None])
    return (held * rng.choice([-1.0, 1.0], shape)).reshape(n, -1)


def mean_power(chance: np.ndarray, within: np.ndarray, n: int, power: int) -> np.ndarray:
    """E (1 - w (1-w)^N)^power for N ~ Bin(n, chance): expand the power, sum over N term by term."""
    terms = (
        math.comb(power, j) * (-within) ** j * (1 - chance + chance * (1 - within) ** j) ** n for j in range(power + 1)
    )
    return np.asarray(sum(terms))


def shared_row(topics: Topics, n: int) -> np.ndarray:
    """P(the row of i holds another once-seen feature | i is seen once), by topic of i."""
    on, within, size = topics
    q = on * within
    own = mean_power(on * (1 - within) / (1 - q), within, n - 1, size - 1)
    other = 1 - on * (1 - mean_power(on, within, n - 1, size))
    return 1 - own * np.exp(np.log(other).sum() - np.log(other))


class Shares(NamedTuple):
    """One number a draw; shares are of the features seen once."""

    shared: np.ndarray  # share with another once-seen feature in their row
    unresolved: np.ndarray  # share that is not resolved
    unseen: np.ndarray  # expected number of unseen features in a fresh row
    seen: np.ndarray  # number of features seen
    level_one: np.ndarray  # number of features alone in some row, nothing known


ROWS = 300


@lru_cache(maxsize=16)
def measured(share: float, draws: int = 12) -> Shares:
    """`Shares` of `draws` designs with `ROWS` rows."""
    topics, found = zipf_topics(share), []
    for seed in range(draws):
        X = draw(topics, ROWS, seed)
        count, told = feature_counts(X), resolved(X)
        once = np.flatnonzero(count == 1)
        row = np.abs(X[:, once]).argmax(0)
        crowd = np.bincount(row, minlength=ROWS)[row]
        unseen = topics.p @ (count == 0)
        found.append(((crowd > 1).mean(), 1 - told[once].mean(), unseen, (count > 0).sum(), level_one(X, 0).sum()))
    return Shares(*np.array(found, float).T)


def expected_shared(topics: Topics) -> float:
    """`shared_row`, averaged over the features that are seen once."""
    q = topics.on * topics.within
    return float(np.average(shared_row(topics, ROWS), weights=q * (1 - q) ** (ROWS - 1)))


@claim(
    "thm-topics",
    "With topics, a once-seen feature is unresolved with a probability that does not vanish",
    teeth={"(b) unresolved share": 0.6},
)
def once_seen_in_topics(factor: float = 1.0, independent: bool = False) -> list[Found]:
    """12 designs of 300 rows, 300 topics of four, three chances within a topic; and the limit law at n = 10 to 10^6."""
    found = []
    for share in (0.1, 0.3, 0.6):
        seen = measured(share)
        stated = factor * expected_shared(zipf_topics(0.0 if independent else share))
        error = 4 * seen.shared.std(ddof=1) / math.sqrt(seen.shared.size)
        what = f"chance within {share}: "
        found += [
            between(f"{what}(a) share with a once-seen mate", seen.shared.mean(), stated - error, stated + error),
            at_least(f"{what}(b) unresolved share", seen.unresolved.mean() + error, stated),
        ]
    n = 10**6  # one topic of two, its features seen once in n rows on average
    within = 1 / n if independent else 0.3
    pair = Topics(np.array([1 / (within * n)]), np.array([within]), 2)
    limit = factor * 0.3 * math.exp(-0.7)
    return [*found, between("(c) two features alone: (a) over its limit", shared_row(pair, n)[0] / limit, 0.999, 1.001)]


once_seen_in_topics.breaks("features independent, at the same frequencies", independent=True)
once_seen_in_topics.breaks("a fifth more", factor=1.2)
once_seen_in_topics.breaks("a fifth less", factor=0.8)


@claim(
    "prop-marginals",
    "What a design has seen depends on frequencies alone, whether or not features come together",
    functions=("companion.linear.theory.unseen_mass", "companion.linear.theory.expected_seen"),
)
def marginals(of: str = "seen", scale: float = 1.0) -> list[Found]:
    """12 designs with topics whose features come together with chance 0.6: deviations of the mean, standard errors."""
    p, seen = zipf_topics(0.6).p, measured(0.6)
    stated = theory.expected_seen(p, ROWS) if of == "seen" else formulas.expected_level_one(p, 0, ROWS)
    return [
        at_most(f"number of features {of}", deviations(seen.seen if of == "seen" else seen.level_one, stated), 4),
        at_most(
            "expected number of unseen features in a row",
            deviations(seen.unseen, scale * theory.unseen_mass(p, ROWS)),
            4,
        ),
    ]


marginals.breaks("level-one features, by the formula for independent ones", of="alone in a row")
marginals.breaks("an unseen mass a quarter larger", scale=1.25)


def fig_topics() -> Picture:
    """Unresolved and sharing shares of the once-seen features against the chance within a topic."""
    grid = np.linspace(0, 1, 41)
    figure, ax = subplots(size=(6.6, 3.5))
    line = [expected_shared(zipf_topics(float(share))) for share in grid]
    ax.plot(grid, line, color=GREEN, label="with a once-seen mate: theorem (a)")
    words = []
    for key, color, label in (
        ("shared", GREEN, "the same, measured"),
        ("unresolved", BLUE, "unresolved, measured"),
    ):
        found = [interval(getattr(measured(share), key).tolist()) for share in SHARES]
        whiskers(ax, SHARES, found, color=color, label=label)
        words.append(f"{label}: " + ", ".join(f"{at:g}: {m['mean']:.2f}" for at, m in zip(SHARES, found, strict=True)))
    ax.axhline(line[0], color=GREY, lw=1, ls="--")
    ax.text(0.99, line[0] - 0.02, "independent features", color=GREY, ha="right", va="top", fontsize=8.5)
    ax.set(
        xlabel="chance that a good is bought when its group is",
        ylabel="share of the once-seen features",
        ylim=(0, 1.04),
    )
    ax.legend(loc="lower right", bbox_to_anchor=(1, 0.16))
    return picture(figure, f"Shares of the once-seen features against the chance within a topic. {'; '.join(words)}.")


SHARES = (0.0, 0.1, 0.3, 0.6, 1.0)


# Other interpolators and classifiers


def least_l1(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A coefficient vector of least sum of absolute values with X b = y, by linear programming; X (n, d) dense."""
    d = X.shape[1]
    found = linprog(np.ones(2 * d), A_eq=np.hstack([X, -X]), b_eq=y, method="highs")
    if not found.success:
        raise ArithmeticError(f"the linear program found no interpolator: {found.message}")
    return found.x[:d] - found.x[d:]


def max_margin(X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The shortest b with label * (X b) >= 1 in every row, (d,): least distance by least squares with u >= 0.

    X: (n, d) dense; labels: (n,) of +1 and -1. Source: Lawson and Hanson's reduction of least distance programming. The
    answer is certified: ArithmeticError where no vector separates the labels, or where a row counts that is not at the
    margin (`scipy.optimize.nnls` stops there on some processors).
    """
    A = X * labels[:, None]
    target = np.zeros(X.shape[1] + 1)
    target[-1] = 1.0
    M = np.vstack([A.T, np.ones(len(A))])
    u = lsq_linear(M, target, (0, np.inf), method="bvls", tol=1e-14, max_iter=50 * len(A)).x
    residual = target - M @ u
    if np.linalg.norm(residual) < 1e-9:
        raise ArithmeticError("no vector separates the labels")
    b = -residual[:-1] / residual[-1]
    beyond = A @ b - 1
    if beyond.min() < -TINY or (u * beyond).max() > TINY * residual[-1]:
        raise ArithmeticError("the largest margin was not reached")
    return b


class Drawn(NamedTuple):
    """A training set with its seen columns only, none of its rows empty."""

    X: np.ndarray
    beta: np.ndarray
    told: np.ndarray  # resolved
    once: np.ndarray  # features seen once ...
    rows: np.ndarray  # ... and their rows


@lru_cache(maxsize=64)
def training_set(seed: int, alpha: float = 1.5, kept: float = 1.0, n: int = 200) -> Drawn:
    """Figure 1's model with random signs of beta; only the share `kept` of its coefficients is not zero."""
    model, rng = long_tail(alpha, n), np.random.default_rng(seed)
    X = sample_design(n, model.p, seed=seed)
    used = feature_counts(X) > 0
    beta = model.beta * rng.choice([-1.0, 1.0], model.d) * (rng.random(model.d) < kept)
    X = X[:, used].toarray()
    X = X[np.abs(X).sum(1) > 0]
    return Drawn(X, beta[used], resolved(X), *theory.once_seen_rows(X))


DRAWS = 10


def dual_certified(drawn: Drawn, strict: bool = True) -> np.ndarray:
    """For each unresolved feature, whether a dual vector proves that least l1 finds it; bool (d,), False elsewhere.

    The unresolved features fall into components, and least l1 with them. strict: whether |x_j w| < 1 is asked off the
    support, or <= 1.
    """
    X, beta, told, *_ = drawn
    certified = np.zeros(beta.size, bool)
    for rows, features in components(X, ~told):
        A, support = X[np.ix_(rows, features)], beta[features] != 0
        off, m = A[:, ~support], len(rows)
        # unknowns w and t: least t with |x_j w| <= t off the support and x_i w = sign(beta_i) on it
        ones = np.ones((off.shape[1], 1))
        found = linprog(
            np.append(np.zeros(m), 1.0),
            A_ub=np.vstack([np.hstack([off.T, -ones]), np.hstack([-off.T, -ones])]),
            b_ub=np.zeros(2 * off.shape[1]),
            A_eq=np.hstack([A[:, support].T, np.zeros((support.sum(), 1))]),
            b_eq=np.sign(beta[features][support]),
            bounds=[(None, None)] * m + [(0, None)],
        )
        independent = np.linalg.matrix_rank(A[:, support]) == support.sum() if support.any() else True
        small = found.success and found.x[-1] < (1 - 1e-7 if strict else 1 + 1e-7)
        certified[features] = small and (independent or not strict)
    return certified


@claim(
    "prop-dual",
    "A dual vector proves that least l1 finds a sparse beta, where the rows alone do not",
    source="published elsewhere",
)
def dual(strict: bool = True, kept: float = 0.2) -> list[Found]:
    """Five training sets of 200 rows at alpha = 1.5, four coefficients in five zero."""
    worst, share = 0.0, []
    for seed in range(5):
        drawn = training_set(seed, kept=kept)
        error = np.abs(least_l1(drawn.X, drawn.X @ drawn.beta) - drawn.beta)
        certified = dual_certified(drawn, strict)
        worst = max(worst, float(error[certified | drawn.told].max()))
        share.append(certified[~drawn.told].mean())
    return [
        at_most("largest error of least l1 on resolved and certified features", worst, 1e-6),
        at_least("certified share of the unresolved features", np.mean(share), 0.5),
    ]


dual.breaks("|<x_j, w>| = 1 allowed off the support", strict=False)
dual.breaks("no coefficient zero", kept=1.0)


def signs(X: np.ndarray, beta: np.ndarray) -> np.ndarray:
    return np.where(X @ beta >= 0, 1.0, -1.0)


def readable(drawn: Drawn, factor: float = 1.0) -> np.ndarray:
    """For the once-seen features, whether the rest of the row weighs less than the feature; bool."""
    own = drawn.X[drawn.rows, drawn.once] * drawn.beta[drawn.once]
    return np.abs(drawn.X[drawn.rows] @ drawn.beta - own) < factor * np.abs(own)


@claim(
    "prop-sign-label", "A sign label tells the sign of a once-seen coefficient if it outweighs its row, else nothing"
)
def sign_label(factor: float = 1.0) -> list[Found]:
    """Each once-seen coefficient of ten training sets gets the other sign; labels that change are counted."""
    silent, told = 0, 1.0
    for seed in range(DRAWS):
        drawn = training_set(seed)
        labels, clear = signs(drawn.X, drawn.beta), readable(drawn, factor)
        for i, r, able in zip(drawn.once, drawn.rows, clear, strict=True):
            other = drawn.beta.copy()
            other[i] *= -1
            changed = signs(drawn.X, other) != labels
            silent = max(silent, 0 if able else int(changed.sum()))
            told = min(told, float(changed[r] and labels[r] * drawn.X[r, i] * drawn.beta[i] > 0) if able else 1.0)
    return [
        at_most("largest number of labels changed, feature outweighed by its row", silent, 0),
        at_least("least of: the label changes and points with the feature, feature not outweighed", told, 1),
    ]


sign_label.breaks("outweighed by half as much again", factor=1.5)
sign_label.breaks("outweighed by half", factor=0.5)


@claim(
    "prop-max-margin",
    "The maximal margin memorizes a once-seen feature by what its row lacks when held out",
    blunt={
        "(b) largest": "it states a sign, with no constant to move",
        "(c) largest": "it is the margin, 1, by which the method itself is defined",
    },
)
def margin(needed: float = 1.0, power: float = 2.0) -> list[Found]:
    """Thirty once-seen features in each of three training sets, refitted without their rows."""
    over, under, off, alone = 0.0, np.inf, 0.0, 0.0
    for seed in range(3):
        drawn = training_set(seed)
        labels = signs(drawn.X, drawn.beta)
        b = max_margin(drawn.X, labels)
        for i, r in list(zip(drawn.once, drawn.rows, strict=True))[:30]:
            lacks = max(0.0, needed - held_out_margin(drawn, labels, int(r)))
            over = max(over, abs(b[i]) - lacks)
            under = min(under, abs(b[i]) - lacks / np.linalg.norm(drawn.X[r]) ** power)
            off = max(off, -b[i] * labels[r] * drawn.X[r, i])
            if np.count_nonzero(drawn.X[r]) == 1:
                alone = max(alone, abs(b[i] - np.sign(drawn.beta[i])))
    return [
        at_most("(a) largest excess of a coefficient over what its row lacks, 90 features", over, 1e-7),
        at_least("(a) least excess over that divided by the squared length of the row", under, -1e-7),
        at_most("(b) largest coefficient that points against its label", off, TINY),
        at_most("(c) largest distance from the sign, feature alone in its row", alone, 1e-7),
    ]


margin.breaks("a held-out margin of half is enough", needed=0.5)
margin.breaks("the length of the row, not its square", power=1.0)


def held_out_margin(drawn: Drawn, labels: np.ndarray, row: int) -> float:
    """Label times prediction on a row, of the maximal margin without that row."""
    b = max_margin(np.delete(drawn.X, row, 0), np.delete(labels, row))
    return float(labels[row] * (drawn.X[row] @ b))


@lru_cache(maxsize=64)
def max_margin_scores(seed: int, alpha: float = 1.5) -> dict[str, float]:
    """What the maximal margin makes of the once-seen features of one training set with sign labels; shares."""
    drawn = training_set(seed, alpha)
    b, clear = max_margin(drawn.X, signs(drawn.X, drawn.beta)), readable(drawn)
    told = min_norm(drawn.X, drawn.X @ drawn.beta)
    own, rng = b[drawn.once], np.random.default_rng(seed)
    three = np.array([rng.choice(drawn.once, 3, replace=False) for _ in range(400)])
    entries = rng.choice([-1.0, 1.0], three.shape)

    def composed(fit: np.ndarray) -> float:
        truth, answer = (np.sign((entries * c[three]).sum(1).round(9)) for c in (drawn.beta, fit))
        return float(((1 + truth * answer) / 2).mean())

    return {
        "readable": float(clear.mean()),
        "used": float((np.abs(own) > 1e-7).mean()),
        "right": float(
            ((1 + np.sign(np.where(np.abs(own) > 1e-7, own, 0)) * np.sign(drawn.beta[drawn.once])) / 2).mean()
        ),
        "ceiling": float((1 + clear.mean()) / 2),
        "three": composed(b),
        "three_real": composed(told),
    }


def margin_rows(alphas: tuple[float, ...] = (1.25, 1.5, 2.0)) -> list[tuple[Any, ...]]:
    """For the page: alpha and the scores with their 95 % intervals over ten training sets."""
    keys = ("readable", "used", "right", "ceiling", "three", "three_real")
    table = {alpha: [max_margin_scores(seed, alpha) for seed in range(DRAWS)] for alpha in alphas}
    return [(alpha, *(interval([one[key] for one in scores]) for key in keys)) for alpha, scores in table.items()]


def interpolator_rows(kept: tuple[float, ...] = (1.0, 0.5, 0.2)) -> list[tuple[Any, ...]]:
    """For the page: share of non-zero coefficients; on the unresolved features, found and loss, of l2 and of l1."""
    rows = []
    for share in kept:
        scores = []
        for seed in range(DRAWS):
            drawn = training_set(seed, kept=share)
            y, left = drawn.X @ drawn.beta, ~drawn.told
            errors = [np.abs(fit(drawn.X, y) - drawn.beta) for fit in (min_norm, least_l1)]
            scores.append(
                (
                    max(error[~left].max() for error in errors),
                    *((error[left] < 1e-6).mean() for error in errors),
                    dual_certified(drawn)[left].mean(),
                    *((error[left] ** 2).mean() for error in errors),
                )
            )
        worst, *others = np.array(scores).T
        rows.append((share, float(worst.max()), *(interval(values.tolist()) for values in others)))
    return rows


def fig_margin(seed: int = 0) -> Picture:
    """Coefficient of each once-seen feature under the maximal margin, against the margin of its row held out."""
    drawn = training_set(seed)
    labels, clear = signs(drawn.X, drawn.beta), readable(drawn)
    b = max_margin(drawn.X, labels)[drawn.once]
    x = np.array([held_out_margin(drawn, labels, int(r)) for r in drawn.rows])
    agree = np.abs(b) > 1e-7
    figure, ax = subplots(size=(6.6, 3.5))
    ax.axvline(1, color=INK, lw=0.9, ls="--")
    for mask, color, label in ((clear, BLUE, "outweighs its row"), (~clear, ORANGE, "outweighed by its row")):
        ax.plot(x[mask], (b * np.sign(drawn.beta[drawn.once]))[mask], "o", color=color, label=label, ms=4)
    ax.set(xlabel="margin of the row, held out", ylabel="coefficient, times the true sign")
    ax.legend()
    return picture(
        figure,
        f"Coefficients of {b.size} once-seen features against the held-out margin of their rows. {agree.sum()} are not "
        f"zero, all with a margin below 1; {clear.sum()} features outweigh their row.",
    )
