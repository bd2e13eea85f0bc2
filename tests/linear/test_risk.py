"""The exact losses against enumeration and against averages over drawn rows, subsets and noise."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.linear import (
    LongTailModel,
    composition_risk,
    expected_population_risk,
    min_norm,
    population_risk,
    sample_design,
)

from .designs import seeds


def small_model(d=8, sigma=0.3):
    return LongTailModel(n=12, d=d, s=2.0, alpha=1.2, beta_exponent=0.3, sigma=sigma)


def some_fit(model, seed):
    return model.beta + np.random.default_rng(seed).standard_normal(model.d)


def test_population_risk_is_the_loss_on_fresh_rows():
    model = small_model()
    b = some_fit(model, 0)
    losses = (sample_design(200_000, model.p, seed=1) @ (b - model.beta)) ** 2
    assert abs(losses.mean() - population_risk(b, model)) < 5 * losses.std() / np.sqrt(losses.size)
    assert population_risk(model.beta, model) == 0


@given(seeds, st.data())
def test_composition_risk_is_the_mean_over_subsets_and_signs(seed, data):
    model = small_model()
    b = some_fit(model, seed)
    m = data.draw(st.integers(1, 5))
    t = data.draw(st.integers(1, m))
    features = np.random.default_rng(seed).permutation(model.d)[:m]
    error = b - model.beta
    losses = [
        (np.array(signs) @ error[list(subset)]) ** 2
        for subset in combinations(features, t)
        for signs in product((-1, 1), repeat=t)
    ]
    assert composition_risk(b, model, features, t) == pytest.approx(np.mean(losses))


@given(seeds, st.data())
def test_fixed_signs_keep_the_cross_terms(seed, data):
    model = small_model()
    b = some_fit(model, seed)
    m = data.draw(st.integers(1, 6))
    t = data.draw(st.integers(1, m))
    rng = np.random.default_rng(seed)
    features, signs = rng.permutation(model.d)[:m], rng.choice([-1.0, 1.0], m)
    z = signs * (b - model.beta)[features]
    losses = [z[list(subset)].sum() ** 2 for subset in combinations(range(m), t)]
    assert composition_risk(b, model, features, t, signs=signs) == pytest.approx(np.mean(losses))


def test_features_as_a_mask_or_as_numbers():
    model = small_model()
    b = some_fit(model, 3)
    mask = np.zeros(model.d, bool)
    mask[[1, 4, 6]] = True
    assert composition_risk(b, model, mask, 2) == composition_risk(b, model, np.array([6, 1, 4]), 2)
    assert composition_risk(b, model, [6, 1, 4], 2) == composition_risk(b, model, mask, 2)


@pytest.mark.parametrize("seed", range(3))
def test_expected_risk_is_the_mean_over_the_label_noise(seed):
    """Bias and variance from the design alone, against many draws of the noise on that design."""
    model = LongTailModel(n=25, d=40, s=3.0, alpha=1.2, beta_exponent=0.2, sigma=0.4)
    X = sample_design(25, model.p, seed=seed)
    inverse = np.linalg.pinv(X.toarray(), rcond=1e-10)
    noise = model.sigma * np.random.default_rng(seed).standard_normal((25, 40_000))
    fits = inverse @ ((X @ model.beta)[:, None] + noise)
    risks = model.p @ (fits - model.beta[:, None]) ** 2
    assert abs(risks.mean() - expected_population_risk(X, model)) < 5 * risks.std() / np.sqrt(risks.size)


def test_noiseless_expected_risk_is_the_risk():
    model = LongTailModel(n=200, d=500, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.0)
    sample = model.sample(seed=0)
    expected = population_risk(min_norm(sample.X, sample.y), model)
    assert expected_population_risk(sample.X, model) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("features", "t", "error", "message"),
    [
        ([], 1, ValueError, "features must be a non-empty"),
        (np.zeros(8, bool), 1, ValueError, "features must be a non-empty"),
        (np.ones(5, bool), 1, ValueError, "features must be a bool mask of shape"),
        ([0, 8], 1, ValueError, "features must be in \\[0, 7\\]"),
        ([-1, 2], 1, ValueError, "features must be in"),
        ([1, 1], 1, ValueError, "features must not repeat"),
        ([0.5, 1.0], 1, TypeError, "features must hold whole numbers"),
        ([[0, 1]], 1, ValueError, "features must be a non-empty list"),
        ([0, 1], 3, ValueError, "t must be in \\[1, 2\\], got 3"),
        ([0, 1], 0, ValueError, "t"),
        ([0, 1], 1.0, TypeError, "t must be a whole number"),
    ],
)
def test_bad_compositions_are_named(features, t, error, message):
    model = small_model()
    with pytest.raises(error, match=message):
        composition_risk(model.beta, model, features, t)


def test_bad_fits_and_signs_are_named():
    model = small_model()
    with pytest.raises(ValueError, match="beta_hat must have length 8, got 3"):
        population_risk(np.zeros(3), model)
    with pytest.raises(ValueError, match="beta_hat must be finite"):
        population_risk(np.full(8, np.nan), model)
    with pytest.raises(ValueError, match="signs must hold only"):
        composition_risk(model.beta, model, [0, 1], 1, signs=np.array([1.0, 0.5]))
    with pytest.raises(ValueError, match="signs must have length 2"):
        composition_risk(model.beta, model, [0, 1], 1, signs=np.ones(3))
