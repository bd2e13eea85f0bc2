"""Table 1 with small networks and real images: many draws of glyphs, paired along the dial of weight decay."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments.table1 import PAPER
from companion.neural.tasks import ONE_SHOTS, Task, baselines, digit_sums
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST and Omniglot, or the embedded digits and glyphs", "paper")
    triples: int = setting(2_000, "training triples; the paper has 32,000")
    test_triples: int = setting(1_000, "triples of each test set")
    pool: int | None = setting(3_750, "images that training digits come from: each as often as the paper's 60,000")
    hidden: int = setting(128, "units of each of the two hidden layers; no normalization")
    epochs: int = setting(80, "passes over the triples")
    batch: int = setting(50, "triples a step")
    lr: float = setting(1e-2, "peak learning rate of Adam, one-cycle")
    models: tuple[str, ...] = setting(tuple(PAPER), "the architectures compared", "paper")
    decays: tuple[float, ...] = setting((0.0, 0.5), "decoupled weight decay on everything", "paper")
    dial: tuple[float, ...] = setting((0.0, 0.05, 0.1, 0.25, 0.5, 1.0), "the same for Sum, finer")
    first_draw: int = setting(100, "draw of the first seed; earlier draws served to find the settings")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One draw of glyphs, triples and initialization, trained at each weight decay: a row for each."""
    from companion.neural import surrogate

    resources.use_threads()
    model, draw = cell["model"], settings.first_draw + seed
    decays = settings.dial if model == "sum" else settings.decays
    task = digit_sums(
        source=settings.source,
        triples=settings.triples,
        test_triples=settings.test_triples,
        seed=draw,
        pool=settings.pool,
        root=resources.data,
    )
    recipe: dict[str, Any] = {
        "hidden": settings.hidden,
        "epochs": settings.epochs,
        "batch": settings.batch,
        "lr": settings.lr,
    }
    found = surrogate.train(model, [task], [draw], decays, **recipe)
    known = before(task) | {f"baseline_{name}": value for name, value in baselines(task).items()}
    rows = []
    for i, decay in enumerate(decays):
        numbers = {name: float(values[0, i]) for name, values in found.items() if values.ndim == 2}
        glyphs = {f"{name}_{g}": float(found[name][0, i, g]) for name in ("fit", "new") for g in range(ONE_SHOTS)}
        rows.append({"weight_decay": decay, **numbers, **glyphs, **known})
    return rows


def before(task: Task) -> dict[str, float]:
    """What can be known of each glyph before training.

    "ink_g": mean brightness; "digit_g", "glyph_g": distance to the nearest training digit and to the nearest other
    glyph, root mean square over pixels of the 7 x 7 pictures; "label_g": how far the label of that digit is from g.
    """
    from companion.neural.surrogate import small

    pictures, train = small(task.bank), task.train
    first = len(pictures) - ONE_SHOTS
    places, at = np.unique(train.index, return_index=True)
    digits, labels = places[places < first], train.labels.ravel()[at][places < first]
    row = {}
    for g in range(ONE_SHOTS):
        far, others = (
            np.sqrt(((pictures[rows] - pictures[first + g]) ** 2).mean(axis=1))
            for rows in (digits, [first + o for o in range(ONE_SHOTS) if o != g])
        )
        row[f"ink_{g}"] = float(pictures[first + g].mean())
        row[f"digit_{g}"], row[f"glyph_{g}"] = float(far.min()), float(others.min())
        row[f"label_{g}"] = float(labels[far.argmin()] - g)
    return row


EXPERIMENT = define(
    run,
    grid(model="models"),
    smoke=(2, Settings(source="embedded", triples=200, test_triples=100, pool=400, hidden=16, epochs=4)),
    cpu=(10, Settings()),
    by=("model", "weight_decay"),
)
