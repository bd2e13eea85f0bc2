"""Peeling from nothing, n from 10^3 to 10^6, d = 10 n: the numbers that Q = F(Q) predicts without fitting.

Claim: the product form of the equation gives the number of features that peeling resolves and the mass it
leaves, to about one per cent, for every alpha from 1 to 3. Evidence: direct peeling of drawn designs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear.model import LongTailModel
from companion.linear.structure import feature_counts, peel
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    s: float = papers("s")
    width: int = setting(10, "features for each row, d = width n", "paper")
    alphas: tuple[float, ...] = setting((1.0, 1.1, 1.25, 1.5, 2.0, 3.0), "tail exponents")
    sizes: tuple[int, ...] = setting((1_000, 10_000, 100_000, 1_000_000), "training rows")
    rows_a_seed: int = setting(10_000, "draws are repeated until a seed has seen this many rows")


def measure(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """Counts and masses of each draw; k = 0, so nothing is taken as known."""
    n, alpha = cell["n"], cell["alpha"]
    rng = np.random.default_rng([seed, n, int(1000 * alpha)])
    model = LongTailModel(n, settings.width * n, settings.s, alpha, 0.0, 0.0, k=0)
    rows = []
    for draw in range(max(1, settings.rows_a_seed // n)):
        X = model.sample(seed=rng).X
        seen = feature_counts(X) > 0
        peeled = peel(X, 0)
        rows.append(
            {
                "draw": draw,
                "seen": int(seen.sum()),
                "peeled": int(peeled.sum()),
                "missed_share": float((seen & ~peeled).sum() / seen.sum()),
                "missed_mass": float(model.p[seen & ~peeled].sum()),
                "unresolved_mass": float(model.p[~peeled].sum()),
            }
        )
    return rows


EXPERIMENT = define(
    measure,
    grid("n", alpha="alphas", n="sizes"),
    smoke=(2, Settings(alphas=(1.25, 2.0), sizes=(1_000, 3_000), rows_a_seed=3_000)),
    paper=(4, Settings()),
    by=("alpha", "n"),
)
