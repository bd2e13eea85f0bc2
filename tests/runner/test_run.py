"""The runner: resumes, shares work, never mixes runs."""

import json
import platform
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from companion.runner import results
from companion.runner import run as runner
from companion.runner.experiment import Experiment, setting


@dataclass(frozen=True)
class Toy:
    grid: tuple[int, ...] = setting((1, 2), "two cells")
    log: str = setting("", "where calls are written down")


def cells(settings):
    return [{"a": a} for a in settings.grid]


def measure(settings, cell, seed, resources):
    with Path(settings.log).open("a") as log:
        log.write(f"{cell['a']} {seed}\n")
    if Path(settings.log).with_suffix(".stop").exists() and (cell["a"], seed) == (2, 0):
        raise RuntimeError("stopped")
    return [{"value": cell["a"] + 10.0 * seed}]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    log = tmp_path / "calls.log"
    known = Experiment("toy", {"smoke": Toy(log=str(log))}, {"smoke": 2}, cells, measure)
    monkeypatch.setattr("companion.runner.results.experiment", lambda name: known)
    monkeypatch.setattr(Experiment, "code", "0" * 16)
    return known, log, tmp_path / "out"


def stop(toy):
    """A run of the toy that fails after its first piece; the next one will not."""
    known, log, out = toy
    log.with_suffix(".stop").touch()
    with pytest.raises(RuntimeError, match="stopped"):
        runner.run(known, "smoke", out=out)
    log.with_suffix(".stop").unlink()


def test_rows_carry_cell_and_seed(toy):
    known, _, out = toy
    result = results.read(runner.run(known, "smoke", out=out))
    assert [(r["a"], r["seed"], r["value"]) for r in result.rows] == [(1, 0, 1), (2, 0, 2), (1, 1, 11), (2, 1, 12)]
    assert result.one(a=2)["value"]["mean"] == 7
    left = [p.name for p in out.rglob("*") if p.is_file() and p.suffix != ".lock"]
    assert left == ["toy-smoke.json"], "no leftovers"


def test_provenance_names_time_code_and_versions(toy):
    known, _, out = toy
    before = datetime.now(UTC).replace(microsecond=0)
    made = results.read(runner.run(known, "smoke", out=out)).provenance
    assert before <= datetime.strptime(made["date"], "%Y-%m-%dT%H:%M:%S%z") <= datetime.now(UTC)
    assert 0 <= made["seconds"] == round(made["seconds"], 1) < 60
    assert (made["device"], made["code"]) == (runner.device_name("cpu"), "0" * 16)
    assert made["command"] == "companion run toy --preset smoke --fresh"
    assert made["versions"]["numpy"] == np.__version__
    assert made["versions"]["python"] == platform.python_version()
    assert "torch" not in made["versions"] or "torch" in sys.modules


def test_a_stopped_run_goes_on(toy):
    known, log, out = toy
    stop(toy)
    assert not results.path("toy", "smoke", out).exists()
    runner.run(known, "smoke", out=out)
    assert log.read_text().splitlines() == ["1 0", "2 0", "2 0", "1 1", "2 1"], "the finished piece ran once"


def test_more_seeds_reuse_the_stored_ones_and_fresh_does_not(toy):
    known, log, out = toy
    runner.run(known, "smoke", out=out)
    runner.run(known, "smoke", out=out, seeds=3)
    assert len(log.read_text().splitlines()) == 6
    runner.run(known, "smoke", out=out, seeds=3, fresh=True)
    assert len(log.read_text().splitlines()) == 12


def test_what_other_code_made_is_replaced_only_when_asked(toy, monkeypatch):
    """And a run that replaces it and is stopped goes on without being asked again."""
    known, log, out = toy
    file = runner.run(known, "smoke", out=out)
    before = file.read_bytes()
    monkeypatch.setattr(Experiment, "code", "1" * 16)
    with pytest.raises(ValueError, match=r"was made by other code; .* companion repeat toy .* anew: companion run toy"):
        runner.run(known, "smoke", out=out)
    assert file.read_bytes() == before
    log.with_suffix(".stop").touch()
    with pytest.raises(RuntimeError, match="stopped"):
        runner.run(known, "smoke", out=out, fresh=True)
    assert file.read_bytes() == before
    log.with_suffix(".stop").unlink()
    runner.run(known, "smoke", out=out)
    assert results.read(file).provenance["code"] == "1" * 16
    assert log.read_text().splitlines().count("1 0") == 2, "the piece before the stop was kept"


