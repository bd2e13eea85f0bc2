"""What an experiment is: frozen settings, a grid of cells, and a function from (settings, cell, seed) to rows."""

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from companion._validate import one_of
from companion.runner.code import code_hash

PRESETS = ("smoke", "cpu", "paper")


def setting(default: Any, why: str, origin: str = "ours") -> Any:
    """A dataclass field of an experiment's settings, with its reason and where it comes from.

    `origin` is "paper" for a value that the paper (as summarised) fixes, "ours" for one it leaves open.
    """
    origin = one_of("origin", origin, ("paper", "ours"))
    return field(default=default, metadata={"why": why, "origin": origin})


@dataclass(frozen=True)
class Resources:
    """What a run may use; it must not change the numbers, only how and where they are made."""

    device: str = "cpu"  # "cpu" or "cuda"
    threads: int = 1  # threads of this worker
    scratch: Path | None = None  # a folder private to this (settings, cell, seed), for checkpoints
    blocks: Path | None = None  # folder of blocks that several runs or machines fill, None for the piece's own
    data: Path | None = None  # root of the image data, None for the default
    progress: bool = False  # whether the run may draw its own progress bar

    def use_threads(self) -> None:
        """Let torch use as many threads as this piece was given."""
        import torch

        torch.set_num_threads(self.threads)


Cells = Callable[[Any], list[dict[str, Any]]]
Run = Callable[[Any, dict[str, Any], int, Resources], list[dict[str, Any]]]
Fill = Callable[[Any, dict[str, Any], int, Resources, tuple[int, int]], None]


@dataclass(frozen=True)
class Experiment:
    """A map over (settings, cell, seed); the runner adds seeds, storage, resumption and summary."""

    name: str
    presets: Mapping[str, Any]  # preset -> frozen settings dataclass
    seeds: Mapping[str, int]  # preset -> number of seeds
    cells: Cells
    run: Run
    by: tuple[str, ...] = ()  # row keys that identify a group of the summary; () for the cell's keys
    trains: bool = False  # whether it trains networks, on `Resources.device`; else a GPU is of no use to it
    fill: Fill | None = None  # computes one share (k, m) of the blocks that `run` takes in

    def settings(self, preset: str) -> Any:
        """The settings of a preset; ValueError for one that it has not."""
        if preset not in self.presets:
            raise ValueError(f"preset of {self.name} must be one of {', '.join(self.presets)}; got {preset!r}")
        return self.presets[preset]

    @property
    def code(self) -> str:
        """The hash of the code behind its numbers, see `companion.runner.code`."""
        return code_hash(self.run.__module__, self.run.__name__)


def define(
    run: Run,
    cells: Cells,
    *,
    by: tuple[str, ...] = (),
    trains: bool = False,
    fill: Fill | None = None,
    **presets: tuple[int, Any],
) -> Experiment:
    """The experiment of the module in which `run` stands, and so of its name; each preset is (seeds, settings)."""
    name = run.__module__.rpartition(".")[2].replace("_", "-")
    settings, seeds = ({preset: pair[i] for preset, pair in presets.items()} for i in (1, 0))
    return Experiment(name, settings, seeds, cells, run, by, trains, fill)


def grid(*slowest: str, **axes: str) -> Cells:
    """Cells that are a full grid: each key runs through the values of one setting; `slowest` first, the last fastest.

    >>> from types import SimpleNamespace
    >>> grid("n", alpha="alphas", n="sizes")(SimpleNamespace(sizes=(10, 20), alphas=(1.5,)))
    [{'alpha': 1.5, 'n': 10}, {'alpha': 1.5, 'n': 20}]
    """
    order = [*slowest, *(key for key in axes if key not in slowest)]

    def cells(settings: Any) -> list[dict[str, Any]]:
        values = itertools.product(*(getattr(settings, axes[key]) for key in order))
        return [{key: cell[order.index(key)] for key in axes} for cell in values]

    return cells


def settings_dict(settings: Any) -> dict[str, Any]:
    """Settings as JSON holds them: tuples become lists."""
    return json.loads(json.dumps(dataclasses.asdict(settings)))
