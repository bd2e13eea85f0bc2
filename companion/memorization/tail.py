"""A long-tailed world made on purpose: clusters with Zipf frequencies, wrong labels, planted twins and leaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from companion._validate import class_numbers, generator, integer, nonnegative, number, positive, positive_int


def zipf(size: int, exponent: float) -> np.ndarray:
    """Frequencies proportional to 1/i^exponent, i = 1..size. Shape (size,), sums to 1; exponent 0 is uniform.

    >>> zipf(2, exponent=1.0).round(6)
    array([0.666667, 0.333333])
    """
    size, exponent = positive_int("size", size), nonnegative("exponent", exponent)
    weights = np.arange(1, size + 1) ** -exponent
    return weights / weights.sum()


@dataclass(frozen=True)
class LongTailMixture:
    """Gaussian clusters; cluster g is drawn with frequency proportional to 1/g^exponent and has one random label.

    >>> split = LongTailMixture(clusters=30, dimension=2).sample(n=50, n_test=20, seed=0)
    >>> split.X.shape, split.X_test.shape
    ((50, 2), (20, 2))
    """

    clusters: int = 1500
    exponent: float = 1.0  # 0: all clusters equally likely
    dimension: int = 20
    spread: float = 0.35  # standard deviation of a cluster, per coordinate
    separation: float = 3.0  # standard deviation of the cluster centres, per coordinate
    classes: int = 10
    mislabelled: float = 0.05  # share of training labels replaced by another class

    def __post_init__(self) -> None:
        vars(self).update(
            clusters=positive_int("clusters", self.clusters),
            exponent=nonnegative("exponent", self.exponent),
            dimension=positive_int("dimension", self.dimension),
            spread=nonnegative("spread", self.spread),
            separation=positive("separation", self.separation),
            classes=integer("classes", self.classes, low=2),
            mislabelled=number("mislabelled", self.mislabelled, low=0, high=1),
        )

    @property
    def frequencies(self) -> np.ndarray:
        return zipf(self.clusters, self.exponent)

    def sample(self, n: int, n_test: int, *, seed: int | Sequence[int], n_spare: int = 0) -> Split:
        """A fresh world and a sample of it: n training points, n_test test points with true labels, n_spare more.

        The spare points are drawn like training points, wrong labels included: for experiments that put something
        in the place of what they take away.
        """
        n, n_test = positive_int("n", n), positive_int("n_test", n_test)
        n_spare = integer("n_spare", n_spare, low=0)
        rng = generator(seed)
        centres = self.separation * rng.standard_normal((self.clusters, self.dimension))
        meaning = rng.integers(self.classes, size=self.clusters)
        total = n + n_test + n_spare
        group = rng.choice(self.clusters, size=total, p=self.frequencies)
        X = centres[group] + self.spread * rng.standard_normal((total, self.dimension))
        truth = meaning[group]
        wrong = rng.random(total) < self.mislabelled
        shifted = (truth + rng.integers(1, self.classes, size=total)) % self.classes
        y = np.where(wrong, shifted, truth)
        train, test, spare = slice(0, n), slice(n, n + n_test), slice(n + n_test, None)
        return Split(
            X[train], y[train], truth[train], group[train], X[test], truth[test], group[test], X[spare], y[spare]
        )


@dataclass(frozen=True)
class Split:
    """Training points, test points, and what only the maker of the world knows."""

    X: np.ndarray  # (n, d)
    y: np.ndarray  # (n,) training labels, some wrong
    truth: np.ndarray  # (n,) what they should be
    group: np.ndarray  # (n,) cluster of each training point
    X_test: np.ndarray  # (n_test, d)
    y_test: np.ndarray  # (n_test,) true labels
    group_test: np.ndarray
    X_spare: np.ndarray
    y_spare: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """Which training labels are wrong, bool (n,)."""
        return self.y != self.truth

    @property
    def cluster_size(self) -> np.ndarray:
        """Number of training points in each training point's cluster, int (n,)."""
        return np.bincount(self.group)[self.group]


