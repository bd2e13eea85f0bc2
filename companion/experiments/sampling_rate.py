"""The first claimed flaw: what the subset share r does to scores. Bias against variance, with an exact answer known.

The learner is 1-NN on the long-tailed mixture, so leave-one-out scores (0 or 1) and exact subsampled scores are known
and the estimator's error splits into its two parts.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.memorization.loo import nearest_correct, nearest_loo, nearest_subset_scores, neighbour_order
from companion.memorization.scores import memorization_scores, subset_masks
from companion.memorization.tail import LongTailMixture
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    n: int = setting(1000, "training points")
    clusters: int = setting(1500, "about a quarter of the points are alone in theirs")
    exponent: float = setting(1.0, "Zipf's law")
    noise: float = setting(0.05, "share of wrong labels")
    rates: tuple[float, ...] = setting((0.5, 0.7, 0.9, 0.95), "0.7 and 0.95 are the two sides' choices")
    models: tuple[int, ...] = setting((50, 1000), "50 as in the counter-paper, 1,000 as the order of Feldman and Zhang")
    threshold: float = setting(0.25, "Feldman and Zhang's threshold for memorized")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    mixture = LongTailMixture(clusters=settings.clusters, exponent=settings.exponent, mislabelled=settings.noise)
    split = mixture.sample(settings.n, 1, seed=seed)
    m = round(cell["rate"] * settings.n)
    masks = subset_masks(cell["models"], settings.n, m, seed=(seed, 1))
    scores = memorization_scores(nearest_correct(neighbour_order(split.X), split.y, masks), masks)
    truth = nearest_loo(split.X, split.y)
    target = nearest_subset_scores(split.X, split.y, m)
    known = ~np.isnan(scores)
    pairs = known & (split.cluster_size == 2) & ~split.wrong & (truth == 0)
    flagged = known & (scores >= settings.threshold)
    return [
        {
            "bias": float((target - truth).mean()),
            "error_to_loo": _rms((scores - truth)[known]),
            "error_to_target": _rms((scores - target)[known]),
            "score_of_pairs": float(scores[pairs].mean()) if pairs.any() else float("nan"),
            "flagged": int(flagged.sum()),
            "false_flags": int((flagged & (truth == 0)).sum()),
            "missed": int((~flagged & (truth == 1)).sum()),
            "never_left_out": int((~known).sum()),
        }
    ]


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt((x**2).mean()))


EXPERIMENT = define(
    run,
    grid(rate="rates", models="models"),
    smoke=(2, Settings(n=200, clusters=300, rates=(0.7, 0.95), models=(50,))),
    cpu=(20, Settings()),
)
