"""Training, fast and plain: uint8 images stay on the device, triples are gathered by index, no DataLoader.

A run is a function of its settings and seed. After every epoch a checkpoint can be written (whole or not at all); a run
that was killed continues from it and ends, on the CPU, with the same bits as one that was not.
"""

import io
import math
import pickle
import time
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from companion import _validate as check
from companion._files import replacing
from companion._validate import device as pick_device
from companion.neural.tasks import Task, Triples, pictures

PRECISIONS = ("auto", "float32", "bfloat16")


class TrainingError(RuntimeError):
    """The loss became NaN or infinite; the message names the step, the seed and the settings."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: AdamW (decoupled weight decay on every parameter), one-cycle learning rate, MSE.

    All of it is ours: the source names neither optimizer nor schedule, epochs or batch.
    """

    epochs: int = 20
    batch: int = 128
    lr: float = 1e-3
    weight_decay: float = 0.0
    warmup: float = 0.3  # share of the steps in which the learning rate rises

    def __post_init__(self) -> None:
        vars(self).update(
            epochs=check.positive_int("epochs", self.epochs),
            batch=check.positive_int("batch", self.batch),
            lr=check.positive("lr", self.lr),
            weight_decay=check.nonnegative("weight_decay", self.weight_decay),
            warmup=check.number("warmup", self.warmup, low=0, high=1),
        )


@dataclass(frozen=True)
class Trained:
    """A trained model and the mean training loss of each epoch (measured while training), shape (epochs,)."""

    model: nn.Module
    losses: np.ndarray
    seconds: float


def learning_rate(step: int, steps: int, recipe: Recipe) -> float:
    """One-cycle: a half cosine from lr/25 up to lr, then one down to lr/10,000. A function of the step: no state."""
    step, steps = check.integer("step", step, low=0), check.positive_int("steps", steps)
    peak = max(1.0, recipe.warmup * steps)
    low, progress = (recipe.lr / 25, step / peak) if step < peak else (recipe.lr / 1e4, 1.0)
    if step >= peak:
        progress = 1 - (step - peak) / max(1.0, steps - 1 - peak)
    return low + (recipe.lr - low) * (1 - math.cos(math.pi * progress)) / 2


def epoch_order(n: int, epoch: int, seed: int) -> np.ndarray:
    """(n,) the order of the triples in an epoch: a function of seed and epoch, so that resuming needs no state."""
    n, epoch = check.positive_int("n", n), check.integer("epoch", epoch, low=0)
    return check.generator((*check.seed_words(seed), 23, epoch)).permutation(n)


