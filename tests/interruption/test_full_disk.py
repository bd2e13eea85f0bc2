"""A disk that fills up: one line says so, nothing is half written, the last good state stays, and it goes on."""

import resource
import shutil
import subprocess
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


@pytest.fixture
def run(start):
    """Exit code and last line of `companion run steps`; `limit`: the largest file, in bytes, that it may write."""

    def run(out, *more, limit=None):
        run = start("run", "steps", "--out", out, *more, limit=limit)
        code, said = run.wait(), run.output.read_text()
        assert "Traceback" not in said
        return code, said[said.rfind("companion:") :]

    return run


def test_a_full_disk_is_reported_and_leaves_the_last_good_state(small_disk, run):
    out = small_disk / "out"
    assert run(out, "--seeds", "1")[0] == 0
    good = (out / "steps-smoke.json").read_bytes()
    filler = fill(small_disk)
    code, said = run(out, "--seeds", "2")
    assert code == 2
    assert "No space left on device" in said
    assert str(out) in said
    assert said.count("\n") == 1
    assert (out / "steps-smoke.json").read_bytes() == good
    assert results.read(out / "steps-smoke.json").seeds == [0]
    filler.unlink()
    assert run(out, "--seeds", "2")[0] == 0
    assert results.read(out / "steps-smoke.json").seeds == [0, 1]
    assert [p.name for p in out.rglob("*") if p.is_file() and p.suffix != ".lock"] == ["steps-smoke.json"]


def test_a_write_that_fails_in_the_middle_leaves_the_last_good_state(tmp_path, run):
    """The same by a limit on the size of a file, which any user may set: the result is cut off while it is written."""
    assert run(tmp_path, "--seeds", "1")[0] == 0
    good = (tmp_path / "steps-smoke.json").read_bytes()
    code, said = run(tmp_path, "--seeds", "3", limit=len(good))
    assert code == 2
    assert "File too large" in said
    assert str(tmp_path) in said
    assert (tmp_path / "steps-smoke.json").read_bytes() == good
    assert not list(tmp_path.rglob("*.tmp"))
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.glob(".partial/*/*.json")}
    assert kept, "finished pieces stay"
    assert run(tmp_path, "--seeds", "3")[0] == 0
    assert results.read(tmp_path / "steps-smoke.json").seeds == [0, 1, 2]


@pytest.fixture
def small_files():
    """No file may grow above a kilobyte, from the moment the function is called."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("reason", "said"), [("small_disk", "No space left on device"), ("small_files", "too large")])
def test_a_checkpoint_that_does_not_fit_leaves_the_one_before(tmp_path, request, reason, said):
    """Training stops with an error; what it could write last is whole, and a run with room goes on from it."""
    torch = pytest.importorskip("torch")
    from companion.neural import models, tasks, train

    room = request.getfixturevalue(reason)
    folder = room if reason == "small_disk" else tmp_path
    task = tasks.digit_sums(source="embedded", triples=20, test_triples=10, seed=0)

    def full(epoch, model):
        if epoch == 2:
            fill(folder) if reason == "small_disk" else room()

    recipe = train.Recipe(epochs=4, batch=10)
    with pytest.raises(OSError, match=said):
        train.fit(
            models.build("sum", width=2, seed=0), task, recipe, seed=0, device="cpu",
            checkpoint=folder / "model.pt", after_epoch=full,
        )  # fmt: skip
    state = torch.load(folder / "model.pt", weights_only=True)
    assert len(state["losses"]) == 1, "the whole checkpoint of the epoch before"
    assert [p.name for p in folder.iterdir() if p.name.endswith(".tmp")] == []
