"""The runner: an experiment's map over cells and seeds, kept piece by piece, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock
from tqdm.auto import tqdm

from companion import _files, results
from companion._validate import positive_int
from companion.experiment import Experiment, Resources, code_hash, settings_dict


@dataclass(frozen=True)
class Piece:
    """One (cell, seed) of a run and the file that holds its rows once it is done."""

    cell: dict[str, Any]
    seed: int
    file: Path

    @property
    def scratch(self) -> Path:
        return self.file.with_suffix("")


def run(
    known: Experiment,
    preset: str,
    *,
    out: Path,
    seeds: int | None = None,
    device: str = "cpu",
    jobs: int = 1,
    threads: int = 1,
    data: Path | None = None,
    fresh: bool = False,
    progress: bool = False,
) -> Path:
    """Run `known` and store its result in `out`; returns the file.

    Pieces finished earlier with the same settings and code are kept (unless `fresh`); a piece cut off in the
    middle goes on from its own checkpoints, if the experiment writes any. Two runs at once share the work.

    Raises
    ------
    ValueError
        Unknown preset, or seeds, jobs or threads not positive.
    OSError
        `out` cannot be written.
    """
    if preset not in known.presets:
        raise ValueError(f"preset of {known.name} must be one of {', '.join(known.presets)}; got {preset!r}")
    count = positive_int("seeds", known.seeds[preset] if seeds is None else seeds)
    positive_int("jobs", jobs)
    positive_int("threads", threads)
    settings = known.presets[preset]
    work = out / ".partial" / f"{known.name}-{preset}-{_key(known, settings)}"
    if fresh:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    pieces = [Piece(c, s, work / f"{_digest(c)}-{s}.json") for s in range(count) for c in known.cells(settings)]
    if not fresh:
        _reuse(known, preset, out, pieces)
    resources = Resources(device, threads, data=data, progress=progress and jobs == 1)
    waiting = [p for p in pieces if not p.file.is_file()]
    bar = tqdm(total=len(pieces), initial=len(pieces) - len(waiting), desc=known.name, disable=not progress)
    with bar:
        for _ in _map(known, settings, waiting, resources, jobs):
            bar.update()
    done = [json.loads(p.file.read_text(encoding="utf-8")) for p in pieces]
    rows = [row for piece in done for row in piece["rows"]]
    seconds = sum(piece["seconds"] for piece in done)
    made = results.provenance(known, preset, device_name(device), seconds)
    file = results.save(known, preset, range(count), rows, made, out)
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):  # another run may still be at work there
        work.parent.rmdir()
    return file


def _map(known: Experiment, settings: Any, pieces: Sequence[Piece], resources: Resources, jobs: int) -> Iterator[None]:
    if jobs == 1 or len(pieces) < 2:
        for piece in pieces:
            _finish(known, settings, piece, resources)
            yield
        return
    from joblib import Parallel, delayed, parallel_config

    with parallel_config(backend="loky", inner_max_num_threads=resources.threads):
        tasks = (delayed(_finish)(known, settings, piece, resources) for piece in pieces)
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(tasks)


def _finish(known: Experiment, settings: Any, piece: Piece, resources: Resources) -> None:
    """Compute a piece and store its rows, unless somebody else has done so meanwhile."""
    with FileLock(piece.file.with_suffix(".lock")):
        if piece.file.is_file():
            return
        piece.scratch.mkdir(exist_ok=True)
        start = time.perf_counter()
        rows = known.run(settings, piece.cell, piece.seed, replace(resources, scratch=piece.scratch))
        seconds = time.perf_counter() - start
        rows = [{**piece.cell, "seed": piece.seed, **row} for row in rows]
        _files.write_text(piece.file, json.dumps({"rows": rows, "seconds": seconds}))
        shutil.rmtree(piece.scratch, ignore_errors=True)


def _reuse(known: Experiment, preset: str, out: Path, pieces: Sequence[Piece]) -> None:
    """Take finished pieces from the stored result if settings and code are the same (more seeds were asked for)."""
    try:
        stored = results.load(known.name, preset, root=out)
    except (FileNotFoundError, ValueError, results.StaleResult):
        return
    if stored.code_changed:
        return
    share = stored.provenance["seconds"] / max(1, len(stored.seeds) * len(known.cells(known.presets[preset])))
    for piece in pieces:
        rows = [r for r in stored.rows if r["seed"] == piece.seed and all(r.get(k) == v for k, v in piece.cell.items())]
        if rows and not piece.file.is_file():
            _files.write_text(piece.file, json.dumps({"rows": rows, "seconds": share}))


def _key(known: Experiment, settings: Any) -> str:
    return _digest({"settings": settings_dict(settings), "code": code_hash(known.module)})


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def device_name(device: str) -> str:
    """The hardware behind `device`, for provenance."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    cpu = platform.processor() or platform.machine()
    with suppress(OSError):
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        cpu = next((ln.split(":", 1)[1].strip() for ln in info.splitlines() if ln.startswith("model name")), cpu)
    return f"{cpu} ({os.cpu_count()} cores)"
