"""Scores without estimation: nearest neighbours (any subset size, exactly) and least squares (leverage)."""

from typing import Any

import numpy as np
import scipy.sparse as sp

from companion._validate import array, bool_matrix, dense_design, design, integer, labels


def neighbour_order(X: np.ndarray) -> np.ndarray:
    """The other points by distance from each point of X (n, d), nearest first; (n, n-1), ties by row number.

    >>> neighbour_order(np.array([[0.0], [1.0], [3.0]]))
    array([[1, 2],
           [0, 2],
           [1, 0]])
    """
    X = _several(_dense(X))
    distance = _distances(X, X)
    np.fill_diagonal(distance, -1)  # the point itself comes first and is dropped
    return np.argsort(distance, axis=1, kind="stable")[:, 1:]


def squared_distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances between the rows of A (a, d) and of B (b, d), shape (a, b).

    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]))
    array([[25.]])
    """
    A = dense_design("A", A)
    return _distances(A, dense_design("B", B, A.shape[1]))


def _distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    return np.maximum((A * A).sum(1)[:, None] + (B * B).sum(1)[None] - 2 * A @ B.T, 0)


def nearest_loo(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Leave-one-out memorization of a 1-nearest-neighbour classifier: 1.0 where the nearest other label differs.

    X: (n, d); y: (n,) labels. The classifier fits its training set, so the score is 1 - (correct without i).

    >>> nearest_loo(np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1]))
    array([0., 0., 1.])
    """
    X, y = _labelled(X, y)
    distance = _distances(X, X)
    np.fill_diagonal(distance, np.inf)
    return (y[distance.argmin(1)] != y).astype(float)


def nearest_subset_scores(X: np.ndarray, y: np.ndarray, m: int, *, without: int | None = None) -> np.ndarray:
    """Exact subsampled memorization scores of 1-NN, shape (n,): no model is trained.

    m: size of the subsets with the point. `without`: size of those without it, m by default as in the estimator;
    m-1 is the definition's (:prf:ref:`prop-size`). The nearest included neighbour is the j-th one with probability
    C(n-1-j, m-1)/C(n-1, m), so the score is 1 minus the weight of the neighbours that share the label.

    >>> nearest_subset_scores(np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1]), m=1).round(6)
    array([0.5, 0.5, 1. ])
    """
    X, y = _labelled(X, y)
    n = len(y)
    m = integer("m", m, low=1, high=n - 1)
    size = m if without is None else integer("without", without, low=1, high=n - 1)
    same = y[neighbour_order(X)] == y[:, None]
    return 1 - same @ first_neighbour_law(n - 1, size)


def first_neighbour_law(n: int, m: int) -> np.ndarray:
    """Chance that the smallest element of a uniform m-subset of 1..n is j, for j = 1..n. Shape (n,).

    >>> first_neighbour_law(n=3, m=2).round(6)
    array([0.666667, 0.333333, 0.      ])
    """
    n = integer("n", n, low=1)
    m = integer("m", m, low=1, high=n)
    j = np.arange(1, n)
    return np.cumprod(np.concatenate([[m / n], np.maximum(n - j - m + 1, 0) / (n - j)]))


def nearest_correct(order: np.ndarray, y: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Is 1-NN trained on each subset right on each point? Bool (t, n), what the estimator would be fed.

    order: `neighbour_order(X)`; y: (n,) labels; included: (t, n) bool. A point that is included is right.

    >>> X, y = np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1])
    >>> nearest_correct(neighbour_order(X), y, included=np.array([[True, False, False]]))
    array([[ True,  True, False]])
    """
    included = bool_matrix("included", included)
    n = included.shape[1]
    order, y = array("order", order), labels("y", y, n)
    if order.shape != (n, n - 1) or order.dtype.kind not in "ui":
        expected = f"neighbour_order(X) of {n} points, row numbers of shape ({n}, {n - 1})"
        raise ValueError(f"order must be {expected}; got {order.dtype} of shape {order.shape}")
    if order.size and not 0 <= order.min() <= order.max() < n:
        raise ValueError(f"order must hold row numbers in [0, {n - 1}], got {order.min()} to {order.max()}")
    if not included.any(axis=1).all():
        raise ValueError("included must hold at least one point in every row")
    correct = included.copy()
    model, point = np.nonzero(~included)
    for rank in range(order.shape[1]):
        neighbour = order[point, rank]
        found = included[model, neighbour]
        correct[model[found], point[found]] = y[neighbour[found]] == y[point[found]]
        model, point = model[~found], point[~found]
        if model.size == 0:
            break
    return correct


def _dense(X: Any) -> np.ndarray:
    """A dense design; of a sparse one, only the columns that are used (the others change no product)."""
    checked = design("X", X)
    if not sp.issparse(checked):
        return checked
    used = np.flatnonzero(np.bincount(checked.indices, minlength=checked.shape[1]))
    return checked[:, used].toarray()


def _labelled(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    X = _dense(X)
    y = labels("y", y, len(X))
    return _several(X), y


def _several(X: np.ndarray) -> np.ndarray:
    if len(X) < 2:
        raise ValueError(f"X must have at least 2 rows, got {len(X)}")
    return X
