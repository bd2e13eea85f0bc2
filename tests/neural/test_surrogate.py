"""Small networks trained side by side are those that one would train one by one."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from companion.experiments import experiment
from companion.experiments.surrogate import before
from companion.neural import study, surrogate
from companion.neural.tasks import digit_sums
from companion.neural.train import Recipe, epoch_order, learning_rate
from companion.runner.experiment import Resources

SIZE = {"source": "embedded", "triples": 60, "test_triples": 90}
SMALL = {"hidden": 6, "epochs": 3, "batch": 16}


@pytest.fixture(scope="module")
def tasks():
    return [digit_sums(**SIZE, seed=s) for s in (0, 1)]


def by_hand(model, task, seed, decay, coupled=False):
    """The same network with torch's own layers and optimizer; returns its losses on training and on pairs."""
    start, lr = surrogate._initial(model, seed, 6), 1e-2
    layers = {}
    for name in (n for n in start if not n.endswith("_bias")):
        layers[name] = torch.nn.Linear(*start[name].shape)
        layers[name].weight.data, layers[name].bias.data = start[name].T.clone(), start[name + "_bias"][0].clone()
    net = torch.nn.ModuleDict(layers)

    def answer(index):
        images = torch.from_numpy(surrogate.small(task.bank)[index])
        apart = images.flatten(1) if model == "cross-channel" else images
        code = torch.relu(net["encode_again"](torch.relu(net["encode"](apart))))
        if model == "sum":
            return net["read"](code).sum((1, 2))
        code = code.flatten(1)
        return net["read"](torch.relu(net["mix"](code)) if model == "2-layer" else code)[:, 0]

    kind = torch.optim.Adam if coupled else torch.optim.AdamW
    optimizer, n, recipe = kind(net.parameters(), lr=lr, weight_decay=decay), len(task.train), Recipe(3, 16, lr)
    per_epoch = math.ceil(n / 16)
    for step in range(3 * per_epoch):
        epoch, i = divmod(step, per_epoch)
        rows = epoch_order(n, epoch, seed)[i * 16 : (i + 1) * 16]
        loss = ((answer(task.train.index[rows]) - torch.from_numpy(task.train.target[rows])) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.param_groups[0]["lr"] = learning_rate(step, 3 * per_epoch, recipe)
        optimizer.step()
    with torch.no_grad():
        return [
            float(((answer(s.index) - torch.from_numpy(s.target)) ** 2).mean())
            for s in (task.train, task.tests["composition"])
        ]


@pytest.mark.parametrize("model", ["sum", "linear", "2-layer", "cross-channel"])
def test_a_run_is_what_torch_trains_alone(model, tasks):
    found = surrogate.train(model, tasks, [3, 4], (0.0, 0.5), lr=1e-2, **SMALL)
    for i, decay in ((0, 0.0), (1, 0.5)):
        there = [found[key][1, i] for key in ("train", "composition")]
        np.testing.assert_allclose(there, by_hand(model, tasks[1], 4, decay), rtol=1e-3)


def test_coupled_decay_is_that_of_adam(tasks):
    found = surrogate.train("sum", tasks[:1], [3], (0.1,), lr=1e-2, where="coupled", **SMALL)
    np.testing.assert_allclose(found["train"][0, 0], by_hand("sum", tasks[0], 3, 0.1, coupled=True)[0], rtol=1e-3)


def test_decay_acts_where_it_is_told_to(tasks):
    losses = {
        w: surrogate.train("2-layer", tasks[:1], [3], (0.0, 5.0), where=w, **SMALL)["train"][0]
        for w in surrogate.PLACES
    }
    assert len({round(float(v[0]), 9) for v in losses.values()}) == 1, "without decay there is nothing to place"
    assert len({round(float(v[1]), 6) for v in losses.values()}) == 4


def test_errors_of_glyphs_make_up_their_losses(tasks):
    found = surrogate.train("sum", tasks, [0, 1], (0.0,), **SMALL)
    np.testing.assert_allclose((found["fit"] ** 2).mean(axis=2), found["one_shot_train"])
    assert (found["new"] ** 2).mean() <= found["one_shot_new"].mean() + 1e-9


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seeds": [0]}, "as many tasks as seeds"),
        ({"decays": ()}, "a decay"),
        ({"where": "stem"}, "where"),
        ({"model": "attention"}, "model"),
    ],
)
def test_bad_arguments_are_named(tasks, changed, said):
    given = {"model": "sum", "tasks": tasks, "seeds": [0, 1], "decays": (0.0,), **SMALL, **changed}
    with pytest.raises(ValueError, match=said):
        surrogate.train(**given)


@pytest.mark.parametrize("model", ["sum", "cross-channel"])
def test_on_subsets_is_train_on_a_task_of_each_subset(model, tasks):
    subsets = np.stack([np.random.default_rng(s).permutation(60) < 40 for s in range(2)])
    test = tasks[0].tests["composition"]
    answers = surrogate.on_subsets(model, tasks[0], subsets, [3, 4], lr=1e-2, **SMALL)(test)
    losses = ((answers - test.target) ** 2).mean(axis=1)
    for keep, seed, loss in zip(subsets, (3, 4), losses, strict=True):
        kept = tasks[0].train.take(np.flatnonzero(keep))
        one = dataclasses.replace(tasks[0], train=kept, one_shot_rows=np.arange(10))
        alone = surrogate.train(model, [one], [seed], (0.0,), lr=1e-2, **SMALL)
        np.testing.assert_allclose(loss, alone["composition"][0, 0], rtol=1e-3)
    assert abs(losses[0] - losses[1]) > 1e-3 * losses[0], "two subsets, two networks"


