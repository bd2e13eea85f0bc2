"""Closed forms of the theory, each against a computation that shares no line with it: enumeration, sums, draws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from book.appendix import pinning as pinned_room
from book.linear import data as minimum_norm_room
from book.linear import formulas, noise_laws
from book.linear import rows as rows_room
from book.shared import density
from book.shared import regime as regime_room
from companion.linear import LongTailModel, min_norm, theory

P = np.array([0.6, 0.45, 0.3, 0.2, 0.05])


def rows_of(tail: np.ndarray):
    """Every pattern of a row on the tail, with its probability."""
    for pattern in itertools.product((0, 1), repeat=len(tail)):
        here = np.array(pattern)
        yield here, float(np.where(here, tail, 1 - tail).prod())


def alone_by_hand(p: np.ndarray, k: int) -> np.ndarray:
    """P(a row holds this tail feature and no other), from all patterns."""
    out = np.zeros(len(p) - k)
    for pattern, weight in rows_of(p[k:]):
        if pattern.sum() == 1:
            out[np.flatnonzero(pattern)] += weight
    return out


# --- counts, pinning --------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 2, 4])
def test_chances_of_a_row_are_sums_over_its_patterns(k: int) -> None:
    tail = P[k:]
    pairs = sum(w * r.sum() * (r.sum() - 1) / 2 for r, w in rows_of(tail))
    assert theory.tail_mass(P, k) == pytest.approx(sum(w * r.sum() for r, w in rows_of(tail)))
    assert rows_room.several_tail_bound(P, k) == pytest.approx(pairs)
    assert formulas.alone_probability(P, k) == pytest.approx(alone_by_hand(P, k))
    # The bounds on pi_0 are the two exponentials of the lemma, or 1 - mass where that is more.
    low, high = rows_room.no_tail_bounds(P, k)
    assert high == pytest.approx(math.exp(-tail.sum()))
    assert low == pytest.approx(max(1 - tail.sum(), math.exp(-tail.sum() / (1 - tail.max()))))


@pytest.mark.parametrize(("n", "none", "delta"), [(40, 0.3, 0.5), (200, 0.7, 0.1), (25, 1.0, 1.0)])
def test_few_plain_rows_are_as_rare_as_chernoff_says(n: int, none: float, delta: float) -> None:
    bound = rows_room.few_plain_rows_bound(n, none, delta)
    assert binom.cdf(math.floor((1 - delta) * n * none + 1e-9), n, none) <= bound
    assert math.log(bound) == pytest.approx(-0.5 * n * none * delta**2)


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("n", [1, 2, 9])
def test_expected_counts_beyond_the_common_ones(k: int, n: int) -> None:
    tail = P[k:]
    assert theory.expected_seen(P, n, k) == pytest.approx((1 - binom.pmf(0, n, tail)).sum())
    assert n * formulas.once_seen_mass(tail, 1.0, n) == pytest.approx(binom.pmf(1, n, tail).sum())
    assert theory.unseen_mass(P, n) == pytest.approx(P @ binom.pmf(0, n, P))


def test_power_law_sum_is_its_integral() -> None:
    """At finite d the integral stops there; c^(1/alpha) of the features are cut at 1 and cost at most e^-m each."""
    from scipy.integrate import quad

    alpha, c, m, d = 1.7, 2.5, 3.0, 400.0

    def term(x: float) -> float:
        return c * x**-alpha * math.exp(-m * c * x**-alpha)

    # From 0: the integrand of the uncut law is negligible there, and that is what the closed form integrates.
    value = quad(term, 1e-9, 5)[0] + quad(term, 5, d, limit=200)[0]
    assert formulas.power_law_sum(alpha, c, m, d) == pytest.approx(value, rel=1e-6)
    assert formulas.power_law_sum(alpha, c, m) == pytest.approx(formulas.power_law_sum(alpha, c, m, 1e12), rel=1e-4)
    assert formulas.power_law_sum_error(alpha, 1.0, m) == pytest.approx(1 / (math.e * m))
    cut = formulas.power_law_sum_error(alpha, c, m) - formulas.power_law_sum_error(alpha, 1.0, m)
    assert cut == pytest.approx(c ** (1 / alpha) * math.exp(-m))


def test_the_likeliest_value_of_an_entry() -> None:
    """0 with probability 1 - p, or one of the two signs."""
    assert formulas.value_probability(np.array([0.1, 2 / 3, 0.9])) == pytest.approx([0.9, 1 / 3, 0.45])


@pytest.mark.parametrize(("k", "rows"), [(1, 3), (2, 2), (2, 3)])
def test_rank_failure_and_empty_columns_by_enumeration(k: int, rows: int) -> None:
    """P(rank < k) and P(an empty column) of every design with few plain rows, under and over their closed forms."""
    p = np.array([0.7, 0.6, 0.5, 0.2])
    failed = empty = 0.0
    for entries in itertools.product((0.0, 1.0, -1.0), repeat=rows * k):
        A = np.array(entries).reshape(rows, k)
        weight = np.where(A == 0, 1 - p[:k], p[:k] / 2).prod()
        failed += weight * (np.linalg.matrix_rank(A) < k)
        empty += weight * (~A.any(axis=0)).any()
    assert pinned_room.empty_column_probability(p, k, rows) == pytest.approx(empty)
    assert empty <= failed + 1e-12
    assert failed <= pinned_room.rank_failure_given_rows(p, k, rows) + 1e-12
    if k == 1:  # one column: failing is being empty, and the bound is exact up to the value it counts
        assert failed == pytest.approx(empty)
    exponent = rows - k + 1
    assert pinned_room.rank_failure_given_rows(p, k, rows) == pytest.approx(
        sum(max(1 - q, q / 2) ** exponent for q in p[:k])
    )


def test_rare_events_are_not_lost_in_rounding() -> None:
    p = np.full(3, 0.1)
    q = 0.9**800
    assert pinned_room.empty_column_probability(p, 2, 800) == pytest.approx(2 * q, rel=1e-9)
    assert pinned_room.empty_column_average(p, 2, 2000) <= formulas.rank_failure_bound(p, 2, 2000)
    assert 0 < pinned_room.concentration_failure(p, 2, 4000, 0.9) < 1e-60


def test_empty_columns_on_average_over_plain_rows() -> None:
    k, n = 2, 7
    weight = binom.pmf(np.arange(n + 1), n, theory.no_tail_probability(P, k))
    given = [pinned_room.empty_column_probability(P, k, m) for m in range(n + 1)]
    assert pinned_room.empty_column_average(P, k, n) == pytest.approx(weight @ given)


def test_a_tail_feature_known_to_be_absent_leaves_more_plain_rows() -> None:
    """Leaving out the frequency of an absent feature is the same as a model without it."""
    k, n = 2, 12
    for absent in (2, 4):
        without = np.delete(P, absent)
        assert formulas.rank_failure_bound(P, k, n, excluded=P[absent]) == pytest.approx(
            formulas.rank_failure_bound(without, k, n)
        )


@pytest.mark.parametrize(("k", "rows", "delta"), [(3, 30, 0.1), (10, 40, 1e-3), (1, 5, 0.2)])
def test_the_pinning_frequency_suffices_and_is_stated(k: int, rows: int, delta: float) -> None:
    needed = pinned_room.pinning_frequency(k, rows, delta)
    assert pinned_room.rank_failure_given_rows(np.full(k, needed), k, rows) <= delta * (1 + 1e-9)
    assert needed == pytest.approx(math.log(k / delta) / (rows - k + 1))
    assert pinned_room.pinning_frequency(k, k - 1, delta) == math.inf


def test_matrix_chernoff_is_its_formula_and_ends_at_its_limit() -> None:
    k, n = 3, 500
    effective = 1 / (1 / P[:k]).sum()
    for delta in (0.2, 0.9):
        whole = k * (math.exp(-delta) / (1 - delta) ** (1 - delta)) ** (n * effective)
        assert pinned_room.matrix_chernoff_bound(P, k, n, delta) == pytest.approx(whole)
    assert pinned_room.matrix_chernoff_bound(P, k, n, 1.0) == pytest.approx(k * math.exp(-n * effective))
    assert pinned_room.matrix_chernoff_bound(P, k, n, 0.0) == k


def test_no_concentration_for_one_feature_by_hand() -> None:
    n, p, epsilon = 20, np.array([0.3, 0.9]), 0.25
    off = 1.0
    for q in p:
        off *= sum(binom.pmf(m, n, q) for m in range(n + 1) if abs(m / (n * q) - 1) <= epsilon + 1e-12)
    assert pinned_room.concentration_failure(p, 2, n, epsilon) == pytest.approx(1 - off)


# --- recovery ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_level_one_is_being_alone_in_some_row(k: int, n: int) -> None:
    level = (1 - (1 - alone_by_hand(P, k)) ** n).sum()
    assert formulas.expected_level_one(P, k, n) == pytest.approx(level)
    seen = (1 - (1 - P[k:]) ** n).sum()
    assert formulas.expected_level_one_share(P, k, n) == pytest.approx(level / seen)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_both_sides_of_the_once_seen_sandwich_are_their_sums(n: int) -> None:
    lone = P * (1 - P) ** (n - 1)
    low = [1 - np.delete(1 - lone, i).prod() for i in range(len(P))]
    assert formulas.unresolved_once_seen_lower(P, n) == pytest.approx(low)
    for k in (0, 2):
        mates = P[k:] * (1 - alone_by_hand(P, k)) ** (n - 1)
        high = np.array([np.delete(mates, i).sum() for i in range(len(mates))])
        assert formulas.unresolved_once_seen_upper(P, k, n, pinned=True) == pytest.approx(high)
        loose = formulas.rank_failure_bound(P, k, n - 1) if k else 0.0
        assert formulas.unresolved_once_seen_upper(P, k, n) == pytest.approx(high + loose)


@pytest.mark.parametrize("n", [2, 5])
def test_bound_for_features_seen_twice(n: int) -> None:
    k = 1
    m = float(P[k:] @ (1 - alone_by_hand(P, k)) ** (n - 2))
    assert formulas.seen_often_unresolved_bound(P, k, n) == pytest.approx(m * (m + P[k]))


def test_power_laws_are_the_leading_orders_of_the_exact_sums() -> None:
    """alpha = 2: seen features, unresolved share and unresolved mass at growing n; the ratios tend to 1."""
    alpha, s = 2.0, 5.0
    off = []
    for n in (10_000, 1_000_000):
        p, weights, c = formulas.blocks(alpha, s, 1e9)
        solved = density.cavity(p, n, weights=weights)
        unseen = float(np.sum(weights * p * np.exp(n * np.log1p(-np.minimum(p, 1 - 1e-15)))))
        share = (solved.seen - solved.resolved) / solved.seen
        off.append(
            [
                formulas.unresolved_share_power_law(alpha, c, n) / share - 1,
                formulas.unresolved_mass_power_law(alpha, c, n) / (solved.Q - unseen) - 1,
            ]
        )
    assert np.abs(off[1]).max() < 0.03
    assert (np.abs(off[1]) < 0.5 * np.abs(off[0]) + 1e-3).all()


def test_the_papers_two_terms_by_hand() -> None:
    p = np.array([0.5, 0.2, 0.1, 0.05])
    first, second = formulas.paper_rate(p, 2)
    assert first == pytest.approx(0.2 / 0.15)
    assert second == pytest.approx((0.15 * math.log(4)) ** 2)


# --- one equation -----------------------------------------------------------------------------------------


def test_steepest_slope_of_the_map() -> None:
    """Found by search over Q; the bound is reached when all frequencies are equal and n p > e."""
    p, n = np.full(6, 0.3), 40
    weights = np.array([1.0, 2.0, 1.0, 1.0, 3.0, 1.0])

    def minus_slope(q: float) -> float:
        return -(density.mass_map(p, n, q + 1e-6, weights) - density.mass_map(p, n, q - 1e-6, weights)) / 2e-6

    found = -minimize_scalar(minus_slope, bounds=(0, 8), method="bounded").fun
    assert found == pytest.approx(formulas.map_slope_bound(p, weights), rel=1e-5)
    assert formulas.map_slope_bound(p) == pytest.approx(1.8 / math.e)


@pytest.mark.parametrize("Q", [0.0, 0.4, 2.0])
def test_slope_of_the_potential_is_the_equation(Q: float) -> None:
    n, weights, h = 15, np.array([1.0, 3.0, 1.0, 2.0, 5.0]), 1e-5
    slope = (formulas.potential(P, n, Q + h, weights) - formulas.potential(P, n, Q - h, weights)) / (2 * h)
    assert slope == pytest.approx(n * math.exp(-Q) * (density.mass_map(P, n, Q, weights) - Q), abs=1e-6)
    assert formulas.potential(P, n, 0.0, weights) == pytest.approx(float(weights @ np.exp(-n * P)))


def test_predicted_rank_against_draws() -> None:
    """(1 - p)^n stands as e^(-n p) in the potential: right to a few per cent where the largest p is not small."""
    model = LongTailModel(n=150, d=300, s=3.0, alpha=1.2, beta_exponent=0.0, sigma=0.0, k=0)
    ranks = [np.linalg.matrix_rank(model.sample(seed=seed).X.toarray()) for seed in range(3)]
    assert formulas.predicted_rank(model.p, model.n) == pytest.approx(np.mean(ranks), rel=0.08)


@pytest.mark.parametrize("n", [1, 2, 30])
def test_a_repeated_frequency_is_that_many_features(n: int) -> None:
    """Weights are multiplicities, in every form of the equation."""
    p, weights = np.array([0.5, 0.2, 0.1]), np.array([1.0, 3.0, 2.0])
    long = np.repeat(p, weights.astype(int))
    short, whole = density.cavity(p, n, weights=weights), density.cavity(long, n)
    for name in ("Q", "resolved", "seen"):
        assert getattr(short, name) == pytest.approx(getattr(whole, name))
    assert density.largest_fixed_point(p, n, weights) == pytest.approx(density.largest_fixed_point(long, n))
    assert density.smallest_fixed_point(p, n, weights) == pytest.approx(density.smallest_fixed_point(long, n))
    assert formulas.fixed_points(p, n, weights) == pytest.approx(formulas.fixed_points(long, n))
    z = np.array([0.0, 0.3, 1.0])
    assert formulas.row_map(p, n, z, weights) == pytest.approx(formulas.row_map(long, n, z))


@pytest.mark.parametrize("start", ["everything unresolved", "everything resolved"])
def test_the_product_form_solves_its_own_equations(start: str) -> None:
    n = 12
    solved = density.cavity(P, n, start=start)
    w = (1 - solved.unresolved ** (1 / n)) / P
    u = (1 - P * w) ** (n - 1)
    assert w == pytest.approx([np.delete(1 - P * u, i).prod() for i in range(len(P))])
    assert pytest.approx(P @ u) == solved.Q
    assert solved.resolved == pytest.approx((1 - solved.unresolved).sum())
    assert solved.seen == pytest.approx((1 - (1 - P) ** n).sum())
    z = (1 - P * u).prod()
    assert formulas.row_map(P, n, np.array([z])) == pytest.approx([z])


def test_row_map_at_its_ends() -> None:
    """Nothing resolved: every feature is unresolved, and a row is resolved when it is empty."""
    assert formulas.row_map(P, 9, np.array([0.0])) == pytest.approx([(1 - P).prod()])
    assert formulas.row_map(P[-1:], 2, np.array([1.0]))[0] == pytest.approx(
        1 - 0.05 * min(np.roots([0.05, -1.05, 0.95])), rel=1e-6
    ), "one feature, one other row: u = 1 - p/(1 - p u)"


@pytest.mark.parametrize("alpha", [0.7, 1.0, 1.8])
def test_power_sum_is_the_sum(alpha: float) -> None:
    for a, b in ((1000, 1001), (1000, 30_000), (5000, 5000)):
        exact = math.fsum(i**-alpha for i in range(a + 1, b + 1))
        assert float(formulas.power_sum(alpha, np.array(float(a)), np.array(float(b)))) == pytest.approx(
            exact, rel=1e-13, abs=1e-300
        )


def test_lambert_without_growth_is_the_mass_itself() -> None:
    assert formulas.lambert_rate(0.3, 0.0) == 0.3
    assert formulas.lambert_rate(1 / (0.5 * math.e) * (1 - 1e-12), 0.5) == pytest.approx(2.0, rel=1e-4)


# --- noise, risk ------------------------------------------------------------------------------------------


def test_training_residual_is_what_the_projection_leaves() -> None:
    """trace(I - P)/n of a design of rank 3 with 5 rows."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 3)) @ rng.normal(size=(3, 8))
    left = np.eye(5) - X @ np.linalg.pinv(X)
    assert minimum_norm_room.expected_train_error(5, 3, 0.5) == pytest.approx(0.25 * np.trace(left) / 5)


