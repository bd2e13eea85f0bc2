"""The room of *Which example decided?*: data attribution scored where leaving one example out has a closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from book.shared.ledger import Found, at_least, at_most, claim
from book.shared.page import interval as shown
from book.shared.style import CYCLE, GREY, Picture, picture, subplots
from companion.linear import LongTailModel, feature_counts, resolved, ridge
from companion.runner.results import interval

TIMES = (1, 2, 4)  # how often the features of a target were seen
TARGETS = 6  # targets of each kind in a draw
DRAWS = 12
SHARE = 0.5  # of the rows, in the subsets that score a method


class World(NamedTuple):
    """A training set and the predictions to be attributed.

    X (n, f): the rows, seen features only. y (n,): labels. Z (m, f): target rows, each made of two rare features that
    were seen equally often, and of three common ones; rare (m, f): the two; times (m,): how often.
    """

    X: np.ndarray
    y: np.ndarray
    Z: np.ndarray
    rare: np.ndarray
    times: np.ndarray

    @property
    def deciding(self) -> np.ndarray:
        """Rows that hold a rare feature of the target, bool (n, m): nothing else tells of it."""
        found: np.ndarray = (np.abs(self.X) @ self.rare.T) > 0
        return found


def world(seed: int, n: int = 80) -> World:
    """A draw of the linear model, alpha = 1.25, and its targets: pairs of resolved features in common company."""
    sample = LongTailModel(n=n, d=10 * n, s=5.0, alpha=1.25, beta_exponent=0.1, sigma=0.05).sample(seed=seed)
    seen = np.unique(sample.X.indices)
    counts, certain = feature_counts(sample.X)[seen], resolved(sample.X)[seen]
    rng = np.random.default_rng(seed)
    Z, rare, times = [], [], []
    common = np.argsort(-counts)[:10]
    for t in TIMES:
        able = np.flatnonzero((counts == t) & certain)
        for _ in range(TARGETS if able.size >= 2 else 0):
            row = np.zeros(seen.size)
            chosen = rng.choice(able, 2, replace=False)
            company = rng.choice(np.setdiff1d(common, able), 3, replace=False)
            row[np.concatenate([chosen, company])] = rng.choice([-1.0, 1.0], 5)
            Z.append(row)
            rare.append(np.isin(np.arange(seen.size), chosen))
            times.append(t)
    return World(sample.X[:, seen].toarray(), sample.y, np.array(Z), np.array(rare, float), np.array(times))


class Fit(NamedTuple):
    """Ridge in dual form: a prediction at z is k(z) . dual, with k(z) = X z."""

    inverse: np.ndarray  # (X X' + n lam I)^-1
    dual: np.ndarray  # inverse times y
    reach: np.ndarray  # (n, m): inverse times k(z), the weight of each label in each prediction
    residual: np.ndarray


def fit(w: World, n_lam: float) -> Fit:
    """The fit on all rows, and what every method needs of it."""
    inverse = np.linalg.inv(w.X @ w.X.T + n_lam * np.eye(len(w.y)))
    dual = inverse @ w.y
    return Fit(inverse, dual, inverse @ (w.X @ w.Z.T), n_lam * dual)


# Methods: (n, m) scores, how much each row raises each prediction


def leave_one_out(w: World, n_lam: float) -> np.ndarray:
    """What each prediction loses when a row is left out, exactly: no refit, one inverse."""
    f = fit(w, n_lam)
    scores: np.ndarray = f.reach * (f.dual / np.diag(f.inverse))[:, None]
    return scores


def influence_function(w: World, n_lam: float) -> np.ndarray:
    """First order in the row's weight: z' (X'X + n lam I)^-1 x_r times its residual."""
    f = fit(w, n_lam)
    scores: np.ndarray = f.reach * f.residual[:, None]
    return scores


def representer(w: World, n_lam: float) -> np.ndarray:
    """Representer points: the prediction is a sum over rows, dual_r <x_r, z>; each row's summand."""
    scores: np.ndarray = (w.X @ w.Z.T) * fit(w, n_lam).dual[:, None]
    return scores


def gradient_product(w: World, n_lam: float) -> np.ndarray:
    """The product of the gradients at a row and at the target, at the end of training: residual_r <x_r, z>."""
    scores: np.ndarray = (w.X @ w.Z.T) * fit(w, n_lam).residual[:, None]
    return scores


def projected(
    w: World, n_lam: float, *, models: int = 1, halves: bool = True, width: int = 64, seed: int = 0
) -> np.ndarray:
    """Like TRAK: gradients in a random projection, the influence function there, averaged over models.

    One model is the one trained on all rows. Several are trained on random halves, each with a projection of its own,
    and the residuals are averaged on their own: half of the models have not seen the row. Without `halves` all rows
    train each of them, so that only projections are averaged.
    """
    rng = np.random.default_rng(seed)
    n, features = w.X.shape
    geometry, residual = np.zeros((n, len(w.Z))), np.zeros(n)
    for _ in range(models):
        R = rng.normal(size=(features, width)) / np.sqrt(width)
        used = np.arange(n) if models == 1 or not halves else rng.choice(n, n // 2, replace=False)
        b = ridge(w.X[used], w.y[used], n_lam / len(used))
        phi, target = w.X @ R, w.Z @ R
        geometry += phi @ np.linalg.solve(phi.T @ phi + n_lam * np.eye(width), target.T) / models
        residual += (w.y - w.X @ b) / models
    return geometry * residual[:, None]


def subset_estimate(w: World, n_lam: float, *, models: int, seed: int = 0) -> np.ndarray:
    """The subset estimator: mean prediction with the row minus without it, over models on random 70%."""
    inside = subsets(len(w.y), models, 0.7, seed)
    said = predictions(w, n_lam, inside)
    count = inside.sum(axis=0)[:, None]
    return inside.T @ said / count - (1 - inside).T @ said / (models - count)


METHODS: dict[str, tuple[Callable[[World, float], np.ndarray], str]] = {
    "leave one out, exact": (leave_one_out, "1"),
    "influence function": (influence_function, "1"),
    "gradient product": (gradient_product, "1"),
    "representer points": (representer, "1"),
    "projected, 1 model": (projected, "1"),
    "20 projections, 1 model": (lambda w, n_lam: projected(w, n_lam, models=20, halves=False), "1"),
    "projected, 20 models": (lambda w, n_lam: projected(w, n_lam, models=20), "20"),
    "subsets, 200 models": (lambda w, n_lam: subset_estimate(w, n_lam, models=200), "200"),
    "subsets, 1,000 models": (lambda w, n_lam: subset_estimate(w, n_lam, models=1000), "1,000"),
}


# Truth: models trained again


def subsets(n: int, count: int, share: float, seed: int) -> np.ndarray:
    """Random subsets of the rows, all of one size: 0/1, (count, n)."""
    chosen = np.argsort(np.random.default_rng([seed, count]).random((count, n)), axis=1)[:, : round(share * n)]
    inside = np.zeros((count, n))
    np.put_along_axis(inside, chosen, 1, axis=1)
    return inside


def predictions(w: World, n_lam: float, inside: np.ndarray, block: int = 250) -> np.ndarray:
    """Predictions at the targets of ridge trained on each subset, the product n lam kept: (subsets, m)."""
    gram, reach, said = w.X @ w.X.T, w.X @ w.Z.T, []
    for start in range(0, len(inside), block):
        rows = np.array([np.flatnonzero(one) for one in inside[start : start + block]])
        K = gram[rows[:, :, None], rows[:, None]] + n_lam * np.eye(rows.shape[1])
        dual = np.linalg.solve(K, w.y[rows][:, :, None])[:, :, 0]
        said.append(np.einsum("bs,bsm->bm", dual, reach[rows]))
    return np.concatenate(said)


def datamodelling_score(scores: np.ndarray, inside: np.ndarray, said: np.ndarray) -> np.ndarray:
    """LDS: the rank correlation, over subsets, of the predictions with the sums of the scores in them; (m,).

    A method that gives every row the same score for a target predicts nothing, and has 0.
    """
    told = inside @ scores
    ranks = [stats.rankdata(values, axis=0) for values in (np.round(told, 12), said)]
    a, b = (values - values.mean(axis=0) for values in ranks)
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.divide((a * b).sum(axis=0), size, out=np.zeros(size.size), where=size > 0)


def found(scores: np.ndarray, w: World) -> np.ndarray:
    """The share of the deciding rows that are among as many rows with the largest scores; (m,)."""
    order = np.argsort(-np.abs(scores), axis=0, kind="stable")
    shares = [w.deciding[order[: w.deciding[:, j].sum(), j], j].mean() for j in range(len(w.Z))]
    return np.array(shares)


def brittleness(scores: np.ndarray, w: World, n_lam: float, most: int = 12) -> np.ndarray:
    """How many rows have to go, those first that speak most for a prediction, until half of it is gone; (m,)."""
    gram, reach = w.X @ w.X.T, w.X @ w.Z.T
    counts = []
    for j in range(len(w.Z)):
        whole = reach[:, j] @ np.linalg.solve(gram + n_lam * np.eye(len(gram)), w.y)
        order = np.argsort(-scores[:, j] * np.sign(whole), kind="stable")
        for gone in range(1, most + 1):
            kept = np.sort(order[gone:])
            dual = np.linalg.solve(gram[np.ix_(kept, kept)] + n_lam * np.eye(kept.size), w.y[kept])
            if reach[kept, j] @ dual * np.sign(whole) < np.abs(whole) / 2:
                break
        counts.append(gone)
    return np.array(counts)


def chance(times: int) -> float:
    """The share of the deciding rows that a random ranking finds: what they are of all rows, mean over draws."""
    worlds = map(world, range(DRAWS))
    return float(np.mean([w.deciding[:, w.times == times].mean() for w in worlds if (w.times == times).any()]))


@cache
def benchmark(
    n_lam: float, draws: int = DRAWS, tested: int = 200
) -> dict[tuple[str, int], dict[str, dict[str, float]]]:
    """(method, times seen) -> measure -> mean over draws with its 95% interval; every method sees the same worlds."""
    values: dict[tuple[str, int], dict[str, list[float]]] = {}
    for seed in range(draws):
        w = world(seed)
        inside = subsets(len(w.y), tested, SHARE, seed + 1000)
        said = predictions(w, n_lam, inside)
        for name, (method, _) in METHODS.items():
            scores = method(w, n_lam)
            measures = {
                "LDS": datamodelling_score(scores, inside, said),
                "found": found(scores, w),
                "rows to halve it": brittleness(scores, w, n_lam),
            }
            for t in TIMES:
                for measure, of in measures.items():
                    here = of[w.times == t]
                    if here.size == 0:
                        continue
                    values.setdefault((name, t), {}).setdefault(measure, []).append(float(here.mean()))
    return {key: {m: interval(v) for m, v in measures.items()} for key, measures in values.items()}


def rows(n_lam: float, measure: str) -> list[tuple[str, ...]]:
    """A table's rows: method, models that it trains, and the measure by how often the features were seen."""
    result = benchmark(n_lam)
    blind = [("random ranking", "–", *(f"{chance(t):.2f}" for t in TIMES))] if measure == "found" else []
    return [
        (name, models, *(shown(result[name, t][measure], ".2f", least=-1.0) for t in TIMES))
        for name, (_, models) in METHODS.items()
    ] + blind


DRAWN = (
    "leave one out, exact",
    "influence function",
    "projected, 1 model",
    "projected, 20 models",
    "subsets, 1,000 models",
)


def fig_found(n_lams: tuple[float, ...] = (0.01, 1.0)) -> Picture:
    """The share of the deciding rows that five of the methods name, by how often they were seen."""
    figure, axes = subplots(1, len(n_lams), size=(7.6, 3.6), sharey=True)
    words = []
    for ax, n_lam in zip(axes, n_lams, strict=True):
        result = benchmark(n_lam)
        for at, (name, color) in enumerate(zip(DRAWN, CYCLE, strict=False)):
            stats_of = [result[name, t]["found"] for t in TIMES]
            mean = np.array([s["mean"] for s in stats_of])
            half = np.array([[s["mean"] - s["low"], s["high"] - s["mean"]] for s in stats_of]).T
            ax.errorbar(np.arange(len(TIMES)) + 0.05 * (at - 2), mean, half, marker="o", ms=4, color=color, label=name)
        ax.plot(range(len(TIMES)), [chance(t) for t in TIMES], ":", color=GREY, label="random ranking")
        ax.set(xticks=range(len(TIMES)), xticklabels=TIMES, xlabel="times seen", title=rf"$n\lambda={n_lam:g}$")
        once = {name: result[name, 1]["found"]["mean"] for name in DRAWN}
        words.append(
            f"at n lambda = {n_lam:g}, of rows seen once: " + ", ".join(f"{k} {v:.0%}" for k, v in once.items())
        )
    axes[0].set(ylabel="deciding rows found", ylim=(-0.05, 1.05))
    axes[-1].legend(fontsize=8, loc="upper right")
    return picture(figure, f"Share of the deciding rows that each method finds; {'; '.join(words)}.")


# 1-nearest-neighbour


class Neighbours(NamedTuple):
    """What 1-NN says at a target: rows by distance (n, m), whether each has the target's label, rows' cluster size."""

    order: np.ndarray
    right: np.ndarray
    times: np.ndarray


def neighbour_world(seed: int) -> Neighbours:
    """Forty clusters of 1, 2 or 4 points in the plane, each with its label, and a target in each."""
    rng = np.random.default_rng(seed)
    sizes = np.repeat(TIMES, [16, 12, 12])
    centres = rng.normal(size=(len(sizes), 2)) * 3
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    labels = rng.integers(0, 10, len(sizes))
    points = centres[cluster] + 0.05 * rng.normal(size=(cluster.size, 2))
    targets = centres + 0.05 * rng.normal(size=centres.shape)
    order = np.argsort(((points[:, None] - targets) ** 2).sum(axis=2), axis=0)
    return Neighbours(order, labels[cluster][:, None] == labels, sizes)


def neighbour_scores(w: Neighbours, share: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Exact influence on being right: leaving one row out, and the subset estimator's limit of endless models.

    Each row is in a subset with probability `share`, independently. With g_j whether the j-th nearest is right, the
    limit is (1-q)^(k-1) g_k - sum_{j>k} q (1-q)^(j-2) g_j for the k-th nearest, q the share.
    """
    n, m = w.order.shape
    right = np.take_along_axis(w.right, w.order, axis=0).astype(float)
    alone, subset = np.zeros((n, m)), np.zeros((n, m))
    np.put_along_axis(alone, w.order[:1], right[:1] - right[1:2], axis=0)
    chance = share * (1 - share) ** (np.arange(n) - 1.0)  # of the j-th nearest, row k being away: j counts from 0
    later = np.cumsum((chance[:, None] * right)[::-1], axis=0)[::-1]
    behind = np.concatenate([later[1:], np.zeros((1, m))])
    np.put_along_axis(subset, w.order, (1 - share) ** np.arange(n)[:, None] * right - behind, axis=0)
    return alone, subset


def neighbour_subset_truth(w: Neighbours, inside: np.ndarray) -> np.ndarray:
    """Whether 1-NN on each subset is right at each target: (subsets, m)."""
    right = np.take_along_axis(w.right, w.order, axis=0)
    first = np.argmax(inside[:, w.order] > 0, axis=1)
    said: np.ndarray = np.take_along_axis(right, first, axis=0).astype(float)
    return said


def neighbour_rows(draws: int = DRAWS, tested: int = 400) -> list[tuple[str, ...]]:
    """Method, and by cluster size: how often its highest score is the nearest row, and its LDS."""
    values: dict[tuple[str, int], list[list[float]]] = {}
    for seed in range(draws):
        w = neighbour_world(seed)
        n = len(w.order)
        inside = subsets(n, tested, SHARE, seed)
        said = neighbour_subset_truth(w, inside)
        alone, subset = neighbour_scores(w)
        shared = subsets(n, 1000, 0.7, seed + 1)
        answers, count = neighbour_subset_truth(w, shared), shared.sum(axis=0)[:, None]
        estimate = shared.T @ answers / count - (1 - shared).T @ answers / (len(shared) - count)
        for name, scores in (("leave one out, exact", alone), ("subsets, 1,000 models", estimate),
                             ("subsets, the limit", subset)):  # fmt: skip
            top = np.argmax(scores, axis=0) == w.order[0]
            top &= scores.max(axis=0) > 0
            lds = datamodelling_score(scores, inside, said)
            for t in TIMES:
                here = w.times == t
                values.setdefault((name, t), []).append([float(top[here].mean()), float(lds[here].mean())])
    names = dict.fromkeys(name for name, _ in values)
    return [
        (name, *(shown(interval([v[measure] for v in values[name, t]]), ".2f", least=-1.0)
                 for measure in (0, 1) for t in TIMES))
        for name in names
    ]  # fmt: skip


@claim(
    "prop-influence-function",
    "An influence function tells the share 1 - h of what leaving the row out does",
    functions=("book.dispute.attribution.influence_function", "book.dispute.attribution.leave_one_out"),
    teeth={"most of a once-seen effect": 0.5},
)
def shrinks(power: int = 1, n_lam_held: bool = True) -> list[Found]:
    """Three draws, two penalties: the formula against refits, and the share told of what was seen once."""
    worst = wrong = largest = 0.0
    for w, n_lam in _cases():
        h = 1 - n_lam * np.diag(fit(w, n_lam).inverse)
        refitted = _refitted(w, n_lam if n_lam_held else 1.2 * n_lam)
        told, exact = influence_function(w, n_lam), leave_one_out(w, n_lam)
        scale = np.abs(refitted).max()
        worst = max(worst, float(np.abs(told - (1 - h)[:, None] ** power * refitted).max() / scale))
        wrong = max(wrong, float(np.abs(exact - refitted).max() / scale))
        once = np.abs(w.X[:, np.count_nonzero(w.X, axis=0) == 1]).any(axis=1)
        largest = max(largest, float(((1 - h[once]) * (1 + n_lam) / n_lam).max()))
    return [
        at_most("difference of the influence function from (1 - h) times refits, of the largest effect", worst, 1e-9),
        at_most("difference of the closed form of leaving out from refits, of the largest effect", wrong, 1e-9),
        at_most("most of a once-seen effect that is told, over n lambda / (1 + n lambda)", largest, 1 + 1e-9),
    ]


shrinks.breaks("(1 - h)^2 in the place of 1 - h", power=2)
shrinks.breaks("a penalty that grows by a fifth when the row is left out", n_lam_held=False)


def _cases() -> Iterator[tuple[World, float]]:
    for seed in range(3):
        for n_lam in (0.1, 1.0):
            yield world(seed), n_lam


def _refitted(w: World, n_lam: float) -> np.ndarray:
    """What each prediction loses, by training again without each row."""
    n = len(w.y)
    whole = w.Z @ ridge(w.X, w.y, n_lam / n)
    kept = [np.arange(n) != r for r in range(n)]
    return np.array([whole - w.Z @ ridge(w.X[rows], w.y[rows], n_lam / rows.sum()) for rows in kept])


@claim(
    "demo-attribution",
    "Where a learner memorizes, an influence function misses the once-seen rows that decide; subsets find them",
    status="checked",
    functions=("book.dispute.attribution.found",),
)
def who_finds(n_lam: float = 0.01) -> list[Found]:
    """Rows seen once, six draws: what leaving out, the influence function and 1,000 models find of them."""
    names = ("leave one out, exact", "influence function", "subsets, 1,000 models")
    shares = [
        [found(METHODS[name][0](w, n_lam), w)[w.times == 1].mean() for name in names] for w in map(world, range(6))
    ]
    exact, first_order, shared = np.mean(shares, axis=0)
    return [
        at_least("found by leaving one out, less found by the influence function", exact - first_order, 0.3),
        at_least("found by 1,000 models on subsets, less found by the influence function", shared - first_order, 0.3),
    ]


who_finds.breaks("a penalty that forgets what was seen once", n_lam=10.0)
