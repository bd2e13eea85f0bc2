"""The four architectures of the paper, and where in between them mixing can start.

All are ResNet-18 in layout (torchvision's `BasicBlock`, two to a stage, four stages) with a `width` instead of the
fixed 64. What differs is when the three images meet: at the pixels (cross-channel), after a stage, or only as vectors.
Inputs are (B, 3, 28, 28) float in [0, 1]; outputs are (B,) predicted sums.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock

from companion._validate import integer, one_of, positive_int

STEMS = ("imagenet", "fine")
PAPER_MODELS = ("sum", "linear", "2-layer", "cross-channel")
#: name -> in how many stages (stem included) each image is still alone; 5 is all of them
MIXING = {"cross-channel": 0, "mix-1": 1, "mix-2": 2, "mix-3": 3, "mix-4": 4}
MODELS = (*PAPER_MODELS, "mix-1", "mix-2", "mix-3", "mix-4", "deepsets", "attention")
STAGES = 5


def stem(channels: int, width: int, kind: str) -> nn.Sequential:
    """The first layers. "imagenet": ResNet-18's own, 28 x 28 -> 7 x 7. "fine": 3 x 3 without pooling, stays 28 x 28."""
    if one_of("kind", kind, STEMS) == "imagenet":
        first: nn.Module = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        # pooled before what is negative becomes 0, not after: the same function, on a quarter of the places
        last: list[nn.Module] = [nn.MaxPool2d(3, stride=2, padding=1), nn.ReLU(inplace=True)]
    else:
        first, last = nn.Conv2d(channels, width, 3, padding=1, bias=False), [nn.ReLU(inplace=True)]
    return nn.Sequential(first, NarrowBatchNorm(width), *last)


class SmallMapConv(nn.Conv2d):
    """A 3 x 3 convolution that is done as one matrix product where the maps are tiny, on the CPU.

    On maps of at most 4 x 4 -> 2 x 2 a convolution is a small dense matrix, and most taps of its kernel only meet the
    padding. Same function, same parameters; forward and backward of the last two stages are 5 to 30 times faster.
    """

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        height, width = maps.shape[2:]
        stride = self.stride[0]
        if not maps.is_cpu or height != width or height > 2 * stride:
            return super().forward(maps)
        out = (height - 1) // stride + 1
        # Planes come last in memory: neither this nor the rows of `dense` (plane, place out) is a copy of the weights.
        taps = self.weight.permute(0, 2, 3, 1).reshape(self.out_channels, 9, self.in_channels)
        dense = _places(height, stride).to(maps.dtype) @ taps  # (planes out, places out * places in, planes in)
        dense = dense.reshape(self.out_channels * out**2, height**2 * self.in_channels)
        made = functional.linear(maps.permute(0, 2, 3, 1).reshape(len(maps), -1), dense)
        return made.reshape(len(maps), self.out_channels, out, out).contiguous(memory_format=torch.channels_last)


class Shortcut(nn.Conv2d):
    """A 1 x 1 convolution with a stride, done as one matrix product on the CPU: same function, same parameters."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        if not maps.is_cpu:
            return super().forward(maps)
        kept = maps[:, :, :: self.stride[0], :: self.stride[1]].permute(0, 2, 3, 1)
        return functional.linear(kept, self.weight[:, :, 0, 0]).permute(0, 3, 1, 2)


class NarrowBatchNorm(nn.BatchNorm2d):
    """Batch normalization whose gradient does not slow down when few planes meet several threads of a CPU.

    There torch's channels-last kernel lets each thread add up its own row of a (threads, planes) table. Rows shorter
    than a cache line are fought over: with 8 planes two threads take 8 times as long as one. Same function, same
    parameters, same running statistics.
    """

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        fast = not maps.is_cpu or self.num_features * maps.element_size() >= 64 or torch.get_num_threads() == 1
        if fast or not self.training:
            return super().forward(maps)
        self.num_batches_tracked.add_(1)
        made: torch.Tensor = _Normalized.apply(
            maps, self.weight, self.bias, self.running_mean, self.running_var, self.momentum, self.eps
        )
        return made


class _Normalized(torch.autograd.Function):
    """torch's own normalization of a batch, with its gradient as matrix products."""

    @staticmethod
    def forward(context, maps, weight, bias, running_mean, running_var, momentum, eps):  # type: ignore[no-untyped-def]
        made, mean, inverse = torch.native_batch_norm(
            maps, weight, bias, running_mean, running_var, True, momentum, eps
        )
        context.save_for_backward(maps, weight, mean, inverse)
        return made

    @staticmethod
    def backward(context, gradient):  # type: ignore[no-untyped-def]
        maps, weight, mean, inverse = context.saved_tensors
        inputs, slopes = (m.permute(0, 2, 3, 1).reshape(-1, m.shape[1]) for m in (maps, gradient))  # views: planes last
        total = slopes.sum(0)
        along = ((slopes.T @ inputs).diagonal() - mean * total) * inverse  # with the normalized inputs
        scale = weight * inverse
        tilt = -scale * inverse * along / len(inputs)
        moved = (slopes * scale).addcmul_(inputs, tilt).sub_(scale * total / len(inputs) + tilt * mean)
        batch, planes, *size = maps.shape
        return moved.reshape(batch, *size, planes).permute(0, 3, 1, 2), along, total, None, None, None, None


