"""Bounds and laws that chapters of this part state and check, one function for one statement.

What solvers and experiments use, and the counts and equations to apply to other data, is in `companion.linear.theory`.
Frequencies ``p`` are a (d,) array, non-increasing where a statement needs it.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.optimize import brentq
from scipy.special import gammaincc, gammaln, lambertw, zeta

from book.shared import density
from book.shared.density import multiplicities
from companion import _validate as check
from companion._validate import frequencies, split
from companion.linear import theory
from companion.linear.structure import inverse_gram_diagonal
from companion.linear.theory import no_tail_probability


def vector_like(name: str, value: Any, p: np.ndarray) -> np.ndarray:
    """`value`, one number or one for each frequency, as a finite vector (d,)."""
    one = np.isscalar(value) or getattr(value, "ndim", 1) == 0
    return check.vector(name, np.full(p.shape, value) if one else value, p.size)


def below_one(p: np.ndarray, k: int) -> np.ndarray:
    """The tail p[k:], shape (d - k,); ValueError where it holds a 1, which no row could be without."""
    tail = p[k:]
    if tail.size and tail.max() >= 1:
        raise ValueError(f"p[k:] must be below 1, got {tail.max()} after k = {k}")
    return tail


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


def _frequencies(p: Any, other: Any, n: int, low: int = 0, name: str = "beta") -> tuple[np.ndarray, np.ndarray, int]:
    p = frequencies(p)
    return p, vector_like(name, other, p), check.integer("n", n, low=low)


def alone_probability(p: np.ndarray, k: int) -> np.ndarray:
    """p_i a_i for the tail: P(a row holds i and no other tail feature), a_i = pi_0/(1 - p_i). Shape (d - k,)."""
    p, k = split(p, k)
    tail = below_one(p, k)
    return tail * no_tail_probability(p, k) / (1 - tail)


def expected_level_one(p: np.ndarray, k: int, n: int) -> float:
    """Expected number of tail features that are alone in some row, :prf:ref:`prop-level-one`."""
    n = check.integer("n", n, low=0)
    return float(-np.expm1(n * np.log1p(-alone_probability(p, k))).sum())


def gamma_law(
    theta: float, *, c: float, alpha: float, power: float = 1.0, a: float = 0.0, d: float = math.inf
) -> tuple[float, float]:
    """The integral that stands for sum_{i<=d} q_i^power i^-a exp(-theta q_i), q_i = c i^-alpha; and its largest error.

    (1/alpha) c^((1-a)/alpha) theta^-g Gamma(g, theta c d^-alpha) with g = power - (1 - a)/alpha > 0, and
    c^(-a/alpha) (w/(e theta))^w with w = power + a/alpha, for every whole d. Source: :prf:ref:`lem-power-sum` (b).
    """
    theta, c, alpha = check.positive("theta", theta), check.positive("c", c), check.positive("alpha", alpha)
    power, a = check.number("power", power), check.number("a", a)
    d = math.inf if np.isscalar(d) and d == math.inf else check.positive("d", d)
    g, w = power - (1 - a) / alpha, power + a / alpha
    if g <= 0:
        raise ValueError(f"power must be above (1 - a)/alpha = {(1 - a) / alpha:g}, got {power}")
    share = 1.0 if math.isinf(d) else float(gammaincc(g, theta * c * d**-alpha))
    # in logarithms: for small alpha the factors leave the range of floats where their product does not
    law = math.exp((1 - a) / alpha * math.log(c) + float(gammaln(g)) - g * math.log(theta)) * share / alpha
    return law, math.exp(-a / alpha * math.log(c) + w * math.log(w / theta) - w)


def power_law_sum(alpha: float, c: float, m: float, d: float = math.inf) -> float:
    """The integral that stands for sum_{i<=d} p_i exp(-m p_i), p_i = min(1, c i^-alpha), alpha > 1.

    :prf:ref:`lem-power-sum`; the error is at most `power_law_sum_error`.
    """
    alpha, m = check.number("alpha", alpha, low=1, open_low=True), check.positive("m", m)
    return gamma_law(m, c=c, alpha=alpha, d=d)[0]


def power_law_sum_error(alpha: float, c: float, m: float) -> float:
    """Largest error of `power_law_sum` for m >= 1, the cut of p_i at 1 included, :prf:ref:`lem-power-sum`."""
    alpha, c, m = check.positive("alpha", alpha), check.positive("c", c), check.number("m", m, low=1)
    cut = c ** (1 / alpha) * math.exp(-m) if c > 1 else 0.0
    return 1 / (math.e * m) + cut


class Blocks(NamedTuple):
    """Frequencies with multiplicities: p (m,), weights (m,), and the constant c of the power law."""

    p: np.ndarray
    weights: np.ndarray
    c: float


def blocks(alpha: float, s: float, d: float, *, exact: int = 20_000, per_decade: int = 4_000) -> Blocks:
    """Power-law frequencies min(1, c i^-alpha) in blocks of neighbours, the first `exact` one by one.

    d may be far beyond what fits in memory. Within a block (a step of 0.06% in i by default) the frequency is
    the block's mean, from the Euler-Maclaurin formula, so sums of smooth functions of i p_i are right to about
    1e-7 of their size.
    """
    alpha, s, d = check.positive("alpha", alpha), check.positive("s", s), check.number("d", d, low=1)
    exact, per_decade = check.positive_int("exact", exact), check.positive_int("per_decade", per_decade)
    first = np.arange(1, min(exact, d) + 1, dtype=float)
    size = np.ones_like(first)
    power = first**-alpha
    if d > exact:
        decades = np.log10(d / exact)
        edges = np.unique(np.round(np.geomspace(exact, d, 2 + int(per_decade * decades))))
        width = np.diff(edges)
        power = np.concatenate([power, power_sum(alpha, edges[:-1], edges[1:]) / width])
        size = np.concatenate([size, width])
    c = s / float(power @ size)
    return Blocks(np.minimum(1.0, c * power), size, c)


def power_sum(alpha: float, a: Any, b: Any) -> Any:
    """sum_{a < i <= b} i^-alpha by Euler-Maclaurin, relative error below 1e-14 for a >= 1000."""
    alpha, a, b = check.positive("alpha", alpha), _ends("a", a), _ends("b", b)
    if np.min(a) <= 0 or np.any(b < a):
        raise ValueError(f"a must be positive and at most b, got a = {a} and b = {b}")
    ratio = b / a
    whole = a ** (1 - alpha) * (np.log(ratio) if alpha == 1 else -np.expm1((1 - alpha) * np.log(ratio)) / (alpha - 1))
    return whole + (b**-alpha - a**-alpha) / 2 - alpha * (b ** (-alpha - 1) - a ** (-alpha - 1)) / 12


def _ends(name: str, value: Any) -> np.ndarray:
    return check.reals(name, value)[()]


def lambert_rate(M: float, gamma: float) -> float:
    """The smaller solution -W_0(-gamma M)/gamma of Q = M e^(gamma Q), :prf:ref:`prop-lambert`; NaN if none."""
    M, gamma = check.nonnegative("M", M), check.nonnegative("gamma", gamma)
    if gamma == 0:
        return M
    if gamma * M > 1 / np.e:
        return float("nan")
    return float(-lambertw(-gamma * M).real / gamma)


def inverse_count(p: Any, n: int) -> np.ndarray:
    """``E[1/N; N >= 1]`` for N ~ Binomial(n, p_i), shape (d,): ``sum_{j<=n} ((1-p)^(n-j) - (1-p)^n) / j``.

    Computed as the integral of ``(a^n - b^n) / (np - s)`` over s in [0, np], with ``a = 1 - s/n, b = 1 - p``:
    a polynomial in s, at most ``exp(-s)`` times its value at 0, so that cutting at s = 45 and 64 Gauss nodes
    leave a relative error below 1e-12. The cost does not depend on n.

    >>> inverse_count([0.5], 2)  # 1/1 with probability 1/2, 1/2 with probability 1/4
    array([0.625])
    """
    p, n = frequencies(p), check.integer("n", n, low=0)
    mean = n * p
    h = np.zeros_like(mean)
    seen = mean > 0
    mean = mean[seen]
    end = np.minimum(mean, 45.0)
    for node, weight in zip(*np.polynomial.legendre.leggauss(64), strict=True):
        s = end * (node + 1) / 2
        fall = np.minimum((mean - s) / (n - s), 1.0)  # 1 - b/a
        with np.errstate(divide="ignore"):  # p = 1: b is 0
            gained = -np.expm1(n * np.log1p(-fall))
        h[seen] += weight * end / 2 * np.exp(n * np.log1p(-s / n)) * gained / (mean - s)
    return h


def value_probability(p: np.ndarray) -> np.ndarray:
    """rho_i = max(1 - p_i, p_i / 2): the largest probability of a single value of an entry of column i."""
    p = frequencies(p)
    return np.maximum(1 - p, p / 2)


def rank_failure_bound(p: np.ndarray, k: int, n: int, excluded: float = 0.0) -> float:
    """Bound on P(rank A < k) for n rows, averaged over N_0, :prf:ref:`thm-pinned` (b).

    excluded: the frequency of a tail feature that is known to be absent from all n rows
    (the bound is then used with n - 1 rows in :prf:ref:`thm-sandwich`).
    """
    p, k = split(p, k, low=1)
    n, excluded = check.integer("n", n, low=0), check.number("excluded", excluded, low=0, high=1)
    if excluded == 1:
        raise ValueError("excluded must be below 1: a feature of frequency 1 is in every row")
    rho = value_probability(p[:k])
    none = no_tail_probability(p, k) / (1 - excluded)
    log_terms = -(k - 1) * np.log(rho) + n * np.log1p(-none * (1 - rho))
    return float(np.exp(np.minimum(log_terms, 700.0)).sum())


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
    floor_exponent(alpha, b)
    whole = math.inf if d is None else check.positive_int("d", d)
    return gamma_law(n, c=c, alpha=alpha, a=2 * b, d=whole)[0]


def ridge_once_seen(X: Any, y: Any, feature: int, n_lam: float) -> tuple[float, float]:
    """Coefficient of a once-seen feature from the fit *without* its row, and that fit's ``q``.

    With v the rest of row r, ``b' = `` the ridge fit on the other rows at the same ``n lam > 0`` and
    ``q = v^T (X_{-r}^T X_{-r} + n lam I)^{-1} v``: ``b_i = x_ri (y_r - v . b') / (1 + n lam (1 + q))``, and its
    average over the sign x_ri is ``beta_i / (1 + n lam (1 + q))``. Source: ours, :prf:ref:`thm-ridge-once-seen`.

    Raises
    ------
    ValueError: the feature does not occur in exactly one row.
    """
    X = sp.csr_array(check.design("X", X))
    y, n_lam = check.vector("y", y, X.shape[0]), check.positive("n_lam", n_lam)
    feature = check.integer("feature", feature, low=0, high=X.shape[1] - 1)
    rows = sp.csc_array(X)[:, [feature]].indices
    if rows.size != 1:
        raise ValueError(f"feature must occur in exactly one row, but feature {feature} occurs in {rows.size}")
    r = int(rows[0])
    used = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) > 0)
    dense = X[:, used].toarray()
    others, v = np.delete(dense, r, axis=0), dense[r].copy()
    at = int(np.searchsorted(used, feature))
    sign, v[at] = v[at], 0.0
    M = others.T @ others + n_lam * np.eye(used.size)
    fit, reach = np.linalg.solve(M, np.column_stack([others.T @ np.delete(y, r), v])).T
    q = float(v @ reach)
    return float(sign * (y[r] - v @ fit) / (1 + n_lam * (1 + q))), q


def ridge_leverage(X: Any, n_lam: float) -> np.ndarray:
    """Self-influence ``h_rr = x_r (X^T X + n lam I)^{-1} x_r`` of each row under ridge, shape (n,), n lam > 0.

    ``1 - h_rr`` is residual over leave-one-out residual; :prf:ref:`prop-measured-memorization`.
    """
    X = sp.csr_array(check.design("X", X))
    n_lam = check.positive("n_lam", n_lam)
    used = np.flatnonzero(np.bincount(X.indices, minlength=X.shape[1]) > 0)
    dense = X[:, used].toarray()
    if used.size == 0:
        return np.zeros(X.shape[0])
    half = np.linalg.solve(dense.T @ dense + n_lam * np.eye(used.size), dense.T)
    return np.einsum("ri,ir->r", dense, half)


def noise_risk(X: Any, p: Any, sigma: float) -> float:
    """The part of the risk that noise causes: ``sigma^2 sum_i p_i [G^+]_ii``.

    Source: ours, :prf:ref:`thm-conditional-risk`.
    """
    diagonal = inverse_gram_diagonal(X)
    return check.nonnegative("sigma", sigma) ** 2 * float(check.vector("p", p, diagonal.size) @ diagonal)


def diagonal_noise(p: Any, n: int) -> float:
    """``D = sum_i p_i E[1/n_i; n_i >= 1]``: the noise risk over sigma^2 if features did not share rows.

    Source: ours, :prf:ref:`prop-noise-law`.
    """
    p = check.vector("p", p)
    return float(p @ inverse_count(p, n))


def fixed_points(p: np.ndarray, n: float, weights: np.ndarray | None = None, grid: int = 4000) -> list[float]:
    """Every solution of Q = F(Q) that a grid of the given size on [0, sum p] separates, increasing."""
    p, n = frequencies(p), check.nonnegative("n", n)
    count, grid = multiplicities(p, weights), check.integer("grid", grid, low=2)
    Q = np.linspace(0.0, float(p @ count) * (1 + 1e-12), grid)
    pieces = np.array_split(np.exp(-Q), max(1, grid * len(p) // 2_000_000))
    gap = np.concatenate([np.exp(-n * np.outer(z, p)) @ (p * count) for z in pieces]) - Q
    crossings = np.flatnonzero(np.sign(gap[:-1]) != np.sign(gap[1:]))
    return [
        float(brentq(lambda q: density.mass_map(p, n, q, count) - q, Q[a], Q[a + 1], xtol=1e-13)) for a in crossings
    ]


def potential(p: np.ndarray, n: float, Q: float, weights: np.ndarray | None = None) -> float:
    """Phi(Q) = sum_j exp(-n p_j e^-Q) - n (1 - (1 + Q) e^-Q); Phi'(Q) = n e^-Q (F(Q) - Q).

    The expected nullity d - rank X is conjectured to be its maximum, :prf:ref:`conj-rank`.
    """
    p, n, Q = frequencies(p), check.nonnegative("n", n), check.number("Q", Q)
    left = float(np.exp(-n * p * np.exp(-Q)) @ multiplicities(p, weights))
    return float(left - n * (1 - (1 + Q) * np.exp(-Q)))


def potential_maximizer(p: np.ndarray, n: float, weights: np.ndarray | None = None) -> float:
    """The solution of Q = F(Q) with the largest potential: what rank, not peeling, resolves."""
    return max(fixed_points(p, n, weights), key=lambda q: potential(p, n, q, weights))


@dataclass(frozen=True)
class ExpectedRisk:
    """Bounds on the expected noiseless risk: ``floor <= E R <= floor + unresolved + failure``."""

    floor: float
    unresolved: float  # tail features seen, but never alone in a row
    failure: float  # the common block lost rank

    @property
    def upper(self) -> float:
        return self.floor + self.unresolved + self.failure


def expected_risk_bounds(p: Any, beta: Any, n: int, k: int) -> ExpectedRisk:
    """Bounds on the expected noiseless risk for one choice k of "common", 0 <= k < d with p_{k+1} < 1.

    The three terms: unseen features; tail features seen but never alone among tail features,
    ``p_{k+1} sum_{i>k} beta_i^2 [(1 - p_i a_i)^n - (1 - p_i)^n]``; and the event F that the common columns
    of the rows without tail lose rank, ``p_1 sum_i beta_i^2 min(P(F), 1 - (1 - p_i)^n)``.

    Source: ours, :prf:ref:`thm-risk-expectation`, with P(F) from :prf:ref:`thm-pinned`.
    """
    p, n = frequencies(p), check.integer("n", n, low=0)
    beta = vector_like("beta", beta, p)
    k = check.integer("k", k, low=0, high=p.size - 1)
    floor = unseen_floor(p, beta, n)
    tail, size = below_one(p, k), beta[k:] ** 2
    alone = tail * theory.no_tail_probability(p, k) / (1 - tail)  # the feature, and no other tail feature
    unresolved = tail[0] * float(np.sum(size * ((1 - alone) ** n - (1 - tail) ** n)))
    failed = min(1.0, rank_failure_bound(p, k, n)) if k else 0.0
    seen = 1 - (1 - p) ** n
    failure = p[0] * float(np.sum(beta**2 * np.minimum(failed, seen)))
    return ExpectedRisk(floor, unresolved, failure)


def tightest_k(p: Any, beta: Any, n: int) -> int:
    """The k that makes the upper bound of `expected_risk_bounds` smallest, of 24 with n p_k between 1 and 100."""
    p, n = frequencies(p), check.positive_int("n", n)
    beta = vector_like("beta", beta, p)
    low, high = int(np.sum(p >= min(1.0, 100 / n))), int(np.sum(p >= 1 / n))
    low = max(low, int(np.sum(p >= 1)))  # the tail needs p < 1
    tried = np.unique(np.geomspace(max(low, 1), max(high, low, 1), 24).round().astype(int))
    tried = tried[(tried < p.size) & (tried >= int(np.sum(p >= 1)))]
    return int(min(tried, key=lambda k: expected_risk_bounds(p, beta, n, int(k)).upper))


def floor_law_error(n: int, *, c: float, alpha: float, b: float) -> float:
    """How far the exact floor can be from `floor_law`, for every n >= 1 and every d: an explicit bound.

    Relative to the law it is ``O(n^-min(1, 1/alpha))``. Source: ours, :prf:ref:`lem-floor-law`.
    """
    n, c = check.positive_int("n", n), check.positive("c", c)
    floor_exponent(alpha, b)
    cubes, error = gamma_law(n, c=c, alpha=alpha, power=3, a=2 * b)  # of (1 - p)^n against e^(-np)
    return gamma_law(n, c=c, alpha=alpha, a=2 * b)[1] + n * (cubes + error)


def unseen_floor_range(p: Any, beta: Any, n: int, k: int, delta: float) -> tuple[float, float, float]:
    """Where the cost of unseen features lies for one training set: (low, high, missed).

    It is below `low` with probability at most delta, and above `high` with probability at most delta + missed, where
    missed = sum_{i<=k} (1 - p_i)^n. Source: Bernstein's inequality, :prf:ref:`thm-one-draw`.

    >>> low, high, _ = unseen_floor_range([0.5, 0.001], 1.0, n=100, k=1, delta=0.5)
    >>> low < unseen_floor([0.5, 0.001], 1.0, 100) < high
    True
    """
    p, n = frequencies(p), check.integer("n", n, low=0)
    beta = vector_like("beta", beta, p)
    k, delta = check.integer("k", k, low=0, high=p.size - 1), check.number("delta", delta, low=0, high=1, open_low=True)
    cost, absent, L = p * beta**2, (1 - p) ** n, math.log(1 / delta)
    low = cost @ absent - math.sqrt(2 * L * float(cost**2 @ absent))
    rare, missing = cost[k:], absent[k:]
    high = rare @ missing + math.sqrt(2 * L * float(rare**2 @ (missing * (1 - missing)))) + L / 3 * rare.max()
    return float(low), float(high), float(absent[:k].sum())


def map_slope_bound(p: np.ndarray, weights: np.ndarray | None = None) -> float:
    """(sum_j p_j)/e, the largest possible slope of F; below 1 the solution is unique, :prf:ref:`prop-fixed-point`."""
    p = frequencies(p)
    return float(p @ multiplicities(p, weights)) / np.e


def predicted_rank(p: np.ndarray, n: float) -> float:
    """d - max Phi."""
    p = frequencies(p)
    return len(p) - potential(p, n, potential_maximizer(p, n))


def row_map(p: np.ndarray, n: float, z: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The product form as a map of one number: z = P(a fresh row is wholly resolved). Shapes (m,) -> (m,).

    Given z, feature j is unresolved with the u in [0, 1] that solves u = (1 - p_j z/(1 - p_j u))^(n-1), which is
    unique because the right side falls with u; the map returns prod_j (1 - p_j u_j). Its solutions are those of
    the product form; for small p it is e^-Q -> e^-F(Q).
    """
    p, n = frequencies(p), check.number("n", n, low=1)
    count, z = multiplicities(p, weights), check.vector("z", z)[:, None]
    if z.size and (z.min() < 0 or z.max() > 1):
        raise ValueError(f"z must hold probabilities in [0, 1], got values in [{z.min()}, {z.max()}]")
    low, high = np.zeros((len(z), len(p))), np.ones((len(z), len(p)))
    for _ in range(36):
        u = (low + high) / 2
        right = np.maximum(0.0, 1 - p * z / (1 - p * u)) ** (n - 1)
        low, high = np.where(u < right, u, low), np.where(u < right, high, u)
    return np.exp(np.log1p(-p * low) @ count)


def expected_level_one_share(p: np.ndarray, k: int, n: int) -> float:
    """Expected level-one features over expected seen tail features."""
    p, k = split(p, k, left=1)
    tail, n = p[k:], check.positive_int("n", n)
    return expected_level_one(p, k, n) / float(-np.expm1(n * np.log1p(-tail)).sum())


def unresolved_once_seen_lower(p: np.ndarray, n: int) -> np.ndarray:
    """Lower bound on P(i unresolved | n_i = 1) for every i, :prf:ref:`thm-sandwich`. Shape (d,).

    1 - prod_{j != i} (1 - p_j (1 - p_j)^(n-1)): another feature of the row was seen nowhere else either.
    """
    p, n = frequencies(p), check.positive_int("n", n)
    with np.errstate(divide="ignore"):
        absent = np.exp((n - 1) * np.log1p(-p)) if n > 1 else np.ones_like(p)
        terms = np.log1p(-p * absent)
    certain = np.isneginf(terms)  # n = 1 and p_j = 1: j is in the only row
    rest = np.where(certain, 0.0, terms)
    return np.where(certain.sum() > certain, 1.0, -np.expm1(rest.sum() - rest))


def unresolved_once_seen_upper(p: np.ndarray, k: int, n: int, *, pinned: bool = False) -> np.ndarray:
    """Upper bound on P(i unresolved | n_i = 1) for every tail i, :prf:ref:`thm-sandwich`. Shape (d - k,).

    pinned: leave out the bound on the probability that the common features are not pinned.
    """
    p, k = split(p, k)
    tail, n, pinned = p[k:], check.positive_int("n", n), check.one_of("pinned", pinned, (True, False))
    mates = tail * np.exp((n - 1) * np.log1p(-alone_probability(p, k)))
    upper = mates.sum() - mates
    if not pinned and k > 0:
        upper = upper + rank_failure_bound(p, k, n - 1)
    return upper


def seen_often_unresolved_bound(p: np.ndarray, k: int, n: int) -> float:
    """Bound on P(K pinned, i unresolved | n_i >= 2), any tail i, :prf:ref:`lem-seen-twice`.

    m^2 + p_{k+1} m with m = sum_{j>k} p_j (1 - p_j a_j)^(n-2).
    """
    p, k = split(p, k, left=1)
    tail, n = p[k:], check.integer("n", n, low=2)
    m = float(np.sum(tail * np.exp((n - 2) * np.log1p(-alone_probability(p, k)))))
    return m * m + float(tail[0]) * m


def unresolved_share_power_law(alpha: float, c: float, n: int) -> float:
    """Leading order M/alpha of the share of seen features left unresolved, :prf:ref:`thm-rate` (a)."""
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    return power_law_sum(alpha, c, check.positive("n", n)) / alpha


def unresolved_mass_power_law(alpha: float, c: float, n: int) -> float:
    """Leading order gamma M^2 of the probability mass of seen but unresolved features, :prf:ref:`thm-rate` (b)."""
    alpha = check.number("alpha", alpha, low=1, open_low=True)
    mass = power_law_sum(alpha, c, check.positive("n", n))
    return (1 - 1 / alpha) * mass**2


def paper_rate(p: np.ndarray, k: int) -> tuple[float, float]:
    """The two terms in the paper's unrecovered fraction (as summarised, without their hidden constants).

    p_k/p_{>k} and p_{>k}^2 ln^2 d.
    """
    p, k = split(p, k, low=1, left=1)
    mass = theory.tail_mass(p, k)
    return float(p[k - 1]) / mass, mass**2 * math.log(len(p)) ** 2
