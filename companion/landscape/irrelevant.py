"""Storing what turns out irrelevant can be necessary, as long as one cannot know what is relevant.

Brown et al. (2021) prove for a classification task made of many small clusters that an accurate learner must
store nearly everything about an example that is alone in its cluster, most of it irrelevant to the task. A toy of
that argument: every cluster fixes some of its bits and leaves the others random. Keep only some bits of every
stored example and ask for the cluster of a new one. With one example per cluster nobody knows which bits matter;
with several, the fixed bits are those on which the examples agree, and the rest can be forgotten.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator, several, sizes


def run(
    *,
    seed: int,
    per_cluster: int = 1,
    clusters: int = 200,
    bits: int = 400,
    fixed: int = 80,
    kept: tuple[float, ...] = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
) -> dict[str, Any]:
    """Classify new members of known clusters from partly forgotten examples.

    Args:
        seed: of clusters and examples.
        per_cluster: training examples of each cluster. clusters, bits: how many of each.
        fixed: bits that a cluster fixes (which ones is not known). kept: shares of an example's bits to keep.

    Returns:
        Accuracy for each share kept, (len(kept),): ``random`` keeps arbitrary bits of one example a cluster;
        ``informed`` keeps, of as many bits, first those on which the cluster's examples agree most; and
        ``relevant``: share of the stored bits that an oracle would call relevant.
    """
    per_cluster = _validate.positive_int("per_cluster", per_cluster)
    clusters, bits = sizes(clusters=clusters, bits=bits)
    fixed = _validate.integer("fixed", fixed, low=1, high=bits)
    kept = several("kept", kept, _validate.number, low=0, high=1)
    rng = generator(seed)
    rows = np.arange(clusters)[:, None]
    relevant = np.argsort(rng.uniform(size=(clusters, bits)), axis=1)[:, :fixed]
    values = rng.choice([-1.0, 1.0], size=(clusters, fixed))

    def examples(count: int) -> NDArray[np.float64]:
        drawn = rng.choice([-1.0, 1.0], size=(count, clusters, bits))
        drawn[:, rows, relevant] = values
        return drawn

    train, queries = examples(per_cluster), examples(1)[0]
    agreement = np.abs(train.mean(axis=0)) + 1e-6 * rng.uniform(size=(clusters, bits))
    by_agreement, by_chance = np.argsort(-agreement, axis=1), np.argsort(rng.uniform(size=(clusters, bits)), axis=1)

    def accuracy(order: NDArray[np.intp], count: int) -> float:
        memory = np.zeros((clusters, bits))
        memory[rows, order[:, :count]] = train[0][rows, order[:, :count]]
        return float(np.mean(np.argmax(queries @ memory.T, axis=1) == np.arange(clusters)))

    counts = [max(1, round(share * bits)) for share in kept]
    return {
        "random": np.array([accuracy(by_chance, count) for count in counts]),
        "informed": np.array([accuracy(by_agreement, count) for count in counts]),
        "relevant": fixed / bits,
    }
