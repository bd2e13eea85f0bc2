"""The runner: an experiment's map over cells and seeds, kept piece by piece; a stopped run goes on."""

import hashlib
import itertools
import json
import os
import platform
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from tqdm.auto import tqdm

from companion import _files
from companion._validate import one_of, path, positive_int
from companion.runner import backends, results, schema
from companion.runner.experiment import Experiment, Resources, settings_dict

FRESH = "fresh"  # in the folder of a run that replaces a stored result


@dataclass(frozen=True)
class Piece:
    """One (cell, seed) of a run and the file that holds its rows once it is done.

    Its scratch folder bears a name of this run. A task that an earlier run left behind on a cluster goes on writing,
    but into a folder of its own, which no one reads.
    """

    cell: dict[str, Any]
    seed: int
    file: Path
    scratch: Path

    def read(self, tell: Callable[[str], None]) -> dict[str, Any] | None:
        """What its file holds, None if there is none; a damaged one is set aside and the piece made again."""
        if not os.path.lexists(self.file):
            return None
        try:
            return results.parse(self.file, schema.PIECE)
        except (ValueError, OSError) as error:
            aside = _files.set_aside(self.file)
            tell(f"{error}; it is set aside as {aside.name}, and its piece is computed again")
            return None


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
    blocks: Path | None = None,
    share: tuple[int, int] | None = None,
    fresh: bool = False,
    progress: bool = False,
) -> Path:
    """Run `known` and store its result in `out`; returns the file.

    A run adds seeds to a stored result, or leaves it as it is: only `fresh` replaces one. Pieces finished earlier with
    the same settings and code are kept (unless `fresh`); a piece cut off in the middle goes on from its own
    checkpoints, if the experiment writes any. A second run of the same experiment waits for the first and then finds
    its work done. With `backend="dask"` the pieces are computed on the cluster of `scheduler`; rows are stored here.

    `blocks`: a folder whose finished blocks of networks are taken in, and to which new ones are added. With `share`
    (k, m) only the k-th of every m blocks is computed; no result is stored, and `blocks` is returned.

    Raises
    ------
    ValueError
        Unknown preset, device or backend, seeds, jobs or threads not positive, a scheduler without dask or dask
        without one; blocks of an experiment that has none, or of another run; a share without blocks or not k of m;
        a stored result that cannot be read, or that other code made and `repeat` has not confirmed.
    companion.runner.results.StaleResult
        A stored result was made with other settings.
    OSError
        `out` cannot be written: not allowed, no folder, a full disk. Finished pieces and checkpoints stay.
    RuntimeError
        The cluster is not there or went away (see `companion.runner.backends`), or the experiment itself failed.
    """
    settings = known.settings(preset)
    count = positive_int("seeds", known.seeds[preset] if seeds is None else seeds)
    jobs = positive_int("jobs", jobs)
    threads = positive_int("threads", threads)
    backend = one_of("backend", backend, ("joblib", "dask"))
    one_of("device", str(device).partition(":")[0], ("cpu", "cuda"))
    out = path("out", out)
    if (backend == "dask") != (scheduler is not None):
        raise ValueError(f"scheduler goes with backend dask, and only with it; got {backend} and {scheduler!r}")
    if blocks is not None and known.fill is None:
        raise ValueError(f"blocks are of no use to {known.name}, which keeps none")
    alone = jobs == 1 and backend == "joblib"
    shown = progress and sys.stderr.isatty()  # a bar in a log file is noise: there, a line says what begins
    resources = Resources(device, threads, blocks=blocks, data=data, progress=shown and alone)
    if share is not None:
        k, m = share
        if blocks is None or known.fill is None or not alone:
            raise ValueError("share goes with blocks, and with neither jobs nor dask: one command for each process")
        if not 1 <= k <= m:
            raise ValueError(f"share must be K/M with K from 1 to M, got {k}/{m}")
        for seed, cell in itertools.product(range(count), known.cells(settings)):
            known.fill(settings, cell, seed, resources, share)
        return blocks

    def tell(text: str) -> None:
        if progress:
            tqdm.write(f"companion: {text}", file=sys.stderr)

    key = _digest({"settings": settings_dict(settings), "code": known.code})
    work = out / ".partial" / f"{known.name}-{preset}-{key}"
    if not work.exists() and _done(None if fresh else _stored(known, preset, out), count, tell):
        return results.path(known.name, preset, out)  # before anything is written, be it a lock
    with _alone(work, tell):
        stored = None if fresh or (work / FRESH).exists() else _stored(known, preset, out)
        seeds_before = stored.seeds if stored else []
        if _done(stored, count, tell):
            _clear(work, seeds_before)
            return results.path(known.name, preset, out)
        if fresh:
            shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)
        if fresh:
            (work / FRESH).touch()  # a stop in between: the same run goes on without asking again
        owner = uuid.uuid4().hex[:8]
        new = [seed for seed in range(count) if seed not in seeds_before]
        names = [(cell, seed, f"{_digest(cell)}-{seed}") for seed in new for cell in known.cells(settings)]
        pieces = [Piece(cell, seed, work / f"{name}.json", work / f"{name}.{owner}") for cell, seed, name in names]
        made: dict[Path, Any] = {piece.file: piece.read(tell) for piece in pieces}
        waiting = [piece for piece in pieces if made[piece.file] is None]
        _take_over(work, waiting)
        tasks = [partial(_compute, known.run, settings, piece, resources) for piece in waiting]
        if scheduler is not None and tasks:
            finished = backends.cluster(tasks, scheduler, tell)
        elif jobs > 1 and len(tasks) > 1:
            finished = backends.processes(tasks, jobs, threads)
        else:
            finished = backends.serial(tasks)
        label = f"{known.name} on {device}" if known.trains else known.name
        if progress and known.trains and waiting and not shown:
            print(f"{label}: {len(waiting)} of {len(pieces)} pieces to compute", file=sys.stderr)
        done = len(pieces) - len(waiting)
        with closing(finished), tqdm(total=len(pieces), initial=done, desc=label, disable=not shown) as bar:
            for i, text in finished:
                _files.write_text(waiting[i].file, text)
                made[waiting[i].file] = json.loads(text)
                shutil.rmtree(waiting[i].scratch, ignore_errors=True)
                bar.update()
        rows = [*(stored.rows if stored else ()), *(row for part in made.values() for row in part["rows"])]
        seeds_now = sorted([*seeds_before, *new])
        provenance = _provenance(known, preset, stored, list(made.values()))
        file = results.save(known, preset, seeds_now, rows, provenance, out)
        _clear(work, seeds_now)
    return file


