"""Risk without noise: what unseen features cost, what unresolved ones add, and the power law behind it.

Frequencies ``p`` and coefficients ``beta`` are (d,) arrays, ``n`` is the number of training rows. A feature is
*resolved* when it lies in the row space of the design (:prf:ref:`thm-certificate`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from companion import _validate as check
from companion.linear.structure import components


@dataclass(frozen=True)
class Sandwich:
    """Bounds on one draw's noiseless risk: ``floor <= risk <= components <= crude``."""

    floor: float  # unseen features, each at full cost
    components: float  # floor + over components C of unresolved features: max p on C times |beta_C|^2
    crude: float  # floor + largest p among unresolved features times their |beta|^2
    unresolved: int  # how many features were seen but are not known to be resolved


def risk_sandwich(X: Any, p: Any, beta: Any, resolved: Any) -> Sandwich:
    """Bounds on ``R = sum_i p_i (b_i - beta_i)^2`` of the noiseless minimum-norm solution on this design.

    Parameters
    ----------
    X: design, dense or sparse, shape (n, d).
    p, beta: frequencies and true coefficients, shape (d,).
    resolved: bool (d,), any set of features known to be resolved (by certificate or by peeling); a smaller
        set gives weaker bounds, never wrong ones.

    Source: ours, :prf:ref:`thm-risk-sandwich`.
    """
    X = sp.csr_array(check.design("X", X))
    p, beta = check.vector("p", p, X.shape[1]), check.vector("beta", beta, X.shape[1])
    resolved = check.mask("resolved", resolved, p.size)
    seen = np.bincount(X.indices, minlength=X.shape[1]) > 0
    floor = float(np.sum((p * beta**2)[~seen]))
    loose = np.flatnonzero(seen & ~resolved)
    if loose.size == 0:
        return Sandwich(floor, floor, floor, 0)
    parts = [columns for _, columns in components(X, seen & ~resolved)]
    split = sum(float(p[part].max()) * float((beta[part] ** 2).sum()) for part in parts)
    crude = float(p[loose].max()) * float((beta[loose] ** 2).sum())
    return Sandwich(floor, floor + split, floor + crude, int(loose.size))