@lru_cache
def _places(size: int, stride: int) -> torch.Tensor:
    """(out^2 * size^2, 9) zeros and ones: which tap of a 3 x 3 kernel, padding 1, links an input place to an output."""
    out = (size - 1) // stride + 1
    taps = np.zeros((3, 3, out, out, size, size), dtype=np.float32)
    for kernel_row in range(3):
        for kernel_column in range(3):
            for row in range(out):
                for column in range(out):
                    source = (row * stride + kernel_row - 1, column * stride + kernel_column - 1)
                    if 0 <= source[0] < size and 0 <= source[1] < size:
                        taps[kernel_row, kernel_column, row, column, source[0], source[1]] = 1
    with torch.inference_mode(False):  # kept between calls: made while predicting, it must still serve in training
        return torch.from_numpy(np.ascontiguousarray(taps.reshape(9, -1).T))


def block(planes_in: int, planes: int, stride: int = 1, shortcut: nn.Module | None = None) -> BasicBlock:
    """torchvision's basic block with `SmallMapConv` for its convolutions and `NarrowBatchNorm` between them."""
    made = BasicBlock(planes_in, planes, stride, shortcut, norm_layer=NarrowBatchNorm)
    made.conv1 = SmallMapConv(planes_in, planes, 3, stride=stride, padding=1, bias=False)
    made.conv2 = SmallMapConv(planes, planes, 3, padding=1, bias=False)
    return made


def stage(planes_in: int, planes: int) -> nn.Sequential:
    """Two basic blocks; the first halves the resolution and projects the shortcut unless it keeps `planes_in`."""
    if planes_in == planes:
        return nn.Sequential(block(planes, planes), block(planes, planes))
    shortcut = nn.Sequential(Shortcut(planes_in, planes, 1, stride=2, bias=False), NarrowBatchNorm(planes))
    return nn.Sequential(block(planes_in, planes, 2, shortcut), block(planes, planes))


def stages(first: int, last: int, channels: int, width: int, kind: str) -> nn.Sequential:
    """Stages first..last-1 of ResNet-18: 0 the stem, 1 to 4 the blocks; `channels` go in, `out_planes` come out."""
    layers = []
    for s in range(first, last):
        if s == 0:
            layers.append(stem(channels, width, kind))
        else:
            layers.append(stage(channels, out_planes(s, width)))
        channels = out_planes(s, width)
    return nn.Sequential(*layers)


def out_planes(stage_index: int, width: int) -> int:
    return width * 2 ** max(0, stage_index - 1)


def read_out(head: nn.Module, maps: torch.Tensor) -> torch.Tensor:
    """`head` on the mean over positions, (..., H, W) -> (...): never in bfloat16, which knows a sum of 18 to 1/8."""
    with torch.autocast(maps.device.type, enabled=False):
        exact = maps.to(torch.promote_types(maps.dtype, torch.float32))
        made: torch.Tensor = head(exact.mean(dim=(-2, -1)))
        return made


class Encoder(nn.Module):
    """Applies the same (or one own) network to each of the three images: (B, 3, H, W) -> (B, 3, ...)."""

    def __init__(self, make, shared: bool) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.networks = nn.ModuleList([make() for _ in range(1 if shared else 3)])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        # Planes last, said in the strides: of a single plane `contiguous` leaves them, and the layout, undecided.
        if len(self.networks) == 1:
            maps = self.networks[0](images.flatten(0, 1)[..., None].permute(0, 3, 1, 2))
            return maps.reshape(-1, 3, *maps.shape[1:])
        made = [net(images[:, i, ..., None].permute(0, 3, 1, 2)) for i, net in enumerate(self.networks)]
        return torch.stack(made, dim=1)


