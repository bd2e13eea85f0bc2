"""Certified numbers: values that the pages print, each with an enclosure that holds whatever rounding did.

Two ways to one. *Exact*: a design of whole numbers has a rational pseudo-inverse, which FLINT computes without rounding
(dependent rows and columns are taken out first, so any rank will do). *Enclosed*: crlin solves in floating point and
proves bounds for its own error; it needs independent rows or columns, so dependent ones are taken out first here too.
Frequencies, coefficients and labels are taken as the floats that the model holds: what is certified is the algebra.

Both libraries are for whoever certifies, not for the reader: ``python tests/certify.py`` writes what is found to
``book/reference/certified.json``, and the tests certify again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from companion.linear import (
    LongTailModel,
    feature_counts,
    leave_one_out_residuals,
    leverage,
    min_norm,
    peel,
    population_risk,
    recoverability,
    resolved,
    ridge,
    sample_design,
)


class Certified(NamedTuple):
    """A printed value and what is proved of it.

    Attributes
    ----------
    label, page: the statement that it is an example of, and the page that prints it.
    what: the quantity in words.
    shown: how the page prints it.
    value: what the package computes.
    low, high: the enclosure; None where it could not be verified.
    how: by which method, or why not.
    """

    label: str
    page: str
    what: str
    shown: str
    value: float
    low: float | None
    high: float | None
    how: str

    @property
    def holds(self) -> bool:
        """Whether the computed value lies in the enclosure, up to what the package's own rounding may do (1e-9)."""
        if self.low is None or self.high is None:
            return False
        room = 1e-9 * max(1.0, abs(self.value))
        return self.low - room <= self.value <= self.high + room


class Pseudo(NamedTuple):
    """The exact pseudo-inverse of a design X = F G: F its pivot columns (n, r), G the echelon form (r, d)."""

    F: Any
    G: Any

    def solution(self, y: Sequence[Any]) -> list[Any]:
        """``X^+ y`` for rational y: G' (G G')^-1 (F' F)^-1 F' y."""
        from flint import fmpq_mat

        Ft, Gt = self.F.transpose(), self.G.transpose()
        inner = (Ft * self.F).solve(Ft * fmpq_mat([[_rational(v)] for v in y]))
        return [entry for (entry,) in (Gt * (self.G * Gt).solve(inner)).tolist()]

    def certificates(self) -> list[Any]:
        """The diagonal of ``X^+ X``."""
        return _diagonal(self.G.transpose(), self.G)

    def leverages(self) -> list[Any]:
        """The diagonal of ``X X^+``."""
        return _diagonal(self.F, self.F.transpose())

    def left_out(self, y: Sequence[Any]) -> list[Any]:
        """Held-out residuals: r / (1 - h) where h < 1, else [G y]_r / G_rr with the pseudo-inverse of X X'."""
        from flint import fmpq, fmpq_mat

        F, Ft, GGt = self.F, self.F.transpose(), self.G * self.G.transpose()
        target = fmpq_mat([[_rational(v)] for v in y])
        solved = (Ft * F).solve(Ft)  # F^+, shape (r, n)
        inner = GGt.solve(solved)  # X X' = F (G G') F', whose pseudo-inverse is solved' (G G')^-1 solved
        fitted = F * (solved * target)
        weights = solved.transpose() * (inner * target)
        found = []
        for r, h in enumerate(self.leverages()):
            if h < 1:
                found.append((target[r, 0] - fitted[r, 0]) / (fmpq(1) - h))
            else:
                found.append(weights[r, 0] / sum((solved[i, r] * inner[i, r] for i in range(solved.nrows())), fmpq(0)))
        return found


def pseudo_inverse(X: np.ndarray) -> Pseudo:
    """The exact pseudo-inverse of a matrix of whole numbers (n, d), any rank above 0."""
    from flint import fmpq_mat, fmpz_mat

    whole = np.asarray(X).astype(int)
    if not (whole == X).all():
        raise ValueError("X must hold whole numbers: other designs have no exact pseudo-inverse here")
    form, scale, rank = fmpz_mat(whole.tolist()).rref()
    rows = form.tolist()[:rank]
    pivots = [next(j for j, entry in enumerate(row) if entry) for row in rows]
    return Pseudo(fmpq_mat(whole[:, pivots].tolist()), fmpq_mat(fmpz_mat(rows)) / scale)


