"""The room of *Why common features are pinned*: checks and breaks of its statements, and its figure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.stats import binom, binomtest

from book.linear import formulas
from book.linear.rows import SMALL, failures, rank_failure_given_rows
from book.shared.draws import long_tail
from book.shared.ledger import Found, at_least, at_most, between, claim
from book.shared.style import BLUE, GREEN, INK, ORANGE, PURPLE, Picture, band, picture, subplots, whiskers
from companion import _validate as check
from companion._validate import split
from companion.linear import LongTailModel, sample_design, theory
from companion.linear.theory import no_tail_probability


def empty_column_probability(p: np.ndarray, k: int, rows: int) -> float:
    """P(some column of A is empty | N_0 = rows): a lower bound on the failure, :prf:ref:`prop-empty-column`."""
    p, k = split(p, k)
    return float(_some((1 - p[:k]) ** check.integer("rows", rows, low=0)))


def empty_column_average(p: np.ndarray, k: int, n: int) -> float:
    """P(some column of A is empty) for n rows: `empty_column_probability` averaged over N_0 ~ Bin(n, pi_0)."""
    (p, k), n = split(p, k), check.integer("n", n, low=0)
    rows = np.arange(n + 1)
    return float(binom.pmf(rows, n, no_tail_probability(p, k)) @ _some((1 - p[None, :k]) ** rows[:, None]))


def pinning_frequency(k: int, rows: int, delta: float) -> float:
    """The p_k that suffices for P(rank A < k | N_0 = rows) <= delta, :prf:ref:`cor-pinned`; inf if none does."""
    k, rows = check.positive_int("k", k), check.integer("rows", rows, low=0)
    delta = check.number("delta", delta, low=0, high=1, open_low=True)
    if rows < k:
        return math.inf
    need = math.log(k / delta) / (rows - k + 1)
    return need if need <= math.log(2) else math.inf


def concentration_failure(p: np.ndarray, k: int, n: int, epsilon: float) -> float:
    """``P(max_{i<=k} |n_i/(n p_i) - 1| > epsilon)``, exactly, :prf:ref:`prop-no-concentration` (a)."""
    p, k = split(p, k)
    p, n, epsilon = p[:k], check.integer("n", n, low=0), check.nonnegative("epsilon", epsilon)
    low = np.ceil(n * p * (1 - epsilon) - 1e-9)
    high = np.floor(n * p * (1 + epsilon) + 1e-9)
    return float(_some(binom.sf(high, n, p) + binom.cdf(low - 1, n, p)))


def _some(probability: np.ndarray) -> np.ndarray:
    """Probability that one or more of independent events (last axis) happen; no cancellation when all are rare."""
    with np.errstate(divide="ignore"):  # a certain event: log 0
        return np.asarray(-np.expm1(np.log1p(-np.minimum(probability, 1.0)).sum(axis=-1)))


def matrix_chernoff_bound(p: np.ndarray, k: int, n: int, delta: float) -> float:
    """The matrix Chernoff bound on P(lambda_min <= 1 - delta) for the whitened Gram matrix of n rows.

    k (e^-delta / (1 - delta)^(1 - delta))^(n / sum_{i<=k} 1/p_i), :prf:ref:`prop-no-concentration` (b).
    """
    p, k = split(p, k, low=1)
    if p[:k].min() <= 0:
        raise ValueError(f"p[:k] must be positive, got {p[:k].min()}")
    n, delta = check.integer("n", n, low=0), check.number("delta", delta, low=0, high=1)
    rate = delta + ((1 - delta) * math.log(1 - delta) if delta < 1 else 0.0)
    return float(k * math.exp(-rate * n / float(np.sum(1 / p[:k]))))


@claim(
    "prop-no-concentration",
    "At n p_k = 10 the spectrum does not concentrate and matrix Chernoff is vacuous",
    functions=("book.appendix.pinning.concentration_failure", "book.appendix.pinning.matrix_chernoff_bound"),
    blunt={"(a) share of draws": "the probability looks at the diagonal only; other entries spread the spectrum too"},
)
def no_concentration(common: float = 10.0, slack: float = 1.0) -> list[Found]:
    """Forty draws at each alpha; matrix Chernoff there, and in a million rows up to the k of the power law."""
    found, rng, draws = [], np.random.default_rng(1), 40
    for alpha in (1.25, 1.5, 2.0):
        model = long_tail(alpha)
        n, k = model.n, int((model.n * model.p >= common).sum())
        least, off = concentration_failure(model.p, k, n, 0.5), 0
        for _ in range(draws):
            A = sample_design(n, model.p[:k], seed=rng).toarray() / np.sqrt(n * model.p[:k])
            off += np.abs(np.linalg.eigvalsh(A.T @ A) - 1).max() > 0.5
        chernoff = min(matrix_chernoff_bound(model.p, k, n, delta) for delta in (0.5, 0.9, 1.0))
        many, p = 10**6, long_tail(alpha, d=30_000).p
        i = np.arange(1, len(p) + 1)
        first = int(np.argmax((many * p * (alpha + 1) <= slack * i * np.log(i)) & (p < 1))) + 1
        name = f"alpha = {alpha}"
        noise = 3 * math.sqrt(least * (1 - least) / draws)
        found += [
            at_least(f"{name}: (a) stated probability that ||G - I|| > 1/2", least, 0.25),
            at_least(
                f"{name}: (a) share of draws (limit: that less three standard errors)", off / draws, least - noise
            ),
            at_least(f"{name}: (b) least matrix Chernoff bound over delta", chernoff, 1),
            at_least(f"{name}: (b) at k = {first}", matrix_chernoff_bound(p, first, many, 1.0), 1),
        ]
    return found


no_concentration.breaks("common features in 400 rows or more", common=400.0)
no_concentration.breaks("twice the count that the power law allows", slack=2.0)


@claim(
    "lem-odlyzko",
    "A vector with independent entries rarely lies in a fixed subspace",
    source="published elsewhere",
    functions=("book.linear.formulas.value_probability",),
)
def odlyzko(exponent_shift: int = 0, independent: bool = True) -> Found:
    """Subspaces of R^6, all 3^6 vectors counted; the lemma is attained, so its slack is rounding."""
    vectors, rng = np.array(list(itertools.product((-1, 0, 1), repeat=6))), np.random.default_rng(2)
    worst = 0.0
    for p, m in itertools.product((0.3, 0.6, 0.9, 1.0), (1, 2, 3, 4)):
        weight = np.where(vectors == 0, 1 - p, p / 2).prod(axis=1)
        if not independent:
            weight = np.where((vectors == vectors[:, :1]).all(axis=1), np.where(vectors[:, 0] == 0, 1 - p, p / 2), 0)
        rho = float(formulas.value_probability(np.array([p]))[0])
        for _ in range(6):
            basis = np.linalg.qr(np.hstack([np.ones((6, 1)), rng.integers(-1, 2, (6, m - 1))]))[0]
            outside = vectors - vectors @ basis @ basis.T
            inside = float(weight[np.abs(outside).max(axis=1) < 1e-9].sum())
            worst = max(worst, inside / rho ** (6 - m + exponent_shift))
    return at_most("largest P(c in V) over rho^(N - m), less 1", worst - 1, 1e-6)


odlyzko.breaks("exponent N - m + 1", exponent_shift=1)
odlyzko.breaks("entries that are all equal", independent=False)


@claim(
    "cor-pinned",
    "min(p_k, ln 2) >= ln(k/delta)/(N_0 - k + 1) pins with probability 1 - delta",
    functions=("book.appendix.pinning.pinning_frequency",),
)
def pinning_suffices(scale: float = 1.0) -> list[Found]:
    """The bound, and the share of drawn matrices, at the frequency that the corollary asks for (times scale)."""
    worst = 0.0
    for k, rows, delta in itertools.product((2, 10, 50), (200, 1000), (0.1, 1e-3)):
        need = pinning_frequency(k, rows, delta)
        worst = max(worst, rank_failure_given_rows(np.full(k, scale * need), k, rows) / delta)
    share, error = failures([scale * pinning_frequency(10, 200, 0.1)] * 10, 200, 4000, 6)
    return [
        at_most("largest bound over delta", worst, 1),
        at_most("10 features, 200 rows, delta = 0.1: share of rank failures, upper end", share + 3 * error, 0.1),
    ]


pinning_suffices.breaks("half that frequency", scale=0.5)


@claim(
    "prop-empty-column",
    "Empty columns already make the rank fail: the bound is sharp",
    functions=("book.appendix.pinning.empty_column_probability",),
)
def empty_column(power: float = 1.0, shift: int = 0) -> list[Found]:
    """Rank failures of 20,000 drawn matrices, and the bound, against the probability of an empty column."""
    found, p = [], np.array(SMALL)
    for rows in (12, 20):
        share, _ = failures(SMALL, rows, 20_000, 5 + rows)
        least = empty_column_probability(p, 4, rows) ** power
        bound = rank_failure_given_rows(p, 4, rows)
        terms = float(np.sum((1 - p) ** (rows + shift) / (1 - p) ** 3))
        found += [
            at_least(f"{rows} rows: share of rank failures, upper end", share + 3 * math.sqrt(share / 20_000), least),
            at_least(f"{rows} rows: bound over the probability of an empty column", bound / least, 1),
            at_most(f"{rows} rows: bound less its summands as stated", abs(bound - terms), 1e-12),
        ]
    return found


empty_column.breaks("square root of the probability", power=0.5)
empty_column.breaks("exponent larger by 1", shift=1)


def power_law_failure(alpha: float, n: float, a: float, *, d: float | None = None) -> tuple[float, int]:
    """The bound on P(rank A < k) for a power law, n p_k = a ln n, d = 10 n unless given; and k."""
    B = formulas.blocks(alpha, 5.0, d or 10 * n, exact=4000, per_decade=2000)
    common = n * B.p >= a * math.log(n)
    k, tail = float(B.weights[common].sum()), B.p[~common]
    none = math.exp(float(B.weights[~common] @ np.log1p(-tail)))
    rho = formulas.value_probability(B.p[common])
    return float(B.weights[common] @ np.exp(-(k - 1) * np.log(rho) + n * np.log1p(-none * (1 - rho)))), round(k)


@cache
def drawn_failures(alpha: float, n: int, a: float, draws: int = 400) -> tuple[float, float, float]:
    """Share of drawn designs in which rank A < k, n p_k = a ln n, its standard error, and the bound."""
    bound, k = power_law_failure(alpha, n, a)
    p, failed = long_tail(alpha, n).p, 0
    plain = no_tail_probability(p, k)
    for seed in range(draws):
        A = sample_design(n, p[:k], seed=seed)[np.random.default_rng(seed).random(n) < plain]
        failed += np.linalg.eigvalsh((A.T @ A).toarray())[0] < 1e-6
    share = failed / draws
    return share, math.sqrt(share * (1 - share) / draws), bound


@claim(
    "lem-pinning-rate",
    "With n p_k >= a ln n the common features fail to be pinned with probability n^(1/alpha - a) at most",
    functions=("book.linear.formulas.value_probability", "book.linear.formulas.blocks"),
    blunt={"drawn designs": "a union over all columns; how near it comes is measured at the theorem itself"},
)
def pinning_rate(shift: float = 0.0) -> list[Found]:
    """The slope of the bound in log n from 1e11 to 1e16; at a = 0.7, rank failures of 400 drawn designs."""
    found, sizes = [], np.geomspace(1e11, 1e16, 4)
    for alpha, a in ((1.5, 3.0), (2.0, 3.0), (2.0, 1.0), (3.0, 1.0)):
        logs = np.log(sizes) ** (1 + 1 / alpha)  # k is of order (n/ln n)^(1/alpha), of which a share 1/ln n counts
        bounds = [power_law_failure(alpha, float(n), a)[0] for n in sizes]
        slope, stated = float(np.polyfit(np.log(sizes), np.log(bounds * logs), 1)[0]), 1 / alpha - a + shift
        what = f"alpha = {alpha}, a = {a}: slope without logarithms"
        found.append(between(what, slope, stated - 0.05, stated + 0.05))
    share, error, bound = drawn_failures(1.75, 1000, 0.7)
    found.append(at_most("a = 0.7: share of drawn designs, less three standard errors", share - 3 * error, bound))
    return found


pinning_rate.breaks("exponent larger by 0.1", shift=0.1)
pinning_rate.breaks("exponent smaller by 0.1", shift=-0.1)


def spectrum_rows(
    alpha: float = 2.0,
    n: int = 1000,
    common: Sequence[float] = (2, 3, 5, 7, 10, 20, 40, 80),
    *,
    draws: int = 150,
    seed: int = 0,
) -> list[dict[str, float]]:
    """For each value of n p_k: extreme eigenvalues of the whitened Gram matrix, and how often rank A < k, with bounds.

    The eigenvalues use all n rows (the best case); A has the rows without tail features only.
    """
    model = LongTailModel(n, 10 * n, 5.0, alpha, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    rows = []
    for wanted in common:
        k = int((n * model.p >= wanted).sum())
        p, none = model.p[:k], theory.no_tail_probability(model.p, k)
        low: list[float] = []
        high: list[float] = []
        failed: list[bool] = []
        for _ in range(draws):
            A = sample_design(n, p, seed=rng).toarray()
            if len(low) < 30:
                scaled = A / np.sqrt(n * p)
                eigen = np.linalg.eigvalsh(scaled.T @ scaled)
                low.append(eigen[0])
                high.append(eigen[-1])
            plain = A[rng.random(n) < none]
            failed.append(np.linalg.matrix_rank(plain.T @ plain) < k)
        rows.append(
            {
                "common": wanted,
                "k": k,
                "lowest": float(np.mean(low)),
                "lowest_low": float(np.quantile(low, 0.1)),
                "lowest_high": float(np.quantile(low, 0.9)),
                "highest": float(np.mean(high)),
                "highest_low": float(np.quantile(high, 0.1)),
                "highest_high": float(np.quantile(high, 0.9)),
                "failed": float(np.mean(failed)),
                "bound": formulas.rank_failure_bound(model.p, k, n),
                "empty": empty_column_average(model.p, k, n),
                "chernoff": matrix_chernoff_bound(model.p, k, n, 1.0),
                "off_half": concentration_failure(model.p, k, n, 0.5),
            }
        )
    return rows


def share_intervals(shares: np.ndarray, draws: int) -> list[dict[str, float]]:
    """Mean and exact (Clopper-Pearson) 95% interval of each share of `draws` draws."""
    out = []
    for share in shares:
        found = binomtest(round(share * draws), draws).proportion_ci(0.95)
        out.append({"mean": float(share), "low": float(found.low), "high": float(found.high)})
    return out


def fig_spectrum(rows: Sequence[dict[str, float]], draws: int = 150) -> Picture:
    """Left: extreme eigenvalues against n p_k; right: probability that the common features are not pinned by A."""
    x = [row["common"] for row in rows]
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    figure, (left, right) = subplots(1, 2, size=(8.2, 3.4))
    for key, color, label in (("highest", ORANGE, "largest eigenvalue"), ("lowest", BLUE, "smallest eigenvalue")):
        band(left, x, column[key], column[f"{key}_low"], column[f"{key}_high"], color=color, label=label, marker="o")
    left.axhline(1, color=INK, ls=":", lw=1)
    left.set(xscale="log", xlabel=r"$n p_k$", title="Spectrum of the whitened Gram matrix", ylim=(0, None))
    left.legend()
    right.plot(x, column["chernoff"], color=PURPLE, ls="--", label="matrix Chernoff, no eigenvalue 0")
    right.plot(x, column["bound"], color=GREEN, label="our bound", lw=2.6, alpha=0.7)
    right.plot(x, column["empty"], color=INK, ls=":", lw=1.4, label="some column empty (exact)")
    shown = column["failed"] > 0
    count = share_intervals(column["failed"][shown], draws)
    whiskers(right, np.array(x)[shown], count, color=BLUE, label="measured")
    right.axhline(1, color=INK, ls=":", lw=1)
    right.set(xscale="log", yscale="log", ylim=(1e-6, 3e4), xlabel=r"$n p_k$", title=r"P(rank $A<k$)")
    right.legend(loc="upper right", fontsize=8)
    for ax in (left, right):
        ax.set_xticks([2, 5, 10, 20, 40, 80], labels=["2", "5", "10", "20", "40", "80"])
        ax.minorticks_off()
    at = next(row for row in rows if row["common"] == 10)
    return picture(
        figure,
        f"Two panels against n p_k. Left: the smallest eigenvalue rises from {rows[0]['lowest']:.2f} at n p_k = "
        f"{rows[0]['common']:.0f} to {rows[-1]['lowest']:.2f} at {rows[-1]['common']:.0f}, the largest falls from "
        f"{rows[0]['highest']:.1f} to {rows[-1]['highest']:.2f}. Right, at n p_k = 10: matrix Chernoff "
        f"{at['chernoff']:.1f}, our bound {at['bound']:.1e}, exact probability of an empty column {at['empty']:.1e}, "
        f"measured {at['failed']:.3f} of {draws} draws.",
    )
