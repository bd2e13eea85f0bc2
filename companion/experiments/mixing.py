"""Where does composition die? From images that never meet before the sum to images that meet at the pixels."""

from dataclasses import dataclass
from typing import Any

from companion.neural import study
from companion.runner.experiment import Resources, define, grid, setting

# Of the five stages (stem, four of blocks), in how many each image is still alone; heads on whole vectors have 5.
ALONE = {
    "cross-channel": 0,
    "mix-1": 1,
    "mix-2": 2,
    "mix-3": 3,
    "mix-4": 4,
    "2-layer": 5,
    "deepsets": 5,
    "attention": 5,
    "linear": 5,
    "sum": 5,
}


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(tuple(ALONE), "from early to late mixing")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model without weight decay: its losses, and in how many stages its images are alone."""
    net, task = study.train_one(settings, model=cell["model"], weight_decay=0.0, seed=seed, resources=resources)
    return [{"alone": ALONE[cell["model"]]} | study.losses(net, task) | study.baseline_losses(settings, task)]


EXPERIMENT = define(
    run,
    grid(model="models"),
    smoke=(2, Settings(source="embedded", triples=200, test_triples=200, width=4, epochs=2)),
    cpu=(5, Settings(**study.CPU, epochs=15)),
    paper=(5, Settings(**study.PAPER)),
    trains=True,
)
