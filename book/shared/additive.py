"""What a sum of parts can say of a target: its best additive predictor, exactly, by enumerating the labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from companion import _validate as check
from companion.neural.tasks import combine, zipf


class Additive(NamedTuple):
    """The best additive predictor of a target.

    share : of the target's variance that it explains; 1 for a sum
    variance : of the target
    parts : (3, m) the value of each label in each place, centred; `mean` is added once
    mean : of the target
    """

    share: float
    variance: float
    parts: np.ndarray
    mean: float


def best_additive(weight: np.ndarray, target: str) -> Additive:
    """Least squares of the target on one-hot codes of three labels.

    Parameters
    ----------
    weight : (m, m, m) probabilities of the triples of labels 0 to m - 1
    target : as in `companion.neural.tasks.combine`

    Raises
    ------
    ValueError
        weight is not a law on triples, or the target is constant under it: a share of nothing.
    """
    weight = check.reals("weight", weight)
    m = len(weight) if weight.ndim else 0
    if m == 0 or weight.shape != (m, m, m) or weight.min() < 0 or abs(weight.sum() - 1) > 1e-9:
        raise ValueError(f"weight must be (m, m, m) probabilities with sum 1, got {weight.shape}, {weight.sum():g}")
    labels = np.array(list(itertools.product(range(m), repeat=3)))
    w = weight.ravel()
    y = combine(labels, target).astype(float)
    mean = float(w @ y)
    variance = float(w @ (y - mean) ** 2)
    if variance == 0:
        raise ValueError(f"the target {target!r} is constant under this law")
    code = np.hstack([np.eye(m)[labels[:, place]] for place in range(3)])
    root = np.sqrt(w)
    parts = np.linalg.lstsq(code * root[:, None], (y - mean) * root, rcond=None)[0]
    left = float(w @ (y - mean - code @ parts) ** 2)
    return Additive(1 - left / variance, variance, parts.reshape(3, m), mean)


def product_share(laws: Sequence[np.ndarray]) -> float:
    """Share of a product's variance that sums of parts explain (:prf:ref:`prop-additive-share`), independent labels.

    ``sum r_j / (prod(1 + r_j) - 1)`` with r_j the variance of label j over its squared mean; `laws` are the
    probabilities of the labels 0, 1, ... in each place, and every mean must be positive.
    """
    ratio = []
    for law in _laws(laws):
        value = np.arange(len(law))
        mean = float(law @ value)
        if mean == 0:
            raise ValueError("every label must have a positive mean: a product with a label that is 0 is 0")
        ratio.append(float(law @ value**2) / mean**2 - 1)
    return float(sum(ratio) / (np.prod([1 + r for r in ratio]) - 1))


def xor_share(laws: Sequence[np.ndarray]) -> float:
    """Share of an xor's variance that sums of parts explain (:prf:ref:`prop-xor-share`), independent labels.

    With s_k = 1 or -1 for bit k of a label, the xor is a constant less half of ``sum 2^k prod_c s_k(x_c)``; `laws` are
    the probabilities of the labels 0, 1, ... in each place.

    Raises
    ------
    ValueError
        The xor is constant: a share of nothing.
    """
    laws = _laws(laws)
    bits = max(len(law) - 1 for law in laws).bit_length()
    signs = [1.0 - 2.0 * ((np.arange(len(law))[None] >> np.arange(bits)[:, None]) & 1) for law in laws]
    mean = np.array([sign @ law for sign, law in zip(signs, laws, strict=True)])  # (places, bits)
    second = np.array([(sign * law) @ sign.T for sign, law in zip(signs, laws, strict=True)])  # (places, bits, bits)
    scale = np.outer(2.0 ** np.arange(bits), 2.0 ** np.arange(bits))
    whole = float(np.sum(scale * (second.prod(axis=0) - np.outer(mean.prod(axis=0), mean.prod(axis=0)))))
    if whole <= 1e-12 * float(scale.sum()):
        raise ValueError("the xor is constant under these laws")
    parts = 0.0
    for place in range(len(laws)):
        others = np.delete(mean, place, axis=0).prod(axis=0)
        parts += float(np.sum(scale * (second[place] - np.outer(mean[place], mean[place])) * np.outer(others, others)))
    return parts / whole


def pairs_law(zipf_exponent: float = 1.0, pairs: np.ndarray | None = None) -> np.ndarray:
    """(10, 10, 10) law of the labels in the test "composition": two different glyphs and a digit.

    pairs : (n, 2) labels of the glyphs that can meet, as in `companion.neural.tasks.Task`, each pair equally likely in
        either order; without it all, which is the law over all seeds
    """
    two = 1 - np.eye(10)
    if pairs is not None:
        pairs = check.wholes("pairs", pairs)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not pairs.size or pairs.min() < 0 or pairs.max() > 9:
            raise ValueError(f"pairs must hold glyphs 0 to 9, shape (n, 2); got {pairs.shape}")
        two = np.zeros((10, 10))
        two[pairs[:, 0], pairs[:, 1]] = two[pairs[:, 1], pairs[:, 0]] = 1.0
    out: np.ndarray = (two / two.sum())[:, :, None] * zipf(zipf_exponent)
    return out


def training_law(zipf_exponent: float = 1.0) -> np.ndarray:
    """(10, 10, 10) law of the labels of an ordinary training triple: three independent digits."""
    p = zipf(zipf_exponent)
    out: np.ndarray = np.einsum("a,b,c->abc", p, p, p)
    return out


def _laws(laws: Sequence[np.ndarray]) -> list[np.ndarray]:
    made = [check.vector("laws", law) for law in laws]
    if not made or any(law.size == 0 or law.min() < 0 for law in made):
        raise ValueError("laws must hold probabilities for each place, got none or one below 0")
    return made
