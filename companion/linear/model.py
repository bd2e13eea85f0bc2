"""The long-tailed linear model: power-law features, random signs, labels with noise.

Row r of the design holds feature i with probability `p_i`, independently, with a random sign; the labels
are `y = X beta + noise`. A sample is drawn sparse, in time and memory proportional to its non-zeros plus
the number of features: the dense (n, d) array never exists.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from companion import _validate
from companion.linear.reduce import distinct


@dataclass(frozen=True)
class Sample:
    """One training set: `X` CSR (n, d) with entries 0, +1, -1; `y` (n,) labels; `noise` (n,), part of y."""

    X: sp.csr_array
    y: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True)
class LongTailModel:
    """Power-law features `p_i = min(1, c i^-alpha)` and coefficients `beta_i = i^-beta_exponent`.

    Parameters
    ----------
    n, d : number of training rows and of features.
    s : the p_i before cutting at 1 sum to s: `c = s / sum_{i<=d} i^-alpha` (non-zeros a row).
    alpha : tail exponent, > 0; the paper's Figure 1 goes from 1 to 3.
    beta_exponent : decay of the true coefficients, >= 0 (0.1 in Figure 1).
    sigma : standard deviation of the label noise, >= 0.
    k : number of common features; by default those with `n p_i >= 10`, as in Figure 1.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number >= 1, a real parameter is out of range, or k is not in [0, d].

    Notes
    -----
    The model and the choice of k are the paper's (as summarised).

    Examples
    --------
    >>> model = LongTailModel(n=1000, d=10_000, s=5.0, alpha=2.0, beta_exponent=0.1, sigma=0.05)
    >>> model.k, model.sample(seed=0).X.shape
    (17, (1000, 10000))
    """

    n: int
    d: int
    s: float
    alpha: float
    beta_exponent: float
    sigma: float
    k: int = None  # type: ignore[assignment]  # None is replaced by the default at once

    def __post_init__(self) -> None:
        vars(self).update(
            n=_validate.positive_int("n", self.n),
            d=_validate.positive_int("d", self.d),
            s=_validate.positive("s", self.s),
            alpha=_validate.positive("alpha", self.alpha),
            beta_exponent=_validate.nonnegative("beta_exponent", self.beta_exponent),
            sigma=_validate.nonnegative("sigma", self.sigma),
        )
        # the slack keeps a feature whose n p_i is 10 up to rounding
        k = np.count_nonzero(self.n * self.p >= 10 * (1 - 1e-12)) if self.k is None else self.k
        vars(self)["k"] = _validate.integer("k", k, low=0, high=self.d)

    @cached_property
    def p(self) -> np.ndarray:
        """Feature probabilities, shape (d,), in decreasing order (read-only)."""
        weight = np.arange(1, self.d + 1, dtype=np.float64) ** -self.alpha
        p: np.ndarray = np.minimum(1.0, self.s / weight.sum() * weight)
        p.setflags(write=False)
        return p

    @cached_property
    def beta(self) -> np.ndarray:
        """True coefficients, shape (d,) (read-only)."""
        beta: np.ndarray = np.arange(1, self.d + 1, dtype=np.float64) ** -self.beta_exponent
        beta.setflags(write=False)
        return beta

    @property
    def c(self) -> float:
        """The constant of the power law, `p_i = min(1, c i^-alpha)`."""
        return float(self.s / (np.arange(1, self.d + 1, dtype=np.float64) ** -self.alpha).sum())

    @property
    def row_mass(self) -> float:
        """Expected number of features in a row, `E ||x||^2 = sum_i p_i`; s if no p_i is cut at 1."""
        return float(self.p.sum())

    def sample(self, *, seed: int | np.random.Generator) -> Sample:
        """Draw a training set; the design depends on the seed but not on sigma or beta_exponent."""
        rng = _validate.generator(seed)
        X = sample_design(self.n, self.p, seed=rng)
        noise = self.sigma * rng.standard_normal(self.n)
        return Sample(X=X, y=X @ self.beta + noise, noise=noise)


def sample_design(n: int, p: np.ndarray, *, seed: int | np.random.Generator) -> sp.csr_array:
    """A random sign design, CSR (n, d): entry (r, i) is +1 or -1 with probability p_i / 2 each, else 0.

    The law is exact for any non-empty vector `p` of probabilities, shape (d,). Features are grouped by powers of two
    of p_i. In a group with largest probability q, the cells that hold an entry at rate q are a uniformly
    drawn set of Binomial(cells, q) cells; each is then kept with probability p_i / q >= 1/2. So the cost
    is proportional to the non-zeros plus d, and no feature is looked at one by one.

    >>> X = sample_design(1000, np.array([1.0, 0.5, 0.0]), seed=0)
    >>> X.shape, abs(X).sum(axis=0)[[0, 2]].tolist()  # feature 0 in every row, feature 2 in none
    ((1000, 3), [1000.0, 0.0])
    """
    n, p = _validate.positive_int("n", n), _validate.frequencies(p)
    rng = _validate.generator(seed)
    order = None if (p[1:] <= p[:-1]).all() else np.argsort(-p, kind="stable")
    ordered = p if order is None else p[order]
    ordered = ordered[: np.count_nonzero(ordered)]
    level = np.frexp(ordered)[1]  # p in [2^(level-1), 2^level): non-increasing
    edges = np.flatnonzero(np.diff(level)) + 1
    starts = np.concatenate([[0], edges, [ordered.size]])
    rows, columns = [], []
    for lo, hi in pairwise(starts):
        if lo == hi:
            continue
        r, j = _occupied_cells(rng, n, ordered[lo:hi])
        rows.append(r)
        columns.append(j + lo)
    index = np.int32 if max(n, p.size) < 2**31 else np.int64
    row = np.concatenate([np.zeros(0, index), *rows], dtype=index)
    column = np.concatenate([np.zeros(0, np.int64), *columns])
    if order is not None:
        column = order[column]
    data = 2.0 * rng.integers(0, 2, size=row.size, dtype=np.int8) - 1.0
    X = sp.csr_array(sp.coo_array((data, (row, column.astype(index))), shape=(n, p.size)))
    X.sort_indices()
    return X


def _occupied_cells(rng: np.random.Generator, n: int, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the cells of an (n, len(p)) grid that hold an entry; p within a factor of two."""
    q = p[0]
    cells = n * p.size
    if q > 0.25:  # at least an eighth of the cells survives: draw every cell
        # column by column, so that the working memory is that of a column
        hits = [np.flatnonzero(rng.random(n) < p_i) for p_i in p]
        row = np.concatenate(hits)
        return row, np.repeat(np.arange(p.size), [h.size for h in hits])
    wanted = rng.binomial(cells, q)
    chosen = distinct(rng.integers(0, cells, size=wanted))
    while chosen.size < wanted:  # repeated cells are drawn again: a uniform set of `wanted` distinct cells
        more = rng.integers(0, cells, size=wanted - chosen.size)
        chosen = distinct(np.concatenate([chosen, more]))
    column, row = np.divmod(chosen, n)
    keep = rng.random(wanted) < p[column] / q
    return row[keep], column[keep]
