"""Memorization turned down by degrees: ridge and early stopping on one scale, the linear twin of Table 1.

For each strength `n_lam` of the ridge, and for the gradient descent that shrinks an isolated once-seen feature as
much, one row a draw: training loss, in-distribution risk, loss on two composed once-seen features, and memorization
measured by leave-one-out (1 - residual / held-out residual, averaged over the rows with a once-seen feature).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.figure1 import papers
from companion.linear import LongTailModel
from companion.linear.theory import gradient_shrinkage, once_seen_rows, ridge_shrinkage
from companion.runner.experiment import Resources, define, grid, setting

ZERO = 1e-10  # singular values below this share of the largest count as zero


@dataclass(frozen=True)
class Settings:
    alphas: tuple[float, ...] = setting((2.0,), "the paper's noisy case starts at 2")
    sigmas: tuple[float, ...] = setting((0.0, 0.05), "without and with noise", "paper")
    n: int = papers("n")
    d: int = papers("d")
    s: float = papers("s")
    beta_exponent: float = papers("beta_exponent")
    n_lams: tuple[float, ...] = setting(
        (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0), "strength of the ridge times n; 0 is minimum norm"
    )
    t: int = setting(2, "once-seen features in a composition, as in Table 1", "paper")
    step_share: float = setting(0.9, "step of gradient descent as a share of the largest stable one")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    model = LongTailModel(settings.n, settings.d, settings.s, cell["alpha"], settings.beta_exponent, cell["sigma"])
    sample = model.sample(seed=seed)
    seen = np.flatnonzero(np.bincount(sample.X.indices, minlength=model.d) > 0)
    U, size, Vt = np.linalg.svd(sample.X[:, seen].toarray(), full_matrices=False)
    keep = size > ZERO * size[0]
    U, size, Vt = U[:, keep], size[keep], Vt[keep]
    lr = settings.step_share * model.n / size[0] ** 2
    features, rows = once_seen_rows(sample.X)
    out = []
    for n_lam in settings.n_lams:
        steps = steps_for(n_lam, model.n, lr)
        learned = {"ridge": ridge_shrinkage(size**2, n_lam)}
        if steps is not None:
            learned["descent"] = gradient_shrinkage(size**2, model.n, lr=lr, steps=steps)
        for path, share in learned.items():
            coefficients = np.zeros(model.d)
            coefficients[seen] = Vt.T @ (share / size * (U.T @ sample.y))
            error = coefficients - model.beta
            self_influence = U[np.unique(rows)] ** 2 @ share
            out.append(
                {
                    "path": path,
                    "n_lam": n_lam,
                    "steps": steps if path == "descent" else 0,
                    "train": float(np.mean((sample.X @ coefficients - sample.y) ** 2)),
                    "population": float(model.p @ error**2),
                    "composition": settings.t * float(np.mean(error[features] ** 2)),
                    "memorization": float(np.mean(self_influence)),
                    "kept": float(np.mean(coefficients[features] / model.beta[features])),
                    "once_seen": int(features.size),
                }
            )
    return out


def steps_for(n_lam: float, n: int, lr: float) -> int | None:
    """Steps that leave an isolated once-seen feature at ``1/(1 + n lam)`` of its value; None at n lam = 0."""
    return None if n_lam == 0 else max(1, round(math.log(n_lam / (1 + n_lam)) / math.log1p(-2 * lr / n)))


EXPERIMENT = define(
    run,
    grid(alpha="alphas", sigma="sigmas"),
    smoke=(2, Settings(n=300, d=2000, n_lams=(0.0, 1.0))),
    paper=(20, Settings()),
    by=("alpha", "sigma", "path", "n_lam"),
)