def flip_labels(y: np.ndarray, share: float, classes: int, *, seed: int | Sequence[int]) -> np.ndarray:
    """Labels with exactly round(share * n) of them, chosen at random, replaced by another class. New array (n,).

    y: (n,) class numbers below `classes`.

    >>> y = np.zeros(10, dtype=int)
    >>> int((flip_labels(y, share=0.3, classes=4, seed=0) != y).sum())
    3
    """
    share, classes = number("share", share, low=0, high=1), integer("classes", classes, low=2)
    y = class_numbers("y", y, classes).copy()
    rng = generator(seed)
    rows = rng.permutation(len(y))[: round(share * len(y))]
    y[rows] = (y[rows] + rng.integers(1, classes, size=len(rows))) % classes
    return y


def leak(split: Split, share: float, *, spread: float = 0.02, seed: int | Sequence[int]) -> tuple[Split, np.ndarray]:
    """Replace round(share * n_test) test points by near-duplicates of random training points, labels included.

    Returns the leaky split and, for every test point, the training row it copies (-1: none). Source of the
    protocol: ours, after the counter-paper's fourth point; effect: :prf:ref:`prop-leak`.

    >>> split = LongTailMixture(clusters=30, dimension=2).sample(n=50, n_test=20, seed=0)
    >>> leaked, where = leak(split, share=0.25, seed=0)
    >>> int((leaked.X_test != split.X_test).any(axis=1).sum())
    5
    """
    split, spread = _split(split), nonnegative("spread", spread)
    share = number("share", share, low=0, high=1)
    rng = generator(seed)
    count = round(share * len(split.y_test))
    source = np.full(len(split.y_test), -1)
    source[rng.permutation(len(source))[:count]] = rng.integers(len(split.y), size=count)
    copied = source >= 0
    rows = source[copied]
    X_test, y_test, group_test = split.X_test.copy(), split.y_test.copy(), split.group_test.copy()
    X_test[copied] = split.X[rows] + spread * rng.standard_normal((count, split.X.shape[1]))
    y_test[copied], group_test[copied] = split.y[rows], split.group[rows]
    return replace(split, X_test=X_test, y_test=y_test, group_test=group_test), source


def long_tailed_rows(labels: np.ndarray, n: int, exponent: float, *, seed: int | Sequence[int]) -> np.ndarray:
    """Row numbers of a random subset of n points whose class counts fall like 1/rank^exponent. Int (n,), shuffled.

    labels: (N,) whole numbers 0..C-1; class 0 is the commonest. Every class keeps at least one point; ValueError
    if a class has too few.

    >>> labels = np.repeat([0, 1, 2], 50)
    >>> rows = long_tailed_rows(labels, n=60, exponent=1.0, seed=0)
    >>> len(set(rows.tolist()))
    60
    """
    labels = class_numbers("labels", labels)
    classes = int(labels.max()) + 1
    n = integer("n", n, low=classes)
    share = zipf(classes, exponent) * n
    counts = np.maximum(1, np.floor(share).astype(int))
    while counts.sum() != n:
        step = 1 if counts.sum() < n else -1
        counts[np.argmax(step * (share - counts) - 2 * n * ((step < 0) & (counts == 1)))] += step
    have = np.bincount(labels, minlength=classes)
    if (counts > have).any():
        c = int(np.argmax(counts > have))
        raise ValueError(f"n and exponent ask for {counts[c]} points of class {c}, but labels has only {have[c]}")
    rng = generator(seed)
    rows = [rng.permutation(np.flatnonzero(labels == c))[:k] for c, k in enumerate(counts)]
    return rng.permutation(np.concatenate(rows))


def _split(value: Split) -> Split:
    if not isinstance(value, Split):
        raise TypeError(f"split must be a Split, as LongTailMixture.sample makes it; got {type(value).__name__}")
    return value
