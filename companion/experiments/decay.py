"""Memorization as a dial: losses along weight decay, through the paper's 0.5. The neural twin of the ridge chapter."""

from dataclasses import dataclass
from typing import Any

from companion.neural import study
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "cross-channel"), "one architecture that composes, one that does not")
    decays: tuple[float, ...] = setting((0.0, 0.125, 0.25, 0.5, 1.0, 2.0), "weight decay; the paper has 0 and 0.5")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model at one weight decay: its losses at the end."""
    net, task = study.train_one(
        settings, model=cell["model"], weight_decay=cell["weight_decay"], seed=seed, resources=resources
    )
    return [study.losses(net, task) | study.baseline_losses(settings, task)]


EXPERIMENT = define(
    run,
    grid(model="models", weight_decay="decays"),
    smoke=(2, Settings(**study.SMOKE, epochs=4, models=("sum",), decays=(0.0, 2.0))),
    cpu=(5, Settings(**study.CPU, epochs=30, models=("sum",), decays=(0.0, 0.5, 1.0, 2.0, 4.0))),
    paper=(5, Settings(**study.PAPER)),
    trains=True,
)
