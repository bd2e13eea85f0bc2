"""What does removing the memorized points do? Curves over the threshold, each with a size-matched random control."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from companion._validate import dense_design, generator, labels, mask, numbers, positive_int, vector
from companion.memorization.loo import _labelled, squared_distances


@dataclass(frozen=True)
class Removal:
    """One point of a removal curve; accuracies in [0, 1]."""

    threshold: float
    removed: int
    memorized: float  # accuracy after removing the points with score >= threshold
    random: float  # mean accuracy after removing as many random points
    baseline: float  # accuracy with everything in place

    @property
    def effect(self) -> float:
        """Accuracy lost or won by removing these points instead of as many random ones."""
        return self.memorized - self.random


def removal_curve(
    scores: np.ndarray,
    thresholds: Sequence[float],
    accuracy: Callable[[np.ndarray], float],
    *,
    controls: int,
    seed: int | Sequence[int],
) -> list[Removal]:
    """Accuracy after removing the points that score at least each threshold, and after removing random points.

    scores: (n,), NaN never reaches a threshold. accuracy: from a bool mask (n,) of the points that stay to a test
    accuracy. `controls` random sets are averaged. A threshold that would remove every point gives NaN.

    >>> curve = removal_curve(np.array([0.1, 0.9]), [0.5], accuracy=lambda keep: float(keep.mean()), controls=3, seed=0)
    >>> (curve[0].removed, curve[0].memorized, curve[0].baseline)
    (1, 0.5, 1.0)
    """
    known = numbers("scores", scores)
    if known.ndim != 1 or known.size == 0:
        raise ValueError(f"scores must be a vector of at least one score; got shape {known.shape}")
    levels, controls = vector("thresholds", thresholds), positive_int("controls", controls)
    if not callable(accuracy):
        raise TypeError(f"accuracy must be a function of a mask, got {accuracy!r} of type {type(accuracy).__name__}")
    scores = np.where(np.isnan(known), -np.inf, known)
    rng = generator(seed)
    n = len(scores)
    baseline = accuracy(np.ones(n, dtype=bool))
    curve = []
    for threshold in levels:
        keep = scores < threshold
        removed = int(n - keep.sum())
        if removed in (0, n):
            value = baseline if removed == 0 else float("nan")
            curve.append(Removal(float(threshold), removed, value, value, baseline))
            continue
        random = [accuracy(rng.permutation(n).argsort() >= removed) for _ in range(controls)]
        curve.append(Removal(float(threshold), removed, accuracy(keep), float(np.mean(random)), baseline))
    return curve


class NearestNeighbour:
    """1-NN with the distances kept, so that removing training points costs one pass over a matrix.

    >>> nearest = NearestNeighbour(X=np.array([[0.0], [9.0]]), y=np.array([0, 1]), X_query=np.array([[1.0]]))
    >>> nearest.predict(), nearest.predict(keep=np.array([False, True]))
    (array([0]), array([1]))
    """

    def __init__(self, X: np.ndarray, y: np.ndarray, X_query: np.ndarray) -> None:
        X, self.y = _labelled(dense_design("X", X), y)
        self.distance = squared_distances(dense_design("X_query", X_query, X.shape[1]), X)

    def predict(self, keep: np.ndarray | None = None) -> np.ndarray:
        """Labels of the nearest kept training point, shape (n_query,). keep: bool (n,), None for all."""
        n = len(self.y)
        rows = np.arange(n) if keep is None else np.flatnonzero(mask("keep", keep, n))
        if rows.size == 0:
            raise ValueError("keep must leave at least one training point")
        return self.y[rows[np.take(self.distance, rows, axis=1).argmin(1)]]  # take: faster than [:, rows]

    def accuracy(self, y_query: np.ndarray, keep: np.ndarray | None = None) -> float:
        """Share of query points whose nearest kept label is theirs. y_query: (n_query,)."""
        found = self.predict(keep)
        return float((found == labels("y_query", y_query, len(found), "X_query")).mean())
