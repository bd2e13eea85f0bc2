"""What is recovered at the paper's size: level one, peeling and the row-space certificate, draw by draw.

Claim: with the common features pinned, peeling finds everything that any interpolator must get right, and the
formulas for level one and for once-seen features hold at n = 1000. Evidence: 50 draws for each alpha.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear.model import LongTailModel
from companion.linear.structure import feature_counts, level_one, peel, resolved, tail_counts
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    n: int = papers("n")
    d: int = papers("d")
    s: float = papers("s")
    alphas: tuple[float, ...] = setting((1.0, 1.1, 1.25, 1.5, 2.0, 3.0), "tail exponents")


def measure(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """Counts of one draw; common features are those with n p_i >= 10, as in Figure 1."""
    rng = np.random.default_rng([seed, int(1000 * cell["alpha"])])
    model = LongTailModel(settings.n, settings.d, settings.s, cell["alpha"], 0.0, 0.0)
    X = model.sample(seed=rng).X
    k = model.k
    told = resolved(X)
    count = feature_counts(X)
    seen, once = count > 0, count == 1
    tail = np.arange(model.d) >= k
    tails = tail_counts(X, k)
    peeled_tail = peel(X, k) & tail
    plain = X[np.flatnonzero(tails == 0)][:, :k].toarray()
    missed = seen & ~told
    twice_tail = (count >= 2) & tail
    return [
        {
            "k": k,
            "rows_without_tail": int((tails == 0).sum()),
            "rows_with_one_tail": int((tails == 1).sum()),
            "seen": int(seen.sum()),
            "seen_tail": int((seen & tail).sum()),
            "once_seen_tail": int((once & tail).sum()),
            "level_one": int(level_one(X, k).sum()),
            "peeled_given_common": int(peeled_tail.sum()),
            "peeled_not_resolved": int((peeled_tail & ~told).sum()),
            "resolved_not_peeled": int((told & tail & ~peeled_tail).sum()),
            "resolved_tail": int((told & tail).sum()),
            "resolved": int(told.sum()),
            "peeled_from_nothing": int(peel(X, 0).sum()),
            "common_unresolved": int((~told[:k]).sum()),
            "pinned": int(told[:k].all()),
            "rank_deficient": int(np.linalg.matrix_rank(plain, tol=1e-8) < k if plain.size else True),
            "once_seen_unresolved_share": float((once & tail & missed).sum() / max((once & tail).sum(), 1)),
            "twice_seen_unresolved_share": float((twice_tail & missed).sum() / max(twice_tail.sum(), 1)),
            "missed_count": int(missed.sum()),
            "missed_mass": float(model.p[missed].sum()),
            "unresolved_mass": float(model.p[~told].sum()),
            "unseen_mass": float(model.p[~seen].sum()),
        }
    ]


EXPERIMENT = define(measure, grid(alpha="alphas"), smoke=(3, Settings(alphas=(1.5, 2.0))), paper=(50, Settings()))
