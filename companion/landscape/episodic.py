"""Stored episodes can be used in directions that training never took.

Lampinen et al. (2025) argue that a memory of the experiences themselves complements weights trained for one task,
because it can be put to uses the training did not ask for. Pairs A -> B are learned by least squares and asked
backwards, B -> A: through the trained map, and by looking up the nearest stored episode. The twist that we add:
the transpose of the very same weights answers the reversed question as well. The information was in the weights;
what was missing is the way of using them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator

Array = NDArray[np.float64]


def nearest(queries: Array, candidates: Array) -> NDArray[np.intp]:
    """Index of the candidate with the largest cosine to each query."""
    return np.argmax(queries @ (candidates / np.linalg.norm(candidates, axis=1, keepdims=True)).T, axis=1)


def run(*, seed: int, pairs: int = 200, d: int = 256, cue_noise: float = 0.0) -> dict[str, Any]:
    """Learn the pairs forwards, ask them forwards and backwards.

    Args:
        seed: of the pairs and the cues.
        pairs: number of pairs. d: dimension of either side.
        cue_noise: standard deviation of noise added to the cue, relative to the cue.

    Returns:
        Shares of right answers: ``forward`` and ``backward`` through the trained map, ``episodic`` (backwards, by
        stored episodes), ``transposed`` (backwards, through the transposed map); ``chance``.
    """
    pairs = _validate.positive_int("pairs", pairs)
    cue_noise = _validate.nonnegative("cue_noise", cue_noise)
    d = _validate.positive_int("d", d)
    rng = generator(seed)
    a, b = rng.normal(size=(2, pairs, d))
    trained = np.linalg.lstsq(a, b, rcond=None)[0]
    asked_a, asked_b = (side + cue_noise * rng.normal(size=side.shape) for side in (a, b))
    right = np.arange(pairs)
    return {
        "forward": np.mean(nearest(asked_a @ trained, b) == right),
        "backward": np.mean(nearest(asked_b @ trained, a) == right),
        "episodic": np.mean(nearest(asked_b, b) == right),
        "transposed": np.mean(nearest(asked_b @ trained.T, a) == right),
        "chance": 1 / pairs,
    }
