"""A bad argument is refused by its own name: every public function of the linear and memorization areas.

Each row below is a good call, with the smallest whole numbers that are allowed. The test changes one argument at a
time into what no argument of its kind may be, and asks for a TypeError or ValueError that begins with its name.
"""

import inspect
import re
from dataclasses import is_dataclass

import numpy as np
import pytest

import companion.memorization as mem
from book.appendix import pinning
from book.dispute import four_flaws, measuring
from book.linear import data, formulas, noise_laws, rows, turning_off
from book.shared import density, regime
from companion import linear
from companion.linear import theory

#: formulas that stand beside their only chapter
ROOMS = [data, density, formulas, four_flaws, measuring, noise_laws, pinning, regime, rows, turning_off]


def public(area):
    """The functions and classes of an area by name: what it or its modules define."""
    made = {name: thing for name, thing in vars(area).items() if inspect.isfunction(thing) or inspect.isclass(thing)}
    own = {name: thing for name, thing in made.items() if thing.__module__.startswith(area.__name__)}
    return {name: thing for name, thing in own.items() if not name.startswith("_")}


PUBLIC = {name: thing for area in [linear, theory, mem] for name, thing in public(area).items()}

X, y, p = np.eye(3), np.ones(3), np.array([0.5, 0.3, 0.1])
b, chosen, flags = np.array([1.0, 0.5, 0.2]), np.array([0, 1]), np.array([True, False, True])
pk, pn, pnb = {"p": p, "k": 0}, {"p": p, "n": 0}, {"p": p, "beta": b, "n": 0}
heavy = {"p": p, "n": 0.0, "weights": y}
model = linear.LongTailModel(n=1, d=3, s=1.0, alpha=1.0, beta_exponent=0.0, sigma=0.0)

