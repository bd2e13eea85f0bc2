"""The paper's Figure 1: errors of common and tail features, in- and out-of-distribution loss, along alpha.

Claim: once-seen features that the design resolves are off by about the noise, common ones by far less, and
both losses are small, as long as the tail decays fast enough; at alpha = 1 all of it degrades. Evidence: 50
draws of the design at the paper's size for each alpha, sigma = 0 and 0.05 on the same draws.

Fits are linear in the labels, so one fit of the signal and one of unit noise give every sigma.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from companion.linear.model import LongTailModel
from companion.linear.risk import composition_risk, population_risk
from companion.linear.solve import min_norm
from companion.linear.structure import resolved
from companion.runner.experiment import Resources, define, grid, setting

PAIR = 2  # tail features in an out-of-distribution row
PAPER: dict[str, tuple[float, str]] = {
    "n": (1000, "training rows"),
    "d": (10_000, "features"),
    "s": (5.0, "expected features a row before frequencies are cut at 1"),
    "beta_exponent": (0.1, "true coefficients are i^-0.1"),
    "sigma": (0.05, "standard deviation of the label noise"),
}


def papers(name: str) -> Any:
    """A setting that the paper fixes for Figure 1, for all experiments that share it."""
    value, why = PAPER[name]
    return setting(value, why, "paper")


@dataclass(frozen=True)
class Settings:
    n: int = papers("n")
    d: int = papers("d")
    s: float = papers("s")
    beta_exponent: float = papers("beta_exponent")
    common: float = setting(10.0, "features with n p_i of at least this are common", "paper")
    sigmas: tuple[float, ...] = setting((0.0, 0.05), "standard deviation of the label noise", "paper")
    alphas: tuple[float, ...] = setting(
        (1.0, 1.25, 1.5, 1.75, 2.0, 2.25, 2.5, 2.75, 3.0), "tail exponents; the summary names only alpha = 1"
    )


@dataclass(frozen=True)
class Draw:
    """One training set with the two fits that give all noise levels; arrays of shape (d,)."""

    model: LongTailModel  # with sigma = 1
    seen: np.ndarray  # times each feature occurs in training
    resolved: np.ndarray  # bool: the data alone fix the coefficient
    signal: np.ndarray  # fit of the noiseless labels
    noise: np.ndarray  # fit of noise of unit variance

    def beta_hat(self, sigma: float) -> np.ndarray:
        """The minimum-norm least-squares solution at noise `sigma`, shape (d,)."""
        return self.signal + sigma * self.noise

    @property
    def tail(self) -> np.ndarray:
        """Mask of the tail features, shape (d,)."""
        return np.arange(self.model.d) >= self.model.k


def long_tail_model(settings: Settings, alpha: float, sigma: float = 0.0) -> LongTailModel:
    """The paper's data at this `alpha`; k counts the features with n p_i of at least `settings.common`."""
    model = LongTailModel(settings.n, settings.d, settings.s, alpha, settings.beta_exponent, sigma)
    return replace(model, k=int(np.count_nonzero(model.n * model.p >= settings.common * (1 - 1e-12))))


def draw(settings: Settings, alpha: float, *, seed: int) -> Draw:
    """A training set at this `alpha`, fitted."""
    model = long_tail_model(settings, alpha, sigma=1.0)
    sample = model.sample(seed=seed)
    X = sample.X
    return Draw(
        model=model,
        seen=np.bincount(X.indices, minlength=model.d),
        resolved=resolved(X),
        signal=min_norm(X, X @ model.beta),
        noise=min_norm(X, sample.noise),
    )


def measures(drawn: Draw, sigma: float) -> dict[str, float]:
    """What Figure 1 shows, for one training set and one noise level.

    once_square, once_square_all: mean square error of the tail features seen once, the resolved ones and
    all. common_square: the same over the common features. recovered: share of the seen tail features that is
    resolved. in_distribution: exact excess risk; unseen: the part of it due to features that never occurred.
    composition: excess loss of a row with a fresh draw of the common features and two different *seen* tail
    features, uniformly chosen, random signs; composition_resolved: the two among the *resolved* ones.
    """
    model, tail = drawn.model, drawn.tail
    beta_hat = drawn.beta_hat(sigma)
    square = (beta_hat - model.beta) ** 2
    once = tail & (drawn.seen == 1)
    seen = tail & (drawn.seen > 0)
    background = float(model.p[: model.k] @ square[: model.k])

    def composed(features: np.ndarray) -> float:
        if features.sum() < PAIR:
            return float("nan")
        return background + composition_risk(beta_hat, model, features, PAIR)

    return {
        "once_square": _mean(square[once & drawn.resolved]),
        "once_square_all": _mean(square[once]),
        "common_square": _mean(square[: model.k]),
        "recovered": _mean(drawn.resolved[seen]),
        "in_distribution": population_risk(beta_hat, model),
        "unseen": float((model.p * square)[drawn.seen == 0].sum()),
        "composition": composed(seen),
        "composition_resolved": composed(seen & drawn.resolved),
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def rows(settings: Settings, alpha: float, *, seed: int) -> list[dict[str, Any]]:
    """One row for each noise level, all on the same draw of the design."""
    drawn = draw(settings, alpha, seed=seed)
    return [{"alpha": alpha, "sigma": sigma, **measures(drawn, sigma)} for sigma in settings.sigmas]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    return rows(settings, cell["alpha"], seed=seed)


EXPERIMENT = define(
    run,
    grid(alpha="alphas"),
    smoke=(3, Settings(n=200, d=1000, alphas=(1.0, 2.0, 3.0))),
    paper=(50, Settings()),
    by=("alpha", "sigma"),
)
