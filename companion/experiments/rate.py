"""How the noiseless risk falls with n, over four decades.

One row a seed, averaged over a few draws where n is small: the risk of the minimum-norm solution, the part of it
that unseen features cost, and the largest squared error on features that peeling resolves (zero in theory:
composition of these is free).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear import LongTailModel, feature_counts, min_norm, peel, population_risk
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    alphas: tuple[float, ...] = setting((1.5, 2.0, 3.0), "slow, middle and fast decay of the frequencies")
    sizes: tuple[int, ...] = setting(
        (100, 316, 1000, 3162, 10_000, 31_623, 100_000, 1_000_000), "training rows: four decades"
    )
    d: int = setting(1_000_000, "features; so many that the cut of the tail moves the law by 6 % at most")
    most_draws: int = setting(10, "draws averaged in one row while n is small, where single draws vary most")
    s: float = papers("s")
    beta_exponent: float = papers("beta_exponent")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    model = LongTailModel(
        n=cell["n"], d=settings.d, s=settings.s, alpha=cell["alpha"], beta_exponent=settings.beta_exponent, sigma=0.0
    )
    draws = max(1, min(settings.most_draws, settings.sizes[-1] // (10 * model.n)))
    values = [_draw(model, child) for child in np.random.default_rng(seed).spawn(draws)]
    risk, floor, peeled_error, peeled = (np.array(column) for column in zip(*values, strict=True))
    return [
        {
            "risk": float(risk.mean()),
            "floor": float(floor.mean()),
            "peeled_error": float(peeled_error.max()),
            "peeled": float(peeled.mean()),
            "draws": draws,
        }
    ]


def _draw(model: LongTailModel, rng: np.random.Generator) -> tuple[float, float, float, int]:
    """Risk, cost of unseen features, largest squared error on peeled features, and their number."""
    sample = model.sample(seed=rng)
    beta_hat = min_norm(sample.X, sample.y)
    peeled = peel(sample.X)
    unseen = feature_counts(sample.X) == 0
    return (
        population_risk(beta_hat, model),
        float((model.p * model.beta**2)[unseen].sum()),
        float(((beta_hat - model.beta)[peeled] ** 2).max(initial=0.0)),
        int(peeled.sum()),
    )


EXPERIMENT = define(
    run,
    grid(alpha="alphas", n="sizes"),
    smoke=(2, Settings(alphas=(2.0,), sizes=(100, 1000), d=20_000)),
    paper=(4, Settings()),
)
