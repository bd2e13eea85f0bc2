"""Figures of the front page, of Limits and of later linear chapters, small or from stored results."""

from functools import cache

import numpy as np
import pytest

from book import index
from book.appendix import rates, solver
from book.limits import limits
from book.linear import composition, figure1, floor, noise_laws, turning_off
from book.shared.switches import World
from book.shared.symbols import symbol_losses, symbol_task
from companion.runner import results
from tests.book.pictures import well_formed

stored = cache(results.load)


@cache
def task():
    return symbol_task(n=120, slots=3, symbols=30, exponent=1.0, seed=2)


def swept(rho, kernel="product"):
    losses = symbol_losses(task(), kernel=kernel, rho=rho)
    return {"rho": rho, **losses, **{f"{key}_sd": 0.1 for key in losses}}


def table_of_shares():
    alphas, sizes = np.array([1.2, 1.6, 2.0, 2.5]), np.array([1e3, 1e5, 1e7])
    share = 1 - 0.3 / (alphas * np.log10(sizes)[:, None])
    return rates.RecoveredMap(alphas, sizes, share, np.array([1e6, 1e5, 1e4, 2e3]))


def recovered_at():
    sizes = np.array([1e3, 1e5, 1e7])
    names = ("equation", "leading order", "first term", "second term")
    curves = {name: scale * sizes**-0.5 for name, scale in zip(names, (1.0, np.nan, 3.0, 9.0), strict=True)}
    return rates.fig_recovered_at(table_of_shares(), curves, sizes, alpha=1.6, n=1e4)


PICTURES = {
    "rate": lambda: floor.fig_rate(stored("rate")),
    "risk-sandwich": lambda: floor.fig_risk_sandwich(stored("noise")),
    "noise-chain": noise_laws.fig_chain,
    "noise": lambda: noise_laws.fig_noise(stored("noise")),
    "joint": lambda: turning_off.fig_joint(stored("forgetting"), sigma=0.05),
    "joint-at": lambda: turning_off.fig_joint(stored("forgetting"), sigma=0.0, n_lam=1.0),
    "graph": lambda: composition.fig_training_graph(np.array([[0, 0], [0, 1], [1, 1], [2, 2]]), 4),
    "similarity": lambda: composition.fig_similarity([swept(0.1), swept(0.6)], swept(0.3, "additive")),
    "predictions": lambda: composition.fig_predictions(task(), rho=0.4, ridge=0.1),
    "solve-times": lambda: solver.fig_scale(
        stored("scale").summary, {"min_norm": "ours", "lsmr": "lsmr", "sampling": "drawing"}
    ),
    "recovered-map": lambda: rates.fig_phase_alpha_n(table_of_shares()),
    "recovered-at": recovered_at,
    "figure1": lambda: figure1.fig_figure1(stored("figure1", "smoke")),
    "front": lambda: index.fig_claim(stored("forgetting")),
    "one-at-a-time": lambda: limits.fig_switches(
        {"all hold": limits.averaged(World(), range(1)), "no labels": limits.averaged(World(labels=False), range(1))}
    ),
    "split-credit": lambda: limits.fig_inseparable([1, 2, 3], [1.0, 0.5, 0.25], [0.98, 0.51, 0.24]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_well_formed_and_says_its_numbers(name):
    """See `well_formed`."""
    well_formed(PICTURES[name]())