@pytest.mark.parametrize("seeds", [None, 1, 2])
def test_nothing_to_compute_is_said_and_nothing_written(toy, capsys, seeds):
    """Also where fewer seeds are asked for than are stored: stored ones stay."""
    known, log, out = toy
    file = runner.run(known, "smoke", out=out)
    runner.shutil.rmtree(out / ".partial")
    before = file.stat().st_mtime_ns, file.read_bytes()
    calls = log.read_text()
    assert runner.run(known, "smoke", out=out, seeds=seeds, progress=True) == file
    assert "nothing to compute: toy-smoke is stored with 2 seeds" in capsys.readouterr().err
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
    assert [p.name for p in out.iterdir()] == [file.name]
    assert log.read_text() == calls


def test_what_is_kept_of_stored_seeds_goes_and_of_others_stays(toy):
    """A kill after the result was written and before its pieces were removed; and a longer run that was stopped."""
    known, _, out = toy
    stop(toy)
    (work,) = (path for path in out.glob(".partial/*") if path.is_dir())
    piece = next(work.glob("*.json"))
    other = piece.with_name(piece.name.replace("-0.json", "-7.json"))
    other.write_text("{}")
    left = piece.read_bytes()
    runner.run(known, "smoke", out=out)
    assert [p.name for p in work.iterdir()] == [other.name]
    piece.write_bytes(left)
    runner.run(known, "smoke", out=out)
    assert [p.name for p in work.iterdir()] == [other.name]


def test_a_result_that_cannot_be_read_is_not_overwritten(toy):
    known, _, out = toy
    file = runner.run(known, "smoke", out=out)
    whole = json.loads(file.read_text())
    for change in ({"rows": whole["rows"][1:]}, {"rows": ["a"]}, {"settings": []}, {"preset": "paper"}):
        file.write_text(json.dumps({**whole, **change}))
        before = file.read_bytes()
        with pytest.raises(ValueError, match=r"toy-smoke\.json .*; renew it with: companion run toy"):
            runner.run(known, "smoke", out=out, seeds=3)
        assert file.read_bytes() == before
    assert len(results.read(runner.run(known, "smoke", out=out, seeds=3, fresh=True)).rows) == 6


def scratched(settings, cell, seed, resources):
    """Counts up in its scratch folder; stops once at 2."""
    file = resources.scratch / "count"
    count = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(count))
    with Path(settings.log).open("a") as log:
        log.write(f"{file}\n")
    if count == 1:
        raise RuntimeError("stopped")
    return [{"value": float(count)}]


def test_what_a_task_left_behind_writes_is_not_read(toy):
    """Its folder is taken over by a rename, so that it goes on writing where no one reads."""
    known, log, out = toy
    known = replace(known, presets={"smoke": Toy(grid=(1,), log=str(log))}, run=scratched)
    with pytest.raises(RuntimeError, match="stopped"):
        runner.run(known, "smoke", out=out, seeds=1)
    (first,) = log.read_text().split()
    result = results.read(runner.run(known, "smoke", out=out, seeds=1))
    assert result.rows[0]["value"] == 2.0, "it went on from what was there"
    _, second = log.read_text().split()
    assert Path(first).parent != Path(second).parent
    assert Path(first).parent.stem == Path(second).parent.stem


def test_several_jobs_give_the_same_rows(toy):
    known, _, out = toy
    serial = results.read(runner.run(known, "smoke", out=out, fresh=True)).rows
    parallel = results.read(runner.run(known, "smoke", out=out, fresh=True, jobs=2)).rows
    assert parallel == serial


