"""Risk, noise and shrinkage: closed forms against brute force, and what their doors refuse."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from book.linear import data as data_room
from book.linear import formulas, noise_laws
from book.linear import turning_off as turning_off_room
from companion import experiments
from companion.linear import (
    LongTailModel,
    feature_counts,
    gradient_descent,
    inverse_gram_diagonal,
    leverage,
    min_norm,
    peel,
    population_risk,
    resolved,
    ridge,
    theory,
)
from companion.linear.theory import unseen_mass
from companion.runner.experiment import Resources

from .designs import designs


def model_of(alpha: float, n: int = 150, **changes: float) -> LongTailModel:
    return LongTailModel(
        **{"n": n, "d": 10 * n, "s": 5.0, "alpha": alpha, "beta_exponent": 0.1, "sigma": 0.1} | changes
    )


# --- without noise ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("known", ["certificate", "peeling"])
@given(design=designs(), seed=st.integers(0, 99))
def test_sandwich_holds_for_every_design(design, seed, known):
    """The sandwich is a statement about any matrix, whatever set of resolved features it is told."""
    X = np.asarray(design.toarray() if sp.issparse(design) else design, dtype=float)
    rng = np.random.default_rng(seed)
    p, beta = rng.random(X.shape[1]), rng.normal(size=X.shape[1])
    told = resolved(X) if known == "certificate" else peel(X)
    bounds = theory.risk_sandwich(X, p, beta, told)
    value = float(p @ (min_norm(X, X @ beta) - beta) ** 2)
    assert bounds.floor - 1e-9 <= value <= bounds.components + 1e-9
    assert bounds.components <= bounds.crude + 1e-12


def test_sandwich_is_tight_for_a_cancelling_pair():
    """Two features that share their only row with opposite contributions: nothing is learned."""
    p, beta = np.array([0.3, 0.3]), np.array([1.0, -1.0])
    bounds = theory.risk_sandwich(np.array([[1.0, 1.0]]), p, beta, [False, False])
    assert bounds == theory.Sandwich(0.0, 0.6, 0.6, 2)
    assert p @ (min_norm(np.array([[1.0, 1.0]]), [0.0]) - beta) ** 2 == pytest.approx(0.6)


def test_expected_risk_bounds_contain_an_enumeration():
    """All designs of a tiny model, weighted: the expectation itself, not a simulation of it."""
    p, beta, n = np.array([0.7, 0.4, 0.2]), np.array([1.0, -0.5, 2.0]), 2
    mean = 0.0
    for entries in itertools.product((0.0, 1.0, -1.0), repeat=n * p.size):
        X = np.array(entries).reshape(n, p.size)
        weight = np.prod(np.where(X == 0, 1 - p, p / 2))
        mean += weight * float(p @ (np.linalg.pinv(X) @ (X @ beta) - beta) ** 2)
    for k in (0, 1, 2):
        bounds = formulas.expected_risk_bounds(p, beta, n, k)
        assert bounds.floor == pytest.approx(formulas.unseen_floor(p, beta, n))
        assert bounds.floor < mean < bounds.upper


def test_tightest_k_beats_the_usual_choice():
    model = model_of(2.0, 1000)
    k = formulas.tightest_k(model.p, model.beta, model.n)
    best = formulas.expected_risk_bounds(model.p, model.beta, model.n, k).upper
    assert best < 0.5 * formulas.expected_risk_bounds(model.p, model.beta, model.n, model.k).upper
    assert all(
        best <= formulas.expected_risk_bounds(model.p, model.beta, model.n, j).upper * 1.05
        for j in range(max(1, k - 5), k + 6)
    )


@given(
    alpha=st.floats(0.8, 4),
    b=st.floats(-0.2, 1),
    n=st.integers(1, 10_000),
    d=st.integers(1, 3000),
    s=st.floats(0.1, 50),
)
def test_floor_law_is_within_its_error_everywhere(alpha, b, n, d, s):
    """The lemma allows any n >= 1, any d, frequencies cut at 1 or not, growing or falling coefficients."""
    if alpha <= 1 - 2 * b + 1e-3:
        return
    i = np.arange(1, d + 1, dtype=float)
    c = formulas.frequency_scale(s, alpha, d)
    exact = formulas.unseen_floor(np.minimum(1, c * i**-alpha), i**-b, n)
    law = formulas.floor_law(n, c=c, alpha=alpha, b=b, d=d)
    assert abs(exact - law) <= formulas.floor_law_error(n, c=c, alpha=alpha, b=b) * (1 + 1e-9)


def test_floor_law_agrees_with_the_sum_of_the_density_chapter():
    """Two modules hold the b = 0 law; they must be the same function."""
    c = formulas.frequency_scale(5.0, 1.5, 10_000)
    assert formulas.floor_law(500, c=c, alpha=1.5, b=0.0, d=10_000) == pytest.approx(
        formulas.power_law_sum(1.5, c, 500, 10_000)
    )


def test_floor_of_ones_is_the_unseen_mass_and_good_turing_shifts_n():
    model = model_of(1.5)
    assert formulas.unseen_floor(model.p, 1.0, model.n) == pytest.approx(unseen_mass(model.p, model.n))
    assert formulas.once_seen_mass(model.p, model.beta**2, 10) == pytest.approx(
        formulas.unseen_floor(model.p, model.beta, 9)
    )


@pytest.mark.parametrize(("s", "alpha"), [(5.0, 1.0), (5.0, 2.0), (50.0, 1.2)])
def test_sparsity_shortfall(s, alpha):
    model = model_of(alpha, s=s)
    assert model.row_mass + data_room.clipped_mass(s, alpha, model.d) == pytest.approx(s)


# --- noise ------------------------------------------------------------------------------------------------


def test_noise_risk_and_composition_against_the_pseudo_inverse():
    model = model_of(1.5)
    X = model.sample(seed=1).X
    inverse = np.linalg.pinv(X.toarray(), rcond=1e-10)
    assert formulas.noise_risk(X, model.p, 0.3) == pytest.approx(0.09 * float(model.p @ (inverse**2).sum(axis=1)))
    chosen = np.flatnonzero(resolved(X) & (feature_counts(X) == 1))[:4]
    signs = np.array([1.0, -1.0, 1.0, 1.0])
    expected = np.linalg.norm(signs @ inverse[chosen]) ** 2
    assert theory.composition_noise(X, chosen, 1.0, signs=signs) == pytest.approx(expected)
    assert theory.composition_noise(X, chosen, 1.0) == pytest.approx((inverse[chosen] ** 2).sum())


def test_rest_leverage_gives_the_variance():
    X = model_of(1.25).sample(seed=2).X
    features, rows = theory.once_seen_rows(X)
    assert all(X[[r], :][:, [i]].nnz == 1 for i, r in zip(features[:5], rows[:5], strict=True))
    told = features[resolved(X)[features]]
    variance = inverse_gram_diagonal(X)
    assert [1 + noise_laws.rest_leverage(X, int(i)) for i in told[:8]] == pytest.approx(variance[told[:8]])


def test_common_leverage_is_at_least_the_counts():
    model = model_of(2.0, 400)
    X = model.sample(seed=0).X
    inverse, tau = theory.common_leverage(X, model.p, 5)
    plain = X[np.diff(X[:, 5:].indptr) == 0][:, :5]
    assert inverse == pytest.approx(np.linalg.inv((plain.T @ plain).toarray()))
    assert tau >= float(model.p[:5] @ (1 / feature_counts(plain)))


@given(p=st.just(0.0) | st.floats(1e-9, 1), n=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_inverse_count_is_the_binomial_mean(p, n):
    m = np.arange(1, n + 1)
    expected = float((binom.pmf(m, n, p) / m).sum())
    assert formulas.inverse_count(np.array([p]), n)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 44, 45, 46, 300, 4000])
def test_inverse_count_is_its_recursion(n):
    """The recursion `h_m = (1-p) h_{m-1} + (1 - (1-p)^m)/m`, linear in n; it only adds positive numbers."""
    p = np.concatenate([[0.0], np.geomspace(1e-12, 1, 40), 1 - np.geomspace(1e-12, 0.5, 10), [45 / max(n, 45)]])
    with np.errstate(divide="ignore"):
        log_absent = np.log1p(-p)
    h = np.zeros_like(p)
    for m in range(1, n + 1):
        h = (1 - p) * h - np.expm1(m * log_absent) / m
    np.testing.assert_allclose(formulas.inverse_count(p, n), h, rtol=1e-12)


def test_inverse_count_of_a_billion_rows():
    """Its cost does not depend on n; for large means it is 1/m + (1-p)/m^2 + O(1/m^3)."""
    n, p = 10**9, np.array([1e-6, 1e-3, 0.3, 1.0])
    mean = n * p
    value = formulas.inverse_count(p, n)
    assert value == pytest.approx(1 / mean + (1 - p) / mean**2, rel=3e-6)
    assert value[1:] == pytest.approx((1 / mean + (1 - p) / mean**2)[1:], rel=1e-11)
    assert formulas.inverse_count(np.array([1e-12]), n)[0] == pytest.approx(1e-3, rel=1e-3)


def test_diagonal_noise_by_unseen_masses():
    """D = sum_j (M_{n-j} - M_n)/j, for any frequencies."""
    p, n = model_of(1.5, 60).p, 60
    masses = np.array([formulas.unseen_floor(p, 1.0, m) for m in range(n + 1)])
    assert formulas.diagonal_noise(p, n) == pytest.approx(sum((masses[n - j] - masses[n]) / j for j in range(1, n + 1)))


def test_noise_constant_is_its_series():
    """(1/alpha) sum_m Gamma(m + 1 - 1/alpha)/(m m!), the sum it was derived from (alpha = 2: slow, so a tail)."""
    m = np.arange(1, 200_001, dtype=float)
    from scipy.special import gammaln

    terms = np.exp(gammaln(m + 0.5) - gammaln(m + 1)) / m
    series = 0.5 * (terms.sum() + 2 * m[-1] ** -0.5)
    assert noise_laws.noise_constant(2.0) == pytest.approx(series, rel=1e-5)
    assert noise_laws.noise_to_floor(2.0, 1.0) == pytest.approx(2 * math.log(2))


def test_composition_bounds_are_ordered():
    bounds = noise_laws.composition_bounds(7, 0.02, 0.5)
    assert 0.25 * 7 < bounds["random"] < bounds["fixed"] < bounds["adversarial"]
    assert noise_laws.composition_bounds(1, 0.3, 1.0) == pytest.approx(dict.fromkeys(bounds, 1.3))


# --- turning memorization off -----------------------------------------------------------------------------


@pytest.mark.parametrize("n_lam", [0.01, 1.0, 50.0])
def test_ridge_once_seen_is_ridge(n_lam):
    model = model_of(1.25)
    sample = model.sample(seed=3)
    features, _ = theory.once_seen_rows(sample.X)
    fit = ridge(sample.X, sample.y, n_lam / model.n)
    for i in features[:6]:
        assert formulas.ridge_once_seen(sample.X, sample.y, int(i), n_lam)[0] == pytest.approx(fit[i], abs=1e-10)


def test_filters_are_the_solvers():
    """Ridge and gradient descent are filters of the singular values; both empty at the start, full at the end."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(-1, 2, (15, 9)).astype(float), rng.normal(size=15)
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    lr = 0.8 * 15 / s[0] ** 2
    for share, fit in (
        (theory.ridge_shrinkage(s**2, 0.6), ridge(X, y, 0.6 / 15)),
        (theory.gradient_shrinkage(s**2, 15, lr=lr, steps=23), gradient_descent(X, y, 23, lr)),
    ):
        assert Vt.T @ (share / s * (U.T @ y)) == pytest.approx(fit)
    assert theory.ridge_shrinkage([0, 1, 3], 0.0) == pytest.approx([0, 1, 1])
    assert theory.gradient_shrinkage(3, 15, lr=lr, steps=0) == 0


