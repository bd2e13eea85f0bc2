"""The sparse linear model: sampling, exact solvers, certificates, exact losses."""

from companion.linear.model import LongTailModel, Sample, sample_design
from companion.linear.risk import (
    ExpectedErrors,
    composition_risk,
    expected_composition_risk,
    expected_errors,
    expected_population_risk,
    fixed_sign_composition_risk,
    population_risk,
)
from companion.linear.solve import (
    MinNormReport,
    gradient_descent,
    largest_step,
    min_norm,
    min_norm_report,
    ridge,
)
from companion.linear.structure import (
    components,
    feature_counts,
    inverse_gram_diagonal,
    leave_one_out_residuals,
    level_one,
    leverage,
    peel,
    peeling_rounds,
    rank,
    recoverability,
    tail_counts,
)

__all__ = [
    "ExpectedErrors",
    "LongTailModel",
    "MinNormReport",
    "Sample",
    "components",
    "composition_risk",
    "expected_composition_risk",
    "expected_errors",
    "expected_population_risk",
    "feature_counts",
    "fixed_sign_composition_risk",
    "gradient_descent",
    "inverse_gram_diagonal",
    "largest_step",
    "leave_one_out_residuals",
    "level_one",
    "leverage",
    "min_norm",
    "min_norm_report",
    "peel",
    "peeling_rounds",
    "population_risk",
    "rank",
    "recoverability",
    "ridge",
    "sample_design",
    "tail_counts",
]
