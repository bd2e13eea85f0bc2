"""Speed of the memorization area: ensembles against one network after another, and scores at full size."""

import time
import tracemalloc

import numpy as np
import pytest

from companion.memorization import Recipe, memorization_scores, subset_masks, train_ensemble
from tests.benchmarks.clock import seconds
from tests.devices import CUDA

pytestmark = pytest.mark.benchmark
torch = pytest.importorskip("torch")


def one_after_another(X, y, included, recipe, device):
    """The plainest fair peer: torch.nn, data on the device, one network at a time, no data loader."""
    data = torch.as_tensor(X, dtype=torch.float32, device=device)
    target = torch.as_tensor(y, device=device)
    for k, mask in enumerate(included):
        torch.manual_seed(k)
        sizes = (X.shape[1], *recipe.hidden, 10)
        layers = [torch.nn.Linear(sizes[0], sizes[1]), torch.nn.ReLU(), torch.nn.Linear(sizes[1], sizes[2])]
        net = torch.nn.Sequential(*layers).to(device)
        optimizer = torch.optim.SGD(net.parameters(), lr=recipe.lr, momentum=recipe.momentum)
        rows = torch.as_tensor(np.flatnonzero(mask), device=device)
        for _ in range(recipe.epochs):
            order = rows[torch.randperm(len(rows), device=device)]
            for batch in order.split(recipe.batch):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(net(data[batch]), target[batch]).backward()
                optimizer.step()


@pytest.mark.parametrize(("device", "factor"), [("cpu", 5), pytest.param("cuda", 20, marks=CUDA.marks)])
def test_ensemble_against_one_by_one(device, factor, note):
    """64 networks 64-32-10 on the embedded digits: at least 5 times faster together (20 on a GPU)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    X, y = digits.data / 16, digits.target
    included = subset_masks(64, len(X), round(0.7 * len(X)), seed=0)
    recipe = Recipe(hidden=(32,), epochs=5, batch=64)
    timer = time.process_time if device == "cpu" else time.perf_counter

    def together():
        made = train_ensemble(X, y, included, recipe=recipe, seed=0, device=device)
        if device == "cuda":
            torch.cuda.synchronize()
        return made

    train_ensemble(X, y, included[:2], recipe=Recipe(epochs=1), seed=0, device=device)  # warm up
    own, _ = seconds(together, 3, timer)
    alone, _ = seconds(lambda: one_after_another(X, y, included, recipe, device), 1, timer)
    note(
        "ensemble",
        f"64 networks 64-32-10, {device}",
        own,
        "s",
        against="one after another",
        theirs=alone,
        ratio=alone / own,
        least=factor,
    )


def test_scores_at_full_size(note):
    """t = 2,000 models, n = 60,000 points: under 10 seconds of CPU, working memory far below the input's."""
    rng = np.random.default_rng(0)
    included = rng.random((2000, 60_000), dtype=np.float32) < 0.7
    correct = rng.random((2000, 60_000), dtype=np.float32) < 0.9
    taken, scores = seconds(lambda: memorization_scores(correct, included))
    tracemalloc.start()
    memorization_scores(correct, included, block=4096)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(scores).all()
    note("scores", "2,000 models x 60,000 points", taken, "s", most=10)
    note("scores", "working memory beside 120 MB of input", peak / 1e6, "MB", most=60)
