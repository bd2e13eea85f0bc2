"""Memorization scores of the one-shot glyphs, from the rows of the experiment `measured`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from companion.neural.tasks import ONE_SHOTS


def correct_and_kept(rows: Sequence[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Which glyph triples were predicted correctly and which glyphs were in training, both (t, 10) bool.

    `rows` are those of one cell; t is the number of runs. The shapes are what
    `companion.memorization.memorization_scores` takes.
    """
    seeds = sorted({row["seed"] for row in rows})
    correct, included = np.zeros((2, len(seeds), ONE_SHOTS), dtype=bool)
    for row in rows:
        if row["kind"] == "glyph":
            correct[seeds.index(row["seed"]), row["item"]] = row["correct"] > 0.5
            included[seeds.index(row["seed"]), row["item"]] = row["kept"] == 1
    return correct, included


def score_by_run(rows: Sequence[dict[str, Any]]) -> np.ndarray:
    """(t,) the memorization score of an average glyph, estimated from each run alone; runs are independent.

    Every run keeps the same number of glyphs, so the mean over runs is unbiased for the mean score of the ten.
    """
    correct, included = correct_and_kept(rows)
    inside, outside = ((correct & part).sum(axis=1) / part.sum(axis=1) for part in (included, ~included))
    return np.asarray(inside - outside)
