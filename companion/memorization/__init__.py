"""Memorization and influence: scores, their error, null distributions, removal, and worlds to try them on.

Importing this package does not import torch; training an ensemble does.
"""

from companion.memorization.ensembles import Ensemble, Recipe, ensemble_blocks, ensemble_correct, train_ensemble
from companion.memorization.loo import (
    LeastSquaresLoo,
    first_neighbour_law,
    least_squares_loo,
    nearest_correct,
    nearest_loo,
    nearest_subset_scores,
    neighbour_order,
    squared_distances,
)
from companion.memorization.mixtures import (
    LongTailMixture,
    Split,
    flip_labels,
    leak,
    long_tailed_rows,
    plant_clusters,
)
from companion.memorization.null import benjamini_hochberg, exact_pvalues, null_threshold, permutation_null
from companion.memorization.removal import NearestNeighbour, Removal, removal_curve
from companion.memorization.scores import (
    Rates,
    fractional,
    group_rates,
    influence_blocks,
    influence_scores,
    influential_pairs,
    memorization_scores,
    standard_errors,
    subset_masks,
)
from companion.memorization.tail import expected_count, expected_mass, price, zipf
from companion.memorization.variance import (
    cluster_law,
    exact_error,
    never_left_out,
    quoted_bound,
    variance_bound,
)

__all__ = [
    "Ensemble",
    "LeastSquaresLoo",
    "LongTailMixture",
    "NearestNeighbour",
    "Rates",
    "Recipe",
    "Removal",
    "Split",
    "benjamini_hochberg",
    "cluster_law",
    "ensemble_blocks",
    "ensemble_correct",
    "exact_error",
    "exact_pvalues",
    "expected_count",
    "expected_mass",
    "first_neighbour_law",
    "flip_labels",
    "fractional",
    "group_rates",
    "influence_blocks",
    "influence_scores",
    "influential_pairs",
    "leak",
    "least_squares_loo",
    "long_tailed_rows",
    "memorization_scores",
    "nearest_correct",
    "nearest_loo",
    "nearest_subset_scores",
    "neighbour_order",
    "never_left_out",
    "null_threshold",
    "permutation_null",
    "plant_clusters",
    "price",
    "quoted_bound",
    "removal_curve",
    "squared_distances",
    "standard_errors",
    "subset_masks",
    "train_ensemble",
    "variance_bound",
    "zipf",
]
