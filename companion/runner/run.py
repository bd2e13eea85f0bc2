"""The runner: an experiment's map over cells and seeds, kept piece by piece; a stopped run goes on."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from companion import _files
from companion._validate import one_of, path, positive_int
from companion.runner import backends, results
from companion.runner.experiment import Experiment, Resources, settings_dict

BACKENDS = ("joblib", "dask")
DEVICES = ("cpu", "cuda")
STALE = 600.0  # seconds after which a temporary file belongs to no living writer


@dataclass(frozen=True)
class Piece:
    """One (cell, seed) of a run and the file that holds its rows once it is done."""

    cell: dict[str, Any]
    seed: int
    file: Path

    @property
    def scratch(self) -> Path:
        return self.file.with_suffix("")

    @property
    def done(self) -> bool:
        """Whether its rows are there; a file that cannot be read (a bad disk) is made again."""
        try:
            return {"rows", "seconds"} <= set(json.loads(self.file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return False


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
    backend: str = "joblib",
    scheduler: str | None = None,
    fresh: bool = False,
    progress: bool = False,
) -> Path:
    """Run `known` and store its result in `out`; returns the file.

    Pieces finished earlier with the same settings and code are kept (unless `fresh`); a piece cut off in the
    middle goes on from its own checkpoints, if the experiment writes any. A second run of the same experiment waits
    for the first and then finds its work done. With `backend="dask"` the pieces are computed on the cluster whose
    `scheduler` is given; rows are stored here, as they come back.

    Raises
    ------
    ValueError
        Unknown preset, device or backend, seeds, jobs or threads not positive, a scheduler without dask or dask
        without one.
    OSError
        `out` cannot be written: not allowed, no folder, a full disk. Finished pieces and checkpoints stay.
    RuntimeError
        The cluster is not there or went away (see `companion.runner.backends`), or the experiment itself failed.
    """
    if preset not in known.presets:
        raise ValueError(f"preset of {known.name} must be one of {', '.join(known.presets)}; got {preset!r}")
    count = positive_int("seeds", known.seeds[preset] if seeds is None else seeds)
    jobs = positive_int("jobs", jobs)
    threads = positive_int("threads", threads)
    backend = one_of("backend", backend, BACKENDS)
    one_of("device", str(device).partition(":")[0], DEVICES)
    out = path("out", out)
    if (backend == "dask") != (scheduler is not None):
        raise ValueError(f"scheduler goes with backend dask, and only with it; got {backend} and {scheduler!r}")
    settings = known.presets[preset]
    shown = progress and sys.stderr.isatty()  # a bar in a log file is noise: there, a line says what begins
    work = out / ".partial" / f"{known.name}-{preset}-{_key(known, settings)}"
    with _naming(out), _alone(work, progress):
        if fresh:
            shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)
        pieces = [Piece(c, s, work / f"{_digest(c)}-{s}.json") for s in range(count) for c in known.cells(settings)]
        kept = {} if fresh else _reuse(known, preset, out, pieces)
        waiting = [p for p in pieces if not p.done]
        resources = Resources(device, threads, data=data, progress=shown and jobs == 1 and backend == "joblib")
        tasks = [partial(_compute, known.run, settings, piece, resources) for piece in waiting]
        finished: Iterator[tuple[int, Any]]
        if scheduler is not None:
            finished = backends.cluster(tasks, scheduler)
        elif jobs > 1 and len(tasks) > 1:
            finished = backends.processes(tasks, jobs, threads)
        else:
            finished = backends.serial(tasks)
        done = len(pieces) - len(waiting)
        label = f"{known.name} on {device}" if known.trains else known.name
        if progress and known.trains and waiting and not shown:
            print(f"{label}: {len(waiting)} of {len(pieces)} pieces to compute", file=sys.stderr)
        with tqdm(total=len(pieces), initial=done, desc=label, disable=not shown) as bar:
            for i, text in finished:
                _files.write_text(waiting[i].file, text)
                shutil.rmtree(waiting[i].scratch, ignore_errors=True)
                bar.update()
        contents = [json.loads(p.file.read_text(encoding="utf-8")) for p in pieces]
        rows = [row for piece in contents for row in piece["rows"]]
        seconds = sum(piece["seconds"] for piece in contents)
        used = {name: version for piece in contents for name, version in piece.get("versions", {}).items()}
        devices = dict.fromkeys(piece["device"] for piece in contents if "device" in piece)
        made = results.provenance(known, preset, "; ".join(devices) or device_name(device), seconds, used)
        file = results.save(known, preset, range(count), rows, {**made, **kept}, out)
        shutil.rmtree(work, ignore_errors=True)
        _sweep(file)
    return file


@contextmanager
def _naming(out: Path) -> Iterator[None]:
    """Say where, when the system only says what: "no space left on device" names no file by itself."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(out)) from error


