"""Many small networks trained at once: every matrix product carries a model axis.

Each model has its own subset of the rows, its own initial weights and its own shuffling, all drawn from
(seed, model number counted from 1), so that a model is the same, within rounding, whichever others are trained beside
it.
Losses of different models add up and do not interact: one backward pass gives every model its own gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from companion import _validate as check

if TYPE_CHECKING:
    import torch

LOSSES = ("cross_entropy", "squared")


@dataclass(frozen=True)
class Recipe:
    """How each network is trained: a ReLU network with SGD. `hidden=()` gives a linear or logistic model."""

    hidden: tuple[int, ...] = (32,)
    epochs: int = 20
    batch: int = 64
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0  # coupled: added to the gradient
    loss: str = "cross_entropy"  # "squared": one output, real targets
    precision: str = "float32"  # "float64" to compare runs digit by digit; "bfloat16" only multiplies so, in training

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, (tuple, list)):
            kind = type(self.hidden).__name__
            raise TypeError(f"hidden must be a tuple of widths, got {self.hidden!r} of type {kind}")
        vars(self).update(
            hidden=tuple(check.positive_int("hidden", width) for width in self.hidden),
            epochs=check.integer("epochs", self.epochs, low=0),
            batch=check.positive_int("batch", self.batch),
            lr=check.positive("lr", self.lr),
            momentum=check.number("momentum", self.momentum, low=0, high=1),
            weight_decay=check.number("weight_decay", self.weight_decay, low=0),
            loss=check.one_of("loss", self.loss, LOSSES),
            precision=check.one_of("precision", self.precision, ("float32", "float64", "bfloat16")),
        )


@dataclass(frozen=True)
class Ensemble:
    """Trained networks, stacked: layer l has weights (models, inputs, outputs) and biases (models, 1, outputs)."""

    weights: tuple[torch.Tensor, ...]
    biases: tuple[torch.Tensor, ...]

    def outputs(self, X: np.ndarray, *, cells: int = 2**24) -> np.ndarray:
        """What every model says about every row of X (n, p): array (models, n, outputs).

        At most `cells` numbers of a layer are held at a time.
        """
        import torch

        first, cells = self.weights[0], check.positive_int("cells", cells)
        data = torch.tensor(check.dense_design("X", X, first.shape[1]), dtype=first.dtype, device=first.device)
        widest = max(w.shape[2] for w in self.weights) * len(first)
        step = max(1, cells // widest)
        with torch.no_grad():
            parts = [_forward(self.weights, self.biases, data[a : a + step]).cpu() for a in range(0, len(data), step)]
        return torch.cat(parts, dim=1).numpy()

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Class each model gives to each row of X (n, p): int array (models, n)."""
        return self.outputs(X).argmax(2)


