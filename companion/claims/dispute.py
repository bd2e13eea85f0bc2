"""Ledger entries of the dispute: what the scores estimate, how well, and what removal and leaks do."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from scipy import stats

from companion.claims import Claim
from companion.linear.model import LongTailModel
from companion.linear.risk import composition_risk, population_risk
from companion.linear.solve import min_norm, ridge
from companion.linear.structure import feature_counts, leverage
from companion.memorization.loo import (
    least_squares_loo,
    nearest_correct,
    nearest_loo,
    nearest_subset_scores,
    neighbour_order,
)
from companion.memorization.mixtures import LongTailMixture, Split, plant_clusters
from companion.memorization.null import exact_pvalues
from companion.memorization.removal import NearestNeighbour
from companion.memorization.scores import fractional, memorization_scores
from companion.memorization.tail import expected_count, expected_mass, price, zipf
from companion.memorization.variance import cluster_law, exact_error, quoted_bound, variance_bound

EXACT = 1e-9  # what counts as equal, for quantities of size one


# What is estimated --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _tiny() -> tuple[np.ndarray, np.ndarray]:
    """Five points and their labels, few enough to go through every draw of the estimator."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(5, 2)), np.array([0, 1, 0, 1, 1])


def _subsets(n: int, m: int) -> np.ndarray:
    masks = np.zeros((len(list(itertools.combinations(range(n), m))), n), dtype=bool)
    for row, chosen in zip(masks, itertools.combinations(range(n), m), strict=True):
        row[list(chosen)] = True
    return masks


def unbiased(target: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None) -> float:
    """Mean of the estimator over *all* draws of three 3-subsets of five points, both groups non-empty."""
    X, y = _tiny()
    masks = _subsets(5, 3)
    correct = nearest_correct(neighbour_order(X), y, masks)
    draws = [list(d) for d in itertools.product(range(len(masks)), repeat=3)]
    mean = np.nanmean([memorization_scores(correct[d], masks[d]) for d in draws], axis=0)
    wanted = nearest_subset_scores(X, y, 3) if target is None else target(X, y)
    return 1 - float(np.abs(mean - wanted).max()) / EXACT


def size_gap(*, whose: str = "others") -> float:
    """Right without i, subsets of m against m-1: the mean over others j of what adding j to m-1 points does to i.

    Added up over m these means are the step from 1 point to n-1, which is at most 1 in absolute value.
    """
    rng = np.random.default_rng(0)
    n, worst, total = 7, 0.0, np.zeros(7)
    X, y = rng.normal(size=(n, 2)), rng.integers(2, size=n)
    order = neighbour_order(X)
    without = {m: 1 - nearest_subset_scores(X, y, m) for m in range(1, n)}
    for m, i in itertools.product(range(2, n), range(n)):
        gains = []
        for base in (b for b in _subsets(n, m - 1) if not b[i]):
            added = np.stack([base | (np.arange(n) == j) for j in range(n)])
            allowed = (~base & (np.arange(n) != i)) if whose == "others" else np.arange(n) == i
            before = nearest_correct(order, y, base[None])[0, i]
            gains += [float(a) - float(before) for a in nearest_correct(order, y, added[allowed])[:, i]]
        worst = max(worst, abs(float(without[m][i] - without[m - 1][i]) - float(np.mean(gains))))
        total[i] += np.mean(gains)
    worst = max(worst, float(np.abs(total - (without[n - 1] - without[1])).max()), float(np.abs(total).max()) - 1)
    return 1 - worst / EXACT


