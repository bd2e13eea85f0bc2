"""Bad calls of the linear area: model, solvers, structure, losses, theory."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from book.appendix import pinning
from book.linear import data, formulas, noise_laws, rows, turning_off
from book.shared import density, regime
from companion import linear
from companion.linear import theory

from .cases import assert_refused, bad

X, y, p = np.eye(3), np.ones(3), np.array([0.5, 0.3, 0.1])
nan, inf = math.nan, math.inf


def model(**changed):
    given = {"n": 20, "d": 50, "s": 3.0, "alpha": 1.5, "beta_exponent": 0.1, "sigma": 0.0}
    return linear.LongTailModel(**{**given, **changed})


def loss(features, t, beta=None):
    return linear.composition_risk(np.zeros(50) if beta is None else beta, model(), features, t)


MODEL = [
    bad("n-0", lambda: model(n=0), ValueError, "n must be at least 1, got 0"),
    bad("n-float", lambda: model(n=20.0), TypeError, "n must be a whole number, got 20.0 of type float"),
    bad("n-bool", lambda: model(n=True), TypeError, "n must be a whole number, got True"),
    bad("d-negative", lambda: model(d=-5), ValueError, "d must be at least 1, got -5"),
    bad("s-0", lambda: model(s=0), ValueError, "s must be finite and greater than 0, got 0"),
    bad("alpha-0", lambda: model(alpha=0), ValueError, "alpha must be finite and greater than 0, got 0"),
    bad("alpha-negative", lambda: model(alpha=-1.0), ValueError, "alpha must be", "greater than 0", "got -1.0"),
    bad("alpha-nan", lambda: model(alpha=nan), ValueError, "alpha must be finite", "got nan"),
    bad("alpha-text", lambda: model(alpha="2"), TypeError, "alpha must be a number, got '2' of type str"),
    bad("beta_exponent-negative", lambda: model(beta_exponent=-1), ValueError, "beta_exponent must", "got -1"),
    bad("sigma-negative", lambda: model(sigma=-0.1), ValueError, "sigma must be finite and at least 0, got -0.1"),
    bad("sigma-inf", lambda: model(sigma=inf), ValueError, "sigma must be finite", "got inf"),
    bad("k-above-d", lambda: model(k=51), ValueError, "k must be in [0, 50], got 51"),
    bad("k-float", lambda: model(k=1.5), TypeError, "k must be a whole number, got 1.5"),
    bad("design-n-0", lambda: linear.sample_design(0, p, seed=0), ValueError, "n must be at least 1, got 0"),
    bad("design-p-above-1", lambda: linear.sample_design(3, [1.5], seed=0), ValueError, "p must", "[0, 1]", "1.5"),
    bad("design-p-negative", lambda: linear.sample_design(3, [-0.1], seed=0), ValueError, "p must", "[0, 1]", "-0.1"),
    bad("design-p-nan", lambda: linear.sample_design(3, [nan], seed=0), ValueError, "p must be finite, got 1 NaN"),
]

SEEDS = [
    bad("sample-seed", lambda: model().sample(seed=-1), ValueError, "seed must be at least 0, got -1"),
    bad("sample-seed-text", lambda: model().sample(seed="a"), TypeError, "seed must be a whole number, got 'a'"),
    bad("sample-no-seed", lambda: model().sample(seed=None), TypeError, "seed must be a whole number, got None"),
    bad("design-empty", lambda: linear.sample_design(3, [], seed=0), ValueError, "p must hold at least one frequency"),
    bad("design-seed", lambda: linear.sample_design(3, p, seed=1.5), TypeError, "seed must be a whole number, got 1.5"),
    bad(
        "risk-columns",
        lambda: linear.expected_population_risk(X, model()),
        ValueError,
        "X must have 50 columns",
        "(3, 3)",
    ),
]

SOLVERS = [
    bad("X-vector", lambda: linear.min_norm(X[0], y), ValueError, "X must be a matrix, shape (n, d); got shape (3,)"),
    bad("X-nan", lambda: linear.min_norm(X * nan, y), ValueError, "X must be finite, got 9 NaN"),
    bad("X-inf-sparse", lambda: linear.min_norm(sp.csr_array([[inf]]), [1]), ValueError, "X must be finite", "1"),
    bad("X-complex", lambda: linear.min_norm(X + 0j, y), TypeError, "X must hold real numbers, got dtype complex128"),
    bad(
        "X-object",
        lambda: linear.min_norm(X.astype(str).astype(object), y),
        TypeError,
        "X must",
        "real",
        "dtype object",
    ),
    bad("X-text", lambda: linear.min_norm([["a"]], [1]), TypeError, "X must hold real numbers, got dtype <U1"),
    bad("X-None", lambda: linear.min_norm(None, y), TypeError, "X must hold real numbers"),
    bad("X-ragged", lambda: linear.leverage([[1, 2], [3]]), ValueError, "X must be a rectangular array"),
    bad(
        "X-no-rows", lambda: linear.min_norm(np.ones((0, 3)), []), ValueError, "X must have at least one row", "(0, 3)"
    ),
    bad("X-no-columns", lambda: linear.min_norm(np.ones((3, 0)), y), ValueError, "X must", "one column", "(3, 0)"),
    bad("X-no-columns-sparse", lambda: linear.ridge(sp.csr_array((3, 0)), y, 1.0), ValueError, "X must", "one column"),
    bad("X-empty", lambda: linear.largest_step(np.ones((0, 0))), ValueError, "X must have at least one row", "(0, 0)"),
    bad("X-complex-sparse", lambda: linear.min_norm(sp.csr_array(X * 1j), y), TypeError, "X must hold real numbers"),
    bad("y-short", lambda: linear.min_norm(X, [1, 2]), ValueError, "y must have length 3, got 2"),
    bad("y-column", lambda: linear.min_norm(X, y[:, None]), ValueError, "y must be a vector", "got shape (3, 1)"),
    bad("y-inf", lambda: linear.min_norm(X, [1, 2, inf]), ValueError, "y must be finite, got 1 NaN or infinite"),
    bad("y-sparse", lambda: linear.min_norm(X, sp.csr_array(X)), TypeError, "y must be a dense array", "csr_array"),
    bad("lam-negative", lambda: linear.ridge(X, y, -1), ValueError, "lam must be finite and at least 0, got -1"),
    bad("lam-nan", lambda: linear.ridge(X, y, nan), ValueError, "lam must be finite", "got nan"),
    bad("lam-None", lambda: linear.ridge(X, y, None), TypeError, "lam must be a number, got None"),
    bad("steps", lambda: linear.gradient_descent(X, y, -1, 0.1), ValueError, "steps must be at least 0, got -1"),
    bad("steps-float", lambda: linear.gradient_descent(X, y, 1.5, 0.1), TypeError, "steps must", "whole", "1.5"),
    bad("lr-0", lambda: linear.gradient_descent(X, y, 1, 0), ValueError, "lr must", "greater than 0", "got 0"),
    bad("largest_step", lambda: linear.largest_step(y), ValueError, "X must be a matrix", "got shape (3,)"),
]

STRUCTURE = [
    bad("peel-k-above", lambda: linear.peel(X, 4), ValueError, "k must be in [0, 3], got 4"),
    bad("peel-k-negative", lambda: linear.peel(X, -1), ValueError, "k must be in [0, 3], got -1"),
    bad("level_one-k", lambda: linear.level_one(X, 9), ValueError, "k must be in [0, 3], got 9"),
    bad("tail_counts-k", lambda: linear.tail_counts(X, 1.0), TypeError, "k must be a whole number, got 1.0"),
    bad("recoverability", lambda: linear.recoverability(X * nan), ValueError, "X must be finite, got 9 NaN"),
    bad("components", lambda: linear.components(X, [1, 0, 1]), ValueError, "features must be a bool mask", "int64"),
    bad("rank", lambda: linear.rank(y), ValueError, "X must be a matrix", "(3,)"),
    bad("gram", lambda: linear.inverse_gram_diagonal(np.ones((0, 2))), ValueError, "X must have at least one row"),
    bad("loo", lambda: linear.leave_one_out_residuals(X, [1, 2]), ValueError, "y must have length 3, got 2"),
    bad("counts", lambda: linear.feature_counts([["a"]]), TypeError, "X must hold real numbers", "<U1"),
]

LOSSES = [
    bad("beta-short", lambda: linear.population_risk(p, model()), ValueError, "beta_hat must have length 50, got 3"),
    bad(
        "swapped",
        lambda: linear.population_risk(model(), p),
        TypeError,
        "model must be a LongTailModel, got a value of",
    ),
    bad("swapped-t", lambda: linear.composition_risk(model(), p, [1], 1), TypeError, "coefficients come first"),
    bad("not-a-model", lambda: linear.expected_population_risk(X, p), TypeError, "model must be a LongTailModel"),
    bad("beta-nan", lambda: linear.population_risk(np.full(50, nan), model()), ValueError, "beta_hat must be finite"),
    bad("features-empty", lambda: loss([], 1), ValueError, "features must be a non-empty list", "got shape (0,)"),
    bad("features-mask-empty", lambda: loss(np.zeros(50, bool), 1), ValueError, "features must be a non-empty list"),
    bad("features-mask-short", lambda: loss(np.ones(3, bool), 1), ValueError, "features must be a bool mask", "(3,)"),
    bad("features-outside", lambda: loss([50], 1), ValueError, "features must be in [0, 49], got 50"),
    bad("features-negative", lambda: loss([-1], 1), ValueError, "features must be in [0, 49], got -1"),
    bad("features-real", lambda: loss([1.5], 1), TypeError, "features must hold whole numbers, got dtype float64"),
    bad("features-twice", lambda: loss([1, 1], 1), ValueError, "features must not repeat", "got 1 twice"),
    bad("t-larger", lambda: loss([1, 2], 3), ValueError, "t must be in [1, 2], got 3"),
    bad("t-0", lambda: loss([1, 2], 0), ValueError, "t must be in [1, 2], got 0"),
    bad(
        "signs-length",
        lambda: linear.composition_risk(np.zeros(50), model(), [1, 2], 1, signs=[1]),
        ValueError,
        "signs must have length 2, got 1",
    ),
    bad(
        "signs-0",
        lambda: linear.composition_risk(np.zeros(50), model(), [1, 2], 1, signs=[1, 0]),
        ValueError,
        "signs must hold only +1 and -1, got 0",
    ),
]

THEORY = [
    bad("tail_mass-k", lambda: theory.tail_mass(p, 9), ValueError, "k must be in [0, 3], got 9"),
    bad("no_tail-p", lambda: theory.no_tail_probability([2.0], 0), ValueError, "p must", "[0, 1]", "2.0"),
    bad(
        "several-p-1",
        lambda: rows.several_tail_probability([1.0], 0),
        ValueError,
        "p[k:] must be below 1, got 1.0",
    ),
    bad(
        "plain-delta",
        lambda: rows.few_plain_rows_bound(10, 0.5, -3),
        ValueError,
        "delta must",
        "[0, 1]",
        "-3",
    ),
    bad("seen-n", lambda: theory.expected_seen(p, -1), ValueError, "n must be at least 0, got -1"),
    bad("unseen-p", lambda: theory.unseen_mass([-1.0], 3), ValueError, "p must", "[0, 1]", "-1.0"),
    bad("sum-alpha", lambda: formulas.power_law_sum(1.0, 1, 10), ValueError, "alpha must", "greater than 1", "1.0"),
    bad("sum-c", lambda: formulas.power_law_sum(2.0, -1, 10), ValueError, "c must", "greater than 0", "got -1"),
    bad("map-nan", lambda: density.mass_map([nan], 10, 1.0), ValueError, "p must be finite"),
    bad("map-weights", lambda: density.mass_map(p, 10, 1.0, [1.0]), ValueError, "weights must have length 3, got 1"),
    bad("fixed-empty", lambda: formulas.fixed_points([], 10), ValueError, "p must hold at least one frequency"),
    bad("fixed-grid", lambda: formulas.fixed_points(p, 10, grid=0), ValueError, "grid must be at least 2, got 0"),
    bad("cavity-start", lambda: density.cavity(p, 10, start="x"), ValueError, "start must be one of", "got 'x'"),
    bad("cavity-n", lambda: density.cavity(p, 0), ValueError, "n must", "at least 1", "got 0"),
    bad("blocks-alpha", lambda: formulas.blocks(0, 5, 100), ValueError, "alpha must", "greater than 0", "got 0"),
    bad("blocks-d", lambda: formulas.blocks(1.5, 5, 0), ValueError, "d must", "at least 1", "got 0"),
    bad("lambert", lambda: formulas.lambert_rate(nan, 0.5), ValueError, "M must be finite", "got nan"),
    bad("row_map-z", lambda: formulas.row_map(p, 10, [2.0]), ValueError, "z must hold probabilities in [0, 1]", "2.0"),
    bad("pinned-k", lambda: formulas.rank_failure_bound(p, 4, 10), ValueError, "k must be in [1, 3], got 4"),
    bad("pinned-delta", lambda: pinning.pinning_frequency(3, 10, 0), ValueError, "delta must", "(0, 1]", "got 0"),
    bad("concentration", lambda: pinning.concentration_failure(p, 2, 9, -1), ValueError, "epsilon must", "got -1"),
    bad("level-one-k", lambda: formulas.expected_level_one(p, 9, 10), ValueError, "k must be in [0, 3], got 9"),
    bad("paper-rate-k", lambda: formulas.paper_rate(p, 3), ValueError, "k must be in [1, 2], got 3"),
    bad("vacuous", lambda: regime.paper_rate_first_vacuous(1.0), ValueError, "alpha must", "greater than 1"),
    bad(
        "train-error",
        lambda: data.expected_train_error(3, 4, 1),
        ValueError,
        "rank must be in [0, 3], got 4",
    ),
    bad("noise-sigma", lambda: formulas.noise_risk(X, p, -1), ValueError, "sigma must", "at least 0", "got -1"),
    bad("noise-p", lambda: formulas.noise_risk(X, [0.1], 1), ValueError, "p must have length 3, got 1"),
    bad("rest-feature", lambda: noise_laws.rest_leverage(X, 3), ValueError, "feature must be in [0, 2], got 3"),
    bad(
        "rest-twice",
        lambda: noise_laws.rest_leverage(np.ones((2, 2)), 0),
        ValueError,
        "feature must occur in exactly one",
    ),
    bad("common-k", lambda: theory.common_leverage(X, p, 0), ValueError, "k must be in [1, 3], got 0"),
    bad("composed-empty", lambda: theory.composition_noise(X, [], 1), ValueError, "features must be a non-empty list"),
    bad("composed-outside", lambda: theory.composition_noise(X, [9], 1), ValueError, "features must be in [0, 2]", "9"),
    bad("floor-beta", lambda: formulas.unseen_floor(p, [1, 2], 3), ValueError, "beta must have length 3, got 2"),
    bad("once-n", lambda: formulas.once_seen_mass(p, 1, 0), ValueError, "n must be at least 1, got 0"),
    bad(
        "sandwich",
        lambda: theory.risk_sandwich(X, p, p, [True]),
        ValueError,
        "resolved must be a bool mask of shape (3,)",
        "(1,)",
    ),
    bad("risk-k", lambda: formulas.expected_risk_bounds(p, 1, 10, 3), ValueError, "k must be in [0, 2], got 3"),
    bad("scale-alpha", lambda: formulas.frequency_scale(5, 1.0), ValueError, "alpha must be above 1", "got 1.0"),
    bad("exponent", lambda: formulas.floor_exponent(0.1, 0.1), ValueError, "alpha must be above 1 - 2b", "got 0.1"),
    bad(
        "floor-d", lambda: formulas.floor_law(9, c=1, alpha=2, b=0.1, d=-3), ValueError, "d must be at least 1, got -3"
    ),
    bad("shrink-lam", lambda: theory.ridge_shrinkage(1, -1), ValueError, "n_lam must", "at least 0", "got -1"),
    bad("shrink-count", lambda: theory.ridge_shrinkage(-1, 1), ValueError, "count must", "at least 0", "got -1"),
    bad(
        "match-lr",
        lambda: turning_off.matching_penalty(10, lr=6.0, steps=1),
        ValueError,
        "lr must",
        "(0, 5.0]",
        "6.0",
    ),
    bad("forget-t", lambda: turning_off.forgetting(p, 1, 10, 1, 0), ValueError, "t must be at least 1, got 0"),
]


@pytest.mark.parametrize("case", MODEL + SEEDS + SOLVERS + STRUCTURE + LOSSES + THEORY)
def test_a_bad_call_is_refused_and_named(case):
    assert_refused(case)
