"""Convolutions in bfloat16 against float32, paired: the same task, initialization and order of triples."""

from dataclasses import dataclass
from typing import Any

from companion.experiments import fullsize
from companion.neural import study
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum",), "the architecture whose pairs decay is said to cost")
    decays: tuple[float, ...] = setting((0.0, 0.5), "weight decay: memorization on and off", "paper")
    precisions: tuple[str, ...] = setting(("float32", "bfloat16"), "of the convolutions while training")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One training run: its losses, and how each glyph fares, at the end."""
    numbers = fullsize.trained(settings, cell, seed, resources, cell["precision"], settings.epochs, settings.epochs)
    return [{name: value for name, value in numbers[-1].items() if name != "epoch"}]


EXPERIMENT = define(
    run,
    grid(model="models", weight_decay="decays", precision="precisions"),
    smoke=(2, Settings(**study.SMOKE, epochs=2, decays=(0.0,))),
    cpu=(6, Settings(triples=4_000, test_triples=1_000, width=32, epochs=12, batch=64, lr=6e-3)),
    by=("model", "weight_decay", "precision"),
    trains=True,
)