def _diagonal(A: Any, At: Any) -> list[Any]:
    """The diagonal of the projection A (A' A)^-1 A', where A' comes second."""
    solved = (At * A).solve(At)
    rows, columns = A.tolist(), solved.transpose().tolist()
    return [sum(a * b for a, b in zip(row, column, strict=True)) for row, column in zip(rows, columns, strict=True)]


def _rational(value: Any) -> Any:
    """A float as the rational number that it is."""
    from flint import fmpq

    return fmpq(*float(value).as_integer_ratio())


def outward(value: Any) -> tuple[float, float]:
    """The neighbouring floats that hold a rational number between them; twice the same where it is a float."""
    exact = Fraction(int(value.p), int(value.q)) if hasattr(value, "p") else Fraction(value)
    near = float(exact)
    low = near if Fraction(near) <= exact else math.nextafter(near, -math.inf)
    return low, low if Fraction(low) == exact else math.nextafter(low, math.inf)


def exact(label: str, page: str, what: str, fmt: str, value: float, certain: Any) -> Certified:
    """A value whose exact one is the rational number `certain`."""
    return Certified(
        label, page, what, format(value, fmt), float(value), *outward(certain), "exact rational arithmetic"
    )


def enclosed(
    label: str, page: str, what: str, fmt: str, value: float, enclosure: Callable[[], tuple[float, float]]
) -> Certified:
    """A value that `enclosure` bounds; where crlin cannot prove the bounds, it is not verified."""
    import crlin

    try:
        low, high = enclosure()
    except crlin.NotVerified as error:
        return Certified(label, page, what, format(value, fmt), float(value), None, None, f"not verified: {error}")
    return Certified(label, page, what, format(value, fmt), float(value), float(low), float(high), "enclosed by crlin")


def example(alpha: float, sigma: float) -> tuple[LongTailModel, Any]:
    """The design of the worked examples: 1,000 rows, 10,000 features, seed 0."""
    model = LongTailModel(n=1000, d=10_000, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=sigma)
    return model, model.sample(seed=0)


@cache
def seen_inverse(alpha: float) -> tuple[np.ndarray, Pseudo]:
    """The seen columns of the example's design, and the exact pseudo-inverse of what they hold."""
    X = example(alpha, 0.0)[1].X
    seen = np.unique(X.indices)
    return seen, pseudo_inverse(X[:, seen].toarray())


def three_features() -> Iterator[Certified]:
    """The risk of a guess in a model of three features, by the sum over features."""
    model, guess = LongTailModel(n=1, d=3, s=1.4, alpha=1.0, beta_exponent=0.5, sigma=0.0), np.array([1.0, 0.0, 0.0])
    terms = zip(model.p, guess, model.beta, strict=True)
    certain = sum(Fraction(p) * (Fraction(g) - Fraction(b)) ** 2 for p, g, b in terms)
    value = population_risk(guess, model)
    yield exact("prop-exact-risk", "book/linear/data", "risk of a guess in three features", ".6f", value, certain)


def resolved_features() -> Iterator[Certified]:
    """How many seen features of the example at alpha = 2 the training set determines."""
    X = example(2.0, 0.05)[1].X
    seen, inverse = seen_inverse(2.0)
    count = sum(certificate == 1 for certificate in inverse.certificates())
    value = float(np.sum(resolved(X)))
    page, what = "book/linear/data", f"features resolved, of {seen.size} seen"
    yield exact("thm-certificate", page, what, ".0f", value, count)


