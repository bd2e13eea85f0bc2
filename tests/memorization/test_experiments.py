"""The experiments run at toy size, and their rows mean what the chapters read in them."""

from dataclasses import replace

import numpy as np
import pytest

from companion.experiments import (
    composition_removal,
    image_removal,
    planted,
    real_scores,
    removal_map,
    sampling_rate,
)
from companion.neural.images import digit_rows
from companion.runner.experiment import Resources


def rows(module, cell=0, seed=0, resources=None, **changes):
    settings = replace(module.EXPERIMENT.presets["smoke"], **changes)
    cells = module.EXPERIMENT.cells(settings)
    return module.EXPERIMENT.run(settings, cells[cell], seed, resources or Resources())


def test_removal_map_has_both_signs():
    """A long tail with few wrong labels: removal hurts. No tail with many: it helps. Leaks push down."""
    helps = rows(removal_map, cell=1, noise=(0.05, 0.3))[0]
    hurts = rows(removal_map, cell=2, noise=(0.0, 0.3))[0]
    assert helps["memorized_effect"] > 5
    assert hurts["memorized"] < -3
    assert helps["memorized_leaky_effect"] < helps["memorized_effect"]
    assert "wrong_effect" not in hurts


def test_sampling_rate_trades_bias_for_missing_points():
    low, high = (rows(sampling_rate, cell=k, rates=(0.7, 0.95), models=(50,))[0] for k in (0, 1))
    assert low["bias"] > high["bias"] > 0
    assert low["never_left_out"] == 0 < high["never_left_out"]
    assert low["error_to_target"] < low["error_to_loo"]


def test_composition_is_lost_and_the_average_is_not():
    row = rows(composition_removal, d=2000, n=400, sigma=0.0)[0]
    assert row["composed_memorized"] == pytest.approx(1, abs=1e-12)
    assert row["in_memorized"] < 0.1
    assert row["composed_base"] < row["composed_random"] < 1


def test_planted_kinds_are_all_there_and_wrong_labels_score_high():
    pytest.importorskip("torch")
    got = {r["kind"]: r for r in rows(planted, ordinary=120, plants=3, models=30, epochs=50)}
    assert set(got) == {"ordinary", "wrong", "boundary", "copies 1", "copies 2", "copies 3"}
    assert got["copies 1"]["points"] == 3
    assert got["copies 3"]["points"] == 9
    assert got["wrong"]["absolute"] > got["ordinary"]["absolute"]
    assert got["copies 1"]["outside"] < got["copies 3"]["outside"]


def test_image_removal_reports_both_test_sets():
    pytest.importorskip("torch")
    row = rows(image_removal, cell=3, n=120, models=16, judges=2, epochs=15)[0]
    assert row["removed"] > 0
    assert 0 < row["wrong_of_removed"] <= 1
    effect = row["like_memorized"] - row["like_control"]
    assert row["like_effect"] == pytest.approx(effect)


def test_the_whole_of_mnist_has_no_tail():
    """The exponent of the class sizes is that of a drawn subset; with all images there is none."""
    assert real_scores.cells(real_scores.Settings(n=0)) == [{"exponent": 0.0}]
    assert real_scores.cells(real_scores.Settings(n=500, exponent=1.5)) == [{"exponent": 1.5}]


def test_real_scores_resume_from_their_blocks(tmp_path, monkeypatch):
    """A second run in the same folder trains nothing and gives the same rows."""
    pytest.importorskip("torch")
    resources = Resources(scratch=tmp_path)
    small = {"n": 60, "n_test": 30, "models": 8, "block": 4, "epochs": 3}
    first = rows(real_scores, resources=resources, **small)
    assert len(list(tmp_path.glob("block-*.npz"))) == 2

    def no_training(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(real_scores, "ensemble_correct", no_training)
    second = rows(real_scores, resources=resources, **small)
    assert [r["kind"] for r in first] == [r["kind"] for r in second]
    np.testing.assert_equal(first, second)
    summary = first[0]
    counted = sum(r["count"] for r in first if r["kind"] == "bin")
    assert counted + summary["unknown"] == summary["n"] == 60
    assert len(first[-1].get("picture", "x" * 196)) == 196


def test_thumbnails_survive_the_round_trip():
    from book.dispute.real_scores import pixels

    image = np.zeros((28, 28))
    image[4:8, 6:10] = 1.0
    back = pixels(real_scores.thumbnail(image))
    np.testing.assert_array_equal(back, image.reshape(14, 2, 14, 2).mean((1, 3)))


def test_jaccard_of_nothing_is_unknown():
    assert np.isnan(real_scores.jaccard(set(), set()))
    assert real_scores.jaccard({1, 2}, {2, 3}) == pytest.approx(1 / 3)


def test_small_images_are_single_precision_and_read_from_the_given_folder(monkeypatch, tmp_path):
    assert digit_rows("embedded", train=False, side=7, root=None)[0].dtype == np.float32
    asked = []

    def images(source, *, train, side, root):
        asked.append(root)
        return np.zeros((20, side * side)), np.arange(20) % 10

    def enough(*args, **options):
        raise LookupError("enough")

    monkeypatch.setattr(real_scores, "digit_rows", images)
    monkeypatch.setattr(real_scores, "long_tailed_rows", enough)
    with pytest.raises(LookupError, match="enough"):
        real_scores.run(real_scores.Settings(), {}, 0, Resources(device="cpu", data=tmp_path))
    assert asked == [tmp_path, tmp_path]
