"""The protocols on a data set with a real tail: Omniglot, most characters drawn once or twice, each by another hand.

The test holds as many drawings of every character, none of them in training. Everything else is `protocols`.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import center_of_mass, gaussian_filter, shift

from companion.experiments import protocols
from companion.memorization.tail import flip_labels, long_tailed_rows
from companion.neural.images import SIDE, characters
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(protocols.Settings):
    classes: int = setting(200, "characters, of Omniglot's 964")
    blur: float = setting(1.5, "pixels; raw, 1-NN is right on a fifth of 200 characters and memorizes nearly all")
    held: int = setting(4, "drawings of each character in the test; training draws from the other 16")
    n: int = setting(400, "training drawings, two of a character on average")
    learners: tuple[str, ...] = setting(("1-NN", "5-NN", "kernel, ridge"), "one fits every label, two do not")
    exponents: tuple[float, ...] = setting((0.0, 0.5), "Zipf exponent of the class sizes: two of each, or from 15 to 1")
    rates: tuple[float, ...] = setting((0.7, 0.95), "the two sides' choices")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    resources.use_threads()
    X, labels = drawings(settings, seed, resources.data)
    order = np.random.default_rng((seed, 7)).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")].reshape(settings.classes, -1)
    test, pool = order[:, : settings.held].ravel(), order[:, settings.held :].ravel()
    rows = pool[long_tailed_rows(labels[pool], settings.n, cell["exponent"], seed=seed)]
    y = flip_labels(labels[rows], cell["noise"], settings.classes, seed=(seed, 1))
    return protocols.measured(settings, (X[rows], y, labels[rows], X[test], labels[test]), cell, seed, resources)


@lru_cache(maxsize=1)  # every cell of a seed asks for the same
def drawings(settings: Settings, seed: int, root: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """The drawings of a seed as rows, and their characters."""
    drawn = characters(settings.source, classes=settings.classes, seed=seed, root=root)
    return blurred(drawn.pixels, settings.blur, settings.side), drawn.labels


def blurred(pixels: np.ndarray, width: float, side: int) -> np.ndarray:
    """Drawings (m, 28, 28), centre of mass in the middle, blurred and averaged down, as rows (m, side * side)."""
    step, middle = SIDE // side, (SIDE - 1) / 2
    ink = pixels.astype(np.float32) / 255
    centred = [shift(one, middle - np.array(center_of_mass(one)), order=1) for one in ink]
    smooth = gaussian_filter(np.stack(centred), (0, width, width))
    rows: np.ndarray = smooth.reshape(-1, side, step, side, step).mean((2, 4)).reshape(len(pixels), -1)
    return rows


EXPERIMENT = define(
    run,
    grid("learner", learner="learners", exponent="exponents", noise="noise"),
    smoke=(
        1,
        Settings(source="embedded", classes=30, held=4, n=60, learners=("5-NN",), rates=(0.7,), models=40, judges=2),
    ),
    cpu=(20, Settings()),
    by=("learner", "exponent", "noise", "rate", "score", "threshold"),
    trains=True,
)