class Late(nn.Module):
    """Each image becomes a vector on its own; a head makes the sum of the three vectors."""

    def __init__(self, head: nn.Module, width: int, kind: str, shared: bool) -> None:
        super().__init__()
        self.encoder = Encoder(lambda: stages(0, STAGES, 1, width, kind), shared)
        self.head = head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return read_out(self.head, self.encoder(images))


class Early(nn.Module):
    """Each image goes through `alone` stages on its own, then the maps are stacked and the rest sees all three."""

    def __init__(self, alone: int, width: int, kind: str, shared: bool) -> None:
        super().__init__()
        self.encoder = Encoder(lambda: stages(0, alone, 1, width, kind), shared) if alone else None
        planes = out_planes(alone - 1, width) if alone else 3
        # a 1 x 1 convolution brings the three stacks of maps back to the planes that the next stage expects
        self.join = nn.Sequential(
            nn.Conv2d(3 * planes, planes, 1, bias=False), NarrowBatchNorm(planes), nn.ReLU(inplace=True)
        )
        if not alone:
            self.join = nn.Sequential()
        self.rest = stages(alone, STAGES, planes, width, kind)
        self.read = nn.Linear(out_planes(STAGES - 1, width), 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps = images
        if self.encoder is not None:
            maps = self.encoder(images).flatten(1, 2)
        maps = maps.contiguous(memory_format=torch.channels_last)
        return read_out(self.read, self.rest(self.join(maps))).squeeze(1)


class SumHead(nn.Module):
    """The same linear read-out of each vector, added up: the predictor is additive in the images by construction."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.read = nn.Linear(features, 1)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.read(vectors).sum(dim=(1, 2))


class StackedHead(nn.Module):
    """A linear map (hidden=0) or a two-layer network on the three vectors side by side."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Linear(3 * features, hidden), nn.ReLU(inplace=True)] if hidden else []
        self.read = nn.Sequential(*layers, nn.Linear(hidden or 3 * features, 1))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.read(vectors.flatten(1)).squeeze(1)


class DeepSetsHead(nn.Module):
    """A two-layer network on the *sum* of the vectors: blind to the order of the images, not additive."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.read = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 1))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.read(vectors.sum(dim=1)).squeeze(1)


class AttentionHead(nn.Module):
    """One attention layer over the three vectors (with a residual), then a shared two-layer read-out, added up."""

    def __init__(self, features: int, hidden: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(features, features) for _ in range(3))
        self.read = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, 1))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        scores = self.query(vectors) @ self.key(vectors).transpose(1, 2) / vectors.shape[-1] ** 0.5
        return self.read(vectors + scores.softmax(dim=-1) @ self.value(vectors)).sum(dim=(1, 2))


def build(
    name: str, *, width: int, seed: int, stem: str = "imagenet", hidden: int = 128, shared: bool = True
) -> nn.Module:
    """A freshly initialized model; the global random state is left as it was.

    Parameters
    ----------
    name : one of `MODELS`; the paper's four are `PAPER_MODELS`
    width : planes of the first stage; 64 is ResNet-18
    seed : of the initialization
    stem : "imagenet" (ResNet-18's own stem) or "fine" (3 x 3, no pooling)
    hidden : units of the hidden layer of the heads that have one
    shared : one encoder for all three images, or one each

    Returns
    -------
    a module from (B, 3, 28, 28) float images in [0, 1] to (B,) predictions

    Examples
    --------
    >>> sum(p.numel() for p in build("sum", width=2, seed=0).parameters())
    11311
    >>> build("sum", width=2, seed=0)(torch.zeros(5, 3, 28, 28)).shape
    torch.Size([5])
    """
    name, stem = one_of("name", name, MODELS), one_of("stem", stem, STEMS)
    width, hidden = positive_int("width", width), positive_int("hidden", hidden)
    seed = integer("seed", seed, low=0)  # torch takes 64 bits
    features = out_planes(STAGES - 1, width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in MIXING:
            model: nn.Module = Early(MIXING[name], width, stem, shared)
        else:
            heads = {
                "sum": lambda: SumHead(features),
                "linear": lambda: StackedHead(features, 0),
                "2-layer": lambda: StackedHead(features, hidden),
                "deepsets": lambda: DeepSetsHead(features, hidden),
                "attention": lambda: AttentionHead(features, hidden),
            }
            model = Late(heads[name](), width, stem, shared)
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model