def test_matching_penalty():
    exact = turning_off_room.matching_penalty(1000, lr=0.5, steps=20)
    assert 1 / (1 + exact) == pytest.approx(theory.gradient_shrinkage(1, 1000, lr=0.5, steps=20))
    assert exact == pytest.approx(1000 / (2 * 0.5 * 20), rel=0.02)


def test_ridge_leverage_goes_from_leverage_to_nothing():
    X = model_of(2.0).sample(seed=0).X
    assert formulas.ridge_leverage(X, 1e-9) == pytest.approx(leverage(X), abs=1e-6)
    assert formulas.ridge_leverage(X, 1e9).max() < 1e-6
    assert (formulas.ridge_leverage(X, 1.0) >= formulas.ridge_leverage(X, 2.0) - 1e-12).all()


def test_forgetting_prices_scale_as_stated():
    model = model_of(2.0, 1000)
    one, two = (turning_off_room.forgetting(model.p, model.beta, 1000, 1.0, t) for t in (1, 2))
    assert two.composition == pytest.approx(2 * one.composition)
    assert one.train == pytest.approx(0.25 * formulas.unseen_floor(model.p, model.beta, 999))
    assert one.population / one.train == pytest.approx(formulas.floor_exponent(2.0, 0.1), rel=0.01)
    assert turning_off_room.forgetting(model.p, model.beta, 1000, 0.0, 2) == turning_off_room.Forgetting(0.0, 0.0, 0.0)


