"""Stored results: rows with their settings, seeds, summary and provenance, one JSON file a result."""

from __future__ import annotations

import hashlib
import html
import json
import math
import os
import platform
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from numbers import Real
from pathlib import Path
from typing import Any

from companion import _files
from companion import _validate as check
from companion.experiments import experiment
from companion.runner import schema
from companion.runner.experiment import Experiment, settings_dict

_PACKAGES = ("numpy", "scipy", "torch", "torchvision", "scikit-learn")
Row = dict[str, Any]


class StaleResult(RuntimeError):
    """A stored result was made with other settings than the code now holds."""


@dataclass(frozen=True)
class Result:
    """A stored result. `rows`: one dict a measurement; `summary`: one dict a group, with 95% intervals."""

    experiment: str
    preset: str
    settings: dict[str, Any]
    seeds: list[int]
    by: tuple[str, ...]
    rows: list[Row]
    summary: list[Row]
    provenance: dict[str, Any]
    out: Path | None = None  # the folder it was read from, None for the usual ones

    def where(self, **keys: Any) -> list[Row]:
        """Summary groups whose keys equal `keys`; each metric is a dict(mean, sd, n, low, high)."""
        return [group for group in self.summary if _matches(group, keys)]

    def one(self, **keys: Any) -> Row:
        """The single summary group with these keys; LookupError if there is none or more than one."""
        groups = self.where(**keys)
        if len(groups) != 1:
            known = sorted({tuple((k, g[k]) for k in self.by) for g in self.summary}, key=repr)
            raise LookupError(f"{len(groups)} groups of {self.name} match {keys}; there are {known}")
        return groups[0]

    def select(self, **keys: Any) -> list[Row]:
        """Rows whose entries equal `keys`."""
        return [row for row in self.rows if _matches(row, keys)]

    @property
    def name(self) -> str:
        return f"{self.experiment}-{self.preset}"

    @property
    def command(self) -> str:
        """The command that makes it anew: with its seeds and its folder, where they are not the usual ones."""
        usual = len(self.seeds) == experiment(self.experiment).seeds.get(self.preset)
        seeds = [] if usual else ["--seeds", str(len(self.seeds))]
        return command("run", self.experiment, self.preset, self.out, *seeds, "--fresh")

    @property
    def code_changed(self) -> bool:
        """Whether the code behind the result has changed since it was made (comments do not count)."""
        return experiment(self.experiment).code != self.provenance["code"]

    @property
    def stands(self) -> bool:
        """Whether today's code is known to give these numbers: it made them, or it repeated some of the runs."""
        return not self.code_changed or self._repeated is not None

    @property
    def _repeated(self) -> dict[str, Any] | None:
        """What `companion repeat` found with the code as it is now, if it was called."""
        note = self.provenance.get("repeated")
        return note if note and note["code"] == experiment(self.experiment).code else None

    def line(self) -> Line:
        """One line that says where the numbers come from."""
        p, kept = self.provenance, self.provenance.get("kept")
        versions = ", ".join(f"{k} {v}" for k, v in p["versions"].items())
        said = [
            f"Stored result {self.name}: {len(self.seeds)} seed{'s' * (len(self.seeds) != 1)}, {len(self.rows)} rows, "
            f"{duration(p['seconds'])} of computing on {p['device']}, {p['date'][:10]}, {versions}, code {p['code']}. "
            f"Renew with: {self.command}"
        ]
        if note := self._repeated:
            said.append(_agreement(note, f"today's code on {note['date'][:10]}"))
        elif self.code_changed:
            said.append("The code has changed since; the settings have not.")
        if kept:
            older = f"The first {kept['seeds']} seeds were made by code {kept['code']}"
            said.append(f"{older}; {_agreement(kept['repeated'], 'the later code')}")
        line = Line(" ".join(said))
        line.command, line.seeds = self.command, len(self.seeds)
        return line


class Line(str):
    """Plain where it is printed; a page shows the seeds, and opens the rest. What a file says is never markup."""

    command: str
    seeds: int

    def _repr_html_(self) -> str:
        command = html.escape(self.command)
        said = html.escape(self).replace(command, f"<code>{command}</code>.")
        many = f"From {self.seeds} random draws" if self.seeds > 1 else "From one random draw"
        return f'<details class="provenance"><summary>{many}</summary><p>{said}</p></details>'


