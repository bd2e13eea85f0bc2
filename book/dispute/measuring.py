"""The room of *What does it mean to memorize?*: checks and breaks of its statements, its figures and galleries."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from scipy import stats

from book.shared.ledger import Found, at_most, claim
from book.shared.style import (
    BLUE,
    COMMON,
    CYCLE,
    GREEN,
    GREY,
    INK,
    NEVER,
    ONCE,
    ORANGE,
    Picture,
    house,
    picture,
    subplots,
)
from companion._validate import integer, number, positive_int, vector
from companion.linear import leverage, min_norm, ridge
from companion.memorization import (
    memorization_scores,
    nearest_correct,
    nearest_loo,
    nearest_subset_scores,
    neighbour_order,
    variance_bound,
    zipf,
)
from companion.runner.results import Result

AREA = "companion.memorization"
EXACT = 1e-9  # what counts as equal, for quantities of size one


def exact_error(inside: float, outside: float, r: float, t: int) -> float:
    """Exact mean squared error of a score estimated from t subsets that hold the point with probability r.

    inside, outside: the true probabilities of being right with and without the point. Draws that leave a group
    empty count as the estimate 0 (the library returns NaN there). Source: :prf:ref:`thm-variance`.

    >>> exact_error(inside=1.0, outside=0.0, r=0.5, t=2000) < variance_bound(r=0.5, t=2000)
    True
    """
    inside, outside = number("inside", inside, low=0, high=1), number("outside", outside, low=0, high=1)
    r, t = _rate(r), positive_int("t", t)
    a = np.arange(1, t)
    weight = stats.binom.pmf(a, t, r)
    noise = weight @ (inside * (1 - inside) / a + outside * (1 - outside) / (t - a)) if t > 1 else 0.0
    return float(noise + (inside - outside) ** 2 * (r**t + (1 - r) ** t))


def quoted_bound(r: float, t: int) -> float:
    """Feldman and Zhang's bound as quoted by secondary sources: 1/(pt) + 1/((1-p)t) + exp(-pt/16)/2.

    >>> quoted_bound(r=0.5, t=2000) > variance_bound(r=0.5, t=2000)
    True
    """
    r, t = _rate(r), positive_int("t", t)
    p = min(r, 1 - r)
    return 1 / (p * t) + 1 / ((1 - p) * t) + math.exp(-p * t / 16) / 2


def expected_count(p: np.ndarray, n: int, times: int) -> float:
    """Expected number of points seen exactly `times` times in n independent draws.

    p: frequencies, shape (N,), summing to 1. Source: :prf:ref:`thm-price`.

    >>> round(expected_count(np.array([0.5, 0.5]), n=2, times=1), 6)
    1.0
    """
    p, n, times = _frequencies(p), positive_int("n", n), integer("times", times, low=0)
    return float(stats.binom.pmf(times, n, p).sum())


def expected_mass(p: np.ndarray, n: int, times: int) -> float:
    """Expected total frequency of the points seen exactly `times` times in n draws (`times=0`: the unseen mass).

    Source: :prf:ref:`prop-one-step-up`: it equals (times+1)/(n+1) times the expected count one step up.

    >>> round(expected_mass(np.array([0.5, 0.5]), n=2, times=0), 6)  # one of the two, half of the time
    0.25
    """
    p, n, times = _frequencies(p), positive_int("n", n), integer("times", times, low=0)
    return float((p * stats.binom.pmf(times, n, p)).sum())


def price(p: np.ndarray, n: int, times: int) -> float:
    """tau_times: expected frequency of the points seen `times` times, over samples and such points alike.

    Misfitting a share of them costs that share of tau times their expected number in expected error, when the sample
    does not tell which frequency belongs to which point (Feldman 2020, as we know it second-hand; our exact version is
    :prf:ref:`thm-price`). NaN if no point can be seen that often.

    >>> round(price(np.array([0.5, 0.5]), n=2, times=1), 6)
    0.5
    """
    count = expected_count(p, n, times)
    return expected_mass(p, n, times) / count if count > 0 else float("nan")


def _frequencies(p: np.ndarray) -> np.ndarray:
    p = vector("p", p)
    if p.size == 0 or (p < 0).any() or abs(p.sum() - 1) > 1e-9:
        raise ValueError(f"p must be frequencies: at least 0, summing to 1; the sum is {p.sum():.6g}")
    return p


def _rate(r: float) -> float:
    r = number("r", r, low=0, high=1, open_low=True)
    if r == 1:
        raise ValueError("r must be below 1: with r = 1 no model leaves a point out")
    return r


@cache
def tiny() -> tuple[np.ndarray, np.ndarray]:
    """Five points and their labels, few enough to go through every draw of the estimator."""
    rng = np.random.default_rng(3)
    return rng.normal(size=(5, 2)), np.array([0, 1, 0, 1, 1])


def subsets(n: int, m: int) -> np.ndarray:
    masks = np.zeros((len(list(itertools.combinations(range(n), m))), n), dtype=bool)
    for row, chosen in zip(masks, itertools.combinations(range(n), m), strict=True):
        row[list(chosen)] = True
    return masks


@claim(
    "prop-unbiased",
    "The subset estimator is unbiased for the comparison of m-subsets with the point and m-subsets without it",
    source="published elsewhere",
    functions=(f"{AREA}.memorization_scores", f"{AREA}.nearest_subset_scores"),
)
def unbiased(target: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None) -> Found:
    """Mean of the estimator over *all* draws of three 3-subsets of five points, both groups non-empty."""
    X, y = tiny()
    masks = subsets(5, 3)
    correct = nearest_correct(neighbour_order(X), y, masks)
    draws = [list(d) for d in itertools.product(range(len(masks)), repeat=3)]
    mean = np.nanmean([memorization_scores(correct[d], masks[d]) for d in draws], axis=0)
    wanted = nearest_subset_scores(X, y, 3) if target is None else target(X, y)
    error = np.abs(mean - wanted).max()
    return at_most(f"largest gap between the mean over {len(draws):,} draws and the target, five points", error, EXACT)


unbiased.breaks("the target is leave-one-out", target=nearest_loo)


@unbiased.breaks("the target compares m with m-1")
def against_one_less() -> Found:
    return unbiased(lambda X, y: nearest_subset_scores(X, y, 3, without=2))


@claim(
    "prop-size",
    "Subsets of m and of m-1 points differ by the mean influence of the others, which telescopes over m",
    functions=(f"{AREA}.nearest_subset_scores",),
)
def size_gap(whose: str = "others") -> list[Found]:
    """Right without i, subsets of m against m-1: the mean over others j of what adding j to m-1 points does to i.

    Added up over m these means are the step from 1 point to n-1, which is at most 1 in absolute value.
    """
    rng = np.random.default_rng(0)
    n, gap, total = 7, 0.0, np.zeros(7)
    X, y = rng.normal(size=(n, 2)), rng.integers(2, size=n)
    order = neighbour_order(X)
    without = {m: 1 - nearest_subset_scores(X, y, m) for m in range(1, n)}
    for m, i in itertools.product(range(2, n), range(n)):
        gains = []
        for base in (b for b in subsets(n, m - 1) if not b[i]):
            added = np.stack([base | (np.arange(n) == j) for j in range(n)])
            allowed = (~base & (np.arange(n) != i)) if whose == "others" else np.arange(n) == i
            before = nearest_correct(order, y, base[None])[0, i]
            gains += [float(a) - float(before) for a in nearest_correct(order, y, added[allowed])[:, i]]
        gap = max(gap, abs(float(without[m][i] - without[m - 1][i]) - float(np.mean(gains))))
        total[i] += np.mean(gains)
    ends = np.abs(total - (without[n - 1] - without[1])).max()
    return [
        at_most("largest gap between a step in m and the mean influence of the others, seven points", gap, EXACT),
        at_most("largest gap between the sum of the steps and its two ends", ends, EXACT),
        at_most("largest sum of the steps", np.abs(total).max(), 1 + EXACT),
    ]


size_gap.breaks("the point itself is the one added", whose="itself")


@claim(
    "thm-variance",
    "The mean squared error of a score is at most 1/(2(t+1)r(1-r)), which is below the bound as quoted",
    functions=(f"{AREA}.variance_bound", "book.dispute.measuring.exact_error", "book.dispute.measuring.quoted_bound"),
    blunt={"share of the quoted one": "the quoted bound is looser by two or more; its own constant is not ours"},
)
def error_bound(constant: float = 0.5, copies: int = 1) -> list[Found]:
    """Exact error over the bound, and bound over the quoted one: rates, numbers of models and kinds of point.

    `constant` replaces 1/2; with `copies` = 2 every model is there twice and only half of them are independent.
    """
    used, quoted = 0.0, 0.0
    for t, r in itertools.product((2, 4, 10, 50, 400, 2000), (0.02, 0.3, 0.5, 0.7, 0.95, 0.99)):
        bound = 2 * constant * variance_bound(r, t)
        for inside, outside in itertools.product((0.0, 0.5, 0.8, 1.0), repeat=2):
            used = max(used, exact_error(inside, outside, r, t // copies) / bound)
        quoted = max(quoted, bound / quoted_bound(r, t))
    return [
        at_most("largest exact error as a share of the bound", used, 1),
        at_most("largest bound as a share of the quoted one", quoted, 1),
    ]


error_bound.breaks("1/4 in the place of 1/2", constant=0.25)
error_bound.breaks("every model is there twice", copies=2)


def fig_score_error(
    rates: Sequence[float], models: Sequence[int], simulated: dict[tuple[float, int], float]
) -> Picture:
    """Worst root mean squared error of a score against the number of models: exact, our bound, the quoted one."""
    figure, axes = subplots(1, len(rates), size=(8.2, 3.2), sharey=True)
    said, ratio = [], 1.0
    for ax, r in zip(np.atleast_1d(axes), rates, strict=True):
        grid = [(a, b) for a in (0.5, 0.75, 1.0) for b in (0.0, 0.25, 0.5)]
        worst = [max(exact_error(a, b, r, t) for a, b in grid) ** 0.5 for t in models]
        ratio = max(ratio, *(variance_bound(r, t) ** 0.5 / w for t, w in zip(models, worst, strict=True)))
        ax.plot(models, worst, color=BLUE, label="worst point, exact")
        ax.plot(models, [variance_bound(r, t) ** 0.5 for t in models], color=ORANGE, label="our bound")
        ax.plot(models, [quoted_bound(r, t) ** 0.5 for t in models], color=GREY, label="bound as quoted")
        dots = [(t, e) for (rate, t), e in simulated.items() if rate == r]
        ax.plot(*zip(*dots, strict=True), color=INK, ls="none", marker="o", mfc="none", label="drawn")
        ax.set(xscale="log", yscale="log", title=f"subsets of {r:.0%}", xlabel="models trained, t")
        said.append(f"at rate {r:g} from {worst[0]:.2f} at {models[0]} models to {worst[-1]:.3f} at {models[-1]}")
    np.atleast_1d(axes)[0].set_ylabel("root mean squared error")
    np.atleast_1d(axes)[0].legend()
    return picture(
        figure,
        "Error of a memorization score against the number of models, logarithmic axes. The worst exact error falls "
        + "; ".join(said)
        + f". Dots are simulations. Our bound lies above by at most a factor {ratio:.2f}, the quoted one above that.",
    )


@claim(
    "thm-price",
    "A misfitted share of the points seen l times costs that share of tau_l times their number, whichever it is",
    functions=("book.dispute.measuring.price", "book.dispute.measuring.expected_mass"),
)
def singleton_price(informed: bool = False, times: int = 1) -> list[Found]:
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
    return [
        at_most("posterior frequencies of points seen equally often, largest spread", spread, EXACT),
        at_most("cost of one misfit a sample, from tau_1 times the count", abs(cost - tau * count), EXACT),
        at_most("cost of misfitting all seen once, from their mass", abs(all_cost - expected_mass(p, 3, times)), EXACT),
        at_most("whole error, from the sum of its parts", abs(error - parts), EXACT),
    ]


singleton_price.breaks("the algorithm knows which points are rare", informed=True)
singleton_price.breaks("tau_2 for points seen once", times=2)


@claim(
    "prop-one-step-up",
    "Expected mass of the points seen l times is (l+1)/(n+1) times the expected count one step up",
    source="published elsewhere",
    functions=("book.dispute.measuring.expected_mass", "book.dispute.measuring.expected_count"),
)
def good_turing(step: int = 1) -> Found:
    """Expected mass of points seen l times, against (l+1)/(n+1) times the expected count at l+1 with n+1 draws."""
    worst = 0.0
    for exponent, n, times in itertools.product((0.0, 0.5, 1.0, 2.0), (1, 10, 300), (0, 1, 2)):
        p = zipf(200, exponent)
        one_up = (times + 1) / (n + step) * expected_count(p, n + step, times + 1)
        worst = max(worst, abs(expected_mass(p, n, times) - one_up))
    return at_most("largest gap between the mass and the count one step up, 36 cases", worst, EXACT)


good_turing.breaks("counts from the same n draws", step=0)


def fig_tail_price(exponents: Sequence[float], n: int = 1000, points: int = 1000) -> Picture:
    """What nobody can know, and what not fitting the points seen once costs, along the weight of the tail."""
    unseen, once, twice, tau, count = (np.zeros(len(exponents)) for _ in range(5))
    for k, a in enumerate(exponents):
        p = zipf(points, a)
        unseen[k], once[k], twice[k] = (expected_mass(p, n, times) for times in (0, 1, 2))
        tau[k], count[k] = price(p, n, 1), expected_count(p, n, 1)
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.2))
    left.plot(exponents, unseen, color=NEVER, label="never seen")
    left.plot(exponents, once, color=ONCE, label="seen once")
    left.plot(exponents, twice, color=COMMON, label="seen twice")
    left.plot(exponents, tau * count, color=INK, ls="none", marker="o", ms=4, mfc="none", label=r"$\tau_1\times$ count")
    left.set(title="Share of the test mass", xlabel="Zipf exponent of the frequencies", ylim=(0, None))
    left.legend()
    right.plot(exponents, n * tau, color=ORANGE)
    right.axhline(1, color=GREY, ls="--", lw=1.2)
    right.annotate("one test point in n", (exponents[-1], 1), (0, -12), textcoords="offset points", ha="right")
    right.set(title=r"$n\,\tau_1$: price of one misfit", xlabel="Zipf exponent of the frequencies", ylim=(0, 1.1))
    return picture(
        figure,
        f"Two panels along the Zipf exponent, {n} draws of {points} points. Left: the mass of points never seen falls "
        f"from {unseen[0]:.3f} to {unseen[-1]:.3f}, of those seen once from {once[0]:.3f} to {once[-1]:.3f}, of "
        f"those seen twice from {twice[0]:.3f} to {twice[-1]:.3f}; circles, price times count, lie on the "
        f"once-seen line. Right: the price of one misfitted singleton in units of 1/n, from {n * tau[0]:.2f} to "
        f"{n * tau[-1]:.2f}.",
    )


def fit(X: np.ndarray, y: np.ndarray, lam: float) -> np.ndarray:
    return ridge(X, y, lam) if lam else min_norm(X, y)


@claim(
    "prop-leverage-score",
    "In the linear model, including a row removes the share h of its held-out residual: leverage is the score",
    source="published elsewhere",
    functions=("companion.linear.leverage",),
)
def leverage_score(lam: float = 0.0, power: int = 1) -> Found:
    """Residual with the row against (1-h) times the residual without it, by refitting; any rank."""
    worst = 0.0
    rng = np.random.default_rng(1)
    for shape in ((12, 5), (6, 12), (9, 9)):
        X = np.where(rng.random(shape) < 0.4, rng.choice([-1.0, 1.0], shape), 0)
        X[1] = X[0]
        y = rng.normal(size=shape[0])
        h = leverage(X)
        for r in range(shape[0]):
            rest = np.arange(shape[0]) != r
            inside, outside = (y[r] - X[r] @ fit(X[k], y[k], lam) for k in (rest | True, rest))
            worst = max(worst, abs(inside - (1 - h[r]) ** power * outside))
    return at_most("largest gap between the residual with the row and 1-h times that without it", worst, 1e-7)


leverage_score.breaks("ridge instead of minimum norm", lam=0.1)
leverage_score.breaks("(1-h) squared", power=2)


def gallery(images: Sequence[np.ndarray], captions: Sequence[str], what: str, *, columns: int = 6) -> Picture:
    """Small grey images in a grid with a caption each; `what` opens the text alternative."""
    lines = -(-len(images) // columns)
    aspect = images[0].shape[1] / images[0].shape[0]
    cell = min(1.15 * aspect, 7.4 / columns)
    figure, axes = subplots(lines, columns, size=(cell * columns, (cell / aspect + 0.42) * lines))
    for ax in np.atleast_1d(axes).flat:
        ax.set_axis_off()
    with house():
        for ax, image, caption in zip(np.atleast_1d(axes).flat, images, captions, strict=False):
            ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
            ax.set_title(caption, fontsize=8, loc="center", pad=3)
    spoken = "; ".join(c.replace("\n", ", ") for c in captions)
    return picture(figure, f"{what}: {spoken}.", flow=True)


def fig_agreement(scores: Sequence[np.ndarray], names: Sequence[str]) -> Picture:
    """Scores from two disjoint halves of the models, one dot a training point."""
    a, b = scores
    correlation = float(np.corrcoef(a, b)[0, 1])
    figure, ax = subplots(size=(4.2, 3.8))
    ax.plot([-0.2, 1], [-0.2, 1], color=GREY, lw=1)
    ax.plot(a, b, color=CYCLE[0], marker="o", ms=3, ls="none", alpha=0.45)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.annotate(f"correlation {correlation:.2f}", (0.0, 0.95), color=GREEN)
    return picture(figure, f"Scores of {len(a)} points from {names[0]} and {names[1]}: correlation {correlation:.2f}.")


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two pictures of one height with a gap between them."""
    return np.concatenate([left, np.zeros((len(left), max(1, len(left) // 7))), right], axis=1)


def pixels(picture_text: str) -> np.ndarray:
    """A stored coarse picture (196 hexadecimal greys) as a 14 x 14 array in [0, 1]."""
    return np.array([int(c, 16) for c in picture_text]).reshape(14, 14) / 15


def fig_histogram(result: Result) -> Picture:
    """How many training points have which score."""
    bins = [r for r in result.rows if r["kind"] == "bin"]
    summary = next(r for r in result.rows if r["kind"] == "summary")
    theta = result.settings["theta_mem"]
    figure, ax = subplots(size=(6.4, 3.0))
    width = bins[1]["edge"] - bins[0]["edge"]
    counts = [b["count"] for b in bins]
    colours = [ORANGE if b["edge"] >= theta - 1e-9 else BLUE for b in bins]
    ax.bar([b["edge"] + width / 2 for b in bins], np.maximum(counts, 0.8), 0.9 * width, color=colours)
    ax.axvline(summary["null_999"], color=GREY, ls=":", lw=1.4)
    ax.annotate("null, 99.9%", (summary["null_999"], max(counts)), (4, -6), textcoords="offset points", fontsize=8)
    ax.set(yscale="log", xlabel="memorization score (negative ones at 0)", ylabel="training images", ylim=(0.7, None))
    return picture(
        figure,
        f"Histogram of {summary['n']:,} memorization scores, logarithmic counts: {counts[0]:,} below {width:.2f}, "
        f"{summary['memorized']:,} at least {theta:g}, {counts[-1]:,} at least {bins[-1]['edge']:.2f}. "
        f"The 99.9% level of the null is {summary['null_999']:.2f}.",
    )
