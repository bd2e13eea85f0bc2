"""Memorization of the one-shot images, measured: the same training with random subsets of the ten left out.

The score of a glyph is that of Feldman and Zhang, with "correct" meaning that the predicted sum of its training triple
rounds to the true one: the share of correct runs with the glyph in training less the share without.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from companion.neural import study
from companion.neural.tasks import ONE_SHOTS, Task, Triples, digit_sums
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "cross-channel"), "one architecture that composes, one that does not")
    decays: tuple[float, ...] = setting((0.0, 0.5), "weight decay", "paper")
    task_seed: int = setting(0, "of the data: the same for every run, only subset and initialization change")
    keep: int = setting(5, "glyphs in training, of the ten, a new random subset each run")


def kept(settings: Settings, seed: int) -> np.ndarray:
    """(10,) bool: the glyphs that run `seed` trains with."""
    mask = np.zeros(ONE_SHOTS, dtype=bool)
    mask[np.random.default_rng([seed, 29]).permutation(ONE_SHOTS)[: settings.keep]] = True
    return mask


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One run on one subset: a row for each glyph, and one for each number of kept glyphs in a test pair.

    Glyph rows have kind "glyph", `item` the glyph, `kept` 0 or 1, `correct` and `square` on its training triple and
    `new_square` on its triples with new digits. Pair rows have kind "pair", `item` -1, `kept` 0, 1 or 2.
    """
    import torch

    from companion.neural import models, train

    torch.set_num_threads(resources.threads)
    full, bare = _tasks(settings, resources.data)
    mask = kept(settings, seed)
    task = _masked(full, bare, mask)
    net = models.build(
        cell["model"],
        width=settings.width,
        seed=seed,
        stem=settings.stem,
        hidden=settings.hidden,
        shared=settings.shared,
    )
    recipe = train.Recipe(settings.epochs, settings.batch, settings.lr, cell["weight_decay"])
    checkpoint = resources.scratch / "model.pt" if resources.scratch else None
    train.fit(net, task, recipe, seed=seed, device=resources.device, checkpoint=checkpoint, progress=resources.progress)

    rows = []
    own = full.train.take(full.one_shot_rows)
    glyph = _glyphs(full, own)
    error = train.predict(net, full.bank, own.index) - own.target
    new, pairs = full.tests["one_shot_new"], full.tests["composition"]
    new_square = (train.predict(net, full.bank, new.index) - new.target) ** 2
    new_glyph = _glyphs(full, new)
    pair_square = (train.predict(net, full.bank, pairs.index) - pairs.target) ** 2
    for g in range(ONE_SHOTS):
        (e,) = error[glyph == g]
        rows.append(
            {
                "kind": "glyph",
                "item": g,
                "kept": int(mask[g]),
                "correct": float(abs(e) < 0.5),
                "square": float(e**2),
                "new_square": float(new_square[new_glyph == g].mean()),
            }
        )
    count = mask[full.pairs].sum(axis=1)
    for k in (0, 1, 2):
        if (count == k).any():
            rows.append({"kind": "pair", "item": -1, "kept": k, "square": float(pair_square[count == k].mean())})
    return rows


def _glyphs(task: Task, triples: Triples) -> np.ndarray:
    """The glyph in each triple; glyphs are the last images of the bank."""
    return triples.index.max(axis=1) - (len(task.bank) - ONE_SHOTS)


@lru_cache(maxsize=2)
def _tasks(settings: Settings, root: Path | None) -> tuple[Task, Task]:
    """The task with all glyphs, and the same with none."""
    made = [
        digit_sums(
            source=settings.source,
            triples=settings.triples,
            test_triples=settings.test_triples,
            seed=settings.task_seed,
            zipf_exponent=settings.zipf_exponent,
            leave_out=left_out,
            root=root,
        )
        for left_out in ((), tuple(range(ONE_SHOTS)))
    ]
    return made[0], made[1]


def _masked(full: Task, bare: Task, mask: np.ndarray) -> Task:
    """The task with the glyphs of `mask`; the triples of the others hold three digits."""
    rows = full.one_shot_rows[mask[_glyphs(full, full.train.take(full.one_shot_rows))]]
    train = Triples(bare.train.index.copy(), bare.train.target.copy(), bare.train.labels.copy())
    for mine, source in zip(
        (train.index, train.target, train.labels), (full.train.index, full.train.target, full.train.labels), strict=True
    ):
        mine[rows] = source[rows]
    return replace(full, train=train, one_shot_rows=rows)


EXPERIMENT = define(
    run,
    grid(model="models", weight_decay="decays"),
    smoke=(12, Settings(**study.SMOKE, epochs=20, batch=32, lr=1e-2)),
    cpu=(110, Settings(triples=1_000, test_triples=500, width=8, epochs=30, lr=1e-2)),
    paper=(110, Settings(**study.PAPER)),
    by=("model", "weight_decay", "kind", "item", "kept"),
    trains=True,
)
