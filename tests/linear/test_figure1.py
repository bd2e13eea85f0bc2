"""Figure 1: its quantities are what the chapter defines; the stored result says what the paper says."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom

from book.linear import figure1 as figure
from companion.experiments import figure1
from companion.linear import min_norm
from companion.runner import results
from companion.runner.experiment import Resources

SMALL = figure1.Settings(n=60, d=200, alphas=(1.3, 2.0))


@pytest.fixture(scope="module")
def drawn() -> figure1.Draw:
    return figure1.draw(SMALL, 1.3, seed=1)


def test_one_fit_of_the_noise_serves_every_sigma() -> None:
    """The fit is linear in the labels: the shortcut equals a fit of the noisy labels themselves."""
    rng = np.random.default_rng(5)
    model = figure1.long_tail_model(SMALL, 2.0, sigma=1.0)
    sample = model.sample(seed=rng)
    drawn = figure1.draw(SMALL, 2.0, seed=5)
    for sigma in (0.0, 0.3):
        direct = min_norm(sample.X, sample.X @ model.beta + sigma * sample.noise)
        np.testing.assert_allclose(drawn.beta_hat(sigma), direct, atol=1e-10)


def test_probe_finds_the_row_space() -> None:
    """One random probe agrees with the certificate from a pseudo-inverse, feature by feature."""
    rng = np.random.default_rng(1)
    X = figure1.long_tail_model(SMALL, 1.3, sigma=1.0).sample(seed=rng).X.toarray()
    certificate = np.linalg.pinv(X) @ X
    resolved = figure1.draw(SMALL, 1.3, seed=1).resolved
    assert (resolved == (np.diag(certificate) > 1 - 1e-9)).all()
    assert 0 < resolved.sum() < (X != 0).any(axis=0).sum()


def test_composition_is_the_average_over_pairs_and_signs(drawn: figure1.Draw) -> None:
    """The closed form against every pair and every sign pattern, one by one."""
    error = drawn.beta_hat(0.1) - drawn.model.beta
    candidates = np.flatnonzero(drawn.tail & (drawn.seen > 0))
    k = drawn.model.k
    background = drawn.model.p[:k] @ error[:k] ** 2
    losses = [
        (a * error[i] + b * error[j]) ** 2
        for i, j in combinations(candidates, 2)
        for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    ]
    assert figure1.measures(drawn, 0.1)["composition"] == pytest.approx(background + np.mean(losses))


def test_parts_add_up_to_the_losses(drawn: figure1.Draw) -> None:
    for sigma in (0.0, 0.2):
        parts, whole = figure.loss_parts(drawn, sigma), figure1.measures(drawn, sigma)
        for name in parts:
            assert sum(parts[name].values()) == pytest.approx(whole[name], rel=1e-12)


def test_exposure_classes_cover_every_seen_feature_once(drawn: figure1.Draw) -> None:
    classes = figure.by_exposure(drawn, 0.1)
    assert sum(c["resolved"] + c["unresolved"] for c in classes) == (drawn.seen > 0).sum()


def test_unseen_expectation_against_draws() -> None:
    """The dashed line of the in-distribution panel, within 4 standard errors over 60 small draws."""
    losses = [figure1.measures(figure1.draw(SMALL, 2.0, seed=s), 0.0)["unseen"] for s in range(60)]
    expected = figure.expectations(SMALL, 2.0, 0.0)["unseen"]
    assert abs(np.mean(losses) - expected) < 4 * np.std(losses) / 60**0.5


def test_leading_order_of_the_common_error_against_draws() -> None:
    """Few tail features, plenty of rows: then the dashed line of the common panel is right to 15%."""
    setting = replace(SMALL, n=400, s=2.0)
    squares = [figure1.measures(figure1.draw(setting, 2.5, seed=s), 0.3)["common_square"] for s in range(60)]
    expected = figure.expectations(setting, 2.5, 0.3)["common_square"]
    assert np.mean(squares) == pytest.approx(expected, rel=0.15 + 4 * np.std(squares) / 60**0.5 / expected)


def test_run_depends_on_its_arguments_only() -> None:
    cell = {"alpha": 2.0}
    first, second = (figure1.EXPERIMENT.run(SMALL, cell, 3, Resources()) for _ in range(2))
    assert first == second
    assert first != figure1.EXPERIMENT.run(SMALL, cell, 4, Resources())


def test_stored_paper_result_shows_the_papers_four_observations() -> None:
    stored = results.load("figure1", "paper")

    def mean(alpha: float, sigma: float, key: str) -> float:
        return stored.one(alpha=alpha, sigma=sigma)[key]["mean"]

    assert len(stored.seeds) == 50
    assert 0.05**2 < mean(2.0, 0.05, "once_square") < 1.15 * 0.05**2  # slightly above the noise
    assert mean(2.0, 0.05, "common_square") < 0.2 * 0.05**2 < mean(1.0, 0.05, "common_square")
    assert mean(3.0, 0.05, "in_distribution") < 0.005
    assert mean(3.0, 0.05, "composition") < 0.005
    assert abs(mean(2.0, 0.05, "in_distribution") / mean(2.0, 0.0, "in_distribution") - 1) < 0.02
    for key in ("once_square_all", "common_square", "in_distribution", "composition"):
        assert mean(1.0, 0.05, key) > 2 * mean(1.5, 0.05, key)


def test_pictures_say_their_numbers(drawn: figure1.Draw) -> None:
    stored = results.load("figure1", "smoke")
    panels = figure.fig_figure1(stored)
    assert f"{stored.one(alpha=2.0, sigma=0.05)['in_distribution']['mean']:.3g}" in panels.alt
    one = figure.fig_one_draw(drawn, 0.1)
    assert f"{figure1.measures(drawn, 0.1)['composition']:.4f}" in one.alt
    assert f"{figure1.measures(drawn, 0.1)['composition']:.4f}" in one.svg  # digits survive the clean-up


def test_leading_order_of_the_common_error_is_the_mean_of_one_over_the_count() -> None:
    """`E[1/N | N >= 1]`, summed over the binomial law, where a common feature may well be missing."""
    settings = figure1.Settings(n=30, d=40, common=1.0)
    model = figure1.long_tail_model(settings, 2.0)
    seen = np.arange(1, 31)
    laws = [binom.pmf(seen, 30, p) for p in model.p[: model.k]]
    means = [law @ (1 / seen) / law.sum() for law in laws]
    assert model.p[model.k - 1] < 0.1
    assert figure.expectations(settings, 2.0, 0.5)["common_square"] == pytest.approx(0.25 * np.mean(means))
