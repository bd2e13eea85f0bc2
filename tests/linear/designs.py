"""Hypothesis strategies: small designs of every shape and rank, and labels for them."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def designs(draw, max_rows=12, max_columns=14, values=None):
    """A dense (n, d) float array: sparse signs or reals, with copied, opposite and empty rows and columns."""
    n = draw(st.integers(1, max_rows))
    d = draw(st.integers(1, max_columns))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.05, 0.15, 0.3, 0.6, 1.0]))
    kind = values or draw(st.sampled_from(["signs", "signs", "reals", "small whole numbers"]))
    X = rng.choice([-1.0, 1.0], size=(n, d))
    if kind == "reals":
        X *= rng.uniform(0.5, 2.0, size=(n, d))
    elif kind == "small whole numbers":
        X *= rng.integers(1, 4, size=(n, d))
    X *= rng.random((n, d)) < density
    for _ in range(draw(st.integers(0, 3))):
        X[rng.integers(n)] = rng.choice([-1, 0, 1]) * X[rng.integers(n)]
        X[:, rng.integers(d)] = rng.choice([-1, 0, 1]) * X[:, rng.integers(d)]
    return X


@st.composite
def labels(draw, n):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.standard_normal(n)
