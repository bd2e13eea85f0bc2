"""Formulas of structure, pinning and density against enumeration, limits and drawn designs."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book.appendix import pinning as pinned_room
from book.linear import formulas
from book.linear import rows as rows_room
from book.shared import density
from book.shared import regime as regime_room
from companion.linear import LongTailModel, peel, recoverability, sample_design, theory

frequencies = st.lists(st.floats(0.005, 0.6), min_size=3, max_size=9).map(lambda v: np.sort(np.array(v))[::-1])


def power_law(alpha: float, s: float, d: int) -> np.ndarray:
    weight = np.arange(1, d + 1, dtype=float) ** -alpha
    return np.minimum(1, s * weight / weight.sum())


@given(frequencies, st.integers(0, 2))
def test_row_probabilities_agree_with_enumeration(p: np.ndarray, k: int) -> None:
    """pi_0 and P(two or more) are sums over all patterns of the tail; the bounds hold around them."""
    tail = p[k:]
    patterns = np.array(list(itertools.product((0, 1), repeat=len(tail))))
    weight = np.where(patterns, tail, 1 - tail).prod(axis=1)
    none, several = weight[patterns.sum(axis=1) == 0].sum(), weight[patterns.sum(axis=1) >= 2].sum()
    assert theory.no_tail_probability(p, k) == pytest.approx(none)
    assert rows_room.several_tail_probability(p, k) == pytest.approx(several, abs=1e-12)
    low, high = rows_room.no_tail_bounds(p, k)
    assert low - 1e-12 <= none <= high + 1e-12
    assert several <= rows_room.several_tail_bound(p, k) + 1e-12


def test_tail_that_starts_with_certainty_has_no_plain_rows() -> None:
    """p = 1 in the tail gives pi_0 = 0, and the exponential bound says why it does not apply."""
    p = np.array([1.0, 1.0, 0.2])
    assert theory.no_tail_probability(p, 1) == 0
    with pytest.raises(ValueError, match="below 1"):
        rows_room.no_tail_bounds(p, 1)


def test_seen_and_once_seen_counts_match_draws() -> None:
    """Expected numbers of seen and once-seen features within four standard errors of 200 draws."""
    p, n = power_law(1.5, 3.0, 400), 60
    seen, once = [], []
    for seed in range(200):
        count = np.bincount(sample_design(n, p, seed=seed).indices, minlength=400)
        seen.append((count > 0).sum())
        once.append((count == 1).sum())
    for measured, expected in ((seen, theory.expected_seen(p, n)), (once, n * formulas.once_seen_mass(p, 1.0, n))):
        assert abs(np.mean(measured) - expected) < 4 * np.std(measured) / math.sqrt(200)


def test_no_rows_and_one_row_where_a_feature_is_certain() -> None:
    """0^0 is 1: without rows everything is unseen, and one row shows a certain feature exactly once."""
    p = np.array([1.0, 0.3, 0.1])
    assert theory.unseen_mass(p, 0) == pytest.approx(p.sum())
    assert theory.unseen_mass(p, 1) == pytest.approx(0.3 * 0.7 + 0.1 * 0.9)
    assert theory.expected_seen(p, 0) == 0
    assert formulas.once_seen_mass(p, 1.0, 1) == pytest.approx(p.sum())
    assert formulas.unresolved_once_seen_lower(p, 1) == pytest.approx([1 - 0.7 * 0.9, 1, 1])
    assert density.cavity(p, 1).unresolved == pytest.approx([1 - 0.7 * 0.9, 1, 1])  # resolved only if it is alone


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.5])
@pytest.mark.parametrize("d", [2_000, 200_000])
def test_power_law_sum_is_within_its_error(alpha: float, d: int) -> None:
    """The gamma-function form is as close to the sum as it claims, at finite d."""
    weight = np.arange(1, d + 1, dtype=float) ** -alpha
    c = 5 / weight.sum()
    p = np.minimum(1, c * weight)
    for m in (10.0, 1e3, 1e5):
        gap = abs(float(p @ np.exp(-m * p)) - formulas.power_law_sum(alpha, c, m, d))
        assert gap <= formulas.power_law_sum_error(alpha, c, m)


def test_power_law_sum_refuses_alpha_of_one() -> None:
    """The closed form diverges at alpha = 1: an error, not a wrong number."""
    with pytest.raises(ValueError, match="alpha must be finite and greater than 1, got 1.0"):
        formulas.power_law_sum(1.0, 1.0, 10.0)


@given(frequencies, st.integers(0, 30))
def test_more_plain_rows_never_hurt_and_the_lower_bound_stays_below(p: np.ndarray, rows: int) -> None:
    """Both sides of the rank failure fall with the number of rows and keep their order."""
    k = len(p)
    bounds = [pinned_room.rank_failure_given_rows(p, k, rows + extra) for extra in (0, 5)]
    empties = [pinned_room.empty_column_probability(p, k, rows + extra) for extra in (0, 5)]
    assert bounds[1] <= bounds[0]
    assert empties[1] <= empties[0] + 1e-12
    assert empties[0] <= bounds[0] + 1e-12


def test_unconditional_bound_is_the_average_over_plain_rows() -> None:
    """The second form of the pinning bound is E of the first over N_0 ~ Bin(n, pi_0)."""
    from scipy.stats import binom

    p, k, n = np.array([0.7, 0.4, 0.3, 0.2, 0.1]), 3, 25
    rows = np.arange(n + 1)
    weight = binom.pmf(rows, n, theory.no_tail_probability(p, k))
    average = sum(w * pinned_room.rank_failure_given_rows(p, k, int(r)) for w, r in zip(weight, rows, strict=True))
    assert formulas.rank_failure_bound(p, k, n) == pytest.approx(average)


def test_concentration_failure_matches_draws() -> None:
    """The exact probability that some relative count is off by more than epsilon."""
    p, n = np.array([0.4, 0.1, 0.05]), 100
    rng = np.random.default_rng(0)
    measured = (np.abs(rng.binomial(n, p, (20_000, 3)) / (n * p) - 1) > 0.5 + 1e-9).any(axis=1).mean()
    assert pinned_room.concentration_failure(p, 3, n, 0.5) == pytest.approx(measured, abs=0.012)


def test_pinning_frequency_says_when_nothing_suffices() -> None:
    """Too few rows: no frequency makes the bound small."""
    assert pinned_room.pinning_frequency(10, 9, 0.1) == math.inf
    assert pinned_room.pinning_frequency(10, 12, 1e-3) == math.inf
    assert 0 < pinned_room.pinning_frequency(10, 500, 1e-3) < math.log(2)


def test_level_one_expectation_is_exact_for_one_row() -> None:
    """With one row, level one has the probability that the row holds exactly one tail feature."""
    p, k = np.array([0.5, 0.3, 0.2, 0.1]), 1
    one = 1 - theory.no_tail_probability(p, k) - rows_room.several_tail_probability(p, k)
    assert formulas.expected_level_one(p, k, 1) == pytest.approx(one)


@settings(max_examples=30)
@given(frequencies, st.integers(2, 40))
def test_sandwich_is_ordered(p: np.ndarray, n: int) -> None:
    """The lower bound (over tail mates) never exceeds the upper one."""
    low = formulas.unresolved_once_seen_lower(p, n)
    high = formulas.unresolved_once_seen_upper(p, 0, n)
    assert np.all(low <= high + 1e-12)


def test_sandwich_by_enumeration() -> None:
    """Three features, two rows, everything enumerated: P(unresolved | seen once) lies between the two sums."""
    p = np.array([0.5, 0.4, 0.3])
    unresolved, once = np.zeros(3), np.zeros(3)
    for cells in itertools.product((0, 1, -1), repeat=6):
        X = np.array(cells, dtype=float).reshape(2, 3)
        weight = np.where(X == 0, 1 - p, p / 2).prod()
        if not X.any():
            continue
        certificate = recoverability(X)
        for i in range(3):
            if np.count_nonzero(X[:, i]) == 1:
                once[i] += weight
                unresolved[i] += weight * (certificate[i] < 1 - 1e-9)
    share = unresolved / once
    assert np.all(formulas.unresolved_once_seen_lower(p, 2) <= share + 1e-12)
    assert np.all(share <= formulas.unresolved_once_seen_upper(p, 0, 2) + 1e-12)


def test_blocks_sum_like_the_power_law_they_stand_for() -> None:
    """Blocks of frequencies give the same normalisation and the same fixed point as one by one."""
    alpha, s, d, n = 1.25, 5.0, 60_000, 6_000
    B = formulas.blocks(alpha, s, d, exact=1000)
    p = power_law(alpha, s, d)
    assert B.weights.sum() == d
    assert float(B.p @ B.weights) == pytest.approx(p.sum(), rel=1e-12)
    assert density.cavity(B.p, n, weights=B.weights).resolved == pytest.approx(density.cavity(p, n).resolved, rel=1e-6)


@settings(max_examples=25)
@given(frequencies, st.integers(5, 200))
def test_iterations_bracket_every_solution(p: np.ndarray, n: int) -> None:
    """Going down ends at the largest solution, going up at the smallest; all others lie between."""
    low, high = density.smallest_fixed_point(p, n), density.largest_fixed_point(p, n)
    assert low <= high + 1e-9
    for Q in formulas.fixed_points(p, n):
        assert low - 1e-6 <= Q <= high + 1e-6
        assert density.mass_map(p, n, Q) == pytest.approx(Q, abs=1e-8)


def test_several_solutions_are_all_found() -> None:
    """800 equal frequencies of sum 4: three solutions, the ends being the two iterations."""
    p = np.full(800, 4 / 800)
    found = formulas.fixed_points(p, 1000)
    assert len(found) == 3
    assert found[0] == pytest.approx(density.smallest_fixed_point(p, 1000), abs=1e-8)
    assert found[2] == pytest.approx(density.largest_fixed_point(p, 1000), abs=1e-8)
    assert formulas.potential_maximizer(p, 1000) == pytest.approx(found[0])


def test_product_form_handles_features_that_are_always_there() -> None:
    """Frequencies of 1 (two of them, and one): no NaN; two constant columns are never told apart by peeling."""
    alone = density.cavity(np.array([1.0, 0.1, 0.1]), 50)
    assert np.isfinite(alone.unresolved).all()
    assert alone.unresolved[0] < 1e-3
    both = density.cavity(np.array([1.0, 1.0, 0.1]), 50)
    assert both.unresolved[:2] == pytest.approx([1, 1])
    with pytest.raises(ValueError, match="start"):
        density.cavity(np.array([0.1]), 5, start="somewhere")


def test_product_form_predicts_the_paper_size() -> None:
    """alpha = 1.5, n = 1000: predicted number of peeled features within 3 standard errors of 12 draws."""
    model = LongTailModel(1000, 10_000, 5.0, 1.5, 0.1, 0.0, k=0)
    measured = np.array([peel(model.sample(seed=seed).X).sum() for seed in range(12)])
    predicted = density.cavity(model.p, model.n)
    assert abs(measured.mean() - predicted.resolved) < 3 * measured.std(ddof=1) / math.sqrt(12) + 1
    assert predicted.seen == pytest.approx(theory.expected_seen(model.p, model.n))


def test_lambert_solves_its_equation_and_ends_where_it_should() -> None:
    """The closed form solves Q = M e^(gamma Q) below M = 1/(e gamma) and is NaN above."""
    for M, gamma in ((0.1, 0.5), (0.5, 1 / 3), (0.7, 0.5)):
        Q = formulas.lambert_rate(M, gamma)
        assert abs(Q - M * math.exp(gamma * Q)) < 1e-9
    assert math.isnan(formulas.lambert_rate(0.8, 0.5))


def test_paper_rate_becomes_informative_where_the_text_says() -> None:
    """The size at which p_{>k}^2 ln^2 d falls below 1, against the exact sums on both sides of it."""
    n = regime_room.paper_rate_first_vacuous(1.5)
    for factor, above in ((0.8, True), (1.25, False)):
        size = int(factor * n)
        B = formulas.blocks(1.5, 5.0, 10 * size)
        mass = float(B.weights[size * B.p < 10] @ B.p[size * B.p < 10])
        assert (mass**2 * math.log(10 * size) ** 2 > 1) is above
