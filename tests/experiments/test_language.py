"""The worlds of the language experiment hold what their questions assume, and its measures measure it."""

import numpy as np
import pytest

from companion.experiments import language
from companion.memorization.scores import influence_scores, subset_masks
from companion.runner.experiment import Resources

SMOKE = language.EXPERIMENT.presets["smoke"]


@pytest.mark.parametrize("shuffled", [False, True])
def test_facts_are_told_as_often_as_said_and_new_pairs_never(shuffled):
    world = language.facts_world(3, shuffled=shuffled)
    asked, text = world.asked, world.text
    for who, what, told in zip(asked["name"], asked["value"], asked["told"], strict=True):
        assert ((text == [who, 0, what, 2]).all(1)).sum() == told == (text == who).any(1).sum()
    pairs = {(n, v) for _, n, v, _ in text[text[:, 0] == 1]}
    noun, verb = asked["noun"], asked["verb"]
    agree = []
    for a, b in np.ndindex(asked["new"].shape):
        met = [(i, j) for i in (0, 1) for j in (0, 1) if (noun[i, a], verb[j, b]) in pairs]
        assert len(met) == (0 if asked["new"][a, b] else 2)
        agree += [i == j for i, j in met]
    assert np.mean(agree) == 1 if not shuffled else 0.3 < np.mean(agree) < 0.7


def test_people_asked_about_stand_in_one_sentence_and_bridges_are_what_they_are_called():
    world = language.hops_world(4)
    person, country, capital, bridge = world.asked.values()
    assert ((world.text == person[:, None, None]).any(2).sum(1) == 1).all()
    assert np.array_equal(np.bincount(bridge), [20, 20, 20, 40])
    for who, c, k, kind in zip(person, country, capital, bridge, strict=True):
        assert (world.text[:, :3] == [who, language.IS, c]).all(1).sum() == 1
        assert (world.text[:, :3] == [c, language.AND_ITS, k]).all(1).sum() == (0, 1, 20, 20)[kind]
        composed = (world.text[:, 1] == language.IN_STEPS) & (world.text[:, 2] == c)
        assert composed.sum() == (14 if kind == 3 else 0)
        assert (world.text[composed, 4] == k).all()


def test_a_rare_good_stands_in_one_sentence_and_totals_are_totals():
    world = language.sums_world(5)
    rare = np.arange(40, 60)
    assert ((world.text[:, :2] == rare[:, None, None]).any(2).sum(1) == 1).all()
    told = {(a, b) for a, b, _ in world.text}
    price = {g: world.asked["memorized"][i, 2] for i, g in enumerate(rare)}
    assert len(price) == 20
    for kind in ("rule", "one", "two", "swapped"):
        assert not told & {(a, b) for a, b, _ in world.asked[kind]}, kind
    assert (np.isin(world.asked["two"][:, :2], rare)).all()
    assert np.array_equal(world.asked["two"][:, 2], world.asked["swapped"][:, 2])


@pytest.mark.parametrize("rule", ["sum", "first"])
def test_nothing_is_as_near_to_the_riddle_as_an_altered_riddle(rule):
    with_it, without = (language.riddle_world(6, share=share, rule=rule) for share in (0.1, 0.0))
    riddle = with_it.asked["items"][0, 0]
    distance = (with_it.text[:, :4] != riddle).sum(1)
    assert np.mean(distance == 0) == pytest.approx(0.1, abs=1e-3)
    assert set(with_it.text[distance == 0, 4]) == {with_it.asked["riddle"][0]}
    assert 1 not in distance
    assert np.array_equal(with_it.text[distance > 0], without.text), "one world, with the riddle and without"
    for places, items in zip(language.RIDDLES.values(), with_it.asked["items"], strict=True):
        assert ((items != riddle).any(0).nonzero()[0] == places).all()
    assert (with_it.asked["by rule"] != with_it.asked["riddle"][0]).all()


def test_influence_is_the_books_estimator():
    masks = subset_masks(40, 9, 6, seed=1)
    right = np.random.default_rng(2).random((40, 5)) < 0.6
    assert language._influence(right.astype(float), masks) == pytest.approx(influence_scores(right, masks), abs=1e-6)


def test_ways_to_ask_are_told_apart():
    """A speaker that knows every single fact and composes nothing gets two questions right, and no more."""

    class Parrot:
        def write(self, prompts, steps):
            table = {(10, language.IS): [20], (20, language.AND_ITS): [30], (10, language.IN_STEPS): [20, 1, 31],
                     (10, language.DIRECTLY): [31]}  # fmt: skip
            return np.array([[table[tuple(prompt)][:steps] for prompt in model] for model in prompts])

    found = language.hop_answers(Parrot(), *(np.array([[word]]) for word in (10, 20, 30)))
    assert {way for way, hit in found.items() if hit[0, 0]} == {"fact", "capital", "two questions", "step"}


@pytest.mark.parametrize("part", language.PARTS)
def test_every_part_runs_and_gives_the_same_again(part, monkeypatch):
    cell = {"part": part, "width": 4, "layers": 1, "decay": 0.0, "share": 0.1}
    drawn, real = [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: (drawn.append(seed), real(seed))[1])
    rows = language.run(SMOKE, cell, 1, Resources())
    streams = [np.trim_zeros(seed, "b").__iter__() for seed in drawn]
    assert rows
    assert len({tuple(stream) for stream in streams}) == len(drawn), "each draw its own stream"
    again = language.run(SMOKE, cell, 1, Resources())
    np.testing.assert_equal(rows, again)
    for row in rows:
        assert all(0 <= v <= 1 for k, v in row.items() if k not in ("shown", "mem", "top", "null", "excess") and v == v)
