"""The second claimed flaw: which points does each score single out? Networks on digits with known plants.

Planted in scikit-learn's 8 x 8 digits: wrong labels, and clusters of one, two or three noisy copies of a digit whose
pixels are shuffled, so that nothing else can teach them. Boundary points: real digits whose neighbours disagree.
Absolute and fractional scores, with and without weight decay.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from companion.memorization.ensembles import Recipe, ensemble_correct
from companion.memorization.loo import squared_distances
from companion.memorization.scores import fractional, group_rates, subset_masks
from companion.memorization.tail import flip_labels
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    ordinary: int = setting(700, "real digits in training, some mislabelled")
    noise: float = setting(0.05, "share of wrong labels among them")
    plants: int = setting(15, "planted clusters of each size")
    sizes: tuple[int, ...] = setting((1, 2, 3), "copies in a planted cluster")
    copy_noise: float = setting(0.05, "standard deviation of the pixel noise between copies (pixels in 0..1)")
    neighbours: int = setting(5, "held-out neighbours asked about a boundary point")
    rates: tuple[float, ...] = setting((0.7,), "subset share, as Feldman and Zhang's")
    decays: tuple[float, ...] = setting((0.0, 0.02), "weight decay: training set fitted, and not")
    models: int = setting(120, "networks: about 36 leave a point out")
    threshold: float = setting(0.25, "Feldman and Zhang's threshold for memorized")
    hidden: tuple[int, ...] = setting((64,), "one hidden layer fits every label")
    epochs: int = setting(60, "training accuracy 1 without weight decay, wrong labels included")
    lr: float = setting(0.2, "the same")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    X, y, kind = planted_digits(settings, seed)
    masks = subset_masks(settings.models, len(y), round(cell["rate"] * len(y)), seed=(seed, 3))
    recipe = Recipe(hidden=settings.hidden, epochs=settings.epochs, lr=settings.lr, weight_decay=cell["decay"])
    correct, _ = ensemble_correct(X, y, masks, X[:1], y[:1], recipe=recipe, seed=(seed, 4), device=resources.device)
    rates = group_rates(correct, masks)
    known = (rates.n_in > 0) & (rates.n_out > 0)
    absolute = rates.inside - rates.outside
    relative = fractional(rates.inside, rates.outside)
    usable = known & ~np.isnan(relative)
    order = float(stats.spearmanr(absolute[usable], relative[usable]).statistic)
    rows = []
    for name in ["ordinary", "wrong", "boundary", *(f"copies {c}" for c in settings.sizes)]:
        chosen, judged = known & (kind == name), usable & (kind == name)
        rows.append(
            {
                "kind": name,
                "points": int(chosen.sum()),
                "undefined": int(chosen.sum() - judged.sum()),  # never right, so the fractional score is 0/0
                "inside": float(rates.inside[chosen].mean()),
                "outside": float(rates.outside[chosen].mean()),
                "absolute": float(absolute[chosen].mean()),
                "fractional": float(relative[judged].mean()) if judged.any() else float("nan"),
                "flagged": float((absolute[chosen] >= settings.threshold).mean()),
                "auc_absolute": auc(absolute[chosen], absolute[known & (kind == "ordinary")]),
                "auc_fractional": auc(relative[judged], relative[usable & (kind == "ordinary")]),
                "rank_correlation": order,
            }
        )
    return rows


def planted_digits(settings: Settings, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training digits with plants: X (n, 64) in [0, 1], y (n,), kind (n,) of text."""
    from sklearn.datasets import load_digits

    rng = np.random.default_rng((seed, 2))
    data = load_digits()
    order = rng.permutation(len(data.target))
    X, y = data.data[order] / 16, data.target[order]
    a, count = settings.ordinary, len(settings.sizes) * settings.plants
    sources, pool = X[a : a + count], slice(a + count, None)
    near = np.argsort(squared_distances(X[:a], X[pool]), axis=1)[:, : settings.neighbours]
    agree = (y[pool][near] == y[:a, None]).mean(1)
    labels = flip_labels(y[:a], settings.noise, 10, seed=(seed, 1))
    kind = np.where(labels != y[:a], "wrong", np.where(agree <= 0.6, "boundary", "ordinary")).astype("U10")
    size = np.repeat(settings.sizes, settings.plants)
    shuffled = np.stack([x[rng.permutation(64)] for x in sources])
    copies = np.repeat(shuffled, size, axis=0)
    copies = np.clip(copies + settings.copy_noise * rng.standard_normal(copies.shape), 0, 1)
    plants = np.repeat(rng.integers(10, size=count), size)
    names = np.repeat([f"copies {c}" for c in size], size)
    return np.concatenate([X[:a], copies]), np.concatenate([labels, plants]), np.concatenate([kind, names])


def auc(scores: np.ndarray, background: np.ndarray) -> float:
    """Chance that a point of the set scores above a background point; ties count half. NaN if a set is empty."""
    if not scores.size or not background.size:
        return float("nan")
    return float(stats.mannwhitneyu(scores, background).statistic / (scores.size * background.size))


EXPERIMENT = define(
    run,
    grid(rate="rates", decay="decays"),
    smoke=(1, Settings(ordinary=150, plants=4, models=40, epochs=15)),
    cpu=(3, Settings()),
    by=("rate", "decay", "kind"),
    trains=True,
)
