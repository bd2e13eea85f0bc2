"""When is a one-shot image learned? Losses along one training run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from companion._files import write_text
from companion.neural import study
from companion.runner import schema
from companion.runner.experiment import Resources, define, grid, setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from companion.neural.tasks import Task

    AfterEpoch = Callable[[int, nn.Module, Task], None]


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "cross-channel"), "one architecture that composes, one that does not")
    decays: tuple[float, ...] = setting((0.0, 0.5), "weight decay", "paper")
    every: int = setting(4, "epochs between two measurements")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One training run, measured on the way: a row every `settings.every` epochs."""

    def train(after_epoch: AfterEpoch) -> None:
        study.train_one(
            settings,
            model=cell["model"],
            weight_decay=cell["weight_decay"],
            seed=seed,
            resources=resources,
            after_epoch=after_epoch,
        )

    return along(train, settings.epochs, settings.every, study.losses, resources)


def along(
    train: Callable[[AfterEpoch], Any],
    epochs: int,
    every: int,
    measured: Callable[[nn.Module, Task], dict[str, float]],
    resources: Resources,
) -> list[dict[str, Any]]:
    """What `measured` says every `every` epochs of a training run, and at its end: a row each.

    The rows so far are kept beside the checkpoint, so a run that was cut off loses none.
    """
    kept = resources.scratch / "rows.json" if resources.scratch else None
    rows: list[dict[str, Any]] = []
    if kept and kept.exists():
        try:
            rows = schema.parse(kept, [{"epoch": int}])
        except ValueError as error:
            raise ValueError(f"{error}; so {kept.with_name('model.pt')} is of no use") from error

    def measure(epoch: int, net: nn.Module, task: Task) -> None:
        if epoch % every and epoch != epochs:
            return
        rows[:] = [row for row in rows if row["epoch"] < epoch]
        rows.append({"epoch": epoch, **measured(net, task)})
        if kept:
            write_text(kept, json.dumps(rows))

    train(measure)
    due = [e for e in range(1, epochs + 1) if e % every == 0 or e == epochs]
    if kept and [row["epoch"] for row in rows] != due:
        raise ValueError(f"{kept} lacks rows of epochs that {kept.with_name('model.pt')} is past")
    return rows


EXPERIMENT = define(
    run,
    grid(model="models", weight_decay="decays"),
    smoke=(2, Settings(**study.SMOKE, epochs=4, every=2, models=("sum",), decays=(0.0,))),
    cpu=(5, Settings(**study.CPU, epochs=30, every=3)),
    paper=(5, Settings(**study.PAPER, every=2)),
    by=("model", "weight_decay", "epoch"),
    trains=True,
)
