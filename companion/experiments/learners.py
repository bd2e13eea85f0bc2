"""The decisive cell of the protocol factorial, learner by learner: balanced classes, 20% wrong labels, rate 0.7."""

from dataclasses import dataclass
from typing import Any

from companion.experiments import protocols
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(protocols.Settings):
    side: int = setting(7, "pixels a side: networks of that size take a tenth of a second each")
    learners: tuple[str, ...] = setting(tuple(protocols.LEARNERS), "those that fit every label and those that do not")
    exponents: tuple[float, ...] = setting((0.0,), "balanced classes")
    noise: tuple[float, ...] = setting((0.2,), "share of wrong training labels")
    rates: tuple[float, ...] = setting((0.7,), "Feldman and Zhang's subset share")
    models: int = setting(200, "60 leave a point out")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    return protocols.run(settings, cell, seed, resources)


EXPERIMENT = define(
    run,
    grid("learner", learner="learners", exponent="exponents", noise="noise"),
    smoke=(1, Settings("embedded", 7, 120, 300, learners=("kernel", "logistic"), models=40, judges=2)),
    cpu=(20, Settings()),
    by=("learner", "exponent", "noise", "rate", "score", "threshold"),
    trains=True,
)
