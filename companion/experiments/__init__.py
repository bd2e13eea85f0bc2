"""The experiments, one module for each stored result: this folder is the list of them.

A module exposes `EXPERIMENT`; the first line of its docstring says what it shows. Listing loads none of them.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from companion.runner.experiment import Experiment


def names() -> list[str]:
    """The names of all experiments, as on the command line, in alphabetical order.

    >>> "figure1" in names()
    True
    """
    return sorted(file.stem.replace("_", "-") for file in Path(__file__).parent.glob("[!_]*.py"))


def summary(name: str) -> str:
    """What the experiment called `name` shows, in a line."""
    text = ast.get_docstring(ast.parse(_file(name).read_text(encoding="utf-8")))
    return (text or "").partition("\n")[0]


def experiment(name: str) -> Experiment:
    """The experiment called `name`; ValueError that lists the known ones otherwise."""
    return importlib.import_module(f"{__name__}.{_file(name).stem}").EXPERIMENT


def _file(name: str) -> Path:
    if not isinstance(name, str) or name not in names():
        raise ValueError(f"experiment must be one of {', '.join(names())}; got {name!r}")
    return Path(__file__).with_name(name.replace("-", "_") + ".py")
