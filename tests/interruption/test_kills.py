"""Killed at random moments and started again, a run ends with the numbers of one that was never touched.

The default suite kills a few times; `make test-extended` kills each run at 32 moments.
"""

import itertools
import shutil

import numpy as np
import pytest

from companion.runner import results

from .conftest import EXTENDED

MOMENTS = 32 if EXTENDED else 3


def begun(log):
    """The steps that began, in order: (of which model, step)."""
    if not log.exists():
        return []
    lines = log.read_text().splitlines()
    return [(label, int(epoch)) for label, _, epoch in (line.rpartition("|") for line in lines)]


def files(out):
    """Everything under `out` but the lock, by name."""
    return sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file() and p.suffix != ".lock")


def plant_rubbish(out):
    """What killed writers may leave: half a temporary file beside every file and every checkpoint."""
    for file in [*out.rglob("*.json"), *out.rglob("model.pt")]:
        file.with_name(f".{file.name}.half.tmp").write_bytes(b'{"rows": [')


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(20260101)


@pytest.mark.parametrize("name", ["steps", "epochs", "table1"] if EXTENDED else ["steps"])
def test_a_run_with_checkpoints_survives_kills(start, tmp_path, rng, name):
    """Same rows to the last bit; after each kill at most the step that was running is done again.

    The rows of `epochs` are measured between epochs: none may be lost, and none come twice.
    """
    whole, log = tmp_path / "whole", tmp_path / "steps.log"
    assert start("run", name, "--seeds", "1", "--out", whole).wait() == 0
    expected = results.read(whole / f"{name}-smoke.json").rows
    epochs = begun(log)
    assert len(epochs) == len(set(epochs)) == 12
    log.unlink()

    out, kills, ended = tmp_path / "killed", 0, 0
    while kills < MOMENTS or not ended:
        run, seen = start("run", name, "--seeds", "1", "--out", out), len(begun(log))
        more, pause = int(rng.integers(0, 4)), float(rng.exponential(0.03))
        if kills < MOMENTS and run.killed(lambda at=seen + more: len(begun(log)) >= at, pause):
            kills += 1
            plant_rubbish(out)
            continue
        assert run.wait() == 0, run.output.read_text()
        assert results.read(out / f"{name}-smoke.json").rows == expected
        assert [file for file in files(out) if not file.endswith(".tmp")] == [f"{name}-smoke.json"]
        order = begun(log)
        for (label, epoch), (next_label, next_epoch) in itertools.pairwise(order):
            assert next_epoch in ((epoch, epoch + 1) if label == next_label else (0,)), "one step at most was lost"
        assert set(order) == set(epochs)
        ended += 1
        log.unlink()
        shutil.rmtree(out)
    assert kills >= MOMENTS


def test_an_experiment_of_many_seeds_survives_kills(start, tmp_path, rng):
    """Several processes at a time: what was finished stays, what was not is done again, the rows are the same."""
    whole, out = tmp_path / "whole", tmp_path / "killed"
    assert start("run", "steps", "--seeds", "5", "--out", whole).wait() == 0
    expected = results.read(whole / "steps-smoke.json").rows

    def finished():
        return {p.name: p.read_bytes() for p in out.glob(".partial/*/*.json")}

    kills = ended = 0
    while kills < MOMENTS or not ended:
        before = finished()
        run = start("run", "steps", "--seeds", "5", "--jobs", "2", "--out", out)
        enough, pause = len(before) + int(rng.integers(0, 4)), float(rng.exponential(0.05))
        if kills < MOMENTS and run.killed(lambda at=enough: len(list(out.glob(".partial/*/*.json"))) >= at, pause):
            kills += 1
            now = finished()
            if not (out / "steps-smoke.json").exists():
                assert before.items() <= now.items(), "what was finished stays as it was"
            plant_rubbish(out)
            continue
        assert run.wait() == 0, run.output.read_text()
        assert results.read(out / "steps-smoke.json").rows == expected
        assert [file for file in files(out) if not file.endswith(".tmp")] == ["steps-smoke.json"]
        ended += 1
        shutil.rmtree(out)
    assert kills >= MOMENTS


def test_two_runs_at_once_do_not_disturb_each_other(start, tmp_path):
    """Started together into one folder: both end well, the work is done once, the file is right."""
    alone, out, log = tmp_path / "alone", tmp_path / "both", tmp_path / "steps.log"
    assert start("run", "steps", "--out", alone).wait() == 0
    once = sorted(begun(log))
    log.unlink()
    runs = [start("run", "steps", "--out", out) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert sorted(begun(log)) == once
    stored = [results.read(folder / "steps-smoke.json").rows for folder in (alone, out)]
    assert stored[0] == stored[1]
    assert files(out) == ["steps-smoke.json"]


def test_a_run_of_more_seeds_beside_one_of_fewer(start, tmp_path):
    """Different wishes at once: both end well, and no seed of either is lost."""
    out = tmp_path / "both"
    runs = [start("run", "steps", "--seeds", n, "--out", out) for n in (2, 4)]
    assert [run.wait() for run in runs] == [0, 0]
    stored = results.read(out / "steps-smoke.json")
    assert stored.seeds == [0, 1, 2, 3]
    assert sorted({row["seed"] for row in stored.rows}) == stored.seeds
