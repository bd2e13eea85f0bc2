"""Measured speed, kept: what `make bench` found, against what, on which machine."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from companion import _files
from companion.linear import LongTailModel, min_norm
from companion.runner import results
from companion.runner.run import device_name

FORMAT = 2
COMMAND = "make bench"


@dataclass(frozen=True)
class Measurement:
    """One budget, measured. Which way is better is in `wanted`, not in the sign of anything here."""

    area: str  # "solver", "Figure 1", "trainer", ...
    what: str  # "n = 1e5, d = 1e6, alpha = 1.5"
    against: str  # the peer, or "" for a bare amount
    ours: float
    theirs: float | None
    unit: str  # of `ours` and `theirs`
    ratio: float | None  # how many times better than the peer
    wanted: str  # "at least 30 times", "under 3 GB", "" where nothing was asked
    met: bool
    errors: list[float] | None = None  # of solutions: optimality of ours, of theirs, how far apart


@dataclass(frozen=True)
class Run:
    """What one run of benchmarks measured, with where and when."""

    measurements: tuple[Measurement, ...]
    provenance: dict[str, Any]

    @property
    def areas(self) -> list[str]:
        return sorted({m.area for m in self.measurements})

    def line(self) -> str:
        """One line that says where the numbers come from."""
        p = self.provenance
        packages = ", ".join(f"{name} {version}" for name, version in p["versions"].items())
        where = f"Measured on {p['device']}, {p['threads']} a process, {p['date'][:10]}, {packages}"
        return f"{where}: {', '.join(self.areas)}. Again: {COMMAND}"


@dataclass(frozen=True)
class Benchmarks:
    """The last measurements of each area: a run of some benchmarks leaves those of other areas as they are."""

    runs: tuple[Run, ...]

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        return tuple(m for run in self.runs for m in run.measurements)

    def line(self) -> str:
        """A line for each run."""
        return "\n".join(run.line() for run in self.runs)


def path(root: Path | None = None) -> Path:
    return (root or results.folder()) / "benchmarks.json"


def save(measurements: Iterable[Measurement], root: Path | None = None) -> Path:
    """Write the measurements with their provenance, whole or not at all; returns the file."""
    threads = os.environ.get("OMP_NUM_THREADS")
    made = {
        "device": device_name("cpu"),
        "threads": f"{threads} thread{'s' * (threads != '1')}" if threads else "all threads",
        "versions": results.versions(),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    new, file = Run(tuple(measurements), made), path(root)
    old = load(root).runs if file.is_file() else ()
    left = (Run(tuple(m for m in run.measurements if m.area not in new.areas), run.provenance) for run in old)
    runs = ",\n".join(_text(run) for run in (*(run for run in left if run.measurements), new))
    last = json.dumps(made)  # as in all stored results, for those who list them
    _files.write_text(file, f'{{"format": {FORMAT},\n"provenance": {last},\n"runs": [\n{runs}\n]}}\n')
    return file


def _text(run: Run) -> str:
    kept = ({key: value for key, value in asdict(m).items() if key != "errors" or value} for m in run.measurements)
    lines = ",\n".join(json.dumps(line, allow_nan=False) for line in kept)
    return f'{{"provenance": {json.dumps(run.provenance)},\n"measurements": [\n{lines}\n]}}'


def load(root: Path | None = None) -> Benchmarks:
    """The stored measurements.

    Raises
    ------
    FileNotFoundError
        Nothing is stored; the message holds the command.
    ValueError
        The file is of another format.
    """
    file = path(root)
    if not file.is_file():
        raise FileNotFoundError(f"no stored benchmarks in {file.parent}; make them with: {COMMAND}")
    data = json.loads(file.read_text(encoding="utf-8"))
    if data.get("format") != FORMAT:
        raise ValueError(f"{file} has format {data.get('format')}, expected {FORMAT}; make it anew with: {COMMAND}")
    return Benchmarks(
        tuple(Run(tuple(Measurement(**m) for m in run["measurements"]), run["provenance"]) for run in data["runs"])
    )


def compiled_calls(n: int, alpha: float) -> int:
    """Calls of functions written in C in one solve of a drawn design; arithmetic on arrays is not counted."""
    sample = LongTailModel(n=n, d=10 * n, s=5.0, alpha=alpha, beta_exponent=0.1, sigma=0.05).sample(seed=0)
    before, count = sys.getprofile(), 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "c_call"

    sys.setprofile(note)
    try:
        min_norm(sample.X, sample.y)
    finally:
        sys.setprofile(before)
    return count


HEADER = ("area", "what", "against", "ours", "theirs", "unit", "times", "asked", "met")


def rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """The measurements as the cells of a table with `HEADER`."""
    return [
        (
            m.area,
            m.what,
            m.against,
            amount(m.ours),
            amount(m.theirs),
            m.unit,
            amount(m.ratio),
            m.wanted,
            verdict(m),
        )
        for m in measurements
    ]


def verdict(measured: Measurement) -> str:
    """Whether what was asked was met, as all tables say it; empty where nothing was asked."""
    return ("yes" if measured.met else "no") if measured.wanted else ""


def amount(value: float | None) -> str:
    """Three digits, without an exponent where that is readable."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def text_table(measurements: Sequence[Measurement]) -> str:
    """The measurements as aligned plain text."""
    cells = [HEADER, *rows(measurements)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEADER))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells)
