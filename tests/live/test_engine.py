"""The engine of the live explorables against the package, on designs that Python made and on its own.

Node and Chromium each answer the same questions, and are held to the same tolerances.
"""

import base64
import itertools
import json
from urllib.parse import urlsplit

import numpy as np
import pytest

from book.shared.live import digits
from companion.experiments.protocols import nearest_vote
from companion.linear import (
    LongTailModel,
    composition_risk,
    feature_counts,
    gradient_descent,
    largest_step,
    leverage,
    min_norm,
    peeling_rounds,
    population_risk,
    rank,
    recoverability,
    ridge,
)
from companion.memorization import nearest_loo, nearest_subset_scores
from tests.live.asking import ROOT, ask

MODULE = "text/javascript"


def node(*calls):
    """What the engine answers to each call, in Node."""
    return ask(calls)


@pytest.fixture(scope="session")
def chromium(browser):
    """The same, in a page of Chromium that has loaded the engine's modules."""
    page = browser.new_page()
    page.route("**", lambda route: route.fulfill(path=ROOT / urlsplit(route.request.url).path[1:], content_type=MODULE))
    page.route("http://engine.test/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("http://engine.test/")  # an address that is answered here: modules do not load from disk
    page.evaluate("async () => { window.answers = (await import('/tests/live/calls.mjs')).answers; }")
    yield lambda *calls: json.loads(page.evaluate("(asked) => answers(asked)", json.dumps(calls)))
    page.close()


@pytest.fixture(params=["node", "chromium"])
def engine(request):
    """What runs the engine: both give the answers to any number of calls."""
    return node if request.param == "node" else request.getfixturevalue("chromium")


MODELS = {
    "wide, noiseless": LongTailModel(n=60, d=150, s=5.0, alpha=1.0, beta_exponent=0.1, sigma=0.0),
    "square, noisy": LongTailModel(n=100, d=120, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.3),
    "tall, cut at 1": LongTailModel(n=200, d=40, s=5.0, alpha=2.5, beta_exponent=0.5, sigma=0.3),
    "Figure 1 at 1.5": LongTailModel(n=1000, d=10_000, s=5.0, alpha=1.5, beta_exponent=0.1, sigma=0.05),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_linear_model_agrees_with_the_package(engine, name):
    model = MODELS[name]
    sample = model.sample(seed=3)
    X, y = sample.X, sample.y
    lam, steps, lr, t = 0.7 / model.n, 30, 0.4 * largest_step(X), 2
    features = np.flatnonzero(feature_counts(X) == 1)
    rows = [list(zip(X[[r]].indices.tolist(), X[[r]].data.tolist(), strict=True)) for r in range(model.n)]
    asked = {"rows": rows, "d": model.d, "y": y.tolist(), "p": model.p.tolist(), "beta": model.beta.tolist()}
    asked |= {"k": model.k, "features": features.tolist(), "t": t, "lam": lam, "steps": steps, "lr": lr}
    law = {"call": "frequencies", "d": model.d, "s": model.s, "alpha": model.alpha, "exponent": model.beta_exponent}
    found, (p, beta) = engine({"call": "solve", **asked}, law)

    least, shrunk = min_norm(X, y), ridge(X, y, lam)
    np.testing.assert_allclose(p, model.p, rtol=1e-12)
    np.testing.assert_allclose(beta, model.beta, rtol=1e-12)
    np.testing.assert_allclose(found["b"], least, atol=1e-9)
    np.testing.assert_allclose(found["shrunk"], shrunk, atol=1e-9)
    np.testing.assert_allclose(found["descended"], gradient_descent(X, y, steps, lr), atol=1e-9)
    np.testing.assert_allclose(found["training"], np.mean((y - X @ shrunk) ** 2), atol=1e-9)
    np.testing.assert_allclose(found["population"], population_risk(least, model), atol=1e-9)
    np.testing.assert_allclose(found["composition"], composition_risk(least, model, features, t), atol=1e-9)
    assert found["step"] == pytest.approx(largest_step(X), rel=0.01)  # 60 steps of the power method
    assert found["counts"] == feature_counts(X).tolist()
    # the package gives features that are never seen no round, and so does the engine
    assert found["round"] == peeling_rounds(X, model.k).tolist()
    if found["certificates"]:
        np.testing.assert_allclose(found["certificates"]["P"], recoverability(X), atol=1e-9)
        np.testing.assert_allclose(found["certificates"]["h"], leverage(X), atol=1e-9)
        assert found["certificates"]["rank"] == rank(X)


def test_the_sampler_has_the_models_law_and_moves_only_what_must_move(engine):
    """Frequencies, pairs and signs within 5 standard errors over 400 designs; larger p or n only adds entries."""
    n, d, s, designs = 20, 12, 4.0, 400
    base = {"call": "sample", "d": d, "s": s, "alpha": 1.2, "seeds": list(range(designs)), "capacity": 30}
    small, large, steep = engine({**base, "n": n}, {**base, "n": 30}, {**base, "n": n, "alpha": 1.6})
    p = LongTailModel(n=n, d=d, s=s, alpha=1.2, beta_exponent=0.0, sigma=0.0).p
    dense = np.zeros((designs, n, d))
    for at, design in enumerate(small):
        columns = np.repeat(np.arange(d), np.diff(design["start"]))
        dense[at, design["row"], columns] = design["value"]
        assert len(set(zip(design["row"], columns.tolist(), strict=True))) == columns.size  # no cell twice
    held = np.abs(dense)
    cells = designs * n
    assert (np.abs(held.mean(axis=(0, 1)) - p) <= 5 * np.sqrt(p * (1 - p) / cells) + 1e-12).all()
    both = p[2] * p[3]
    assert abs((held[:, :, 2] * held[:, :, 3]).mean() - both) < 5 * np.sqrt(both / cells)
    # rows of one column are independent: the count is binomial, also in its variance
    spread = held[:, :, 4].sum(axis=1).var()
    assert abs(spread / (n * p[4] * (1 - p[4])) - 1) < 5 * np.sqrt(2 / designs)
    assert abs(dense.sum()) < 5 * np.sqrt(held.sum())

    def entries(design):
        columns = np.repeat(np.arange(d), np.diff(design["start"]))
        return set(zip(design["row"], columns.tolist(), design["value"], strict=True))

    rarer = LongTailModel(n=n, d=d, s=s, alpha=1.6, beta_exponent=0.0, sigma=0.0).p
    for one, more, other in zip(small, large, steep, strict=True):
        assert entries(one) == {entry for entry in entries(more) if entry[0] < n}
        fewer = {e for e in entries(other) if rarer[e[1]] < p[e[1]]}
        assert fewer <= entries(one)


def test_noise_is_standard_normal(engine):
    (drawn,) = engine({"call": "normal", "n": 20_000, "seed": 5})
    drawn = np.array(drawn)
    assert abs(drawn.mean()) < 5 / np.sqrt(20_000)
    assert abs(drawn.var() - 1) < 5 * np.sqrt(2 / 20_000)
    assert abs((drawn**4).mean() - 3) < 5 * np.sqrt(96 / 20_000)


@pytest.mark.parametrize("kind", ["sum", "cross"])
def test_the_networks_gradient_and_steps_agree_with_torch(engine, kind):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    pixels, hidden, batch, steps, rate, decay = 6, 5, 8, 10, 0.02, 0.5
    size = pixels if kind == "sum" else 3 * pixels
    weights = rng.normal(size=hidden * (size + 2) + 1)
    triples, sums = rng.random((batch, 3 * pixels)), rng.integers(0, 28, batch).astype(float)
    cut = np.cumsum([hidden * size, hidden, hidden])
    tensors = [torch.tensor(part, requires_grad=True) for part in np.split(weights, cut)]
    x, target = torch.tensor(triples), torch.tensor(sums)

    def output():
        W, a, v, c = tensors
        read = x.reshape(batch, -1, size)
        return (torch.relu(read @ W.reshape(size, hidden) + a) @ v + c).sum(dim=1)

    optimizer = torch.optim.AdamW(tensors, lr=rate, weight_decay=decay)
    loss = ((output() - target) ** 2).mean()
    loss.backward()
    gradient = np.concatenate([part.grad.numpy() for part in tensors])
    for _ in range(steps):
        optimizer.zero_grad()
        ((output() - target) ** 2).mean().backward()
        optimizer.step()
    asked = {"pixels": pixels, "hidden": hidden, "weights": weights.tolist(), "triples": triples.tolist()}
    asked |= {"sums": sums.tolist(), "rate": rate, "decay": decay, "steps": steps}
    (found,) = engine({"call": "gradient", "kind": kind, **asked})
    np.testing.assert_allclose(found["loss"], loss.item(), rtol=1e-12)
    np.testing.assert_allclose(found["gradient"], gradient, atol=1e-9)
    np.testing.assert_allclose(found["weights"], torch.cat(tensors).detach().numpy(), atol=1e-9)
    np.testing.assert_allclose(found["predicted"], output().detach().numpy(), atol=1e-8)


@pytest.mark.parametrize("k", [1, 5])
def test_neighbours_agree_with_scikit_learn(engine, k):
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(1)
    points, labels, at = rng.normal(size=(40, 2)), rng.integers(0, 2, 40), rng.normal(size=(200, 2))
    asked = {"points": points.tolist(), "labels": labels.tolist(), "at": at.tolist(), "k": k}
    (found,) = engine({"call": "nearest", **asked})
    assert found == KNeighborsClassifier(k).fit(points, labels).predict(at).tolist()  # two labels, k odd: no ties


@pytest.mark.parametrize("k", [1, 3, 5])
def test_votes_with_points_left_out_are_the_packages(engine, k):
    rng = np.random.default_rng(7)
    points, labels, at = rng.normal(size=(60, 2)), rng.integers(3, size=60), rng.normal(size=(40, 2))
    kept = rng.random(60) < 0.6
    asked = {"points": points.tolist(), "labels": labels.tolist(), "at": at.tolist(), "k": k, "kept": kept.tolist()}
    (found,) = engine({"call": "votes", **asked})
    order = np.argsort(((at[:, None] - points) ** 2).sum(-1), axis=1, kind="stable")
    assert found == nearest_vote(order, kept[None], labels, k)[0].tolist()


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("other", [{"tail": 0.4}, {"noise": 0.3}, {"k": "7"}, {"seed": 9}, {"protocol": "fractional"}])
def test_what_is_kept_between_two_states_changes_no_number(engine, k, other):
    """Orders mended where points moved, regions by height, and who is right after another state, are as made anew."""
    rng = np.random.default_rng(k)
    before, labels, at = (
        rng.integers(6, size=(40, 2)) / 2,
        rng.integers(3, size=40),
        np.linspace(0, 2.5, 11),
    )  # with ties
    after = np.where(rng.random(40)[:, None] < 0.2, rng.random((40, 2)), before)
    state = {"tail": 0.36, "noise": 0.1, "k": str(k), "protocol": "absolute", "removed": "memorized", "seed": 2}
    asked = {"before": before.tolist(), "after": after.tolist(), "labels": labels.tolist(), "at": at.tolist(), "k": k}
    (found,) = engine({"call": "moved", **asked, "state": state, "other": state | other})
    order = np.argsort(((after[:, None] - after) ** 2).sum(-1), axis=1, kind="stable")
    assert found["orders"] == order.tolist()
    cells = np.array([(x, y) for y in at for x in at])
    order = np.argsort(((cells[:, None] - after) ** 2).sum(-1), axis=1, kind="stable")
    assert found["regions"] == nearest_vote(order, np.ones((1, 40), bool), labels, k)[0].tolist()
    assert found["kept"] == found["fresh"]


def test_memorization_in_the_plane_is_the_packages(engine):
    """Leave one out exactly; the subset estimator within five standard errors of the package's closed form."""
    rng = np.random.default_rng(8)
    points, labels, size, subsets = rng.normal(size=(80, 2)), rng.integers(3, size=80), 56, 2000
    asked = {"points": points.tolist(), "labels": labels.tolist(), "k": 1, "size": size, "subsets": subsets}
    (found,) = engine({"call": "memorized", **asked})
    assert found["exact"] == nearest_loo(points, labels).tolist()
    assert set(found["inside"]) == {1.0}
    exact = 1 - nearest_subset_scores(points, labels, size)
    error = np.sqrt(exact * (1 - exact) / (0.25 * subsets)) + 1e-9  # a point is missing in 30% of the subsets
    assert (abs(np.array(found["outside"]) - exact) < 5 * error).all()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("off", [0, -7])
def test_prices_learned_from_one_wrong_receipt_are_the_packages(engine, off, tied):
    (found,) = engine({"call": "wrong", "off": off, "tied": tied, "good": 3, "seed": 2})
    receipts, scale = found["receipts"], np.array(found["scale"])
    X = np.zeros((len(receipts), len(found["prices"])))
    for row, receipt in zip(X, receipts, strict=True):
        row[receipt["goods"]] = 1.0
    stated, prices = np.array(found["stated"]), np.array(found["prices"], float)
    tags = min_norm(X * scale[:, None], stated * scale)
    np.testing.assert_allclose(found["tags"], tags, atol=1e-9)
    share = scale**2 / (scale**2).sum()
    np.testing.assert_allclose(found["training"], share @ (X @ tags - stated) ** 2, atol=1e-9)
    np.testing.assert_allclose(found["fresh"], share @ (X @ (tags - prices)) ** 2, atol=1e-9)
    errors = (tags - prices)[8:]
    pairs = [a + b for a, b in itertools.combinations(errors, 2)]
    np.testing.assert_allclose(found["pairs"], np.mean(np.square(pairs)), atol=1e-9)


def test_the_language_model_agrees_with_the_package(engine):
    """Probabilities, loss, gradient, and three steps of AdamW, from the package's own initial weights."""
    torch = pytest.importorskip("torch")
    from companion.neural import language

    words, width, text = 11, 8, np.random.default_rng(3).integers(11, size=(1, 6, 4))
    recipe = language.Recipe(width=width, epochs=0)
    model = language.train(text, words, recipe, seed=4)
    weights = {name: w.double().requires_grad_() for name, w in model.weights.items()}
    order = ("words", "places", "attend0", "return0", "in0", "bias0", "out0", "say")
    flat = torch.cat([weights[name].flatten() for name in order])
    (found,) = engine({"call": "speaks", "words": words, "width": width, "weights": flat.tolist(), "decay": 0.5,
                       "sentences": text[0].tolist(), "rate": 0.01, "steps": 3})  # fmt: skip
    said = torch.from_numpy(text)
    optimizer = torch.optim.AdamW(weights.values(), lr=0.01, weight_decay=0.5, betas=(0.9, 0.98))
    for step in range(3):
        out = language._forward(weights, recipe, said[..., :-1])
        loss = torch.nn.functional.cross_entropy(out.flatten(0, 2), said[..., 1:].flatten(), reduction="sum") / 6
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            gradient = torch.cat([weights[name].grad.flatten() for name in order])
            assert found["loss"] == pytest.approx(loss.item(), rel=1e-5)
            np.testing.assert_allclose(found["gradient"], gradient, atol=1e-5)
            np.testing.assert_allclose(found["said"], torch.softmax(out[0, :, -1], -1).detach(), atol=1e-5)
        optimizer.step()
    after = torch.cat([weights[name].detach().flatten() for name in order])
    np.testing.assert_allclose(found["weights"], after, atol=1e-5)


@pytest.mark.site
@pytest.mark.parametrize("engine", ["node"], indirect=True)
def test_the_small_language_model_concludes_what_the_package_does(engine):
    """Ten villages: told five times is known, never told is not, a narrow model knows less; the rule needs no fact."""
    kinds = {(16, 5): 10, (16, 0): 5, (4, 5): 10}  # width and times told: villages
    asked = {"call": "villages", "who": 9}
    found = [
        engine({**asked, "width": width, "times": times, "seeds": list(range(villages))})[0]
        for (width, times), villages in kinds.items()
    ]
    told, never, narrow = ({key: np.mean([v[key] for v in kind]) for key in kind[0]} for kind in found)
    assert told["told"] > 0.6 > 0.2 > max(never["told"], narrow["told"])
    assert told["once"] > 0.5 > 0.25 > narrow["once"]
    assert told["plural"] > 0.8


def test_the_small_network_concludes_what_the_large_ones_do(engine):
    """Means over ten seeds: decay, mixed channels and a symbol that was never seen each spoil its pairs."""
    how = {"triples": 200, "images": 60, "hidden": 16, "epochs": 40, "batch": 16, "lr": 0.02}
    base = {"call": "lessons", "digits": digits(), "seeds": list(range(10)), "how": how}
    plain = {**base, "known": True, "kind": "sum", "decay": 0}
    runs = engine(plain, {**plain, "decay": 0.5}, {**plain, "kind": "cross"}, {**plain, "known": False})
    memorized, decayed, mixed, unknown = (np.mean(run) for run in runs)
    assert memorized < 6
    assert decayed > 1.5 * memorized
    assert mixed > 4 * memorized
    assert unknown > 4 * memorized


def test_digits_reach_the_page_as_they_are():
    from sklearn.datasets import load_digits

    data = base64.b64decode(digits(3))
    assert len(data) == 3 * 33
    pixels = [grey for byte in data[1:33] for grey in (byte >> 4, byte & 15)]
    assert data[0] == load_digits().target[0]
    assert pixels == np.minimum(load_digits().data[0], 15).tolist()