@pytest.mark.parametrize(
    ("subsets", "said"),
    [
        (np.arange(60) < [[20], [30]], "as many"),
        (np.zeros((2, 60), dtype=bool), "at least one"),
        (np.ones((3, 60), dtype=bool), "a row a seed"),
        (np.ones((2, 60)), "bool"),
    ],
)
def test_subsets_that_cannot_be_trained_side_by_side_are_refused(tasks, subsets, said):
    with pytest.raises(ValueError, match=said):
        surrogate.on_subsets("sum", tasks[0], subsets, [0, 1], **SMALL)


def test_the_experiment_pairs_its_rows_along_the_dial():
    known = experiment("surrogate")
    settings = dataclasses.replace(known.presets["smoke"], triples=60, test_triples=60, hidden=4, epochs=1)
    of_sum, crossed = (known.run(settings, {"model": m}, 0, Resources()) for m in ("sum", "cross-channel"))
    rows = of_sum + crossed
    assert [row["weight_decay"] for row in of_sum] == list(settings.dial)
    assert [row["weight_decay"] for row in crossed] == list(settings.decays)
    assert len({row["baseline_best_constant"] for row in rows}) == 1, "one draw, whatever the cell"
    assert np.isfinite([value for row in rows for value in row.values()]).all()


def test_what_is_known_of_a_glyph_is_measured_on_the_pictures(tasks):
    task = tasks[0]
    known, first = before(task), len(task.bank) - 10
    pictures = surrogate.small(task.bank)
    seen = sorted({int(i) for i in task.train.index.ravel() if i < first})
    far = [float(np.sqrt(np.mean((pictures[i] - pictures[first + 3]) ** 2))) for i in seen]
    assert known["digit_3"] == pytest.approx(min(far))
    nearest = seen[int(np.argmin(far))]
    assert known["label_3"] == task.train.labels[task.train.index == nearest][0] - 3
    assert known["ink_3"] == pytest.approx(pictures[first + 3].mean())
    assert known["glyph_3"] > 0


def test_the_papers_preset_has_no_less_decay_between_visits_than_a_stored_run():
    known = experiment("table1")
    paper, stored = (study.dose(known.presets[preset], 0.5) for preset in ("paper", "cpu"))
    assert paper >= stored
    assert study.dose(known.presets["cpu"], 1.0) == 2 * stored


def test_the_dials_are_turned_one_at_a_time():
    known = experiment("dials")
    settings = dataclasses.replace(known.presets["smoke"], hidden=4, wide=6, epochs=1, others=(("epochs", 2),))
    base, wide, longer = known.cells(settings)
    assert (wide, longer) == (base | {"hidden": 6}, base | {"epochs": 2})
    rows = known.run(settings, base, 0, Resources())
    assert {(row["start"], row["dose"]) for row in rows} == {(s, d) for s in (0, 1) for d in settings.doses}
    assert all(-1 <= row["mem"] <= 1 for row in rows if row["start"] == 0)
    assert [row["dose"] for row in known.run(settings, longer, 0, Resources())] == [0.0]


def test_a_score_counts_a_glyph_right_with_it_and_wrong_without(monkeypatch):
    """A network that knows exactly the glyphs in training has the score 1."""
    known = experiment("dials")
    settings = known.presets["smoke"]

    def knows(model, tasks, seeds, decays, **recipe):
        shape = len(tasks), len(decays)
        kept = [np.isin(range(10), t.train.index.max(axis=1) - (len(t.bank) - 10)) for t in tasks]
        new = np.stack([np.where(k, 0.0, 3.0) for k in kept])[:, None].repeat(len(decays), axis=1)
        return {"train": np.ones(shape), "new": new}

    monkeypatch.setattr(surrogate, "train", knows)
    rows = known.run(settings, known.cells(settings)[0], 0, Resources())
    assert {row["mem"] for row in rows if "mem" in row} == {1.0}


def test_a_pool_changes_the_images_of_digits_and_nothing_else():
    every, few = (digit_sums(source="embedded", triples=120, test_triples=60, seed=3, pool=pool) for pool in (None, 50))
    np.testing.assert_array_equal(every.train.labels, few.train.labels)
    np.testing.assert_array_equal(every.one_shot_rows, few.one_shot_rows)
    np.testing.assert_array_equal(every.tests["composition"].index, few.tests["composition"].index)
    first = len(every.bank) - 10
    seen = [np.unique(task.train.index[task.train.index < first]) for task in (every, few)]
    assert len(seen[1]) <= 50 < len(seen[0])


def test_a_glyph_counts_as_misread_elsewhere_only_if_its_triple_is_fitted(monkeypatch):
    known = experiment("pools")
    fit, new = np.array([0.1, -0.4, 0.6, 3.0] + 6 * [0.0]), np.array([2.0, -0.9, 5.0, 5.0] + 6 * [-1.5])
    found = {"fit": fit[None, None], "new": new[None, None], "composition": np.array([[2.0]])}
    monkeypatch.setattr(surrogate, "train", lambda *args, **recipe: found)
    (row,) = known.run(known.presets["smoke"], {"pool": 50}, 0, Resources())
    assert (row["fitted"], row["elsewhere"], row["composition"]) == (8, 7, 2.0)
    assert row["fit_size"] == pytest.approx(np.sqrt(np.mean(fit**2)))