def train_ensemble(
    X: np.ndarray,
    y: np.ndarray,
    included: np.ndarray,
    *,
    recipe: Recipe,
    seed: int | Sequence[int],
    classes: int | None = None,
    device: str | torch.device = "cpu",
    first: int = 0,
) -> Ensemble:
    """Train one network for every row of `included`, all at once.

    X: (n, p); y: (n,) class numbers, or reals for the squared loss; included: bool (models, n), every row holding
    the same number of points, so that all models take the same steps. Model j draws from the stream (seed,
    first + j + 1). `device`: "cpu", "cuda", "auto" or a torch.device.

    >>> X, y = np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1])
    >>> included = np.array([[True, True, False], [True, False, True]])
    >>> train_ensemble(X, y, included, recipe=Recipe(hidden=(), epochs=1), seed=0).predict(X).shape
    (2, 3)
    """
    import torch

    X, y, masks, outputs = _checked(X, y, included, recipe, classes)
    first, seeds = check.integer("first", first, low=0), check.seed_words(seed)
    where = check.device(device)
    short = recipe.precision == "bfloat16"  # weights stay float32: they would not feel a small step
    dtype = torch.float32 if short else getattr(torch, recipe.precision)
    data = torch.tensor(X, dtype=dtype, device=where)
    target = torch.tensor(y, dtype=torch.long if recipe.loss == "cross_entropy" else dtype, device=where)
    # counted from 1: a 0 at the end of a seed does not count, and model 0 would share the stream of `seed` itself
    streams = [np.random.default_rng((*seeds, first + j)) for j in range(1, len(masks) + 1)]
    rows = np.stack([np.flatnonzero(mask) for mask in masks])
    sizes = (X.shape[1], *recipe.hidden, outputs)
    weights, biases = _initial(sizes, streams, dtype, where)
    optimizer = torch.optim.SGD(
        [*weights, *biases], lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    loss = _loss(recipe.loss)
    for _ in range(recipe.epochs):
        order = np.stack([r[s.permutation(len(r))] for r, s in zip(rows, streams, strict=True)])
        shuffled = torch.as_tensor(order, device=where)
        for a in range(0, order.shape[1], recipe.batch):
            batch = shuffled[:, a : a + recipe.batch]
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(where.type, torch.bfloat16, enabled=short):
                out = _forward(weights, biases, data[batch])
            loss(out.to(dtype), target[batch]).backward()
            optimizer.step()
    return Ensemble(tuple(w.detach() for w in weights), tuple(b.detach() for b in biases))


def ensemble_blocks(
    X: np.ndarray,
    y: np.ndarray,
    included: np.ndarray,
    *,
    recipe: Recipe,
    seed: int | Sequence[int],
    classes: int | None = None,
    device: str | torch.device = "cpu",
    block: int = 64,
    first: int = 0,
) -> Iterator[tuple[slice, Ensemble]]:
    """`train_ensemble` for `block` models at a time: pairs (which rows of `included`, the trained networks).

    >>> X, y = np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1])
    >>> included = np.array([[True, True, False], [True, False, True]])
    >>> [models for models, _ in ensemble_blocks(X, y, included, recipe=Recipe(hidden=(), epochs=1), seed=0, block=1)]
    [slice(0, 1, None), slice(1, 2, None)]
    """
    included, block = check.bool_matrix("included", included), check.positive_int("block", block)
    first = check.integer("first", first, low=0)
    for a in range(0, len(included), block):
        models = slice(a, min(a + block, len(included)))
        yield (
            models,
            train_ensemble(
                X, y, included[models], recipe=recipe, seed=seed, classes=classes, device=device, first=first + a
            ),
        )


def ensemble_correct(
    X: np.ndarray,
    y: np.ndarray,
    included: np.ndarray,
    X_test: np.ndarray,
    y_test: np.ndarray,
    *,
    recipe: Recipe,
    seed: int | Sequence[int],
    classes: int | None = None,
    device: str | torch.device = "cpu",
    block: int = 64,
    first: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Train classifiers on the subsets; who is right where: bool (models, n) and (models, n_test).

    What `memorization_scores` and `influence_scores` take. Networks are thrown away once judged.

    >>> X, y = np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1])
    >>> included = np.array([[True, True, False], [True, False, True]])
    >>> train, test = ensemble_correct(X, y, included, X, y, recipe=Recipe(hidden=(), epochs=1), seed=0)
    >>> train.shape, test.shape
    ((2, 3), (2, 3))
    """
    if _recipe(recipe).loss != "cross_entropy":
        raise ValueError(f"recipe.loss must be cross_entropy for classifiers, got {recipe.loss}")
    X, y, included = check.dense_design("X", X), check.class_numbers("y", y), check.bool_matrix("included", included)
    X_test = check.dense_design("X_test", X_test, X.shape[1])
    y_test = check.labels("y_test", y_test, len(X_test), "X_test")
    train = np.zeros((len(included), len(X)), dtype=bool)
    test = np.zeros((len(included), len(X_test)), dtype=bool)
    for models, nets in ensemble_blocks(
        X, y, included, recipe=recipe, seed=seed, classes=classes, device=device, block=block, first=first
    ):
        train[models] = nets.predict(X) == y
        test[models] = nets.predict(X_test) == y_test
    return train, test


def _forward(weights: tuple[torch.Tensor, ...], biases: tuple[torch.Tensor, ...], x: torch.Tensor) -> torch.Tensor:
    """x: (models, rows, inputs), or (rows, inputs) for all models alike."""
    import torch

    for layer, (w, b) in enumerate(zip(weights, biases, strict=True)):
        if layer:
            x = torch.relu(x)
        x = torch.baddbmm(b, x.expand(len(w), *x.shape[-2:]), w)
    return x


def _loss(name: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Mean over a model's minibatch, summed over models."""
    import torch.nn.functional as F

    if name == "cross_entropy":
        return lambda out, y: F.cross_entropy(out.flatten(0, 1), y.flatten(), reduction="sum") / y.shape[1]
    return lambda out, y: ((out[..., 0] - y) ** 2).sum() / y.shape[1]


def _initial(
    sizes: tuple[int, ...], streams: list[np.random.Generator], dtype: torch.dtype, where: torch.device
) -> tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]:
    """Uniform in +-1/sqrt(inputs), as torch.nn.Linear starts."""
    import torch

    weights, biases = [], []
    for a, b in pairwise(sizes):
        draws = np.stack([s.random((a + 1, b), dtype=np.float32) for s in streams])
        both = torch.as_tensor((2 * draws - 1) / np.float32(a) ** 0.5, dtype=dtype, device=where)
        weights.append(both[:, :a].clone().requires_grad_())
        biases.append(both[:, a:].clone().requires_grad_())
    return tuple(weights), tuple(biases)


def _checked(
    X: np.ndarray, y: np.ndarray, included: np.ndarray, recipe: Recipe, classes: int | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    X, masks = check.dense_design("X", X), check.bool_matrix("included", included)
    y = check.vector("y", y, len(X)) if _recipe(recipe).loss == "squared" else check.class_numbers("y", y)
    if y.shape != (len(X),):
        raise ValueError(f"y must have shape ({len(X)},), one target a row of X; got {y.shape}")
    if masks.shape[1] != len(X):
        raise ValueError(f"included must have {len(X)} columns, one a row of X; got {masks.shape[1]}")
    counts = masks.sum(1)
    if counts.min() != counts.max() or counts.min() == 0:
        raise ValueError(
            f"included must hold the same positive number of points in every row; got {counts.min()} to {counts.max()}"
        )
    if recipe.loss == "squared":
        return X, y, masks, 1
    outputs = int(y.max()) + 1 if classes is None else check.integer("classes", classes, low=int(y.max()) + 1)
    return X, y, masks, outputs


def _recipe(value: Recipe) -> Recipe:
    if not isinstance(value, Recipe):
        raise TypeError(f"recipe must be a Recipe, got {value!r} of type {type(value).__name__}")
    return value
