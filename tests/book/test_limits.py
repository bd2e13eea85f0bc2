"""The world of switches, the long-tailed symbols, and theory at sizes no draw reaches."""

import itertools

import numpy as np
import pytest

from book.limits import limits as figure
from book.shared import switches
from book.shared.regime import regime
from book.shared.switches import World, inseparable_pair, losses, mislabelled
from book.shared.symbols import symbol_losses, symbol_task
from companion.linear import LongTailModel, peel
from companion.linear.structure import feature_counts


@pytest.mark.parametrize("off", ["steep", "independent", "labels", "linear", "memorize"])
def test_every_dropped_hypothesis_costs_composition(off: str) -> None:
    base = np.mean([losses(World(), seed=s)["composition"] for s in range(4)])
    worse = np.mean([losses(World(**{off: False}), seed=s)["composition"] for s in range(4)])
    assert worse > 3 * base


def test_pairs_hide_in_distribution() -> None:
    """Features that always come together: the in-distribution loss does not tell."""
    base = np.mean([losses(World(), seed=s)["in_distribution"] for s in range(6)])
    pairs = np.mean([losses(World(independent=False), seed=s)["in_distribution"] for s in range(6)])
    assert pairs < 1.3 * base


@pytest.mark.parametrize("independent", [True, False])
def test_loss_of_zero_is_the_mean_square_of_fresh_targets(independent: bool) -> None:
    """The exact in-distribution formulas, joined pairs and products included, against fresh rows."""
    world = World(independent=independent, linear=False)
    stated = losses(world, seed=0)["zero_in"]
    squares = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        model = LongTailModel(switches.N, switches.D, 5.0, 2.0, 0.1, 0.0)
        X = model.sample(seed=rng).X
        first, second = switches._pairs(model)
        if not independent:
            X = switches._joined(X, first, second)
        y = X @ (model.beta * rng.choice([-1.0, 1.0], switches.D)) + switches._interactions(X, model.k, rng)
        squares.append(np.mean(y**2))
    assert np.mean(squares) == pytest.approx(stated, rel=0.05)


def test_pair_design_has_one_relative_sign() -> None:
    X, y = inseparable_pair(4, -1, (1.0, 0.25))
    assert (X[:, 0] * X[:, 1] == -1).all()
    assert set(X[:, 0]) == {1.0, -1.0}
    np.testing.assert_allclose(y, X @ [1.0, 0.25])


def test_mislabelled_moves_one_coefficient() -> None:
    X = np.array([[1.0, 0, 0], [1, 0, 0], [1, -1, 0], [0, 0, 1]])
    moved = mislabelled(X, X @ np.ones(3), 2, 0.5)
    np.testing.assert_allclose(moved, [0, -0.5, 0], atol=1e-12)


def test_symbol_pairs_are_new_and_seen_once() -> None:
    task = symbol_task(n=120, slots=3, symbols=30, exponent=1.0, seed=2)
    for pair in task.pairs:
        assert (task.train[:, 0] == pair[0]).sum() == 1 == (task.train[:, 1] == pair[1]).sum()
        assert not (task.train[:, :2] == pair[:2]).all(axis=1).any()
    assert len(np.unique(task.train, axis=0)) == len(task.train)
    assert not (task.fresh[:, None] == task.train[None]).all(-1).any()


def test_symbol_losses_tell_the_kernels_apart() -> None:
    task = symbol_task(n=120, slots=3, symbols=30, exponent=1.0, seed=2)
    additive = symbol_losses(task, kernel="additive", rho=0.4)
    table = symbol_losses(task, kernel="product", rho=0.0)
    assert additive["train"] < 1e-15 > table["train"]
    assert additive["pairs"] < 1e-15
    assert additive["slope"] == pytest.approx(1)
    assert table["slope"] == 0
    assert table["pairs"] == pytest.approx(np.mean(task.target(task.pairs) ** 2))


def test_no_pair_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="no new pair"):
        symbol_task(n=3, slots=2, symbols=1, exponent=1.0, seed=0)


def test_regime_meets_a_draw() -> None:
    """The equation in blocks against peeling at n = 50,000: within half a point."""
    model = LongTailModel(n=50_000, d=500_000, s=5.0, alpha=1.5, beta_exponent=0.0, sigma=0.0, k=0)
    X = model.sample(seed=0).X
    measured = peel(X).sum() / (feature_counts(X) > 0).sum()
    assert abs(regime(1.5, 5.0, model.n).recovered - measured) < 0.005


def test_regime_does_not_depend_on_its_blocks() -> None:
    for alpha in (1.1, 2.0):
        coarse, fine = (regime(alpha, 5.0, 1e8, fine=f) for f in (1, 4))
        assert coarse.recovered == pytest.approx(fine.recovered, abs=1e-6)
        assert coarse.second == pytest.approx(fine.second, rel=1e-3)


def test_the_leading_order_of_the_regime_is_near_the_equation_in_many_rows() -> None:
    for alpha in (1.5, 2.0):
        far = regime(alpha, 5.0, 1e10)
        assert far.leading == pytest.approx(far.recovered, abs=0.002)
        assert regime(alpha, 5.0, 1e4).leading < far.leading < 1


def test_the_paper_term_is_vacuous_at_its_own_size() -> None:
    assert regime(2.0, 5.0, 1000).second > 1 > regime(2.0, 5.0, 1e5).second
    assert regime(1.5, 5.0, 1e5).second > 1 > regime(1.5, 5.0, 1e7).second


def test_pictures_name_what_is_off() -> None:
    shown = figure.fig_switchboard(World(labels=False), range(1))
    assert "right labels" in shown.alt
    found = losses(World(labels=False), seed=0)
    assert f"composition {found['composition'] / found['zero_composition']:.3f}" in shown.alt, "as the bar says it"


def test_pair_rate_is_the_mean_number_of_pairs_of_tail_features() -> None:
    """Each pair adds the square of its sign, 1, and signs do not correlate: enumerated over joined pairs."""
    p, first = np.array([0.9, 0.5, 0.5, 0.3, 0.3, 0.2, 0.2]), np.array([1, 3, 5])
    expected = 0.0
    for pattern in itertools.product((0, 1), repeat=3):
        met = 2 * sum(pattern)
        expected += met * (met - 1) / 2 * np.where(pattern, p[first], 1 - p[first]).prod()
    assert switches._pair_rate(p, 1, World(independent=False), first) == pytest.approx(expected)


def test_fresh_tuples_have_the_law_of_the_training_tuples() -> None:
    """Given that training lacks them: the share of each symbol in slot 0 within four standard errors."""
    task = symbol_task(n=60, slots=2, symbols=20, exponent=1.0, seed=3)
    p = 1 / np.arange(1, 21)
    law = np.outer(p, p)
    law[task.train[:, 0], task.train[:, 1]] = 0
    share = law.sum(1) / law.sum()
    found = np.bincount(task.fresh[:, 0], minlength=20) / len(task.fresh)
    assert (np.abs(found - share) < 4 * np.sqrt(share * (1 - share) / len(task.fresh))).all()
