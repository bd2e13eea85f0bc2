"""The sampler's law, the parameters of the model, and that nothing is ever dense."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chisquare, kstest

from companion.linear import LongTailModel, sample_design


def model(**changes):
    settings = {"n": 1000, "d": 10_000, "s": 5.0, "alpha": 2.0, "beta_exponent": 0.1, "sigma": 0.05}
    return LongTailModel(**(settings | changes))


def test_power_law():
    m = model()
    assert m.p[1] / m.p[3] == pytest.approx(4.0)
    assert m.p.max() <= 1
    assert m.c * 10_000.0**-2 == pytest.approx(m.p[-1])
    assert m.beta[0] == 1
    assert m.beta[99] == pytest.approx(100**-0.1)
    assert model(alpha=1.0).row_mass == pytest.approx(5.0)
    # cut at 1: what a row holds is less than s
    assert [model(alpha=a).row_mass for a in (1.5, 2.0, 3.0)] == pytest.approx([4.1, 3.0, 1.8], abs=0.05)


def test_common_features_of_figure_1():
    assert [model(alpha=a).k for a in (1, 1.1, 1.25, 1.5, 2, 3)] == [51, 51, 45, 33, 17, 7]
    assert model(k=3).k == 3
    m = model(alpha=1.5)
    assert m.n * m.p[m.k - 1] >= 10 > m.n * m.p[m.k]


def test_the_design_does_not_depend_on_the_noise():
    a, b = model(sigma=0.0).sample(seed=7), model(sigma=1.0).sample(seed=7)
    assert (a.X != b.X).nnz == 0
    assert (a.noise == 0).all()
    assert np.allclose(b.y - b.noise, a.y)
    assert np.std(b.noise) == pytest.approx(1.0, rel=0.1)
    assert (model().sample(seed=7).y == model().sample(seed=7).y).all()
    assert (model().sample(seed=8).X != a.X).nnz > 0


def test_labels_are_the_products_with_the_true_coefficients():
    sample = model(sigma=0.3).sample(seed=0)
    assert np.allclose(sample.X @ model().beta + sample.noise, sample.y)


def test_parameters_are_read_only_and_the_model_frozen():
    m = model()
    with pytest.raises(ValueError, match="read-only"):
        m.p[0] = 0
    with pytest.raises(AttributeError):
        m.n = 3


@given(
    st.integers(1, 30),
    st.lists(st.sampled_from([0.0, 1e-9, 0.01, 0.2, 0.25, 0.5, 0.9, 1.0]), min_size=1, max_size=30),
    st.data(),
)
def test_any_probabilities_give_a_canonical_sign_design(n, p, data):
    X = sample_design(n, np.array(p), seed=data.draw(st.integers(0, 2**32)))
    assert X.shape == (n, len(p))
    assert X.has_canonical_format
    assert np.isin(X.data, (-1.0, 1.0)).all()
    counts = np.bincount(X.indices, minlength=len(p))
    assert (counts[np.array(p) == 0] == 0).all()
    assert (counts[np.array(p) == 1] == n).all()


def test_law_of_the_counts():
    """Column counts are Binomial(n, p_i), in each of the sampler's two regimes and across its groups."""
    n, draws = 7, 1500
    p = np.array([0.02, 0.9, 0.11, 0.26, 0.3, 0.05, 0.24, 0.5])
    counts = np.array([np.bincount(sample_design(n, p, seed=s).indices, minlength=8) for s in range(draws)])
    for i, q in enumerate(p):
        expected = binom.pmf(np.arange(n + 1), n, q) * draws
        observed = np.bincount(counts[:, i], minlength=n + 1)
        big = expected > 5
        merged = np.append(observed[big], observed[~big].sum()), np.append(expected[big], expected[~big].sum())
        keep = merged[1] > 1e-9
        assert chisquare(merged[0][keep], merged[1][keep] * draws / merged[1][keep].sum()).pvalue > 1e-4


def test_law_of_whole_designs():
    """Every cell independent: the 3^4 outcomes of a 2 x 2 design have their product probabilities."""
    p, draws = np.array([0.25, 0.2]), 3000
    code = np.zeros(draws, dtype=int)
    for s in range(draws):
        cells = sample_design(2, p, seed=s).toarray().astype(int).ravel() + 1
        code[s] = cells @ [27, 9, 3, 1]
    column = [np.array([q / 2, 1 - q, q / 2]) for q in p]
    expected = np.einsum("a,b,c,d->abcd", column[0], column[1], column[0], column[1]).ravel() * draws
    observed = np.bincount(code, minlength=81)
    big = expected > 5
    observed = np.append(observed[big], observed[~big].sum())
    expected = np.append(expected[big], expected[~big].sum())
    assert chisquare(observed, expected).pvalue > 1e-4


def test_law_of_the_rows_within_a_column():
    """Rows of a rare column are uniform, and no row is drawn twice."""
    X = sample_design(100_000, np.array([0.05, 0.04]), seed=3).tocsc()
    for i in range(2):
        rows = X.indices[X.indptr[i] : X.indptr[i + 1]]
        assert np.unique(rows).size == rows.size
        assert kstest(rows / 100_000, "uniform").pvalue > 1e-4
    signs = X.data
    assert abs(signs.mean()) < 5 / np.sqrt(signs.size)


def test_order_of_the_features_does_not_matter_to_the_law():
    p = np.array([0.01, 0.7, 0.2, 0.05])
    rates = np.bincount(sample_design(50_000, p, seed=0).indices, minlength=4) / 50_000
    assert rates == pytest.approx(p, rel=0.1)


def test_a_large_sample_is_never_dense():
    """n d = 2e11 cells: the memory stays at a few arrays of the size of d and of the non-zeros."""
    m = LongTailModel(n=200_000, d=1_000_000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.05)
    tracemalloc.start()
    X = m.sample(seed=0).X
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * (12 * X.nnz + 12 * m.d)
    assert X.nnz == pytest.approx(m.n * m.row_mass, rel=0.01)


def test_seed_is_required():
    with pytest.raises(TypeError, match="seed"):
        model().sample()
