"""The paper's Figure 1: errors of common and tail features, in- and out-of-distribution loss, along alpha.

Claim: once-seen features that the design resolves are off by about the noise, common ones by far less, and
both losses are small, as long as the tail decays fast enough; at alpha = 1 all of it degrades. Evidence: 50
draws of the design at the paper's size for each alpha, sigma = 0 and 0.05 on the same draws.

Fits are linear in the labels, so one fit of the signal and one of unit noise give every sigma.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from companion.linear.model import LongTailModel
from companion.linear.risk import composition_risk, population_risk
from companion.linear.solve import min_norm
from companion.linear.theory.density import cavity
from companion.linear.theory.noise import inverse_count
from companion.linear.theory.risk import unseen_floor
from companion.runner.experiment import Resources, define, grid, setting

RESOLVED = 1e-7  # a random probe comes back this exactly on resolved features, and nowhere else
PAIR = 2  # tail features in an out-of-distribution row
EXPOSURES = ((1, 1), (2, 2), (3, 5), (6, 20), (21, 10**9))  # classes of occurrences, ends included


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
    """A training set at this `alpha`, fitted.

    Resolved features are found by a probe: the minimum-norm fit of labels made with Gaussian coefficients
    gives back exactly those in the row space, with probability 1 (:prf:ref:`thm-certificate`).
    """
    rng = np.random.default_rng(seed)
    model = long_tail_model(settings, alpha, sigma=1.0)
    sample = model.sample(seed=rng)
    X = sample.X
    probe = rng.standard_normal(model.d)
    return Draw(
        model=model,
        seen=np.bincount(X.indices, minlength=model.d),
        resolved=np.abs(min_norm(X, X @ probe) - probe) < RESOLVED,
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


def by_exposure(drawn: Draw, sigma: float) -> list[dict[str, Any]]:
    """Root mean square error of the seen features by how often they occurred, resolved and unresolved apart.

    One dict for each class of occurrences: `seen` (text), `low`, `high` (inclusive); "resolved" and
    "unresolved": the number of features; "resolved_error" and "unresolved_error" (NaN where there is none).
    """
    square = (drawn.beta_hat(sigma) - drawn.model.beta) ** 2
    out = []
    for low, high in EXPOSURES:
        members = (drawn.seen >= low) & (drawn.seen <= high)
        row: dict[str, Any] = {"seen": _span(low, high, drawn.model.n), "low": low, "high": high}
        for name, mask in (("resolved", drawn.resolved), ("unresolved", ~drawn.resolved)):
            row[name] = int((members & mask).sum())
            row[f"{name}_error"] = float(np.sqrt(_mean(square[members & mask])))
        out.append(row)
    return out


def loss_parts(drawn: Draw, sigma: float) -> dict[str, dict[str, float]]:
    """The two losses of `measures`, split by the features that cause them; each dict sums to its loss."""
    model, tail = drawn.model, drawn.tail
    square = (drawn.beta_hat(sigma) - model.beta) ** 2
    weighted = model.p * square
    seen, resolved = drawn.seen > 0, drawn.resolved
    candidates = tail & seen
    share = PAIR / max(1, int(candidates.sum()))
    common = float(weighted[~tail].sum())
    return {
        "in_distribution": {
            "never seen": float(weighted[tail & ~seen].sum()),
            "seen, not resolved": float(weighted[candidates & ~resolved].sum()),
            "resolved (noise)": float(weighted[candidates & resolved].sum()),
            "common": common,
        },
        "composition": {
            "never seen": 0.0,
            "seen, not resolved": share * float(square[candidates & ~resolved].sum()),
            "resolved (noise)": share * float(square[candidates & resolved].sum()),
            "common": common,
        },
    }


def expectations(settings: Settings, alpha: float, sigma: float) -> dict[str, float]:
    """What theory says of the same quantities; no random draws.

    unseen: exact expectation, ``sum_i p_i beta_i^2 (1 - p_i)^n`` (a lower bound of the in-distribution loss).
    once_square: sigma^2, exact for a feature whose row holds nothing else, a lower bound otherwise.
    common_square, composition: leading order, as if every feature stood alone in its rows, where the error of
    one seen m times has variance ``sigma^2 / m``. recovered: share of the seen tail features, from the scalar
    equation (:prf:ref:`prop-fixed-point`).
    """
    model = long_tail_model(settings, alpha, sigma)
    p, k = model.p, model.k
    seen = 1 - (1 - p) ** model.n
    inverse = inverse_count(p, model.n)
    common = inverse[:k] / seen[:k]
    tail = inverse[k:].sum() / seen[k:].sum()
    resolved = 1 - cavity(p, model.n).unresolved
    return {
        "once_square": sigma**2,
        "common_square": sigma**2 * _mean(common),
        "unseen": unseen_floor(p, model.beta, model.n),
        "recovered": float(resolved[k:].sum() / seen[k:].sum()),
        "composition": sigma**2 * float(p[:k] @ common + PAIR * tail),
    }


def _span(low: int, high: int, n: int) -> str:
    return f"{low}" if low == high else f"{low}–{high}" if high <= n else f"{low}+"


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    return list(rows(settings, cell["alpha"], seed=seed))


def rows(settings: Settings, alpha: float, *, seed: int) -> Iterator[dict[str, Any]]:
    """One row for each noise level, all on the same draw of the design."""
    drawn = draw(settings, alpha, seed=seed)
    for sigma in settings.sigmas:
        yield {"alpha": alpha, "sigma": sigma, **measures(drawn, sigma)}


EXPERIMENT = define(
    _run,
    grid(alpha="alphas"),
    smoke=(3, Settings(n=200, d=1000, alphas=(1.0, 2.0, 3.0))),
    paper=(50, Settings()),
    by=("alpha", "sigma"),
)