def test_variance_grows_along_a_chain() -> None:
    X = np.eye(6) + np.eye(6, k=-1)
    variance = (np.linalg.inv(X) ** 2).sum(axis=1)
    assert noise_laws.chain_variance(6, 0.3) == pytest.approx(0.09 * variance)


def test_noise_power_law_is_the_leading_order() -> None:
    """alpha = 2 at n = 1000, with the frequencies of an (almost) infinite model."""
    alpha, n = 2.0, 1000
    p = np.minimum(1.0, 3.0 * np.arange(1, 20_001, dtype=float) ** -alpha)
    law, floor = noise_laws.diagonal_noise_law(n, c=3.0, alpha=alpha), formulas.floor_law(n, c=3.0, alpha=alpha, b=0.0)
    assert law / floor == pytest.approx(noise_laws.noise_to_floor(alpha, 1.0))
    assert floor == pytest.approx(formulas.unseen_floor(p, 1.0, n), rel=0.02)
    assert law == pytest.approx(formulas.diagonal_noise(p, n), rel=0.1)


def test_expected_risk_terms_by_hand() -> None:
    p, beta, n, k = np.array([0.7, 0.4, 0.2, 0.1]), np.array([1.0, -0.5, 2.0, 3.0]), 6, 2
    found = formulas.expected_risk_bounds(p, beta, n, k)
    alone = alone_by_hand(p, k)
    assert found.unresolved == pytest.approx(p[k] * (beta[k:] ** 2 @ ((1 - alone) ** n - (1 - p[k:]) ** n)))
    failed = formulas.rank_failure_bound(p, k, n)
    assert found.failure == pytest.approx(p[0] * (beta**2 @ np.minimum(failed, 1 - (1 - p) ** n)))
    assert found.upper == pytest.approx(found.floor + found.unresolved + found.failure)
    assert formulas.expected_risk_bounds(p, beta, n, 0).failure == 0


