"""A test set that neither side used: composition. Remove the memorized rows of the linear model and look twice.

In the linear model a row is memorized when its leverage is 1: it is fitted whatever its label. Removing those rows is
compared with removing as many random rows, on the in-distribution loss and on rows composed of two features that
training showed once. Both losses are exact; nothing is sampled but the training set. Joins two areas: the model is
`companion.linear`'s.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear.model import LongTailModel
from companion.linear.risk import composition_risk, population_risk
from companion.linear.solve import min_norm
from companion.linear.structure import RESOLVED, feature_counts, leverage, resolved
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    n: int = papers("n")
    d: int = papers("d")
    s: float = papers("s")
    beta_exponent: float = papers("beta_exponent")
    sigma: float = papers("sigma")
    alphas: tuple[float, ...] = setting((1.5, 2.0, 2.5, 3.0), "tail exponents at which most seen features are resolved")
    composed: int = setting(2, "once-seen features in a composed row")
    controls: int = setting(5, "random removals averaged")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    model = LongTailModel(settings.n, settings.d, settings.s, cell["alpha"], settings.beta_exponent, settings.sigma)
    sample = model.sample(seed=seed)
    memorized = leverage(sample.X) > 1 - RESOLVED
    once = (feature_counts(sample.X) == 1) & resolved(sample.X)
    if once.sum() < settings.composed or not memorized.any():
        return []
    rng = np.random.default_rng((seed, 3))
    nothing = np.zeros(settings.d)
    scale = population_risk(nothing, model), composition_risk(nothing, model, once, settings.composed)

    def losses(keep: np.ndarray) -> np.ndarray:
        """In-distribution and composition loss, as shares of what predicting zero costs."""
        beta = min_norm(sample.X[keep], sample.y[keep])
        return np.array(
            [population_risk(beta, model) / scale[0], composition_risk(beta, model, once, settings.composed) / scale[1]]
        )

    base, without = losses(np.ones(settings.n, dtype=bool)), losses(~memorized)
    controls = []
    for _ in range(settings.controls):
        keep = np.ones(settings.n, dtype=bool)
        keep[rng.permutation(settings.n)[: int(memorized.sum())]] = False
        controls.append(losses(keep))
    random = np.mean(controls, axis=0)
    return [
        {
            "memorized": int(memorized.sum()),
            "once_seen": int(once.sum()),
            "in_base": float(base[0]),
            "in_memorized": float(without[0]),
            "in_random": float(random[0]),
            "composed_base": float(base[1]),
            "composed_memorized": float(without[1]),
            "composed_random": float(random[1]),
        }
    ]


EXPERIMENT = define(
    run, grid(alpha="alphas"), smoke=(2, Settings(n=200, d=1000, alphas=(2.0,), controls=2)), cpu=(24, Settings())
)
