"""Ledger: Figure 1, where composition comes from, the block solver, and where it all stops."""

from __future__ import annotations

import numpy as np

from companion.claims import Claim
from companion.linear import LongTailModel, min_norm, recoverability

RESOLVED = 1 - 1e-8


def proportional(*, resolved_only: bool = True, sigmas: tuple[float, float] = (0.02, 0.2)) -> float:
    """1 minus the relative deviation of the errors from proportionality, over resolved features."""
    model = LongTailModel(n=300, d=3000, s=5.0, alpha=1.4, beta_exponent=0.1, sigma=1.0)
    sample = model.sample(seed=3)
    wanted = recoverability(sample.X) > (RESOLVED if resolved_only else 1e-8)
    low, high = sigmas
    errors = [
        (min_norm(sample.X, sample.X @ model.beta + sigma * sample.noise) - model.beta)[wanted]
        for sigma in sigmas
    ]
    gap = np.abs(errors[1] * low / high - errors[0]).max() / np.abs(errors[0]).max()
    return 1 - 1e6 * float(gap)


CLAIMS = (
    Claim(
        label="prop-proportional",
        title="On resolved features the error is exactly proportional to the noise",
        source="ours",
        status="proved here",
        chapter="book/linear/figure1",
        check=proportional,
        breaks={"all seen features, not only the resolved": lambda: proportional(resolved_only=False)},
        functions=("companion.linear.min_norm", "companion.linear.recoverability"),
    ),
)
