"""Composition as the test: what each protocol calls memorized is removed, and a model composes what is left.

A row is scored as `protocols` scores an image, by how often models trained on subsets are right on it, and removed by
either score and threshold. The losses in distribution and on compositions of what training showed once are shares of
what the best constant costs. Controls remove as many random rows, or as many that hold something seen once and as many
that do not. Joins two areas: the linear model and the networks are given the same protocols.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.experiments import protocols
from companion.linear.model import LongTailModel
from companion.linear.risk import composition_risk, population_risk
from companion.linear.solve import min_norm
from companion.linear.structure import feature_counts, resolved
from companion.memorization.scores import subset_masks
from companion.neural.tasks import digit_sums
from companion.runner.experiment import Resources, define, setting

Learned = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]  # subsets, use -> right (t, n), losses (t, 2)


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST and Omniglot for the digit sums, or the embedded images")
    trials: tuple[tuple[str, float], ...] = setting(
        (("linear", 0.7), ("linear", 0.95), ("network", 0.7)),
        "learner, linear or network, and sampling rate: the two sides' choices",
    )
    threshold: float = setting(0.25, "Feldman and Zhang's, for either score")
    error_rate: float = setting(0.001, "share of null scores above the other threshold")
    permutations: int = setting(10, "mask permutations for that threshold")
    models: int = setting(100, "trained on subsets, for the scores")
    judges: int = setting(2, "trainings, and random draws, for each reduced training set")
    n: int = setting(1000, "rows of the linear model", "paper")
    d: int = setting(10_000, "its features", "paper")
    s: float = setting(5.0, "expected features in a row", "paper")
    alpha: float = setting(2.0, "tail exponent of its features")
    near: float = setting(0.25, "a prediction within this share of the labels' spread is right")
    triples: int = setting(1000, "training triples of the networks; ten of them hold a glyph seen once")
    pool: int = setting(1000, "digit images that training draws from: each is seen three times")
    hidden: int = setting(64, "units of each of the two hidden layers")
    epochs: int = setting(60, "passes over the triples")
    batch: int = setting(50, "triples a step")
    lr: float = setting(1e-2, "peak learning rate of Adam, one-cycle")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    make = linear if cell["learner"] == "linear" else network
    once, learned = make(settings, seed, resources)
    n = len(once)
    base = learned(np.ones((settings.judges, n), dtype=bool), 4)[1].mean(0)
    masks = subset_masks(settings.models, n, round(cell["rate"] * n), seed=(seed, 2))
    right = learned(masks, 10)[0]
    rng = np.random.default_rng((seed, 5))
    rows = []
    for score, threshold, removed, other, _ in protocols.protocols(settings, right, masks, rng):
        row: dict[str, Any] = {"score": score, "threshold": threshold}
        row |= {"removed": float(removed.mean()), "removed_once": float(removed[once].mean())}
        row |= {"inside": float(right[masks].mean()), "outside": float(right[~masks].mean())}
        row |= {"in_base": float(base[0]), "composed_base": float(base[1])}
        if 0 < removed.sum() < n:
            sets = [np.tile(~removed, (settings.judges, 1)), np.tile(~other, (settings.judges, 1))]
            sets += [np.stack([~drawn(removed, once, rng) for _ in sets[0]]) for drawn in protocols.CONTROLS]
            losses = learned(np.concatenate(sets), 20)[1].reshape(len(sets), settings.judges, 2).mean(1)
            for name, (inside, composed) in zip(("without", "other", "random", "matched"), losses, strict=True):
                row |= {f"in_{name}": float(inside), f"composed_{name}": float(composed)}
        rows.append(row)
    return rows


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"learner": learner, "rate": rate} for learner, rate in settings.trials]


def linear(settings: Settings, seed: int, resources: Resources) -> tuple[np.ndarray, Learned]:
    """Which rows hold a feature seen once; how minimum norm does on subsets of them. Its losses are exact."""
    model = LongTailModel(settings.n, settings.d, settings.s, settings.alpha, 0.1, 0.05)
    sample = model.sample(seed=seed)
    features = (feature_counts(sample.X) == 1) & resolved(sample.X)
    once = np.asarray(abs(sample.X) @ features) > 0
    nothing = np.zeros(settings.d)
    scale = np.array([population_risk(nothing, model), composition_risk(nothing, model, features, 2)])

    def learned(subsets: np.ndarray, use: int) -> tuple[np.ndarray, np.ndarray]:
        betas = [min_norm(sample.X[keep], sample.y[keep]) for keep in subsets]
        right = [abs(sample.X @ beta - sample.y) <= settings.near * sample.y.std() for beta in betas]
        losses = [(population_risk(beta, model), composition_risk(beta, model, features, 2)) for beta in betas]
        return np.stack(right), np.array(losses) / scale

    return once, learned


def network(settings: Settings, seed: int, resources: Resources) -> tuple[np.ndarray, Learned]:
    """Which triples hold a glyph; how Sum networks do on subsets of them."""
    from companion.neural.surrogate import on_subsets

    given: dict[str, Any] = {"source": settings.source, "pool": settings.pool, "root": resources.data}
    task = digit_sums(triples=settings.triples, test_triples=1000, seed=200 + seed, **given)
    tests = [task.tests["in_distribution"], task.tests["composition"]]
    scale = np.array([np.var(test.target) for test in tests])
    recipe: dict[str, Any] = {name: getattr(settings, name) for name in ("hidden", "epochs", "batch", "lr")}

    def learned(subsets: np.ndarray, use: int) -> tuple[np.ndarray, np.ndarray]:
        seeds = np.random.SeedSequence((seed, use)).generate_state(len(subsets))
        answer = on_subsets("sum", task, subsets, seeds.tolist(), **recipe)
        losses = [((answer(test) - test.target) ** 2).mean(1) for test in tests]
        near = settings.near * task.train.target.std()
        return abs(answer(task.train) - task.train.target) <= near, np.stack(losses, axis=1) / scale

    return np.isin(np.arange(settings.triples), task.one_shot_rows), learned


EXPERIMENT = define(
    run,
    cells,
    smoke=(
        1,
        Settings(
            source="embedded",
            trials=(("linear", 0.7), ("network", 0.7)),
            models=20,
            n=100,
            d=1000,
            triples=60,
            hidden=8,
            epochs=2,
        ),
    ),
    cpu=(20, Settings()),
    by=("learner", "rate", "score", "threshold"),
)
