"""The paper's Table 1: four architectures, with and without weight decay, on pairs of one-shot images."""

from dataclasses import dataclass
from typing import Any

from companion.neural import study
from companion.runner.experiment import Resources, define, grid, setting

# model -> (test, train) as the paper prints them, first without weight decay, then with 0.5
PAPER = {
    "sum": ((0.1760, 0.0004), (2.8744, 0.0245)),
    "linear": ((0.1662, 0.0004), (1.5539, 0.0505)),
    "2-layer": ((0.1351, 0.0010), (0.6447, 0.0264)),
    "cross-channel": ((22.9671, 0.0023), (23.6506, 0.0375)),
}


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(tuple(PAPER), "the architectures compared", "paper")
    decays: tuple[float, ...] = setting((0.0, 0.5), "weight decay: memorization on and off", "paper")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model, trained once: its losses, how each glyph fares, and the baselines of its test set."""
    net, task = study.train_one(
        settings, model=cell["model"], weight_decay=cell["weight_decay"], seed=seed, resources=resources
    )
    return [study.losses(net, task) | study.by_glyph(net, task) | study.baseline_losses(settings, task)]


EXPERIMENT = define(
    run,
    grid("weight_decay", model="models", weight_decay="decays"),
    smoke=(2, Settings(source="embedded", triples=500, test_triples=300, width=4, epochs=6)),
    cpu=(3, Settings(triples=12_000, test_triples=1_000, width=8, epochs=30, batch=128)),
    # learning rate times decay times steps of an epoch decides: no less of it than in a stored run (`study.dose`)
    paper=(5, Settings(epochs=30, batch=32, lr=1.5e-3)),
    trains=True,
)
