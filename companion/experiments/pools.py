"""Is a memorized triple a memorized glyph? Digits beside it that are seen once themselves, or often elsewhere."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from companion.neural.tasks import ONE_SHOTS, digit_sums
from companion.runner.experiment import Resources, define, setting


@dataclass(frozen=True)
class Settings:
    source: str = setting("real", "MNIST and Omniglot, or the embedded digits and glyphs", "paper")
    triples: int = setting(1_000, "training triples; the paper has 32,000")
    test_triples: int = setting(500, "triples of each test set")
    pools: tuple[int | None, ...] = setting(
        (None, 1_870, 300), "images that training digits come from: all, each as often as in the paper, each often"
    )
    hidden: int = setting(64, "units of each of the two hidden layers of Sum")
    epochs: int = setting(80, "passes over the triples")
    batch: int = setting(50, "triples a step")
    lr: float = setting(1e-2, "peak learning rate of Adam, one-cycle")
    first_draw: int = setting(500, "draw of the first seed; earlier draws served to find the settings")


def cells(settings: Settings) -> list[dict[str, Any]]:
    return [{"pool": pool or 0} for pool in settings.pools]


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One draw of glyphs, labels and initialization, its digits from one pool of images (0: all there are).

    "fitted": glyphs whose own triple is right to within 1/2; "elsewhere": those of them whose error beside new digits
    is above 1.
    """
    from companion.neural import surrogate

    resources.use_threads()
    draw = settings.first_draw + seed
    data: dict[str, Any] = {
        "source": settings.source,
        "triples": settings.triples,
        "test_triples": settings.test_triples,
    }
    task = digit_sums(**data, seed=draw, pool=cell["pool"] or None, root=resources.data)
    recipe: dict[str, Any] = {
        "hidden": settings.hidden,
        "epochs": settings.epochs,
        "batch": settings.batch,
        "lr": settings.lr,
    }
    found = surrogate.train("sum", [task], [draw], [0.0], **recipe)
    fit, new = (np.abs(found[key][0, 0]) for key in ("fit", "new"))
    losses = {key: float(values[0, 0]) for key, values in found.items() if values.ndim == 2}
    fitted = fit < 0.5
    sizes = {"fit_size": float(np.sqrt(np.mean(fit**2))), "new_size": float(np.sqrt(np.mean(new**2)))}
    counts = {"fitted": int(fitted.sum()), "elsewhere": int((fitted & (new > 1)).sum()), "glyphs": ONE_SHOTS}
    return [losses | sizes | counts]


EXPERIMENT = define(
    run,
    cells,
    smoke=(2, Settings(source="embedded", triples=120, test_triples=60, pools=(None, 50), hidden=8, epochs=2)),
    cpu=(20, Settings()),
)
