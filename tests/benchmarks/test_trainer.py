"""How much faster the trainer is than the loop a tutorial would write: triples a second, both measured in one run.

Two threads for both on the CPU, and seconds of wall clock: throughput is what a user waits for. The two are timed in
turns and each by its quickest turn, so that other work on the machine meets both alike.

The plain loop: torchvision's `ToTensor` on PIL images, a Dataset that stacks three of them, a DataLoader, the default
memory layout, float32, torch's own convolutions; same network layout, same batch, same optimizer, same threads.
"""

from functools import partial

import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from companion.neural import models, tasks, train
from tests.benchmarks.clock import seconds, wall
from tests.devices import CUDA

pytestmark = pytest.mark.benchmark

BATCH, EPOCHS = 128, 1


class Stacked(Dataset):
    """One triple at a time, as a tutorial has it."""

    def __init__(self, task):
        self.task, self.transform = task, ToTensor()

    def __len__(self):
        return len(self.task.train)

    def __getitem__(self, row):
        images = [self.transform(Image.fromarray(self.task.bank[i])) for i in self.task.train.index[row]]
        return torch.cat(images), self.task.train.target[row]


class PlainSum(nn.Module):
    """The Sum model with torchvision's stem and torch's convolutions, its encoder called once for each channel."""

    def __init__(self, width):
        super().__init__()
        made = models.build("sum", width=width, seed=0)
        self.encoder, self.read = made.encoder.networks[0], made.head.read
        convolution, norm, *_ = self.encoder[0]
        self.encoder[0] = nn.Sequential(convolution, norm, nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1))
        for module in self.encoder.modules():
            if isinstance(module, models.SmallMapConv | models.Shortcut):
                module.__class__ = nn.Conv2d

    def forward(self, images):
        return sum(self.read(self.encoder(images[:, i : i + 1]).mean(dim=(2, 3))) for i in range(3)).squeeze(1)


def plain_epochs(model, task, device):
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loader = DataLoader(Stacked(task), batch_size=BATCH, shuffle=True)
    for _ in range(EPOCHS):
        for images, target in loader:
            loss = nn.functional.mse_loss(model(images.to(device)), target.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()


@pytest.mark.parametrize("width", [8, 16, 64])
def test_throughput_on_the_cpu(width, note):
    """At least twice the triples a second of the plain loop, on two cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        compare(width, "cpu", 2.0, {8: 512, 16: 512, 64: 128}[width], note)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("device", [CUDA])
def test_throughput_on_a_gpu(note, device):
    """At least ten times the plain loop's."""
    compare(64, device, 10.0, 16_384, note)


def compare(width, device, target, triples, note):
    task = tasks.digit_sums(source="embedded", triples=triples, test_triples=10, seed=0)
    recipe = train.Recipe(epochs=EPOCHS, batch=BATCH)
    ours, plain = models.build("sum", width=width, seed=0), PlainSum(width)
    calls = (
        lambda: train.fit(ours, task, recipe, seed=0, device=device),
        lambda: plain_epochs(plain, task, device),
    )
    turns = [[wall(call) for call in calls] for _ in range(8)]  # the first turn chooses the kernels
    rates = [EPOCHS * triples / min(times) for times in zip(*turns, strict=True)]
    note(
        "trainer",
        f"Sum, width {width}, {device}",
        rates[0],
        "triples/s",
        against="plain loop",
        theirs=rates[1],
        ratio=rates[0] / rates[1],
        least=target,
    )


@pytest.mark.parametrize(("device", "triples"), [("cpu", 256), pytest.param("cuda", 16_384, marks=CUDA.marks)])
def test_bfloat16(note, device, triples):
    """What convolutions in bfloat16 bring at the paper's width: nothing is asked, since processors differ in it."""
    task = tasks.digit_sums(source="embedded", triples=triples, test_triples=10, seed=0)
    model = models.build("sum", width=64, seed=0)

    def rate(precision):
        recipe = train.Recipe(epochs=1, batch=BATCH)
        call = partial(train.fit, model, task, recipe, seed=0, device=device, precision=precision)
        return len(task.train) / min(wall(call) for _ in range(4))

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        exact, rounded = rate("float32"), rate("bfloat16")
    finally:
        torch.set_num_threads(before)
    note(
        "trainer",
        f"convolutions in bfloat16, width 64, {device}",
        rounded,
        "triples/s",
        against="float32",
        theirs=exact,
        ratio=rounded / exact,
    )


def test_compiling_on_the_cpu(note):
    """What torch.compile would bring at the size of the cpu preset: the trainer goes without it. Nothing is asked."""
    task = tasks.digit_sums(source="embedded", triples=1024, test_triples=10, seed=0)
    bank, index = torch.from_numpy(task.bank), torch.from_numpy(task.train.index)
    target = torch.from_numpy(task.train.target)

    def rate(wrap):
        model = models.build("sum", width=8, seed=0).to(memory_format=torch.channels_last)
        forward, optimizer = wrap(model), torch.optim.AdamW(model.parameters(), fused=True)

        def step():
            for rows in torch.arange(1024).split(BATCH):
                loss = nn.functional.mse_loss(forward(train.gather(bank, index[rows])), target[rows])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()

        step()
        return 1024 / seconds(step, 3)[0]

    try:
        compiled = rate(torch.compile)
    except torch._dynamo.exc.BackendCompilerFailed as error:  # no C++ compiler
        pytest.skip(f"torch.compile does not work here: {type(error).__name__}")
    eager = rate(lambda model: model)
    note(
        "trainer",
        "torch.compile, width 8, cpu",
        compiled,
        "triples/s",
        against="as it is",
        theirs=eager,
        ratio=compiled / eager,
    )
