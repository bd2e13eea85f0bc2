"""Which reading of the paper gives its numbers? An encoder for each channel, glyphs in their channels or in others."""

from dataclasses import dataclass
from typing import Any

from companion.neural import study
from companion.runner.experiment import Resources, define, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "linear", "2-layer"), "the paper's split-channel architectures", "paper")
    pool: int | None = setting(None, "images that training digits are drawn from; none: all 60,000, as the paper")
    first_draw: int = setting(300, "draw of the first seed: those of `table1`, which has the single encoder")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"model": model, "encoders": "separate"} for model in settings.models]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model; "composition" has the glyphs in their own channels, "composition_moved" in others."""
    net, task = study.train_one(
        settings,
        model=cell["model"],
        weight_decay=0.0,
        seed=settings.first_draw + seed,
        resources=resources,
        shared=cell["encoders"] == "shared",
        pool=settings.pool,
    )
    return [study.losses(net, task) | study.baseline_losses(settings, task)]


EXPERIMENT = define(
    run,
    cells,
    smoke=(2, Settings(**study.SMOKE, epochs=4, models=("sum",), pool=500)),
    cpu=(5, Settings(**study.CPU, epochs=30, batch=16, lr=6e-3, pool=7_500)),
    paper=(5, Settings(epochs=30, batch=32, lr=1.5e-3)),
    trains=True,
)
