"""Exact losses of the linear model: no test set is ever drawn.

Signs are independent, so `E[x x^T] = diag(p)` and a squared loss is a weighted sum of squared errors of
the coefficients. All losses are excess losses: the label noise of the test row, sigma^2, is not added.
"""

from typing import Any

import numpy as np

from companion import _validate
from companion.linear.model import LongTailModel
from companion.linear.solve import min_norm
from companion.linear.structure import inverse_gram_diagonal


def population_risk(beta_hat: np.ndarray, model: LongTailModel) -> float:
    """In-distribution excess risk `sum_i p_i (beta_hat_i - beta_i)^2`, exactly.

    `beta_hat` has shape (d,). The covariance of a row is diagonal: :prf:ref:`prop-exact-risk`.

    >>> model = LongTailModel(n=50, d=100, s=5.0, alpha=1.5, beta_exponent=0.0, sigma=0.0)
    >>> population_risk(model.beta, model)
    0.0
    >>> round(float(population_risk(np.zeros(100), model) / model.p.sum()), 6)
    1.0
    """
    error = _errors(beta_hat, model)
    return float(model.p @ error**2)


def composition_risk(
    beta_hat: np.ndarray, model: LongTailModel, features: np.ndarray, t: int, *, signs: np.ndarray | None = None
) -> float:
    """Excess loss on a row of t features, a uniform t-subset of `features`.

    `features` is a set of column numbers or a boolean mask of shape (d,); m is their number. Independent random signs
    remove the cross terms: exactly `(t/m) S2` with S2 the sum of `(beta_hat_i - beta_i)^2` over the features.

    `signs`, one entry +1 or -1 for each feature in the order of `features` (increasing for a mask), fixes the signs in
    advance. Pairs of errors then no longer cancel: exactly `(t/m) S2 + (t (t-1) / (m (m-1))) (S1 - S2)`, where S1 is
    the square of the sum of `signs * (beta_hat - beta)`.

    Raises ValueError if `features` is empty, repeats or leaves the range, or if t is not in [1, m].

    >>> model = LongTailModel(n=50, d=100, s=5.0, alpha=1.5, beta_exponent=0.0, sigma=0.0)
    >>> composition_risk(np.zeros(100), model, features=np.arange(90, 100), t=2)  # a 1 missing at two features
    2.0
    >>> composition_risk(np.zeros(100), model, np.array([98, 99]), t=2, signs=np.array([1.0, -1.0]))  # they cancel
    0.0
    """
    error = _errors(beta_hat, model)
    chosen = _validate.columns("features", features, model.d)
    m = chosen.size
    t = _validate.integer("t", t, low=1, high=m)
    squares = float((error[chosen] ** 2).sum())
    if signs is None:
        return float(t / m * squares)
    sign = _validate.vector("signs", signs, m)
    if not np.isin(sign, (-1.0, 1.0)).all():
        raise ValueError(f"signs must hold only +1 and -1, got {sign[~np.isin(sign, (-1.0, 1.0))][0]}")
    pairs = t * (t - 1) / (m * (m - 1)) if m > 1 else 0.0
    return t / m * squares + pairs * (float((sign * error[chosen]).sum()) ** 2 - squares)


def expected_population_risk(X: Any, model: LongTailModel) -> float:
    """Expected excess risk of the minimum-norm solution over the label noise, exact given the design X (n, d).

    `E_xi R = sum_i p_i (((I - P) beta)_i^2 + sigma^2 [(X^T X)^+]_ii)`: what it gets wrong with noiseless labels, and
    the noise (:prf:ref:`thm-conditional-risk`). Cost: one solve and `inverse_gram_diagonal`.

    >>> model = LongTailModel(n=3, d=3, s=1.0, alpha=1.5, beta_exponent=0.0, sigma=0.5)
    >>> round(expected_population_risk(np.eye(3), model), 6)  # s sigma^2: every feature is seen alone, once
    0.25
    """
    A = _validate.sparse_design("X", X)
    if A.shape[1] != _model(model).d:
        raise ValueError(f"X must have {model.d} columns, one a feature of the model; got shape {A.shape}")
    bias = (min_norm(A, A @ model.beta) - model.beta) ** 2
    return float((bias + model.sigma**2 * inverse_gram_diagonal(A)) @ model.p)


def _errors(beta_hat: Any, model: Any) -> np.ndarray:
    """`beta_hat - beta`, shape (d,), after a check of both."""
    return _validate.vector("beta_hat", beta_hat, _model(model).d) - model.beta


def _model(model: Any) -> LongTailModel:
    if not isinstance(model, LongTailModel):
        swapped = "; the coefficients come first, then the model" if np.ndim(model) == 1 else ""
        raise TypeError(f"model must be a LongTailModel, got a value of type {type(model).__name__}{swapped}")
    return model
