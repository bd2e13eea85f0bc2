"""The figures of the chapters on what the linear model's risk is made of, small or from stored results."""

from functools import cache

import pytest

from book.linear import noise, noiseless, turning_off
from companion.linear import LongTailModel
from companion.runner import results
from tests.book.pictures import well_formed

stored = cache(results.load)


def shrunk():
    model = LongTailModel(n=150, d=900, s=5.0, alpha=2.0, beta_exponent=0.1, sigma=0.05)
    sample = model.sample(seed=0)
    return turning_off.fig_shrunk(model, sample.X, sample.y, 1.0)


PICTURES = {
    "rate": lambda: noiseless.fig_rate(stored("rate")),
    "risk-sandwich": lambda: noiseless.fig_risk_sandwich(stored("noise")),
    "noise": lambda: noise.fig_noise(stored("noise")),
    "joint": lambda: turning_off.fig_joint(stored("forgetting"), sigma=0.05),
    "joint-at": lambda: turning_off.fig_joint(stored("forgetting"), sigma=0.0, n_lam=1.0),
    "shrunk": shrunk,
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_and_says_its_numbers(name):
    """See `well_formed`."""
    well_formed(PICTURES[name]())