def test_result_file_is_plain_json_without_nan(toy):
    known, _, out = toy
    file = runner.run(known, "smoke", out=out, seeds=1)

    def refuse(token):
        raise AssertionError(f"{token} is not JSON")

    data = json.loads(file.read_text(), parse_constant=refuse)
    assert data["summary"][0]["value"]["low"] is None, "one seed has no interval"


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"seeds": 0}, "seeds must be at least 1, got 0"),
        ({"jobs": 0}, "jobs must"),
        ({"threads": -1}, "threads must"),
        ({"backend": "mpi"}, "backend must be one of joblib, dask; got 'mpi'"),
        ({"backend": "dask"}, "scheduler goes with backend dask"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "scheduler goes with backend dask"),
        ({"blocks": Path("blocks")}, "blocks are of no use to toy, which keeps none"),
        ({"share": (1, 2)}, "share goes with blocks"),
    ],
)
def test_bad_counts_are_named(toy, kwargs, message):
    known, _, out = toy
    with pytest.raises(ValueError, match=message):
        runner.run(known, "smoke", out=out, **kwargs)
    assert not out.exists(), "nothing was written"


def test_a_share_fills_the_blocks_and_stores_no_result(toy):
    known, log, out = toy
    filled = []

    def fill(settings, cell, seed, resources, share):
        filled.append((cell["a"], seed, resources.blocks, share))

    known = replace(known, fill=fill)
    assert runner.run(known, "smoke", out=out, blocks=out / "b", share=(2, 3)) == out / "b"
    assert filled == [(a, seed, out / "b", (2, 3)) for seed in (0, 1) for a in (1, 2)]
    assert not log.exists()
    assert not out.exists()
    for share in ((0, 2), (3, 2)):
        with pytest.raises(ValueError, match=f"share must be K/M with K from 1 to M, got {share[0]}/{share[1]}"):
            runner.run(known, "smoke", out=out, blocks=out, share=share)
    with pytest.raises(ValueError, match="share goes with blocks, and with neither jobs nor dask"):
        runner.run(known, "smoke", out=out, blocks=out, share=(1, 2), jobs=2)


def test_versions_are_those_of_the_processes_that_computed(toy, monkeypatch):
    """The runner itself never imports torch; a result made in other processes must name it all the same."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # whatever other tests of this process did
    known, _, out = toy
    file = runner.run(known, "smoke", out=out, seeds=1)
    data = json.loads(file.read_text())
    data["provenance"]["versions"]["torch"] = "0.0.test"
    file.write_text(json.dumps(data))
    again = results.read(runner.run(known, "smoke", out=out, seeds=2))
    assert again.provenance["versions"]["torch"] == "0.0.test"
    assert again.provenance["versions"]["python"] == data["provenance"]["versions"]["python"]


def test_the_device_is_that_of_the_processes_that_computed(toy, monkeypatch):
    """On a cluster the machine that stores the result need not have the workers' GPU, nor know its name."""
    known, _, out = toy
    monkeypatch.setattr(runner, "device_name", lambda device: "a card of a worker")
    file = runner.run(known, "smoke", out=out, seeds=1)
    monkeypatch.setattr(runner, "device_name", lambda device: "another card")
    runner.run(known, "smoke", out=out, seeds=2)
    assert json.loads(file.read_text())["provenance"]["device"] == "a card of a worker; another card"


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda text: text.replace('"a": 1', '"a": 2'),
        lambda text: text.replace('"value": 1.0', '"value": 1.5'),
        lambda text: json.dumps({**json.loads(text), "rows": []}),
        lambda text: json.dumps({**json.loads(text), "seconds": "long"}),
        lambda text: "[" * 100_000,
    ],
)
def test_a_piece_that_is_damaged_is_set_aside_and_made_again(toy, damage, capsys):
    """A bad disk, or an editor: the piece counts as not done, and the run ends well."""
    known, log, out = toy
    stop(toy)
    (piece,) = out.glob(".partial/*/*.json")
    piece.write_text(damage(piece.read_text()))
    result = results.read(runner.run(known, "smoke", out=out, progress=True))
    assert len(result.rows) == 4
    assert log.read_text().splitlines().count("1 0") == 2
    said = capsys.readouterr().err
    assert f"{piece} cannot be read: " in said
    assert "it is set aside as " in said


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="the kernel does not tell the CPU's instructions")
def test_a_device_is_told_with_the_widest_instructions_it_uses(monkeypatch):
    """Another generation under the same name, or an emulated one, does not promise the same networks."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    here = runner.device_name("cpu")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert "sse41" in runner.device_name("cpu") != here
