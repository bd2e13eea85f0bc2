"""Figures of the networks' chapters are well-formed, say what they show, and follow the data."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from book.networks import architectures, dials, one_shots, table1
from companion.neural import tasks
from companion.runner import results
from tests.pictures import checked, made


def test_the_architectures_are_drawn_and_named():
    root = ET.fromstring(checked(architectures.fig_architectures()).svg)
    words = " ".join(t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}text"))
    for name in ("Sum", "Linear", "2-layer", "Cross-channel"):
        assert name in words
    assert words.count("ResNet-18") == 10, "three for each split model, one for the cross-channel one"


def test_triples_are_captioned_with_their_own_sums():
    task = tasks.digit_sums(source="embedded", triples=60, test_triples=30, seed=0)
    picture = table1.fig_triples(task)
    checked(picture)
    labels, target = task.tests["composition"].labels[0], task.tests["composition"].target[0]
    assert f"{' + '.join(map(str, labels))} = {target:g}" in picture.alt


@pytest.mark.parametrize("exponent", [0.0, 2.0])
def test_frequencies_say_how_many_triples_hold_a_digit(exponent):
    picture = table1.fig_frequencies(exponent, train=1000)
    checked(picture)
    p = tasks.zipf(exponent)[9]
    assert f"{1000 * (1 - (1 - p) ** 3):,.0f} a 9" in picture.alt


def test_the_slope_is_minus_one_when_every_glyph_is_taken_for_the_same_digit():
    rows = [
        {"model": m, "weight_decay": 0.0, "seed": s, **{f"new_{g}": (3.0 - g) * blind for g in range(10)}}
        for m, blind in (("sum", 0.0), ("cross-channel", 1.0))
        for s in (0, 1)
    ]
    stored = made("table1", ("model",), rows)
    assert one_shots.slope(stored, "sum", 0.0) == pytest.approx(0.0)
    assert one_shots.slope(stored, "cross-channel", 0.0) == pytest.approx(-1.0)


def test_stored_table1_can_be_drawn():
    stored = results.load("table1", preset="cpu")
    for picture in (table1.fig_table1(stored), one_shots.fig_one_shots(stored)):
        checked(picture)


def test_scores_come_from_the_rows_of_their_own_run():
    """A glyph right exactly when it was in training has score 1; one always right has score 0."""
    rows = []
    for seed in range(4):
        kept = np.random.default_rng(seed).permutation(10)[:5]
        for g in range(10):
            correct = float(g < 2 or g in kept)
            rows.append({"seed": seed, "kind": "glyph", "item": g, "kept": int(g in kept), "correct": correct})
        rows.append({"seed": seed, "kind": "pair", "item": -1, "kept": 1, "square": 1.0})
    correct, included = dials.correct_and_kept(rows)
    assert included.sum(axis=1).tolist() == [5] * 4
    assert correct[:, :2].all()
    np.testing.assert_array_equal(correct[:, 2:], included[:, 2:])
    outside = (~included[:, :2]).sum(axis=1) / 5
    np.testing.assert_allclose(dials.score_by_run(rows), 1 - outside)


def test_measured_scores_are_drawn():
    checked(dials.fig_measured(results.load("measured", preset="smoke")))


def test_fit_and_composition_are_drawn_run_by_run():
    """Each run at a decay that all models have is a mark; the words name the best and the worst split model."""
    stored = results.load("table1", preset="cpu")
    picture = table1.fig_fit_and_compose(stored)
    checked(picture)
    split = [row for row in stored.rows if row["model"] != "cross-channel" and row["weight_decay"] in (0.0, 0.5)]
    best = min(split, key=lambda row: row["one_shot_train"])
    assert f"from {best['one_shot_train']:.2f} and {best['composition']:.2f}" in picture.alt
