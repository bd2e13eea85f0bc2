"""Speed of the memorization area: ensembles against one network after another, and scores at full size."""

import time
import tracemalloc

import numpy as np
import pytest

from companion.memorization import Recipe, memorization_scores, subset_masks, train_ensemble

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


@pytest.mark.parametrize(
    ("device", "factor"),
    [
        ("cpu", 5),
        pytest.param("cuda", 20, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")),
    ],
)
def test_ensemble_against_one_by_one(device, factor):
    """64 networks 64-32-10 on the embedded digits: at least 5 times faster together (20 on a GPU), in CPU time."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    X, y = digits.data / 16, digits.target
    included = subset_masks(64, len(X), round(0.7 * len(X)), seed=0)
    recipe = Recipe(hidden=(32,), epochs=5, batch=64)
    clock = time.process_time if device == "cpu" else time.perf_counter
    train_ensemble(X, y, included[:2], recipe=Recipe(epochs=1), seed=0, device=device)  # warm up

    def seconds(work):
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    together = min(
        seconds(lambda: train_ensemble(X, y, included, recipe=recipe, seed=0, device=device)) for _ in range(3)
    )
    alone = seconds(lambda: one_after_another(X, y, included, recipe, device))
    print(
        f"\n64 networks on {device}: together {together:.2f} s, one by one {alone:.2f} s, {alone / together:.1f} times"
    )
    assert alone > factor * together


def test_scores_at_full_size():
    """t = 2,000 models, n = 60,000 points: under 10 seconds of CPU, working memory far below the input's."""
    rng = np.random.default_rng(0)
    included = rng.random((2000, 60_000), dtype=np.float32) < 0.7
    correct = rng.random((2000, 60_000), dtype=np.float32) < 0.9
    start = time.process_time()
    scores = memorization_scores(correct, included)
    seconds = time.process_time() - start
    tracemalloc.start()
    memorization_scores(correct, included, block=4096)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"\n2,000 x 60,000 scores: {seconds:.2f} s of CPU, {peak / 1e6:.0f} MB beside {correct.nbytes / 1e6:.0f} MB")
    assert np.isfinite(scores).all()
    assert seconds < 10
    assert peak < 0.5 * correct.nbytes
