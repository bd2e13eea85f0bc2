"""One equation for memory: Q = F(Q), its product form for finite p, and the potential whose slope it is.

F(Q) = sum_j p_j exp(-n p_j e^-Q). Q is the expected number of features of a fresh row that training left
unresolved. Frequencies may come with multiplicities (``weights``), so that a power law with 10^7 entries can
be handled in blocks.
"""

from typing import Any, NamedTuple

import numpy as np

from companion import _validate as check
from companion._validate import frequencies


class Cavity(NamedTuple):
    """Solution of the product form: everything that follows from it is a sum over features."""

    Q: float
    """Expected number of unresolved features in a fresh row."""
    unresolved: np.ndarray
    """P(feature i is unresolved after n rows), (d,)."""
    resolved: float
    """Expected number of resolved features."""
    seen: float
    """Expected number of seen features."""


def multiplicities(p: np.ndarray, weights: Any) -> np.ndarray:
    """How often each frequency occurs, shape (d,): 1 each unless given."""
    return np.ones_like(p) if weights is None else check.vector("weights", weights, p.size)


def _mass(p: np.ndarray, n: float, Q: float, count: np.ndarray) -> float:
    return float((p * np.exp(-n * p * np.exp(-Q))) @ count)


def mass_map(p: np.ndarray, n: float, Q: float, weights: np.ndarray | None = None) -> float:
    """F(Q) = sum_j p_j exp(-n p_j e^-Q)."""
    p, n = frequencies(p), check.nonnegative("n", n)
    return _mass(p, n, check.number("Q", Q), multiplicities(p, weights))


def smallest_fixed_point(p: np.ndarray, n: float, weights: np.ndarray | None = None) -> float:
    """The smallest solution of Q = F(Q): F iterated up from 0."""
    p, n = frequencies(p), check.nonnegative("n", n)
    return _iterate(p, n, 0.0, multiplicities(p, weights))


def largest_fixed_point(p: np.ndarray, n: float, weights: np.ndarray | None = None) -> float:
    """The largest solution of Q = F(Q), where peeling ends: F iterated down from sum p."""
    p, n = frequencies(p), check.nonnegative("n", n)
    count = multiplicities(p, weights)
    return _iterate(p, n, float(p @ count), count)


def cavity(
    p: np.ndarray,
    n: float,
    *,
    start: str = "everything unresolved",
    tolerance: float = 1e-12,
    weights: np.ndarray | None = None,
) -> Cavity:
    """The product form of the equation, for frequencies that need not be small.

    w_i = prod_{j != i} (1 - p_j u_j), u_i = (1 - p_i w_i)^(n-1): u_j is the probability that n - 1 rows leave j
    unresolved, w_i that the rest of a row is resolved. A feature is unresolved after n rows with
    probability (1 - p_i w_i)^n.

    Parameters
    ----------
    p: (d,) frequencies. weights: their multiplicities (1 each unless given).
    start: "everything unresolved" (peeling) or "everything resolved" (the smallest solution).
    """
    p, n = frequencies(p), check.number("n", n, low=1)
    count, tolerance = multiplicities(p, weights), check.positive("tolerance", tolerance)
    start = check.one_of("start", start, ("everything unresolved", "everything resolved"))
    u = np.ones_like(p) if start == "everything unresolved" else np.zeros_like(p)
    w = np.zeros_like(p)
    for _ in range(20_000):
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.log1p(-p * u)
            total = float(np.sum(count[np.isfinite(own)] * own[np.isfinite(own)]))
            blocked = float(count[~np.isfinite(own)].sum())
            # a feature with p_j u_j = 1 closes every row but, for itself, the product without it
            others = np.where(np.isfinite(own), total - own, total)
            open_row = (blocked == 0) | ((blocked == 1) & ~np.isfinite(own))
            w = np.where(open_row, np.exp(others), 0.0)
            new = np.exp((n - 1) * np.log1p(-p * w)) if n > 1 else np.ones_like(p)
        change = float(np.sum(count * p * np.abs(new - u)))
        u = new
        if change < tolerance:
            break
    with np.errstate(divide="ignore"):
        unresolved = np.exp(n * np.log1p(-p * w))
        seen = -np.expm1(n * np.log1p(-p))
    return Cavity(
        float(np.sum(count * p * u)), unresolved, float(np.sum(count * (1 - unresolved))), float(np.sum(count * seen))
    )


def _iterate(p: np.ndarray, n: float, Q: float, count: np.ndarray) -> float:
    """Monotone iteration of F from one end; Aitken is not used because it could jump over a solution."""
    for _ in range(100_000):
        new = _mass(p, n, Q, count)
        if abs(new - Q) < 1e-13 * max(1.0, Q):
            return new
        Q = new
    return Q
