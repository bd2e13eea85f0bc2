"""The sparse linear model: sampling, exact solvers, certificates, exact losses."""

from companion.linear.model import LongTailModel as LongTailModel
from companion.linear.model import Sample as Sample
from companion.linear.model import sample_design as sample_design
from companion.linear.risk import composition_risk as composition_risk
from companion.linear.risk import expected_population_risk as expected_population_risk
from companion.linear.risk import population_risk as population_risk
from companion.linear.solve import MinNormReport as MinNormReport
from companion.linear.solve import gradient_descent as gradient_descent
from companion.linear.solve import largest_step as largest_step
from companion.linear.solve import min_norm as min_norm
from companion.linear.solve import min_norm_report as min_norm_report
from companion.linear.solve import ridge as ridge
from companion.linear.structure import components as components
from companion.linear.structure import feature_counts as feature_counts
from companion.linear.structure import inverse_gram_diagonal as inverse_gram_diagonal
from companion.linear.structure import leave_one_out_residuals as leave_one_out_residuals
from companion.linear.structure import level_one as level_one
from companion.linear.structure import leverage as leverage
from companion.linear.structure import peel as peel
from companion.linear.structure import peeling_rounds as peeling_rounds
from companion.linear.structure import rank as rank
from companion.linear.structure import recoverability as recoverability
from companion.linear.structure import resolved as resolved
from companion.linear.structure import tail_counts as tail_counts
