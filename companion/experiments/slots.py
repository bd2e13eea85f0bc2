"""Which reading of the paper gives its numbers? One encoder or three, and glyphs in the same or in other channels."""

from dataclasses import dataclass
from typing import Any

from companion.neural import study
from companion.runner.experiment import Resources, define, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "linear", "2-layer"), "the paper's split-channel architectures", "paper")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"model": m, "encoders": kind} for kind in ("shared", "separate") for m in settings.models]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model; "composition" has the glyphs in their own channels, "composition_moved" in others."""
    net, task = study.train_one(
        settings,
        model=cell["model"],
        weight_decay=0.0,
        seed=seed,
        resources=resources,
        shared=cell["encoders"] == "shared",
    )
    return [study.losses(net, task) | study.baseline_losses(settings, task)]


EXPERIMENT = define(
    run,
    cells,
    smoke=(2, Settings(**study.SMOKE, epochs=4, models=("sum",))),
    cpu=(5, Settings(**study.CPU, epochs=15)),
    paper=(5, Settings(**study.PAPER)),
    trains=True,
)
