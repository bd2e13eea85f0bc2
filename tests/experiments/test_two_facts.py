"""Two facts left out: what each model lacks, what it then reads, and what the rows say of it."""

import numpy as np

from companion.experiments import language, two_facts
from companion.runner.experiment import Resources

SMOKE = two_facts.EXPERIMENT.presets["smoke"]


def test_every_two_facts_are_both_there_and_both_missing_in_as_many_models():
    first, second = two_facts.dealt(np.random.default_rng(1), 10, 7, rounds=2)
    assert (len(first), len(second)) == (32, 32)
    for a, b, models in ((True, True, 18), (False, True, 6), (True, False, 6), (False, False, 2)):
        assert (((first == a)[:, :, None] & (second == b)[:, None, :]).sum(0) == models).all()


def test_a_model_reads_no_sentence_of_a_fact_that_it_lacks_and_every_other():
    text = np.arange(12).reshape(4, 3)
    told = (np.array([[1, 0, 0, 0], [0, 1, 1, 0]], bool), np.array([[0, 0, 1, 0]], bool))
    kept = (np.array([[1, 1], [0, 1], [1, 1], [1, 0]], bool), np.array([[1], [1], [0], [0]], bool))
    read = two_facts.without(text, told, kept)
    blank = [[], [0], [2], [1, 2]]
    for model, lost in zip(read, blank, strict=True):
        assert (model[lost] == -1).all()
        rest = np.setdiff1d(np.arange(4), lost)
        assert np.array_equal(model[rest], text[rest])


def test_a_capital_left_out_is_told_nowhere():
    world = language.hops_world(4)
    told = two_facts.capitals_told(world)
    country, place = np.unique(world.asked["country"], return_index=True)
    for c, capital, kind, sentences in zip(
        country, world.asked["capital"][place], world.asked["bridge"][place], told, strict=True
    ):
        rest = world.text[~sentences]
        people = rest[(rest[:, 1] == language.IS) & (rest[:, 2] == c), 0]
        assert sentences.sum() == (0, 1, 20, 48)[kind]
        assert not ((rest == c).any(1) & (rest == capital).any(1)).any()
        assert not (np.isin(rest[:, 0], people) & (rest == capital).any(1)).any()
        assert len(people) == (18 if kind == 3 else 4), "where people live is still told"


def test_rows_tell_what_a_model_has_from_what_it_lacks():
    """Models that know what they read, and compose what they know: right only with both facts."""
    first, second = two_facts.dealt(np.random.default_rng(1), 8, 8, rounds=1)
    kinds = np.array(["a"] * 4 + ["b"] * 4)
    rows = two_facts.judged((first, second), (first, second), {"way": first & second}, kinds, last=True)
    pairs = [row for row in rows if not row["lacking"]]
    found = [(row["shown"], row["pairs"], row["weaker"], row["way"]) for row in pairs]
    assert found == [("a", 4, 1, 1), ("b", 4, 1, 1)]
    assert {(row["shown"], row["lacking"]): row["way"] for row in rows if row["lacking"]} == {
        (kind, lack): float(lack == "neither") for kind in "ab" for lack in two_facts.LACKING
    }
    ignorant = two_facts.judged((first | True, ~second), (first, second), {"way": ~first}, kinds, last=False)
    assert [tuple(row[k] for k in ("first", "second", "weaker", "way")) for row in ignorant] == [(0, -1, -1, 0)] * 2
    known, composed = second & (np.arange(8) != 0), first & second & (np.arange(8) != 1)
    mixed = two_facts.judged((first, known), (first, second), {"way": composed}, np.full(8, "a"), last=False)
    found = [(row["pairs"], row["weaker"], row["second"], row["way"]) for row in mixed]
    assert found == [(1, 0, 0, 1), (7, 1, 1, 6 / 7)]


def test_pairs_of_goods_are_judged_by_the_sentences_of_their_goods(monkeypatch):
    """Models that are right exactly where they read the sentence of a good: every score is 1."""
    seen = {}
    monkeypatch.setattr(two_facts, "speak", lambda settings, worlds, seed, after_epoch, **_: (
        seen.update(texts=np.stack([w.text for w in worlds])), after_epoch(settings.epochs, None)))  # fmt: skip

    def ask(speakers, a, b):
        told = (seen["texts"][:, :, 0, None] == a) & (seen["texts"][:, :, 1, None] == b)
        return (np.max(np.where(told, seen["texts"][:, :, 2, None], -1), axis=1))[..., None]

    monkeypatch.setattr(two_facts, "ask", ask)
    rows = two_facts.sums(SMOKE, 0.0, 3, 0)
    pairs = [row for row in rows if not row["lacking"]]
    assert sum(row["pairs"] for row in pairs) == 30
    assert all((row["first"], row["second"], row["total"]) == (1, 1, 0) for row in pairs), "pairs themselves are new"


def test_every_part_runs_draws_its_own_streams_and_gives_the_same_again(monkeypatch):
    drawn, real = [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: (drawn.append(seed), real(seed))[1])
    for cell in two_facts.cells(SMOKE):
        drawn.clear()
        rows = two_facts.run(SMOKE, cell, 1, Resources())
        assert len({tuple(np.trim_zeros(seed, "b")) for seed in drawn}) == len(drawn)
        np.testing.assert_equal(rows, two_facts.run(SMOKE, cell, 1, Resources()))
        assert {row["epoch"] for row in rows if not row["lacking"]} == set(SMOKE.watched)
        assert {row["lacking"] for row in rows} == {"", *two_facts.LACKING}
