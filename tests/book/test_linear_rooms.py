"""The figures of the linear chapters: each is drawn, and says its numbers in words."""

from functools import cache

import numpy as np
import pytest

from book.appendix import dense_rows, pinning, rates
from book.linear import beyond, data, necessity, one_equation, recovery
from companion.linear import LongTailModel
from companion.runner import results
from tests.book.pictures import well_formed


@cache
def draw(alpha=2.0):
    model = LongTailModel(n=150, d=900, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
    return model, model.sample(seed=0)


FIGURES = {
    "data-frequencies": lambda: data.fig_frequencies(200, 1000, 5.0),
    "data-descent": lambda: data.fig_descent(draw()[1].X, draw()[1].y, steps=300),
    "data-leverages": lambda: data.fig_leverages(120, 600, 5.0, seed=0),
    "recovery-tails": lambda: recovery.fig_tails(results.load("recovery")),
    "pinning": lambda: pinning.fig_spectrum(pinning.spectrum_rows(n=150, common=(2, 10), draws=6), draws=6),
    "recovery-shares": lambda: recovery.fig_shares(results.load("recovery")),
    "recovery-sandwich": lambda: recovery.fig_sandwich(results.load("recovery")),
    "rates": lambda: rates.fig_rates(results.load("density")),
    "necessity": necessity.fig_necessity,
    "beyond-topics": beyond.fig_topics,
    "beyond-margin": beyond.fig_margin,
    "one-equation-tree": one_equation.fig_tree,
    "dense-curves": lambda: dense_rows.fig_curves(1.5, 5.0, 200, 1000),
    "one-equation-accuracy": lambda: one_equation.fig_accuracy(one_equation.accuracy_rows(results.load("density"))),
    "dense-map": lambda: dense_rows.fig_phase_map(40, 200),
    "dense-phases": lambda: dense_rows.fig_phases(results.load("phase")),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_and_says_its_numbers(name):
    """Something is drawn; the text alternative holds numbers, none of them unknown."""
    well_formed(FIGURES[name]())


def test_two_solvers_of_the_chapter_beyond_find_what_they_should():
    """Least l1 and maximal margin of designs small enough to solve in the head; what has no solution is refused."""
    X = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    np.testing.assert_allclose(beyond.least_l1(X, np.array([2.0, 2.0])), [0, 2, 0], atol=1e-9)
    np.testing.assert_allclose(beyond.max_margin(X, np.array([1.0, -1.0])), [1, 0, -1], atol=1e-9)
    with pytest.raises(ArithmeticError, match="interpolator"):
        beyond.least_l1(np.ones((2, 1)), np.array([1.0, 2.0]))
    with pytest.raises(ArithmeticError, match="separates"):
        beyond.max_margin(np.ones((2, 1)), np.array([1.0, -1.0]))


def test_topics_without_company_are_independent_features():
    """At chance 0 the law of once-seen companions is the product over independent features."""
    topics = beyond.zipf_topics(0.0, topics=5, size=2)
    p, n = topics.p, 20
    alone = np.array([np.prod(np.delete(1 - p * (1 - p) ** (n - 1), i)) for i in range(p.size)])
    np.testing.assert_allclose(beyond.shared_row(topics, n), (1 - alone)[::2])


def test_the_modest_learner_hides_what_the_minimum_norm_shows():
    """Self-influence 0 and 1, the same predictions elsewhere; the price of a pair is the same."""
    hidden, shown = (necessity.answers(name)[0] for name in ("modest", "minimum norm"))
    assert hidden.self_influence == pytest.approx(0, abs=1e-9)
    assert shown.self_influence == pytest.approx(1)
    assert hidden.loss == pytest.approx(shown.loss)
