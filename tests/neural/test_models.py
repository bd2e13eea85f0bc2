"""The architectures: shapes, ResNet-18's size at width 64, and the symmetries that composition rests on."""

import pytest
import torch
from torch.nn import functional as F
from torchvision.models import resnet18

from companion.neural import models


def triple(n=5, seed=0):
    return torch.rand(n, 3, 28, 28, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", models.MODELS)
@pytest.mark.parametrize("shared", [True, False])
def test_every_model_gives_one_number_a_triple(name, shared):
    model = models.build(name, width=4, seed=0, hidden=8, shared=shared)
    assert model(triple()).shape == (5,)


@pytest.mark.parametrize("stem", models.STEMS)
def test_stems(stem):
    out = models.stem(1, 4, stem)(torch.zeros(2, 1, 28, 28))
    assert out.shape == (2, 4, *{"imagenet": (7, 7), "fine": (28, 28)}[stem])


def test_cross_channel_at_width_64_is_resnet18_up_to_its_classifier():
    reference = resnet18(num_classes=1)
    ours, theirs = (
        sum(p.numel() for p in net.parameters()) for net in (models.build("cross-channel", width=64, seed=0), reference)
    )
    assert ours == theirs


def same(ours, reference, ours_inputs, reference_inputs):
    """Equal values, and equal gradients of one and the same random combination of them."""
    torch.testing.assert_close(ours, reference)
    weight = torch.rand_like(reference)
    mine = torch.autograd.grad((ours * weight).sum(), ours_inputs)
    theirs = torch.autograd.grad((reference * weight).sum(), reference_inputs)
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (4, 1), (7, 2)])
def test_a_convolution_on_a_small_map_is_the_same_function(size, stride):
    """The fast path must be the convolution itself, gradients included."""
    conv = models.SmallMapConv(3, 5, 3, stride=stride, padding=1, bias=False).double()
    maps = torch.rand(4, 3, size, size, dtype=torch.float64, requires_grad=True)
    inputs = (maps, conv.weight)
    same(conv(maps), F.conv2d(maps, conv.weight, stride=stride, padding=1), inputs, inputs)


def test_a_shortcut_is_the_same_function():
    conv = models.Shortcut(3, 5, 1, stride=2, bias=False).double()
    maps = torch.rand(4, 3, 7, 7, dtype=torch.float64, requires_grad=True)
    inputs = (maps, conv.weight)
    same(conv(maps), F.conv2d(maps, conv.weight, stride=2), inputs, inputs)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_normalization_on_several_threads_is_the_same_function(two_threads, layout):
    """Values, gradients and running statistics; a second batch meets statistics that have moved."""
    ours, reference = models.NarrowBatchNorm(3).double(), torch.nn.BatchNorm2d(3).double()
    for norm in (ours, reference):
        torch.nn.init.constant_(norm.weight, 1.7)
        torch.nn.init.constant_(norm.bias, -0.4)
    for seed in range(2):
        maps = torch.rand(4, 3, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * 3 + 1
        maps = maps.contiguous(memory_format=layout).requires_grad_()
        made = ours(maps)
        assert "_Normalized" in type(made.grad_fn).__name__, "the path under test was not taken"
        same(made, reference(maps), (maps, *ours.parameters()), (maps, *reference.parameters()))
    torch.testing.assert_close(ours.state_dict(), reference.state_dict())


def test_cross_channel_with_the_weights_of_a_resnet18_is_that_resnet18(two_threads):
    """torchvision's own network, whole: what is done in another way here must not show, gradients included."""
    ours, reference = models.build("cross-channel", width=64, seed=0), resnet18(num_classes=1)
    with torch.no_grad():
        for mine, theirs in zip(ours.parameters(), reference.parameters(), strict=True):
            mine.copy_(theirs)
    ours.double().to(memory_format=torch.channels_last)
    reference.double()
    images = triple(3).double()
    same(ours(images), reference(images)[:, 0], list(ours.parameters()), list(reference.parameters()))
    with torch.no_grad():
        torch.testing.assert_close(ours.eval()(images), reference.eval()(images)[:, 0])


def test_predictions_are_not_rounded_to_bfloat16():
    """In bfloat16 a sum of 18 is known to the nearest 1/8: the read-out must stay out of it."""
    for name in models.MODELS:
        model = models.build(name, width=4, seed=0, hidden=8)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            made = model(triple())
        assert made.dtype == torch.float32, name
        assert not torch.equal(made, made.bfloat16().float()), name


def test_a_model_that_predicted_first_can_still_be_trained():
    """What the fast path keeps between calls must not be tied to the mode of the first one."""
    models._places.cache_clear()
    model, images = models.build("sum", width=4, seed=0), torch.rand(4, 3, 28, 28)
    with torch.inference_mode():
        model.eval()(images)
    model.train()(images).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def interaction(model, seed=1):
    """f(a,b,c) - f(a',b,c) - f(a,b',c) + f(a',b',c): zero for every input if and only if a and b never interact."""
    x, y = triple(3, seed), triple(3, seed + 1)
    parts = [x, x.clone(), x.clone(), x.clone()]
    parts[1][:, 0], parts[2][:, 1] = y[:, 0], y[:, 1]
    parts[3][:, 0], parts[3][:, 1] = y[:, 0], y[:, 1]
    f = [model(p) for p in parts]
    return (f[0] - f[1] - f[2] + f[3]).abs().max().item()


def test_sum_and_linear_are_additive_the_others_are_not():
    """Additivity is why one-shots compose: the error on a pair is the sum of two errors."""
    for name in models.MODELS:
        model = models.build(name, width=4, seed=0, hidden=256).double().eval()
        x = interaction(lambda t, model=model: model(t.double()))
        assert (x < 1e-9) == (name in ("sum", "linear")), (name, x)


def test_sum_deepsets_and_attention_do_not_see_the_order_of_the_images():
    for name in models.MODELS:
        model = models.build(name, width=4, seed=0, hidden=8).double().eval()
        x = triple().double()
        same = torch.allclose(model(x), model(x[:, [2, 0, 1]]), atol=1e-10)
        assert same == (name in ("sum", "deepsets", "attention")), name


def test_same_seed_same_weights_and_the_global_state_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    a, b = models.build("sum", width=4, seed=1), models.build("sum", width=4, seed=1)
    c = models.build("sum", width=4, seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
    assert not all(torch.equal(p, q) for p, q in zip(a.parameters(), c.parameters(), strict=True))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="name must be one of sum, linear"):
        models.build("resnet", width=4, seed=0)
    with pytest.raises(ValueError, match="width"):
        models.build("sum", width=0, seed=0)
