"""Memorization that hurts: with a shortcut at hand, remembering the counter-examples replaces learning the rule.

Bayat et al. (2024) describe how a feature that is right on most examples, together with enough private noise to
remember the rest, leaves nothing for the true but weaker feature to explain. Logistic regression by gradient
descent, on the same data with and without the noise directions that make memorizing possible.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion import _validate
from companion.landscape.checks import generator


def run(
    *,
    seed: int,
    private: int = 600,
    agree: float = 0.9,
    core: float = 0.05,
    n: int = 300,
    steps: int = 6000,
    lr: float = 2.0,
) -> dict[str, Any]:
    """Train to zero error and test on the group where the shortcut fails.

    Args:
        seed: of the data.
        private: noise directions; 0 makes memorizing impossible.
        agree: share of training examples on which the shortcut has the right sign.
        core: size of the true feature (the shortcut has size 1, the noise total variance 1).
        n: training examples. steps, lr: of gradient descent from zero.

    Returns:
        Curves over 24 moments: ``step``, ``minority_train`` (training accuracy where the shortcut is wrong, NaN if it
        never is) and ``worst`` (accuracy on 1,000 fresh examples of that kind); ``train`` (final training accuracy),
        ``final_worst`` and ``final_minority_train``.
    """
    private = _validate.integer("private", private, low=0)
    core = _validate.number("core", core)
    agree = _validate.number("agree", agree, low=0, high=1)
    steps = _validate.positive_int("steps", steps)
    n = _validate.positive_int("n", n)
    lr = _validate.positive("lr", lr)
    rng = generator(seed)

    def draw(count: int, right: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        y = rng.choice([-1.0, 1.0], size=count)
        helps = np.arange(count) < round(right * count)
        noise = rng.normal(size=(count, private)) / np.sqrt(max(private, 1))
        return np.column_stack([core * y, np.where(helps, y, -y), noise]), y, helps

    x, y, helps = draw(n, agree)
    fresh, truth, _ = draw(1000, 0.0)
    # Gradient descent stays in the span of the examples: follow their coefficients through the Gram matrices.
    gram, cross = (x @ x.T) * np.outer(y, y), truth[:, None] * (fresh @ x.T) * y
    coefficients = np.zeros(n)
    marks = np.unique(np.geomspace(1, steps, 24).astype(int)).tolist()
    curves: dict[str, list[float]] = {"step": [], "minority_train": [], "worst": []}
    right = np.zeros(n, dtype=bool)
    for step in range(1, steps + 1):
        coefficients += lr * 0.5 * (1 - np.tanh(gram @ coefficients / 2)) / n
        if step in marks:
            right = gram @ coefficients > 0
            curves["step"].append(step)
            curves["minority_train"].append(float(right[~helps].mean()) if not helps.all() else np.nan)
            curves["worst"].append(float(np.mean(cross @ coefficients > 0)))
    return {key: np.array(values) for key, values in curves.items()} | {
        "train": right.mean(),
        "final_worst": curves["worst"][-1],
        "final_minority_train": curves["minority_train"][-1],
    }