def test_sandwich_counts_each_component_once() -> None:
    """Two components of unresolved features: each pays its own heaviest frequency."""
    X = np.array([[1.0, 1, 0, 0, 0], [0, 0, 1, 1, 0]])
    p, beta = np.array([0.5, 0.4, 0.1, 0.2, 0.3]), np.array([1.0, 2, 3, 4, 5])
    found = theory.risk_sandwich(X, p, beta, np.zeros(5, bool))
    assert found.floor == pytest.approx(0.3 * 25)
    assert found.components == pytest.approx(0.3 * 25 + 0.5 * 5 + 0.2 * 25)
    assert found.crude == pytest.approx(0.3 * 25 + 0.5 * 30)
    assert found.unresolved == 4
    assert float(p @ (min_norm(X, X @ beta) - beta) ** 2) <= found.components


def test_frequencies_of_the_infinite_model_sum_to_the_sparsity() -> None:
    i = np.arange(1, 2_000_001, dtype=float)
    assert formulas.frequency_scale(3.0, 2.0) * (i**-2.0).sum() == pytest.approx(3.0, rel=1e-6)
    assert formulas.frequency_scale(3.0, 0.7, 50) * (i[:50] ** -0.7).sum() == pytest.approx(3.0)


def test_range_of_the_unseen_floor_by_hand() -> None:
    """Two features, the first of them common: Bernstein's terms written out, for delta = 1/e (L = 1)."""
    p, beta, n = np.array([0.5, 0.1]), np.array([3.0, 2.0]), 2
    first, second, absent = 0.5 * 9, 0.1 * 4, (0.5**2, 0.9**2)
    low, high, missed = formulas.unseen_floor_range(p, beta, n, 1, math.exp(-1))
    mean = first * absent[0] + second * absent[1]
    assert low == pytest.approx(mean - math.sqrt(2 * (first**2 * absent[0] + second**2 * absent[1])))
    spread = math.sqrt(2 * second**2 * absent[1] * (1 - absent[1]))
    assert high == pytest.approx(second * absent[1] + spread + second / 3)
    assert missed == pytest.approx(absent[0])