def held_out() -> Iterator[Certified]:
    """Mean square residuals of memorized rows and of the others, each left out."""
    sample = example(2.0, 0.05)[1]
    inverse = seen_inverse(2.0)[1]
    squares = [residual * residual for residual in inverse.left_out(sample.y)]
    memorized = [h == 1 for h in inverse.leverages()]
    value, flagged = leave_one_out_residuals(sample.X, sample.y), leverage(sample.X) > 1 - 1e-9
    for whose, kind, fmt in (("memorized rows", True, ".3f"), ("the other rows", False, ".4f")):
        those = [square for square, is_so in zip(squares, memorized, strict=True) if is_so == kind]
        what = f"mean square residual of {whose}, held out"
        shown = np.mean(value[flagged == kind] ** 2)
        yield exact("thm-leave-one-out", "book/linear/data", what, fmt, shown, sum(those) / len(those))


def unpeeled() -> Iterator[Certified]:
    """Certificates of the features that peeling leaves in the small design of *What is recovered*."""
    p = [0.45, 0.4, 0.35, 0.3, 0.22, 0.18, 0.15, 0.12, 0.1, 0.1, 0.08, 0.08, 0.08, 0.08]
    X = sample_design(13, np.array(p), seed=44)
    value, certain = recoverability(X), pseudo_inverse(X.toarray()).certificates()
    for i in np.flatnonzero((feature_counts(X) > 0) & ~peel(X)):
        what = f"certificate P_ii of feature {i + 1}, which peeling leaves"
        yield exact("lem-peeling", "book/linear/recovery", what, ".2f", value[i], certain[i])


def two_pairs() -> Iterator[Certified]:
    """Certificates of two features that occur together twice, with opposite and with equal relative signs."""
    for words, X in (("opposite", [[1, 1], [1, -1]]), ("equal", [[1, 1], [-1, -1]])):
        value, certain = recoverability(np.array(X, float))[0], pseudo_inverse(np.array(X)).certificates()[0]
        what = f"certificate of a pair met twice, relative signs {words}"
        yield exact("thm-forest", "book/linear/recovery", what, "g", value, certain)


def put_together() -> Iterator[Certified]:
    """What both kernels say of two changes put together, after each alone; rho = 2/5."""
    from flint import fmpq, fmpq_mat

    from book.shared.kernels import interpolate

    train, y, new = np.array([[0, 0], [0, 1], [1, 0]]), np.array([0.0, 1.0, 2.0]), np.array([[1, 1]])
    rho = fmpq(2, 5)
    for name in ("additive", "product"):

        def alike(a: np.ndarray, b: np.ndarray, name: str = name) -> Any:
            left, right = (fmpq(1) if s == t else rho for s, t in zip(a, b, strict=True))
            return left + right if name == "additive" else left * right

        gram = fmpq_mat([[alike(a, b) for b in train] for a in train])
        weights = gram.solve(fmpq_mat([[fmpq(int(v))] for v in y]))
        certain = sum(alike(new[0], a) * weights[r, 0] for r, a in enumerate(train))
        value = interpolate(train, y, new, kernel=name, rho=0.4)[0]
        what = f"1 and 2 put together by the {name} kernel"
        yield exact("thm-star", "book/linear/composition", what, ".2f", value, certain)


def shared_credit() -> Iterator[Certified]:
    """The credit of a label 3 that two features share."""
    value, certain = min_norm(np.array([[1.0, 1.0]]), [3.0])[0], pseudo_inverse(np.array([[1, 1]])).solution([3])[0]
    what = "coefficient of each of two features that share a label of 3"
    yield exact("thm-block-solver", "book/appendix/solver", what, "g", value, certain)


