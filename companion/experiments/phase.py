"""Peeling against rank when rows get fuller: one or several solutions of Q = F(Q).

Claim: with few features a row peeling and the certificate agree; with more, peeling from nothing stops while
rank still resolves what the maximizer of the potential says. Evidence: draws at n = 1000 along s.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear.model import LongTailModel
from companion.linear.structure import peel, resolved
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    n: int = papers("n")
    d: int = papers("d")
    alphas: tuple[float, ...] = setting((1.25, 1.5, 2.0), "tail exponents")
    fullness: tuple[float, ...] = setting((2.0, 3.5, 5.0, 6.5, 8.0, 12.0, 20.0), "values of s")


def measure(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    rng = np.random.default_rng([seed, int(1000 * cell["alpha"]), int(1000 * cell["s"])])
    model = LongTailModel(settings.n, settings.d, cell["s"], cell["alpha"], 0.0, 0.0, k=0)
    X = model.sample(seed=rng).X
    return [{"peeled": int(peel(X, 0).sum()), "resolved": int(resolved(X).sum())}]


EXPERIMENT = define(
    measure,
    grid(alpha="alphas", s="fullness"),
    smoke=(2, Settings(alphas=(2.0,), fullness=(2.0, 8.0))),
    paper=(8, Settings()),
)
