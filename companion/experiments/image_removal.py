"""The map's four corners on real images: MNIST, balanced or long-tailed, with and without wrong labels.

Scores from an ensemble of small networks on random subsets; then networks trained without the points that score
at least the threshold, and without as many random points. Two test sets: drawn like the training set, and balanced.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.memorization.ensembles import Recipe, ensemble_correct
from companion.memorization.mixtures import flip_labels, long_tailed_rows
from companion.memorization.scores import memorization_scores, subset_masks
from companion.neural.images import digit_rows
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST; 'embedded' are scikit-learn's digits")
    side: int = setting(14, "pixels a side, averaged down from 28 to save time")
    n: int = setting(1000, "training images")
    exponents: tuple[float, ...] = setting((0.0, 2.0), "Zipf exponent of the class sizes: balanced, long-tailed")
    noise: tuple[float, ...] = setting((0.0, 0.2), "share of wrong training labels")
    rate: float = setting(0.7, "subset share, as Feldman and Zhang's")
    threshold: float = setting(0.25, "their threshold for memorized")
    models: int = setting(64, "networks for the scores")
    judges: int = setting(8, "networks trained on each reduced training set")
    hidden: tuple[int, ...] = setting((64,), "fits every label")
    epochs: int = setting(20, "the same")
    batch: int = setting(50, "small training sets want many steps")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    everything, labels = digit_rows(settings.source, train=True, side=settings.side, root=resources.data)
    X_test, y_test = digit_rows(settings.source, train=False, side=settings.side, root=resources.data)
    rows = long_tailed_rows(labels, settings.n, cell["exponent"], seed=seed)
    X, truth = everything[rows], labels[rows]
    y = flip_labels(truth, cell["noise"], 10, seed=(seed, 1))
    recipe = Recipe(hidden=settings.hidden, epochs=settings.epochs, batch=settings.batch)
    share = np.bincount(truth, minlength=10) / settings.n

    def train(included: np.ndarray, use: int) -> tuple[np.ndarray, np.ndarray]:
        return ensemble_correct(
            X, y, included, X_test, y_test, recipe=recipe, seed=(seed, use), classes=10, device=resources.device
        )

    masks = subset_masks(settings.models, settings.n, round(settings.rate * settings.n), seed=(seed, 2))
    scores = memorization_scores(train(masks, 3)[0], masks)
    removed = scores >= settings.threshold
    rng = np.random.default_rng((seed, 5))

    def judge(keep: np.ndarray, use: int) -> tuple[np.ndarray, np.ndarray]:
        """Accuracy of every judge on a test set like the training set, and on a balanced one."""
        correct = train(keep, use)[1]  # (judges, test images)
        by_class = np.stack([correct[:, y_test == c].mean(1) for c in range(10)], axis=1)
        return by_class @ share, by_class.mean(1)

    full = np.ones((settings.judges, settings.n), dtype=bool)
    random = full.copy()
    for row in random:
        row[rng.permutation(settings.n)[: int(removed.sum())]] = False
    base = judge(full, 4)
    without = judge(full & ~removed, 6)
    control = judge(random, 6)  # judges that start alike: only what they are trained on differs
    result: dict[str, Any] = {
        "removed": int(removed.sum()),
        "wrong_of_removed": float((y != truth)[removed].mean()) if removed.any() else float("nan"),
        "tail_of_removed": float((share[truth] < 0.05)[removed].mean()) if removed.any() else float("nan"),
    }
    for name, k in (("like", 0), ("balanced", 1)):
        result |= {
            f"{name}_accuracy": 100 * float(base[k].mean()),
            f"{name}_memorized": 100 * float(without[k].mean() - base[k].mean()),
            f"{name}_control": 100 * float(control[k].mean() - base[k].mean()),
            f"{name}_effect": 100 * float(without[k].mean() - control[k].mean()),
        }
    return [result]


EXPERIMENT = define(
    run,
    grid(exponent="exponents", noise="noise"),
    smoke=(1, Settings(source="embedded", side=7, n=150, models=32, judges=4, epochs=8)),
    cpu=(6, Settings()),
    paper=(5, Settings(side=28, n=20_000, models=1000, judges=50, hidden=(512, 256), epochs=20, batch=128)),
    trains=True,
)
