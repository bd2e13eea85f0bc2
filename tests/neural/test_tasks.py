"""The task is what the chapter says it is: sums, Zipf, one-shots seen once, tests made of digits never trained on."""

import numpy as np
import pytest
import torch

from companion.neural import study, tasks

SIZE = {"source": "embedded", "triples": 400, "test_triples": 180}


@pytest.fixture(scope="module")
def task():
    return tasks.digit_sums(**SIZE, seed=0)


def glyph_at(task):
    return len(task.bank) - tasks.ONE_SHOTS


def test_targets_are_the_sums_of_what_the_images_show(task):
    for triples in (task.train, *task.tests.values()):
        np.testing.assert_array_equal(triples.target, triples.labels.sum(axis=1))


def test_every_glyph_occurs_once_in_training_alone_with_digits(task):
    is_glyph = task.train.index >= glyph_at(task)
    shown = task.train.index[is_glyph] - glyph_at(task)
    assert sorted(shown) == list(range(10))
    assert is_glyph.sum(axis=1).max() == 1
    np.testing.assert_array_equal(np.flatnonzero(is_glyph.any(axis=1)), task.one_shot_rows)
    np.testing.assert_array_equal(task.train.labels[is_glyph], shown)


def test_training_and_test_digits_never_overlap(task):
    trained = set(task.train.index.ravel())
    for triples in task.tests.values():
        tested = set(triples.index[triples.index < glyph_at(task)])
        assert not trained & tested


def test_composition_pairs_are_new_and_in_their_own_channels(task):
    place = {g - glyph_at(task): c for row in task.train.index for c, g in enumerate(row) if g >= glyph_at(task)}
    test = task.tests["composition"]
    for row, (a, b) in zip(test.index, task.pairs, strict=True):
        assert row[place[a]] == glyph_at(task) + a
        assert row[place[b]] == glyph_at(task) + b
        assert (row >= glyph_at(task)).sum() == 2
    moved = task.tests["composition_moved"]
    for row, (a, b) in zip(moved.index, task.pairs, strict=True):
        assert row[place[a]] != glyph_at(task) + a
        assert row[place[b]] != glyph_at(task) + b
        assert set(row[row >= glyph_at(task)]) == {glyph_at(task) + a, glyph_at(task) + b}
    assert len({tuple(p) for p in task.pairs}) >= 30, "nearly all pairs of different channels are tested"


def test_nines_hold_a_nine_and_else_small_digits(task):
    labels = task.tests["nines"].labels
    assert (labels == 9).any(axis=1).all()
    assert labels[labels != 9].max() <= 4
    assert set((labels == 9).sum(axis=1)) == {1, 2, 3}


def test_digits_follow_the_law_they_are_given():
    p = tasks.zipf(1.0)
    np.testing.assert_allclose(p[0] / p[9], 10)
    np.testing.assert_allclose(tasks.zipf(0.0), 0.1)
    many = tasks.digit_sums(source="embedded", triples=20_000, test_triples=10, seed=1)
    np.testing.assert_allclose(np.bincount(many.train.labels.ravel(), minlength=10) / 60_000, p, atol=0.01)
    rare = tasks.digit_sums(source="embedded", triples=20_000, test_triples=10, seed=1, nine=0.002)
    assert abs((rare.train.labels == 9).mean() - 0.002) < 0.001


def test_same_seed_same_task_other_seed_other_task(task):
    again, other = tasks.digit_sums(**SIZE, seed=0), tasks.digit_sums(**SIZE, seed=1)
    np.testing.assert_array_equal(task.train.index, again.train.index)
    np.testing.assert_array_equal(task.bank, again.bank)
    assert not np.array_equal(task.train.index, other.train.index)
    assert not np.array_equal(task.glyphs, other.glyphs)


def test_leaving_glyphs_out_changes_their_rows_and_nothing_else(task):
    less = tasks.digit_sums(**SIZE, seed=0, leave_out=(3, 7))
    changed = np.flatnonzero((less.train.index != task.train.index).any(axis=1))
    assert len(changed) == 2
    assert set(changed) <= set(task.one_shot_rows)
    assert len(less.one_shot_rows) == 8
    for name, triples in task.tests.items():
        np.testing.assert_array_equal(triples.index, less.tests[name].index)


def test_a_wrong_label_moves_one_target_and_no_test(task):
    wrong = tasks.digit_sums(**SIZE, seed=0, mislabel=(2, 8))
    difference = wrong.train.target - task.train.target
    assert sorted(difference[difference != 0]) == [6.0]
    np.testing.assert_array_equal(wrong.tests["composition"].target, task.tests["composition"].target)


def test_bound_glyphs_share_their_only_triple():
    bound = tasks.digit_sums(**SIZE, seed=0, together=(2, 7))
    first = glyph_at(bound)
    (row,) = [r for r in bound.train.index if first + 2 in r]
    assert first + 7 in row
    assert sorted(bound.train.index[bound.train.index >= first] - first) == list(range(10))
    assert len(bound.one_shot_rows) == 9


def test_other_targets():
    labels = np.array([[1, 2, 3], [9, 9, 1]])
    np.testing.assert_array_equal(tasks.combine(labels, "product"), [6, 81])
    np.testing.assert_array_equal(tasks.combine(labels, "xor"), [0, 1])


def test_baselines_are_ordered_and_the_best_constant_is_best(task):
    base = tasks.baselines(task)
    target = task.tests["composition"].target
    for constant in np.linspace(0, 27, 109):
        assert np.mean((target - constant) ** 2) >= base["best_constant"] - 1e-6
    assert base["training_mean"] > base["best_constant"] > base["reads_digit_best"]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="target must be one of sum, product, xor"):
        tasks.digit_sums(**SIZE, seed=0, target="max")
    with pytest.raises(ValueError, match="triples"):
        tasks.digit_sums(source="embedded", triples=3, test_triples=10, seed=0)


def test_digits_come_from_a_pool_of_each_digit_alike(task):
    less = tasks.digit_sums(**SIZE, seed=0, pool=50)
    first_glyph = len(less.bank) - 10
    for digit in range(10):
        shown = less.train.index[(less.train.labels == digit) & (less.train.index < first_glyph)]
        assert len(set(shown)) <= 5
    np.testing.assert_array_equal(less.train.labels, task.train.labels)
    for name in task.tests:
        np.testing.assert_array_equal(less.tests[name].index, task.tests[name].index)
    with pytest.raises(ValueError, match="pool"):
        tasks.digit_sums(**SIZE, seed=0, pool=1_000_000)


def test_the_digits_beside_a_glyph_are_read_apart_from_it():
    """A reader that is 1 too high on one companion of glyph 4, and right elsewhere, has that error beside it alone."""
    made = tasks.digit_sums(source="embedded", triples=60, test_triples=60, seed=0)
    first = len(made.bank) - 10
    row = next(r for r in made.one_shot_rows if made.train.index[r].max() == first + 4)
    companion = made.train.index[row].min()
    labels = {
        made.bank[i].tobytes(): float(v)
        for t in (made.train, *made.tests.values())
        for i, v in zip(t.index.ravel(), t.labels.ravel(), strict=True)
    }
    labels[made.bank[companion].tobytes()] += 1

    class Reader(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images):
            pixels = (images * 255).round().to(torch.uint8).numpy()
            return torch.tensor([sum(labels[image.tobytes()] for image in triple) for triple in pixels])

    found = study.by_glyph(Reader(), made) | study.companions(Reader(), made)
    assert found["beside_4"] == pytest.approx(1)
    assert found["fit_4"] == pytest.approx(1)
    assert found["new_4"] == pytest.approx(0)