def _agreement(note: Mapping[str, Any], code: str) -> str:
    return f"{note['runs']} of the {note['of']} runs, repeated with {code}, gave the same numbers."


def _matches(row: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    return all(row.get(k) == v for k, v in keys.items())


def command(verb: str, name: str, preset: str, out: Path | None, *more: str) -> str:
    """`companion run` or `repeat`, ready to be pasted: a path with blanks is quoted."""
    folder = ["--out", str(out)] if out else []
    return shlex.join(["companion", verb, name, "--preset", preset, *folder, *more])


def _unusual(place: Path) -> Path | None:
    """`place`, if a command has to name it."""
    return None if place.resolve() in (folder().resolve(), own_folder().resolve()) else place


def folder() -> Path:
    """Where stored results are read: `$COMPANION_RESULTS`, else those that come with the book."""
    if given := os.environ.get("COMPANION_RESULTS"):
        return check.path("COMPANION_RESULTS", given)
    return Path(__file__).resolve().parents[2] / "book" / "results"


def own_folder() -> Path:
    """Where results are written: `$COMPANION_RESULTS`, else the checkout one stands in, else the user's data folder.

    Never the installed package: it may be read-only, or shared, and an upgrade replaces it.
    """
    if os.environ.get("COMPANION_RESULTS"):
        return folder()
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / "book" / "results").is_dir() and (place / "companion" / "runner").is_dir():
            return place / "book" / "results"
    import platformdirs

    return Path(platformdirs.user_data_dir("companion")) / "results"


def path(name: str, preset: str, root: str | Path | None = None) -> Path:
    return (folder() if root is None else check.path("root", root)) / f"{name}-{preset}.json"


def load(known: str | Experiment, preset: str = "paper", *, root: Path | None = None) -> Result:
    """The stored result of an experiment, given by its name.

    Raises
    ------
    ValueError
        Unknown experiment or preset, or a file that is no result of this format.
    FileNotFoundError
        Not stored; the message holds the command that makes it.
    StaleResult
        Stored with other settings than the code's; the message holds the command that renews it.
    """
    known = known if isinstance(known, Experiment) else experiment(known)
    settings, name = known.settings(preset), known.name
    file = path(name, preset, root)
    renewal = command("run", name, preset, _unusual(file.parent), "--fresh")
    if not file.is_file():
        raise FileNotFoundError(f"no stored result {file.name} in {file.parent}; make it with: {renewal}")
    try:
        result = read(file)
        if (result.experiment, result.preset) != (name, preset):
            raise ValueError(f"{file} holds {result.name}")
    except ValueError as error:
        raise ValueError(f"{error}; renew it with: {renewal}") from None
    there, here = result.settings, settings_dict(settings)
    differing = sorted(key for key in {*here, *there} if here.get(key) != there.get(key))
    if differing:
        shown = "; ".join(f"{k}: stored {there.get(k)!r}, code {here.get(k)!r}" for k in differing)
        raise StaleResult(f"{file.name} was made with other settings ({shown}); renew with: {result.command}")
    return result


def read(file: Path) -> Result:
    """Parse a result file, without comparing it with the code; ValueError names what is wrong with it.

    The summary is made of the rows again. The one in the file is for those who read that by other means.
    """
    data = parse(file, schema.RESULT)
    seeds, by = data["seeds"], data["by"]
    rows = _each(data["rows"], lambda value: math.nan if value is None else value)
    if not rows or sorted(seeds) != sorted({row["seed"] for row in rows}):
        raise ValueError(f"{file} cannot be read: seeds must be those of its rows, each once, got {seeds}")
    if lacking := [key for key in by if not all(key in row for row in rows)]:
        raise ValueError(f"{file} cannot be read: by must name keys of every row, got {lacking[0]!r}")
    said = {key: data[key] for key in ("experiment", "preset", "settings", "seeds", "provenance")}
    return Result(**said, by=tuple(by), rows=rows, summary=summarise(rows, by), out=_unusual(file.parent))


