"""Where the spread comes from: glyphs, initialization and order crossed, along a dose of weight decay, at two widths.

Small Sum networks on real images, as in `companion.experiments.dials`.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from companion.neural.tasks import Task, digit_sums
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST and Omniglot, or the embedded digits and glyphs", "paper")
    triples: int = setting(1_000, "training triples; the paper has 32,000")
    test_triples: int = setting(500, "triples of each test set")
    pool: int = setting(1_875, "images that training digits come from: each as often as the paper's 60,000")
    hidden: tuple[int, ...] = setting((64, 128), "units of each of the two hidden layers; no normalization")
    epochs: int = setting(80, "passes over the triples")
    batch: int = setting(50, "triples a step")
    lr: float = setting(1e-2, "peak learning rate of Adam, one-cycle")
    doses: tuple[float, ...] = setting((0.0, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0), "rate x decay x steps of an epoch")
    initializations: int = setting(3, "of each draw of glyphs, digits and triples")
    orders: int = setting(3, "of the triples, each with every initialization")
    first_draw: int = setting(400, "draw of the first seed; earlier draws served to find the settings")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One draw at one width: a row of losses for each initialization, order and dose."""
    from companion.neural import surrogate

    resources.use_threads()
    draw = settings.first_draw + seed
    task = digit_sums(
        source=settings.source,
        triples=settings.triples,
        test_triples=settings.test_triples,
        seed=draw,
        pool=settings.pool,
        root=resources.data,
    )
    decays = [dose / (settings.lr * math.ceil(settings.triples / settings.batch)) for dose in settings.doses]
    starts = list(itertools.product(range(settings.initializations), range(settings.orders)))
    found = surrogate.train(
        "sum",
        [reordered(task, (draw, 31, order)) for _, order in starts],
        [1_000 * start + draw for start, _ in starts],
        decays,
        hidden=cell["hidden"],
        epochs=settings.epochs,
        batch=settings.batch,
        lr=settings.lr,
    )
    losses = {name: values for name, values in found.items() if values.ndim == 2}
    return [
        {"dose": dose, "initialization": start, "order": order} | {k: float(v[s, d]) for k, v in losses.items()}
        for s, (start, order) in enumerate(starts)
        for d, dose in enumerate(settings.doses)
    ]


def reordered(task: Task, seed: tuple[int, ...]) -> Task:
    """The same task with its training triples in another order, which is then the order that a network meets.

    >>> task = digit_sums(source="embedded", triples=40, test_triples=20, seed=0)
    >>> other = reordered(task, (1,))
    >>> same = sorted(map(tuple, other.train.index)) == sorted(map(tuple, task.train.index))
    >>> same, bool((other.train.index == task.train.index).all())
    (True, False)
    >>> kept = [t.train.index[t.one_shot_rows] for t in (task, other)]
    >>> bool((kept[0] == kept[1]).all())
    True
    """
    order = np.random.default_rng(seed).permutation(len(task.train))
    return replace(task, train=task.train.take(order), one_shot_rows=np.argsort(order)[task.one_shot_rows])


EXPERIMENT = define(
    run,
    grid(hidden="hidden"),
    smoke=(
        2,
        Settings(source="embedded", triples=120, test_triples=60, pool=240, hidden=(8,), epochs=2, doses=(0.0, 0.5)),
    ),
    cpu=(10, Settings()),
    by=("hidden", "dose"),
)
