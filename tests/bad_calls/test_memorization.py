"""Bad calls of the memorization area: scores, nulls, neighbours, mixtures, ensembles, removal."""

import math

import numpy as np
import pytest

import companion.memorization as mem

from .cases import assert_refused, bad

X, y = np.eye(3), np.array([0, 1, 1])
Z, keep = np.zeros((4, 3), dtype=bool), np.ones((2, 3), dtype=bool)
nan = math.nan


def train(X=X, y=y, included=keep, recipe=None, **options):
    return mem.train_ensemble(X, y, included, recipe=recipe or mem.Recipe(epochs=0), seed=0, **options)


def split():
    return mem.LongTailMixture().sample(5, 5, seed=0)


SCORES = [
    bad("shapes", lambda: mem.memorization_scores(Z, Z[:2]), ValueError, "correct and included", "(4, 3) and (2, 3)"),
    bad("dtype", lambda: mem.memorization_scores(Z.astype(int), Z), TypeError, "correct must hold booleans", "int64"),
    bad("vector", lambda: mem.memorization_scores(Z[0], Z[0]), ValueError, "correct must be a non-empty", "(3,)"),
    bad(
        "no-models", lambda: mem.memorization_scores(Z[:0], Z[:0]), ValueError, "correct must be a non-empty", "(0, 3)"
    ),
    bad("block", lambda: mem.memorization_scores(Z, Z, block=0), ValueError, "block must be at least 1, got 0"),
    bad("influence-rows", lambda: mem.influence_scores(Z, Z[:2]), ValueError, "test_correct and included", "4 and 2"),
    bad(
        "influence-dtype", lambda: mem.influence_scores(Z, Z * 1.0), TypeError, "included must hold booleans", "float64"
    ),
    bad("threshold", lambda: mem.influential_pairs(Z, Z, nan), ValueError, "threshold must be finite", "got nan"),
    bad("errors", lambda: mem.standard_errors(Z, Z[:1]), ValueError, "correct and included", "(1, 3)"),
    bad("rates", lambda: mem.group_rates(Z, Z[:, :2]), ValueError, "correct and included", "(4, 2)"),
    bad("masks-t", lambda: mem.subset_masks(0, 3, 1, seed=0), ValueError, "t must be at least 1, got 0"),
    bad("masks-m-large", lambda: mem.subset_masks(3, 3, 4, seed=0), ValueError, "m must be in [1, 3], got 4"),
    bad("masks-m-0", lambda: mem.subset_masks(3, 3, 0, seed=0), ValueError, "m must be in [1, 3], got 0"),
    bad("repeats", lambda: mem.permutation_null(Z, Z, repeats=0, seed=0), ValueError, "repeats must be at least 1"),
    bad("null-nan", lambda: mem.null_threshold([nan], 0.1), ValueError, "null must hold at least one score"),
    bad("null-rate", lambda: mem.null_threshold([1.0], 2), ValueError, "error_rate must", "[0, 1], got 2"),
    bad("p-rate", lambda: mem.benjamini_hochberg([0.1], -1), ValueError, "rate must", "[0, 1], got -1"),
    bad("p-matrix", lambda: mem.benjamini_hochberg([[0.1]], 0.1), ValueError, "p must be a vector", "(1, 1)"),
    bad("inside", lambda: mem.exact_error(2, 0, 0.5, 3), ValueError, "inside must", "[0, 1], got 2"),
    bad("rate-1", lambda: mem.exact_error(1, 0, 1, 3), ValueError, "r must be below 1"),
    bad("rate-0", lambda: mem.variance_bound(0, 3), ValueError, "r must", "(0, 1], got 0"),
    bad("bound-t", lambda: mem.quoted_bound(0.5, 0), ValueError, "t must be at least 1, got 0"),
    bad("cluster-size", lambda: mem.cluster_law(0, 3, 1), ValueError, "size must be in [1, 3], got 0"),
    bad("cluster-m", lambda: mem.cluster_law(1, 3, 3), ValueError, "m must be in [1, 2], got 3"),
]

NEIGHBOURS = [
    bad("labels", lambda: mem.nearest_loo(X, y[:2]), ValueError, "y must hold one label a row", "(2,)"),
    bad("one-point", lambda: mem.nearest_loo(X[:1], y[:1]), ValueError, "X must have at least 2 rows, got 1"),
    bad("nan", lambda: mem.nearest_loo(X * nan, y), ValueError, "X must be finite"),
    bad("m-0", lambda: mem.nearest_subset_scores(X, y, 0), ValueError, "m must be in [1, 2], got 0"),
    bad("without", lambda: mem.nearest_subset_scores(X, y, 1, without=9), ValueError, "without must be in [1, 2]", "9"),
    bad("law", lambda: mem.first_neighbour_law(3, 4), ValueError, "m must be in [1, 3], got 4"),
    bad("nobody", lambda: mem.nearest_correct(mem.neighbour_order(X), y, Z[:2]), ValueError, "included must hold"),
    bad("loo-y", lambda: mem.least_squares_loo(X, y[:2]), ValueError, "y must have length 3, got 2"),
    bad("loo-inf", lambda: mem.least_squares_loo(X * math.inf, y), ValueError, "X must be finite"),
    bad("queries", lambda: mem.NearestNeighbour(X, y[:2], X), ValueError, "y must hold one label a row", "(2,)"),
    bad("all-gone", lambda: mem.NearestNeighbour(X, y, X).predict(Z[0]), ValueError, "keep must leave at least one"),
    bad(
        "thresholds",
        lambda: mem.removal_curve(np.ones(3), [nan], lambda keep: 1.0, controls=1, seed=0),
        ValueError,
        "thresholds must be finite",
    ),
    bad(
        "controls",
        lambda: mem.removal_curve(np.ones(3), [0.5], lambda keep: 1.0, controls=0, seed=0),
        ValueError,
        "controls must be at least 1, got 0",
    ),
]

