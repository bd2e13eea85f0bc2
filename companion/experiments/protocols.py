"""Every step of the two protocols crossed, on MNIST: score, sampling rate, threshold, data, labels, control, test set.

One ensemble for each (learner, data, labels, rate, seed) serves every score, threshold and control. An effect is the
accuracy after removing the chosen images minus the accuracy after its control, on the same data set: each seed is a
pair, and the intervals are over seeds.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from companion.memorization.ensembles import Recipe, ensemble_correct
from companion.memorization.loo import squared_distances
from companion.memorization.null import null_threshold
from companion.memorization.scores import fractional, group_rates, subset_masks
from companion.memorization.tail import flip_labels, long_tailed_rows
from companion.neural.images import digit_rows
from companion.runner.experiment import Resources, define, grid, setting

# k of a k-nearest-neighbour vote, ridge of a kernel least squares, or how a network is trained
LEARNERS: dict[str, int | float | Recipe] = {
    "1-NN": 1,
    "3-NN": 3,
    "5-NN": 5,
    "kernel": 1e-3,
    "kernel, ridge": 3.0,
    "logistic": Recipe(hidden=(), epochs=20, batch=50),
    "network": Recipe(hidden=(64,), epochs=20, batch=50),
    "network, decay": Recipe(hidden=(64,), epochs=20, batch=50, weight_decay=0.02),
    "network, long": Recipe(hidden=(64,), epochs=60, batch=50, lr=0.2),
}
TESTS = ("like", "balanced", "free")
TRAINING, TEST = 0, 1
Right = Callable[[np.ndarray, int, int], np.ndarray]  # subsets (t, n), use, TRAINING or TEST -> who is right (t, q)


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST; 'embedded' are scikit-learn's digits")
    side: int = setting(14, "pixels a side, averaged down from 28 to save time")
    n: int = setting(500, "training images")
    n_test: int = setting(2000, "test images, from the first on")
    learners: tuple[str, ...] = setting(("1-NN", "5-NN"), "one fits every label, one outvotes it; more in `learners`")
    exponents: tuple[float, ...] = setting((0.0, 2.0), "Zipf exponent of the class sizes: balanced, long-tailed")
    noise: tuple[float, ...] = setting((0.0, 0.2), "share of wrong training labels")
    rates: tuple[float, ...] = setting((0.5, 0.7, 0.95), "0.7 and 0.95 are the two sides' choices")
    threshold: float = setting(0.25, "Feldman and Zhang's, for either score")
    error_rate: float = setting(0.001, "share of null scores above the other threshold")
    permutations: int = setting(10, "mask permutations for that threshold: 5,000 null scores")
    models: int = setting(300, "at rate 0.95, 15 leave a point out")
    judges: int = setting(4, "trainings, and random draws, for each reduced training set")
    leaked: float = setting(0.1, "share of test images, nearest to a training image, that the leak-free test drops")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    return measured(settings, world(settings, cell, seed, resources), cell, seed, resources)


def measured(
    settings: Any, data: tuple[np.ndarray, ...], cell: dict[str, Any], seed: int, resources: Resources
) -> list[dict[str, Any]]:
    """Every protocol on one data set, as `world` returns it: a row for each."""
    X, y, truth, X_test, y_test = data
    right = judged(X, y, X_test, y_test, cell["learner"], seed, resources)
    averages = accuracies(X, truth, X_test, y_test, settings.leaked)
    base = averages(right(np.ones((settings.judges, settings.n), dtype=bool), 4, TEST))
    rows = []
    for number, rate in enumerate(settings.rates):
        masks = subset_masks(settings.models, settings.n, round(rate * settings.n), seed=(seed, 2, number))
        correct = right(masks, 10 + number, TRAINING)
        rng = np.random.default_rng((seed, 5, number))
        for score, threshold, removed, other, chance in protocols(settings, correct, masks, rng):
            row = {
                "rate": rate,
                "score": score,
                "threshold": threshold,
                "removed": int(removed.sum()),
                "inside": float(correct[masks].mean()),
                "wrong": float((y != truth)[removed].mean()) if removed.any() else float("nan"),
                "chance": chance,
                "accuracy": float(base[0]),
            }
            if 0 < removed.sum() < settings.n:
                sets = [np.tile(~removed, (settings.judges, 1)), np.tile(~other, (settings.judges, 1))]
                sets += [np.stack([~drawn(removed, y, rng) for _ in range(settings.judges)]) for drawn in CONTROLS]
                got = right(np.concatenate(sets), 20, TEST).reshape(len(sets), settings.judges, -1)
                after = dict(zip(("removed", "other", "random", "matched"), map(averages, got), strict=True))
                for k, test in enumerate(TESTS):
                    row[f"{test}_nothing"] = round(float(after["removed"][k] - base[k]), 3)
                    for control in ("random", "matched", "other"):
                        row[f"{test}_{control}"] = round(float(after["removed"][k] - after[control][k]), 3)
            rows.append(row)
    return rows


def world(settings: Any, cell: dict[str, Any], seed: int, resources: Resources) -> tuple[np.ndarray, ...]:
    """Training images, their labels and true labels; test images and theirs."""
    everything, labels = digit_rows(settings.source, train=True, side=settings.side, root=resources.data)
    X_test, y_test = digit_rows(settings.source, train=False, side=settings.side, root=resources.data)
    rows = long_tailed_rows(labels, settings.n, cell["exponent"], seed=seed)
    truth = labels[rows]
    y = flip_labels(truth, cell["noise"], 10, seed=(seed, 1))
    return everything[rows], y, truth, X_test[: settings.n_test], y_test[: settings.n_test]


def judged(
    X: np.ndarray, y: np.ndarray, X_test: np.ndarray, y_test: np.ndarray, learner: str, seed: int, resources: Resources
) -> Right:
    """Who is right where after training the learner on each subset."""
    how = LEARNERS[learner]
    asked = ((X, y), (X_test, y_test))
    if isinstance(how, Recipe):
        given: dict[str, Any] = {
            "recipe": how,
            "classes": int(y_test.max()) + 1,
            "device": resources.device,
            "block": 400,
        }

        def network(subsets: np.ndarray, use: int, query: int) -> np.ndarray:
            return ensemble_correct(X, y, subsets, *asked[query], seed=(seed, use), **given)[1]

        return network
    distances = [squared_distances(Q, X) for Q, _ in asked]
    if isinstance(how, int):
        orders = [np.argsort(d, axis=1, kind="stable") for d in distances]
        return lambda subsets, use, query: nearest_vote(orders[query], subsets, y, how) == asked[query][1]
    kernels = [np.exp(-4 * d / np.median(distances[TRAINING])) for d in distances]

    def least_squares(subsets: np.ndarray, use: int, query: int) -> np.ndarray:
        return kernel_labels(kernels[TRAINING], kernels[query], subsets, y, how) == asked[query][1]

    return least_squares


def kernel_labels(K: np.ndarray, asked: np.ndarray, included: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Labels (t, q) by one-against-all least squares with a kernel: K (n, n), asked (q, n), included bool (t, n)."""
    target, out = np.eye(y.max() + 1)[y], []
    for mask in included:
        rows = np.flatnonzero(mask)
        system = K[np.ix_(rows, rows)] + ridge * np.eye(len(rows))
        out.append((asked[:, rows] @ linalg.solve(system, target[rows], assume_a="pos")).argmax(1))
    return np.stack(out)


