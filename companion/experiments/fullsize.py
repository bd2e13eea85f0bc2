"""The paper's size on a machine without a GPU: ResNet-18 at width 64, 32,000 triples, 30 epochs, one draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from companion.experiments import epochs
from companion.neural import study
from companion.neural.tasks import digit_sums
from companion.runner.experiment import Resources, define, setting

if TYPE_CHECKING:
    from torch import nn

    from companion.neural.tasks import Task

# The two ends of Table 1 and the row that weight decay hurts most: what two cores can afford.
AFFORDED = (("sum", 0.0), ("sum", 0.5), ("cross-channel", 0.0))


@dataclass(frozen=True)
class Settings(study.Settings):
    runs: tuple[tuple[str, float], ...] = setting(AFFORDED, "architecture and weight decay of each run", "paper")
    epochs: int = setting(30, "passes over the triples")
    every: int = setting(15, "epochs between two measurements")
    precision: str = setting("bfloat16", "of the convolutions while training; measured in `precision`")
    first_draw: int = setting(100, "draw of the first seed; earlier draws served to find the settings")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"model": model, "weight_decay": decay} for model, decay in settings.runs]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One training run, measured on the way: losses, and how each glyph and the digits beside it fare."""
    return trained(
        settings, cell, settings.first_draw + seed, resources, settings.precision, settings.epochs, settings.every
    )


def trained(
    settings: Any, cell: dict[str, Any], draw: int, resources: Resources, precision: str, length: int, every: int
) -> list[dict[str, Any]]:
    """Rows along `length` epochs with the convolutions in `precision`."""
    from companion.neural import models, train

    resources.use_threads()
    task = digit_sums(
        source=settings.source,
        triples=settings.triples,
        test_triples=settings.test_triples,
        seed=draw,
        zipf_exponent=settings.zipf_exponent,
        root=resources.data,
    )
    net = models.build(
        cell["model"],
        width=settings.width,
        seed=draw,
        stem=settings.stem,
        hidden=settings.hidden,
        shared=settings.shared,
    )
    recipe = train.Recipe(length, settings.batch, settings.lr, cell["weight_decay"])

    def fit(after_epoch: epochs.AfterEpoch) -> None:
        train.fit(
            net,
            task,
            recipe,
            seed=draw,
            device=resources.device,
            precision=precision,
            checkpoint=resources.scratch / "model.pt" if resources.scratch else None,
            progress=resources.progress,
            label=f"{cell['model']}, decay {cell['weight_decay']:g}, {precision}",
            after_epoch=lambda epoch, net: after_epoch(epoch, net, task),
        )

    return epochs.along(fit, length, every, measured, resources)


def measured(net: nn.Module, task: Task) -> dict[str, float]:
    return study.losses(net, task) | study.by_glyph(net, task) | study.companions(net, task)


EXPERIMENT = define(
    run,
    cells,
    smoke=(1, Settings(**study.SMOKE, epochs=2, runs=(("sum", 0.0), ("sum", 0.5)), every=1)),
    # as much decay for each visit of a glyph as in the preset `cpu` of `dose`
    cpu=(1, Settings(test_triples=1_000, batch=128, lr=6e-3)),
    paper=(5, Settings(batch=32, lr=1.5e-3)),
    by=("model", "weight_decay", "epoch"),
    trains=True,
)
