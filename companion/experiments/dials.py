"""Small Sum networks along every dial: dose of weight decay, width, epochs, triples, and the initialization."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from companion.neural.tasks import ONE_SHOTS, Task, digit_sums
from companion.runner.experiment import Resources, define, setting


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST and Omniglot, or the embedded digits and glyphs", "paper")
    triples: int = setting(1_000, "training triples where they are not the dial; the paper has 32,000")
    test_triples: int = setting(500, "triples of each test set")
    images: float = setting(1.875, "images a triple that training digits come from, as many as the paper's 60,000")
    hidden: int = setting(64, "units of each hidden layer where they are not the dial")
    epochs: int = setting(80, "passes over the triples where they are not the dial")
    batch: int = setting(50, "triples a step")
    lr: float = setting(1e-2, "peak learning rate of Adam, one-cycle")
    doses: tuple[float, ...] = setting((0.0, 0.01, 0.03, 0.1, 0.3, 1.0), "rate x decay x steps of an epoch")
    wide: int = setting(128, "the width at which the doses are run once more")
    others: tuple[tuple[str, int], ...] = setting(
        tuple(("epochs", e) for e in (20, 40, 160)) + tuple(("triples", n) for n in (500, 2_000)) + (("hidden", 32),),
        "runs without decay in which one dial stands elsewhere",
    )
    starts: int = setting(2, "initializations and orders of triples for a draw where only the dose is turned")
    first_draw: int = setting(200, "draw of the first seed; earlier draws served to find the settings")


def cells(settings: Settings) -> list[dict[str, Any]]:
    base = {"hidden": settings.hidden, "epochs": settings.epochs, "triples": settings.triples}
    return [base, base | {"hidden": settings.wide}, *(base | {dial: value} for dial, value in settings.others)]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One draw of the data: a row for each dose and start; where no dial but the dose is turned with the score.

    "mem": share of the ten glyphs whose triple is right with them in training, less the share without; every glyph is
    in one of two complementary halves, each trained once.
    """
    from companion.neural import surrogate

    resources.use_threads()
    draw, (base, wide, *_) = settings.first_draw + seed, cells(settings)
    doses = settings.doses if cell in (base, wide) else (0.0,)
    decays = [dose / (settings.lr * math.ceil(cell["triples"] / settings.batch)) for dose in doses]

    def task(left_out: tuple[int, ...] = ()) -> Task:
        images = round(settings.images * cell["triples"])
        data = {"source": settings.source, "triples": cell["triples"], "test_triples": settings.test_triples}
        return digit_sums(**data, seed=draw, pool=images, leave_out=left_out, root=resources.data)

    def trained(tasks: list[Task], seeds: list[int]) -> dict[str, np.ndarray]:
        recipe = {"hidden": cell["hidden"], "epochs": cell["epochs"], "batch": settings.batch, "lr": settings.lr}
        return surrogate.train("sum", tasks, seeds, decays, **recipe)

    full, starts = task(), [draw + 1_000 * start for start in range(settings.starts if cell == base else 1)]
    found = trained([full] * len(starts), starts)
    keys = [(start, i) for start in range(len(starts)) for i in range(len(doses))]
    losses = {key: values for key, values in found.items() if values.ndim == 2}
    rows = [{"start": s, "dose": doses[i]} | {key: float(v[s, i]) for key, v in losses.items()} for s, i in keys]
    if cell == base:
        own = full.train.take(full.one_shot_rows[np.argsort(full.train.index[full.one_shot_rows].max(axis=1))])
        order, right = np.random.default_rng([draw, 29]).permutation(ONE_SHOTS), 0.0
        for half in (order[: ONE_SHOTS // 2], order[ONE_SHOTS // 2 :]):
            asked = replace(task(tuple(map(int, half))), tests=full.tests | {"one_shot_new": own})
            hit = np.abs(trained([asked], [draw])["new"][0]) < 0.5  # each glyph's own triple, (doses, 10)
            right = right + np.where(np.isin(range(ONE_SHOTS), half), -1, 1) * hit
        for row, share in zip(rows[: len(doses)], np.mean(right, axis=-1), strict=True):  # of the first start
            row["mem"] = float(share)
    return rows


EXPERIMENT = define(
    run,
    cells,
    smoke=(2, Settings(source="embedded", triples=120, test_triples=60, hidden=8, epochs=2, wide=12, others=())),
    cpu=(8, Settings()),
    by=("hidden", "epochs", "triples", "start", "dose"),
)