def nearest_vote(order: np.ndarray, included: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """Labels (t, q) by the vote of the k nearest included points; a tie goes to the nearest of the tied.

    order: (q, n) training points by distance, nearest first; included: bool (t, n).
    """
    votes = []
    for mask in included:
        kept = mask[order[:, : 16 * k]]
        if (kept.sum(1) < k).any():  # much is left out around some point: look at all of them
            kept = mask[order]
        kept &= np.cumsum(kept, axis=1) <= k
        labels = y[order[:, : kept.shape[1]][kept]].reshape(len(order), -1)
        counts = (labels[:, :, None] == labels[:, None, :]).sum(2)
        votes.append(labels[np.arange(len(order)), counts.argmax(1)])
    return np.stack(votes)


def accuracies(
    X: np.ndarray, truth: np.ndarray, X_test: np.ndarray, y_test: np.ndarray, leaked: float
) -> Callable[[np.ndarray], np.ndarray]:
    """From who is right (judges, q) to the mean accuracy in per cent on the three `TESTS`.

    Classes weighed as in training, equally, and as in training without the test images nearest to a training image.
    """
    classes = int(y_test.max()) + 1
    share = np.bincount(truth, minlength=classes) / len(truth)
    near = squared_distances(X_test, X).min(1)
    free = near > np.quantile(near, leaked)

    def weights(kept: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        each = wanted[y_test] / np.maximum(np.bincount(y_test[kept], minlength=classes), 1)[y_test] * kept
        return each / each.sum()

    everywhere = np.ones(len(y_test), dtype=bool)
    equal = np.full(classes, 1 / classes)
    matrix = np.stack([weights(everywhere, share), weights(everywhere, equal), weights(free, share)])
    return lambda right: 100 * matrix @ right.mean(0)


def protocols(
    settings: Any, correct: np.ndarray, masks: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[str, str, np.ndarray, np.ndarray, float]]:
    """Score, threshold, what they remove, as many by the other score, share of null scores at least the threshold.

    A point without a score is kept.
    """

    def both(correct: np.ndarray) -> dict[str, np.ndarray]:
        rates = group_rates(correct, masks)
        return {"absolute": rates.inside - rates.outside, "fractional": fractional(rates.inside, rates.outside)}

    scores = both(correct)
    nulls = [both(correct[rng.permutation(len(correct))]) for _ in range(settings.permutations)]
    ties = rng.random(masks.shape[1])
    for name, score in scores.items():
        second = next(s for other, s in scores.items() if other != name)
        ranked = np.lexsort((ties, -np.nan_to_num(second, nan=-2.0)))
        null = np.stack([n[name] for n in nulls])
        for threshold, level in (("fixed", settings.threshold), ("null", null_threshold(null, settings.error_rate))):
            removed, other = score >= level, np.zeros(len(score), dtype=bool)
            other[ranked[: removed.sum()]] = True
            yield name, threshold, removed, other, float((null >= level).mean())


def _random(removed: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(removed)


def _matched(removed: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As many random images of each label."""
    drawn = np.zeros_like(removed)
    for c in np.unique(y[removed]):
        drawn[y == c] = rng.permutation(removed[y == c])
    return drawn


CONTROLS = (_random, _matched)
EXPERIMENT = define(
    run,
    grid("learner", learner="learners", exponent="exponents", noise="noise"),
    smoke=(
        1,
        Settings(source="embedded", side=7, n=120, n_test=300, learners=("5-NN",), rates=(0.7,), models=40, judges=2),
    ),
    cpu=(20, Settings()),
    by=("learner", "exponent", "noise", "rate", "score", "threshold"),
    trains=True,
)
