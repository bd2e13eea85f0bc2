"""Data attribution: closed forms against retraining, and influence functions and scores against the library dattri."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from book.dispute import attribution as chapter
from companion.linear import ridge

W = chapter.world(0)
N = len(W.y)


def test_targets_are_made_of_what_they_say():
    counts = (W.X != 0).sum(axis=0)
    for z, rare, times, deciding in zip(W.Z, W.rare, W.times, W.deciding.T, strict=True):
        assert rare.sum() == 2
        assert (counts[rare == 1] == times).all()
        assert np.count_nonzero(z) == 5
        assert times <= deciding.sum() <= 2 * times


def test_predictions_are_those_of_ridge_trained_again():
    inside = chapter.subsets(N, 6, 0.5, 0)
    assert (inside.sum(axis=1) == N // 2).all()
    said = chapter.predictions(W, 0.3, inside, block=4)
    for row, told in zip(inside == 1, said, strict=True):
        assert np.allclose(told, W.Z @ ridge(W.X[row], W.y[row], 0.3 / row.sum()))


def test_representer_points_add_up_to_the_prediction():
    whole = W.Z @ ridge(W.X, W.y, 0.3 / N)
    assert np.allclose(chapter.representer(W, 0.3).sum(axis=0), whole)
    assert np.allclose(chapter.gradient_product(W, 0.3), 0.3 * chapter.representer(W, 0.3))


def test_a_wide_projection_is_the_influence_function():
    """The wider, the closer; one model is the one trained on all rows."""
    exact = chapter.influence_function(W, 0.3)
    apart = [np.abs(chapter.projected(W, 0.3, width=width) - exact).max() for width in (64, 512, 2048)]
    assert apart[0] > 1.3 * apart[1] > 1.69 * apart[2]
    assert apart[2] < 0.25 * np.abs(exact).max()


def test_influence_functions_are_those_of_dattri():
    from dattri.algorithm.influence_function import IFAttributorExplicit  # seconds to import, here and below
    from dattri.task import AttributionTask

    n_lam = 0.3
    kind = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        model = torch.nn.Linear(W.X.shape[1], 1, bias=False)
        model.load_state_dict({"weight": torch.tensor(ridge(W.X, W.y, n_lam / N))[None]})

        def said(params, x):
            return torch.func.functional_call(model, params, torch.atleast_2d(x)).flatten()

        task = AttributionTask(
            loss_func=lambda params, data: ((said(params, data[0]) - data[1].flatten()) ** 2).mean(),
            target_func=lambda params, data: said(params, data[0]).sum(),
            model=model,
            checkpoints=model.state_dict(),
        )
        method = IFAttributorExplicit(task=task, regularization=2 * n_lam / N)
        train = DataLoader(TensorDataset(torch.tensor(W.X), torch.tensor(W.y)), batch_size=N)
        test = DataLoader(TensorDataset(torch.tensor(W.Z), torch.zeros(len(W.Z))), batch_size=len(W.Z))
        method.cache(train)
        theirs = method.attribute(train, test).detach().numpy()
    finally:
        torch.set_default_dtype(kind)
    assert np.allclose(-theirs / N, chapter.influence_function(W, n_lam), atol=1e-10)


def test_the_datamodelling_score_is_that_of_dattri():
    from dattri.metric.metrics import lds

    inside = chapter.subsets(N, 40, 0.5, 3)
    said, scores = chapter.predictions(W, 0.3, inside), chapter.leave_one_out(W, 0.3)
    rows = torch.tensor(np.array([np.flatnonzero(one) for one in inside]))
    theirs = lds(torch.tensor(scores), (torch.tensor(said), rows))[0].numpy()
    assert np.allclose(theirs, chapter.datamodelling_score(scores, inside, said))
    assert (chapter.datamodelling_score(np.zeros_like(scores), inside, said) == 0).all()


def test_what_is_found_and_what_breaks_a_prediction():
    perfect = W.deciding.astype(float)
    assert (chapter.found(perfect, W) == 1).all()
    assert (chapter.found(1 - perfect, W) == 0).all()
    first = chapter.brittleness(chapter.leave_one_out(W, 0.01), W, 0.01)
    last = chapter.brittleness(-chapter.leave_one_out(W, 0.01), W, 0.01)
    assert (first >= 1).all()
    assert first.mean() < last.mean()


def test_nearest_neighbour_scores_are_exact():
    """Against retraining without each row, and against many subsets in which each row is drawn on its own."""
    w = chapter.neighbour_world(0)
    n = len(w.order)
    alone, subset = chapter.neighbour_scores(w)
    whole = chapter.neighbour_subset_truth(w, np.ones((1, n)))[0]
    without = chapter.neighbour_subset_truth(w, 1 - np.eye(n))
    assert np.array_equal(alone, whole - without)
    inside = (np.random.default_rng(0).random((20_000, n)) < 0.7).astype(float)
    said, count = chapter.neighbour_subset_truth(w, inside), inside.sum(axis=0)[:, None]
    estimate = inside.T @ said / count - (1 - inside).T @ said / (len(inside) - count)
    assert np.abs(estimate - subset).max() < 5 * (0.25 / 20_000 / 0.21) ** 0.5


@pytest.fixture(scope="module")
def small():
    return chapter.benchmark.__wrapped__(0.01, draws=5, tested=20)


def test_the_figure_and_the_tables_say_their_numbers(small, monkeypatch):
    monkeypatch.setattr(chapter, "benchmark", lambda n_lam: small)
    shown = chapter.fig_found((0.01, 1.0))
    assert "influence function 0%" in shown.alt
    assert 'role="img"' in shown.svg
    assert [row[0] for row in chapter.rows(0.01, "LDS")] == list(chapter.METHODS)
    for measures in small.values():
        assert set(measures) == {"found", "LDS", "rows to halve it"}
        assert all(stats["low"] <= stats["mean"] <= stats["high"] for stats in measures.values())
