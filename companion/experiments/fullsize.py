"""The paper's size on a machine without a GPU: ResNet-18 at width 64, 32,000 triples, a few epochs, one seed."""

from dataclasses import dataclass
from typing import Any

from companion.experiments import epochs
from companion.neural import study
from companion.runner.experiment import Resources, define, setting

# The two ends of Table 1 and the row that weight decay hurts most: what two cores can afford.
AFFORDED = (("sum", 0.0), ("sum", 0.5), ("cross-channel", 0.0))


@dataclass(frozen=True)
class Settings(study.Settings):
    runs: tuple[tuple[str, float], ...] = setting(AFFORDED, "architecture and weight decay of each run", "paper")
    every: int = setting(1, "epochs between two measurements")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"model": model, "weight_decay": decay} for model, decay in settings.runs]


def run(settings: Any, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One training run, measured after every epoch: rows as those of `companion.experiments.epochs`."""
    return epochs.run(settings, cell, seed, resources)


EXPERIMENT = define(
    run,
    cells,
    smoke=(1, Settings(**study.SMOKE, epochs=2, runs=(("sum", 0.0), ("sum", 0.5)))),
    cpu=(1, Settings(test_triples=1_000, epochs=6, every=2, lr=1e-3)),
    paper=(1, Settings(**study.PAPER)),
    by=("model", "weight_decay", "epoch"),
    trains=True,
)