# --- doors, experiments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: formulas.floor_law(10, c=1.0, alpha=0.5, b=0.1), "alpha must be above"),
        (lambda: formulas.frequency_scale(5.0, 1.0), "alpha must be above 1 when d is infinite"),
        (lambda: formulas.unseen_floor([0.5, 1.2], 1.0, 5), "p must hold probabilities"),
        (lambda: formulas.expected_risk_bounds([0.5, 0.2], [1.0, 1.0], 5, 2), "k must be"),
        (
            lambda: theory.risk_sandwich(np.eye(2), [0.5, 0.2], [1.0, 1.0], [True]),
            "resolved must be a bool mask of shape",
        ),
        (lambda: noise_laws.rest_leverage(np.ones((2, 2)), 0), "exactly one row"),
        (lambda: theory.common_leverage(np.array([[1.0, 1.0]]), [0.5, 0.2], 1), "must have rank k"),
        (lambda: noise_laws.noise_constant(1.0), "alpha must be"),
        (lambda: formulas.ridge_once_seen(np.ones((2, 1)), [1.0, 1.0], 0, 1.0), "exactly one row"),
        (lambda: turning_off_room.matching_penalty(10, lr=6.0, steps=3), "lr must be"),
    ],
)
def test_doors_name_what_they_expected(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name", ["rate", "noise", "forgetting"])
def test_experiments_are_repeatable_and_consistent(name):
    """The same seed gives the same rows, another seed others; rows obey the statements they are made for."""
    known = experiments.experiment(name)
    preset = known.presets["smoke"]
    cell = known.cells(preset)[0]
    rows, again, other = (known.run(preset, cell, seed, Resources()) for seed in (0, 0, 1))
    assert str(rows) == str(again) != str(other)
    row = rows[0]
    if name == "rate":
        assert row["floor"] <= row["risk"] + 1e-12
        assert row["peeled_error"] < 1e-16
    elif name == "noise":
        assert row["floor"] <= row["risk"] + 1e-12 <= row["components"] + 2e-12
        assert row["diagonal_resolved"] <= row["noise"]
        assert row["once_exact"] >= 1
    else:
        full = next(r for r in rows if r["n_lam"] == 0)
        dialled = next(r for r in rows if r["n_lam"] == 1.0 and r["path"] == "ridge")
        assert full["memorization"] == pytest.approx(1)
        assert full["train"] < 1e-20
        assert dialled["memorization"] >= 0.5
        assert dialled["composition"] > full["composition"]


def test_population_risk_of_forgetting_rows_matches_the_package():
    """The experiment works with filters; the package's own ridge must give the same numbers."""
    from companion.experiments import forgetting

    preset = forgetting.EXPERIMENT.presets["smoke"]
    rows = forgetting.run(preset, {"alpha": 2.0, "sigma": 0.05}, 0, Resources())
    model = LongTailModel(n=preset.n, d=preset.d, s=preset.s, alpha=2.0, beta_exponent=preset.beta_exponent, sigma=0.05)
    sample = model.sample(seed=0)
    row = next(r for r in rows if r["path"] == "ridge" and r["n_lam"] == 1.0)
    assert row["population"] == pytest.approx(population_risk(ridge(sample.X, sample.y, 1.0 / model.n), model))


def test_the_failure_term_is_the_smaller_of_failing_and_being_seen():
    """A rare feature is hurt by a failing common block only where it was seen."""
    p, n, k = np.array([0.3, 0.25, 0.02, 1e-4, 1e-5]), 12, 2
    failing = formulas.rank_failure_bound(p, k, n)
    seen = 1 - (1 - p) ** n
    assert seen[-1] < failing < seen[0], "both must occur"
    bounds = formulas.expected_risk_bounds(p, 2.0, n, k)
    assert bounds.failure == pytest.approx(p[0] * 4 * sum(min(failing, chance) for chance in seen), rel=1e-12)


@pytest.mark.parametrize("n", [1000, 30_000])
def test_the_tightest_k_is_nearly_the_best_of_all(n):
    """It tries 24. The grid has to reach from n p_k = 100 down to 1: that is hundreds of features here."""
    model = LongTailModel(n=n, d=4000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.1)
    common = int((model.p >= 1).sum())
    best = min(formulas.expected_risk_bounds(model.p, model.beta, n, k).upper for k in range(common, 3000, 7))
    chosen = formulas.tightest_k(model.p, model.beta, n)
    assert formulas.expected_risk_bounds(model.p, model.beta, n, chosen).upper < 1.1 * best
    assert n < 10_000 or chosen > 48


def test_one_coefficient_may_come_as_an_array_without_axes():
    p = np.array([0.5, 0.1])
    assert (
        formulas.unseen_floor(p, np.array(3.0), 4)
        == formulas.unseen_floor(p, [3.0, 3.0], 4)
        == formulas.unseen_floor(p, 3, 4)
    )


def test_the_leverage_of_common_parts_wants_a_frequency_for_each_column():
    X = sp.csr_array(np.array([[1.0, 0, 1], [1, 1, 0], [0, -1, 0], [1, -1, 0]]))
    with pytest.raises(ValueError, match="p must have length 3, got 4"):
        theory.common_leverage(X, np.full(4, 0.5), 2)
