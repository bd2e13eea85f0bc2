"""Weight decay against glyphs seen once, paired: the same glyphs, triples and initialization with decay and without."""

from dataclasses import dataclass
from typing import Any

from companion.neural import study
from companion.runner.experiment import Resources, define, grid, setting


@dataclass(frozen=True)
class Settings(study.Settings):
    models: tuple[str, ...] = setting(("sum", "cross-channel"), "one architecture that composes, one that does not")
    decays: tuple[float, ...] = setting((0.0, 0.5), "weight decay: memorization on and off", "paper")
    pool: int | None = setting(None, "images that training digits are drawn from; none: all 60,000, as the paper")
    first_draw: int = setting(100, "draw of the first seed; earlier draws served to find the settings")


def run(settings: Settings, cell: dict[str, Any], seed: int, resources: Resources) -> list[dict[str, Any]]:
    """One model at one weight decay: its losses, and how each glyph and the digits beside it fare."""
    net, task = study.train_one(
        settings,
        model=cell["model"],
        weight_decay=cell["weight_decay"],
        seed=settings.first_draw + seed,
        resources=resources,
        pool=settings.pool,
    )
    glyphs = study.by_glyph(net, task) | study.companions(net, task)
    return [study.losses(net, task) | glyphs | study.baseline_losses(settings, task)]


EXPERIMENT = define(
    run,
    grid(model="models", weight_decay="decays"),
    smoke=(2, Settings(**study.SMOKE, epochs=4, pool=500)),
    # 7,500 images for 4,000 triples show each as often as the paper's 32,000 triples show one of 60,000
    cpu=(10, Settings(**study.CPU, epochs=30, batch=16, lr=6e-3, pool=7_500, models=("sum",))),
    paper=(10, Settings(epochs=30, batch=32, lr=1.5e-3)),
    trains=True,
)
