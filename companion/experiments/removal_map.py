"""The decisive map: what removing memorized points does, along tail weight and label noise.

What the removed set holds decides the sign for this learner, which fits every label: 1-NN on Gaussian clusters, where
leave-one-out memorization is exact and every removed point is known to be mislabelled, alone in its cluster, or
neither; size-matched random controls; a clean and a leaky test set; seconds a world.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.memorization.loo import nearest_loo, nearest_subset_scores
from companion.memorization.removal import NearestNeighbour
from companion.memorization.tail import LongTailMixture, Split, leak
from companion.runner.experiment import Resources, define, setting


@dataclass(frozen=True)
class Settings:
    n: int = setting(1000, "training points: leave-one-out is one pass over a 1000 x 1000 matrix")
    n_test: int = setting(2000, "test points: standard error of an accuracy about 1 point, averaged over seeds")
    dimension: int = setting(20, "clusters that hardly overlap")
    spread: float = setting(0.35, "well below the distance between clusters")
    separation: float = setting(3.0, "the same")
    classes: int = setting(10, "as in the image data sets")
    tails: tuple[tuple[int, float], ...] = setting(
        ((30, 0.0), (1500, 2.0), (1500, 1.5), (1500, 1.0), (1500, 0.5)),
        "(clusters, Zipf exponent), from no tail to a heavy one",
    )
    noise: tuple[float, ...] = setting((0.0, 0.05, 0.1, 0.2, 0.3), "share of wrong training labels")
    leaked: float = setting(0.1, "share of near-duplicates in the leaky test; 10% were found in CIFAR-100")
    controls: int = setting(3, "random removals averaged for each control")
    rate: float = setting(0.7, "subset share of the estimator, as Feldman and Zhang's")
    threshold: float = setting(0.25, "memorization threshold of Feldman and Zhang")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [
        {"clusters": clusters, "exponent": exponent, "noise": noise}
        for clusters, exponent in settings.tails
        for noise in settings.noise
    ]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    mixture = LongTailMixture(
        clusters=cell["clusters"],
        exponent=cell["exponent"],
        dimension=settings.dimension,
        spread=settings.spread,
        separation=settings.separation,
        classes=settings.classes,
        mislabelled=cell["noise"],
    )
    split = mixture.sample(settings.n, settings.n_test, seed=seed, n_spare=settings.n)
    memorized = nearest_loo(split.X, split.y) == 1
    alone = memorized & ~split.wrong & (split.cluster_size == 1)
    subset = nearest_subset_scores(split.X, split.y, round(settings.rate * settings.n)) >= settings.threshold
    leaky, source = leak(split, settings.leaked, seed=(seed, 2))
    copied = source >= 0
    test = NearestNeighbour(split.X, split.y, split.X_test)
    copies = NearestNeighbour(split.X, split.y, leaky.X_test[copied])

    def accuracies(removed: np.ndarray) -> tuple[float, float]:
        """Clean and leaky accuracy; the two tests differ in the copied points only."""
        right = test.predict(~removed) == split.y_test
        leaky_right = right.copy()
        leaky_right[copied] = copies.predict(~removed) == leaky.y_test[copied]
        return float(right.mean()), float(leaky_right.mean())

    rng = np.random.default_rng((seed, 1))

    def effects(name: str, removed: np.ndarray) -> dict[str, float]:
        """Accuracy points gained by removing these points, and by removing as many random ones."""
        if not 0 < removed.sum() < settings.n:
            return {}
        gain = np.subtract(accuracies(removed), base)
        random = np.mean([accuracies(_random(settings.n, removed.sum(), rng)) for _ in range(settings.controls)], 0)
        control = random - base
        return {
            f"{name}": 100 * gain[0],
            f"{name}_control": 100 * control[0],
            f"{name}_effect": 100 * (gain[0] - control[0]),
            f"{name}_leaky": 100 * gain[1],
            f"{name}_leaky_control": 100 * control[1],
            f"{name}_leaky_effect": 100 * (gain[1] - control[1]),
        }

    base = np.array(accuracies(np.zeros(settings.n, dtype=bool)))
    return [
        {
            "accuracy": float(base[0]),
            "leaky_accuracy": float(base[1]),
            "memorized_share": float(memorized.mean()),
            "alone_share": float((split.cluster_size == 1).mean()),
            "wrong_of_memorized": float(split.wrong[memorized].mean()) if memorized.any() else float("nan"),
            "subset_share": float(subset.mean()),
            **effects("memorized", memorized),
            **effects("subset", subset),
            **effects("wrong", split.wrong),
            **effects("alone", alone),
            "replaced": 100 * (_replaced(split, memorized) - float(base[0])),
        }
    ]


def _random(n: int, count: int, rng: np.random.Generator) -> np.ndarray:
    removed = np.zeros(n, dtype=bool)
    removed[rng.permutation(n)[:count]] = True
    return removed


def _replaced(split: Split, removed: np.ndarray) -> float:
    """Accuracy with the removed points replaced by fresh ones: the size of the training set stays."""
    count = int(removed.sum())
    X = np.concatenate([split.X[~removed], split.X_spare[:count]])
    y = np.concatenate([split.y[~removed], split.y_spare[:count]])
    return NearestNeighbour(X, y, split.X_test).accuracy(split.y_test)


EXPERIMENT = define(
    run,
    cells,
    smoke=(2, Settings(n=300, n_test=500, tails=((30, 0.0), (450, 1.0)), noise=(0.05, 0.3), controls=2)),
    cpu=(20, Settings()),
)
