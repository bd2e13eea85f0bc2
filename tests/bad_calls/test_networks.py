"""Bad calls of the networks area: tasks, models, training, images."""

import math

import numpy as np
import pytest

from companion.neural import images, models, tasks, train

from .cases import assert_refused, bad

nan = math.nan


def task(**changed):
    return tasks.digit_sums(**{"source": "embedded", "triples": 40, "test_triples": 20, "seed": 0, **changed})


def model(name="sum", **changed):
    return models.build(name, **{"width": 2, "seed": 0, **changed})


def predict(index):
    return train.predict(model(), np.zeros((4, 28, 28), np.uint8), index)


CASES = [
    bad("source", lambda: task(source="web"), ValueError, "source must be one of real, embedded; got 'web'"),
    bad("triples-0", lambda: task(triples=0), ValueError, "triples must be at least 10, got 0"),
    bad("triples-float", lambda: task(triples=40.0), TypeError, "triples must be a whole number, got 40.0"),
    bad("test-0", lambda: task(test_triples=0), ValueError, "test_triples must be at least 1, got 0"),
    bad("zipf-nan", lambda: task(zipf_exponent=nan), ValueError, "exponent must be finite", "got nan"),
    bad("zipf-negative", lambda: tasks.zipf(-1), ValueError, "exponent must", "at least 0, got -1"),
    bad("target", lambda: task(target="max"), ValueError, "target must be one of sum, product, xor; got 'max'"),
    bad("model", lambda: model("mlp"), ValueError, "name must be one of sum, linear", "got 'mlp'"),
    bad("width", lambda: model(width=0), ValueError, "width must be at least 1, got 0"),
    bad("width-float", lambda: model(width=2.5), TypeError, "width must be a whole number, got 2.5"),
    bad("stem", lambda: model(stem="x"), ValueError, "stem must be one of imagenet, fine; got 'x'"),
    bad("hidden", lambda: model("2-layer", hidden=0), ValueError, "hidden must be at least 1, got 0"),
    bad("epochs", lambda: train.Recipe(epochs=0), ValueError, "epochs must be at least 1, got 0"),
    bad("batch", lambda: train.Recipe(batch=-1), ValueError, "batch must be at least 1, got -1"),
    bad("lr", lambda: train.Recipe(lr=-1.0), ValueError, "lr must", "greater than 0, got -1.0"),
    bad("decay", lambda: train.Recipe(weight_decay=-1), ValueError, "weight_decay must", "at least 0, got -1"),
    bad("seed", lambda: task(seed=-1), ValueError, "seed must be at least 0, got -1"),
    bad("seed-text", lambda: task(seed="a"), TypeError, "seed must be a whole number, got 'a'"),
    bad("nine", lambda: task(nine=2.0), ValueError, "nine must", "[0, 1], got 2.0"),
    bad("leave_out", lambda: task(leave_out=(10,)), ValueError, "leave_out must be in [0, 9], got 10"),
    bad("mislabel", lambda: task(mislabel=(1, 33)), ValueError, "mislabel must be in [0, 9], got 33"),
    bad("mislabel-one", lambda: task(mislabel=(1,)), ValueError, "mislabel must be a pair", "got (1,)"),
    bad("together", lambda: task(together=(1, 1)), ValueError, "together must name two different", "got (1, 1)"),
    bad("combine", lambda: tasks.combine(np.zeros((1, 3), int), "max"), ValueError, "target must be one of", "'max'"),
    bad("combine-list", lambda: tasks.combine(["a"], "sum"), TypeError, "labels must hold whole numbers", "<U1"),
    bad("combine-vector", lambda: tasks.combine([1, 2, 3], "sum"), ValueError, "labels must hold one row", "(3,)"),
    bad("order", lambda: train.epoch_order(3.0, 0, 0), TypeError, "n must be a whole number, got 3.0 of type float"),
    bad("epoch", lambda: train.epoch_order(3, -1, 0), ValueError, "epoch must be at least 0, got -1"),
    bad("step", lambda: train.learning_rate(0.5, 3, train.Recipe()), TypeError, "step must be a whole number, got 0.5"),
    bad("together-one", lambda: task(together=3), TypeError, "together must hold glyphs by number, got 3 of type int"),
    bad("triples-index", lambda: tasks.Triples([[0.5]], [1.0], [[1]]), TypeError, "index must hold whole numbers"),
    bad("triples-rows", lambda: tasks.Triples([[0, 1, 2]], [1.0, 2.0], [[0, 1, 2]]), ValueError, "target must have"),
    bad(
        "checkpoint", lambda: train.fit(model(), task(), train.Recipe(), seed=0, checkpoint=3), TypeError, "checkpoint"
    ),
    bad("device-none", lambda: train.pick_device(None), ValueError, "device must be one of auto, cpu, cuda", "None"),
    bad("stem-kind", lambda: models.stem(1, 2, "x"), ValueError, "kind must be one of imagenet, fine; got 'x'"),
    bad("model-seed", lambda: model(seed=-1), ValueError, "seed must be at least 0, got -1"),
    bad("warmup", lambda: train.Recipe(warmup=7.0), ValueError, "warmup must", "[0, 1], got 7.0"),
    bad("device", lambda: train.pick_device("tpu"), ValueError, "device must be one of auto, cpu, cuda; got 'tpu'"),
    bad(
        "index-pairs", lambda: predict(np.zeros((3, 2), int)), ValueError, "index must hold triples", "got shape (3, 2)"
    ),
    bad(
        "index-empty", lambda: predict(np.zeros((0, 3), int)), ValueError, "index must hold triples", "got shape (0, 3)"
    ),
    bad(
        "index-outside", lambda: predict(np.full((3, 3), 5)), ValueError, "index must hold rows of the bank, in [0, 3]"
    ),
    bad("glyph-seed", lambda: images.glyphs("embedded", classes=3, seed=-1), ValueError, "seed must be at least 0"),
    bad("classes-0", lambda: images.glyphs("embedded", classes=0, seed=0), ValueError, "classes must be in [1, 964]"),
    bad("classes-many", lambda: images.glyphs("embedded", classes=965, seed=0), ValueError, "[1, 964], got 965"),
    bad("digits", lambda: images.digits("imagenet", train=True), ValueError, "source must be", "got 'imagenet'"),
    bad(
        "no-data",
        lambda: images.digits("real", train=True, root="/nowhere"),
        images.DataError,
        "MNIST is missing",
        "/nowhere/MNIST/raw",
        "companion data fetch --root /nowhere",
    ),
    bad("no-folder", lambda: images.verify("/dev/null"), images.DataError, "MNIST is missing", "/dev/null"),
]


@pytest.mark.parametrize("case", CASES)
def test_a_bad_call_is_refused_and_named(case):
    assert_refused(case)
