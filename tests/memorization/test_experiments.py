"""The experiments run at toy size, and their rows mean what the chapters read in them."""

from dataclasses import replace

import numpy as np
import pytest

from companion.experiments import (
    composed,
    composition_removal,
    few_shot,
    influential,
    planted,
    protocols,
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


def test_protocols_compare_sets_of_one_size_and_labels():
    """The other score and both random controls remove as many; the matched one as many of each label."""
    rng = np.random.default_rng(0)
    y, removed = rng.integers(10, size=200), rng.random(200) < 0.3
    random, matched = (drawn(removed, y, rng) for drawn in protocols.CONTROLS)
    assert random.sum() == matched.sum() == removed.sum()
    assert (np.bincount(y[matched], minlength=10) == np.bincount(y[removed], minlength=10)).all()
    assert (np.bincount(y[random], minlength=10) != np.bincount(y[removed], minlength=10)).any()
    masks = rng.random((60, 200)) < 0.7
    got = list(protocols.protocols(protocols.Settings(), masks | (rng.random(masks.shape) < 0.5), masks, rng))
    assert [g[:2] for g in got] == [(s, t) for s in ("absolute", "fractional") for t in ("fixed", "null")]
    assert all(removed.sum() == other.sum() > 0 for _, _, removed, other, _ in got)
    assert got[1][4] < 0.002  # share of null scores at the level of the null


def test_a_learner_that_fits_everything_is_indifferent_to_the_definition():
    """lem-fractional (i): 1-NN removes the same images by either score; 5-NN does not."""
    fits, votes = (rows(protocols, cell=3, learners=(name,), n=150, models=60) for name in ("1-NN", "5-NN"))
    assert all(row["inside"] == 1 and row["like_other"] == 0 for row in fits if "like_other" in row)
    assert any(row["like_other"] != 0 for row in votes if "like_other" in row)


def test_the_high_influence_set_is_part_of_the_memorized_and_its_effects_add_up():
    """The change over all test images is that on the influenced and on the rest, by their shares."""
    row = rows(influential, n=100)[0]
    assert 0 < row["removed"] <= row["memorized"]
    assert row["chance_pairs"] < row["pairs"]
    share = row["influenced"]
    for kind in ("accuracy", "nothing", "matched"):
        both = share * row[f"influenced_{kind}"] + (1 - share) * row[f"rest_{kind}"]
        assert row[f"all_{kind}"] == pytest.approx(both)
    assert row["influenced_nothing"] < 0


def test_votes_and_kernel_labels_by_hand():
    """Against a loop over models and points; a removed neighbourhood is looked past."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((70, 2)), rng.integers(3, size=70)
    distance = np.linalg.norm(X[:, None] - X[None], axis=2)
    order, masks = np.argsort(distance, axis=1), np.stack([rng.random(70) < 0.5, distance[0] > 1.5])
    masks[1, :5] = False
    got = protocols.nearest_vote(order, masks, y, 3)
    for t, i in np.ndindex(got.shape):
        labels = y[[j for j in order[i] if masks[t, j]][:3]].tolist()
        assert got[t, i] == max(labels, key=lambda c: (labels.count(c), -labels.index(c)))
    assert (protocols.kernel_labels(np.eye(70), np.eye(70), masks[:1], y, 0.5)[0] == y)[masks[0]].all()


def test_tests_weigh_classes_as_they_say():
    X, truth = np.zeros((4, 1)), np.array([0, 0, 0, 1])
    X_test, y_test = np.arange(6.0)[:, None], np.array([0, 1, 1, 0, 1, 1])
    right = (y_test == 0)[None]
    like, balanced, free = protocols.accuracies(X, truth, X_test, np.where(y_test == 0, 0, 1), 0.1)(right)
    assert like == pytest.approx(75)
    assert free == pytest.approx(75)
    assert balanced == pytest.approx(50)


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
    assert summary["models"] == 8
    assert summary["chance_pairs"] < summary["pairs"]
    counted = sum(r["count"] for r in first if r["kind"] == "bin")
    assert counted + summary["unknown"] == summary["n"] == 60
    assert len(first[-1].get("picture", "x" * 196)) == 196


TWO_BLOCKS = {"n": 60, "n_test": 30, "models": 8, "block": 4, "epochs": 3}


def blocks_of(folder, share, **changes):
    settings = replace(real_scores.EXPERIMENT.presets["smoke"], **{**TWO_BLOCKS, **changes})
    real_scores.fill(settings, {}, 0, Resources(blocks=folder), share)
    return {file.name for file in folder.glob("*.npz")}


def timeless(found):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in found]


def test_blocks_made_apart_are_those_of_one_run(tmp_path, monkeypatch):
    """Each machine trains its share; with both shares in one folder nothing is left to train, and the rows agree."""
    pytest.importorskip("torch")
    whole = rows(real_scores, **TWO_BLOCKS)
    assert blocks_of(tmp_path / "a", (2, 2)) == {"block-0-4.npz"}
    assert blocks_of(tmp_path / "b", (1, 2)) == {"block-0-0.npz"}
    (tmp_path / "b" / "block-0-0.npz").rename(tmp_path / "a" / "block-0-0.npz")
    monkeypatch.setattr(real_scores, "ensemble_correct", None)
    merged = rows(real_scores, resources=Resources(blocks=tmp_path / "a"), **TWO_BLOCKS)
    np.testing.assert_equal(timeless(merged), timeless(whole))


def test_a_block_serves_a_run_of_more_networks(tmp_path):
    """Subsets and first weights hang on the seed and the number of the network, not on how many there are."""
    pytest.importorskip("torch")
    assert blocks_of(tmp_path, (1, 1)) == {"block-0-0.npz", "block-0-4.npz"}
    before = {file.name: file.read_bytes() for file in tmp_path.glob("*.npz")}
    assert blocks_of(tmp_path, (1, 1), models=12) == {*before, "block-0-8.npz"}
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epochs": 4}, "epochs 3 there, 4 here"),
        ({"precision": "bfloat16"}, "precision float32 there, bfloat16 here"),
        ({"block": 8}, "models 0 to 3 of seed 0 there, 0 to 7 of seed 0 here"),
        ({"rate": 0.5}, "images and subsets"),
        ({"n_test": 29}, "images and subsets"),
    ],
)
def test_a_block_of_another_run_is_refused(tmp_path, changes, said):
    """One line names the file and what differs, and the block stays where it is."""
    pytest.importorskip("torch")
    blocks_of(tmp_path, (1, 2))
    kept = (tmp_path / "block-0-0.npz").read_bytes()
    with pytest.raises(ValueError, match=rf"block-0-0.npz is a block of another run \(.*{said}"):
        rows(real_scores, resources=Resources(blocks=tmp_path), **{**TWO_BLOCKS, **changes})
    assert (tmp_path / "block-0-0.npz").read_bytes() == kept


def test_thumbnails_survive_the_round_trip():
    from book.dispute.measuring import pixels

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


def test_a_few_shot_world_keeps_hands_apart_and_has_a_tail(monkeypatch):
    """No drawing is both in training and in the test; most classes of the tail have one or two in training."""
    given = {}

    def look(settings, data, cell, seed, resources):
        given[cell["exponent"]] = data
        return []

    monkeypatch.setattr(few_shot.protocols, "measured", look)
    settings = few_shot.Settings(source="embedded")
    for exponent in settings.exponents:
        few_shot.run(settings, {"exponent": exponent, "noise": 0.2}, 0, Resources())
    for X, y, truth, X_test, y_test in given.values():
        assert (np.bincount(y_test, minlength=200) == 4).all()
        assert (y != truth).sum() == 80
        assert not set(map(bytes, X)) & set(map(bytes, X_test))
    sizes = {exponent: np.bincount(data[2], minlength=200) for exponent, data in given.items()}
    assert sizes[0.0].min() == sizes[0.0].max() == 2
    assert sizes[0.5].max() > 10
    assert (sizes[0.5] <= 2).mean() > 0.5


def test_a_drawing_is_centred_before_it_is_blurred():
    """Where on the sheet a character was drawn is not seen."""
    sheet = np.zeros((2, 28, 28), dtype=np.uint8)
    sheet[0, 6:14, 8:10] = sheet[1, 11:19, 13:15] = 255
    here, there = few_shot.blurred(sheet, 1.0, 14)
    assert here.max() > 0.2
    np.testing.assert_allclose(here, there, atol=1e-6)


def test_every_protocol_finds_the_rows_that_compose():
    """In the linear model all four protocols remove every row with a once-seen feature, and composition with them."""
    got = rows(composed, trials=(("linear", 0.7),), n=300, d=3000, models=60, near=0.1)
    assert len(got) == 4
    for row in got:
        assert row["removed_once"] > 0.5
        assert row["composed_without"] > 2 * row["composed_random"]
        assert row["in_without"] < 0.2