def fit(
    model: nn.Module,
    task: Task,
    recipe: Recipe,
    *,
    seed: int,
    device: str | torch.device = "auto",
    precision: str = "auto",
    checkpoint: Path | str | None = None,
    progress: bool = False,
    label: str = "",
    after_epoch: Callable[[int, nn.Module], None] | None = None,
) -> Trained:
    """Train `model` in place on `task.train`.

    Parameters
    ----------
    seed : of the order of the triples (the initialization has its own, see `companion.neural.models.build`)
    device : "auto", "cpu", "cuda", "cuda:1" or a torch.device
    precision : of the convolutions while training, "float32" or "bfloat16"; "auto" is bfloat16 on CUDA. A CPU that
        multiplies bfloat16 gains only with wide networks. Weights, losses and predictions are float32 in any case.
    checkpoint : file to continue from and to write after every epoch; None for none
    progress, label : draw a progress bar, and what to write before it
    after_epoch : called as after_epoch(epoch, model) with epoch = 1, 2, ..., before the epoch's checkpoint is written;
        it must leave the model as it was. Not called for epochs that a checkpoint already holds; called again for
        one that was cut off before its checkpoint.

    Raises
    ------
    TrainingError
        if the loss of any step is not finite

    Examples
    --------
    >>> from companion.neural import models, tasks
    >>> task = tasks.digit_sums(source="embedded", triples=24, test_triples=12, seed=0)
    >>> net = models.build("sum", width=2, seed=0)
    >>> len(fit(net, task, Recipe(epochs=2, batch=12), seed=0, device="cpu").losses)
    2
    """
    seed, where = check.integer("seed", seed, low=0), pick_device(device)
    precision = check.one_of("precision", precision, PRECISIONS)
    checkpoint = None if checkpoint is None else check.path("checkpoint", checkpoint)
    start = time.perf_counter()
    low = precision == "bfloat16" or (precision == "auto" and where.type == "cuda")
    model.to(where, memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True, betas=(0.9, 0.999)
    )
    identity = {**asdict(recipe), "seed": seed, "triples": len(task.train)}
    losses = _resume(checkpoint, model, optimizer, identity, where) if checkpoint else []
    bank, index, target = (
        torch.as_tensor(part, device=where) for part in (task.bank, task.train.index, task.train.target)
    )
    n = len(task.train)
    per_epoch = math.ceil(n / recipe.batch)
    steps = per_epoch * recipe.epochs
    bar = _bar(recipe.epochs, len(losses), label, progress)
    for epoch in range(len(losses), recipe.epochs):
        model.train()
        order = torch.from_numpy(epoch_order(n, epoch, seed)).to(where)
        total = torch.zeros((), device=where)
        bad = torch.full((), -1, dtype=torch.int64, device=where)  # first step whose loss is not finite
        for i in range(per_epoch):
            step = epoch * per_epoch + i
            rows = order[i * recipe.batch : (i + 1) * recipe.batch]
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps, recipe)
            with torch.autocast(where.type, dtype=torch.bfloat16, enabled=low):
                predicted = model(gather(bank, index[rows]))
            loss = torch.nn.functional.mse_loss(predicted.float(), target[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            value = loss.detach()
            total += value * len(rows)
            bad = torch.where((bad < 0) & ~torch.isfinite(value), step, bad)
        if int(bad) >= 0:  # the only time an epoch waits for the device
            raise TrainingError(f"the loss is not finite at step {int(bad)} of {steps}; seed {seed}; {recipe}")
        losses.append(float(total) / n)
        # The call comes first: a run killed in between repeats the epoch and the call, instead of losing the call.
        if after_epoch:
            after_epoch(epoch + 1, model)
        if checkpoint:
            _save(checkpoint, model, optimizer, losses, identity)
        bar.set_postfix_str(f"loss {losses[-1]:.4g}")
        bar.update()
    bar.close()
    return Trained(model, np.array(losses), time.perf_counter() - start)


def gather(bank: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """(m, 28, 28) uint8 and (B, 3) -> (B, 3, 28, 28) float in [0, 1]; the model chooses the layout in memory."""
    if bank.dtype != torch.uint8:
        raise TypeError(f"bank must hold pictures as uint8, 0 to 255, got {bank.dtype}")
    images = bank[index.reshape(-1)].reshape(*index.shape, *bank.shape[1:])
    return images.float().div_(255)


def predict(model: nn.Module, bank: np.ndarray, index: np.ndarray, *, batch: int = 512) -> np.ndarray:
    """(n,) float64 predictions for the triples `index` (n, 3); the model's train/eval mode is restored."""
    bank, index, batch = pictures("bank", bank), check.wholes("index", index), check.positive_int("batch", batch)
    if index.ndim != 2 or index.shape[1] != 3 or not len(index):
        raise ValueError(f"index must hold triples, shape (n, 3) with n at least 1; got shape {index.shape}")
    if index.min() < 0 or index.max() >= len(bank):
        raise ValueError(
            f"index must hold rows of the bank, in [0, {len(bank) - 1}]; got {index.min()} to {index.max()}"
        )
    where = next(model.parameters()).device
    was_training = model.training
    model.eval()
    used, place = np.unique(index, return_inverse=True)  # only these images go to the device
    images = torch.from_numpy(bank[used]).to(where)
    rows = torch.from_numpy(place.reshape(index.shape)).to(where)
    with torch.inference_mode():
        parts = [model(gather(images, rows[i : i + batch])) for i in range(0, len(rows), batch)]
    model.train(was_training)
    return torch.cat(parts).cpu().numpy().astype(np.float64)


def mse(model: nn.Module, bank: np.ndarray, triples: Triples) -> float:
    """Mean squared error on `triples`, in eval mode.

    >>> from companion.neural import models, tasks
    >>> task = tasks.digit_sums(source="embedded", triples=24, test_triples=12, seed=0)
    >>> net = models.build("sum", width=2, seed=0)
    >>> mse(net, task.bank, task.train) > 0
    True
    """
    return float(np.mean((predict(model, bank, triples.index) - triples.target) ** 2))


def evaluate(model: nn.Module, task: Task) -> dict[str, float]:
    """Mean squared errors: "train", "one_shot_train" (the triples that hold a glyph), and every test set."""
    losses = {"train": mse(model, task.bank, task.train)}
    if len(task.one_shot_rows):
        losses["one_shot_train"] = mse(model, task.bank, task.train.take(task.one_shot_rows))
    return losses | {name: mse(model, task.bank, test) for name, test in task.tests.items()}


def _bar(epochs: int, done: int, label: str, progress: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=epochs, initial=done, desc=label or "training", unit="epoch", disable=not progress)


def _save(path: Path, model: nn.Module, optimizer: Any, losses: list[float], identity: dict[str, Any]) -> None:
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "losses": losses, "run": identity}
    content = io.BytesIO()  # torch's own file writer hides a full disk behind "unexpected pos"
    torch.save(state, content)
    with replacing(path) as temporary:
        temporary.write_bytes(content.getbuffer())


def _resume(path: Path, model: nn.Module, optimizer: Any, identity: dict[str, Any], where: torch.device) -> list[float]:
    """Load the checkpoint if there is one of this very run; returns the losses of the epochs it holds."""
    if not path.exists():
        return []
    try:
        state = torch.load(path, map_location=where, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile, OSError) as error:
        what = type(error).__name__
        raise TrainingError(f"the checkpoint {path} cannot be read ({what}); delete it to start afresh") from error
    if not isinstance(state, dict) or set(state) != {"model", "optimizer", "losses", "run"}:
        raise TrainingError(f"{path} is no checkpoint of this program; delete it to start afresh")
    if state["run"] != identity:
        raise TrainingError(f"the checkpoint {path} belongs to another run: {state['run']}; expected {identity}")
    try:
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise TrainingError(f"the checkpoint {path} belongs to another model; delete it to start afresh") from error
    return list(state["losses"])
