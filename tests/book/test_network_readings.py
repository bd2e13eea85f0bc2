"""Figure 2, the readings and mixing: the figures follow the rows, the shares are what they say."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from book.networks import figure2, mixing, one_shots
from book.shared import interaction
from companion.runner import results
from tests.pictures import checked, made, twice

LINES = {"baseline_best_constant": 22.0, "baseline_reads_digit_best": 15.0}


def test_figure2_is_drawn_from_its_rows():
    cells = [{"model": m, "nine": p} for p in (0.01, 0.1) for m in ("sum", "cross-channel")]

    def values(cell, seed):
        loss = (40.0 if cell["model"] == "cross-channel" else 2.0) * 9.0**seed * (0.1 / cell["nine"])
        counts = {f"nines_{k}": loss * k for k in (1, 2, 3)}
        return {"nines": loss, "in_distribution": loss / 2, "baseline_nines": 6.0 * 9.0**seed, **counts}

    stored = made("figure2", ("model", "nine"), twice(cells, values))
    assert figure2.frequencies(stored) == [0.01, 0.1]
    assert figure2.mean(stored, "sum", 0.1) == pytest.approx(6.0)  # geometric mean of 2 and 18
    alt = figure2.fig_figure2(stored).alt
    assert "Sum 60, 6.0 (in distribution 30, 3.0)" in alt
    assert "Best constant: 18.0" in alt
    assert "Sum 60, 120, 180 at 0.01 and 6.0, 12, 18 at 0.1" in figure2.fig_by_count(stored).alt
    for draw in (figure2.fig_figure2, figure2.fig_by_count):
        checked(draw(stored))


def test_figure2_can_be_drawn_of_one_seed():
    """One seed has no interval; the marks are there all the same."""
    cells = [{"model": "sum", "nine": p} for p in (0.01, 0.1)]
    numbers = {"nines": 2.0, "in_distribution": 1.0, "baseline_nines": 18.0, "nines_1": 1, "nines_2": 2, "nines_3": 3}
    both = made("figure2", ("model", "nine"), twice(cells, lambda cell, seed: numbers))
    rows = both.select(seed=0)
    one = results.Result("figure2", "cpu", {}, [0], both.by, rows, results.summarise(rows, both.by), {})
    checked(figure2.fig_figure2(one))
    checked(figure2.fig_by_count(one))


def test_readings_take_the_loss_of_their_own_column():
    cells = [{"model": "sum", "encoders": kind} for kind in ("shared", "separate")]

    def values(cell, seed):
        own = 1.0 if cell["encoders"] == "shared" else 4.0
        return {"composition": own, "composition_moved": own * (1 if own == 1 else 6), **LINES}

    stored = made("slots", ("model", "encoders"), twice(cells, values))
    got = [one_shots.under(stored, "sum", r).mean() for r in one_shots.READINGS]
    assert got == [1.0, 1.0, 4.0, 24.0]
    picture = one_shots.fig_readings(stored, {"sum": 0.176})
    checked(picture)
    assert "three encoders, other channels: Sum 24.00" in picture.alt
    assert "paper's, Sum 0.18" in picture.alt


def test_every_model_of_mixing_has_its_place():
    from companion.experiments.mixing import ALONE

    assert set(mixing.PLACES) == set(ALONE)
    early = [mixing.PLACES[m][1] for m in mixing.DEPTHS]
    assert early == [ALONE[m] for m in mixing.DEPTHS]
    assert all(ALONE[m] == 5 for m in mixing.HEADS)


def test_depth_is_drawn_from_its_rows():
    cells = [{"model": m} for m in mixing.PLACES]

    def values(cell, seed):
        own = 20.0 if cell["model"] == "cross-channel" else 2.0
        return {"composition": own * 9.0**seed, "in_distribution": 9.0**seed, **LINES}

    stored = made("mixing", ("model",), twice(cells, values))
    picture = mixing.fig_depth(stored)
    checked(picture)
    assert "0 60 (3); 1 6 (3)" in picture.alt  # geometric means of 20 and 180, 1 and 9, 2 and 18
    share = {m: np.array([0.1, 0.3]) for m in mixing.PLACES}
    assert "Sum 0.20 and 6" in mixing.fig_interaction_shares(stored, share).alt
    checked(mixing.fig_interaction_shares(stored, share))


def every_pair(symbols, slots):
    every = np.array(list(itertools.product(range(symbols), repeat=slots)))
    return np.repeat(every, len(every), axis=0), np.tile(every, (len(every), 1))


def test_a_product_of_signs_is_all_interaction_and_a_sum_is_none():
    here, there = every_pair(2, 3)
    sign = 2 * np.array([0, 1]) - 1
    assert interaction.interaction_share(lambda x: sign[x].prod(axis=1), here, there) == pytest.approx(1.0)
    assert interaction.interaction_share(lambda x: sign[x].sum(axis=1), here, there) == pytest.approx(0.0)
    # one pair of the three: the first two slots
    assert interaction.interaction_share(lambda x: sign[x[:, :2]].prod(axis=1), here, there) == pytest.approx(1 / 3)


def test_the_double_difference_is_the_four_corners():
    here, there = np.array([[1, 2, 3]]), np.array([[4, 5, 6]])
    f = lambda x: x[:, 0] * x[:, 1] + x[:, 2]  # noqa: E731
    assert interaction.double_difference(f, here, there, (0, 1)) == (1 - 4) * (2 - 5)
    assert interaction.double_difference(f, here, there, (0, 2)) == 0


@given(rho=st.floats(0.01, 0.97), slots=st.integers(2, 6))
def test_both_kernels_keep_what_the_composition_chapter_says(rho, slots):
    additive = ((slots - 1 + rho) / slots, (slots - 2 + 2 * rho) / slots)
    assert interaction.two_change_share(*additive) == pytest.approx(1.0)
    assert interaction.two_change_share(rho, rho**2) == pytest.approx(rho)


def test_wrong_arguments_are_named():
    here = np.zeros((2, 3), dtype=int)
    with pytest.raises(ValueError, match="two different slots below 3"):
        interaction.double_difference(lambda x: x[:, 0], here, here, (1, 1))
    with pytest.raises(ValueError, match="one shape"):
        interaction.interaction_share(lambda x: x[:, 0], here, here[:1])
    with pytest.raises(ValueError, match="must vary"):
        interaction.interaction_share(lambda x: np.ones(len(x)), here, here + 1)
    with pytest.raises(ValueError, match="one value a tuple"):
        interaction.interaction_share(lambda x: x, here, here + 1)
    with pytest.raises(ValueError, match="not positive definite"):
        interaction.two_change_share(0.9, 0.2)
