"""When memorization hurts: a mislabelled one-shot, two that always occur together, targets that are no sums."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.neural import study
from companion.neural.tasks import Task
from companion.runner.experiment import Resources, define, grid, setting

CASES = ("clean", "mislabelled", "together", "product", "xor")


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "2-layer", "cross-channel"), "the architectures compared")
    cases: tuple[str, ...] = setting(CASES, "what is wrong with the data")
    glyph: int = setting(2, "the glyph that is mislabelled, or bound to `other`")
    other: int = setting(7, "the glyph that always occurs together with `glyph`")
    wrong_label: int = setting(8, "the label that the mislabelled glyph is given")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model on one kind of data.

    "touched": composition loss on the pairs that hold `glyph` (for "together": exactly one of the two), "untouched" on
    the others; "explained": one minus composition loss over the variance of its targets.
    """
    from companion.neural.train import predict

    case = cell["case"]
    kinds: dict[str, dict[str, Any]] = {
        "clean": {},
        "mislabelled": {"mislabel": (settings.glyph, settings.wrong_label)},
        "together": {"together": (settings.glyph, settings.other)},
        "product": {"target": "product"},
        "xor": {"target": "xor"},
    }
    net, task = study.train_one(
        settings, model=cell["model"], weight_decay=0.0, seed=seed, resources=resources, **kinds[case]
    )
    test = task.tests["composition"]
    square = (predict(net, task.bank, test.index) - test.target) ** 2
    touched, seen_together = _touched(settings, case, task)
    row = study.losses(net, task)
    row["touched"] = float(square[touched].mean())
    row["untouched"] = float(square[~touched & ~seen_together].mean())
    row["explained"] = float(1 - square[~seen_together].mean() / np.var(test.target[~seen_together]))
    return [row]


def _touched(settings: Settings, case: str, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Which test pairs the fault can reach, and which are no new pairs since training showed them together."""
    holds = (task.pairs == settings.glyph).any(axis=1)
    if case != "together":
        return holds, np.zeros(len(holds), dtype=bool)
    other = (task.pairs == settings.other).any(axis=1)
    return holds ^ other, holds & other


EXPERIMENT = define(
    run,
    grid(case="cases", model="models"),
    smoke=(2, Settings(source="embedded", triples=300, test_triples=300, width=4, epochs=3, models=("sum",))),
    cpu=(5, Settings(**study.CPU, epochs=15)),
    paper=(5, Settings(**study.PAPER)),
    trains=True,
)
