"""A disk that fills up: one line says so, nothing is half written, the last good state stays, and it goes on."""

import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from companion.runner import results

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one mebibyte, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if not done or done.returncode:
        pytest.skip("no right to mount a small file system here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk):
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def run(out, *more, limit=None):
    """`companion run figure1` in a process of its own; `limit`: the largest file, in bytes, that it may write."""

    def lower():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "companion", "run", "figure1", "--out", str(out), *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    # what counts covered lines would meet the limit before our own files do
    environment = {key: value for key, value in environment.items() if not key.startswith("COVERAGE_")}
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, preexec_fn=lower if limit else None
    )


def complaint(done):
    """The last line of stderr; a progress bar draws over itself before it."""
    assert "Traceback" not in done.stderr
    return done.stderr[done.stderr.rindex("companion:") :]


def test_a_full_disk_is_reported_and_leaves_the_last_good_state(small_disk):
    out = small_disk / "out"
    assert run(out, "--seeds", "1").returncode == 0
    good = (out / "figure1-smoke.json").read_bytes()
    filler = fill(small_disk)
    done = run(out, "--seeds", "2")
    assert done.returncode == 2
    said = complaint(done)
    assert "No space left on device" in said
    assert str(out) in said
    assert said.count("\n") == 1
    assert (out / "figure1-smoke.json").read_bytes() == good
    assert results.load("figure1", "smoke", root=out).seeds == [0]
    filler.unlink()
    assert run(out, "--seeds", "2").returncode == 0
    assert results.load("figure1", "smoke", root=out).seeds == [0, 1]
    assert [p.name for p in out.rglob("*") if p.is_file() and p.suffix != ".lock"] == ["figure1-smoke.json"]


def test_a_write_that_fails_in_the_middle_leaves_the_last_good_state(tmp_path):
    """The same by a limit on the size of a file, which any user may set: the result is cut off while it is written."""
    assert run(tmp_path, "--seeds", "1").returncode == 0
    good = (tmp_path / "figure1-smoke.json").read_bytes()
    done = run(tmp_path, "--seeds", "3", limit=len(good))
    assert done.returncode == 2
    said = complaint(done)
    assert "File too large" in said
    assert str(tmp_path) in said
    assert (tmp_path / "figure1-smoke.json").read_bytes() == good
    assert not list(tmp_path.rglob("*.tmp"))
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob(".partial/*/*.json")}
    assert kept, "finished pieces stay"
    assert run(tmp_path, "--seeds", "3").returncode == 0
    assert results.load("figure1", "smoke", root=tmp_path).seeds == [0, 1, 2]


@pytest.mark.parametrize("reason", ["full disk", "limit"])
def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(tmp_path, request, reason):
    """Training stops with an error; what it could write last is whole, and a run with room goes on from it."""
    torch = pytest.importorskip("torch")
    folder = request.getfixturevalue("small_disk") if reason == "full disk" else tmp_path
    file = folder / "model.pt"
    program = f"""
import resource, signal, sys
from pathlib import Path
from companion.neural import models, tasks, train
task = tasks.digit_sums(source="embedded", triples=20, test_triples=10, seed=0)
def full(epoch, model):
    if {reason == "limit"} and epoch == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    if {reason == "full disk"} and epoch == 2:
        with open({str(folder / "filler")!r}, "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                pass
try:
    train.fit(models.build("sum", width=2, seed=0), task, train.Recipe(epochs=4, batch=10), seed=0, device="cpu",
              checkpoint=Path({str(file)!r}), after_epoch=full)
except (OSError, RuntimeError) as error:
    print(type(error).__name__, str(error).splitlines()[0])
    sys.exit(3)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 3, done.stdout + done.stderr
    said = "No space left on device" if reason == "full disk" else "File too large"
    assert done.stdout.startswith("OSError")
    assert said in done.stdout
    state = torch.load(file, weights_only=True)
    assert len(state["losses"]) == 1, "the whole checkpoint of the epoch before"
    assert [p.name for p in folder.iterdir() if p.name.endswith(".tmp")] == []
