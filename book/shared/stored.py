"""The stored results, as pages list them."""

from __future__ import annotations

from collections.abc import Iterator

from companion.experiments import names
from companion.runner import results
from companion.runner.results import Result


def stored_results() -> Iterator[Result]:
    """Every stored result, in the order of their names."""
    folder = results.folder()
    found = {path.stem: path for path in sorted(folder.glob("*.json"))}
    for name in names():
        for preset in ("smoke", "cpu", "paper"):
            if path := found.get(f"{name}-{preset}"):
                yield results.read(path)
