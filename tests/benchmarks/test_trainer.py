"""How much faster the trainer is than the loop a tutorial would write: triples a second, both measured in one run.

On the CPU the seconds are those of the processor, all threads together, so that other work on the machine does not
count; on a GPU they are wall-clock seconds.

The plain loop: torchvision's `ToTensor` on PIL images, a Dataset that stacks three of them, a DataLoader, the default
memory layout, float32, torch's own convolutions; same network layout, same batch, same optimizer, same threads.
"""

import time

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import ToTensor

from companion.neural import models, tasks, train

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
    """The Sum model with torch's convolutions, its encoder called once for each channel."""

    def __init__(self, width):
        super().__init__()
        made = models.build("sum", width=width, seed=0)
        self.encoder, self.read = made.encoder.networks[0], made.head.read
        for module in self.encoder.modules():
            if isinstance(module, models.SmallMapConv):
                module.__class__ = nn.Conv2d

    def forward(self, images):
        return sum(self.read(self.encoder(images[:, i : i + 1]).mean(dim=(2, 3))) for i in range(3)).squeeze(1)


def plain_epochs(task, width, device):
    model = PlainSum(width).to(device)
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
def test_throughput_on_the_cpu(width, benchmark):
    """At least twice the triples a second of the plain loop, with all cores for both."""
    compare(width, "cpu", 2.0, {8: 512, 16: 512, 64: 128}[width], benchmark)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_throughput_on_a_gpu(benchmark):
    """At least ten times the plain loop's."""
    compare(64, "cuda", 10.0, 16_384, benchmark)


def compare(width, device, target, triples, benchmark):
    task = tasks.digit_sums(source="embedded", triples=triples, test_triples=10, seed=0)
    recipe = train.Recipe(epochs=EPOCHS, batch=BATCH)

    clock = time.process_time if device == "cpu" else time.perf_counter

    def seconds(call):
        call()  # the first call of each shape chooses its kernels
        taken = []
        for _ in range(3):
            start = clock()
            call()
            taken.append(clock() - start)
        return min(taken)

    def ours():
        train.fit(models.build("sum", width=width, seed=0), task, recipe, seed=0, device=device)

    fast, slow = seconds(ours), seconds(lambda: plain_epochs(task, width, device))
    rate = EPOCHS * triples / np.array([fast, slow])
    benchmark.extra_info.update(ours=rate[0], plain=rate[1], ratio=slow / fast)
    benchmark.pedantic(ours, rounds=1)
    print(f"\n  width {width}: ours {rate[0]:,.0f} triples/s, plain {rate[1]:,.0f}, ratio {slow / fast:.1f}")
    assert slow / fast >= target
