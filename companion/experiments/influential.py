"""Feldman and Zhang's own object: remove the high-influence set, look at the influenced test images and at the rest.

A pair counts by both of their thresholds: the training image is memorized and the test image, of the same label,
influenced. The control removes as many random images of the same labels. MNIST, in the setting of `protocols`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments import protocols
from companion.memorization.scores import influential_pairs, memorization_scores, subset_masks
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(protocols.Settings):
    noise: tuple[float, ...] = setting((0.0, 0.2), "share of wrong training labels")
    rates: tuple[float, ...] = setting((0.7,), "Feldman and Zhang's subset share")
    theta_infl: float = setting(0.15, "their threshold for influential; `threshold` is theirs for memorized")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    X, y, _, X_test, y_test = protocols.world(settings, cell, seed, resources)
    right = protocols.judged(X, y, X_test, y_test, cell["learner"], seed, resources)
    rng = np.random.default_rng((seed, 5))
    masks = subset_masks(settings.models, settings.n, round(settings.rates[0] * settings.n), seed=(seed, 2))
    memorized = memorization_scores(right(masks, 10, protocols.TRAINING), masks) >= settings.threshold
    answers = right(masks, 10, protocols.TEST)

    def judged(answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tests, trains, _ = influential_pairs(answers, masks, settings.theta_infl)
        keep = memorized[trains] & (y[trains] == y_test[tests])
        return tests[keep], trains[keep]

    tests, trains = judged(answers)
    removed, influenced = (
        np.isin(np.arange(size), rows) for size, rows in ((settings.n, trains), (len(y_test), tests))
    )
    row: dict[str, Any] = {
        "memorized": int(memorized.sum()),
        "pairs": len(tests),
        "chance_pairs": len(judged(answers[rng.permutation(settings.models)])[0]),  # answers dealt to other models
        "removed": int(removed.sum()),
        "influenced": float(influenced.mean()),
    }
    if not removed.any():
        return [row]
    matched = [~protocols.CONTROLS[1](removed, y, rng) for _ in range(settings.judges)]
    sets = [np.ones((settings.judges, settings.n), dtype=bool), np.tile(~removed, (settings.judges, 1))]
    base, without = (right(s, 20, protocols.TEST).mean(0) for s in sets)
    control = right(np.stack(matched), 20, protocols.TEST).mean(0)
    for name, where in (("all", np.ones(len(y_test), dtype=bool)), ("influenced", influenced), ("rest", ~influenced)):
        row[f"{name}_accuracy"] = 100 * float(base[where].mean())
        row[f"{name}_nothing"] = 100 * float((without - base)[where].mean())
        row[f"{name}_matched"] = 100 * float((without - control)[where].mean())
    return [row]


EXPERIMENT = define(
    run,
    grid("learner", learner="learners", exponent="exponents", noise="noise"),
    smoke=(1, Settings("embedded", 7, 120, 300, learners=("1-NN",), models=40, judges=2)),
    cpu=(20, Settings()),
    trains=True,
)
