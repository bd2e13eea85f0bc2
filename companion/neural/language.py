"""Tiny language models, many at once: a transformer whose every weight carries a model axis.

Model j has its own text, its own initial weights and its own order of sentences. Losses of different models add up and
do not interact, so that one backward pass and one AdamW step train all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from companion import _validate as check


@dataclass(frozen=True)
class Recipe:
    """One transformer and how it is trained: AdamW, one-cycle learning rate, cross-entropy of every next word."""

    width: int = 32
    layers: int = 1
    heads: int = 2
    epochs: int = 30
    batch: int = 64
    lr: float = 1e-2
    weight_decay: float = 0.0  # decoupled, on every weight
    warmup: float = 0.1  # share of the steps in which the learning rate rises

    def __post_init__(self) -> None:
        vars(self).update(
            {name: check.positive_int(name, getattr(self, name)) for name in ("width", "layers", "heads", "batch")},
            epochs=check.integer("epochs", self.epochs, low=0),
            lr=check.positive("lr", self.lr),
            weight_decay=check.nonnegative("weight_decay", self.weight_decay),
            warmup=check.number("warmup", self.warmup, low=0, high=1),
        )
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, got {self.width} and {self.heads}")


@dataclass(frozen=True)
class Speakers:
    """Trained models, stacked: every weight has shape (models, ...)."""

    weights: dict[str, torch.Tensor]
    recipe: Recipe

    def next(self, prompts: np.ndarray) -> np.ndarray:
        """Log-probabilities of the word after each prompt: (models, prompts, words) float64.

        prompts: (prompts, length), the same for all models, or (models, prompts, length).
        """
        models, words = self.weights["words"].shape[:2]
        asked = torch.from_numpy(_text("prompts", prompts, models, words))
        with torch.no_grad():
            out = _forward(self.weights, self.recipe, asked)[:, :, -1]
            return torch.log_softmax(out.double(), -1).numpy()

    def write(self, prompts: np.ndarray, words: int = 1) -> np.ndarray:
        """The likeliest next `words` words, one after the other: (models, prompts, words)."""
        models = len(self.weights["words"])
        text = np.broadcast_to(prompts, (models, *np.shape(prompts)[-2:]))
        words = check.positive_int("words", words)
        for _ in range(words):
            text = np.concatenate([text, self.next(text).argmax(-1)[..., None]], axis=-1)
        return text[..., -words:]


def train(
    texts: np.ndarray,
    vocabulary: int,
    recipe: Recipe,
    *,
    seed: int | Sequence[int],
    after_epoch: Callable[[int, Speakers], None] | None = None,
) -> Speakers:
    """Train one model on each text, all at once.

    Parameters
    ----------
    texts : (models, sentences, length) whole numbers below `vocabulary`. A sentence seen k times stands there k times;
        each epoch takes every sentence once, in an order of its own. Shorter ones end in -1, which is no word: it is
        neither read nor predicted.
    seed : model j draws from the stream (seed, j + 1)
    after_epoch : called as after_epoch(epoch, speakers) with epoch = 1, 2, ...; it must leave the weights as they are

    Examples
    --------
    >>> text = np.array([[[0, 1, 2], [3, 1, 4]]])  # "0 1" goes on with 2, "3 1" with 4
    >>> speakers = train(text, 5, Recipe(width=8, epochs=200, batch=2), seed=1)
    >>> speakers.write(np.array([[0, 1], [3, 1]])).tolist()
    [[[2], [4]]]
    """
    texts = check.wholes("texts", texts)
    if texts.ndim != 3 or min(texts.shape) < 1 or texts.shape[2] < 2:
        raise ValueError(f"texts must have shape (models, sentences, length of at least 2), got {texts.shape}")
    models, sentences, length = texts.shape
    words = check.positive_int("vocabulary", vocabulary)
    texts = _text("texts", texts, models, words, low=-1)
    streams = [np.random.default_rng((*check.seed_words(seed), j + 1)) for j in range(models)]
    weights = _initial(recipe, words, length, streams)
    optimizer = torch.optim.AdamW(
        list(weights.values()), lr=recipe.lr, weight_decay=recipe.weight_decay, betas=(0.9, 0.98), foreach=True
    )
    steps = recipe.epochs * -(-sentences // recipe.batch)
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        order = np.stack([stream.permutation(sentences) for stream in streams])
        for a in range(0, sentences, recipe.batch):
            rows = order[:, a : a + recipe.batch]
            said = torch.from_numpy(np.take_along_axis(texts, rows[..., None], 1))
            rate = min((step + 1) / max(1.0, recipe.warmup * steps), 1.0) * (1 + np.cos(np.pi * step / steps)) / 2
            for group in optimizer.param_groups:
                group["lr"] = recipe.lr * rate
            out = _forward(weights, recipe, said[..., :-1].clamp(min=0))
            loss = functional.cross_entropy(
                out.flatten(0, 2), said[..., 1:].flatten(), ignore_index=-1, reduction="sum"
            ) / rows.shape[1]  # fmt: skip
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
        if after_epoch:
            after_epoch(epoch, Speakers(weights, recipe))
    return Speakers({name: weight.detach() for name, weight in weights.items()}, recipe)


def _forward(weights: dict[str, torch.Tensor], recipe: Recipe, text: torch.Tensor) -> torch.Tensor:
    """(models, sentences, length) words -> (models, sentences, length, words) logits; no word sees those after it."""
    models, sentences, length = text.shape
    width, heads = recipe.width, recipe.heads
    flat = text.flatten(1)
    x = weights["words"].gather(1, flat[..., None].expand(-1, -1, width)).view(models, sentences, length, width)
    x = (x + weights["places"][:, None, :length]).flatten(1, 2)  # (models, sentences * length, width)
    unseen = torch.full((length, length), -torch.inf).triu(1)
    for layer in range(recipe.layers):
        mixed = torch.bmm(_norm(x), weights[f"attend{layer}"])
        q, k, v = mixed.view(models * sentences, length, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = (q[..., :, None, :] * k[..., None, :, :]).sum(-1) * (width // heads) ** -0.5
        seen = ((scores + unseen).softmax(-1)[..., None] * v[..., None, :, :]).sum(-2)
        x = x + torch.bmm(seen.transpose(1, 2).reshape(models, -1, width), weights[f"return{layer}"])
        hidden = torch.relu(torch.baddbmm(weights[f"bias{layer}"], _norm(x), weights[f"in{layer}"]))
        x = x + torch.bmm(hidden, weights[f"out{layer}"])
    return torch.bmm(_norm(x), weights["say"]).view(models, sentences, length, -1)


def _norm(x: torch.Tensor) -> torch.Tensor:
    return functional.rms_norm(x, x.shape[-1:])


def _initial(
    recipe: Recipe, words: int, length: int, streams: Sequence[np.random.Generator]
) -> dict[str, torch.Tensor]:
    """Gaussian weights: words and places of size 1, matrices of 1/sqrt(inputs), what is added back smaller by depth."""
    w, back = recipe.width, (2 * recipe.layers) ** -0.5
    shapes: dict[str, tuple[int, int, float]] = {"words": (words, w, 1.0), "places": (length, w, 1.0)}
    for layer in range(recipe.layers):
        shapes |= {
            f"attend{layer}": (w, 3 * w, w**-0.5),
            f"return{layer}": (w, w, back * w**-0.5),
            f"in{layer}": (w, 4 * w, w**-0.5),
            f"bias{layer}": (1, 4 * w, 0.0),
            f"out{layer}": (4 * w, w, back * (4 * w) ** -0.5),
        }
    shapes["say"] = (w, words, w**-0.5)
    return {
        name: torch.tensor(
            np.stack([size * stream.standard_normal((a, b)) for stream in streams]), dtype=torch.float32
        ).requires_grad_()
        for name, (a, b, size) in shapes.items()
    }


def _text(name: str, value: np.ndarray, models: int, words: int, low: int = 0) -> np.ndarray:
    """`value` as (models, sentences, length) words."""
    made = check.wholes(name, value)
    if made.ndim not in (2, 3) or (made.ndim == 3 and len(made) != models):
        raise ValueError(
            f"{name} must have shape (sentences, length) or ({models}, sentences, length), got {made.shape}"
        )
    if made.size and not low <= made.min() <= made.max() < words:
        raise ValueError(f"{name} must hold words in [{low}, {words - 1}], got {made.min()} to {made.max()}")
    return np.broadcast_to(made, (models, *made.shape[-2:])).copy()
