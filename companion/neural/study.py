"""What the experiments share: the settings of a training run, and one trained model as one row of numbers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from companion.neural.tasks import ONE_SHOTS, Task, baselines, digit_sums
from companion.runner.experiment import Resources, setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

# What presets share: embedded data for seconds, sizes for two cores, and training at the paper's size.
SMOKE: dict[str, Any] = {"source": "embedded", "triples": 300, "test_triples": 200, "width": 4}
CPU: dict[str, Any] = {"triples": 4_000, "test_triples": 1_000, "width": 8}
PAPER: dict[str, Any] = {"epochs": 30, "batch": 128, "lr": 1e-3}


@dataclass(frozen=True)
class Settings:
    """One training run. Only the number of triples, the three digits and the ten glyphs are the paper's."""

    source: str = setting("real", "MNIST and Omniglot, or the embedded digits and glyphs", "paper")
    triples: int = setting(32_000, "training triples", "paper")
    test_triples: int = setting(2_000, "triples of each test set")
    width: int = setting(64, "planes of the first stage; 64 is ResNet-18", "paper")
    stem: str = setting("imagenet", "ResNet-18's own first layers; the source does not say how they met 28 x 28")
    hidden: int = setting(128, "units of the hidden layer of the 2-layer head")
    shared: bool = setting(True, "one encoder for the three channels")
    zipf_exponent: float = setting(1.0, "digit d has probability proportional to (d + 1)^-exponent")
    epochs: int = setting(40, "passes over the triples")
    batch: int = setting(64, "triples a step")
    lr: float = setting(3e-3, "peak learning rate of AdamW; weight decay is decoupled from the gradient")


def dose(settings: Any, weight_decay: float) -> float:
    """Weight decay between two visits of a triple: peak learning rate times decay times steps of an epoch.

    >>> round(dose(Settings(triples=4_000, batch=16, lr=3e-3), 0.5), 3)
    0.375
    """
    return float(settings.lr * weight_decay * math.ceil(settings.triples / settings.batch))


def train_one(
    settings: Any,
    *,
    model: str,
    weight_decay: float,
    seed: int,
    resources: Resources,
    shared: bool | None = None,
    epochs: int | None = None,
    after_epoch: Callable[[int, nn.Module, Task], None] | None = None,
    **options: Any,
) -> tuple[nn.Module, Task]:
    """Make the task and train one model on it; `options` go to `companion.neural.tasks.digit_sums`."""
    from companion.neural import models, train

    resources.use_threads()
    task = digit_sums(
        source=settings.source,
        triples=settings.triples,
        test_triples=settings.test_triples,
        seed=seed,
        zipf_exponent=settings.zipf_exponent,
        root=resources.data,
        **options,
    )
    net = models.build(
        model,
        width=settings.width,
        seed=seed,
        stem=settings.stem,
        hidden=settings.hidden,
        shared=settings.shared if shared is None else shared,
    )
    recipe = train.Recipe(epochs or settings.epochs, settings.batch, settings.lr, weight_decay)
    train.fit(
        net,
        task,
        recipe,
        seed=seed,
        device=resources.device,
        checkpoint=resources.scratch / "model.pt" if resources.scratch else None,
        progress=resources.progress,
        label=f"{model}, decay {weight_decay:g}, seed {seed}",
        after_epoch=None if after_epoch is None else lambda epoch, net: after_epoch(epoch, net, task),
    )
    return net, task


def losses(net: nn.Module, task: Task) -> dict[str, float]:
    """Mean squared errors of a model: "train", "one_shot_train" and the test sets."""
    from companion.neural.train import evaluate

    return evaluate(net, task)


def by_glyph(net: nn.Module, task: Task) -> dict[str, float]:
    """How each of the ten glyphs fares.

    "fit_g": signed error on the training triple of glyph g; "new_g": mean signed error on its triples with new digits;
    "pairs_g": mean squared error on the new pairs that it is part of; "pair_a_b": on the pair a < b
    alone, NaN where the two share a channel and cannot meet.
    """
    from companion.neural.train import predict

    fit = predict(net, task.bank, task.train.index[task.one_shot_rows]) - task.train.target[task.one_shot_rows]
    first_glyph = len(task.bank) - ONE_SHOTS
    shown = task.train.index[task.one_shot_rows].max(axis=1) - first_glyph  # glyphs are the last images of the bank
    new, pairs = task.tests["one_shot_new"], task.tests["composition"]
    new_error = predict(net, task.bank, new.index) - new.target
    new_glyph = new.index.max(axis=1) - first_glyph
    pair_error = (predict(net, task.bank, pairs.index) - pairs.target) ** 2
    row = {}
    for g in range(ONE_SHOTS):
        row[f"fit_{g}"] = float(fit[shown == g].mean()) if (shown == g).any() else float("nan")
        row[f"new_{g}"] = float(new_error[new_glyph == g].mean())
        row[f"pairs_{g}"] = float(pair_error[(task.pairs == g).any(axis=1)].mean())
    for a, b in itertools.combinations(range(ONE_SHOTS), 2):
        of_pair = pair_error[(task.pairs == (a, b)).all(axis=1)]
        row[f"pair_{a}_{b}"] = float(of_pair.mean()) if len(of_pair) else float("nan")
    return row


def companions(net: nn.Module, task: Task, others: int = 40) -> dict[str, float]:
    """How the digits beside each glyph in training fare: a triple is also fitted by misreading them.

    "beside_g": the mean signed errors of the digits in the training triple of glyph g, each set among `others` pairs of
    new digits in its channel, added up. Without glyph g in training there is no such number.
    """
    from companion.neural.train import predict

    fresh, index, labels = task.tests["in_distribution"], task.train.index, task.train.labels
    fresh = fresh.take(np.arange(min(others, len(fresh))))
    first_glyph = len(task.bank) - ONE_SHOTS
    row = {}
    for at in task.one_shot_rows:
        total = 0.0
        for channel in np.flatnonzero(index[at] < first_glyph):
            shown, stands_for = fresh.index.copy(), fresh.labels.copy()
            shown[:, channel], stands_for[:, channel] = index[at, channel], labels[at, channel]
            total += float((predict(net, task.bank, shown) - stands_for.sum(axis=1)).mean())
        row[f"beside_{index[at].max() - first_glyph}"] = total
    return row


def baseline_losses(settings: Any, task: Task) -> dict[str, float]:
    """`companion.neural.tasks.baselines`, named as fields of a row."""
    return {f"baseline_{name}": value for name, value in baselines(task, settings.zipf_exponent).items()}
