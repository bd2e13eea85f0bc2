"""Training in bfloat16 instead of float32: does it change memorization scores, and is it quicker?"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.real_scores import jaccard
from companion.memorization.ensembles import Recipe, ensemble_correct
from companion.memorization.scores import memorization_scores, standard_errors, subset_masks
from companion.memorization.tail import long_tailed_rows
from companion.neural.images import digit_rows
from companion.runner.experiment import Resources, define, setting


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST; 'embedded' are scikit-learn's digits")
    n: int = setting(1000, "training images; each network sees 70% of them")
    exponent: float = setting(1.0, "Zipf exponent of the class sizes, as in real-scores")
    models: int = setting(100, "networks in each precision, with the same subsets, first weights and order")
    hidden: tuple[tuple[int, ...], ...] = setting(((32,), (512, 256)), "presets cpu and paper of real-scores")
    epochs: tuple[int, ...] = setting((15, 10), "as there")
    batch: tuple[int, ...] = setting((50, 128), "as there")
    block: int = setting(50, "networks trained at once")
    theta_mem: float = setting(0.25, "Feldman and Zhang's threshold for memorized")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"hidden": "-".join(map(str, widths))} for widths in settings.hidden]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    X, y = digit_rows(settings.source, train=True, side=28, root=resources.data)
    rows = long_tailed_rows(y, settings.n, settings.exponent, seed=seed)
    X, y = X[rows], y[rows]
    masks = subset_masks(settings.models, len(y), round(0.7 * len(y)), seed=(seed, 1))
    at = cells(settings).index(cell)
    out: list[dict[str, Any]] = []
    scores, errors = [], []
    for precision in ("float32", "bfloat16"):
        recipe = Recipe(settings.hidden[at], settings.epochs[at], settings.batch[at], precision=precision)
        start = time.process_time()
        correct, _ = ensemble_correct(
            *(X, y, masks, X[:1], y[:1]),
            recipe=recipe,
            seed=(seed, 2),
            classes=10,
            device=resources.device,
            block=settings.block,
        )
        seconds = time.process_time() - start
        scores.append(memorization_scores(correct, masks))
        errors.append(standard_errors(correct, masks))
        out.append(
            {
                "precision": precision,
                "seconds": seconds,
                "inside": float(correct[masks].mean()),
                "outside": float(correct[~masks].mean()),
                "memorized": int((scores[-1] >= settings.theta_mem).sum()),
            }
        )
    gap, noise = scores[1] - scores[0], np.hypot(*errors)
    out[1] |= {
        "speedup": out[0]["seconds"] / out[1]["seconds"],
        "shift": float(np.nanmean(gap)),
        "in_errors": float(np.sqrt(np.nanmean((gap / noise) ** 2))),  # of two independent ensembles
        "overlap": jaccard(*(set(np.flatnonzero(s >= settings.theta_mem)) for s in scores)),
    }
    return out


EXPERIMENT = define(
    run,
    cells,
    smoke=(1, Settings("embedded", 100, models=20, hidden=((8,), (16, 8)), epochs=(3, 3), batch=(20, 20), block=10)),
    cpu=(3, Settings()),
    by=("hidden", "precision"),
    trains=True,
)