#: the good calls
CALLS = {
    "LongTailModel": {"n": 1, "d": 1, "s": 1.0, "alpha": 1.0, "beta_exponent": 0.0, "sigma": 0.0, "k": 0},
    "sample_design": {"n": 1, "p": p, "seed": 0},
    "population_risk": {"beta_hat": b, "model": model},
    "composition_risk": {"beta_hat": b, "model": model, "features": chosen, "t": 1, "signs": y[:2]},
    "expected_population_risk": {"X": X, "model": model},
    "min_norm": {"X": X, "y": y},
    "min_norm_report": {"X": X, "y": y, "check": True},
    "ridge": {"X": X, "y": y, "lam": 0.0},
    "gradient_descent": {"X": X, "y": y, "steps": 0, "lr": 0.1},
    "largest_step": {"X": X},
    "feature_counts": {"X": X},
    "tail_counts": {"X": X, "k": 0},
    "level_one": {"X": X, "k": 0},
    "peel": {"X": X, "k": 0},
    "peeling_rounds": {"X": X, "k": 0},
    "recoverability": {"X": X},
    "resolved": {"X": X},
    "leverage": {"X": X},
    "components": {"X": X, "features": flags},
    "rank": {"X": X},
    "inverse_gram_diagonal": {"X": X},
    "leave_one_out_residuals": {"X": X, "y": y},
    "tail_mass": pk,
    "no_tail_probability": pk,
    "no_tail_bounds": pk,
    "several_tail_probability": pk,
    "several_tail_bound": pk,
    "few_plain_rows_bound": {"n": 0, "none": 0.0, "delta": 0.0},
    "expected_seen": {**pk, "n": 0},
    "unseen_mass": pn,
    "power_law_sum": {"alpha": 2.0, "c": 1.0, "m": 1.0, "d": 10.0},
    "power_law_sum_error": {"alpha": 2.0, "c": 1.0, "m": 1.0},
    "mass_map": {**heavy, "Q": 0.0},
    "map_slope_bound": {"p": p, "weights": y},
    "largest_fixed_point": heavy,
    "smallest_fixed_point": heavy,
    "fixed_points": {**heavy, "grid": 2},
    "potential": {**heavy, "Q": 0.0},
    "potential_maximizer": {**heavy, "n": 3.0},
    "predicted_rank": {"p": p, "n": 3.0},
    "cavity": {**heavy, "n": 1.0, "start": "everything resolved", "tolerance": 1e-6},
    "blocks": {"alpha": 1.0, "s": 1.0, "d": 1.0, "exact": 1, "per_decade": 1},
    "power_sum": {"alpha": 2.0, "a": 1000.0, "b": 2000.0},
    "row_map": {**heavy, "n": 1.0, "z": y},
    "lambert_rate": {"M": 0.0, "gamma": 0.0},
    "expected_train_error": {"n": 1, "rank": 0, "sigma": 0.0},
    "noise_risk": {"X": X, "p": p, "sigma": 0.0},
    "once_seen_rows": {"X": X},
    "rest_leverage": {"X": X, "feature": 0},
    "common_leverage": {"X": X, "p": p, "k": 1},
    "inverse_count": pn,
    "diagonal_noise": pn,
    "noise_constant": {"alpha": 2.0},
    "diagonal_noise_law": {"n": 1, "c": 1.0, "alpha": 2.0},
    "noise_to_floor": {"alpha": 2.0, "sigma": 0.0},
    "chain_variance": {"length": 1, "sigma": 0.0},
    "composition_noise": {"X": X, "features": chosen, "sigma": 0.0, "signs": y[:2]},
    "composition_bounds": {"t": 1, "leverage": 0.0, "sigma": 0.0},
    "value_probability": {"p": p},
    "rank_failure_given_rows": {"p": p, "k": 1, "rows": 0},
    "rank_failure_bound": {"p": p, "k": 1, "n": 0, "excluded": 0.0},
    "empty_column_probability": {**pk, "rows": 0},
    "empty_column_average": {**pk, "n": 0},
    "pinning_frequency": {"k": 1, "rows": 0, "delta": 0.5},
    "concentration_failure": {**pk, "n": 0, "epsilon": 0.0},
    "matrix_chernoff_bound": {"p": p, "k": 1, "n": 0, "delta": 0.0},
    "alone_probability": pk,
    "expected_level_one": {**pk, "n": 0},
    "expected_level_one_share": {**pk, "n": 1},
    "unresolved_once_seen_lower": {"p": p, "n": 1},
    "unresolved_once_seen_upper": {**pk, "n": 1, "pinned": False},
    "seen_often_unresolved_bound": {**pk, "n": 2},
    "unresolved_share_power_law": {"alpha": 2.0, "c": 1.0, "n": 1.0},
    "unresolved_mass_power_law": {"alpha": 2.0, "c": 1.0, "n": 1.0},
    "paper_rate": {"p": p, "k": 1},
    "paper_rate_first_vacuous": {"alpha": 2.0, "s": 5.0, "common_count": 10.0},
    "unseen_floor": pnb,
    "unseen_floor_range": {**pnb, "k": 0, "delta": 0.1},
    "once_seen_mass": {"p": p, "weights": b, "n": 1},
    "risk_sandwich": {"X": X, "p": p, "beta": b, "resolved": flags},
    "expected_risk_bounds": {**pnb, "k": 0},
    "tightest_k": {**pnb, "n": 1},
    "frequency_scale": {"s": 1.0, "alpha": 1.0, "d": 1},
    "clipped_mass": {"s": 1.0, "alpha": 1.0, "d": 1},
    "floor_exponent": {"alpha": 2.0, "b": 0.0},
    "floor_law": {"n": 1, "c": 1.0, "alpha": 2.0, "b": 0.0, "d": 1},
    "floor_law_error": {"n": 1, "c": 1.0, "alpha": 2.0, "b": 0.0},
    "ridge_shrinkage": {"count": b, "n_lam": 0.0},
    "gradient_shrinkage": {"count": b, "n": 1, "lr": 0.1, "steps": 0},
    "matching_penalty": {"n": 1, "lr": 0.5, "steps": 1},
    "ridge_once_seen": {"X": X, "y": y, "feature": 0, "n_lam": 1.0},
    "ridge_leverage": {"X": X, "n_lam": 1.0},
    "forgetting": {"p": p, "beta": b, "n": 1, "n_lam": 0.0, "t": 1},
}

