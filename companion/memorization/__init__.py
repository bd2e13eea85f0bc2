"""Memorization and influence: scores, their error, null distributions, removal, and worlds to try them on.

Importing this package does not import torch; training an ensemble does.
"""

from companion.memorization.ensembles import Ensemble as Ensemble
from companion.memorization.ensembles import Recipe as Recipe
from companion.memorization.ensembles import ensemble_blocks as ensemble_blocks
from companion.memorization.ensembles import ensemble_correct as ensemble_correct
from companion.memorization.ensembles import train_ensemble as train_ensemble
from companion.memorization.loo import first_neighbour_law as first_neighbour_law
from companion.memorization.loo import nearest_correct as nearest_correct
from companion.memorization.loo import nearest_loo as nearest_loo
from companion.memorization.loo import nearest_subset_scores as nearest_subset_scores
from companion.memorization.loo import neighbour_order as neighbour_order
from companion.memorization.loo import squared_distances as squared_distances
from companion.memorization.null import benjamini_hochberg as benjamini_hochberg
from companion.memorization.null import exact_pvalues as exact_pvalues
from companion.memorization.null import null_threshold as null_threshold
from companion.memorization.null import permutation_null as permutation_null
from companion.memorization.removal import NearestNeighbour as NearestNeighbour
from companion.memorization.removal import Removal as Removal
from companion.memorization.removal import removal_curve as removal_curve
from companion.memorization.scores import Rates as Rates
from companion.memorization.scores import fractional as fractional
from companion.memorization.scores import group_rates as group_rates
from companion.memorization.scores import influence_blocks as influence_blocks
from companion.memorization.scores import influence_scores as influence_scores
from companion.memorization.scores import influential_pairs as influential_pairs
from companion.memorization.scores import memorization_scores as memorization_scores
from companion.memorization.scores import standard_errors as standard_errors
from companion.memorization.scores import subset_masks as subset_masks
from companion.memorization.scores import variance_bound as variance_bound
from companion.memorization.tail import LongTailMixture as LongTailMixture
from companion.memorization.tail import Split as Split
from companion.memorization.tail import flip_labels as flip_labels
from companion.memorization.tail import leak as leak
from companion.memorization.tail import long_tailed_rows as long_tailed_rows
from companion.memorization.tail import zipf as zipf
