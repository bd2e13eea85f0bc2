"""Beyond one machine: the same map on a real Dask cluster of several worker processes."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from companion.runner import results
from companion.runner import run as runner
from companion.runner.experiment import Experiment, setting

distributed = pytest.importorskip("distributed")


@dataclass(frozen=True)
class Toy:
    grid: tuple[int, ...] = setting(tuple(range(6)), "six cells")
    log: str = setting("", "folder where each call leaves a file with its process")
    pause: float = setting(0.0, "seconds a piece takes")


def cells(settings):
    return [{"a": a} for a in settings.grid]


def measure(settings, cell, seed, resources):
    Path(settings.log, f"{cell['a']}-{seed}-{time.time_ns()}").write_text(str(os.getpid()))
    time.sleep(settings.pause)
    return [{"value": cell["a"] + 0.1 * seed}]


def toy(folder, pause=0.0):
    folder.mkdir(exist_ok=True)
    return Experiment("toy", "a toy", {"smoke": Toy(log=str(folder), pause=pause)}, {"smoke": 2}, cells, measure)


@pytest.fixture(autouse=True)
def local_toy(monkeypatch):
    monkeypatch.setattr(Experiment, "code", "0" * 16)


@pytest.fixture
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_cluster_rows_equal_the_serial_ones(cluster, tmp_path):
    known = toy(tmp_path / "log")
    serial = results.read(runner.run(known, "smoke", out=tmp_path / "a"))
    spread = results.read(
        runner.run(known, "smoke", out=tmp_path / "b", backend="dask", scheduler=cluster.scheduler_address)
    )
    assert spread.rows == serial.rows
    assert spread.summary == serial.summary


def test_a_killed_worker_loses_nothing(cluster, tmp_path):
    log = tmp_path / "log"
    known = toy(log, pause=0.3)
    victim = next(iter(cluster.workers.values())).process.pid

    import threading

    def kill_when_busy():
        while not any(f.read_text() == str(victim) for f in log.iterdir()):
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_busy, daemon=True)
    killer.start()
    file = runner.run(known, "smoke", out=tmp_path, backend="dask", scheduler=cluster.scheduler_address)
    killer.join(10)
    assert not killer.is_alive(), "the worker was killed while it held a piece"
    rows = results.read(file).rows
    assert sorted((r["a"], r["seed"]) for r in rows) == [(a, s) for a in range(6) for s in range(2)]
    assert len(list(log.iterdir())) > len(rows), "the piece that died with the worker ran again"


def test_a_lost_scheduler_is_one_clear_error_and_the_run_goes_on(tmp_path):
    log = tmp_path / "log"
    known = toy(log, pause=0.2)
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    )
    address = cluster.scheduler_address

    import threading

    def close_after_some():
        while len(list(log.iterdir())) < 5:
            time.sleep(0.02)
        cluster.close()

    closer = threading.Thread(target=close_after_some, daemon=True)
    closer.start()
    with pytest.raises(RuntimeError, match=f"scheduler at {address} is gone; finished pieces are kept"):
        runner.run(known, "smoke", out=tmp_path, backend="dask", scheduler=address)
    closer.join(30)
    before = len(list(log.iterdir()))
    kept = len(list(tmp_path.glob(".partial/*/*.json")))
    assert 0 < kept < 12
    result = results.read(runner.run(known, "smoke", out=tmp_path))
    assert len(result.rows) == 12
    assert len(list(log.iterdir())) == before + 12 - kept, "kept pieces did not run again"


def test_no_scheduler_is_one_clear_error(tmp_path):
    with pytest.raises(RuntimeError, match="no Dask scheduler answers at 'tcp://127.0.0.1:9'") as caught:
        runner.run(toy(tmp_path / "log"), "smoke", out=tmp_path, backend="dask", scheduler="tcp://127.0.0.1:9")
    assert "\n" not in str(caught.value)