def error_bound(*, constant: float = 0.5, copies: int = 1) -> float:
    """Slack of the variance bound over rates, numbers of models and kinds of point, as a share of the bound.

    `constant` replaces 1/2; with `copies` = 2 every model is there twice and only half of them are independent.
    """
    slack = []
    for t, r in itertools.product((2, 4, 10, 50, 400, 2000), (0.02, 0.3, 0.5, 0.7, 0.95, 0.99)):
        bound = 2 * constant * variance_bound(r, t)
        for inside, outside in itertools.product((0.0, 0.5, 0.8, 1.0), repeat=2):
            slack.append(1 - exact_error(inside, outside, r, t // copies) / bound)
        if copies == 1 and constant == 0.5:
            slack.append(1 - bound / quoted_bound(r, t))
    return min(slack)


# What the tail is worth -----------------------------------------------------------------------------------------


def singleton_price(*, informed: bool = False, times: int = 1) -> float:
    """Every assignment of four frequencies to four points and every sample of three: cost of misfits against tau.

    And, over all labels in two classes too, the whole error against its parts. The algorithm answers 0 where it has
    seen nothing. It misfits, of the points seen once, the one with the smallest name. `informed`: names go with
    frequencies, so that it misfits the rarest. `times`: uses tau of another count.
    """
    p = np.array([0.1, 0.2, 0.3, 0.4])
    worlds = [p] if informed else [np.array(w) for w in itertools.permutations(p)]
    cost = count = all_cost = error = parts = 0.0
    spread = 0.0
    for draws in itertools.product(range(4), repeat=3):
        seen = np.bincount(draws, minlength=4)
        chance = np.array([w[list(draws)].prod() / len(worlds) for w in worlds])
        mass = chance @ np.array(worlds)  # chance of the sample times the posterior mean frequency
        for c in set(seen):
            spread = max(spread, float(np.ptp(mass[seen == c]) / chance.sum()))
        once = np.flatnonzero(seen == 1)
        if once.size:
            cost += mass[once[0]] * once.size
            count += chance.sum() * once.size
            all_cost += mass[once].sum()
            parts += mass[once].mean()  # tau_1 of this sample, for the one misfit
        for label in itertools.product((0, 1), repeat=4):
            said = np.where(seen > 0, label, 0)
            said[once[:1]] = 1 - said[once[:1]]
            error += float(mass[said != label].sum()) / 2**4
    tau = price(p, 3, times)
    parts += (1 - 1 / 2) * expected_mass(p, 3, 0)
    gap = max(abs(cost - tau * count), abs(all_cost - expected_mass(p, 3, 1)), abs(error - parts), spread)
    return 1 - gap / EXACT


def good_turing(*, step: int = 1) -> float:
    """Expected mass of points seen l times, against (l+1)/(n+1) times the expected count at l+1 with n+1 draws."""
    worst = 0.0
    for exponent, n, times in itertools.product((0.0, 0.5, 1.0, 2.0), (1, 10, 300), (0, 1, 2)):
        p = zipf(200, exponent)
        one_up = (times + 1) / (n + step) * expected_count(p, n + step, times + 1)
        worst = max(worst, abs(expected_mass(p, n, times) - one_up))
    return 1 - worst / EXACT


def leverage_score(*, lam: float = 0.0, power: int = 1) -> float:
    """Residual with the row against (1-h) times the residual without it, by refitting; any rank."""
    worst = 0.0
    rng = np.random.default_rng(1)
    for shape in ((12, 5), (6, 12), (9, 9)):
        X = np.where(rng.random(shape) < 0.4, rng.choice([-1.0, 1.0], shape), 0)
        X[1] = X[0]
        y = rng.normal(size=shape[0])
        h = least_squares_loo(X, y).leverage
        for r in range(shape[0]):
            rest = np.arange(shape[0]) != r
            inside, outside = (y[r] - X[r] @ _fit(X[k], y[k], lam) for k in (rest | True, rest))
            worst = max(worst, abs(inside - (1 - h[r]) ** power * outside))
    return 1 - worst / 1e-7


def _fit(X: np.ndarray, y: np.ndarray, lam: float) -> np.ndarray:
    return ridge(X, y, lam) if lam else min_norm(X, y)


# The four flaws ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _world() -> Split:
    return LongTailMixture(clusters=300).sample(200, 300, seed=0)


def sampling_law(*, twin_labels: str = "same", outsiders: str = "other") -> float:
    """Exact scores of planted clusters against the law, the law between its two bounds, and leave-one-out."""
    margin = 1.0
    for size, r in itertools.product((1, 2, 3, 4), (0.5, 0.7, 0.95)):
        split = plant_clusters(_world(), size, 4, seed=size)
        y, n, planted = split.y.copy(), len(split.y), slice(-4 * size, None)
        if twin_labels == "different":
            y[planted] = y.max() + np.arange(4 * size)
        if outsiders == "same":
            y[: -4 * size] = y[-1]
        m = round(r * n)
        law = cluster_law(size, n, m)
        for points, stated in ((m, law), (n - 1, float(size == 1)), (n - 1, cluster_law(size, n, n - 1))):
            scores = nearest_subset_scores(split.X, y, points)[planted]
            margin = min(margin, 1 - float(np.abs(scores - stated).max()) / EXACT)
        if size > 1:
            low, high = (1 - m / (n - size + 1)) ** (size - 1), (1 - m / n) ** (size - 1)
            margin = min(margin, (high - law) / (high - low))
            if size > 2:  # at size 2 the lower bound is the law
                margin = min(margin, (law - low) / (high - low))
    return margin


def fractional_order(*, slack: bool = True) -> float:
    """frac = q/(2-q), and a score ahead by the factor 1/(1-eps) stays ahead when every inside rate is >= 1-eps."""
    rng = np.random.default_rng(0)
    worst, ahead = 0.0, np.inf
    for eps in (0.0, 0.01, 0.2, 0.7):
        inside = 1 - eps * rng.random(400)
        outside = inside * rng.random(400)
        s, frac = inside - outside, fractional(inside, outside)
        q = s / inside
        worst = max(worst, float(np.abs(frac - q / (2 - q)).max()))
        factor = 1 / (1 - eps) if slack else 1.0
        leads = s[:, None] > s[None] * factor + 1e-12
        ahead = min(ahead, float((frac[:, None] - frac[None])[leads].min()))
    return min(1 - worst / EXACT, ahead / 1e-6)


def calibrated(*, strict: bool = False, memorized: float = 0.0) -> float:
    """Chance of p <= level when nothing is memorized, exactly, as a share of the level left unused.

    `strict`: counts only larger scores, not equal ones. `memorized`: the point is right more often inside.
    """
    t, r, right = 12, 0.7, 0.5
    a, b, c = np.meshgrid(np.arange(t + 1), np.arange(t + 1), np.arange(t + 1), indexing="ij")
    ok = (b <= a) & (c <= t - a)
    a, b, c = a[ok], b[ok], c[ok]  # saw the point; saw it and right; did not and right
    chance = stats.binom.pmf(a, t, r)
    chance = chance * stats.binom.pmf(b, a, min(1, right + memorized)) * stats.binom.pmf(c, t - a, right)
    p = np.array([_pvalue(int(i), int(j), int(k), t, strict) for i, j, k in zip(a, b, c, strict=True)])
    return min(1 - float(chance[p <= level].sum()) / level for level in (0.01, 0.05, 0.1, 0.25))


@lru_cache(maxsize=4096)
def _pvalue(a: int, b: int, c: int, t: int, strict: bool) -> float:
    """Through the library where it applies: models in the order saw-right, saw-wrong, not-right, not-wrong."""
    if a in (0, t):
        return 1.0
    if strict:
        return float(stats.hypergeom.sf(b, t, b + c, a))
    included = np.arange(t) < a
    correct = np.where(included, np.arange(t) < b, np.arange(t) < a + c)
    return float(exact_pvalues(correct[:, None], included[:, None])[0])


def leak_shift(*, spread: float = 1e-4, corrected: bool = False) -> float:
    """Leaky minus clean effect of removal, by copying every training point once, against the formula."""
    split, share = _world(), 0.1
    removed = nearest_loo(split.X, split.y) == 1
    keep = ~removed
    noise = spread * np.random.default_rng(0).standard_normal(split.X.shape)
    clean = NearestNeighbour(split.X, split.y, split.X_test)
    copies = NearestNeighbour(split.X, split.y, split.X + noise)
    labels = split.truth if corrected else split.y
    gain = clean.accuracy(split.y_test, keep) - clean.accuracy(split.y_test)
    copied = copies.accuracy(labels, keep) - copies.accuracy(labels)
    leaky = (1 - share) * gain + share * copied
    wrong = 1 - NearestNeighbour(split.X, split.y, split.X[removed]).accuracy(split.y[removed], keep)
    return 1 - abs(leaky - gain + share * (gain + removed.mean() * wrong)) / EXACT


# Composition as the test set -----------------------------------------------------------------------------------


def composition_lost(*, remove: str = "memorized") -> float:
    """After removing the rows of leverage 1: composition of once-seen features costs what predicting 0 costs.

    And the in-distribution loss is at least that of the features then unseen.
    """
    worst = 0.0
    for alpha, seed in itertools.product((1.5, 2.0, 3.0), range(2)):
        model = LongTailModel(n=400, d=4000, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
        sample = model.sample(seed=seed)
        h = leverage(sample.X)
        once = feature_counts(sample.X) == 1
        gone = h > 1 - 1e-8
        if remove == "random":
            gone = np.random.default_rng(seed).permutation(gone)
        beta = min_norm(sample.X[~gone], sample.y[~gone])
        nothing = composition_risk(np.zeros(model.d), model, once, 2)
        worst = max(worst, abs(composition_risk(beta, model, once, 2) / nothing - 1))
        unseen = feature_counts(sample.X[~gone]) == 0
        floor = float(model.p[unseen] @ model.beta[unseen] ** 2)
        if population_risk(beta, model) < floor - EXACT:
            return -1.0
    return 1 - worst / EXACT


_MEASURING, _FLAWS, _WHO = (f"book/dispute/{name}" for name in ("measuring", "four-flaws", "who-is-right"))
_OURS, _PROVED, _ELSEWHERE = "ours", "proved here", "published elsewhere"
_AREA = "companion.memorization"

CLAIMS = (
    Claim(
        "prop-unbiased",
        "The subset estimator is unbiased for the comparison of m-subsets with the point and m-subsets without it",
        _ELSEWHERE,
        _PROVED,
        _MEASURING,
        unbiased,
        {
            "the target is leave-one-out": lambda: unbiased(nearest_loo),
            "the target compares m with m-1": lambda: unbiased(lambda X, y: nearest_subset_scores(X, y, 3, without=2)),
        },
        (f"{_AREA}.memorization_scores", f"{_AREA}.nearest_subset_scores"),
    ),
    Claim(
        "prop-size",
        "Subsets of m and of m-1 points differ by the mean influence of the others, which telescopes over m",
        _OURS,
        _PROVED,
        _MEASURING,
        size_gap,
        {"the point itself is the one added": lambda: size_gap(whose="itself")},
        (f"{_AREA}.nearest_subset_scores",),
    ),
    Claim(
        "thm-variance",
        "The mean squared error of a score is at most 1/(2(t+1)r(1-r)), which is below the bound as quoted",
        _OURS,
        _PROVED,
        _MEASURING,
        error_bound,
        {
            "1/4 in the place of 1/2": lambda: error_bound(constant=0.25),
            "every model is there twice": lambda: error_bound(copies=2),
        },
        (f"{_AREA}.variance_bound", f"{_AREA}.exact_error", f"{_AREA}.quoted_bound"),
    ),
    Claim(
        "thm-price",
        "A misfitted share of the points seen l times costs that share of tau_l times their number, whichever it is",
        _OURS,
        _PROVED,
        _MEASURING,
        singleton_price,
        {
            "the algorithm knows which points are rare": lambda: singleton_price(informed=True),
            "tau_2 for points seen once": lambda: singleton_price(times=2),
        },
        (f"{_AREA}.price", f"{_AREA}.expected_mass"),
    ),
    Claim(
        "prop-one-step-up",
        "Expected mass of the points seen l times is (l+1)/(n+1) times the expected count one step up",
        _ELSEWHERE,
        _PROVED,
        _MEASURING,
        good_turing,
        {"counts from the same n draws": lambda: good_turing(step=0)},
        (f"{_AREA}.expected_mass", f"{_AREA}.expected_count"),
    ),
    Claim(
        "prop-leverage-score",
        "In the linear model, including a row removes the share h of its held-out residual: leverage is the score",
        _ELSEWHERE,
        _PROVED,
        _MEASURING,
        leverage_score,
        {
            "ridge instead of minimum norm": lambda: leverage_score(lam=0.1),
            "(1-h) squared": lambda: leverage_score(power=2),
        },
        (f"{_AREA}.least_squares_loo",),
    ),
    Claim(
        "prop-cluster-law",
        "A point with c-1 twins has subsampled score about (1-r)^(c-1), with leave-one-out score 0 for c > 1",
        _OURS,
        _PROVED,
        _FLAWS,
        sampling_law,
        {
            "twins with labels of their own": lambda: sampling_law(twin_labels="different"),
            "all the others carry the twins' label": lambda: sampling_law(outsiders="same"),
        },
        (f"{_AREA}.cluster_law", f"{_AREA}.nearest_subset_scores"),
    ),
    Claim(
        "lem-fractional",
        "The fractional score is q/(2-q), q the relative score: on a fitted training set it changes no ranking",
        _OURS,
        _PROVED,
        _FLAWS,
        fractional_order,
        {"the training set is not fitted": lambda: fractional_order(slack=False)},
        (f"{_AREA}.fractional",),
    ),
    Claim(
        "prop-null",
        "Permuting the masks is Fisher's exact test: its p-values are valid when nothing is memorized",
        _ELSEWHERE,
        _PROVED,
        _FLAWS,
        calibrated,
        {
            "only strictly larger scores count": lambda: calibrated(strict=True),
            "the point is memorized": lambda: calibrated(memorized=0.4),
        },
        (f"{_AREA}.exact_pvalues",),
    ),
    Claim(
        "prop-leak",
        "A leak of share l moves the effect D of removing a share q by -l(D + q e), e the error on the removed points",
        _OURS,
        _PROVED,
        _FLAWS,
        leak_shift,
        {
            "copies as far apart as the clusters are wide": lambda: leak_shift(spread=0.35),
            "the copies carry true labels": lambda: leak_shift(corrected=True),
        },
        (f"{_AREA}.leak",),
    ),
    Claim(
        "prop-composition-lost",
        "Removing the memorized rows of the linear model makes composition cost what predicting nothing costs",
        _OURS,
        _PROVED,
        _WHO,
        composition_lost,
        {"as many random rows": lambda: composition_lost(remove="random")},
        ("companion.linear.composition_risk", f"{_AREA}.least_squares_loo"),
    ),
)
