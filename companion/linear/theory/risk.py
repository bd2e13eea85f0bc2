"""Risk without noise: what unseen features cost, what unresolved ones add, and the power law behind it.

Frequencies ``p`` and coefficients ``beta`` are (d,) arrays, ``n`` is the number of training rows. A feature is
*resolved* when it lies in the row space of the design (:prf:ref:`thm-certificate`).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.special import gammaincc, gammaln, zeta

from companion import _validate as check
from companion.linear.structure import components
from companion.linear.theory.checks import frequencies, vector_like


@dataclass(frozen=True)
class Sandwich:
    """Bounds on one draw's noiseless risk: ``floor <= risk <= components <= crude``."""

    floor: float  # unseen features, each at full cost
    components: float  # floor + over components C of unresolved features: max p on C times |beta_C|^2
    crude: float  # floor + largest p among unresolved features times their |beta|^2
    unresolved: int  # how many features were seen but are not known to be resolved


def unseen_floor(p: Any, beta: Any, n: int) -> float:
    """Expected cost of the features that n rows never show: ``sum_i p_i beta_i^2 (1 - p_i)^n``.

    A lower bound on the expected risk, with or without noise. With ``beta = 1`` it is the unseen mass.
    Source: ours, :prf:ref:`thm-risk-expectation`.
    """
    p, beta, n = _frequencies(p, beta, n)
    return float(np.sum(p * beta**2 * (1 - p) ** n))


def once_seen_mass(p: Any, weights: Any, n: int) -> float:
    """``E[(1/n) sum of weights over features seen exactly once] = sum_i w_i p_i (1 - p_i)^(n-1)``.

    Source: the Good-Turing identity, :prf:ref:`prop-good-turing`; with ``weights = beta**2`` it is
    ``unseen_floor(p, beta, n - 1)``.
    """
    p, weights, n = _frequencies(p, weights, n, low=1, name="weights")
    return float(np.sum(weights * p * (1 - p) ** (n - 1)))


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


def frequency_scale(s: float, alpha: float, d: int | None = None) -> float:
    """``c = s / sum_{i<=d} i^-alpha`` of ``p_i = min(1, c i^-alpha)``; ``d = None`` is the infinite model."""
    s, alpha = check.positive("s", s), check.positive("alpha", alpha)
    if d is None:
        if alpha <= 1:
            raise ValueError(f"alpha must be above 1 when d is infinite, got {alpha}")
        return s / float(zeta(alpha))
    return s / float(np.sum(np.arange(1, check.positive_int("d", d) + 1, dtype=float) ** -alpha))


def floor_exponent(alpha: float, b: float) -> float:
    """``g = 1 - (1 - 2b)/alpha``: the unseen floor falls as ``n^-g`` when ``beta_i = i^-b``."""
    alpha, b = check.positive("alpha", alpha), check.number("b", b)
    if alpha <= 1 - 2 * b:
        raise ValueError(f"alpha must be above 1 - 2b = {1 - 2 * b:g} for a finite risk, got {alpha}")
    return 1 - (1 - 2 * b) / alpha


def floor_law(n: int, *, c: float, alpha: float, b: float, d: int | None = None) -> float:
    """The power law of the unseen floor, ``(1/alpha) c^((1-2b)/alpha) Gamma(g, n c d^-alpha) n^-g``.

    `c` from `frequency_scale`; Gamma(g, z) is the upper incomplete gamma function, and the complete one
    when `d` is None. Source: ours, :prf:ref:`lem-floor-law`.
    """
    n, c = check.positive_int("n", n), check.positive("c", c)
    alpha, b = check.positive("alpha", alpha), check.number("b", b)
    g, d = floor_exponent(alpha, b), None if d is None else check.positive_int("d", d)
    share = 1.0 if d is None else float(gammaincc(g, n * c * float(d) ** -alpha))
    # in logarithms: for small alpha the factors leave the range of floats where their product does not
    return math.exp((1 - g) * math.log(c) + float(gammaln(g)) - g * math.log(n)) * share / alpha


def _frequencies(p: Any, other: Any, n: int, low: int = 0, name: str = "beta") -> tuple[np.ndarray, np.ndarray, int]:
    p = frequencies(p)
    return p, vector_like(name, other, p), check.integer("n", n, low=low)
