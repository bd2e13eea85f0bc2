"""The figures of the linear chapters: each is drawn, and says its numbers in words."""

from functools import cache

import numpy as np
import pytest

from book.linear import data, minimum_norm, necessity, one_equation, pinned, recovery, structure
from companion.linear import LongTailModel, sample_design
from companion.runner import results
from tests.book.pictures import well_formed


@cache
def draw(alpha=2.0):
    model = LongTailModel(n=150, d=900, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05)
    return model, model.sample(seed=0)


FIGURES = {
    "data-frequencies": lambda: data.fig_frequencies(200, 1000, 5.0),
    "minimum-norm-descent": lambda: minimum_norm.fig_descent(draw()[1].X, draw()[1].y, steps=300),
    "minimum-norm-leverages": lambda: minimum_norm.fig_leverages(120, 600, 5.0, seed=0),
    "structure-peeling": lambda: structure.fig_peeling(sample_design(9, np.linspace(0.5, 0.1, 12), seed=3), 1),
    "structure-tails": lambda: structure.fig_tails(results.load("recovery")),
    "pinned": lambda: pinned.fig_spectrum(pinned.spectrum_rows(n=150, common=(2, 10), draws=6), draws=6),
    "recovery-shares": lambda: recovery.fig_shares(results.load("recovery")),
    "recovery-sandwich": lambda: recovery.fig_sandwich(results.load("recovery")),
    "recovery-rates": lambda: recovery.fig_rates(results.load("density")),
    "necessity": necessity.fig_necessity,
    "one-equation-curves": lambda: one_equation.fig_curves(1.5, 5.0, 200, 1000),
    "one-equation-accuracy": lambda: one_equation.fig_accuracy(one_equation.accuracy_rows(results.load("density"))),
    "one-equation-phases": lambda: one_equation.fig_phases(results.load("phase")),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_and_says_its_numbers(name):
    """Something is drawn; the text alternative holds numbers, none of them unknown."""
    well_formed(FIGURES[name]())