Z, two, classes = np.array([[True, False, True], [False, True, True]]), np.array([0, 1]), np.array([0, 1, 1])
split = mem.LongTailMixture(clusters=3, dimension=2).sample(4, 4, seed=0)
fit = {
    "recipe": mem.Recipe(hidden=(), epochs=0),
    "X": X,
    "y": classes,
    "included": Z,
    "seed": 0,
    "classes": 2,
    "device": "cpu",
    "first": 0,
}
drawn = {
    "clusters": 1,
    "exponent": 0.0,
    "dimension": 1,
    "spread": 0.0,
    "separation": 1.0,
    "classes": 2,
    "mislabelled": 0.0,
}
trained = {"epochs": 0, "batch": 1, "lr": 0.1, "momentum": 0.0, "weight_decay": 0.0}
CALLS |= {
    "LongTailMixture": drawn,
    "Recipe": {"hidden": (1,), **trained, "loss": "squared", "precision": "float64"},
    "NearestNeighbour": {"X": X, "y": classes, "X_query": X},
    "train_ensemble": fit,
    "ensemble_blocks": {**fit, "block": 1},
    "ensemble_correct": {**fit, "block": 1, "X_test": X[:2], "y_test": two},
    "neighbour_order": {"X": X},
    "squared_distances": {"A": X, "B": X},
    "nearest_loo": {"X": X, "y": classes},
    "nearest_subset_scores": {"X": X, "y": classes, "m": 1, "without": 1},
    "first_neighbour_law": {"n": 1, "m": 1},
    "nearest_correct": {"order": mem.neighbour_order(X), "y": classes, "included": Z},
    "flip_labels": {"y": two, "share": 0.0, "classes": 2, "seed": 0},
    "plant_clusters": {"split": split, "size": 1, "count": 1, "spread": 0.0, "seed": 0},
    "leak": {"split": split, "share": 0.0, "spread": 0.0, "seed": 0},
    "long_tailed_rows": {"labels": two, "n": 2, "exponent": 0.0, "seed": 0},
    "permutation_null": {"correct": Z, "included": Z, "repeats": 1, "seed": 0},
    "null_threshold": {"null": b, "error_rate": 0.0},
    "exact_pvalues": {"correct": Z, "included": Z},
    "benjamini_hochberg": {"p": p, "rate": 0.0},
    "removal_curve": {"scores": b, "thresholds": b, "accuracy": np.mean, "controls": 1, "seed": 0},
    "subset_masks": {"t": 1, "n": 1, "m": 1, "seed": 0},
    "group_rates": {"correct": Z, "included": Z},
    "memorization_scores": {"correct": Z, "included": Z, "block": 1},
    "standard_errors": {"correct": Z, "included": Z},
    "influence_scores": {"test_correct": Z, "included": Z},
    "influence_blocks": {"test_correct": Z, "included": Z, "block": 1},
    "influential_pairs": {"test_correct": Z, "included": Z, "threshold": 0.0, "block": 1},
    "fractional": {"inside": p, "outside": p},
    "zipf": {"size": 1, "exponent": 0.0},
    "expected_count": {"p": p / p.sum(), "n": 1, "times": 0},
    "expected_mass": {"p": p / p.sum(), "n": 1, "times": 0},
    "price": {"p": p / p.sum(), "n": 1, "times": 0},
    "exact_error": {"inside": 0.0, "outside": 0.0, "r": 0.5, "t": 1},
    "variance_bound": {"r": 0.5, "t": 1},
    "quoted_bound": {"r": 0.5, "t": 1},
    "never_left_out": {"r": 0.5, "t": 1},
    "cluster_law": {"size": 1, "n": 2, "m": 1},
}

#: any finite number is a good one, so -1 is no bad call
SIGNED = {"Q", "b", "threshold", "beta_hat"}
#: a NaN there is "unknown", not an error
UNKNOWN = {("null_threshold", "null"), ("benjamini_hochberg", "p"), ("removal_curve", "scores")}
UNKNOWN |= {("fractional", "inside"), ("fractional", "outside")}
#: numbers, or arrays of any shape
ANY_SHAPE = {("null_threshold", "null"), ("ridge_shrinkage", "count"), ("gradient_shrinkage", "count")}
#: objects of the package's own classes, which check themselves: anything else lacks their attributes
OBJECTS = {"model"}
#: what one call allows and all others do not
ALLOWED = {("power_law_sum", "d"): [np.inf]}


def wrong(function, name, good):
    """Values that this argument may not have."""
    text = "no such thing"
    if name in OBJECTS:
        return []
    if isinstance(good, bool):
        return [text, 2, None]
    if isinstance(good, int):
        return [text, 1.5, good - 1]
    if isinstance(good, float):
        below = [] if name in SIGNED else [-1.0]
        return [text, np.nan, np.inf, *below]
    if isinstance(good, (np.ndarray, tuple)):
        array = np.asarray(good)
        shape = [] if (function, name) in ANY_SHAPE else [np.ones((2, 2, 2), array.dtype)]
        return [text, *shape, *([] if (function, name) in UNKNOWN else [array * np.nan])]
    return [text, None]


for room in ROOMS:
    formulas = {name: thing for name, thing in public(room).items() if name in CALLS and name not in PUBLIC}
    PUBLIC |= {name: thing for name, thing in formulas.items() if thing.__module__ == room.__name__}


def called(name, given):
    found = PUBLIC[name](**given)
    return list(found) if inspect.isgenerator(found) else found


def test_every_public_function_has_a_row_and_every_argument_a_value():
    """Dataclasses that only carry results have no row: nobody calls them."""
    functions = {name for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
    checked = {name for name, thing in PUBLIC.items() if is_dataclass(thing) and hasattr(thing, "__post_init__")}
    assert set(CALLS) == functions | checked | {"NearestNeighbour"}
    for name, given in CALLS.items():
        assert set(inspect.signature(PUBLIC[name]).parameters) == set(given), name


@pytest.mark.parametrize("name", CALLS)
def test_a_bad_argument_is_refused_by_its_name(name):
    called(name, CALLS[name])
    for argument, good in CALLS[name].items():
        for bad in wrong(name, argument, good):
            if any(bad is allowed for allowed in ALLOWED.get((name, argument), [])):
                continue
            with pytest.raises((TypeError, ValueError)) as told:
                called(name, {**CALLS[name], argument: bad})
            assert re.match(rf"(\w+ and )?{argument}\b", str(told.value)), (argument, bad, str(told.value))
