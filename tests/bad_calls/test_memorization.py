"""Bad calls of the memorization area: scores, nulls, neighbours, mixtures, ensembles, removal."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

import companion.memorization as mem
from book.dispute import four_flaws, measuring

from .cases import assert_refused, bad

X, y = np.eye(3), np.array([0, 1, 1])
Z, keep = np.zeros((4, 3), dtype=bool), np.ones((2, 3), dtype=bool)
nan = math.nan


def train(X=X, y=y, included=keep, recipe=None, seed=0, **options):
    return mem.train_ensemble(X, y, included, recipe=recipe or mem.Recipe(epochs=0), seed=seed, **options)


def split():
    return mem.LongTailMixture().sample(5, 5, seed=0)


def judged(X_test=X, y_test=y, **options):
    return mem.ensemble_correct(X, y, keep, X_test, y_test, **{"recipe": mem.Recipe(epochs=0), "seed": 0, **options})


def curve(scores=(0.1, 0.2, 0.9), thresholds=(0.5,), accuracy=lambda keep: 1.0, controls=1, seed=0):
    return mem.removal_curve(scores, thresholds, accuracy, controls=controls, seed=seed)


def right(order=None, y=y, included=keep):
    return mem.nearest_correct(mem.neighbour_order(X) if order is None else order, y, included)


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
    bad("inside", lambda: measuring.exact_error(2, 0, 0.5, 3), ValueError, "inside must", "[0, 1], got 2"),
    bad("rate-1", lambda: measuring.exact_error(1, 0, 1, 3), ValueError, "r must be below 1"),
    bad("rate-0", lambda: mem.variance_bound(0, 3), ValueError, "r must", "(0, 1], got 0"),
    bad("bound-t", lambda: measuring.quoted_bound(0.5, 0), ValueError, "t must be at least 1, got 0"),
    bad("cluster-size", lambda: four_flaws.cluster_law(0, 3, 1), ValueError, "size must be in [1, 3], got 0"),
    bad("cluster-m", lambda: four_flaws.cluster_law(1, 3, 3), ValueError, "m must be in [1, 2], got 3"),
    bad("cluster-n", lambda: four_flaws.cluster_law(1, 1, 1), ValueError, "n must be at least 2, got 1"),
    bad("r-nan", lambda: four_flaws.never_left_out(nan, 3), ValueError, "r must be finite", "got nan"),
    bad("masks-seed", lambda: mem.subset_masks(3, 3, 1, seed=-1), ValueError, "seed must be at least 0, got -1"),
    bad("masks-seed-None", lambda: mem.subset_masks(3, 3, 1, seed=None), TypeError, "seed must be", "got None"),
    bad("masks-seed-part", lambda: mem.subset_masks(3, 3, 1, seed=(0, 1.5)), TypeError, "seed must be", "got 1.5"),
    bad("masks-seed-empty", lambda: mem.subset_masks(3, 3, 1, seed=()), TypeError, "seed must be", "got ()"),
    bad("ragged", lambda: mem.group_rates([[True], []], Z), ValueError, "correct must be a rectangular array"),
    bad("words", lambda: mem.group_rates("yes", Z), TypeError, "correct must hold booleans", "<U3"),
    bad("pairs-block", lambda: mem.influential_pairs(Z, Z, 0.1, block=-1), ValueError, "block must be", "got -1"),
    bad(
        "fractional-shapes",
        lambda: mem.fractional([1.0, 0.5], [0.5]),
        ValueError,
        "inside and outside",
        "(2,) and (1,)",
    ),
    bad("fractional-words", lambda: mem.fractional(["a"], [0.5]), TypeError, "inside must hold real numbers", "<U1"),
    bad(
        "fractional-2", lambda: mem.fractional([1.0], [2.0]), ValueError, "outside must hold numbers in [0, 1]", "got 2"
    ),
    bad(
        "fractional-ragged",
        lambda: mem.fractional([[1], [1, 0]], [0]),
        ValueError,
        "inside must be a rectangular array",
    ),
    bad("null-seed", lambda: mem.permutation_null(Z, Z, repeats=1, seed="a"), TypeError, "seed must be", "got 'a'"),
    bad("null-words", lambda: mem.null_threshold(["a"], 0.1), TypeError, "null must hold real numbers", "<U1"),
    bad("null-empty", lambda: mem.null_threshold([], 0.1), ValueError, "null must hold at least one score"),
    bad(
        "null-inf", lambda: mem.null_threshold([math.inf], 0.1), ValueError, "null must hold finite numbers", "got inf"
    ),
    bad("p-words", lambda: mem.benjamini_hochberg(["a"], 0.1), TypeError, "p must hold real numbers", "<U1"),
    bad("p-2", lambda: mem.benjamini_hochberg([0.1, 2.0], 0.1), ValueError, "p must hold numbers in [0, 1]", "got 2"),
]

NEIGHBOURS = [
    bad("labels", lambda: mem.nearest_loo(X, y[:2]), ValueError, "y must hold one label a row", "(2,)"),
    bad("one-point", lambda: mem.nearest_loo(X[:1], y[:1]), ValueError, "X must have at least 2 rows, got 1"),
    bad("nan", lambda: mem.nearest_loo(X * nan, y), ValueError, "X must be finite"),
    bad("m-0", lambda: mem.nearest_subset_scores(X, y, 0), ValueError, "m must be in [1, 2], got 0"),
    bad("without", lambda: mem.nearest_subset_scores(X, y, 1, without=9), ValueError, "without must be in [1, 2]", "9"),
    bad("law", lambda: mem.first_neighbour_law(3, 4), ValueError, "m must be in [1, 3], got 4"),
    bad("nobody", lambda: mem.nearest_correct(mem.neighbour_order(X), y, Z[:2]), ValueError, "included must hold"),
    bad("queries", lambda: mem.NearestNeighbour(X, y[:2], X), ValueError, "y must hold one label a row", "(2,)"),
    bad("all-gone", lambda: mem.NearestNeighbour(X, y, X).predict(Z[0]), ValueError, "keep must leave at least one"),
    bad("label-nan", lambda: mem.nearest_loo(X, y * nan), ValueError, "y must hold labels, got 3 NaN"),
    bad("no-points", lambda: mem.neighbour_order(X[:0]), ValueError, "X must have at least 2 rows, got 0"),
    bad("order-vector", lambda: mem.neighbour_order(X[0]), ValueError, "X must be a matrix", "(3,)"),
    bad("order-nan", lambda: mem.neighbour_order(X * nan), ValueError, "X must be finite"),
    bad("distances", lambda: mem.squared_distances(X, X[:, :2]), ValueError, "B must have 3 columns, got 2"),
    bad(
        "distances-empty", lambda: mem.squared_distances(X[:0], X), ValueError, "A must have at least one row", "(0, 3)"
    ),
    bad("distances-words", lambda: mem.squared_distances([["a"]], X), TypeError, "A must hold real numbers", "<U1"),
    bad("m-float", lambda: mem.nearest_subset_scores(X, y, 1.5), TypeError, "m must be a whole number, got 1.5"),
    bad("law-0", lambda: mem.first_neighbour_law(0, 1), ValueError, "n must be at least 1, got 0"),
    bad(
        "order",
        lambda: right(order=np.zeros((3, 3), int)),
        ValueError,
        "order must be neighbour_order(X) of 3",
        "(3, 3)",
    ),
    bad(
        "order-real", lambda: right(order=np.zeros((3, 2))), ValueError, "order must be", "got float64 of shape (3, 2)"
    ),
    bad(
        "order-rows",
        lambda: right(order=np.full((3, 2), 7)),
        ValueError,
        "order must hold row numbers in [0, 2]",
        "7 to 7",
    ),
    bad("right-labels", lambda: right(y=y[:2]), ValueError, "y must hold one label a row", "(2,)"),
    bad("right-dtype", lambda: right(included=keep * 1.0), TypeError, "included must hold booleans", "float64"),
    bad("query-shape", lambda: mem.NearestNeighbour(X, y, X[:, :1]), ValueError, "X_query must have 3 columns, got 1"),
    bad("sparse", lambda: mem.NearestNeighbour(sp.eye_array(3), y, X), TypeError, "X must be a dense array", "sparse"),
    bad("query-none", lambda: mem.NearestNeighbour(X, y, X[:0]), ValueError, "X_query must have at least one row"),
    bad("query-nan", lambda: mem.NearestNeighbour(X, y, X * nan), ValueError, "X_query must be finite"),
    bad(
        "keep-size",
        lambda: mem.NearestNeighbour(X, y, X).predict(keep[0, :2]),
        ValueError,
        "keep must be a bool",
        "(2,)",
    ),
    bad(
        "keep-rows",
        lambda: mem.NearestNeighbour(X, y, X).predict([0, 1, 2]),
        ValueError,
        "keep must be a bool",
        "int64",
    ),
    bad("accuracy", lambda: mem.NearestNeighbour(X, y, X).accuracy(y[:2]), ValueError, "y_query must hold", "(2,)"),
    bad("thresholds", lambda: curve(thresholds=[nan]), ValueError, "thresholds must be finite"),
    bad("controls", lambda: curve(controls=0), ValueError, "controls must be at least 1, got 0"),
    bad("curve-scores", lambda: curve(scores=[]), ValueError, "scores must be a vector of at least one score", "(0,)"),
    bad("curve-matrix", lambda: curve(scores=X), ValueError, "scores must be a vector", "(3, 3)"),
    bad("curve-words", lambda: curve(scores=["a"]), TypeError, "scores must hold real numbers", "<U1"),
    bad(
        "curve-function", lambda: curve(accuracy=0.5), TypeError, "accuracy must be a function", "got 0.5 of type float"
    ),
    bad("curve-seed", lambda: curve(seed=-1), ValueError, "seed must be at least 0, got -1"),
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
    bad(
        "plant", lambda: four_flaws.plant_clusters(split(), 0, 1, seed=0), ValueError, "size must be at least 1, got 0"
    ),
    bad("leak", lambda: mem.leak(split(), 1.5, seed=0), ValueError, "share must", "[0, 1], got 1.5"),
    bad("tail-n", lambda: mem.long_tailed_rows([0, 1], 1, 1.0, seed=0), ValueError, "n must be at least 2, got 1"),
    bad(
        "tail-few", lambda: mem.long_tailed_rows([0, 1], 5, 1.0, seed=0), ValueError, "n and exponent ask for 3 points"
    ),
    bad("zipf", lambda: mem.zipf(0, 1), ValueError, "size must be at least 1, got 0"),
    bad("frequencies", lambda: measuring.expected_count([0.5, 0.6], 3, 1), ValueError, "p must be frequencies", "1.1"),
    bad("times", lambda: measuring.expected_mass([1.0], 3, -1), ValueError, "times must be at least 0, got -1"),
    bad("no-frequencies", lambda: measuring.price([], 3, 1), ValueError, "p must be frequencies", "the sum is 0"),
    bad("frequency-nan", lambda: measuring.price([nan], 3, 1), ValueError, "p must be finite"),
    bad("zipf-nan", lambda: mem.zipf(3, nan), ValueError, "exponent must be finite", "got nan"),
    bad("n-spare", lambda: mem.LongTailMixture().sample(5, 1, seed=0, n_spare=-1), ValueError, "n_spare must", "-1"),
    bad("sample-seed", lambda: mem.LongTailMixture().sample(5, 1, seed=0.5), TypeError, "seed must be", "got 0.5"),
    bad("spread", lambda: mem.LongTailMixture(spread=nan), ValueError, "spread must be finite", "got nan"),
    bad(
        "flip-empty",
        lambda: mem.flip_labels([], 0.5, 3, seed=0),
        ValueError,
        "y must be a vector of at least one",
        "(0,)",
    ),
    bad("flip-matrix", lambda: mem.flip_labels(X, 0.5, 3, seed=0), ValueError, "y must be a vector", "(3, 3)"),
    bad("flip-real", lambda: mem.flip_labels([0.5], 0.5, 3, seed=0), TypeError, "y must hold class numbers", "float64"),
    bad(
        "flip-high",
        lambda: mem.flip_labels([5], 0.5, 3, seed=0),
        ValueError,
        "y must hold class numbers in [0, 2]; got 5",
    ),
    bad("flip-seed", lambda: mem.flip_labels(y, 0.5, 3, seed=None), TypeError, "seed must be", "got None"),
    bad(
        "plant-split",
        lambda: four_flaws.plant_clusters(X, 1, 1, seed=0),
        TypeError,
        "split must be a Split",
        "got ndarray",
    ),
    bad(
        "plant-spread",
        lambda: four_flaws.plant_clusters(split(), 1, 1, spread=-1, seed=0),
        ValueError,
        "spread must",
        "-1",
    ),
    bad(
        "plant-count", lambda: four_flaws.plant_clusters(split(), 1, 2.5, seed=0), TypeError, "count must be", "got 2.5"
    ),
    bad("leak-split", lambda: mem.leak(None, 0.5, seed=0), TypeError, "split must be a Split", "got NoneType"),
    bad("leak-spread", lambda: mem.leak(split(), 0.5, spread=nan, seed=0), ValueError, "spread must be finite", "nan"),
    bad("leak-seed", lambda: mem.leak(split(), 0.5, seed=-3), ValueError, "seed must be at least 0, got -3"),
    bad("tail-empty", lambda: mem.long_tailed_rows([], 5, 1.0, seed=0), ValueError, "labels must be a vector", "(0,)"),
    bad(
        "tail-negative", lambda: mem.long_tailed_rows([0, -1], 5, 1.0, seed=0), ValueError, "labels must hold", "got -1"
    ),
    bad("tail-real", lambda: mem.long_tailed_rows([0.0], 5, 1.0, seed=0), TypeError, "labels must hold", "float64"),
    bad(
        "tail-exponent", lambda: mem.long_tailed_rows([0, 1], 2, nan, seed=0), ValueError, "exponent must be", "got nan"
    ),
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
    bad("X-sparse", lambda: train(X=sp.eye_array(3)), TypeError, "X must be a dense array", "sparse"),
    bad("X-no-columns", lambda: train(X=X[:, :0]), ValueError, "X must have at least one row and one column", "(3, 0)"),
    bad("negative-class", lambda: train(y=y - 1), ValueError, "y must hold class numbers 0, 1, ...; got -1"),
    bad("target-nan", lambda: train(y=y * nan, recipe=mem.Recipe(loss="squared")), ValueError, "y must be finite"),
    bad("train-seed", lambda: train(seed=-1), ValueError, "seed must be at least 0, got -1"),
    bad("first", lambda: train(first=-1), ValueError, "first must be at least 0, got -1"),
    bad("device", lambda: train(device="tpu"), ValueError, "device must be one of auto, cpu, cuda; got 'tpu'"),
    bad("recipe", lambda: train(recipe={"epochs": 1}), TypeError, "recipe must be a Recipe", "of type dict"),
    bad(
        "hidden-number",
        lambda: mem.Recipe(hidden=32),
        TypeError,
        "hidden must be a tuple of widths, got 32 of type int",
    ),
    bad("weight-decay", lambda: mem.Recipe(weight_decay=nan), ValueError, "weight_decay must be finite", "got nan"),
    bad("batch", lambda: mem.Recipe(batch=0), ValueError, "batch must be at least 1, got 0"),
    bad("outputs-columns", lambda: train().outputs(X[:, :2]), ValueError, "X must have 3 columns, got 2"),
    bad("outputs-nan", lambda: train().predict(X * nan), ValueError, "X must be finite"),
    bad("cells", lambda: train().outputs(X, cells=0), ValueError, "cells must be at least 1, got 0"),
    bad("test-columns", lambda: judged(X_test=X[:, :2]), ValueError, "X_test must have 3 columns, got 2"),
    bad("test-labels", lambda: judged(y_test=y[:2]), ValueError, "y_test must hold one label a row", "(2,)"),
    bad("test-empty", lambda: judged(X_test=X[:0]), ValueError, "X_test must have at least one row", "(0, 3)"),
    bad("blocks-first", lambda: judged(first="a"), TypeError, "first must be a whole number, got 'a'"),
    bad("blocks", lambda: judged(block=0), ValueError, "block must be at least 1, got 0"),
    bad(
        "squared-loss",
        lambda: judged(recipe=mem.Recipe(loss="squared")),
        ValueError,
        "recipe.loss must be",
        "got squared",
    ),
]


@pytest.mark.parametrize("case", SCORES + NEIGHBOURS + WORLDS + ENSEMBLES)
def test_a_bad_call_is_refused_and_named(case):
    assert_refused(case)
