"""Worker processes do not outlive the run that started them."""

import os
import subprocess
import sys
import time
from functools import partial

import pytest

from companion.runner import backends

RUN = """
import sys
from functools import partial
from pathlib import Path
from tests.runner.test_backends import stay
from companion.runner import backends
list(backends.processes([partial(stay, Path(sys.argv[1]), i) for i in range(2)], jobs=2, threads=1))
"""


def stay(folder, name):
    """A task that says which process it runs in and then takes its time."""
    (folder / str(name)).write_text(str(os.getpid()))
    time.sleep(120)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_workers_end_when_the_run_is_killed(tmp_path):
    """kill -9 of the run alone: its workers, in the middle of a piece, follow it."""
    run = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)])
    until(lambda: len([f for f in tmp_path.iterdir() if f.read_text()]) == 2)
    workers = [int(f.read_text()) for f in tmp_path.iterdir()]
    assert all(map(alive, workers))
    run.kill()
    run.wait()
    until(lambda: not any(map(alive, workers)), seconds=20)


def test_tasks_come_back_with_their_numbers():
    assert sorted(backends.processes([partial(pow, i, 2) for i in range(5)], jobs=2, threads=1)) == [
        (i, i**2) for i in range(5)
    ]
