"""Every term of the noise, draw by draw, along alpha: rank, memorized rows, once-seen errors, chains, composition.

Everything but `once_drawn` and `train_drawn` is exact given the design (averaged over the noise); those two come
from one draw of the noise, in units of sigma and sigma^2.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear import (
    LongTailModel,
    feature_counts,
    inverse_gram_diagonal,
    level_one,
    leverage,
    min_norm,
    population_risk,
    resolved,
)
from companion.linear.structure import RESOLVED
from companion.linear.theory import common_leverage, composition_noise, once_seen_rows, risk_sandwich
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    alphas: tuple[float, ...] = setting((1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0), "around and below alpha = 2")
    n: int = papers("n")
    d: int = papers("d")
    s: float = papers("s")
    beta_exponent: float = papers("beta_exponent")
    sigma: float = papers("sigma")
    t: int = setting(10, "features in a composition")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    model = LongTailModel(settings.n, settings.d, settings.s, cell["alpha"], settings.beta_exponent, settings.sigma)
    sample = model.sample(seed=seed)
    X, counts = sample.X, feature_counts(sample.X)
    h, variance = leverage(X), inverse_gram_diagonal(X)
    noiseless, noisy = min_norm(X, X @ model.beta), min_norm(X, sample.y)
    known, seen, common = resolved(X), counts > 0, np.arange(model.d) < model.k
    once = np.flatnonzero(known & (counts == 1))
    bounds = risk_sandwich(X, model.p, model.beta, known)
    share = np.divide(model.p, counts, out=np.zeros(model.d), where=seen)
    return [
        {
            "k": model.k,
            "rank": float(h.sum()),
            "memorized_rows": float(np.mean(h > 1 - RESOLVED)),
            "train_drawn": float(np.mean((X @ noisy - sample.y) ** 2)) / model.sigma**2,
            "pinned": bool(known[: model.k].all()),
            "once_exact": math.sqrt(variance[once].mean()) if once.size else math.nan,
            "once_drawn": math.sqrt(np.mean((noisy - model.beta)[once] ** 2)) / model.sigma if once.size else math.nan,
            "noise": float(model.p @ variance),
            "noise_common": float(model.p[common] @ variance[common]),
            "noise_resolved_tail": float(model.p[known & ~common] @ variance[known & ~common]),
            "diagonal": float(share.sum()),
            "diagonal_resolved": float((share * known).sum()),
            "k_over_n": model.k / model.n,
            "risk": population_risk(noiseless, model),
            "floor": bounds.floor,
            "components": bounds.components,
            "crude": bounds.crude,
            **_composition(settings, model, X),
        }
    ]


def _composition(settings: Settings, model: LongTailModel, X: Any) -> dict[str, float]:
    """Noise of t once-seen features, alone among tail features in distinct rows: sigma^2 taken out."""
    out = dict.fromkeys(("tau", "largest_leverage", "random_signs", "fixed_signs"), math.nan)
    try:
        inverse, out["tau"] = common_leverage(X, model.p, model.k)
    except ValueError:  # the rows without tail do not pin the common features in this draw
        return out
    features, rows = once_seen_rows(X)
    alone = level_one(X, model.k)[features]
    chosen, rows = features[alone][: settings.t], rows[alone][: settings.t]
    if chosen.size < settings.t:
        return out
    rest = X[rows][:, : model.k].toarray()
    out["largest_leverage"] = float(np.einsum("tj,jl,tl->t", rest, inverse, rest).max())
    out["random_signs"] = composition_noise(X, chosen, 1.0)
    out["fixed_signs"] = composition_noise(X, chosen, 1.0, signs=np.ones(chosen.size))
    return out


EXPERIMENT = define(
    run, grid(alpha="alphas"), smoke=(2, Settings(alphas=(2.0,), n=300, d=2000)), paper=(20, Settings())
)
