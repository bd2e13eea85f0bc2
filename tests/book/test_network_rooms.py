"""The chapters on the one-shots, the dials and what hurts: their drawings follow the data, their theory is exact."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from book.limits import faults
from book.networks import dials as dial
from book.networks import one_shots as micro
from book.shared import additive
from companion.experiments import experiment
from companion.neural import tasks
from tests.pictures import checked, made, twice


def pair_row(errors, model="sum", seed=0, channel=None):
    """A row of `table1` for a network whose errors add up exactly; glyphs of one channel never meet."""
    channel = np.arange(10) % 3 if channel is None else channel
    row = {"model": model, "weight_decay": 0.0, "seed": seed}
    for g, e in enumerate(errors):
        row |= {f"fit_{g}": e, f"new_{g}": e, f"pairs_{g}": e**2}
        for b in range(g + 1, 10):
            row[f"pair_{g}_{b}"] = float("nan") if channel[g] == channel[b] else (e + errors[b]) ** 2
    return row


def test_the_map_of_pairs_is_symmetric_and_empty_where_glyphs_share_a_channel():
    losses = micro.pair_map(pair_row(np.arange(10.0)))
    np.testing.assert_array_equal(losses, losses.T)
    assert np.isnan(losses[0, 3])
    assert np.isnan(losses[4, 4])
    assert losses[1, 2] == 9.0
    assert int(np.isnan(losses).sum()) == 10 + 2 * 12


def test_additive_errors_predict_every_pair():
    rows = [pair_row(np.random.default_rng(s).normal(size=10), seed=s) for s in (0, 1)]
    measured, predicted = micro.explained_by_glyphs(made("table1", ("model", "weight_decay"), rows), "sum", 0.0)
    assert len(measured) == 2 * 33
    np.testing.assert_allclose(measured, predicted)


def test_maps_and_scatter_say_what_they_were_given():
    one_bad = np.zeros(10)
    one_bad[9] = 4.0
    rows = [pair_row(one_bad, model, s) for model in ("sum", "cross-channel") for s in (0, 1)]
    stored = made("table1", ("model", "weight_decay"), rows)
    with_nine = int((~np.isnan(micro.pair_map(rows[0])[9])).sum())
    assert f"Sum seed 0 {with_nine} of 33 pairs off by more than 1" in checked(micro.fig_which_pairs(stored)).alt
    assert f"Sum {np.sqrt(1.6):.2f} there" in checked(micro.fig_seen_and_used(stored)).alt


def test_training_triples_are_drawn_in_the_order_of_their_labels():
    task = tasks.digit_sums(source="embedded", triples=60, test_triples=30, seed=0)
    row = pair_row(np.zeros(10))
    picture = checked(micro.fig_training_triples(task, {"sum": row}))
    assert ", ".join(f"{g}.0" for g in range(10)) in picture.alt, "errors of zero read every label"
    shown = [t for t in ET.fromstring(picture.svg).itertext() if t.startswith("= ")]
    by_label = {
        int(labels[index >= len(task.bank) - 10][0]): target
        for index, labels, target in zip(task.train.index, task.train.labels, task.train.target, strict=True)
        if (index >= len(task.bank) - 10).any()
    }
    assert shown == [f"= {by_label[g]:g}" for g in range(10)]


@pytest.mark.parametrize("law", [additive.training_law(), additive.pairs_law(), additive.training_law(2.0)])
def test_a_sum_is_explained_whole_and_other_targets_in_part(law):
    assert additive.best_additive(law, "sum").share == pytest.approx(1.0)
    for target in ("product", "xor"):
        found = additive.best_additive(law, target)
        assert 0 < found.share < 0.8
        assert found.mean == pytest.approx(float(law.ravel() @ _values(target)))


def test_the_law_of_pairs_holds_those_that_can_meet():
    """Of one seed, the pairs of its test and no others; of all pairs, the law over all seeds."""
    task = tasks.digit_sums(source="embedded", triples=60, test_triples=990, seed=3)
    law = additive.pairs_law(pairs=task.pairs)
    assert law.sum() == pytest.approx(1.0)
    meet = {tuple(sorted(pair)) for pair in task.pairs.tolist()}
    assert {tuple(sorted(pair)) for pair in np.argwhere(law.sum(axis=2) > 0).tolist()} == meet
    of_pair = law.sum(axis=2)
    assert of_pair[of_pair > 0] == pytest.approx(1 / (2 * len(meet)))
    every = np.array([(a, b) for a in range(10) for b in range(a)])
    np.testing.assert_allclose(additive.pairs_law(pairs=every), additive.pairs_law())


def _values(target):
    labels = np.indices((10, 10, 10)).reshape(3, -1).T
    return tasks.combine(labels, target).astype(float)


@pytest.mark.parametrize("weight", [np.ones((2, 2)), np.full((2, 2, 2), 1.0), -np.ones((1, 1, 1))])
def test_a_law_on_triples_is_asked_for(weight):
    with pytest.raises(ValueError, match="probabilities"):
        additive.best_additive(weight, "sum")


def test_a_constant_target_and_labels_that_are_all_zero_have_no_share():
    certain = np.zeros((2, 2, 2))
    certain[1, 1, 1] = 1.0
    with pytest.raises(ValueError, match="constant"):
        additive.best_additive(certain, "sum")
    with pytest.raises(ValueError, match="positive mean"):
        additive.product_share([np.array([1.0, 0.0])] * 3)
    with pytest.raises(ValueError, match="constant"):
        additive.xor_share([np.array([0.0, 1.0])] * 3)


def test_shares_of_independent_labels_follow_their_formulas():
    """Two bits: fair ones leave a sum of parts nothing to say; one biased bit of two does, by hand."""
    fair, biased = np.array([0.5, 0.5]), np.array([0.2, 0.8])
    certain = np.array([1.0, 0.0])
    assert additive.xor_share([fair, fair, biased]) == pytest.approx(0.0, abs=1e-12)
    assert additive.xor_share([biased, certain, certain]) == pytest.approx(1.0)
    left = 2 * 0.6**2 * 0.64 / (1 - 0.6**4)  # two labels with mean sign -0.6 and variance 0.64, one that is certain
    assert additive.xor_share([biased, biased, certain]) == pytest.approx(left)
    laws = list(np.random.default_rng(1).dirichlet(np.ones(10), size=3))
    weight = np.einsum("a,b,c->abc", *laws)
    assert additive.xor_share(laws) == pytest.approx(additive.best_additive(weight, "xor").share)
    assert additive.product_share(laws) == pytest.approx(additive.best_additive(weight, "product").share)


def losses(scale):
    return {"train": 0.1 * scale, "in_distribution": 0.5, "one_shot_train": scale, "composition": 2 * scale}


def test_dials_say_both_ends():
    grid = [(wd, s) for wd in (0.0, 0.5, 4.0) for s in (0, 1)]
    swept = made("table1", ("model", "weight_decay"), [
        {"model": "sum", "weight_decay": wd, "seed": s, **losses((1 + wd) * 1.25 ** (2 * s - 1))} for wd, s in grid
    ])  # fmt: skip
    course = [
        {"model": m, "weight_decay": wd, "seed": s, "epoch": e, **losses(10 / e * 1.25 ** (2 * s - 1))}
        for m in ("sum", "cross-channel")
        for wd in (0.0, 0.5)
        for s in (0, 1)
        for e in (3, 6)
    ]
    along = made("epochs", ("model", "weight_decay", "epoch"), course)
    assert dial.values_of(swept, "weight_decay", model="sum") == [0.0, 0.5, 4.0]
    alt = checked(dial.fig_dials(swept, along)).alt
    assert "From decay 0 to 4: training 0.1 to 0.5" in alt
    assert "two glyphs 2 to 10" in alt
    assert "From epoch 3 to 6" in alt
    assert "Cross-channel, decay 0.5: training 0.17" in checked(dial.fig_training(along)).alt
    one = [r for r in course if r["model"] == "sum" and r["weight_decay"] == 0.0 and r["seed"] == 0]
    assert "epoch 3 to 6: training 0.27 to 0.13" in checked(dial.fig_course(one)).alt


def test_doses_are_compared_with_the_same_draw_and_start_without_decay():
    settings = experiment("dials").presets["cpu"]
    cell = {"hidden": settings.hidden, "epochs": settings.epochs, "triples": settings.triples, "start": 0}
    scored = [cell | {"dose": dose} for dose in (0.0, 0.1, 1.0)]
    result = made("dials", ("hidden", "epochs", "triples", "start", "dose"), twice(scored, score))
    cells = [
        {"hidden": width, "dose": dose, "initialization": start, "order": order}
        for width in (64, 128)
        for dose in (0.0, 0.1, 1.0)
        for start in (0, 1)
        for order in (0, 1)
    ]

    def values(cell, seed):
        scale = (1 + 9 * cell["dose"]) * (1 + seed) * (1 + cell["initialization"])  # tenfold at dose 1, whatever else
        return losses(scale) | {"in_distribution": 0.5 * (1 + seed)}

    spread = made("spread", ("hidden", "dose"), twice(cells, values))
    factors = dial.dosed(spread, "composition", 128)
    assert [f["mean"] for f in factors.values()] == pytest.approx([1.9, 10.0])
    alt = checked(dial.fig_doses(result, spread)).alt
    assert "two glyphs, width 64: 1.9, 10" in alt
    assert "in distribution, width 128: 1, 1" in alt
    assert "0.81 at 0, " in alt
    assert dial.drawn(spread, "one_shot_train", 64, 0.0) == pytest.approx(np.log([[[1, 1], [2, 2]], [[2, 2], [4, 4]]]))


def score(cell, seed):
    return {"mem": 0.8 / (1 + cell["dose"]) + 0.01 * seed}


def test_the_parts_of_a_spread_are_found_without_bias():
    """Planted variances in 400 worlds: estimates within four standard errors, intervals that hold the share in most."""
    rng, planted = np.random.default_rng(5), np.array([1.0, 0.5, 0.25, 0.1])
    shapes = (10, 1, 1), (10, 3, 1), (10, 1, 3), (10, 3, 3)
    worlds = [sum(np.sqrt(v) * rng.normal(size=s) for v, s in zip(planted, shapes, strict=True)) for _ in range(400)]
    found = np.array([dial.components(world) for world in worlds])
    assert (abs(found.mean(0) - planted) < 4 * found.std(0) / 20).all()
    known = planted / planted.sum()
    held = [[s["low"] <= k <= s["high"] for s, k in zip(dial.shares(w), known, strict=True)] for w in worlds[:150]]
    assert (np.mean(held, axis=0) > 0.82).all()  # 0.90 to 0.93 over 300 worlds


def test_faults_and_targets_say_their_means():
    rows = [
        {"case": case, "model": m, "seed": s, "touched": 12.0 * 9.0**s, "untouched": 1.0, "explained": 0.5 - 3 * s}
        for case in ("clean", "mislabelled", "together", "product", "xor")
        for m in ("sum", "2-layer", "cross-channel")
        for s in (0, 1)
    ]
    stored_faults = made("hurts", ("case", "model"), rows)
    # losses geometric means, of 12 and 108; shares, which can be negative, arithmetic
    assert "Sum, wrong label: 36.0 and 1.0" in checked(faults.fig_faults(stored_faults)).alt
    alt = checked(faults.fig_targets(stored_faults, {"sum": [1.0, 1.0], "product": [0.5, 0.7], "xor": [0.3, 0.4]})).alt
    assert "xor, 2-layer -1.00" in alt
    assert "product 0.60 (0.50 to 0.70)" in alt


def test_readings_name_the_glyphs_that_a_fault_touches():
    read = {"clean": range(10), "together": [0, 1, 4.5, 3, 4, 5, 6, 4.5, 8, 9]}
    alt = checked(faults.fig_harmed_readings(read, {"together": [2, 7]})).alt
    assert "the 2 as 4.5, the 7 as 4.5" in alt
    assert "nothing wrong: all within 0.0" in alt
    off_by_two = {"clean": [*range(9), 7.0]}
    assert "all within 2.0" in checked(faults.fig_harmed_readings(off_by_two, {})).alt
