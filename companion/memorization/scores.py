"""Memorization and influence scores from many models trained on random subsets.

The estimator of Feldman and Zhang (2020): train t models, each on its own random m of the n training points, and
compare the models that saw a point with those that did not. What it is unbiased for: :prf:ref:`prop-unbiased`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from companion._validate import bool_matrix, generator, integer, number, numbers, positive_int


@dataclass(frozen=True)
class Rates:
    """How often models get a point right, among those trained on it and among the others. Arrays of shape (n,)."""

    inside: np.ndarray  # share correct among models that saw the point; NaN if there is none
    outside: np.ndarray  # the same among models that did not
    n_in: np.ndarray  # number of models that saw the point
    n_out: np.ndarray


def subset_masks(t: int, n: int, m: int, *, seed: int | Sequence[int]) -> np.ndarray:
    """t independent uniform subsets of size m of n points, as a bool array (t, n).

    >>> subset_masks(t=4, n=10, m=7, seed=0).sum(axis=1)
    array([7, 7, 7, 7])
    """
    t, n = positive_int("t", t), positive_int("n", n)
    m = integer("m", m, low=1, high=n)
    rng = generator(seed)
    masks = np.zeros((t, n), dtype=bool)
    for row in masks:
        row[rng.permutation(n)[:m]] = True
    return masks


def group_rates(correct: np.ndarray, included: np.ndarray) -> Rates:
    """Share of correct models with and without each point.

    correct, included: (t, n) bool; `correct[k, i]`: model k is right on point i; `included[k, i]`: it saw i.

    >>> included = np.array([[True], [True], [False], [False]])
    >>> rates = group_rates(np.array([[True], [True], [True], [False]]), included)
    >>> rates.inside, rates.outside
    (array([1.]), array([0.5]))
    """
    correct, included = _pair(correct, included)
    inside = np.count_nonzero(correct & included, axis=0)
    n_in = np.count_nonzero(included, axis=0)
    right = np.count_nonzero(correct, axis=0)
    n_out = len(correct) - n_in
    return Rates(_ratio(inside, n_in), _ratio(right - inside, n_out), n_in, n_out)


def memorization_scores(correct: np.ndarray, included: np.ndarray, *, block: int = 8192) -> np.ndarray:
    """Memorization score of every training point, shape (n,), in [-1, 1]; NaN where a group is empty.

    correct, included: (t, n) bool. `block` columns are handled at a time, which bounds the memory.
    Source: Feldman and Zhang (2020), Algorithm 1 as summarised; :prf:ref:`prop-unbiased`.

    >>> included = np.array([[True], [True], [False], [False]])
    >>> memorization_scores(np.array([[True], [True], [True], [False]]), included)  # 2/2 with the point, 1/2 without
    array([0.5])
    """
    correct, included = _pair(correct, included)
    block = positive_int("block", block)
    parts = [
        group_rates(correct[:, a : a + block], included[:, a : a + block]) for a in range(0, correct.shape[1], block)
    ]
    return np.concatenate([r.inside - r.outside for r in parts])


def standard_errors(correct: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Standard error of each memorization score, shape (n,); NaN where a group is empty.

    Each rate is moved by half a count towards one half first, so that "right in 72 of 72" is not called certain.

    >>> included = np.array([[True], [True], [False], [False]])
    >>> standard_errors(included, included).round(2)  # not 0, though all agree: two models a group are few
    array([0.37])
    """
    r = group_rates(correct, included)
    inside, outside = ((rate * n + 0.5) / (n + 1) for rate, n in ((r.inside, r.n_in), (r.outside, r.n_out)))
    return np.sqrt(_ratio(inside * (1 - inside), r.n_in) + _ratio(outside * (1 - outside), r.n_out))


def variance_bound(r: float, t: int) -> float:
    """1/(2 (t+1) r (1-r)): no score's mean squared error over draws of t subsets is larger.

    r: the share of the points in a subset. Source: ours, :prf:ref:`thm-variance`.

    >>> round(variance_bound(r=0.5, t=1999), 6)
    0.001
    """
    r, t = number("r", r, low=0, high=1, open_low=True), positive_int("t", t)
    if r == 1:
        raise ValueError("r must be below 1: with r = 1 no model leaves a point out")
    return 1 / (2 * (t + 1) * r * (1 - r))