def kept_by_ridge() -> Iterator[Certified]:
    """What ridge keeps of a once-seen coefficient, and the memorization of sixty rows by the formula."""
    import crlin

    from book.linear.formulas import ridge_leverage
    from companion.linear import theory

    model, sample = example(2.0, 0.0)
    X, y = sample.X, sample.y
    features, holding = theory.once_seen_rows(X)
    i, r = int(features[0]), int(holding[0])
    gram, page = (X @ X.T).toarray(), "book/linear/turning-off"
    for whole, n_lam in ((1, 0.1), (10, 1.0), (100, 10.0)):  # ten times X X' + n lam I is a matrix of whole numbers

        def kept(whole: int = whole) -> tuple[float, float]:
            low, high = crlin.solve(10 * gram + whole * np.eye(model.n), y)
            ends = [10 * Fraction(X[r, i]) * Fraction(end) / Fraction(model.beta[i]) for end in (low[r], high[r])]
            return outward(min(ends))[0], outward(max(ends))[1]

        value = ridge(X, y, n_lam / model.n)[i] / model.beta[i]
        what = f"share of a once-seen coefficient that ridge keeps at n lambda = {n_lam:g}"
        yield enclosed("thm-ridge-once-seen", page, what, ".3f", value, kept)
    rows = np.unique(holding)[:60]

    def memorized() -> tuple[float, float]:
        low, high = crlin.solve(gram + np.eye(model.n), np.eye(model.n)[:, rows])
        ends = [1 - sum(map(Fraction, end[rows, range(rows.size)])) / rows.size for end in (high, low)]
        return outward(ends[0])[0], outward(ends[1])[1]

    value = ridge_leverage(X, 1.0)[rows].mean()
    what = f"mean memorization of {rows.size} rows with a once-seen feature, n lambda = 1"
    yield enclosed("prop-measured-memorization", page, what, ".3f", value, memorized)


def noiseless_risk() -> Iterator[Certified]:
    """The floor and the noiseless risk of the example at alpha = 1.5: independent rows enclose what all rows say."""
    import crlin

    model, sample = example(1.5, 0.0)
    seen = np.unique(sample.X.indices)
    dense = sample.X[:, seen].toarray()
    p, beta = [Fraction(v) for v in model.p], [Fraction(v) for v in model.beta]
    unseen = np.setdiff1d(np.arange(model.d), seen)
    floor = sum((p[i] * beta[i] ** 2 for i in unseen), Fraction(0))
    page, label = "book/linear/noise", "thm-risk-sandwich"
    shown = float(np.sum((model.p * model.beta**2)[unseen]))
    yield exact(label, page, "cost of the unseen features, the floor", ".4f", shown, floor)

    def risk() -> tuple[float, float]:
        own = dense[independent_rows(dense)]
        exact_labels = [sum(int(x) * beta[i] for x, i in zip(row, seen, strict=True) if x) for row in own]
        ends = np.array([outward(label) for label in exact_labels])
        low, high = crlin.solve_interval(own @ own.T, own @ own.T, ends[:, 0], ends[:, 1])
        error = []
        for j, i in enumerate(seen):  # the coefficient is x_j . u with x_j of -1, 0, +1: an interval of exact ends
            pairs = [
                (Fraction(a), Fraction(b)) if x > 0 else (-Fraction(b), -Fraction(a))
                for x, a, b in zip(own[:, j], low, high, strict=True)
                if x
            ]
            left, right = (sum(side, Fraction(0)) - beta[i] for side in zip(*pairs, strict=True))
            squares = (left * left, right * right)
            error.append((0 if left < 0 < right else p[i] * min(squares), p[i] * max(squares)))
        return outward(floor + sum(e[0] for e in error))[0], outward(floor + sum(e[1] for e in error))[1]

    value = population_risk(min_norm(sample.X, sample.X @ model.beta), model)
    yield enclosed(label, page, "risk of the minimum norm without noise", ".4f", value, risk)


def independent_rows(X: np.ndarray) -> list[int]:
    """Rows that span the row space of a matrix of whole numbers: the pivots of its transpose, found exactly."""
    from flint import fmpz_mat

    form, _, rank = fmpz_mat(X.T.astype(int).tolist()).rref()
    return [next(j for j, entry in enumerate(row) if entry) for row in form.tolist()[:rank]]


CASES = (
    three_features,
    resolved_features,
    held_out,
    unpeeled,
    two_pairs,
    put_together,
    shared_credit,
    kept_by_ridge,
    noiseless_risk,
)


def certify() -> list[Certified]:
    """Every case, certified anew."""
    return [found for case in CASES for found in case()]
