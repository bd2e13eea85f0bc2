"""The paper's Figure 2: triples with unseen '9's, against how often '9' occurs in training."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.neural import study
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(
        ("sum", "linear", "2-layer", "cross-channel"), "the architectures compared", "paper"
    )
    nines: tuple[float, ...] = setting(
        (0.002, 0.005, 0.01, 0.034, 0.1), "probability of '9' in training; 0.034 is about Zipf's"
    )


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model at one frequency of '9': its losses, and the loss by the number of '9's in the test triple."""
    from companion.neural.train import predict

    net, task = study.train_one(
        settings, model=cell["model"], weight_decay=0.0, seed=seed, resources=resources, nine=cell["nine"]
    )
    test = task.tests["nines"]
    square = (predict(net, task.bank, test.index) - test.target) ** 2
    count = (test.labels == 9).sum(axis=1)
    by_count = {f"nines_{k}": float(square[count == k].mean()) for k in (1, 2, 3)}
    best = {"baseline_nines": float(np.var(test.target)), "seen_nines": int((task.train.labels == 9).any(axis=1).sum())}
    return [study.losses(net, task) | by_count | best]


EXPERIMENT = define(
    run,
    grid("nine", model="models", nine="nines"),
    smoke=(2, Settings(**study.SMOKE, epochs=4, models=("sum",), nines=(0.1,))),
    cpu=(5, Settings(**study.CPU, epochs=15, nines=(0.003, 0.01, 0.034, 0.1))),
    paper=(5, Settings(**study.PAPER)),
    trains=True,
)