def _stored(known: Experiment, preset: str, out: Path) -> results.Result | None:
    """The stored result, if there is one to add to; an error if it may not be touched."""
    try:
        stored = results.load(known, preset, root=out)
    except FileNotFoundError:
        return None
    made = stored.provenance
    if known.code not in (made["code"], made.get("repeated", {}).get("code")):
        again = results.command("repeat", known.name, preset, stored.out)
        raise ValueError(
            f"{results.path(known.name, preset, out)} was made by other code; compare it with today's: {again}; or "
            f"make it anew: {stored.command}"
        )
    return stored


def _done(stored: results.Result | None, count: int, tell: Callable[[str], None]) -> bool:
    """Whether a stored result has all seeds that are asked for, so that there is nothing to compute or write."""
    if stored is None or not set(range(count)) <= set(stored.seeds):
        return False
    tell(f"nothing to compute: {stored.name} is stored with {len(stored.seeds)} seeds; --fresh makes it anew")
    return True


def _provenance(
    known: Experiment, preset: str, stored: results.Result | None, made: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """That of new pieces beside stored seeds; seeds of other code come with what `repeat` said of them."""
    before = stored.provenance if stored else {}
    parts = [before, *made] if before else made
    new = {
        "device": "; ".join(dict.fromkeys(name for part in parts for name in part["device"].split("; "))),
        "versions": {name: version for part in parts for name, version in part["versions"].items()},
        "code": known.code,
        "date": results.now(),
        "seconds": round(sum(part["seconds"] for part in parts), 1),
        "command": results.command("run", known.name, preset, None, "--fresh"),
    }
    if stored and before["code"] != known.code:
        new["kept"] = {"seeds": len(stored.seeds), "code": before["code"], "repeated": before["repeated"]}
    elif "kept" in before:
        new["kept"] = before["kept"]
    return new


def _clear(work: Path, seeds: Sequence[int]) -> None:
    """Remove what is kept of seeds that are stored; a piece of another seed waits for the run that asks for it."""
    for left in itertools.chain([work / FRESH], *(work.glob(f"*-{seed}.*") for seed in seeds)):
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    with suppress(OSError):
        work.rmdir()


def _take_over(work: Path, waiting: Sequence[Piece]) -> None:
    """Let this run own what the last one left of its pieces; a rename takes a checkpoint and its rows together."""
    left = sorted((folder for folder in work.iterdir() if folder.is_dir()), key=lambda folder: folder.stat().st_mtime)
    newest = {folder.stem: folder for folder in left}
    for piece in waiting:
        if piece.file.stem in newest:
            newest[piece.file.stem].rename(piece.scratch)


def _alone(work: Path, tell: Callable[[str], None]) -> AbstractContextManager:
    """The lock of this (experiment, preset, settings, code), held; the system drops it if the process dies."""
    work.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{work}.lock")
    try:
        return lock.acquire(blocking=False)
    except Timeout:
        tell("another run of this experiment is at work; waiting for it")
        return lock.acquire()


def _compute(run: Any, settings: Any, piece: Piece, resources: Resources) -> str:
    """The rows of a piece, the seconds they took, and the versions and device that made them: its file's text."""
    shared = piece.file.parent.is_dir()  # whether this machine sees the result folder
    with nullcontext(piece.scratch) if shared else tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        scratch.mkdir(exist_ok=True)
        start = time.perf_counter()
        once = partial(run, settings, piece.cell, piece.seed, replace(resources, scratch=scratch))
        rows = _despite_damage(once, scratch)
        seconds = time.perf_counter() - start
    named = [{**piece.cell, "seed": piece.seed, **row} for row in rows]
    made = {"versions": results.versions(), "device": device_name(resources.device)}
    return json.dumps({"rows": named, "digest": results.digest(named), "seconds": seconds, **made})


def _despite_damage(run: Callable[[], list[dict[str, Any]]], scratch: Path) -> list[dict[str, Any]]:
    """What `run` returns. Kept files that an error names are set aside, each once, and it goes on from the others."""
    aside: set[Path] = set()
    while True:
        try:
            return run()
        except (ValueError, RuntimeError) as error:
            left = [file for file in sorted(scratch.iterdir()) if str(file) in str(error) and file not in aside]
            if not left:
                raise
            aside.update(left)
            names = " and ".join(_files.set_aside(file).name for file in left)
            said = str(error).partition("; delete it")[0]
            tqdm.write(f"companion: {said}; set aside as {names}, what it held is computed again", file=sys.stderr)


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
