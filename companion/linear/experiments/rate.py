"""How the noiseless risk falls with n, over four decades.

One row a draw: the risk of the minimum-norm solution, the part of it that unseen features cost, and the largest
squared error on features that peeling resolves (zero in theory: composition of these is free).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from companion.experiment import Experiment, Resources, setting
from companion.linear import LongTailModel, feature_counts, min_norm, peel, population_risk


@dataclass(frozen=True)
class Settings:
    alphas: tuple[float, ...] = setting((1.5, 2.0, 3.0), "slow, middle and fast decay of the frequencies")
    sizes: tuple[int, ...] = setting(
        (100, 316, 1000, 3162, 10_000, 31_623, 100_000, 1_000_000), "training rows: four decades"
    )
    d: int = setting(2_000_000, "features; so many that the cut of the tail moves the law by under 4 %")
    s: float = setting(5.0, "sparsity before the cut at 1", "paper")
    beta_exponent: float = setting(0.1, "true coefficients i^-0.1", "paper")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"alpha": alpha, "n": n} for alpha in settings.alphas for n in settings.sizes]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    model = LongTailModel(
        n=cell["n"], d=settings.d, s=settings.s, alpha=cell["alpha"], beta_exponent=settings.beta_exponent, sigma=0.0
    )
    sample = model.sample(seed=seed)
    beta_hat = min_norm(sample.X, sample.y)
    cost = model.p * model.beta**2
    peeled = peel(sample.X)
    return [
        {
            "risk": population_risk(beta_hat, model),
            "floor": float(cost[feature_counts(sample.X) == 0].sum()),
            "peeled_error": float(((beta_hat - model.beta)[peeled] ** 2).max(initial=0.0)),
            "peeled": int(peeled.sum()),
        }
    ]


EXPERIMENT = Experiment(
    name="rate",
    summary="noiseless risk of the minimum norm against n, four decades",
    presets={"smoke": Settings(alphas=(2.0,), sizes=(100, 1000), d=20_000), "paper": Settings()},
    seeds={"smoke": 2, "paper": 4},
    cells=cells,
    run=run,
)