def influence_scores(test_correct: np.ndarray, included: np.ndarray) -> np.ndarray:
    """Influence of training point i on test point j, shape (n_test, n) float32; NaN where a group is empty.

    test_correct: (t, n_test) bool; included: (t, n) bool. For large problems use `influence_blocks`.

    >>> included = np.array([[True, False], [True, True], [False, True], [False, False]])
    >>> influence_scores(included[:, :1], included)  # right exactly where training point 0 was used
    array([[1., 0.]], dtype=float32)
    """
    return np.concatenate([part for _, part in influence_blocks(test_correct, included)])


def influence_blocks(
    test_correct: np.ndarray, included: np.ndarray, *, block: int = 256
) -> Iterator[tuple[int, np.ndarray]]:
    """Influence scores in blocks of test points: pairs (first test row, array (<=block, n) float32).

    One matrix product a block: counts are whole numbers below 2^24, exact in float32.

    >>> included = np.array([[True, False], [True, True], [False, True], [False, False]])
    >>> [(first, scores.shape) for first, scores in influence_blocks(included, included, block=1)]
    [(0, (1, 2)), (1, (1, 2))]
    """
    test_correct, included = bool_matrix("test_correct", test_correct), bool_matrix("included", included)
    if len(test_correct) != len(included):
        raise ValueError(
            f"test_correct and included must have one row a model; got {len(test_correct)} and {len(included)}"
        )
    block = positive_int("block", block)
    masks = included.astype(np.float32)
    n_in = np.count_nonzero(included, axis=0)
    n_out = len(included) - n_in
    for a in range(0, test_correct.shape[1], block):
        hits = test_correct[:, a : a + block].astype(np.float32)
        both = hits.T @ masks
        inside = _ratio(both, n_in)
        inside -= _ratio(hits.sum(0)[:, None] - both, n_out)
        yield a, inside


def influential_pairs(
    test_correct: np.ndarray, included: np.ndarray, threshold: float, *, block: int = 256
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All (test, train) pairs with influence at least `threshold`: test rows, train rows, scores, largest first.

    >>> included = np.array([[True, False], [True, True], [False, True], [False, False]])
    >>> test, train, scores = influential_pairs(included[:, :1], included, threshold=0.5)
    >>> test.tolist(), train.tolist(), scores.tolist()
    ([0], [0], [1.0])
    """
    threshold = number("threshold", threshold)
    tests, trains, values = [], [], []
    for first, part in influence_blocks(test_correct, included, block=block):
        j, i = np.nonzero(part >= threshold)
        tests.append(j + first)
        trains.append(i)
        values.append(part[j, i])
    scores = np.concatenate(values)
    order = np.argsort(-scores, kind="stable")
    return np.concatenate(tests)[order], np.concatenate(trains)[order], scores[order]


def fractional(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """(inside - outside) / (inside + outside), the fractional score; NaN where both are 0.

    inside, outside: rates in [0, 1] or NaN, of one shape.

    Our reading of the reviews' account of the counter-paper's second equation. It is q/(2-q) with
    q = (inside - outside)/inside: :prf:ref:`lem-fractional`.

    >>> fractional(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    array([0., 1.])
    """
    a, b = numbers("inside", inside, low=0, high=1), numbers("outside", outside, low=0, high=1)
    if a.shape != b.shape:
        raise ValueError(f"inside and outside must have one shape; got {a.shape} and {b.shape}")
    return _ratio(a - b, a + b)


def _ratio(over: np.ndarray, under: np.ndarray) -> np.ndarray:
    over = np.asarray(over)
    kind = over.dtype if over.dtype.kind == "f" else np.dtype(float)
    out = np.full(np.broadcast_shapes(over.shape, np.shape(under)), np.nan, dtype=kind)
    under = np.asarray(under, dtype=kind)
    return np.divide(over, under, out=out, where=np.broadcast_to(under != 0, out.shape))


def _pair(correct: np.ndarray, included: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    correct, included = bool_matrix("correct", correct), bool_matrix("included", included)
    if correct.shape != included.shape:
        raise ValueError(f"correct and included must have one shape (t, n); got {correct.shape} and {included.shape}")
    return correct, included
