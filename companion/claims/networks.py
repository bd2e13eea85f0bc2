"""Claims about the networks: what additivity does to the error on a pair of one-shot images."""

from __future__ import annotations

import numpy as np

from companion.claims import Claim, additivity, harm

TASK = "book/networks/task"


def pair_error_defect(name: str, *, with_digits: bool = True) -> float:
    """Largest gap between the error on a new pair and the sum of errors that :prf:ref:`prop-pair-error` names.

    An untrained network of the given architecture, random images; absolute, for labels from 1 to 7.
    `with_digits=False` forgets the errors on the digits.
    """
    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(7, 28, 28, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value = torch.arange(1.0, 8.0, dtype=torch.float64)
    a, b, c, u, v, x, y = range(7)

    def error(*triple: int) -> float:
        with torch.inference_mode():
            return float(net(images[list(triple)][None])[0] - value[list(triple)].sum())

    pair = error(a, b, c)
    once = error(a, u, v) + error(x, b, y)
    digits = error(x, u, y) + error(x, u, v) - error(x, u, c)
    return abs(pair - once + (digits if with_digits else 0.0))


def pair_error(name: str = "linear", *, with_digits: bool = True) -> float:
    """Margin of :prf:ref:`prop-pair-error`: 1 for no gap at all, negative beyond rounding."""
    return 1.0 - pair_error_defect(name, with_digits=with_digits) / 1e-10


def order_blind(name: str = "sum") -> float:
    """Margin of :prf:ref:`prop-order`: predictions on all six orders of three images agree to rounding."""
    import itertools

    import torch

    from companion.neural.models import build

    net = build(name, width=4, seed=0, hidden=64).double().eval()
    images = torch.rand(4, 3, 28, 28, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.inference_mode():
        values = np.array([net(images[:, list(order)]).numpy() for order in itertools.permutations(range(3))])
    return 1.0 - float(np.ptp(values, axis=0).max()) / 1e-10


CLAIMS = (
    Claim(
        label="prop-pair-error",
        title="An additive network's error on a new pair is a signed sum of its errors on triples seen apart",
        source="ours",
        status="proved here",
        chapter=TASK,
        check=pair_error,
        breaks={
            "images mixed at the pixels": lambda: pair_error("cross-channel"),
            "a hidden layer after the vectors": lambda: pair_error("2-layer"),
            "the digits' errors forgotten": lambda: pair_error(with_digits=False),
        },
        functions=("companion.neural.models.build",),
    ),
    Claim(
        label="prop-order",
        title="With one shared encoder and a symmetric head, the channel of an image does not matter",
        source="ours",
        status="proved here",
        chapter=TASK,
        check=order_blind,
        breaks={
            "a head that reads the vectors side by side": lambda: order_blind("linear"),
            "images mixed at the pixels": lambda: order_blind("cross-channel"),
        },
        functions=("companion.neural.models.build",),
    ),
    *additivity.CLAIMS,
    *harm.CLAIMS,
)
