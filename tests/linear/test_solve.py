"""The three learners against dense linear algebra, on designs of any shape, rank and storage."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from companion.linear import LongTailModel, gradient_descent, min_norm, ridge

from .designs import designs, labels


def reference(X, y):
    return np.linalg.pinv(X, rcond=1e-10) @ y


def close(a, b, tolerance=1e-8):
    return np.linalg.norm(a - b) <= tolerance * max(np.linalg.norm(b), 1e-300)


@given(designs(), st.data())
def test_min_norm_is_the_svd_pseudo_inverse(X, data):
    y = data.draw(labels(X.shape[0]))
    assert close(min_norm(sp.csr_array(X), y), reference(X, y))
    assert close(min_norm(X, y), reference(X, y))


@given(designs(), st.data(), st.sampled_from([1e-3, 0.1, 1.0, 30.0]))
def test_ridge_solves_its_normal_equations(X, data, lam):
    y = data.draw(labels(X.shape[0]))
    n, d = X.shape
    exact = np.linalg.solve(X.T @ X / n + lam * np.eye(d), X.T @ y / n)
    assert close(ridge(sp.csr_array(X), y, lam), exact)


def test_gradient_descent_matches_its_closed_form():
    sample = LongTailModel(n=60, d=200, s=4.0, alpha=1.5, beta_exponent=0.1, sigma=0.1).sample(seed=1)
    X = sample.X.toarray()
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    lr, steps = 0.3 * 60 / s[0] ** 2, 37
    shrink = 1 - (1 - 2 * lr * s**2 / 60) ** steps
    exact = vt.T @ (shrink / np.where(s > 1e-10, s, np.inf) * (u.T @ sample.y))
    assert close(gradient_descent(sample.X, sample.y, steps, lr), exact, 1e-10)


def test_gradient_descent_from_zero_converges_to_the_minimum_norm():
    X = np.array([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]])[:1]
    assert close(gradient_descent(X, np.array([3.0]), 200, 0.2), np.array([1.5, 1.5, 0.0]))


def test_negative_lam_is_refused_by_name():
    with pytest.raises(ValueError, match="lam"):
        ridge(np.eye(2), np.ones(2), -1.0)
