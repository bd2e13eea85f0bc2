"""Table 1 in seconds: small networks without normalization, many of them trained side by side.

The architectures of `companion.neural.models` with two hidden layers in the place of a ResNet, on pictures of 7 x 7. A
*run* is one network: a task and an initialization at a weight decay. Runs stand along the first axis of every array, so
that twenty of them cost little more than one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.nn.functional import relu

from companion import _validate as check
from companion.neural.images import SIDE
from companion.neural.models import PAPER_MODELS
from companion.neural.tasks import ONE_SHOTS, Task, Triples, pictures
from companion.neural.train import Recipe, epoch_order, learning_rate

STEP = 4  # pixels averaged into one, along each side of a picture
PLACES = ("everywhere", "head", "encoder", "coupled")
Parameters = dict[str, torch.Tensor]


def train(
    model: str,
    tasks: Sequence[Task],
    seeds: Sequence[int],
    decays: Sequence[float],
    *,
    hidden: int = 64,
    epochs: int = 80,
    batch: int = 50,
    lr: float = 1e-2,
    where: str = "everywhere",
) -> dict[str, np.ndarray]:
    """Train a network on each task at each weight decay: the same initialization and order of triples at all of them.

    Parameters
    ----------
    model : one of `companion.neural.models.PAPER_MODELS`
    tasks : all with as many training and test triples
    seeds : of initialization and order, one for each task
    where : what weight decay acts on: "everywhere" (decoupled from the gradient, as in AdamW), the "head" or the
        "encoder" alone, or "coupled" with the gradient of everything, which is L2 regularization under Adam

    Returns
    -------
    losses, (tasks, decays): "train", "one_shot_train", "in_distribution", "one_shot_new", "composition"; and signed
    errors of the ten glyphs, (tasks, decays, 10): "fit" on the training triple, "new" beside new digits (the mean)

    Examples
    --------
    >>> from companion.neural.tasks import digit_sums
    >>> task = digit_sums(source="embedded", triples=40, test_triples=90, seed=0)
    >>> train("sum", [task], [0], (0.0, 0.5), epochs=2)["composition"].shape
    (1, 2)
    """
    model, where = check.one_of("model", model, PAPER_MODELS), check.one_of("where", where, PLACES)
    seeds = [check.integer("seeds", seed, low=0) for seed in seeds]
    decays = [check.nonnegative("decays", decay) for decay in decays]
    hidden, recipe = check.positive_int("hidden", hidden), Recipe(epochs, batch, lr)
    if not tasks or not decays or len(tasks) != len(seeds):
        raise ValueError(f"tasks, seeds and decays must be as many tasks as seeds, and a decay; got {len(tasks)} tasks")
    of = torch.arange(len(tasks)).repeat_interleave(len(decays))
    decay = torch.tensor(decays, dtype=torch.float32).repeat(len(tasks))[:, None, None]
    banks = torch.stack([torch.from_numpy(small(task.bank)) for task in tasks])
    index, target = _stacked([task.train for task in tasks])
    n = index.shape[1]
    starts = [_initial(model, seed, hidden) for seed in seeds]
    weights = {name: torch.stack([starts[i][name] for i in of]).requires_grad_() for name in starts[0]}
    decayed = [w for name, w in weights.items() if where in _parts(name)]
    optimizer = torch.optim.Adam(weights.values(), lr=recipe.lr)
    per_epoch = math.ceil(n / recipe.batch)
    for step in range(recipe.epochs * per_epoch):
        epoch, i = divmod(step, per_epoch)
        if i == 0:
            order = torch.stack([torch.from_numpy(epoch_order(n, epoch, seed)) for seed in seeds])
        rows = order[:, i * recipe.batch : (i + 1) * recipe.batch]
        images = _pictures(banks, index.gather(1, rows[..., None].expand(-1, -1, 3)))[of]
        error = _answer(model, weights, images) - target.gather(1, rows)[of]
        optimizer.zero_grad()
        error.square().mean(1).sum().backward()  # no run's parameters meet another's error
        rate = learning_rate(step, recipe.epochs * per_epoch, recipe)
        with torch.no_grad():
            for w in decayed:
                if where == "coupled" and w.grad is not None:
                    w.grad.add_(decay * w)
                else:
                    w.mul_(1 - rate * decay)
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
    return _measured(model, weights, list(tasks), banks, of)


def on_subsets(
    model: str,
    task: Task,
    subsets: np.ndarray,
    seeds: Sequence[int],
    *,
    hidden: int = 64,
    epochs: int = 80,
    batch: int = 50,
    lr: float = 1e-2,
) -> Callable[[Triples], np.ndarray]:
    """Train a network without weight decay on each subset of one task, as `train` trains it on a task of that subset.

    Parameters
    ----------
    model : one of `companion.neural.models.PAPER_MODELS`
    subsets : bool (networks, n), which training triples each network meets; as many in each
    seeds : of initialization and order, one for each network

    Returns
    -------
    the networks' answers: from triples (q of them) to (networks, q)

    Raises
    ------
    ValueError
        if subsets are empty or differ in size, or there are not as many seeds

    Examples
    --------
    >>> from companion.neural.tasks import digit_sums
    >>> task = digit_sums(source="embedded", triples=40, test_triples=90, seed=0)
    >>> answer = on_subsets("sum", task, np.arange(40) < [[30], [30]], [0, 1], epochs=2)
    >>> answer(task.tests["composition"]).shape
    (2, 90)
    """
    model, recipe = check.one_of("model", model, PAPER_MODELS), Recipe(epochs, batch, lr)
    hidden, seeds = check.positive_int("hidden", hidden), [check.integer("seeds", seed, low=0) for seed in seeds]
    subsets = check.array("subsets", subsets)
    if subsets.dtype != bool or subsets.ndim != 2 or subsets.shape != (len(seeds), len(task.train)):
        raise ValueError(
            f"subsets must be bool, a row a seed, shape {len(seeds), len(task.train)}; got {subsets.shape}"
        )
    n = int(subsets[0].sum())
    if not n or (subsets.sum(axis=1) != n).any():
        raise ValueError("subsets must hold as many triples each, at least one")
    bank, members = torch.from_numpy(small(task.bank)), np.stack([np.flatnonzero(keep) for keep in subsets])
    index, target = torch.from_numpy(task.train.index), torch.from_numpy(task.train.target)
    starts = [_initial(model, seed, hidden) for seed in seeds]
    weights = {name: torch.stack([start[name] for start in starts]).requires_grad_() for name in starts[0]}
    optimizer = torch.optim.Adam(weights.values(), lr=recipe.lr)
    steps, step = recipe.epochs * math.ceil(n / recipe.batch), 0
    for epoch in range(recipe.epochs):
        order = np.stack([rows[epoch_order(n, epoch, seed)] for rows, seed in zip(members, seeds, strict=True)])
        for rows in torch.from_numpy(order).split(recipe.batch, dim=1):
            optimizer.param_groups[0]["lr"] = learning_rate(step, steps, recipe)
            optimizer.zero_grad()
            error = _answer(model, weights, bank[index[rows]]) - target[rows]
            error.square().mean(1).sum().backward()
            optimizer.step()
            step += 1

    def answer(triples: Triples) -> np.ndarray:
        images = bank[torch.from_numpy(triples.index)].expand(len(seeds), -1, -1, -1)
        with torch.no_grad():
            made: np.ndarray = _answer(model, weights, images).numpy()
        return made

    return answer


def _parts(name: str) -> tuple[str, ...]:
    """What `where` may be for a decay to act on this parameter."""
    return "everywhere", "coupled", "encoder" if name.startswith("encode") else "head"


def _initial(model: str, seed: int, hidden: int) -> Parameters:
    """Weights and biases of one network, layer by layer; inputs come first."""
    generator = torch.Generator().manual_seed(seed)
    pixels = (SIDE // STEP) ** 2
    sizes = {"encode": (pixels * (3 if model == "cross-channel" else 1), hidden), "encode_again": (hidden, hidden)}
    if model == "2-layer":
        sizes["mix"] = (3 * hidden, hidden)
    sizes["read"] = (hidden * (3 if model == "linear" else 1), 1)
    made = {}
    for name, (inputs, outputs) in sizes.items():
        gain = 1.0 if name == "read" else 2.0
        made[name] = torch.randn(inputs, outputs, generator=generator) * math.sqrt(gain / inputs)
        made[f"{name}_bias"] = torch.zeros(1, outputs)
    return made


def _answer(model: str, weights: Parameters, images: torch.Tensor) -> torch.Tensor:
    """(runs, B, 3, pixels) -> (runs, B)."""
    runs, batch = images.shape[:2]

    def layer(name: str, inputs: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(weights[f"{name}_bias"], inputs, weights[name])

    apart = images.flatten(2) if model == "cross-channel" else images.flatten(1, 2)
    code = relu(layer("encode_again", relu(layer("encode", apart))))
    if model in ("cross-channel", "sum"):
        return layer("read", code).reshape(runs, batch, -1).sum(2)
    code = code.reshape(runs, batch, -1)
    return layer("read", relu(layer("mix", code)) if model == "2-layer" else code).squeeze(2)


def small(bank: np.ndarray) -> np.ndarray:
    """(m, 28, 28) uint8 -> (m, 49) float32, 0 to about 2: what the networks see of the pictures.

    >>> small(np.full((3, 28, 28), 128, dtype=np.uint8))[0, :2]
    array([1., 1.], dtype=float32)
    """
    side = SIDE // STEP
    blocks = pictures("bank", bank).reshape(-1, side, STEP, side, STEP).mean((2, 4), dtype=np.float32)
    made: np.ndarray = blocks.reshape(len(bank), -1) / np.float32(128)
    return made


def _stacked(sets: Sequence[Triples]) -> tuple[torch.Tensor, torch.Tensor]:
    """The index (sets, n, 3) and target (sets, n) of sets of triples, all as long."""
    index, target = (np.stack([getattr(triples, part) for triples in sets]) for part in ("index", "target"))
    return torch.from_numpy(index), torch.from_numpy(target)


def _pictures(banks: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """(tasks, m, pixels), (tasks, B, 3) -> (tasks, B, 3, pixels)."""
    places = index.flatten(1)[..., None].expand(-1, -1, banks.shape[2])
    return banks.gather(1, places).reshape(*index.shape, -1)


def _measured(
    model: str, weights: Parameters, tasks: list[Task], banks: torch.Tensor, of: torch.Tensor
) -> dict[str, np.ndarray]:
    def errors(sets: Sequence[Triples]) -> np.ndarray:
        index, target = _stacked(sets)
        with torch.no_grad():
            made = _answer(model, weights, _pictures(banks, index)[of]) - target[of]
        return made.reshape(len(tasks), -1, index.shape[1]).double().numpy()

    shown = [t.one_shot_rows[np.argsort(t.train.index[t.one_shot_rows].max(axis=1))] for t in tasks]  # by glyph
    found = {"train": errors([t.train for t in tasks])}
    found["one_shot_train"] = errors([t.train.take(rows) for t, rows in zip(tasks, shown, strict=True)])
    for name in ("in_distribution", "one_shot_new", "composition"):
        found[name] = errors([t.tests[name] for t in tasks])
    of_glyph = [found["one_shot_new"][:, :, g::ONE_SHOTS].mean(axis=2) for g in range(ONE_SHOTS)]
    losses = {name: (error**2).mean(axis=2) for name, error in found.items()}
    return losses | {"fit": found["one_shot_train"], "new": np.stack(of_glyph, axis=2)}