def _sweep(file: Path) -> None:
    """Remove what writers of `file` that were killed left beside it. None is ever read: no name ends in .json."""
    for left in file.parent.glob(f".{file.name}.*.tmp"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()


@contextmanager
def _alone(work: Path, progress: bool) -> Iterator[None]:
    """Hold the lock of this (experiment, preset, settings, code); the system drops it if the process dies."""
    work.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work.with_name(work.name + ".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if progress:
            tqdm.write("another run of this experiment is at work; waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _compute(run: Any, settings: Any, piece: Piece, resources: Resources) -> str:
    """The rows of a piece, the seconds they took, and the versions and device that made them: its file's text."""
    with _scratch(piece) as scratch:
        start = time.perf_counter()
        rows = run(settings, piece.cell, piece.seed, replace(resources, scratch=scratch))
        seconds = time.perf_counter() - start
    named = [{**piece.cell, "seed": piece.seed, **row} for row in rows]
    made = {"versions": results.versions(), "device": device_name(resources.device)}
    return json.dumps({"rows": named, "seconds": seconds, **made})


@contextmanager
def _scratch(piece: Piece) -> Iterator[Path]:
    """The piece's own folder where this machine shares the result folder, else a temporary one."""
    if piece.file.parent.is_dir():
        piece.scratch.mkdir(exist_ok=True)
        yield piece.scratch
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def _reuse(known: Experiment, preset: str, out: Path, pieces: Sequence[Piece]) -> dict[str, Any]:
    """Take finished pieces from the stored result if its settings and numbers are today's (more seeds were asked for).

    Returns what the new result's provenance must say of them: nothing if the code is the same, else whose they are and
    which of them `companion repeat` has compared with today's code.
    """
    try:
        stored = results.load(known.name, preset, root=out)
    except (FileNotFoundError, ValueError, results.StaleResult):
        return {}
    if not stored.stands:
        return {}
    made = {key: stored.provenance[key] for key in ("versions", "device")}
    share = stored.provenance["seconds"] / max(1, len(stored.seeds) * len(known.cells(known.presets[preset])))
    for piece in pieces:
        rows = [r for r in stored.rows if r["seed"] == piece.seed and all(r.get(k) == v for k, v in piece.cell.items())]
        if rows and not piece.done:
            _files.write_text(piece.file, json.dumps({"rows": rows, "seconds": share, **made}))
    asked = {piece.seed for piece in pieces}
    if not stored.code_changed:
        note = stored.provenance.get("kept")
        return {"kept": {**note, "seeds": min(note["seeds"], len(asked))}} if note else {}
    code, repeated = stored.provenance["code"], stored.provenance["repeated"]
    return {"kept": {"seeds": len(asked & set(stored.seeds)), "code": code, "repeated": repeated}}


def _key(known: Experiment, settings: Any) -> str:
    return _digest({"settings": settings_dict(settings), "code": known.code})


def _digest(value: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def device_name(device: str) -> str:
    """The hardware behind `device`, for provenance."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    cpu, flags = platform.processor() or platform.machine(), ""
    with suppress(OSError):
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        told = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in info.splitlines())}
        cpu, flags = told.get("model name", cpu), told.get("flags", "")
    # One name stands for several makes; the widest instructions decide in which order sums are taken.
    widest = next((name for name in ("amx_bf16", "avx512_bf16", "avx512f", "avx2") if name in flags.split()), "")
    widest = os.environ.get("ONEDNN_MAX_CPU_ISA", widest).lower()
    return f"{cpu}{widest and ', '}{widest} ({os.cpu_count()} cores)"
