"""The way of a GPU: on torch's meta device where there is none, and on the GPU itself where there is one."""

import contextlib

import numpy as np
import pytest
import torch

from companion import _validate
from companion.memorization import Recipe, train_ensemble
from companion.neural import models, tasks, train
from tests.devices import CUDA

FEW = train.Recipe(epochs=2, batch=32, lr=3e-3)
LAYERS = (torch.nn.Conv2d, torch.nn.BatchNorm2d)


@pytest.fixture(scope="module")
def task():
    return tasks.digit_sums(source="embedded", triples=96, test_triples=30, seed=0)


@pytest.fixture
def exact():
    """Products of float32 in float32 on a GPU too, not in TF32."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture
def meta(monkeypatch):
    """Let "cuda" be the meta device: shapes, types and layouts without numbers.

    There a tensor that was left on the CPU is an error, and so is to look at a value, for which a GPU would stop.
    """
    for module, name in ((train, "pick_device"), (_validate, "device")):
        monkeypatch.setattr(module, name, lambda given: torch.device("meta"))
    monkeypatch.setattr(torch, "autocast", lambda *_args, **_options: contextlib.nullcontext())  # has no meta device
    adam = torch.optim.AdamW
    monkeypatch.setattr(torch.optim, "AdamW", lambda *args, fused, **options: adam(*args, **options))  # nor has fused


def watched(model, like_a_gpu=False):
    """The list to which every convolution and normalization adds what it meets: (type, device, planes last?).

    `like_a_gpu`: a convolution whose maps come with their planes last leaves them so, which the meta device forgets.
    """
    met = []

    def look(module, inputs, maps):
        planes_last = inputs[0].stride(1) == 1
        met.append((maps.dtype, maps.device.type, planes_last))
        return maps.contiguous(memory_format=torch.channels_last) if like_a_gpu and planes_last else maps

    for module in model.modules():
        if isinstance(module, LAYERS):
            module.register_forward_hook(look)
    return met


@pytest.mark.parametrize(
    ("name", "how"),
    [*((name, {}) for name in models.MODELS)]
    + [(name, how) for name in ("sum", "cross-channel", "mix-2") for how in ({"stem": "fine"}, {"shared": False})],
)
def test_no_part_of_a_model_stays_behind_and_every_map_keeps_its_layout(meta, name, how):
    model = models.build(name, width=4, seed=0, **how).to("meta", memory_format=torch.channels_last)
    met = watched(model, like_a_gpu=True)
    model(torch.empty(2, 3, 28, 28, device="meta")).sum().backward()
    assert set(met) == {(torch.float32, "meta", True)}
    assert all(p.grad.is_meta for p in model.parameters())


def test_an_epoch_looks_at_no_value_before_its_end(meta, task, monkeypatch):
    """A GPU that is asked for a number in every step stands still in every step."""
    batches, gather = [], train.gather
    monkeypatch.setattr(train, "gather", lambda bank, index: batches.append(len(index)) or gather(bank, index))
    with pytest.raises(RuntimeError, match="meta"):  # the one look, for a loss that is not finite
        train.fit(models.build("sum", width=4, seed=0), task, FEW, seed=0)
    assert batches == [32, 32, 32], "one epoch, whole"


def test_an_ensemble_is_trained_without_a_look(meta):
    X, y, masks = np.eye(6), np.arange(6) % 2, np.ones((3, 6), dtype=bool)
    made = train_ensemble(X, y, masks, recipe=Recipe(hidden=(4,), epochs=2, batch=2), seed=0, device="meta")
    assert all(w.is_meta for w in (*made.weights, *made.biases))


@pytest.mark.parametrize(
    ("name", "device"), [("mix-1", "cpu"), *(pytest.param(name, "cuda", marks=CUDA.marks) for name in models.MODELS)]
)
def test_a_device_computes_the_same_function(name, device):
    """Values and gradients in double precision: small maps go another way on the CPU than on a GPU."""
    images = torch.rand(4, 3, 28, 28, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outcomes = []
    for place in ("cpu", device):
        model = models.build(name, width=4, seed=0).double().to(place, memory_format=torch.channels_last)
        value = model(images.to(place))
        value.sum().backward()
        outcomes.append([value.detach().cpu(), *(p.grad.cpu() for p in model.parameters())])
    for here, there in zip(*outcomes, strict=True):
        torch.testing.assert_close(there, here, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("device", ["cpu", CUDA])
def test_first_steps_agree_and_training_goes_on_from_another_devices_checkpoint(exact, task, tmp_path, device):
    file, fresh = tmp_path / "model.pt", {"width": 4, "seed": 0, "hidden": 8}

    class Stop(Exception):
        pass

    def stop(epoch, model):
        if epoch == 2:
            raise Stop

    with pytest.raises(Stop):
        train.fit(
            models.build("sum", **fresh), task, FEW, seed=0, device=device, precision="float32",
            checkpoint=file, after_epoch=stop,
        )  # fmt: skip
    there = train.fit(models.build("sum", **fresh), task, FEW, seed=0, device="cpu", checkpoint=file)
    here = train.fit(models.build("sum", **fresh), task, FEW, seed=0, device="cpu")
    np.testing.assert_allclose(there.losses, here.losses, rtol=1e-2)


@pytest.mark.parametrize(
    ("device", "precision"), [("cpu", "bfloat16"), pytest.param(*CUDA.values, "auto", marks=CUDA.marks)]
)
def test_only_convolutions_are_in_bfloat16(task, device, precision):
    """On a GPU that is the default; what is predicted afterwards is in float32 everywhere."""
    model = models.build("sum", width=4, seed=0)
    met = watched(model)
    train.fit(model, task, FEW, seed=0, device=device, precision=precision)
    assert set(met) == {(torch.bfloat16, device, True)}
    met.clear()
    train.predict(model, task.bank, task.train.index)
    assert set(met) == {(torch.float32, device, True)}


@pytest.mark.parametrize("device", [CUDA])
def test_a_gpu_waits_no_more_often_in_a_longer_epoch(task, device, recwarn):
    def waits(batch):
        model = models.build("sum", width=4, seed=0)
        recwarn.clear()
        torch.cuda.set_sync_debug_mode("warn")
        try:
            train.fit(model, task, train.Recipe(epochs=1, batch=batch), seed=0, device=device)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return len(recwarn)

    waits(32)  # kernels are chosen
    assert waits(4) == waits(48)
