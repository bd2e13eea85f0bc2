"""The task: three images as channels, the target is the sum of their digits, and a few images are seen once.

Training: digits follow a Zipf law; each of ten one-shot glyphs, labelled 0 to 9, sits in exactly one triple, alone with
two digits. Tests are made of digits never trained on. A task is a function of its settings and a seed alone, so every
model trained from the same seed meets the same triples.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from companion._validate import array, integer, nonnegative, number, one_of, positive_int, vector, wholes
from companion.memorization import tail
from companion.neural.images import Images, digits, glyphs

TARGETS = ("sum", "product", "xor")
ONE_SHOTS = 10


@dataclass(frozen=True)
class Triples:
    """Triples of images of a bank.

    Attributes
    ----------
    index : (n, 3) int64, rows of the bank
    target : (n,) float32
    labels : (n, 3) int64, the digit that each image stands for
    """

    index: np.ndarray
    target: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        index, labels = wholes("index", self.index), wholes("labels", self.labels)
        target = vector("target", self.target, len(index)).astype(np.float32)
        if index.ndim != 2 or index.shape != labels.shape:
            got = f"{index.shape} and {labels.shape}"
            raise ValueError(f"index and labels must hold one row a triple, shape (n, 3); got shapes {got}")
        vars(self).update(index=index, target=target, labels=labels)

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: np.ndarray) -> Triples:
        return Triples(self.index[rows], self.target[rows], self.labels[rows])


@dataclass(frozen=True)
class Task:
    """A bank of images, triples to train on and named test sets.

    Attributes
    ----------
    bank : (m, 28, 28) uint8
    train : the training triples; the rows `one_shot_rows` hold one glyph each
    tests : name -> triples; see `digit_sums`
    one_shot_rows : (k,) int64, k = 10 less those left out
    glyphs : (10, 28, 28) uint8, the one-shot images by label
    pairs : (n, 2) int64, the labels of the two glyphs of each triple of the test "composition"
    """

    bank: np.ndarray
    train: Triples
    tests: dict[str, Triples] = field(repr=False)
    one_shot_rows: np.ndarray
    glyphs: np.ndarray = field(repr=False)
    pairs: np.ndarray = field(repr=False)

    def __post_init__(self) -> None:
        vars(self).update(bank=pictures("bank", self.bank))


def pictures(name: str, value: Any) -> np.ndarray:
    """`value` as uint8 pictures (m, height, width), 0 to 255; TypeError for any other scale."""
    made = array(name, value)
    if made.dtype != np.uint8:
        raise TypeError(f"{name} must hold pictures as uint8, 0 to 255, got dtype {made.dtype}")
    if made.ndim != 3 or not made.size:
        raise ValueError(f"{name} must hold pictures, shape (m, height, width); got shape {made.shape}")
    return made


def zipf(exponent: float) -> np.ndarray:
    """(10,) probabilities proportional to (digit + 1)^-exponent: '0' is the commonest digit, '9' the rarest."""
    return tail.zipf(10, exponent)


def combine(labels: np.ndarray, target: str) -> np.ndarray:
    """(n, 3) labels -> (n,) float32: their sum, their product, or the xor of their bits."""
    target, labels = one_of("target", target, TARGETS), wholes("labels", labels)
    if labels.ndim != 2:
        raise ValueError(f"labels must hold one row a triple, shape (n, 3); got shape {labels.shape}")
    if target == "sum":
        return labels.sum(axis=1).astype(np.float32)
    if target == "product":
        return labels.prod(axis=1).astype(np.float32)
    return np.bitwise_xor.reduce(labels, axis=1).astype(np.float32)


def digit_sums(
    *,
    source: str,
    triples: int,
    test_triples: int,
    seed: int,
    zipf_exponent: float = 1.0,
    pool: int | None = None,
    nine: float | None = None,
    target: str = "sum",
    leave_out: tuple[int, ...] = (),
    mislabel: tuple[int, int] | None = None,
    together: tuple[int, int] | None = None,
    root: str | Path | None = None,
) -> Task:
    """Training triples and the test sets.

    Test sets, all with digits that no training triple holds:

    - "in_distribution": three digits, frequencies as in training;
    - "nines": at least one '9', the others 0 to 4 (the paper's Figure 2);
    - "one_shot_new": one glyph, in the channel where training showed it, with two digits;
    - "composition": two glyphs, each in its own channel, with one digit: a pair that never occurred (Table 1);
    - "composition_moved": the same pairs, each glyph in a channel where training never showed it.

    Parameters
    ----------
    source : "real" (MNIST, Omniglot) or "embedded"
    triples, test_triples : how many to train on, and in each test set
    seed : of everything random: the glyphs, the triples, the tests
    zipf_exponent : digit d has probability proportional to (d + 1)^-zipf_exponent
    pool : training draws its digits from this many images, a tenth of them of each digit; None for all there are.
        Few triples of many images show most images once, a glyph's two companions among them
    nine : probability of '9' in training and in "in_distribution" instead, the others rescaled
    target : "sum", "product" or "xor" of the three labels
    leave_out : glyphs left out of training (a triple of digits takes their place); tests do not change
    mislabel : (glyph, wrong label) used in its training triple's target; tests keep the true label
    together : two glyphs that share one training triple instead of having one each
    root : folder of the real images

    Raises
    ------
    DataError
        if the real images do not verify

    Examples
    --------
    >>> task = digit_sums(source="embedded", triples=24, test_triples=12, seed=0)
    >>> task.train.index.shape, sorted(task.tests)
    ((24, 3), ['composition', 'composition_moved', 'in_distribution', 'nines', 'one_shot_new'])
    """
    target, test_triples = one_of("target", target, TARGETS), positive_int("test_triples", test_triples)
    seed, triples = integer("seed", seed, low=0), integer("triples", triples, low=ONE_SHOTS)
    zipf_exponent = nonnegative("zipf_exponent", zipf_exponent)
    nine = None if nine is None else number("nine", nine, low=0, high=1)
    leave_out = _glyphs("leave_out", leave_out)
    mislabel = None if mislabel is None else _pair("mislabel", mislabel)
    together = None if together is None else _pair("together", together)
    if together is not None and together[0] == together[1]:
        raise ValueError(f"together must name two different glyphs, got {together!r}")
    rng = np.random.default_rng([seed, 17])
    train_digits = digits(source, train=True, root=root)
    test_digits = digits(source, train=False, root=root)
    one_shots = glyphs(source, classes=ONE_SHOTS, seed=seed, root=root)
    bank = np.concatenate([train_digits.pixels, test_digits.pixels, one_shots.pixels])
    glyph_at = len(train_digits) + len(test_digits)
    train_pool, test_pool = _by_label(train_digits, 0), _by_label(test_digits, len(train_digits))
    if pool is not None:
        each = integer("pool", pool, low=10, high=10 * min(len(images) for images in train_pool)) // 10
        pick = np.random.default_rng([seed, 19])
        train_pool = [pick.choice(images, each, replace=False) for images in train_pool]
    probability = _frequencies(zipf_exponent, nine)

    labels = rng.choice(10, size=(triples, 3), p=probability)
    index = _draw(rng, labels, train_pool)
    rows = rng.choice(triples, size=ONE_SHOTS, replace=False)
    channel = rng.permutation(ONE_SHOTS) % 3  # the channel in which training shows each glyph
    if together is not None:
        first, second = together
        channel[second] = (channel[first] + 1) % 3
        rows[second] = rows[first]
    shown = np.array([g for g in range(ONE_SHOTS) if g not in leave_out], dtype=np.int64)
    labels[rows[shown], channel[shown]] = shown
    index[rows[shown], channel[shown]] = glyph_at + shown
    stated = labels.copy()
    if mislabel is not None and mislabel[0] in shown:
        stated[rows[mislabel[0]], channel[mislabel[0]]] = mislabel[1]
    train = Triples(index, combine(stated, target), labels)

    tests = {}
    draw = np.random.default_rng([seed, 18])
    fresh = draw.choice(10, size=(test_triples, 3), p=probability)
    tests["in_distribution"] = _triples(_draw(draw, fresh, test_pool), fresh, target)
    nines = draw.integers(0, 5, size=(test_triples, 3))
    nines[np.arange(test_triples), draw.integers(0, 3, size=test_triples)] = 9
    nines[(draw.random((test_triples, 3)) < 0.2) & (nines < 9)] = 9  # so that triples with two and three '9's occur
    tests["nines"] = _triples(_draw(draw, nines, test_pool), nines, target)

    everyone = np.arange(test_triples)
    glyph = everyone % ONE_SHOTS
    near, near_index = fresh.copy(), tests["in_distribution"].index.copy()
    near[everyone, channel[glyph]] = glyph
    near_index[everyone, channel[glyph]] = glyph_at + glyph
    tests["one_shot_new"] = _triples(near_index, near, target)

    apart = [(a, b) for a, b in itertools.combinations(range(ONE_SHOTS), 2) if channel[a] != channel[b]]
    pairs = np.array(apart)[draw.permutation(np.arange(test_triples) % len(apart))]
    moved = np.array([_elsewhere(channel[a], channel[b]) for a, b in pairs])
    for name, places in (("composition", channel[pairs]), ("composition_moved", moved)):
        two, two_index = fresh.copy(), tests["in_distribution"].index.copy()
        two[everyone[:, None], places] = pairs
        two_index[everyone[:, None], places] = glyph_at + pairs
        tests[name] = _triples(two_index, two, target)
    return Task(bank, train, tests, np.unique(rows[shown]), one_shots.pixels, pairs)


def baselines(task: Task, zipf_exponent: float = 1.0) -> dict[str, float]:
    """Mean squared errors on "composition" of predictors that need no network (ours), for sums.

    - "best_constant": the constant that is best on the test set itself;
    - "training_mean": the mean target of the training set;
    - "reads_digit": knows the ordinary digit and takes both glyphs for average digits of the training law;
    - "reads_digit_best": knows the ordinary digit and adds the best constant for the pair.
    """
    test = task.tests["composition"]
    target = test.target.astype(float)
    digit = target - task.pairs.sum(axis=1)
    average = float(zipf(nonnegative("zipf_exponent", zipf_exponent)) @ np.arange(10))
    return {
        "best_constant": float(np.var(target)),
        "training_mean": float(np.mean((target - task.train.target.astype(float).mean()) ** 2)),
        "reads_digit": float(np.mean((target - digit - 2 * average) ** 2)),
        "reads_digit_best": float(np.var(target - digit)),
    }


def _glyphs(name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must hold glyphs by number, got {value!r} of type {type(value).__name__}")
    return tuple(integer(name, one, low=0, high=ONE_SHOTS - 1) for one in value)


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = _glyphs(name, value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be a pair of glyphs or labels, got {pair!r}")
    return pair[0], pair[1]


def _frequencies(exponent: float, nine: float | None) -> np.ndarray:
    probability = zipf(exponent)
    if nine is not None:
        probability = np.append(probability[:9] / probability[:9].sum() * (1 - nine), nine)
    return probability


def _by_label(images: Images, offset: int) -> list[np.ndarray]:
    return [offset + np.flatnonzero(images.labels == d) for d in range(10)]


def _draw(rng: np.random.Generator, labels: np.ndarray, pool: list[np.ndarray]) -> np.ndarray:
    """One image of the pool for each label, uniformly within the label."""
    sizes = np.array([len(p) for p in pool])
    place = np.floor(rng.random(labels.shape) * sizes[labels]).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.concatenate(pool)[starts[labels] + place]


def _triples(index: np.ndarray, labels: np.ndarray, target: str) -> Triples:
    return Triples(index, combine(labels, target), labels)


def _elsewhere(a: int, b: int) -> tuple[int, int]:
    """Two distinct channels, neither its glyph's own: the two glyphs swap places."""
    return b, a