def test_floor_law_error_by_its_three_terms() -> None:
    """One interval of the sum, the rounding of (1-p)^n to exp(-np), the peak of what rounding left."""
    n, c, alpha, b = 7, 2.0, 1.5, 0.2
    w, g = 1 + 2 * b / alpha, 1 - (1 - 2 * b) / alpha
    x = np.linspace(1e-6, 60, 400_001)
    largest = (x**w * np.exp(-x)).max(), (x ** (w + 2) * np.exp(-x)).max()
    scale = c ** (-2 * b / alpha)
    middle = c ** ((1 - 2 * b) / alpha) * math.gamma(g + 2) * n ** -(g + 1) / alpha
    stated = scale * n**-w * largest[0] + middle + scale * n ** -(w + 1) * largest[1]
    assert formulas.floor_law_error(n, c=c, alpha=alpha, b=b) == pytest.approx(stated, rel=1e-6)


def test_floor_law_where_its_factors_leave_the_range_of_floats() -> None:
    """alpha = 0.05, b = 2.2: n^-89 is no float at n = 10^4, but the law and its error are."""
    for of in (formulas.floor_law, formulas.floor_law_error):
        at = [of(n, c=5.0, alpha=0.05, b=2.2) for n in (1000, 10_000)]
        assert 0 < at[1] < at[0] < 1
    ratio = formulas.floor_law(10_000, c=5.0, alpha=0.05, b=2.2) / formulas.floor_law(1000, c=5.0, alpha=0.05, b=2.2)
    assert math.log10(ratio) == pytest.approx(-formulas.floor_exponent(0.05, 2.2))


