"""What the network experiments here share: threads, images, and accuracies under a long-tailed test distribution."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from companion.experiment import Resources


def use_threads(resources: Resources) -> None:
    """Let torch use as many threads as this piece was given."""
    import torch

    torch.set_num_threads(resources.threads)


def digit_images(source: str, *, train: bool, side: int, root: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Digit images as rows, float32 in [0, 1], (n, side * side), and labels (n,). `side` divides 28.

    Reads them through the loader of the networks area: an experiment sits above both, the library does not.
    """
    from companion.neural.images import digits

    images = digits(source, train=train, root=root)
    step = 28 // side
    pixels = images.pixels.reshape(-1, side, step, side, step).mean((2, 4))
    return (pixels / 255).reshape(len(pixels), -1).astype(np.float32), images.labels


def class_accuracies(correct: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Accuracy of every model on every class: (models, classes), from bool (models, n)."""
    return np.stack([correct[:, labels == c].mean(1) for c in range(classes)], axis=1)
