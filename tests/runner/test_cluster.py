"""Beyond one machine: the same map on a real Dask cluster of several worker processes."""

import contextlib
import functools
import gc
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from companion.runner import backends, results
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
    return Experiment("toy", {"smoke": Toy(log=str(folder), pause=pause)}, {"smoke": 2}, cells, measure)


@pytest.fixture(autouse=True)
def local_toy(monkeypatch):
    monkeypatch.setattr(Experiment, "code", "0" * 16)


@pytest.fixture(scope="module")
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
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    )
    address = cluster.scheduler_address

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


@contextlib.contextmanager
def server(greeting):
    """What listens at a port and is no scheduler."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            with contextlib.suppress(OSError):
                while True:
                    line, _ = listening.accept()
                    line.sendall(greeting)
                    kept.append(line)

        kept = []
        threading.Thread(target=answer, daemon=True).start()
        yield f"tcp://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("greeting", [b"", b"SSH-2.0-OpenSSH_9.6\r\n"], ids=["silent", "talkative"])
def test_another_kind_of_server_is_told_at_once(tmp_path, monkeypatch, greeting):
    """A client would wait for minutes, or make room for a message of exbibytes."""
    monkeypatch.setattr(backends, "PATIENCE", 0.5)
    start = time.monotonic()
    with server(greeting) as address, pytest.raises(RuntimeError, match="no Dask scheduler answers at 'tcp://127.0.0."):
        runner.run(toy(tmp_path / "log"), "smoke", out=tmp_path, backend="dask", scheduler=address)
    assert time.monotonic() - start < 5


def test_an_address_that_is_none_is_one_clear_error(tmp_path, capfd):
    for address in ("nonsense://x", "tcp://127.0.0.1", "tcp://127.0.0.1:no", "::::", ""):
        with pytest.raises(RuntimeError, match="no Dask scheduler answers at ") as told:
            runner.run(toy(tmp_path / "log"), "smoke", out=tmp_path, backend="dask", scheduler=address)
        assert "\n" not in str(told.value), address
    gc.collect()
    assert capfd.readouterr().err == ""


def test_a_cluster_without_workers_says_so_and_what_is_interrupted_is_taken_back(tmp_path, capsys):
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as cluster:
        told = []

        def tell(text):
            told.append(text)
            raise KeyboardInterrupt

        tasks = [functools.partial(pow, 2, i) for i in range(4)]
        with pytest.raises(KeyboardInterrupt):
            list(backends.cluster(tasks, cluster.scheduler_address, tell))
        assert told == [f"the Dask cluster at {cluster.scheduler_address} has no workers yet; waiting for the first"]
        end = time.monotonic() + 10
        while cluster.scheduler.tasks:
            assert time.monotonic() < end, "no task is left behind"
            time.sleep(0.05)
