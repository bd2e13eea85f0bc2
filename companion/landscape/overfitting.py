"""Benign, tempered, catastrophic: what interpolating noise costs depends on the spectrum of the inputs.

Bartlett et al. (2020) show when the minimum-norm interpolator of noisy data still approaches the truth;
Mallinar et al. (2022) name three fates as the sample grows: the excess error vanishes (benign), levels off
(tempered) or grows (catastrophic). Gaussian inputs whose covariance has eigenvalues of one of three shapes;
every fit has zero training error; the excess error is computed exactly, no test set.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from companion import _validate
from companion.landscape.checks import generator

SHAPES = ("spiked", "power", "exponential")


def spectrum(shape: str, n: int, weak: int = 20, growth: float = 0.5) -> NDArray[np.float64]:
    """Eigenvalues of the input covariance for sample size ``n``; ``shape`` is one of :data:`SHAPES`.

    "spiked": five ones and weak directions that share a total of sqrt(n): ``weak`` an example at 25 examples and
    ``weak (n / 25)^growth`` at n, since with as many for each example at any n a share 1/weak of the noise would stay.
    "power": j^-2 for j <= 8n. "exponential": exp(-2 sqrt(j)) for j <= 2n, faster than any power.
    """
    shape = _validate.one_of("shape", shape, SHAPES)
    if shape == "spiked":
        count = round(weak * n * (n / 25) ** growth)
        return np.concatenate([np.ones(5), np.full(count, np.sqrt(n) / count)])
    if shape == "power":
        return np.arange(1, 8 * n + 1.0) ** -2
    return np.exp(-2 * np.sqrt(np.arange(1, 2 * n + 1.0)))


def run(
    *, seed: int, shape: str = "spiked", n: int = 100, noise: float = 0.5, weak: int = 20, growth: float = 0.5
) -> dict[str, Any]:
    """Interpolate ``n`` noisy values of a linear function of the five strongest directions.

    Args:
        seed: of inputs and noise.
        shape: of the spectrum, see :func:`spectrum`. n: sample size.
        noise: standard deviation of the label noise. weak: weak directions per example, at 25 examples, and
            growth: how fast that number grows, as a power of ``n`` ("spiked" only, both).

    Returns:
        ``excess``: excess error of the minimum-norm interpolator in units of the noise variance; ``train``:
        its mean squared training error; ``clean``: the excess error it would have without noise.
    """
    n = _validate.integer("n", n, low=5)
    noise = _validate.positive("noise", noise)
    weak = _validate.positive_int("weak", weak)
    growth = _validate.nonnegative("growth", growth)
    rng = generator(seed)
    eigenvalues = spectrum(shape, n, weak, growth)
    x = rng.normal(size=(n, len(eigenvalues))) * np.sqrt(eigenvalues)
    truth = np.zeros(len(eigenvalues))
    truth[:5] = 1 / np.sqrt(5 * eigenvalues[:5])
    xi = noise * rng.normal(size=n)
    signal = x @ truth
    # With Q R = X^T the minimum-norm interpolator of v is Q R^-T v: no Gram matrix, no squared condition number.
    q, r = np.linalg.qr(x.T)
    fits = q @ np.linalg.solve(r.T, np.stack([signal, signal + xi], axis=1))
    clean, noisy = (eigenvalues @ (fits - truth[:, None]) ** 2) / noise**2
    return {"excess": noisy, "clean": clean, "train": np.mean((x @ fits[:, 1] - signal - xi) ** 2)}
