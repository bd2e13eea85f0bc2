"""Training many networks at once is training each of them."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from companion.memorization import (
    Recipe,
    ensemble_blocks,
    ensemble_correct,
    memorization_scores,
    subset_masks,
    train_ensemble,
)
from tests.devices import CUDA

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.data[:300] / 16, data.target[:300]


def one_network(X, y, rows, recipe, seed, number):
    """The same network by the plainest means: torch.nn, one model, its own loop; shares no code with the package."""
    stream = np.random.default_rng((seed, number))
    outputs = 1 if recipe.loss == "squared" else int(y.max()) + 1
    sizes = (X.shape[1], *recipe.hidden, outputs)
    layers = []
    for a, b in pairwise(sizes):
        layer = torch.nn.Linear(a, b, dtype=torch.float64)
        start = (2 * stream.random((a + 1, b), dtype=np.float32) - 1) / np.float32(a) ** 0.5
        with torch.no_grad():
            layer.weight.copy_(torch.as_tensor(start[:a].T.copy()))
            layer.bias.copy_(torch.as_tensor(start[a].copy()))
        layers += [layer, torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.SGD(
        net.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    data = torch.as_tensor(X, dtype=torch.float64)
    for _ in range(recipe.epochs):
        order = rows[stream.permutation(len(rows))]
        for a in range(0, len(order), recipe.batch):
            b = order[a : a + recipe.batch]
            optimizer.zero_grad()
            if recipe.loss == "squared":
                loss = torch.nn.functional.mse_loss(net(data[b])[:, 0], torch.as_tensor(y[b], dtype=torch.float64))
            else:
                loss = torch.nn.functional.cross_entropy(net(data[b]), torch.as_tensor(y[b]))
            loss.backward()
            optimizer.step()
    return net(data).detach().numpy()


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(hidden=(16, 8), epochs=3, batch=50, weight_decay=1e-3, precision="float64"),
        Recipe(hidden=(), epochs=3, precision="float64"),
        Recipe(hidden=(), epochs=3, lr=0.01, loss="squared", precision="float64"),
    ],
    ids=["mlp", "logistic", "linear"],
)
def test_each_network_is_the_one_trained_alone(digits, recipe):
    """Against an independent loop over torch.nn, in float64: same weights, subsets, shuffles, so same outputs."""
    X, y = digits
    included = subset_masks(5, len(X), 210, seed=0)
    together = train_ensemble(X, y, included, recipe=recipe, seed=3).outputs(X)
    for k, mask in enumerate(included):
        alone = one_network(X, y, np.flatnonzero(mask), recipe, 3, k + 1)
        np.testing.assert_allclose(together[k], alone, atol=1e-9)


def test_a_model_does_not_depend_on_its_neighbours(digits):
    """Blocks of any size give the same models, within float32 rounding."""
    X, y = digits
    included = subset_masks(6, len(X), 210, seed=0)
    recipe = Recipe(epochs=2)
    whole = train_ensemble(X, y, included, recipe=recipe, seed=1).outputs(X)
    last = train_ensemble(X, y, included[4:], recipe=recipe, seed=1, first=4).outputs(X)
    np.testing.assert_allclose(whole[4:], last, atol=1e-4)


def test_products_in_bfloat16_train_the_same_networks_roughly(digits):
    """Weights stay float32 and move with every step; outputs differ by the 8 bits of the products, not more."""
    X, y = digits
    included = subset_masks(3, len(X), 210, seed=0)
    full, short = (
        train_ensemble(X, y, included, recipe=Recipe(epochs=2, precision=precision), seed=1)
        for precision in ("float32", "bfloat16")
    )
    assert all(w.dtype == torch.float32 for w in short.weights)
    gap = np.abs(full.outputs(X) - short.outputs(X))
    assert 1e-4 < gap.max() < 0.5
    assert np.mean(full.predict(X) == short.predict(X)) > 0.9


def test_models_see_their_own_rows_only(digits):
    """Garbage in the rows that a model leaves out changes nothing in it."""
    X, y = digits
    included = subset_masks(2, len(X), 200, seed=0)
    recipe = Recipe(epochs=2, precision="float64")
    spoiled = X.copy()
    spoiled[~included[0]] = 99.0
    a = train_ensemble(X, y, included[:1], recipe=recipe, seed=0).outputs(X)
    b = train_ensemble(spoiled, y, included[:1], recipe=recipe, seed=0).outputs(X)
    np.testing.assert_allclose(a, b, atol=1e-12)


def test_outputs_do_not_depend_on_the_memory_limit(digits):
    X, y = digits
    nets = train_ensemble(X, y, subset_masks(3, len(X), 200, seed=0), recipe=Recipe(epochs=1), seed=0)
    np.testing.assert_allclose(nets.outputs(X), nets.outputs(X, cells=1000), atol=1e-5)


def test_wrong_labels_score_higher_than_right_ones(digits):
    """The point of it all: what only memorization can fit stands out."""
    X, y = digits
    y = y.copy()
    y[:15] = (y[:15] + 5) % 10
    included = subset_masks(60, len(X), 210, seed=0)
    correct, _ = ensemble_correct(X, y, included, X[:5], y[:5], recipe=Recipe(epochs=120), seed=0, block=60)
    scores = memorization_scores(correct, included)
    assert np.median(scores[:15]) > 0.8
    assert np.median(scores[15:]) < 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"included": np.array([[True, False, True], [True, False, False]])}, "same positive number"),
        ({"included": np.ones((2, 4), bool)}, "included must have 3 columns"),
        ({"y": np.zeros(4, int)}, "y must have shape"),
        ({"classes": 1}, "classes must be"),
    ],
)
def test_mistakes_are_named(change, words):
    given = {"X": np.eye(3), "y": np.array([0, 1, 1]), "included": np.ones((2, 3), bool), "classes": 2} | change
    with pytest.raises(ValueError, match=words):
        train_ensemble(**given, recipe=Recipe(epochs=1), seed=0)


def test_labels_must_be_classes_and_recipes_known():
    with pytest.raises(TypeError, match="class numbers"):
        train_ensemble(np.eye(2), np.array([0.0, 1.0]), np.ones((1, 2), bool), recipe=Recipe(), seed=0)
    with pytest.raises(ValueError, match="loss must be one of"):
        Recipe(loss="hinge")


@pytest.mark.parametrize("device", [CUDA])
def test_gpu_gives_the_same_networks(digits, device):
    X, y = digits
    included = subset_masks(4, len(X), 210, seed=0)
    recipe = Recipe(epochs=3, precision="float64")
    on = [train_ensemble(X, y, included, recipe=recipe, seed=0, device=d).outputs(X) for d in ("cpu", device)]
    np.testing.assert_allclose(*on, atol=1e-8)


def test_importing_the_package_leaves_torch_alone():
    code = "import sys, companion.memorization as m; m.memorization_scores; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_blocks_are_parts_of_the_whole_ensemble():
    """Networks numbered on from `first` whatever the block, with an output for each of `classes`."""
    rng = np.random.default_rng(0)
    X, y, included = rng.standard_normal((6, 3)), np.array([0, 1, 0, 1, 0, 1]), np.ones((3, 6), dtype=bool)
    how = {"recipe": Recipe(hidden=(2,), epochs=1), "seed": 5, "classes": 4, "first": 3}
    whole = train_ensemble(X, y, included, **how).outputs(X)
    assert whole.shape == (3, 6, 4)
    for models, nets in ensemble_blocks(X, y, included, **how, block=1):
        np.testing.assert_allclose(nets.outputs(X), whole[models], atol=1e-6)