def test_noise_to_floor_is_the_ratio_of_the_two_laws():
    for alpha, sigma in ((1.5, 0.5), (3.0, 2.0)):
        law = sigma**2 * noise_laws.diagonal_noise_law(100, c=0.7, alpha=alpha)
        assert noise_laws.noise_to_floor(alpha, sigma) == pytest.approx(
            law / formulas.floor_law(100, c=0.7, alpha=alpha, b=0.0)
        )


@pytest.mark.parametrize("n", [600.0, 800.0])
def test_potential_maximizer_counts_the_weights(n):
    """A frequency of weight 700 is 700 frequencies; of three solutions the last, then the first, is highest."""
    p, weights, spread = np.array([0.01]), np.array([700.0]), np.full(700, 0.01)
    solutions = formulas.fixed_points(spread, n)
    highest = max(solutions, key=lambda q: formulas.potential(spread, n, q))
    assert len(solutions) == 3
    assert highest == (solutions[-1] if n == 600 else solutions[0])
    assert formulas.potential_maximizer(p, n, weights) == pytest.approx(highest)


def test_the_vacuous_size_is_by_default_that_of_figure_1():
    assert regime_room.paper_rate_first_vacuous(2.0) == regime_room.paper_rate_first_vacuous(
        2.0, s=5.0, common_count=10.0
    )