def parse(file: Path, kind: Any) -> Any:
    """The contents of a file of rows, see `schema.parse`; ValueError also if its rows are not those of its digest."""
    data = schema.parse(file, kind)
    with suppress(RecursionError):  # no rows of ours are nested that deeply
        if digest(data["rows"]) == data["digest"]:
            return data
    raise ValueError(f"{file} cannot be read: rows are not those that were stored")


def digest(rows: Sequence[Row]) -> str:
    """Tells rows that were edited, added or lost from those that were stored."""
    return hashlib.sha256(json.dumps(_without_nan(rows), sort_keys=True).encode()).hexdigest()[:16]


def save(
    known: Experiment, preset: str, seeds: Sequence[int], rows: list[Row], provenance: dict[str, Any], root: Path
) -> Path:
    """Write the result of `known` whole or not at all; returns its path."""
    settings = known.presets[preset]
    by = known.by or tuple(known.cells(settings)[0])
    head = {
        "format": schema.FORMAT,
        "experiment": known.name,
        "preset": preset,
        "settings": settings_dict(settings),
        "seeds": list(seeds),
        "by": by,
        "provenance": provenance,
        "digest": digest(rows),
    }
    # One row a line: small enough to read, and a renewed result gives a readable diff.
    parts = [f"{json.dumps(k)}: {_json(v)}" for k, v in head.items()]
    for key, table in (("summary", summarise(rows, by)), ("rows", rows)):
        parts.append(f"{json.dumps(key)}: [\n" + ",\n".join(map(_json, table)) + "\n]")
    file = path(known.name, preset, root)
    _files.write_text(file, "{\n" + ",\n".join(parts) + "\n}\n")
    return file


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that took part in this process: those imported by now."""
    loaded = {"scikit-learn": "sklearn"}
    taken = {p: metadata.version(p) for p in _PACKAGES if loaded.get(p, p) in sys.modules}
    return {"python": platform.python_version(), **taken}


def summarise(rows: Iterable[Row], by: Sequence[str]) -> list[Row]:
    """Mean, sd, n and 95% t interval of every numeric field, for each group of rows that agree on `by`.

    NaN entries are left out and `n` counts what remains; with one value there is no interval (NaN).
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[k] for k in by), []).append(row)
    out = []
    for key, members in groups.items():
        fields = dict.fromkeys(f for row in members for f, v in row.items() if f not in (*by, "seed") and _number(v))
        stats = {f: interval([row[f] for row in members if _number(row.get(f))]) for f in fields}
        out.append({**dict(zip(by, key, strict=True)), **stats})
    return out


def interval(values: Sequence[float]) -> dict[str, float]:
    """Mean, sd, n and the two-sided 95% Student t interval of independent values; NaN values are left out."""
    from scipy.stats import t

    for v in values:
        if not isinstance(v, Real):
            raise TypeError(f"values must hold numbers, got {v!r} of type {type(v).__name__}")
    kept = [float(v) for v in values if not math.isnan(v)]
    n = len(kept)
    mean = math.fsum(kept) / n if n else math.nan
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in kept) / (n - 1)) if n > 1 else math.nan
    half = float(t.ppf(0.975, n - 1)) * sd / math.sqrt(n) if n > 1 else math.nan
    return {"mean": mean, "sd": sd, "n": n, "low": mean - half, "high": mean + half}


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _json(value: Any) -> str:
    try:
        return json.dumps(_without_nan(value), allow_nan=False)
    except ValueError:
        raise ValueError(f"rows must hold finite numbers or NaN, got an infinite one in {value!r:.200}") from None


def _without_nan(value: Any) -> Any:
    return _each(value, lambda v: None if isinstance(v, float) and math.isnan(v) else v)


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    """`value` as JSON holds it, with every number, word and null changed."""
    if isinstance(value, dict):
        return {k: _each(v, change) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_each(v, change) for v in value]
    return change(value)


def duration(seconds: float) -> str:
    """Seconds as a reader says them: 45 s, 3 min, 2.5 h."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