WORLDS = [
    bad("clusters", lambda: mem.LongTailMixture(clusters=0), ValueError, "clusters must be at least 1, got 0"),
    bad("exponent", lambda: mem.LongTailMixture(exponent=-1), ValueError, "exponent must", "at least 0", "got -1"),
    bad("classes", lambda: mem.LongTailMixture(classes=1), ValueError, "classes must be at least 2, got 1"),
    bad("mislabelled", lambda: mem.LongTailMixture(mislabelled=1.5), ValueError, "mislabelled must", "[0, 1]", "1.5"),
    bad("separation", lambda: mem.LongTailMixture(separation=0), ValueError, "separation must", "greater than 0"),
    bad("n", lambda: mem.LongTailMixture().sample(0, 1, seed=0), ValueError, "n must be at least 1, got 0"),
    bad("flip-share", lambda: mem.flip_labels(y, 2, 10, seed=0), ValueError, "share must", "[0, 1], got 2"),
    bad("flip-classes", lambda: mem.flip_labels(y, 0.5, 1, seed=0), ValueError, "classes must be at least 2, got 1"),
    bad("plant", lambda: mem.plant_clusters(split(), 0, 1, seed=0), ValueError, "size must be at least 1, got 0"),
    bad("leak", lambda: mem.leak(split(), 1.5, seed=0), ValueError, "share must", "[0, 1], got 1.5"),
    bad("tail-n", lambda: mem.long_tailed_rows([0, 1], 1, 1.0, seed=0), ValueError, "n must be at least 2, got 1"),
    bad(
        "tail-few", lambda: mem.long_tailed_rows([0, 1], 5, 1.0, seed=0), ValueError, "n and exponent ask for 3 points"
    ),
    bad("zipf", lambda: mem.zipf(0, 1), ValueError, "size must be at least 1, got 0"),
    bad("frequencies", lambda: mem.expected_count([0.5, 0.6], 3, 1), ValueError, "p must be frequencies", "1.1"),
    bad("times", lambda: mem.expected_mass([1.0], 3, -1), ValueError, "times must be at least 0, got -1"),
]

ENSEMBLES = [
    bad("epochs", lambda: mem.Recipe(epochs=-1), ValueError, "epochs must be at least 0, got -1"),
    bad("lr", lambda: mem.Recipe(lr=0), ValueError, "lr must", "greater than 0", "got 0"),
    bad("momentum", lambda: mem.Recipe(momentum=2), ValueError, "momentum must", "[0, 1], got 2"),
    bad(
        "loss", lambda: mem.Recipe(loss="hinge"), ValueError, "loss must be one of cross_entropy, squared; got 'hinge'"
    ),
    bad("precision", lambda: mem.Recipe(precision="float16"), ValueError, "precision must be one of", "'float16'"),
    bad("hidden", lambda: mem.Recipe(hidden=(0,)), ValueError, "hidden must be at least 1, got 0"),
    bad("targets", lambda: train(y=y[:2]), ValueError, "y must have shape (3,)", "got (2,)"),
    bad("real-classes", lambda: train(y=y * 1.0), TypeError, "y must hold class numbers", "float64"),
    bad("too-few-classes", lambda: train(classes=1), ValueError, "classes must be at least 2, got 1"),
    bad("columns", lambda: train(included=keep[:, :2]), ValueError, "included must have 3 columns", "got 2"),
    bad(
        "empty-sets", lambda: train(included=~keep), ValueError, "included must hold the same positive number", "0 to 0"
    ),
    bad("uneven-sets", lambda: train(included=np.tri(2, 3) > 0), ValueError, "included must hold the same", "1 to 2"),
    bad("X-nan", lambda: train(X=X * nan), ValueError, "X must be finite"),
    bad(
        "squared-loss",
        lambda: mem.ensemble_correct(X, y, keep, X, y, recipe=mem.Recipe(loss="squared"), seed=0),
        ValueError,
        "recipe.loss must be cross_entropy",
        "got squared",
    ),
]


@pytest.mark.parametrize("case", SCORES + NEIGHBOURS + WORLDS + ENSEMBLES)
def test_a_bad_call_is_refused_and_named(case):
    assert_refused(case)
